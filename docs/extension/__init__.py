"""Which pages are made, and when? Before the sources are read, into `docs/made/`; a page that has not changed is left.

The pages of axes, of papers and the index are written by hand; what was measured is put into them as they are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import api, axes, commands, papers, studies

MADE = "made"


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", _make)
    app.connect("source-read", _put)
    app.connect("viewcode-find-source", lambda app, module: api.tagged(module))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _make(app: Any) -> None:
    """Write the made pages, and take away those of studies and modules that are gone."""
    root = Path(app.srcdir) / MADE
    pages = {**studies.pages(), **api.pages(), **commands.pages()}
    for name, content in pages.items():
        path, told = root / name, content if isinstance(content, bytes) else content.encode()
        if not path.is_file() or path.read_bytes() != told:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(told)
    for path in root.rglob("*"):
        if path.is_file() and path.relative_to(root).as_posix() not in pages:
            path.unlink()


def _put(app: Any, name: str, source: list[str]) -> None:
    """What was measured, at the end of an axis's page; the list of studies, where a page asks for it."""
    if name.startswith("axes/"):
        source[0] += axes.measured(name.removeprefix("axes/"))
    for mark, listed in (("<!-- studies -->", papers.listed), ("<!-- axes -->", axes.listed)):
        if mark in source[0]:
            source[0] = source[0].replace(mark, listed())
