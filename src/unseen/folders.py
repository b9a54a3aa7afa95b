"""How does a study begin? As a copy of another, or of a template that already passes `unseen validate`.

    new("my_study")                                       from the template
    new("my_study", source="length_generalization")       from another study
    new(proposed(entry.title), entry=entry)               from the template, with a paper of a listing filled in

Of a paper the number, title and year are filled in, and its axes are guessed. Its abstract is not: sheets are published
with their studies, and an abstract is its authors'. The sheet links to it.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from datetime import UTC, datetime
from keyword import iskeyword
from pathlib import Path
from string import Template

from .core import find
from .core.errors import Invalid, Mistake
from .core.inert import label
from .news.listing import Entry

TEMPLATES = Path(__file__).parent / "template"
SLUG = r"[a-z][a-z0-9]*(_[a-z0-9]+){0,3}"
SMALL = (  # words that say nothing of a paper
    " a an and are as at be by can do does for from has have how in into is it its not of on or that the their this to "
    "toward towards under via we what when where which why with without "
)


def new(slug: str, *, source: str | None = None, entry: Entry | None = None, place: Path = Path("studies")) -> Path:
    """Make `place/slug` from a template, with a paper filled in, or from the study `source`; the folder made.

    Raises Invalid for a slug that is none, Mistake where the folder or a study of that name exists already.
    """
    if not re.fullmatch(SLUG, slug):
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
        _fill(spare, slug, source, entry)
        os.rename(spare, folder)
    except OSError as error:
        raise Mistake(
            f"{folder} cannot be written ({error.strerror or error}); go to a folder of your own, or make room, and try again."
        ) from error
    finally:
        shutil.rmtree(spare, ignore_errors=True)
    return folder


def proposed(title: str) -> str:
    """A slug for a paper of that title that no study has: its system's name, or the first words that say something.

    Raises Invalid where its words give none.
    """
    head, colon, _ = title.partition(":")
    named = _plain_words(head)
    said = [w for w in _plain_words(title) if f" {w} " not in SMALL]
    while said and not said[0][0].isalpha():
        said = said[1:]
    candidates = [named] if colon and 1 <= len(named) <= 2 else []
    candidates += [said[:n] for n in (3, 4, 2, 1)]
    candidates += [said[i : i + n] for n in (4, 3, 2) for i in range(1, max(1, len(said) - n + 1))]
    for words in candidates:
        slug = "_".join(words)
        if re.fullmatch(SLUG, slug) and not iskeyword(slug) and slug not in find.slugs():
            return slug
    raise Invalid(
        f"no slug can be made of the title {label(title)!r}; name one yourself, of one to four of its words: unseen new SLUG --arxiv …"
    )


def _plain_words(text: str) -> list[str]:
    """The words of a title as slugs have them: those of plain letters and digits, in lower case."""
    found = [
        re.sub(r"^[^\w$\\]+|[^\w$}]+$", "", word) for word in re.split(r"[\s/–—-]+", text.lower().replace("é", "e"))
    ]
    return [w for w in found if re.fullmatch(r"[a-z0-9]+", w)]


def _fill(folder: Path, slug: str, source: str | None, entry: Entry | None) -> None:
    """Write a new study's files: those of another study, or the template's."""
    if source is not None:
        shutil.copytree(find.folder(source), folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        _retitle(folder / "study.py", slug)
        return
    folder.mkdir(parents=True)
    words = _of_nothing(slug) if entry is None else _of_paper(entry)
    words["slug"] = slug
    for path in sorted(TEMPLATES.glob("*.txt")):
        (folder / path.stem).write_text(Template(path.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")


def _of_nothing(slug: str) -> dict[str, str]:
    """What stands in the template where there is no paper yet."""
    title = slug.replace("_", " ").capitalize()
    return {
        "title": title,
        "quoted": json.dumps(title),
        "arxiv": "None",
        "year": str(datetime.now(UTC).year),
        "axes": '("distance",),',
        "question": f"{title}: what is asked?",
        "sources": "Name what you read.",
    }


def _of_paper(entry: Entry) -> dict[str, str]:
    """What stands in the template of a paper. A title is what a stranger wrote: in code it is a literal, elsewhere words."""
    from .news.nearness import axes_of, ours
    from .pages.digest import marked

    title = label(entry.title, 400)
    spoken = re.sub(r"[^\w\s.,:;?!()-]", " ", title)  # nothing of it can end a docstring
    guessed = [axis for axis in axes_of(entry, ours()) if axis != "distance"]
    axes = ", ".join(json.dumps(axis) for axis in (*guessed, "distance"))
    why = "guessed from the paper's words" if guessed else "no axis could be guessed"
    return {
        "title": marked(title),
        "quoted": json.dumps(title, ensure_ascii=False),
        "arxiv": json.dumps(entry.arxiv),
        "year": str(entry.year),
        "axes": f'({axes},),  # {why}; "distance" is the template\'s and goes with it',
        "question": f"{spoken}: what is asked?",
        "sources": f"[arXiv:{entry.arxiv}]({entry.link}): its abstract and its text are there.",
    }


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
