"""The pages of `unseen view` in a real browser, from a real server: nothing goes wrong, nothing strange is run, progress moves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "tests" / "faults" / "studies"
PHONE, WIDE = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
WICKED = made.WICKED + " javascript:window.hacked=3 \x1b[31mred"


@dataclass
class Server:
    """A server of pages: its address, its process, and the home whose store it shows."""

    url: str
    process: subprocess.Popen[str]
    home: Path
    env: dict[str, str]

    def unseen(self, *words: str) -> None:
        """Run a verb to its end."""
        subprocess.run([sys.executable, "-m", "unseen", *words], env=self.env, cwd=self.home.parent, check=True, capture_output=True, timeout=120)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`unseen view` over a store with a measured study, wicked items, a wicked failure and wicked cards."""
    home = tmp_path_factory.mktemp("view") / "home"
    env = {**os.environ, "UNSEEN_HOME": str(home), "UNSEEN_STUDIES": str(STUDIES), "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}  # fmt: skip
    for word in ("UNSEEN_DATA", "UNSEEN_VIEW_TOKEN"):
        env.pop(word, None)
    made_server = Server("", None, home, env)  # type: ignore[arg-type]
    made_server.unseen("run", "kept_rows", "--tier", "smoke")
    planted(home)
    results = planted_ledger(home.parent)
    process = subprocess.Popen(
        [sys.executable, "-m", "unseen", "view", "--port", "0", "--json", "--results", str(results)],
        env=env, cwd=home.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    while "}" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        told += line
    made_server.url, made_server.process = json.loads(told)["url"], process
    yield made_server
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0 and errors == "", errors
    assert time.monotonic() - began < 15


def planted_ledger(folder: Path) -> Path:
    """A copy of two studies' records, their words made wicked wherever a stranger's could stand."""
    results = folder / "results"
    for slug in ("omega", "length_generalization"):
        (results / slug).mkdir(parents=True)
        for path in (ROOT / "results" / slug).iterdir():
            (results / slug / path.name).write_bytes(path.read_bytes())
    at = results / "omega" / "laptop.json"
    told = json.loads(at.read_text(encoding="utf-8"))
    for verdict in told["verdicts"]:
        verdict["why"] = WICKED
    for trial in told["trials"]:
        trial["pins"] = {"m": WICKED}
        trial["setting"]["task"] = WICKED
    at.write_text(json.dumps(told), encoding="utf-8")
    return results


def planted(home: Path) -> None:
    """Wicked words where models, settings, errors and cards put theirs."""
    import polars as pl

    for path in (home / "trials" / "kept_rows").glob("*/items.parquet"):
        rows = pl.read_parquet(path)
        wicked = rows.with_columns(pl.lit(WICKED).alias("prompt"), pl.lit(WICKED).alias("answer"), pl.lit(WICKED).alias("truth"), pl.lit(json.dumps({WICKED: 1})).alias("at"))  # fmt: skip
        pl.concat([rows] + [wicked] * 20).write_parquet(path)
    for folder in ("failed", "live"):
        (home / folder).mkdir(exist_ok=True)
    told = {"key": "f" * 16, "study": "kept_rows", "setting": {"setting": "Setting", "name": WICKED}, "seeds": [0]}
    (home / "failed" / f"{'f' * 16}.json").write_text(json.dumps({**told, "error": WICKED, "when": time.time()}))
    (home / "live" / f"{'f' * 16}.json").write_text(json.dumps({**told, "done": 1, "of": 4, "shown": {WICKED: WICKED}, "when": time.time()}))  # fmt: skip
    from unseen.core import history
    from unseen.core.card import Card, Interval, Profile

    one = Interval(0.5, 0.4, 0.6)
    for name in (WICKED, "smollm2"):
        for value in (0.5, 0.7):
            p = Profile("omega", "length", "exact", 0.0, one, Interval(value, value - 0.1, value + 0.1), one, 100, "twin", note=WICKED)  # fmt: skip
            history.note_card(home, Card(name, "laptop", {"length": [p]}, None, [WICKED]), {})


@dataclass
class Seen:
    """A page in the browser with what went wrong on it."""

    page: Any
    wrong: list[str]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Any]:
    """A function that opens a page of the server."""
    contexts: list[Any] = []

    def go(path: str, size: dict[str, int] = WIDE, *, dark: bool = False, script: bool = True) -> Seen:
        context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=script)  # fmt: skip
        contexts.append(context)
        page, wrong = context.new_page(), list[str]()
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("dialog", lambda d: (wrong.append(d.message), d.dismiss()))
        page.goto(server.url + path)
        if shots := os.environ.get("UNSEEN_SHOTS"):
            page.wait_for_timeout(1500)
            name = path.replace("/", "-").split("?")[0] or "index"
            page.screenshot(path=f"{shots}/{name}-{size['width']}{'-dark' if dark else ''}.png", full_page=True)
        return Seen(page, wrong)

    yield go
    for context in contexts:
        context.close()


def cards_of(server: Server) -> list[str]:
    """The names of the cards' pages."""
    from unseen.pages import cards_page, source

    return list(cards_page.names(source.Source.of(server.home, None)))


def paths(server: Server) -> list[str]:
    """Pages of every kind."""
    a, b = (name.replace(" ", "%20") for name in cards_of(server))
    return ["", "studies/omega.html", "studies/kept_rows.html", "own/kept_rows/smoke.html", "examples/kept_rows/smoke.html", "cards/index.html", f"cards/{a}.html", f"cards/{b}.html", f"cards/compare.html?a={a}&b={b}", "runs.html"]  # fmt: skip


def test_every_page_opens_without_complaint_and_runs_nothing_strange(visit: Any, server: Server) -> None:
    for path in paths(server):
        for size, dark in ((WIDE, False), (PHONE, True)):
            seen = visit(path, size, dark=dark)
            seen.page.wait_for_timeout(150)
            assert seen.wrong == [], (path, seen.wrong)
            assert seen.page.evaluate("window.hacked") is None, path
            assert seen.overflow() <= 0, (path, size)
            text = seen.page.text_content("body")
            assert not set(text) & set("\u202e\u2066\x07\x1b\u2028"), path
            assert seen.page.locator("a[href^='javascript']").count() == 0, path


def test_marks_are_named_where_strangers_words_stand(visit: Any, server: Server) -> None:
    for path in ("studies/omega.html", "examples/kept_rows/smoke.html?q=hacked", "runs.html", "cards/index.html"):
        text = visit(path).page.text_content("main")
        assert "⟨202E⟩" in text and "<script>window.hacked" in text, path


def test_figures_are_drawn_without_eval(visit: Any) -> None:
    seen = visit("studies/length_generalization.html")
    seen.page.locator("[data-chart]").first.scroll_into_view_if_needed()
    seen.page.wait_for_selector(
        "[data-chart] svg .mark-line path, [data-chart] svg .mark-rect path", state="attached", timeout=60_000
    )
    assert seen.wrong == []
    seen.page.locator("details.more > summary").first.click()
    seen.page.wait_for_function("() => document.querySelectorAll('[data-chart] svg').length > 2", timeout=20_000)
    assert seen.wrong == []
    assert all(seen.page.eval_on_selector_all("[data-chart]", "all => all.map(c => c.getAttribute('aria-label'))"))


def test_examples_are_filtered_and_turned_without_a_script(visit: Any) -> None:
    seen = visit("examples/kept_rows/smoke.html", script=False)
    first = seen.page.text_content("[role=status]")
    seen.page.click("a[rel=next]")
    assert "page=2" in seen.page.url and "page 2 of" in seen.page.text_content("nav.turn")
    seen.page.select_option("select[name=shifted]", "yes")
    seen.page.fill("input[name=q]", "hacked")
    seen.page.click("form.filters button")
    assert "shifted=yes" in seen.page.url and " of " in seen.page.text_content("[role=status]") != first
    assert seen.page.locator("table.examples tbody tr").count() > 1
    assert "reference" not in seen.page.text_content("table.examples tbody")
    seen.page.fill("input[name=q]", "no such words")
    seen.page.click("form.filters button")
    assert "No item is like that" in seen.page.text_content("main")


def test_the_keyboard_leads_from_the_papers_to_an_example_and_back(visit: Any) -> None:
    seen = visit("")
    page = seen.page
    for link, at in (("#kept_rows h2 a", "studies/kept_rows.html"), ("p.ways a >> nth=1", "examples/kept_rows/smoke.html"), ("article header p a", "studies/kept_rows.html"), ("nav.top a >> nth=1", "index.html")):  # fmt: skip
        wanted = page.locator(link).first.evaluate("e => e.href")
        for _ in range(400):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.href") == wanted:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{at}")
    assert page.locator("li.paper").count() > 40 and seen.wrong == []


def test_two_cards_stand_side_by_side(visit: Any) -> None:
    seen = visit("cards/index.html")
    seen.page.click("form.filters button")
    assert "compare.html?a=" in seen.page.url and "+0.00" in seen.page.text_content("table.pair")
    assert seen.page.locator("table.pair svg").count() == 2 and seen.wrong == []
    assert "How it moved" in visit("cards/smollm2-laptop.html").page.text_content("main")


def test_live_progress_moves_while_a_study_is_measured(visit: Any, server: Server) -> None:
    seen = visit("runs.html")
    seen.page.wait_for_function("() => document.getElementById('listening').textContent.startsWith('Live')")
    words = ["run", "kept_rows", "--tier", "smoke", "--set", "pause=0.15", "--set", "steps=60", "--set", "name=a"]
    process = subprocess.Popen([sys.executable, "-m", "unseen", *words], env=server.env, cwd=server.home.parent, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        moving = "() => [...document.querySelectorAll('ul.working li')].filter(l => !l.id.includes('ffff')).map(l => l.querySelector('progress').value)"
        seen.page.wait_for_function(f"() => ({moving})().some(v => v > 0)", timeout=60_000)
        before = seen.page.evaluate(moving)[0]
        seen.page.wait_for_function(f"(was) => ({moving})().some(v => v > was)", arg=before, timeout=30_000)
        seen.page.wait_for_function("() => /seconds left|minutes left/.test(document.body.textContent)", timeout=30_000)
        other = visit("runs.html")  # a second listener hears the same
        other.page.wait_for_function(f"(was) => ({moving})().some(v => v > was)", arg=before, timeout=30_000)
        assert seen.wrong == other.wrong == []
    finally:
        process.kill()
        process.wait()
    seen.page.wait_for_function("() => /nobody works on it any more/.test(document.querySelectorAll('ul.working')[0].textContent)", timeout=20_000)  # fmt: skip


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "studies/..%2f..%2fx.html", "assets/..%5c..%5cx", "assets/%2fetc%2fpasswd", "charts/omega/recorded-..%2f..%2fx.js", "studies/a%00.html", "cards/%252e%252e.html", "examples/../runs.html"])  # fmt: skip
def test_no_address_leads_out(server: Server, path: str) -> None:
    import http.client
    from urllib.parse import urlsplit

    at = urlsplit(server.url)
    asked = http.client.HTTPConnection(at.hostname or "", at.port or 0, timeout=20)
    asked.request("GET", f"/{path}")
    answer = asked.getresponse()
    assert answer.status in (400, 404) and b"root:" not in answer.read()
    asked.request("GET", "/", headers={"Host": "evil.example"})
    refused = asked.getresponse()
    assert refused.status == 421 and refused.read()
    asked.close()


def test_nothing_of_the_store_is_written_and_no_cookie_set(visit: Any, server: Server) -> None:
    def listing() -> set[str]:
        return {str(p.relative_to(server.home)) for p in server.home.rglob("*") if "live" not in p.parts}

    before = listing()
    for path in paths(server):
        with urllib.request.urlopen(server.url + path, timeout=30) as answer:
            assert "set-cookie" not in answer.headers and "unsafe" not in answer.headers["content-security-policy"]
            assert len(answer.read()) < 2_000_000
    assert listing() == before
