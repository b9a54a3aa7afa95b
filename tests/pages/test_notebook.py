"""Results in notebooks: drawn, legible, and with nothing in them that a page would act on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from math import nan
from pathlib import Path
from typing import Any

import made
import pytest

from unseen.core.card import Card, Interval, Profile
from unseen.core.claim import Verdict
from unseen.core.compare import Comparison, Difference
from unseen.core.record import Records, Row, Split

VOID = {"br"}


class Tags(HTMLParser):
    """The tags and attributes of a page, each closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def profile(words: str = "") -> Profile:
    """A number of everything."""
    a, b = Interval(0.9, 0.8, 0.95), Interval(0.3, 0.2, 0.4)
    return Profile(f"echo{words}", f"length{words}", f"exact{words}", 0.0, a, b, Interval(-0.6, -0.7, -0.5), 40, "twin",
                   curve=[(f"3{words}", 0.9, 40), ("5", 0.3, 40)], change=b, change_reference=a, note=words)  # fmt: skip


def values(words: str = "") -> list[Any]:
    """One of each that shows itself, with these words wherever words can stand."""
    one = made.judged(words=words)
    claims = [replace(v, claim=replace(v.claim, says=v.claim.says + words, id=v.claim.id + words, reported=words), why=v.why + words) for v in one.verdicts]  # fmt: skip
    card = Card(f"py:m{words}", "smoke", {f"length{words}": [profile(words)]}, f"py:n{words}", [f"a note{words}"])
    differences = [Difference(f"echo{words}", f"5{words}", 0.9, 0.3, -0.6, -0.7, -0.5, 0.001, 40, "item")]
    made_rows = [({"task": words}, s, Row(f"exact{words}", 0.5, Split(f"long{words}", "length", {}, True))) for s in (0, 1)]  # fmt: skip
    comparison = Comparison(f"a{words}", f"b{words}", differences, [words])
    return [claims[0], replace(one, verdicts=claims, slug=f"toy{words}"), card, comparison, Records.of(made_rows)]


def read(page: str) -> Tags:
    """A page that was read whole."""
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert not tags.open
    return tags


@pytest.mark.parametrize("words", ["", made.WICKED], ids=["plain", "hostile"])
def test_everything_shows_itself_and_nothing_is_run(words: str) -> None:
    for one in values(words):
        page = one._repr_html_()
        tags = read(page)
        assert tags.seen <= {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "br", "span", "details", "summary", "svg", "title", "rect", "line", "circle", "text", "polyline"}  # fmt: skip
        assert not {a for a in tags.attributes if a.startswith("on") or a in ("href", "src", "style")}
        assert "\u202e" not in page and "\x07" not in page and "\u2028" not in page
        if words:
            assert "&lt;script&gt;" in page


def test_verdicts_have_dot_glyph_and_reason() -> None:
    one = made.judged()
    page = one._repr_html_()
    for v in one.verdicts:
        assert f'<span class="dot {v.status}"></span><b>{v.claim.id}</b>' in page
    assert page.count("<svg") == sum(v.estimate == v.estimate for v in one.verdicts)
    assert "against what was claimed" in page


def test_records_are_counted_by_measure_and_split() -> None:
    """Two seeds of one split, three steps each: six rows, and the mean of the last step alone."""
    split = Split("long", "length", {"letters": 7}, True)
    rows = [({"width": 8}, s, Row("exact", 0.1 * step, split, n=50, step=step)) for s in (0, 1) for step in (1, 2, 3)]
    page = Records.of(rows)._repr_html_()
    told = ["<td>exact</td>", "<td>long</td>", "<td>shifted</td>", ">6<", ">300<", ">0.3<"]
    assert all(part in page for part in told), page
    assert "0 rows of nothing" in Records.of([])._repr_html_()


def test_what_is_not_known_is_a_dash() -> None:
    claim = made.study().claims[0]
    page = Verdict(claim, "laptop", "untested", why="nothing was measured.")._repr_html_()
    assert "–" in page and "nan" not in page and "<svg" not in page
    blank = Interval(nan, nan, nan)
    page = Card("m", "smoke", {"length": [replace(profile(), reference=blank, shifted=blank, gap=blank)]})._repr_html_()
    assert "nan" not in page


def test_long_tables_are_cut_and_counted() -> None:
    rows = [({"width": 8}, 0, Row("exact", 0.5, Split(f"s{i}", "length", {}, True))) for i in range(60)]
    assert "and 20 more" in Records.of(rows)._repr_html_()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    sync = pytest.importorskip("playwright.sync_api")
    if (found := shutil.which("chromium")) is None:
        pytest.skip("no chromium; apt-get install chromium")
    with sync.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const back = lum(parse(getComputedStyle(document.body).backgroundColor));
  return Math.min(...[...document.querySelectorAll('.unseen td, .unseen th, .unseen caption, .unseen .dot')].map(e => {
    const front = lum(parse(getComputedStyle(e).color));
    return (Math.max(front, back) + .05) / (Math.min(front, back) + .05); }));
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "back", "front"), [("true", "#fff", "#111"), ("false", "#111", "#ddd")])
def test_light_and_dark_notebooks_can_read_it(browser: Any, tmp_path: Path, theme: str, back: str, front: str) -> None:
    body = "".join(one._repr_html_() for one in values(made.WICKED))
    page = tmp_path / "notebook.html"
    page.write_text(
        f'<meta charset="utf-8"><body data-jp-theme-light={theme} style="background:{back};color:{front}">{body}'
    )
    tab = browser.new_page(viewport={"width": 1100, "height": 900})
    said: list[str] = []
    tab.on("console", lambda m: said.append(m.text))
    tab.on("pageerror", lambda e: said.append(str(e)))
    tab.goto(page.as_uri())
    assert said == [] and tab.evaluate("window.hacked") is None
    assert tab.evaluate(CONTRAST) >= 4.5
    assert tab.locator(".unseen svg").count() >= 5
    tab.close()


def test_a_real_notebook_shows_them(tmp_path: Path) -> None:
    """Executed by nbclient in a kernel, the cells hold HTML beside the text."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    start = f"import sys; sys.path.insert(0, {str(Path(made.__file__).parent)!r})\nimport made"
    cells = [start, "one = made.judged()\none", "one.verdicts[0]", "one.records"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in book.cells[1:]:
        [shown] = cell.outputs
        assert shown.data["text/html"].startswith('<div class="unseen">') and shown.data["text/plain"]
