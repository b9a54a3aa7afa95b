"""How does a value look in a notebook? As `pages/notebook.py` draws it, which is named here and loaded when one asks.

A study's `trial.py` is found by name in the same way: core imports neither, and both are there whenever it is.
"""

from __future__ import annotations

from importlib import import_module

DRAWS = "unseen.pages.notebook"


def html(value: object) -> str:
    """A value as HTML: records, a verdict, verdicts, a card, a comparison."""
    return str(import_module(DRAWS).html(value))
