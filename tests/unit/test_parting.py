"""Two curves over a training, and where they part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from unseen.measures.parting import Look, looks_of, parting, spread


def look(step: int, reference: list[float], shifted: list[float], nats: float = 1.0) -> Look:
    """A look at which these rows were right, every row with the same surprise."""
    sides = {"reference": reference, "shifted": shifted}
    return Look(step, {s: {"exact": v, "surprise": [nats] * len(v)} for s, v in sides.items()})


def ones(n: int, of: int = 20) -> list[float]:
    """The first n of so many rows right."""
    return [1.0] * n + [0.0] * (of - n)


def test_the_shifted_rows_fall_while_the_reference_rises() -> None:
    looks = [look(0, ones(0), ones(0)), look(10, ones(10), ones(16)), look(20, ones(18), ones(2))]
    found = parting(looks)
    assert found is not None and found.parted and (found.measure, found.since, found.until) == ("exact", 10, 20)
    assert found.shifted == (0.8, 0.1) and found.reference == (0.5, 0.9)
    assert found.p == pytest.approx(3 * binomtest(0, 14).pvalue), "three looks, of which the best was chosen"
    assert "From step 10 on the shifted rows went from 0.80 to 0.10 right answers" in found.words()


def test_what_chance_explains_is_no_parting() -> None:
    found = parting([look(0, ones(5), ones(10)), look(10, ones(9), ones(8))])
    assert found is not None and not found.parted and found.p == 1.0 and "chance explains" in found.words()
    both = parting([look(0, ones(18), ones(18)), look(10, ones(3), ones(2))])
    assert both is not None and not both.parted and both.p < 0.05 and "both fell" in both.words()
    level = parting([look(0, ones(1), ones(1)), look(10, ones(3), ones(2)), look(20, ones(9), ones(2))])
    assert level is not None and level.since == 10 and "lost nothing since step 10" in level.words()
    end = parting([look(0, ones(1), ones(1)), look(10, ones(3), ones(2))])
    assert end is not None and (end.since, end.p) == (10, 1.0) and "best at the end" in end.words()


def test_without_right_answers_surprise_tells() -> None:
    looks = [look(s, [0.0] * 12, [0.0] * 12) for s in (0, 10)]
    for step, side, nats in ((0, "shifted", 1.0), (10, "shifted", 2.0), (0, "reference", 2.0), (10, "reference", 1.5)):
        looks[step // 10].each[side]["surprise"][:] = [nats] * 12  # type: ignore[index]
    found = parting(looks)
    assert found is not None and found.measure == "surprise" and found.parted and found.since == 0
    assert found.p == pytest.approx(2 * binomtest(0, 12).pvalue)


def test_nothing_parts_without_shifted_rows() -> None:
    one = Look(0, {"reference": {"exact": [1.0], "surprise": [0.1]}})
    assert parting([]) is None and parting([one, one]) is None


def test_limits_over_rows() -> None:
    mean, low, high = spread(ones(7))
    told = binomtest(7, 20).proportion_ci(method="exact")
    assert (mean, low, high) == pytest.approx((0.35, told.low, told.high))
    nats = np.random.default_rng(0).gamma(2.0, size=40)
    mean, low, high = spread(list(nats))
    assert mean == pytest.approx(nats.mean()) and low < mean - nats.std() / 7 < mean + nats.std() / 7 < high


def test_looks_that_were_cut_off_or_made_again(tmp_path: Path) -> None:
    path = tmp_path / "looks.jsonl"
    assert looks_of(path) == []
    lines = ['{"step": 4, "each": {"reference": {"exact": [0]}}}', '{"step": 0, "each": {}}', '{"step": 4, "each": {}}', '{"st']  # fmt: skip
    path.write_text("\n".join(lines))
    assert looks_of(path) == [Look(0, {}), Look(4, {})]
