"""How does the gallery become a folder of files? Every page that `unseen view` serves and that needs no server.

    write(Path("public"), everything(source))   ->  Written(Path("public"), files=71, …)

The folder opens from a disk and under any path of a server: pages name each other from where they lie. It is built beside
its place and put there whole, and it replaces nothing but an earlier site of this kind, known by a file of its own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from unseen.core.errors import Damaged, Mistake
from unseen.news import changes as news

from . import cards_page, examples, feed, layout, papers, report, search, study_page
from .papers import Listed
from .source import Source

MARK = ".unseen-site"  # says that a folder may be replaced


@dataclass(frozen=True)
class Written:
    """A site: its folder, how many files and bytes it has, and the pages that are heavier than they should be."""

    folder: Path
    files: int
    bytes: int
    heavy: tuple[tuple[str, int], ...] = ()


def everything(
    source: Source, *, own: bool = False, title: str = "", base_url: str = "", embedding: str | None = None
) -> Iterator[tuple[str, bytes]]:
    """Every file of the site (path below the root, content): pages, what they load, and the feed.

    A site is for others, so it shows what the ledger holds and nothing of the reader's store, whose prompts and answers
    may be private; with `own` it shows trials, examples and cards of the store, and studies that no ledger knows, too.
    `title` is the front page's, `base_url` where the site will lie (the feed's links are relative without it),
    `embedding` names a model of sentences for the papers that are like one another.
    """
    cache = source.home / "cache" / "search"
    source = source if own else Source(Path(os.devnull) / "none", source.results)
    listed = [p for p in source.catalogue() if own or p.strips or p.arxiv in {k.arxiv for k in papers.known()}]
    index = search.index(listed, embedding=embedding, cache=cache)
    pages = {
        "index.html": papers.page(listed, title=title or papers.TITLE),
        "cards/index.html": cards_page.index(source),
    }
    pages |= {f"cards/{name}.html": cards_page.page(source, name) or "" for name in cards_page.names(source)}
    by_slug, drawn = {p.slug: p for p in listed}, dict[str, str]()
    for p in listed:
        for path, content in _of_study(source, p, [by_slug[s] for s in search.like(index, p.slug)]):
            (pages if path.endswith(".html") else drawn)[path] = content
    for path, page in pages.items():
        yield path, layout.still(page, pages).encode()
    yield from ((path, script.encode()) for path, script in drawn.items())
    yield from ((path, content) for path, content in layout.assets().items() if not path.startswith("assets/runs."))
    yield "assets/index.js", search.script(index)
    yield "assets/vega.js", layout.vega()
    yield "feed.xml", feed.feed(news.all_changes(source.home, source.results), base_url)


def _of_study(source: Source, paper: Listed, near: Sequence[Listed]) -> Iterator[tuple[str, str]]:
    """The pages of one paper, and the scripts that their figures are drawn from."""
    slug = paper.slug
    yield f"studies/{slug}.html", study_page.page(source, paper, near)
    if not paper.built or paper.broken:
        return
    own = [tier for tier in source.own(slug).tiers() if source.own(slug).trials.get(tier)]
    for tier in own:
        if tier:
            yield f"own/{slug}/{tier}.html", study_page.own_page(source, paper, tier)
        if source.items(slug, tier):
            with suppress(Damaged):  # a table that cannot be read: the site is whole without its page
                yield f"examples/{slug}/{tier or 'changed'}.html", examples.still(source, paper, tier or "changed")
    for of in (*study_page.scripts(source, slug), *(f"own-{tier}" for tier in own if tier)):
        if script := study_page.charts(source, slug, of):
            yield f"charts/{slug}/{of}.js", script


def write(out: Path, files: Iterable[tuple[str, bytes]]) -> Written:
    """Write these files (path below the root, content) as the site `out`, whole or not at all.

    Raises Mistake where `out` is something else than an earlier site or an empty folder, or cannot be written.
    """
    place = out.resolve()
    _refuse(place, out)
    fresh, old = (place.with_name(f".{place.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        sizes = dict(_built(fresh, files))
        told = {"written": report.now(), "version": report.version(), "files": len(sizes)}
        (fresh / MARK).write_text(json.dumps(told) + "\n", encoding="utf-8")
        (fresh / ".nojekyll").touch()  # GitHub Pages serves the files as they are
        _swap(fresh, place, old)
    except OSError as error:
        raise Mistake(f"--out {out}: the site cannot be written there ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    heavy = tuple((path, n) for path, n in sizes.items() if path.endswith(".html") and n > examples.HEAVY)
    return Written(out, len(sizes), sum(sizes.values()), heavy)


def _refuse(place: Path, out: Path) -> None:
    if not place.exists():
        return
    if not place.is_dir():
        raise Mistake(f"--out {out} is a file; name a folder for the site.")
    if not (place / MARK).is_file() and any(place.iterdir()):
        raise Mistake(
            f"--out {out} holds files that are no site of Unseen's ({MARK} is not among them), and a site replaces all that was there; name an empty or a new folder."
        )


def _built(folder: Path, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, int]]:
    for path, content in files:
        to = folder / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(content)
        yield path, len(content)


def _swap(fresh: Path, place: Path, old: Path) -> None:
    """Put the new folder in the old one's place; where that fails, the old one stays."""
    if place.exists():
        os.replace(place, old)
    try:
        os.replace(fresh, place)
    except OSError:
        if old.exists():
            os.replace(old, place)
        raise
