"""The gallery as files in a real browser: searched, filtered and sorted from a disk and under a sub-path, for all who read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opened import CONTRAST, PHONE, WIDE, Opened

from unseen.core import find
from unseen.pages import layout, papers, search, site
from unseen.pages.source import Source

pytest.importorskip("bm25s")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
RESULTS = Path(__file__).parents[2] / "results"
OWN = Path(find.__file__).parent.parent / "studies"
NARROW = {**PHONE, "width": 390}
WICKED = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\u202egnp.exe"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that tells nothing of it."""

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of all studies here, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("site") / "a folder's ünseen"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "_places", lambda: [OWN])
        site.write(folder, site.everything(Source(folder.parent / "home", RESULTS)))
    return folder


@pytest.fixture
def front(shown: Any, public: Path) -> Opened:
    """The front page, wide and light."""
    return shown(public / "index.html")


def titles(page: Opened) -> list[str]:
    """The slugs of the papers that are shown, in order."""
    return page.page.eval_on_selector_all("li.paper", "all => all.filter(e => !e.hidden).map(e => e.id)")


def wait(page: Opened, n: int, of: int = 42) -> None:
    """Until so many papers are said to be shown."""
    told = f"{n} of {of} papers" if n != of else f"{of} papers"
    page.page.wait_for_function("t => document.getElementById('shown').textContent === t", arg=told, timeout=5_000)


def test_search_finds_by_words_and_the_link_can_be_shared(front: Opened, shown: Any, public: Path) -> None:
    page = front.page
    assert len(titles(front)) == 42 and front.page.is_visible("form.tools")
    page.keyboard.press("/")
    page.keyboard.type("implicit reasoning over facts in weights")
    page.wait_for_function("() => location.hash.includes('weights')")  # the first letters may have found it already
    page.wait_for_function("() => document.querySelector('li.paper:not([hidden])').id === 'grokked_transformers'")
    assert page.input_value("[name=sort]") == "closest" and "q=implicit+reasoning" in page.url
    again = shown(public / "index.html")
    again.page.goto(page.url)
    again.page.reload()
    assert titles(again) == titles(front) and again.page.input_value("[name=q]").startswith("implicit")
    page.fill("[name=q]", "zzzz")
    wait(front, 0)
    assert page.is_visible("#none") and page.get_attribute("#shown", "aria-live") == "polite"
    page.click("#clear")
    wait(front, 42)
    assert "#" not in page.url and front.wrong == [] and again.wrong == []


def test_filters_and_orders(front: Opened) -> None:
    page, listed = front.page, {p.slug: p for p in papers.catalogue(RESULTS)}
    assert titles(front) == sorted(listed, key=lambda s: (listed[s].decided(), listed[s].appeared(), s), reverse=True)
    page.select_option("[name=axis]", "length")
    want = {s for s, p in listed.items() if "length" in p.axes}
    wait(front, len(want))
    assert set(titles(front)) == want
    page.select_option("[name=status]", "not yet implemented")
    want = {s for s in want if not listed[s].built}
    wait(front, len(want))
    assert set(titles(front)) == want
    page.select_option("[name=axis]", "")
    page.select_option("[name=status]", "refuted")
    page.select_option("[name=tier]", "laptop")
    want = {s for s, p in listed.items() if any(f.status == "refuted" for t in p.strips for f in t.dots())}
    wait(front, len(want))
    assert set(titles(front)) == want
    page.select_option("[name=sort]", "newest")
    page.wait_for_function("() => location.hash.includes('sort=newest')")
    assert titles(front) == sorted(want, key=lambda s: (listed[s].appeared(), s), reverse=True)
    page.evaluate("location.hash = '#axis=composition'")
    want = {s for s, p in listed.items() if "composition" in p.axes}
    wait(front, len(want))
    page.evaluate("location.hash = '#axis=nonsense&tier=laptop%22%5D&sort=x&q='")
    page.wait_for_function("() => document.querySelector('[name=axis]').value === ''")
    assert front.wrong == []


def test_the_keyboard_reaches_all_of_it(front: Opened) -> None:
    page = front.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
    assert seen[:2] == ["Unseen", "Papers"] and [s for s in seen if s in ("q", "axis", "status", "tier", "sort")] == ["q", "axis", "status", "tier", "sort"]  # fmt: skip
    first = page.locator("li.paper h2 a").first
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("article.paper")
    assert "studies/" in page.url and front.wrong == []


def test_figures_are_drawn_from_a_disk(shown: Any, public: Path) -> None:
    page = shown(public / "studies" / "length_generalization.html")
    page.page.locator("[data-chart]").first.scroll_into_view_if_needed()
    page.page.wait_for_selector(".chart svg .mark-group", timeout=20_000)
    assert page.wrong == [] and all(url.startswith("file:") for url in page.asked)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "phone"])
def test_every_kind_of_page_is_legible(shown: Any, public: Path, size: dict[str, int], dark: bool) -> None:
    for path in ("index.html", "studies/grokked_transformers.html", "studies/reft.html", "cards/index.html"):
        page = shown(public / path, size, dark)
        page.page.eval_on_selector_all("details", "all => all.forEach(d => { d.open = true })")
        assert page.wrong == [] and page.overflow() <= 0, path
        ratio, where = page.page.evaluate(CONTRAST)
        assert ratio >= 4.5, (path, where)
        assert all(url.startswith("file:") for url in page.asked)
        unnamed = "all => all.filter(e => e.checkVisibility() && !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).length"
        assert page.page.eval_on_selector_all("a,button,input,select", unnamed) == 0
        assert page.page.eval_on_selector_all("[role=img]", "all => all.filter(e => !e.getAttribute('aria-label')).length") == 0  # fmt: skip


def test_without_script_the_whole_list_is_there(browser: Any, public: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((public / "index.html").as_uri())
    assert page.locator("li.paper").count() == 42 and page.is_hidden("form.tools")
    page.click("#omega h2 a")
    assert "OMEGA" in page.title()
    context.close()


def test_it_works_under_a_sub_path(browser: Any, public: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(public.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("response", lambda r: wrong.append(r.url) if r.status >= 400 else None)
    page.goto(f"http://127.0.0.1:{server.server_port}/{public.name}/index.html#q=sorting+longer+lists")
    page.wait_for_function("() => document.querySelector('li.paper:not([hidden])').id === 'task_hinting'")
    page.click("#task_hinting h2 a")
    page.wait_for_selector("article.paper")
    assert wrong == []
    context.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def wicked(tmp_path: Path) -> Iterator[Path]:
    """A front page whose every word is an attack."""
    strip = papers.Strip("laptop", (papers.Found(WICKED, WICKED, "finding", "refuted"),), 1.0, WICKED)
    paper = papers.Listed(WICKED.split("\u202e")[0], WICKED, 2024, WICKED, (WICKED, "javascript:alert(1)"), WICKED, WICKED, True, 1, (strip,), 3, WICKED)  # fmt: skip
    for path, content in layout.assets().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "assets" / "index.js").write_bytes(search.script(search.index([paper])))
    (tmp_path / "index.html").write_text(layout.still(papers.page([paper]), ["index.html"]), encoding="utf-8")
    yield tmp_path / "index.html"


def test_nothing_that_a_study_says_is_run(shown: Any, wicked: Path) -> None:
    page = shown(wicked)
    page.page.fill("[name=q]", "window hacked")
    page.page.wait_for_function("() => document.getElementById('shown').textContent === '1 of 1 paper'")
    page.page.click("p.axes a >> nth=1")
    assert page.page.evaluate("window.hacked") is None and page.wrong == []
    assert page.count("main img") == 0 and page.overflow() <= 0
    assert "<script>window.hacked=1</script>" in page.page.inner_text("li.paper h2")
