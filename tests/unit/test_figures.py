"""Which pictures records make."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import made
import numpy as np
import pytest

from unseen.core.record import Records, Row, Split
from unseen.core.study import Mark
from unseen.pages import charts, figures


@pytest.fixture(scope="module")
def judged() -> Any:
    """The study that was never run."""
    return made.judged()


def test_a_measure_is_drawn_along_its_axis_and_through_training(judged: Any) -> None:
    exact, loss, training = figures.of(judged)
    assert [f.title for f in (exact, loss, training)] == [
        "Exact along digits",
        "Loss along digits",
        "Exact through training",
    ]
    assert [name for name, _ in exact.panels] == ["plain", "reversed", "reversed+hints"]
    assert list(exact.legend) == ["addition", "copying", "parity"] and exact.marks and not loss.marks
    assert "width" not in json.dumps(exact.legend) and "steps" not in json.dumps(exact.legend), (
        "what does not vary is not named"
    )


def test_points_are_means_of_seeds_at_the_last_step(judged: Any) -> None:
    exact = figures.of(judged)[0]
    rows = [r for t, s, r in made.rows() if t["task"] == "parity" and t["format"] == "plain" and r.measure == "exact"]
    wanted = [r.value for r in rows if r.step == 1_000 and r.split.at["digits"] == 6]
    (point,) = [d for d in exact.rows if (d["panel"], d["arm"], d["x"]) == ("plain", "parity", 6)]
    assert (
        point["mean"] == pytest.approx(np.mean(wanted), abs=1e-6) and point["seeds"] == 5 and point["items"] == 5 * 512
    )
    assert (point["low"], point["high"]) == pytest.approx((min(wanted), max(wanted)), abs=1e-6)
    assert point["where"] == "shifted"


def diamonds(figure: Any) -> list[tuple[str, dict[str, Any]]]:
    """The paper's numbers in a figure: (panel, mark)."""
    return [
        (name, mark)
        for name, spec in figure.panels
        for layer in spec["layer"]
        if layer["mark"].get("shape") == "diamond"
        for mark in layer["data"]["values"]
    ]


def test_the_papers_numbers_stand_where_they_belong(judged: Any) -> None:
    found = {(panel, m["arm"], m["x"]): m["mean"] for panel, m in diamonds(figures.of(judged)[0])}
    assert found[("reversed+hints", "addition", 8)] == 0.97 and found[("plain", "addition", 6)] == 0.05
    assert {k[0] for k in found if k[1] == "parity"} == {"plain", "reversed", "reversed+hints"}, "of every format"
    assert len(found) == 5


def test_a_mark_of_no_one_arm_is_neutral_and_a_strange_one_is_left_out(judged: Any) -> None:
    marks = (Mark("exact", 0.5, {"format": "plain", "digits": 5}), Mark("exact", 0.5, {"fromat": "plain", "digits": 5}))
    told = replace(judged, study=replace(judged.study, marks=marks))
    ((panel, mark),) = diamonds(figures.of(told)[0])
    assert panel == "plain" and mark["arm"] not in figures.of(told)[0].legend


def test_many_arms_become_panels_and_fields_that_follow_another_are_not_named() -> None:
    settings = [{"task": f"t{i}", "width": w, "steps": 100 * i + 100} for i in range(6) for w in (32, 64)]
    rows = [(s, seed, Row("exact", 0.5, made.split(d), n=10)) for s in settings for seed in (0, 1) for d in (4, 5)]
    (figure,) = figures.of(replace(made.judged(), records=Records.of(rows)))
    assert [name for name, _ in figure.panels] == [f"t{i}" for i in range(6)] and list(figure.legend) == [
        "width 32",
        "width 64",
    ]


def test_splits_without_numbers_are_bars_reference_first() -> None:
    splits = [Split("new pairs", axis="composition", shifted=True), Split("seen", axis="composition")]
    rows = [({"task": "a"}, seed, Row("exact", 0.4 + seed / 10, s, n=10)) for seed in (0, 1) for s in splits]
    (figure,) = figures.of(replace(made.judged(), records=Records.of(rows)))
    bars = figure.panels[0][1]["layer"][0]
    assert figure.named and bars["mark"]["type"] == "bar" and bars["encoding"]["x"]["sort"] == ["seen", "new pairs"]
    assert figure.legend == {} and figure.title == "Exact on each split"


def test_scales_hold_all_panels_and_bars_stand_on_zero() -> None:
    data = [{"arm": "a", "x": "s", "where": "shifted", "mean": v, "low": v, "high": v, "seeds": 1} for v in (-2.0, 5.0)]
    on = charts.axes("split", "score", data, [])
    low, high = on.scale["domain"]
    assert low < -2 and high > 5
    drawn = charts.bars(data[1:], [], charts.axes("split", "score", data[1:], []), {"a": "#000000"})
    assert drawn["layer"][0]["encoding"]["y"]["scale"]["domain"][0] == 0.0
    assert charts.axes("x", "y", [{"low": 0.0, "high": 1.0}], []).scale == {"domain": [0, 1]}


def test_vega_lite_takes_every_specification(judged: Any) -> None:
    """An independent check: Vega-Lite's own compiler turns them into Vega without complaint."""
    import vl_convert

    for figure in figures.of(judged):
        for _, spec in figure.panels:
            assert vl_convert.vegalite_to_vega(charts.themed(spec))["marks"]


def test_the_first_figure_is_kept_as_svg(judged: Any, tmp_path: Path) -> None:
    (path,) = figures.keep(judged, tmp_path)
    text = path.read_text()
    assert path.name == "laptop.svg" and text.startswith("<svg") and "addition" in text and "reversed+hints" in text
    nothing = replace(judged, records=Records.of([({}, 0, Row("other", 1.0))]))
    assert figures.keep(nothing, tmp_path) == []


def test_values_that_are_no_numbers_leave_gaps_not_errors(judged: Any) -> None:
    rows = [
        ({"task": "a"}, s, Row("exact", float("nan") if d == 5 else 0.5, made.split(d), n=9))
        for s in (0, 1)
        for d in (4, 5, 6)
    ]
    (figure,) = figures.of(replace(judged, records=Records.of(rows)))
    assert [d["x"] for d in figure.rows] == [4, 6]
