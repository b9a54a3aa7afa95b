"""What a study's page tells: endless numbers, settings, turned tables, and the reader's own apart from the ledger's."""

from __future__ import annotations

from math import inf, isnan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unseen.core import find, ledger
from unseen.core.claim import judge
from unseen.pages import study_page
from unseen.pages.source import Source, listed

RESULTS = Path(__file__).parents[2] / "results"
OWN = Path(find.__file__).parent.parent / "studies"
SLUG = "grokked_transformers"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The ledger's record, with an empty store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "_places", lambda: [OWN])
        yield Source(tmp_path_factory.mktemp("home"), RESULTS)


def told(claim: Any, status: str, estimate: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {"id": claim.id, "status": status, "evidence": "twin", "units": 5, "why": "", "estimate": estimate, "low": low, "high": high}  # fmt: skip


def test_numbers_without_end_are_those_of_the_records(source: Source) -> None:
    """The ledger's JSON has null for them; judged again from the records, they are what the page makes of them."""
    study, (kept, records) = find.study(SLUG), ledger.read(RESULTS, SLUG, "laptop")
    shown = {v.claim.id: v for v in study_page.verdicts(kept["verdicts"], study, "laptop")}
    endless = [v["id"] for v in kept["verdicts"] if v["estimate"] is None and v["status"] != "untested"]
    assert endless
    again = {c.id: judge(c, records, "laptop") for c in study.claims if c.id in endless}
    for name in endless:
        assert shown[name].estimate == again[name].estimate == inf
        assert (shown[name].low, shown[name].high) == (again[name].low, again[name].high)
    page = study_page.page(source, listed(source, SLUG))  # type: ignore[arg-type]
    assert page.count("<strong>∞</strong>") == len(endless) and "never came within what was measured" in page


@pytest.mark.parametrize(
    ("region", "status", "given", "made"),
    [
        ((2, inf), "supported", (None, None, None), (inf, inf, inf)),
        ((-inf, 2), "supported", (None, None, None), (-inf, -inf, -inf)),
        ((-inf, 2), "refuted", (None, 4.0, None), (inf, 4.0, inf)),
        ((2, inf), "refuted", (None, None, 1.0), (-inf, -inf, 1.0)),
        ((2, inf), "undecided", (3.0, 1.0, None), (3.0, 1.0, inf)),
        ((2, inf), "supported", (3.0, 2.5, 4.0), (3.0, 2.5, 4.0)),
    ],
)
def test_which_end_it_is(region: tuple[float, float], status: str, given: Any, made: Any) -> None:
    from dataclasses import replace

    study = find.study(SLUG)
    claim = replace(study.claims[0], expect=replace(study.claims[0].expect, low=region[0], high=region[1]))
    [v] = study_page.verdicts([told(claim, status, *given)], SimpleNamespace(claims=[claim]), "laptop")  # type: ignore[arg-type]
    assert (v.estimate, v.low, v.high) == made


def test_what_was_not_measured_has_no_number() -> None:
    study = find.study(SLUG)
    claim = study.claims[0]
    [v] = study_page.verdicts([told(claim, "untested", None, None, None), {"id": "gone"}], study, "laptop")
    assert isnan(v.estimate) and isnan(v.low) and isnan(v.high)


def test_settings_name_what_varied() -> None:
    trials = [{"setting": {"setting": "Tuned", "task": f"t{i}", "digits": [1, 2], "width": 96}} for i in range(20)]
    [(kind, fields)] = study_page.settings([*trials, *trials])
    assert kind == "Tuned" and fields[0] == ("task", [f"t{i}" for i in range(16)], 4)
    assert fields[1:] == [("digits", ["[1, 2]"], 0), ("width", ["96"], 0)] and study_page.settings([]) == []


def test_the_table_of_trials_is_turned_for_its_section_alone(monkeypatch: pytest.MonkeyPatch, source: Source) -> None:
    paper = listed(source, SLUG)
    assert paper is not None
    keys = [m["key"] for m in source.held(SLUG)["laptop"]["trials"]]
    monkeypatch.setattr(study_page, "LINES", 4)
    for turned, at in ((("recorded-laptop", 2), 2), (("recorded-laptop", 99), -(-len(keys) // 4)), (("other", 2), 1)):
        page = study_page.page(source, paper, turned=turned)
        assert [k for k in keys if f"<code>{k}</code>" in page] == keys[(at - 1) * 4 : at * 4]
        assert ("<details open" in page) == (turned[0] != "other")


def test_no_figures_where_nothing_is_recorded(source: Source) -> None:
    assert study_page.charts(source, SLUG, "own-laptop") is None and study_page.charts(source, SLUG, "x") is None
    assert study_page.charts(source, SLUG, "recorded-../../x") is None and study_page.scripts(source, "reft") == []
