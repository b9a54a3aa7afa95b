"""A site is whole: every link leads to a file of it, wherever it lies; it replaces nothing but an earlier one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from unseen.core import find
from unseen.core.errors import Mistake
from unseen.pages import examples, layout, site
from unseen.pages.source import Source

pytest.importorskip("bm25s")
pytestmark = pytest.mark.xdist_group("site")  # it is built once
RESULTS = Path(__file__).parents[2] / "results"
OWN = Path(find.__file__).parent.parent / "studies"


class Links(HTMLParser):
    """What a page refers to, what can be referred to in it, and what a strict policy would not let it have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.open = tag
        self.to += [v for k in ("href", "src") if (v := told.get(k)) is not None]
        self.ids += [v for k, v in attrs if k == "id" and v]
        self.inline += [f"<{tag} {k}>" for k, _ in attrs if k == "style" or k.startswith("on")]
        self.inline += [f"<{tag}>"] if tag == "style" else []

    def handle_data(self, data: str) -> None:
        if self.open in ("script", "style") and data.strip():
            self.inline.append(data[:60])

    def handle_endtag(self, tag: str) -> None:
        self.open = ""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The site of all studies here."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "_places", lambda: [OWN])
        files = site.everything(Source(folder / "home", RESULTS), title="Ours <b>", base_url="https://example.org/u/")
        site.write(folder / "public", files)
    yield folder / "public"


def crawled(site: Path) -> dict[Path, Links]:
    """Every page of a site with its links; each of them leads to a file of it, or to arXiv."""
    pages = {p: Links(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    for page, links in pages.items():
        assert links.inline == [] and len(links.ids) == len(set(links.ids)), page
        for link in links.to:
            parts = urlsplit(link)
            if parts.scheme:
                assert link.startswith("https://arxiv.org/abs/"), (page, link)
                continue
            assert not parts.netloc and not parts.path.startswith("/") and not parts.query, (page, link)
            to = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert to.is_file() and site in to.parents, (page, link)
            if parts.fragment and "=" not in parts.fragment:
                assert parts.fragment in pages[to].ids, (page, link)
    return pages


def test_every_link_leads_to_a_file_of_the_site(built: Path) -> None:
    pages = crawled(built)
    assert len(pages) == 44 and len([p for p in pages if p.parent.name == "studies"]) == 42


def test_everything_is_reached_from_the_front_page(built: Path) -> None:
    reached, left = set[Path](), [built / "index.html"]
    while left:
        page = left.pop()
        if page in reached:
            continue
        reached.add(page)
        if page.suffix == ".html":
            links = (urlsplit(link) for link in Links(page.read_text(encoding="utf-8")).to)
            left += [(page.parent / unquote(p.path)).resolve() for p in links if p.path and not p.scheme]
    every = {p for p in built.rglob("*") if p.is_file() and not p.name.startswith(".")}
    assert every == reached


def test_pages_are_light_strict_and_without_what_needs_a_server(built: Path) -> None:
    for page in built.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert len(text.encode()) < examples.HEAVY and "<!--" not in text
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in text and 'lang="en"' in text
        assert "runs.html" not in text and "unseen-search" not in text
    assert (built / ".nojekyll").is_file() and "assets/index.js" in (built / "index.html").read_text()


def test_the_page_of_a_study_tells_every_verdict_of_the_ledger(built: Path) -> None:
    told = json.loads((RESULTS / "grokked_transformers" / "laptop.json").read_text())
    page = (built / "studies" / "grokked_transformers.html").read_text(encoding="utf-8")
    here = {c.id for c in find.study("grokked_transformers").claims if "laptop" in c.tiers}
    for v in told["verdicts"]:
        assert (f'id="recorded-laptop-{v["id"]}"' in page) == (v["id"] in here)
    assert page.count('<svg viewBox="0 0 240 42"') == sum(v["estimate"] is not None for v in told["verdicts"] if v["id"] in here)  # fmt: skip


def test_the_feed_is_there_with_the_address_that_was_given(built: Path) -> None:
    feed = ElementTree.parse(built / "feed.xml").getroot()
    links = [e.attrib["href"] for e in feed.iter("{http://www.w3.org/2005/Atom}link")]
    assert len(links) >= 18 and all(link.startswith("https://example.org/u/") for link in links)
    assert "<h1>Ours &lt;b&gt;</h1>" in (built / "index.html").read_text(encoding="utf-8")


def test_parts_for_servers_and_for_files() -> None:
    page = (
        "a<!--if runs.html-->b<!--/if-->c<!--if cards/index.html--><i>\nd</i><!--/if-->e<!--still <script>f</script>-->"
    )
    assert layout.still(page, ["cards/index.html"]) == "ac<i>\nd</i>e<script>f</script>"
    assert layout.still(page, ["runs.html"]) == "abce<script>f</script>"


def test_an_earlier_site_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "public"
    assert site.write(out, [("index.html", b"one"), ("studies/old.html", b"old")]).files == 2
    site.write(out, [("index.html", b"two")])
    assert (out / "index.html").read_bytes() == b"two" and not (out / "studies").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["public"]


def test_a_build_that_fails_leaves_the_earlier_site(tmp_path: Path) -> None:
    def breaks() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"two"
        raise ValueError("in the middle")

    out = tmp_path / "public"
    site.write(out, [("index.html", b"one")])
    with pytest.raises(ValueError):
        site.write(out, breaks())
    assert (out / "index.html").read_bytes() == b"one" and [p.name for p in tmp_path.iterdir()] == ["public"]


def test_a_swap_that_fails_puts_the_earlier_site_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "public"
    site.write(out, [("index.html", b"one")])
    replaced = os.replace

    def fails(a: Any, b: Any) -> None:
        if str(a).endswith(".new"):
            raise OSError(28, "No space left on device")
        replaced(a, b)

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(Mistake, match="No space left"):
        site.write(out, [("index.html", b"two")])
    assert (out / "index.html").read_bytes() == b"one" and [p.name for p in tmp_path.iterdir()] == ["public"]


def test_folders_that_are_no_site_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("all of it")
    (tmp_path / "file").write_text("x")
    for name, why in (("mine", "no site of Unseen's"), ("file", "is a file")):
        with pytest.raises(Mistake, match=why):
            site.write(tmp_path / name, [("index.html", b"one")])
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "all of it"
    (tmp_path / "empty").mkdir()
    assert site.write(tmp_path / "empty", [("index.html", b"one")]).bytes == 3


def test_heavy_pages_are_told(tmp_path: Path) -> None:
    written = site.write(tmp_path / "out", [("a.html", b"x" * 2_000_001), ("b.js", b"x" * 3_000_000)])
    assert written.heavy == (("a.html", 2_000_001),)


def test_what_the_reader_measured_is_in_it_only_where_that_is_asked_for(
    unseen: Callable[..., Any], tmp_path: Path
) -> None:
    model = ("--model", "py:answering:short")
    assert unseen("run", "echo", "--tier", "smoke", *model).code == 0
    assert unseen("card", "py:answering:right", "--tier", "smoke").code == 0
    assert not [p for p, _ in site.everything(Source(tmp_path / "home", None)) if "echo" in p or "answering" in p]
    site.write(tmp_path / "public", site.everything(Source(tmp_path / "home", None), own=True))
    pages = {str(p.relative_to(tmp_path / "public")) for p in crawled(tmp_path / "public")}
    assert {"studies/echo.html", "cards/index.html"} <= pages
    assert any(p.startswith("examples/echo/") for p in pages), pages
    assert any(p.startswith("cards/") and "answering" in p for p in pages), pages


def test_the_verb(unseen: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.pages.search.embedding", lambda: None)
    said = unseen("site", "--out", tmp_path / "public", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["files"] >= 50 and told["heavy"] == {}
    assert not (tmp_path / "public" / "studies" / "echo.html").exists()  # a study of one's own is the reader's
    assert unseen("site", "--own", "--out", tmp_path / "public").out.startswith(str(tmp_path / "public" / "index.html"))
    assert (tmp_path / "public" / "studies" / "echo.html").is_file()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").touch()
    for words, why in (
        (["--out", tmp_path / "other"], "no site"),
        (["--out", tmp_path / "p", "--base-url", "javascript:1"], "https://"),
        (["--out", tmp_path / "p", "--ledger", tmp_path / "none"], "no such folder"),
    ):
        said = unseen("site", *words)
        assert said.code == 2 and why in said.err
