"""How does a study begin? As a copy of another, or of a template that already passes `unseen validate`."""

from __future__ import annotations

import ast
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from string import Template

from .core import find
from .core.errors import Invalid, Mistake

TEMPLATES = Path(__file__).parent / "template"


def new(slug: str, *, source: str | None = None, place: Path = Path("studies")) -> Path:
    """Make `place/slug` from a template or from the study `source`; the folder made.

    Raises Invalid for a slug that is none, Mistake where the folder or a study of that name exists already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+){0,3}", slug):
        raise Invalid(
            f"{slug!r} is no slug: one to four words of the paper's title in lower case, joined by underscores, such as skill_composition."
        )
    folder = place / slug
    if folder.exists() or slug in find.slugs():
        raise Mistake(
            f"there is a study called {slug} already ({find.slugs().get(slug, folder)}); choose another name or remove it first."
        )
    spare = place / f".{slug}.{os.getpid()}"
    try:
        _fill(spare, slug, source)
        os.rename(spare, folder)
    except OSError as error:
        raise Mistake(
            f"{folder} cannot be written ({error.strerror or error}); go to a folder of your own, or make room, and try again."
        ) from error
    finally:
        shutil.rmtree(spare, ignore_errors=True)
    return folder


def _fill(folder: Path, slug: str, source: str | None) -> None:
    """Write a new study's files: those of another study, or the template's."""
    if source is not None:
        shutil.copytree(find.folder(source), folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        _retitle(folder / "study.py", slug)
        return
    folder.mkdir(parents=True)
    title = slug.replace("_", " ").capitalize()
    words = {
        "slug": slug,
        "title": title,
        "arxiv": "None",
        "year": datetime.now(UTC).year,
        "question": f"{title}: what is asked?",
    }
    for path in sorted(TEMPLATES.glob("*.txt")):
        (folder / path.stem).write_text(Template(path.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")


def _retitle(path: Path, slug: str) -> None:
    """Give a copied study a title of its own, from which its slug comes: `Mine, after: What Algorithms can …`.

    A title that is no plain text in `Paper(...)` is left; `unseen validate` then says so.
    """
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Paper":
            named = [k.value for k in node.keywords if k.arg == "title"]
            title = (list(node.args[:1]) or named or [None])[0]
            if isinstance(title, ast.Constant) and isinstance(title.value, str):
                told = repr(f"{slug.replace('_', ' ').capitalize()}, after: {title.value}")
                path.write_text(_replaced(text, title, told), encoding="utf-8")
            return


def _replaced(text: str, node: ast.expr, told: str) -> str:
    """The text with the source of a node replaced. Columns of syntax trees count bytes."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    last = (node.end_lineno or node.lineno) - 1
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[last][node.end_col_offset :] + b"".join(lines[last + 1 :])
    return (before + told.encode() + after).decode()
