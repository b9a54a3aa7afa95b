"""The feed is Atom as RFC 4287 has it, read by feedparser and by a strict checker of our own."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as tree

import news_told
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.card import Interval
from unseen.core.ledger import shipped
from unseen.news import changes as news
from unseen.news.listing import Entry
from unseen.news.nearness import Known, Near
from unseen.pages.feed import ATOM, feed

BASE = "https://example.org/lab/"
TAG = re.compile(r"tag:[A-Za-z0-9][A-Za-z0-9.-]*,\d{4}(-\d\d){0,2}:[A-Za-z0-9._~/%!$&'()*+,;=:@?-]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ONE = {"id", "title", "updated"}  # exactly one of each, in feeds and entries (4.1.1, 4.1.2)
MOST_ONE = {"subtitle", "generator", "icon", "logo", "rights", "summary", "content", "published", "source"}
KNOWN = ONE | MOST_ONE | {"author", "contributor", "category", "link"}
TYPES = {"text", "html", "xhtml"}


def checked(content: bytes) -> tree.Element:
    """The feed's root, if all holds that RFC 4287 demands of what we write."""
    root = tree.fromstring(content)
    assert root.tag == f"{{{ATOM}}}feed"
    entries = root.findall(f"{{{ATOM}}}entry")
    for one in (root, *entries):
        names = [child.tag.removeprefix(f"{{{ATOM}}}") for child in one if child.tag != f"{{{ATOM}}}entry"]
        assert (
            set(names) <= KNOWN and all(names.count(n) == 1 for n in ONE) and all(names.count(n) <= 1 for n in MOST_ONE)
        )
        assert TAG.fullmatch(text(one, "id")) and TIME.fullmatch(text(one, "updated"))
        assert text(one, "title").strip() == text(one, "title") != ""
        links = [dict(link.attrib) for link in one.findall(f"{{{ATOM}}}link")]
        assert all(link.get("href") and re.fullmatch(r"[a-z]+/[a-z+]+", link["type"]) for link in links)
        kinds = [(link.get("rel", "alternate"), link["type"]) for link in links]
        assert len(set(kinds)) == len(kinds), "no two alternates of one type"
        for name in ("title", "summary", "content", "subtitle"):
            for child in one.findall(f"{{{ATOM}}}{name}"):
                assert child.get("type", "text") in TYPES and len(child) == 0
        assert all(child.get("term") for child in one.findall(f"{{{ATOM}}}category"))
    assert root.findall(f"{{{ATOM}}}author/{{{ATOM}}}name") or all(
        e.find(f"{{{ATOM}}}author") is not None for e in entries
    )
    assert [link.get("href") for link in root.findall(f"{{{ATOM}}}link") if link.get("rel") == "self"] != []
    ids = [text(e, "id") for e in entries]
    assert len(set(ids)) == len(ids) and all(e.find(f"{{{ATOM}}}content") is not None for e in entries)
    return root


def text(of: tree.Element, name: str) -> str:
    return of.findtext(f"{{{ATOM}}}{name}") or ""


def changes(root: Path) -> list[news.Change]:
    return news.all_changes(root, shipped())


def test_a_feed_of_every_kind_of_change_is_valid_and_names_itself(tmp_path: Path) -> None:
    news_told.told(tmp_path)
    told = changes(tmp_path)
    root = checked(feed(told, BASE))
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{{{ATOM}}}link")}
    assert links == {"self": f"{BASE}feed.xml", "alternate": f"{BASE}index.html"}
    pages = {e.find(f"{{{ATOM}}}link").get("href", "").removeprefix(BASE) for e in root.findall(f"{{{ATOM}}}entry")}  # type: ignore[union-attr]
    assert {"cards/index.html", f"studies/{news_told.SLUG}.html"} < pages
    assert text(root, "updated") == max(text(e, "updated") for e in root.findall(f"{{{ATOM}}}entry"))
    assert {urlsplit(e.find(f"{{{ATOM}}}link").get("href", "")).netloc for e in root.findall(f"{{{ATOM}}}entry")} == {
        "example.org"
    }  # type: ignore[union-attr]


def test_names_of_entries_outlive_time_address_and_words(tmp_path: Path) -> None:
    news_told.told(tmp_path)
    first = [text(e, "id") for e in checked(feed(changes(tmp_path), BASE)).findall(f"{{{ATOM}}}entry")]
    news_told.verdict(tmp_path, "undecided", 0.2)
    later = checked(feed(changes(tmp_path), "http://127.0.0.1:8000"))
    ids = [text(e, "id") for e in later.findall(f"{{{ATOM}}}entry")]
    assert [i for i in ids if i in first] == first and len(ids) == len(first) + 1
    assert text(later, "id") == "tag:127.0.0.1,2026:/feed"


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    news_told.told(tmp_path)
    news_told.verdict(tmp_path, "supported", 0.9, says="\0\x08\ufffe\ud800 ]]> &amp; <x>", title="\ud800")
    content = feed(changes(tmp_path), BASE)
    root = checked(content)
    assert b"<script" not in content and b"&lt;script&gt;" in content and b"\x1b" not in content
    for entry in root.findall(f"{{{ATOM}}}entry"):
        html = tree.fromstring(f"<div>{text(entry, 'content')}</div>")
        assert {child.tag for child in html.iter()} == {"div", "p"}, "what a reader shows has only our own elements"


def test_feedparser_reads_it(tmp_path: Path) -> None:
    feedparser = pytest.importorskip("feedparser")
    news_told.told(tmp_path)
    made = changes(tmp_path)
    found = feedparser.parse(io.BytesIO(feed(made, BASE)))
    assert not found.bozo and found.version == "atom10" and len(found.entries) == len(made)
    assert found.feed.title == "Unseen: what changed" and found.feed.links[0].rel == "self"
    flips = [e for e in found.entries if e.title.endswith("supported → refuted")]
    assert len(flips) == 1 and "0.50 [0.40, 0.60]" in flips[0].summary and "<script" not in flips[0].content[0].value
    assert flips[0].link == f"{BASE}studies/{news_told.SLUG}.html"


def test_nothing_changed_is_a_valid_feed_too() -> None:
    assert checked(feed([], BASE)).findall(f"{{{ATOM}}}entry") == []
    assert text(checked(feed([], "")), "id") == "tag:unseen,2026:/feed"


def test_papers_are_entries_too(tmp_path: Path) -> None:
    entry = Entry("2511.00001", news_told.HOSTILE, "", ("Ada <b>",), 2025, "2025-11-03", ())
    root = checked(feed([*changes(tmp_path), Near(entry, 1.0, Known("omega", "OMEGA", ""), ("math",), False)], BASE))
    told = root.findall(f"{{{ATOM}}}entry")[-1]
    assert text(told, "id") == "tag:unseen,2026:paper/2511.00001" and text(told, "updated") == "2025-11-03T00:00:00Z"
    assert told.find(f"{{{ATOM}}}link").get("href") == "https://arxiv.org/abs/2511.00001"  # type: ignore[union-attr]
    assert "near to OMEGA (omega): math" in text(told, "summary")


@settings(deadline=None, max_examples=60)
@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=1), st.floats())
def test_any_words_make_a_valid_feed(model: str, axis: str, sweep: dict[str, str], gap: float) -> None:
    one = Interval(gap, gap, gap)
    move = news.Move(axis, model, axis, None, one, False)
    moved = news.Moved(datetime.now(UTC), model, axis or "laptop", sweep, True, [move], 1)
    root = checked(feed([moved], BASE + quote(model, safe="")))
    html = text(root.findall(f"{{{ATOM}}}entry")[0], "content")
    assert {child.tag for child in tree.fromstring(f"<div>{html}</div>").iter()} == {"div", "p"}
