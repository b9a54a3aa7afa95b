"""What a report and a card say, whatever is put into them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import made
import pytest

from unseen.core.card import Card, Interval, Profile
from unseen.core.errors import Invalid
from unseen.core.stats import chance_wrong
from unseen.pages import card as card_page
from unseen.pages import report


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture(scope="module")
def page() -> str:
    """The report of the study that was never run."""
    return report.html([made.judged()])


def test_every_claim_has_its_row(page: str) -> None:
    rows = re.findall(r'<tr id="length_generalization-laptop-(\w+)">(.*?)</tr>', page, re.S)
    assert [name for name, _ in rows] == ["C1", "C2", "C3", "C4", "C5", "C6", "K1"]
    first = dict(rows)["C1"]
    for words in (
        "supported",
        "twin",
        "stay right",
        "about 1.0",
        "figure 3",
        "expected above 0.5",
        "n = 5 seeds",
        "could still be unseen",
    ):
        assert words in first
    assert (
        "no number" in dict(rows)["C5"]
        and "precondition not met" in dict(rows)["C5"]
        and "from memory" in dict(rows)["C3"]
    )


def test_provenance_departures_limits_and_chance(page: str) -> None:
    verdicts = made.judged().verdicts
    judged_ones = sum(v.status != "untested" for v in verdicts)
    assert (
        f"at most {chance_wrong(judged_ones):.1f} wrong on average" in page and f"{judged_ones} claims judged" in page
    )
    for words in (
        "1f0c22d69a3b4e57",
        "hf:org/name@0123abc",
        "torch 2.13.0",
        "two layers rather than six",
        "2.75",
        "2026-11-26 01:02",
    ):
        assert words in page
    assert all(limit[:40] in page for limit in report.LIMITS)


def test_nothing_is_fetched(page: str) -> None:
    seen = Elements(page)
    sources = [v for k, v in seen.attributes if k in ("src", "srcset", "data", "action", "poster", "background")]
    links = {v for k, v in seen.attributes if k == "href" and v and not v.startswith("#")}
    assert sources == [] and links == {"https://arxiv.org/abs/2310.16028"} and "link" not in seen.tags
    assert "default-src 'none'" in page and "url(" not in report.css() and "@import" not in report.css()


def test_hostile_words_are_words_everywhere() -> None:
    told = made.judged(words=made.WICKED, title=f"Title {made.WICKED}")
    page = report.html([told])
    plain = Elements(report.html([made.judged()]))
    seen = Elements(page)
    assert seen.tags.count("script") == 3 and "img" not in seen.tags
    assert {k for k, _ in seen.attributes} == {k for k, _ in plain.attributes}, "no attribute came from words"
    assert "window.hacked=1</script>" not in page and "{{ 7*7 }}" in page, "words are no template"
    assert "⟨202E⟩gnp.exe⟨2066⟩" in page and "⟨0007⟩⟨2028⟩" in page


def test_json_blocks_cannot_be_left() -> None:
    text = report.safe_json({"a": made.WICKED, "b": ["</SCRIPT>", "&amp;"]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": made.WICKED, "b": ["</SCRIPT>", "&amp;"]}


def test_inert_text() -> None:
    assert report.inert("a\x00b\u200bc\nd\te") == "a⟨0000⟩b⟨200B⟩c\nd\te"
    assert report.inert("x" * 700, 10) == "… " + "x" * 10
    assert report.inert("naïve 日本語 عربي 🙂") == "naïve 日本語 عربي 🙂", "writing of any language stays"


def test_a_changed_plan_is_marked_and_left_out_of_the_count() -> None:
    page = report.html([made.judged(), made.judged(exploratory=True)])
    assert page.count("Exploratory: the plan was changed") == 1 and page.count(">exploratory</span>") == 1
    assert "6 claims judged" in page


def test_absent_and_stale_trials_are_told() -> None:
    told = replace(made.judged(), absent=[object()] * 2, stale=["09c4f1d2a7b35e68"])
    page = report.html([told])
    assert (
        "2 trials of the plan are not measured" in page and "measured by older code" in page and ">older code<" in page
    )


def test_claims_of_other_tiers_are_folded_away() -> None:
    told = replace(made.judged(), tier="smoke")
    page = report.html([told])
    assert "No claim is judged at tier smoke" in page and "7 claims are judged at other tiers" in page
    assert 'class="stack verdicts"' not in page and "stay right." in page


def test_no_claim_judged() -> None:
    assert report.chance([]) == "No claim could be judged on these records."


def profile(**changed: Any) -> Profile:
    """One headline of a model."""
    told = {
        "study": "echo", "axis": "length", "measure": "exact", "chance": 0.0, "n": 32, "evidence": "twin",
        "reference": Interval(0.9, 0.8, 0.95), "shifted": Interval(0.2, 0.1, 0.4), "gap": Interval(-0.7, -0.85, -0.5),
        "curve": (("3 letters", 0.9, 16), ("7 letters", 0.2, 16)),
    }  # fmt: skip
    return Profile(**{**told, **changed})


def test_cards_in_three_forms(tmp_path: Path) -> None:
    made_card = Card("hf:a/b", "smoke", {"length": [profile(note="few items")]}, None, ["a note | with a bar"])
    html, markdown = card_page.html(made_card), card_page.markdown(made_card)
    assert (
        "0.90 [0.80, 0.95]" in html
        and "few items" in html
        and "-0.70 [-0.85, -0.50]" in html
        and "script" not in Elements(html).tags
    )
    assert "| echo: exact | 0.90 [0.80, 0.95] | 0.20 [0.10, 0.40] | -0.70 [-0.85, -0.50] | 0 | 32 | twin |" in markdown
    assert "- a note \\| with a bar" in markdown
    path = card_page.write(made_card, tmp_path / "new" / "card.json")
    assert json.loads(path.read_text())["axes"]["length"][0]["gap"]["estimate"] == -0.7
    with pytest.raises(Invalid, match="a card is written as"):
        card_page.write(made_card, tmp_path / "card.pdf")


def test_a_card_against_another_shows_the_change() -> None:
    change = {"change": Interval(0.1, 0.0, 0.2), "change_reference": Interval(0.0, -0.1, 0.1), "p": 0.04}
    made_card = Card("hf:a/b", "smoke", {"length": [profile(**change)]}, "hf:a/c")
    assert "+0.10 [+0.00, +0.20]" in card_page.html(made_card) and "p 0.04" in card_page.html(made_card)
    assert "change, shifted" in card_page.markdown(made_card) and "against `hf:a/c`" in card_page.markdown(made_card)


def test_hostile_names_in_cards() -> None:
    made_card = Card(
        made.WICKED, "smoke", {made.WICKED: [profile(note=made.WICKED, study=made.WICKED)]}, made.WICKED, [made.WICKED]
    )
    seen = Elements(card_page.html(made_card))
    assert (
        "script" not in seen.tags and "img" not in seen.tags and not any(k.startswith("on") for k, _ in seen.attributes)
    )
    assert "<script>" not in card_page.markdown(replace(made_card, model="m", against=None))


def test_a_page_with_no_study_to_show() -> None:
    page = report.html([], cards=[Card("m", "smoke", {})])
    assert "No study could be measured for this model." in page and "What a model does on what it has not seen" in page
