"""A digest says the same in every form, and nothing that others wrote acts in any of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import news_told
import pytest

from unseen.news import changes as news
from unseen.news.listing import Entry
from unseen.news.nearness import Known, Near
from unseen.pages import digest

PAPER = Near(
    Entry("2511.00001", news_told.HOSTILE, "…", ("Ada <b>", "B", "C", "D"), 2025, "2025-11-03", ()),
    1.0,
    Known("omega", "OMEGA", "math"),
    ("<i>math", "levels"),
    True,
)


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def told(tmp_path: Path) -> news.News:
    news_told.told(tmp_path)
    found = news.gather(tmp_path, datetime.now(UTC) - timedelta(days=7))
    return news.News(found.since, found.until, found.studies, found.flips, found.moved, [PAPER], ["A note <b>."])


def test_mail_has_only_our_elements_and_fetches_nothing(told: news.News) -> None:
    page, elements = digest.html(told), Elements()
    elements.feed(page)
    assert elements.found == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "table",
        "tr",
        "td",
        "p",
        "h1",
        "h2",
        "div",
        "a",
    }
    assert elements.links == ["https://arxiv.org/abs/2511.00001"] and not {
        a for a in elements.attributes if a.startswith("on")
    }
    assert "prefers-color-scheme:dark" in page and "url(" not in page and "@import" not in page
    assert not set(page) & set("\x1b\u202e\0") and "⟨001B⟩" in page and "⟨202E⟩" in page
    for said in (
        "supported → refuted",
        "0.50 [0.40, 0.60]",
        "-0.50 [-0.60, -0.40] → -0.10",
        "more than their intervals",
        "1 gap as before",
        "é 中 🐍",
    ):
        assert said in elements.text, said


def test_markdown_says_the_same_and_has_no_markup_of_others(told: news.News) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    text = digest.markdown(told)
    elements = Elements()
    elements.feed(markdown_it.MarkdownIt("commonmark", {"html": True}).render(text))
    assert elements.found <= {"h1", "h2", "p", "ul", "li", "strong", "em", "br", "a"}, (
        "raw HTML is allowed here, and none is there"
    )
    assert elements.links == ["https://arxiv.org/abs/2511.00001"]
    assert "supported → refuted" in elements.text and "near to OMEGA (omega, starred): <i>math, levels" in elements.text
    assert not set(text) & set("\x1b\u202e\0")


def test_subject_and_json_count(told: news.News) -> None:
    assert digest.subject(told) == "1 study, 1 verdict flipped, 1 card moved, 1 first card, 1 paper to read"
    assert digest.subject(news.News(told.since, told.until)) == "nothing changed"
    found = json.loads(json.dumps(digest.to_json(told), allow_nan=False))
    assert found["flips"][0]["before"]["status"] == "supported" and found["flips"][0]["now"]["estimate"] == 0.02
    assert found["cards"][0]["moves"][0]["beyond"] is True and found["papers"][0]["nearest"] == "omega"
    assert "\n" not in digest.subject(told)
