"""Pages in a real browser, from a file, with no network: figures drawn, nothing run that a model said, fit for a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made
import pytest
from opened import CONTRAST, PHONE, WIDE

from unseen.core.card import Card, by_axis, profiles
from unseen.pages import card as card_page
from unseen.pages import report

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def cards() -> list[Card]:
    """A card of a model, against another, from records made by formula."""
    from unseen.core.record import Records

    one = Records.of((t, s, r) for t, s, r in made.rows((0,)) if t["format"] == "reversed+hints")
    found = profiles("length_generalization", made.study().headlines, one)
    return [
        Card("hf:org/name@0123abc", "laptop", by_axis(found), None, ["one study failed for this model: out of memory"])
    ]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, cards: list[Card]) -> Path:
    """A report of two studies and a card."""
    return report.write([made.judged(), made.judged(exploratory=True)], tmp_path_factory.mktemp("p") / "report.html", cards=cards)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose every word is an attack."""
    folder = tmp_path_factory.mktemp("h")
    return report.write([made.judged(words=made.WICKED, title=f"Title {made.WICKED}")], folder / "report.html")


def test_figures_and_tables_are_there(shown: Any, plain: Path) -> None:
    page = shown(plain)
    page.drawn()
    assert page.wrong == []
    assert all(u.startswith("file:") for u in page.asked) and len(page.asked) == 1
    assert page.count("table.verdicts tbody tr") == 14 and page.count("table.verdicts svg[role=img]") >= 10
    assert page.count(".chart svg .mark-line path") >= 18 and page.count(".chart svg .mark-symbol path") >= 50
    diamonds = page.page.evaluate("[...document.querySelectorAll('.chart path[aria-roledescription=point]')].length")
    assert diamonds >= 50
    assert page.count("ul.legend li") >= 8 and "the paper's own number" in page.page.inner_text("ul.legend >> nth=0")
    text = page.page.text_content("body")
    for words in (
        "chance alone would get at most",
        "What no rule here can see",
        "two layers rather than six",
        "exploratory",
    ):
        assert words.lower() in text.lower()
    assert page.page.evaluate("[...document.querySelectorAll('.chart svg text')].every(t => t.textContent !== 'NaN')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_phone_can_read_it(shown: Any, plain: Path, dark: bool) -> None:
    page = shown(plain, PHONE, dark)
    page.drawn()
    assert page.wrong == [] and page.overflow() <= 0
    for fold in page.page.locator("details").all():
        fold.evaluate("d => { d.open = true }")
    assert page.overflow() <= 0
    ratio, where = page.page.evaluate(CONTRAST)
    assert ratio >= 4.5, where
    small = page.page.evaluate(
        "Math.min(...[...document.querySelectorAll('td,p,li')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert small >= 12


def test_the_wide_page_is_legible_in_the_dark(shown: Any, plain: Path) -> None:
    page = shown(plain, WIDE, True)
    page.drawn()
    ratio, where = page.page.evaluate(CONTRAST)
    assert ratio >= 4.5, where
    light = page.page.evaluate("getComputedStyle(document.querySelector('.chart svg text')).fill")
    assert light == page.page.evaluate("getComputedStyle(document.body).color")


def test_folds_open_by_keyboard(shown: Any, plain: Path) -> None:
    page = shown(plain)
    page.drawn()
    for summary in page.page.locator("summary").all():
        summary.focus()
        assert page.page.evaluate("document.activeElement.tagName") == "SUMMARY"
        page.page.keyboard.press("Enter")
    page.page.wait_for_function("() => [...document.querySelectorAll('details')].every(d => d.open)")
    page.drawn()
    assert "09c4f1d2a7b35e68" in page.page.inner_text("body") and page.wrong == []


def test_nothing_that_was_said_is_run(shown: Any, hostile: Path) -> None:
    page = shown(hostile)
    page.drawn()
    for fold in page.page.locator("details").all():
        fold.evaluate("d => { d.open = true }")
    assert page.page.evaluate("window.hacked") is None
    assert page.wrong == [] and page.count("body img") == 0 and page.count("script") == 3
    assert len(page.asked) == 1
    text = page.page.inner_text("body")
    assert "<script>window.hacked=1</script>" in text and "{{ 7*7 }}" in text and "⟨202E⟩gnp.exe" in text
    assert page.overflow() <= 0


def test_hostile_fields_in_figures_stay_words(shown: Any, tmp_path: Path) -> None:
    """Names of arms, panels and splits go through JSON and Vega into SVG and tooltips."""
    from dataclasses import replace

    from unseen.core.record import Records

    judged = made.judged()
    rows = [({**t, "task": t["task"] + made.WICKED}, s, r) for t, s, r in made.rows((0, 1))]
    page = shown(report.write([replace(judged, records=Records.of(rows))], tmp_path / "r.html"))
    page.drawn()
    page.page.locator(".chart svg .mark-symbol path").first.hover(force=True)
    assert page.page.evaluate("window.hacked") is None and page.wrong == []
    assert page.count("body img") == 0 and "<script>window.hacked=1</script>" in page.page.inner_text(
        "ul.legend >> nth=0"
    )


def test_bars_where_splits_have_no_number(shown: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    from unseen.core.record import Records, Row, Split

    rows = []
    for told, seed, row in made.rows((0, 1)):
        if row.measure == "exact" and row.step == 1_000 and row.split.at["digits"] in (4, 6, 8):
            name = {4: "seen skills", 6: "new pairs", 8: "new skills"}[row.split.at["digits"]]
            rows.append(
                (told, seed, Row("exact", row.value, Split(name, axis="composition", shifted=row.split.shifted), n=512))
            )
    page = shown(report.write([replace(made.judged(), records=Records.of(rows))], tmp_path / "bars.html"))
    page.drawn()
    assert page.wrong == [] and page.count(".chart svg .mark-rect path") >= 27
    assert "new pairs" in page.page.inner_text(".chart >> nth=0")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_card_needs_no_script(shown: Any, cards: list[Card], tmp_path: Path, size: dict[str, int]) -> None:
    page = shown(card_page.write(cards[0], tmp_path / "card.html"), size)
    assert page.wrong == [] and page.overflow() <= 0 and page.count("script") == 0
    assert page.count("svg.scores") == 1 and page.count("svg.curve circle") == 6
    assert "hf:org/name@0123abc" in page.page.inner_text("h1") and "out of memory" in page.page.inner_text("body")
