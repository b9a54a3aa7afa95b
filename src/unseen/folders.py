"""How does a study begin? As a copy of another, or of a template that already passes `unseen validate`."""

from __future__ import annotations

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
    if source is not None:
        shutil.copytree(find.folder(source), folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        return folder
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
    return folder
