"""Times to a threshold and measures at a matched loss, each run by its own curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unseen.core.effect import Untested, at_matched, steps_to
from unseen.core.record import Records, Row, Split

S, T = Split("s", shifted=True), Split("t", shifted=True)


def curve(seed: int, steps: list[int], values: list[float], measure: str = "exact", split: Split | None = S, **setting: Any) -> list[Any]:  # fmt: skip
    return [(setting, seed, Row(measure, v, split, n=10, step=k)) for k, v in zip(steps, values, strict=True)]


def test_bounds_of_times() -> None:
    told = [*curve(0, [10, 20, 30], [0.1, 0.5, 0.9]), *curve(1, [10, 20], [0.6, 0.2]), *curve(2, [10, 40], [0.0, 0.4])]
    units = steps_to("exact", 0.5).per_unit(Records.of(told), "seed")
    assert units.parts[0].tolist() == [[10, 20], [0, 10], [40, np.inf]] and units.rule == "median"
    falling = steps_to("exact", 0.2, falling=True).per_unit(Records.of(told), "seed")
    assert falling.parts[0].tolist() == [[0, 10], [10, 20], [0, 10]]


def test_curves_are_means_over_cells() -> None:
    told = [*curve(0, [1, 2], [0.2, 0.4]), *curve(0, [1, 2], [0.4, 1.0], split=T)]
    assert steps_to("exact", 0.7).per_unit(Records.of(told), "seed").parts[0].tolist() == [[1, 2]]
    with pytest.raises(Untested, match="1 of 1 seeds have no value, because exact was not measured in every cell"):
        steps_to("exact", 0.7).per_unit(Records.of(told[:-1]), "seed")


def test_ratios_of_times() -> None:
    fast = [*curve(0, [10, 20, 30], [0, 1, 1], arm="f"), *curve(1, [10, 20, 30], [0, 0, 0], arm="f"), *curve(2, [10, 20, 30], [0, 0, 1], arm="f")]  # fmt: skip
    slow = [*curve(0, [10, 20, 30], [0, 0, 1], arm="s"), *curve(1, [10, 20, 30], [0, 0, 0], arm="s"), *curve(2, [10, 20, 30], [0, 0, 0], arm="s")]  # fmt: skip
    effect = steps_to("exact", 0.5, against={"arm": "s"}, arm="f")
    units = effect.per_unit(Records.of([*fast, *slow]), "seed")
    assert units.parts[0].tolist() == [[10 / 30, 20 / 20], [0, np.inf], [0, 30 / 30]]
    assert units.runs[0] == pytest.approx(20 / 30) and np.isnan(units.runs[1]) and units.runs[2] == 0
    with pytest.raises(Untested, match="different seeds"):
        effect.per_unit(Records.of([*fast, *slow[:3]]), "seed")


def test_matched_losses_cross_either_way_and_exactly() -> None:
    told = [*curve(0, [1, 2, 3], [0.0, 0.5, 1.0]), *curve(1, [1, 2], [0.2, 0.4]), *curve(2, [1, 2], [0.3, 0.9])]
    loss = [*curve(0, [1, 2, 3], [3.0, 2.0, 0.0], "loss", None), *curve(1, [1, 2], [1.0, 2.0], "loss", None), *curve(2, [1, 2], [1.0, 0.0], "loss", None)]  # fmt: skip
    units = at_matched("exact", "loss", 1.0, shifted=True).per_unit(Records.of([*told, *loss]), "seed")
    assert units.parts[0] == pytest.approx([0.75, 0.2, 0.3]) and units.ends == (0, 1)
    real = [(s, seed, Row("exact", r.value + 0.01, S, n=10, step=r.step)) for s, seed, r in told]
    assert at_matched("exact", "loss", 1.0, shifted=True).per_unit(Records.of([*real, *loss]), "seed").ends is None


def test_matched_gaps_pair_equal_seeds_only() -> None:
    def arm(name: str, seeds: list[int]) -> list[Any]:
        return [t for s in seeds for t in (*curve(s, [1, 2], [0.0, 1.0], arm=name), *curve(s, [1, 2], [2.0, 0.0], "loss", arm=name))]  # fmt: skip

    effect = at_matched("exact", "loss", 1.0, against={"arm": "b"}, arm="a")
    paired = effect.per_unit(Records.of([*arm("a", [0, 1, 2]), *arm("b", [0, 1, 2])]), "seed")
    assert len(paired.parts) == 1 and paired.ends == (-1, 1)
    welch = effect.per_unit(Records.of([*arm("a", [0, 1, 2]), *arm("b", [3, 4])]), "seed")
    assert [len(p) for p in welch.parts] == [3, 2]


@pytest.mark.parametrize(
    ("loss", "why"),
    [([2.0, 1.5], "loss never passed 1 in seeds 0"), ([2.0, float("nan")], "loss is NaN in seeds 0")],
)
def test_losses_that_match_nowhere(loss: list[float], why: str) -> None:
    told = [*curve(0, [1, 2], [0.0, 1.0]), *curve(0, [1, 2], loss, "loss")]
    with pytest.raises(Untested, match=f"1 of 1 seeds have no value, because {why}"):
        at_matched("exact", "loss", 1.0).per_unit(Records.of(told), "seed")


def test_what_has_no_curve() -> None:
    stepless = Records.of([({}, 0, Row("exact", 0.5, S))])
    with pytest.raises(Untested, match="step=None is no number"):
        steps_to("exact", 0.5).per_unit(stepless, "seed")
    told = Records.of([*curve(0, [1, 2], [0.0, 1.0]), *curve(1, [1, 2], [2.0, 0.0], "loss")])
    with pytest.raises(Untested, match="different seeds"):
        at_matched("exact", "loss", 1.0).per_unit(told, "seed")
    for effect in (steps_to("exact", 0.5), at_matched("exact", "loss", 1.0)):
        with pytest.raises(Untested, match="of a run; unit 'digits' has none"):
            effect.per_unit(told, "digits")
