"""How is a text shown that others wrote? With nothing in it that a terminal or a page would act on.

inert("a\\x1b[31mb")  ->  "a⟨001B⟩[31mb"
"""

from __future__ import annotations

import re

MARKS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def marked(text: str) -> str:
    """All of a text, its control and direction marks named by their code."""
    return MARKS.sub(lambda m: f"⟨{ord(m[0]):04X}⟩", text)


def inert(text: str, most: int = 600) -> str:
    """A model's words as plain text: control and direction marks named by their code; the end of what is too long."""
    shown = marked(text)
    return shown if len(shown) <= most else "… " + shown[-most:]


def label(text: object, most: int = 120) -> str:
    """A name as one inert line; the beginning of what is too long."""
    shown = " ".join(marked(str(text)[: 2 * most]).split())
    return shown if len(shown) <= most else shown[:most] + "…"
