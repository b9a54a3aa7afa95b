"""Unseen, a laboratory for generalization: what does a model do on what it has not seen, why, and what makes it better?

This module is the table of contents; every name is resolved on first use, so that importing it costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cards import card as card
    from .core.card import Card as Card
    from .core.claim import Claim as Claim
    from .core.claim import Verdict as Verdict
    from .core.claim import above as above
    from .core.claim import below as below
    from .core.claim import between as between
    from .core.claim import gap as gap
    from .core.claim import level as level
    from .core.lab import Lab as Lab
    from .core.ledger import Judged as Judged
    from .core.plan import Trial as Trial
    from .core.plan import plan as plan
    from .core.record import Item as Item
    from .core.record import Records as Records
    from .core.record import Row as Row
    from .core.record import Split as Split
    from .core.study import Needs as Needs
    from .core.study import Paper as Paper
    from .core.study import Study as Study
    from .driver import compare as compare
    from .driver import judge as judge
    from .driver import run as run
    from .rewards import reward as reward

_HOMES = {
    "Card": "core.card",
    **dict.fromkeys(("Claim", "Verdict", "above", "below", "between", "gap", "level"), "core.claim"),
    "Lab": "core.lab",
    "Judged": "core.ledger",
    **dict.fromkeys(("Trial", "plan"), "core.plan"),
    **dict.fromkeys(("Item", "Records", "Row", "Split"), "core.record"),
    **dict.fromkeys(("Needs", "Paper", "Study"), "core.study"),
    "card": "cards",
    **dict.fromkeys(("run", "judge", "compare"), "driver"),
    "reward": "rewards",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"unseen has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
