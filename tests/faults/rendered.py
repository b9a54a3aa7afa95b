"""The pages of the gallery over a store as a stranger might send it; each is written, or comes to one of our errors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

SLUG, TIER = "kept_rows", "smoke"
HOSTILE = ("<script>alert", "<img src=x")  # of the words that a store is harmed with: none may stand in a page as it is


def source() -> tuple[Any, Any]:
    """A source with nothing kept, and the paper whose study it holds."""
    from unseen.core import find
    from unseen.pages.papers import Listed
    from unseen.pages.source import Source

    made = Source.of(os.environ["UNSEEN_HOME"], None)
    there = {SLUG: find.slugs()[SLUG]}
    paper = Listed(SLUG, "Kept Rows", 2026, None, ("length",), "", "", built=True)
    made.kept.get("folders", (), lambda: there)
    object.__setattr__(
        made, "folders", lambda: there
    )  # the listing of all installed packages is not what is asked about
    object.__setattr__(made, "catalogue", lambda: (paper,))
    return made, paper


def safe(*pages: str | bytes | None) -> None:
    """Nothing of the store stands in a page as markup."""
    for page in pages:
        text = page.decode() if isinstance(page, bytes) else page or ""
        text.encode()
        assert not any(word in text for word in HOSTILE), text[text.find("<script>alert") - 300 :][:600]


def study() -> None:
    """A study's page, its script of figures, and the page of the reader's own trials."""
    from unseen.pages import study_page

    held, paper = source()
    safe(study_page.page(held, paper, turned=("own-smoke", 2)))


def figures() -> None:
    """The figures of the reader's own trials."""
    from unseen.pages import study_page

    held, paper = source()
    for tier in held.own(SLUG).tiers():
        safe(study_page.own_page(held, paper, tier), study_page.charts(held, SLUG, f"own-{tier}"))


def examples() -> None:
    """What was asked and answered, as a file and as it is asked for."""
    from unseen.pages import examples as page

    held, paper = source()
    for tier in (TIER, "changed"):
        safe(page.still(held, paper, tier), page.page(held, paper, tier, page.Asked(q="above", least=0.5)))


def runs() -> None:
    """What is measured now, failed or was finished, twice, as one who watches."""
    from unseen.pages import runs as page

    held, _ = source()
    seen = page.Seen()
    now = page.look(held, seen)
    safe(page.page(now), page.fragment(page.look(held, seen)))


def cards() -> None:
    """The index of cards, each card, and each beside the first."""
    from unseen.pages import cards_page

    held, _ = source()
    safe(cards_page.index(held))
    names = list(cards_page.names(held))
    for name in names:
        safe(cards_page.page(held, name), cards_page.compare(held, names[0], name))


def news() -> None:
    """The feed of what changed."""
    from datetime import UTC, datetime

    from unseen.news import changes
    from unseen.pages import feed

    home = Path(os.environ["UNSEEN_HOME"])
    found = changes.gather(home, datetime.min.replace(tzinfo=UTC)).changes
    safe(feed.feed(found, "https://example.org/"))


def front() -> None:
    """The gallery's first page counts the store's trials."""
    from unseen.pages import papers

    papers.counts(Path(os.environ["UNSEEN_HOME"]))


USES: dict[str, Callable[[], None]] = {
    "study": study,
    "examples": examples,
    "runs": runs,
    "cards": cards,
    "news": news,
    "front": front,
}
