"""How does a docstring become a page? Plain text with `code` and indented examples, as reStructuredText.

written("The mean of a measure.\n\n    mean([1, 2])  ->  1.5")  ->  the sentence, then a block of code
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from textwrap import dedent, indent

EXAMPLE = re.compile(
    r"\s{2,}->\s|^[\w.]+\(.*\)\s+->|^>>> |^\w+ = \w+[(.]|^(?:for|with) .+:$|^from \S+ import |^\w+: \w+\("
)


def written(text: str) -> str:
    """A docstring as reStructuredText: paragraphs, lists, and blocks of code where lines are indented or examples."""
    return "\n\n".join(_blocks(cleandoc(text).splitlines()))


def _blocks(lines: list[str]) -> Iterator[str]:
    """Runs of lines of one kind: text, lists, code."""
    for block in _parted(lines):
        if not block[0].startswith(" ") and all(_listed(line) or line.startswith("  ") for line in block):
            yield "\n".join(_marked(line) for line in block)
        elif block[0].startswith("    ") or _example(block):
            yield ".. code-block:: none\n\n" + indent(dedent("\n".join(block)), "   ")
        elif block[0].startswith(" "):
            yield _marked(" ".join(line.strip() for line in block))
        else:
            yield _marked(" ".join(line.strip() for line in block))  # code may go on over the end of a line


def _parted(lines: list[str]) -> Iterator[list[str]]:
    """Blocks: blank lines part them, and so does a change between text and lines indented by four."""
    block: list[str] = []
    for line in lines:
        indented, listing = line.startswith("    "), bool(block) and _listed(block[0])
        turns = not listing and (_listed(line) or (bool(block) and indented != block[-1].startswith("    ")))
        if block and (not line.strip() or turns):
            yield block
            block = []
        if line.strip():
            block.append(line.rstrip())
    if block:
        yield block


def _listed(line: str) -> bool:
    return line.startswith(("- ", "* "))


def _example(block: list[str]) -> bool:
    """Whether a block that is not indented shows code: one instance of a module's data, such as `f(x)  ->  3`."""
    return any(EXAMPLE.search(line) for line in block) and not block[0].rstrip().endswith((".", "?"))


def _marked(line: str) -> str:
    """A line of text: `code` as code, every other sign as itself."""
    lead = "- " if _listed(line) else ""
    parts = re.split(r"(`[^`]+`)", line.removeprefix(lead) if lead == "- " else line[len(lead) :])
    return lead + "".join(
        f"\\ ``{p[1:-1].strip()}``\\ " if p[0] == "`" and p[-1] == "`" and len(p) > 2 else _plain(p) for p in parts if p
    )


def _plain(text: str) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", text)
