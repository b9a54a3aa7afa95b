"""Records: what rows and items become, how a name is looked up, and that frames give everything back."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from unseen.core.coded import Coded, joined
from unseen.core.errors import Invalid, Unknown
from unseen.core.record import Item, Records, Row, Scored, Split, drawn_of

LONG, SHORT = Split("long", "length", {"digits": 7}, shifted=True), Split("short", "length", {"digits": 3})
SETTING = {"setting": "Setting", "width": 64, "digits_seen": (5, 6)}


def rows() -> list[Any]:
    return [
        (SETTING, seed, Row("exact", seed / 10 + step / 1000, split, n=10, step=step))
        for seed in (1, 0)
        for step in (200, 100)
        for split in (LONG, SHORT)
    ]


def item(i: str, value: float, split: Split = LONG, **more: Any) -> Item:
    return Item(i, split, "q", "a", "t", {"exact": value}, **more)


def test_columns_are_flat_and_rows_lie_in_the_order_of_their_identity() -> None:
    records = Records.of(rows())
    frame = records.frame()
    assert frame["setting.digits_seen"].unique().to_list() == ["[5,6]"]
    assert set(records.names()) >= {"measure", "split", "axis", "shifted", "step", "seed", "drawn", "evidence", "trial", "setting", "setting.width", "at.digits"}  # fmt: skip
    order = frame.select("split", "step", "seed").rows()
    assert order == sorted(order) and records.column("value").dtype == np.float64
    assert Records.of(rows()[::-1]).frame().equals(frame)


def test_final_is_the_largest_step_of_every_cell_and_seed() -> None:
    records = Records.of([*rows(), (SETTING, 0, Row("exact", 0.5, LONG, n=10, step=300))])
    assert sorted(zip(records.final.column("seed"), records.final.column("split"), records.final.column("step"), strict=True)) == [
        (0, "long", 300), (0, "short", 200), (1, "long", 200), (1, "short", 200)]  # fmt: skip
    stepless = Records.of([({}, 0, Row("exact", 0.5)), ({}, 0, Row("exact", 0.6, step=1))])
    assert stepless.final.column("value").tolist() == [0.6]


def test_items_of_an_earlier_step_are_not_final() -> None:
    told = [({}, 0, item(f"{step}-{i}", 1.0 if step == 2 else 0.0, step=step)) for step in (1, 2) for i in range(3)]
    final = Records.of(told).final
    assert final.column("value").tolist() == [1.0] and len(final.items) == 3


def test_where_looks_a_name_up_in_columns_then_settings_then_coordinates() -> None:
    records = Records.of(rows())
    assert len(records.where(measure="exact", shifted=True, width=64, digits=7, step=100, seed=1)) == 1
    assert len(records.where(**{"setting.width": 64, "at.digits": 3})) == 4
    assert len(records.where(digits_seen=(5, 6))) == 8 and len(records.where(setting="Setting")) == 8
    assert len(records.where(digits=frozenset((3, 7)))) == 8 and not len(records.where(digits=frozenset((1, 2))))
    assert len(records.where(width=64.0)) == 8 and not len(records.where(width=True))
    with pytest.raises(Unknown, match="no record has 'widht'; the nearest are width, split"):
        records.where(widht=64)


def test_items_follow_where_even_by_columns_they_lack() -> None:
    told = [({}, 0, item("a", 1.0)), ({}, 0, Row("loss", 1.0, LONG, at={"layer": 3}))]
    records = Records.of(told)
    assert len(records.where(layer=3).items) == 0 and len(records.where(layer=None).items) == 1
    assert len(records.where(layer=None, split="short").items) == 0


def test_by_and_mean_and_columns() -> None:
    records = Records.of(rows())
    assert list(records.by("digits")) == [3, 7] and records.by("seed")[1].column("seed").tolist() == [1] * 4
    assert records.mean("exact", seed=0, step=100) == pytest.approx(0.1)
    with pytest.raises(Unknown, match="no row of 'nothing'"):
        records.mean("nothing")
    assert records.column("n").tolist() == [10] * 8
    assert "8 rows of exact" in str(records) and "exact" in records._repr_html_() and len(list(records)) == 8


def test_items_become_rows_with_n_and_the_digest_of_their_ids() -> None:
    told = [({"width": 1}, s, item(i, v)) for s in range(2) for i, v in (("b", 1.0), ("a", 0.0), ("c", 0.5))]
    records = Records.of(told)
    assert records.column("value").tolist() == [0.5, 0.5] and records.column("n").tolist() == [3, 3]
    assert records.column("drawn").tolist() == [drawn_of(["a", "b", "c"])] * 2
    assert records.items.column("id").tolist() == ["a", "a", "b", "b", "c", "c"]
    assert len(records.items) == 6 and len(Records.of(rows()).items) == 0


def test_a_row_beside_items_of_the_same_identity_raises() -> None:
    with pytest.raises(Invalid, match=r"beside items of the same identity.*split='long'"):
        Records.of([({}, 0, item("a", 1.0)), ({}, 0, Row("exact", 1.0, LONG))])
    other = Records.of([({}, 0, item("a", 1.0)), ({}, 0, Row("exact", 1.0, LONG, at={"layer": 1})), ({}, 1, Row("exact", 1.0, LONG))])  # fmt: skip
    assert len(other) == 3


def test_an_item_that_stands_twice_raises() -> None:
    with pytest.raises(Invalid, match="item a stands twice in 'long'"):
        Records.of([({}, 0, item("a", 1.0)), ({}, 0, item("a", 0.0))])


def test_a_key_in_two_places_raises() -> None:
    with pytest.raises(Invalid, match="digits is both a field of the setting and a coordinate"):
        Records.of([({"digits": 3}, 0, Row("exact", 1.0, LONG))])
    with pytest.raises(Invalid, match=r"'digits' is told by the split 'long' \(7\) and by its row \(7\)"):
        Records.of([({}, 0, Row("exact", 1.0, LONG, at={"digits": 7}))])
    for told in ({"seed": 3}, {"n": 3}):
        with pytest.raises(Invalid, match="cannot name a field"):
            Records.of([(told, 0, Row("exact", 1.0))])


def test_rows_refuse_what_makes_no_sense() -> None:
    with pytest.raises(Invalid, match="name of its measure"):
        Row("", 1.0)
    with pytest.raises(Invalid, match="n=0"):
        Row("exact", 1.0, n=0)


def test_each_makes_one_row_a_seed_with_the_mark_of_its_items() -> None:
    scored = Scored([3, 4], [["a", "b"], ["b", "a"]], np.array([[1.0, 0.0], [1.0, 1.0]]))
    made = list(Row.each("exact", scored, LONG, step=5, at={"layer": 1}))
    assert [(r.seed, r.value, r.n, r.step, r.at["layer"]) for r in made] == [(3, 0.5, 2, 5, 1), (4, 1.0, 2, 5, 1)]
    assert made[0].drawn == made[1].drawn == drawn_of(["b", "a"]) and len(made[0].drawn) == 8


def test_numbers_of_numpy_become_pythons() -> None:
    records = Records.of([({"width": np.int64(3)}, np.int64(2), Row("exact", np.float64(0.5), step=np.int64(7)))])  # type: ignore[dict-item,arg-type]
    assert [type(records.column(c)[0]) for c in ("width", "seed", "step")] == [int, int, int]


def test_frames_give_columns_of_several_kinds_back() -> None:
    at = [None, True, 3, 2.5, "3", "long", (1, 2), "\x1fodd", 2**70]
    records = Records.of(({"x": v}, i, Row("exact", 0.5)) for i, v in enumerate(at))
    again = Records.of_frames(records.frame())
    assert again.column("x").tolist() == records.column("x").tolist()
    for v in (True, 3, "3", (1, 2), "\x1fodd", 2**70):
        assert len(again.where(x=v)) == 1


def test_whole_numbers_among_fractions_are_fractions() -> None:
    records = Records.of(({"x": v}, i, Row("exact", 0.5)) for i, v in enumerate((1, 1.0, 2.5)))
    assert records.columns["setting.x"].levels == (1.0, 2.5)
    assert Records.of_frames(records.frame()).columns["setting.x"].levels == (1.0, 2.5)


def test_frames_of_items_go_round() -> None:
    records = Records.of([*rows(), *(({**SETTING}, s, Item(str(i), LONG, "", "", "", {"right": i / 9})) for s in range(3) for i in range(9))])  # fmt: skip
    again = Records.of_frames(records.frame(), records.items_frame())
    assert again.frame().equals(records.frame()) and again.items.frame().equals(records.items.frame())
    assert Records.of(rows()).items_frame() is None
    empty = Records.of([])
    assert len(empty) == 0 and len(Records.of_frames(empty.frame())) == 0 and len(Records.concat([])) == 0
    shuffled = Records.of_frames(records.frame().sample(fraction=1, shuffle=True, seed=1))
    assert shuffled.frame().equals(records.frame())


def test_concat_joins_columns_and_items() -> None:
    a = Records.of([({"width": 1}, 0, item("a", 1.0))])
    b = Records.of([({"depth": 2}, 0, Row("exact", 0.5, LONG))], evidence="released data")
    both = Records.concat([a, b])
    assert both.column("width").tolist() == [1, None] and both.column("depth").tolist() == [None, 2]
    assert len(both.items) == 1 and set(both.column("evidence")) == {"twin", "released data"}


def test_places_of_many_columns_do_not_overflow() -> None:
    """More combinations than 2^63: 12 columns of 60 levels each."""
    rng = np.random.default_rng(0)
    told = [({f"f{j}": int(rng.integers(60)) for j in range(12)}, i, Row("exact", 0.5)) for i in range(300)]
    records = Records.of(told)
    names = [f"setting.f{j}" for j in range(12)]
    place, first = records.places(names)
    keys = list(zip(*(records.column(n) for n in names), strict=True))
    assert len(first) == len(set(keys)) and [sorted(set(keys))[p] for p in place] == keys


def test_coded_columns() -> None:
    column = Coded.of(["b", None, 2, True, "a"])
    assert column.levels == (None, True, 2, "a", "b") and column.values().tolist() == ["b", None, 2, True, "a"]
    assert column.take(np.array([0, 4])).present() == ["a", "b"]
    assert isinstance(Records.of(rows()).frame(), pl.DataFrame)


def test_scores_a_column_at_a_time_are_the_same_records() -> None:
    rng = np.random.default_rng(0)
    ids = [f"i{k}" for k in rng.permutation(50)]
    scores = {"exact": rng.integers(0, 2, 50).astype(float), "loss": rng.normal(size=50)}
    scores["loss"][7] = np.nan
    told = [
        ({"setting": "log", "width": 3}, 2, Item(i, LONG, "", "", "", {m: v[k] for m, v in scores.items() if not np.isnan(v[k])}))
        for k, i in enumerate(ids)
    ]  # fmt: skip
    fast, slow = Records.of_scores({"setting": "log", "width": 3}, LONG, ids, scores, seed=2), Records.of(told)
    columns = slow.frame().columns
    assert set(fast.frame().columns) == set(columns) and fast.frame().select(columns).equals(slow.frame())
    columns = slow.items.frame().columns
    assert fast.items.frame().select(columns).equals(slow.items.frame())
    with pytest.raises(Invalid, match="item a stands twice"):
        Records.of_scores({}, LONG, ["a", "a"], {"exact": np.ones(2)})
    assert len(Records.of_scores({}, LONG, ["a"], {"exact": np.full(1, np.nan)})) == 0


def test_columns_of_equal_levels_are_joined_by_kind() -> None:
    one, yes = Coded.of([1, 1]), Coded.of([True])
    assert joined([one, yes]).values().tolist() == [1, 1, True]
    assert [type(v) for v in joined([one, yes]).values()] == [int, int, bool]
    assert joined([one, Coded.of([1])]).levels == (1,)
