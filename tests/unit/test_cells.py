"""From records to weighted cells: weights, pairing, own and shared items, and what makes a claim untested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from unseen.core.effect import Untested, gap, level, minus, one_of, rank, ratio, slope
from unseen.core.record import Item, Records, Row, Split

A, B = {"arm": "a"}, {"arm": "b"}
SPLITS = [Split(f"d{d}", "length", {"digits": d}, True) for d in (2, 3, 5)]


def rows(mark: str = "own", seeds: int = 4, n: int = 20) -> list[Any]:
    """Two arms × three splits × seeds; marks differ (own), are equal (shared), empty, or equal in two seeds only."""
    rng = np.random.default_rng(0)
    marks = {
        "own": lambda s: f"m{s}",
        "shared": lambda s: "m",
        "none": lambda s: "",
        "mixed": lambda s: f"m{max(1, s)}",
    }
    return [
        ({"arm": arm}, s, Row("exact", rng.integers(n + 1) / n, split, n=n, drawn=marks[mark](f"{split.name}.{s}" if mark == "own" else s)))
        for arm in "ab" for split in SPLITS for s in range(seeds)
    ]  # fmt: skip


def values(told: list[Any], arm: str) -> np.ndarray:
    """[split seed]"""
    return np.array([[r.value for s, seed, r in told if s["arm"] == arm and r.split is split] for split in SPLITS])


def items(scores: dict[tuple[str, str], np.ndarray], ids: Any = None) -> Iterator[Any]:
    """Scores [seed item] for each (arm, split)."""
    for (arm, split), table in scores.items():
        for s, line in enumerate(table):
            for i, v in enumerate(line):
                name = ids(s, i) if ids else f"i{i}"
                yield {"arm": arm}, s, Item(name, Split(split), "", "", "", {"exact": float(v)})


def test_levels_gaps_and_slopes_are_weighted_sums_of_cells() -> None:
    told = rows()
    a, b = values(told, "a"), values(told, "b")
    records = Records.of(told)
    units = level("exact", **A).per_unit(records, "seed")
    assert (
        units.parts[0] == pytest.approx(a.mean(0))
        and units.ends == pytest.approx((0, 1))
        and units.names == (0, 1, 2, 3)
    )
    units = gap("exact", A, B).per_unit(records, "seed")
    assert units.parts[0] == pytest.approx(a.mean(0) - b.mean(0)) and units.ends == pytest.approx((-1, 1))
    x = np.array([2.0, 3, 5])
    w = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    units = slope("exact", "digits", **A).per_unit(records, "seed")
    assert units.parts[0] == pytest.approx(w @ a) and units.ends == pytest.approx((w[w < 0].sum(), w[w > 0].sum()))
    assert units.parts[0] == pytest.approx([np.polyfit(x, a[:, s], 1)[0] for s in range(4)])
    both = level("exact").per_unit(records, "seed", ("arm",))
    assert both.parts[0] == pytest.approx((a.mean(0) + b.mean(0)) / 2)
    assert level("exact", arm=one_of("a", "b")).per_unit(records, "seed").parts[0] == pytest.approx(both.parts[0])


@pytest.mark.parametrize(("mark", "behind"), [("own", 80), ("shared", 20), ("none", 20), ("mixed", 20)])
def test_own_items_count_in_every_run_and_shared_ones_once(mark: str, behind: int) -> None:
    units = level("exact", **A).per_unit(Records.of(rows(mark)), "seed")
    assert units.cells is not None and list(units.cells.n) == [behind] * 3
    alone = level("exact", **A).per_unit(Records.of(rows(mark, seeds=1)), "seed")
    assert alone.cells is not None and list(alone.cells.n) == [20] * 3


def test_values_that_are_no_counts_have_neither_ends_nor_floor() -> None:
    for value, n in ((0.51, 10), (1.5, 2), (-0.5, 2)):
        records = Records.of(({}, s, Row("exact", value, n=n)) for s in range(3))
        units = level("exact").per_unit(records, "seed")
        assert units.ends is None and units.cells is None
    whole = Records.of(({}, s, Row("exact", 1 / 3, n=3)) for s in range(3))
    assert level("exact").per_unit(whole, "seed").ends == (0, 1)


def test_arms_are_paired_where_their_seeds_are_equal() -> None:
    """Two gaps, the first over seeds 0–3, the second over 0–1: each is paired within, and apart from the other."""
    told = rows()
    few = [(s, seed, Row("easy", r.value, r.split, n=r.n)) for s, seed, r in told if seed < 2]
    units = minus(gap("exact", A, B), gap("easy", A, B)).per_unit(Records.of([*told, *few]), "seed")
    a, b = values(told, "a").mean(0), values(told, "b").mean(0)
    assert [p.tolist() for p in units.parts] == [pytest.approx(list(a - b)), pytest.approx(list(b[:2] - a[:2]))]
    assert not units.runs.size


def test_shared_items_are_summed_over_the_arms_of_a_split() -> None:
    rng = np.random.default_rng(1)
    scores = {(arm, split): rng.integers(0, 2, (3, 5)) for arm in "ab" for split in ("s", "t")}
    units = gap("exact", A, B).per_unit(Records.of(items(scores)), "seed")
    assert [t.split for t in units.tables] == ["s", "t"]
    for t in units.tables:
        assert t.x == pytest.approx((scores["a", t.split] - scores["b", t.split]) / 2)
    assert units.pairs is not None and units.cells is not None and not len(units.cells.w)
    d = [scores["a", s] - scores["b", s] for s in "st"]
    assert units.pairs.w == pytest.approx([0.5, 0.5]) and units.pairs.n == pytest.approx([15, 15])
    assert units.pairs.total == pytest.approx([x.sum() for x in d]) and units.pairs.square == pytest.approx([(x**2).sum() for x in d])  # fmt: skip


def test_runs_that_give_every_item_the_same_score_count_once() -> None:
    scores = {(arm, "s"): np.repeat([line], 4, 0) for arm, line in (("a", [1, 1, 0, 1, 0]), ("b", [1, 0, 0, 0, 1]))}
    records = Records.of(items(scores))
    one = level("exact", **A).per_unit(records, "seed")
    assert one.cells is not None and list(one.cells.n) == [5]
    both = gap("exact", A, B).per_unit(records, "seed")
    assert both.pairs is not None and (both.pairs.n, both.pairs.total, both.pairs.square) == (5, 1, 3)


def test_runs_with_items_of_their_own() -> None:
    scores = {("a", "s"): np.array([[1, 0, 1], [1, 1, 1]])}
    records = Records.of(items(scores, lambda s, i: f"{s}.{i}"))
    units = level("exact").per_unit(records, "seed")
    assert not units.tables and units.cells is not None and list(units.cells.n) == [6]
    by_item = level("exact").per_unit(records, "item")
    assert by_item.of_items and sorted(by_item.parts[0]) == [0, 1, 1, 1, 1, 1] and by_item.items == 6


def test_items_shared_in_part_name_the_first_that_is_missing() -> None:
    told = list(items({("a", "s"): np.ones((3, 4))}))
    del told[6]  # seed 1, i2
    with pytest.raises(Untested, match="seed 1 lacks item i2"):
        level("exact").per_unit(Records.of(told), "seed")


def test_items_as_units() -> None:
    rng = np.random.default_rng(2)
    scores = {(arm, split): rng.integers(0, 2, (2, 6)) for arm in "ab" for split in ("s", "t")}
    units = gap("exact", A, B).per_unit(Records.of(items(scores)), "item")
    assert units.of_items and units.items == 12
    for part, split in zip(units.parts, "st", strict=True):
        assert part == pytest.approx((scores["a", split] - scores["b", split]).mean(0) / 2)
    one = {k: v[:1] for k, v in scores.items()}
    assert not gap("exact", A, B).per_unit(Records.of(items(one)), "item").of_items  # one run of counts: its floor
    unlike = [*items({("a", "s"): scores["a", "s"]}), *((s, seed + 5, i) for s, seed, i in items({("b", "s"): scores["b", "s"][:1]}))]  # fmt: skip
    pair = gap("exact", A, B).per_unit(Records.of(unlike), "item")
    assert pair.parts[0] == pytest.approx(scores["a", "s"].mean(0) - scores["b", "s"][0])


def test_one_run_of_several_settings_on_the_same_items_is_no_single_table_of_counts() -> None:
    """A level over two arms on the same items: their scores go together, so items vary as their mean does."""
    scores = {(arm, "s"): np.array([[1, 0, 1, 0]]) for arm in "ab"}
    units = level("exact").per_unit(Records.of(items(scores)), "item", ("arm",))
    assert units.of_items and units.parts[0] == pytest.approx([1, 0, 1, 0])


def test_ratios_have_two_columns() -> None:
    told = rows()
    units = ratio(level("exact", **A), level("exact", **B)).per_unit(Records.of(told), "seed")
    a, b = values(told, "a").mean(0), values(told, "b").mean(0)
    assert units.parts[0] == pytest.approx(np.stack([a, b], 1)) and units.runs == pytest.approx(a / b)
    assert units.cells is not None and units.cells.column.tolist() == [0, 0, 0, 1, 1, 1]


def test_coordinates_as_units_average_seeds_and_all_else() -> None:
    told = rows()
    units = gap("exact", A, B).per_unit(Records.of(told), "digits")
    assert units.parts[0] == pytest.approx(values(told, "a").mean(1) - values(told, "b").mean(1))
    assert units.names == (2, 3, 5) and units.cells is not None and units.cells.n == pytest.approx([240, 240])
    shared = gap("exact", A, B).per_unit(Records.of(rows("shared")), "digits")
    assert shared.cells is not None and shared.cells.n == pytest.approx([60, 60])
    by_arm = slope("exact", "digits").per_unit(Records.of(told), "arm")
    x = np.array([2.0, 3, 5])
    assert by_arm.parts[0] == pytest.approx([np.polyfit(x, values(told, arm).mean(1), 1)[0] for arm in "ab"])


def test_a_coordinate_that_one_seed_lacks() -> None:
    with pytest.raises(Untested, match=r"1 of 3 values of digits have no value.*\(5\)"):
        level("exact", **A).per_unit(
            Records.of([t for t in rows() if not (t[1] == 2 and t[2].split is SPLITS[2])]), "digits"
        )


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([*rows(), rows()[0]], "stands twice for one cell and seed"),
        ([(s, i, Row("exact", 0.5, Split(r.split.name, at={"digits": "many"}))) for s, i, r in rows()], "is no number"),
        ([t for t in rows() if t[2].split is SPLITS[0]], "2 values of digits are needed; there are 1"),
    ],
)
def test_what_leaves_a_slope_without_a_value(told: list[Any], why: str) -> None:
    with pytest.raises(Untested, match=why):
        slope("exact", "digits", **A).per_unit(Records.of(told), "seed")


def test_unknown_coordinates() -> None:
    for effect, unit in ((slope("exact", "letters", **A), "seed"), (level("exact", **A), "letters")):
        with pytest.raises(Untested, match="no record has 'letters'"):
            effect.per_unit(Records.of(rows()), unit)


def test_the_same_split_name_may_carry_other_coordinates_in_other_settings() -> None:
    told = [({"arm": a}, s, Row("exact", 0.5, Split("long", at={"digits": d}), n=2)) for a, d in (("a", 5), ("b", 9)) for s in range(3)]  # fmt: skip
    assert level("exact").per_unit(Records.of(told), "seed", ("arm",)).parts[0].tolist() == [0.5] * 3


def test_ranks_need_one_coordinate_a_unit() -> None:
    told = rows()
    with pytest.raises(Untested, match="several values for one arm"):
        rank("exact", "digits").per_unit(Records.of(told), "arm")


def test_a_step_that_is_named_is_read_as_it_is() -> None:
    told = [({}, s, Row("exact", step / 10, n=10, step=step)) for s in range(3) for step in (1, 2, 3)]
    records = Records.of(told)
    assert level("exact").per_unit(records, "seed").parts[0].tolist() == [0.3] * 3
    assert level("exact", step=2).per_unit(records, "seed").parts[0].tolist() == [0.2] * 3
