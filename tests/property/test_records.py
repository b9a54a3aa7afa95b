"""What holds of all Records: frames give them back, order does not matter, selection means what it says."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.record import Item, Records, Row, Split

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=5),
    st.tuples(st.integers(0, 3), st.text(max_size=2)),
)  # fmt: skip
NAMES = st.sampled_from(["width", "format", "seen"])
SPLIT = st.builds(
    Split, st.sampled_from(["short", "long", "Länge"]), st.sampled_from(["", "length"]),
    st.dictionaries(st.sampled_from(["digits", "letters"]), VALUES, max_size=2), st.booleans(),
)  # fmt: skip
AT = st.dictionaries(st.sampled_from(["layer", "head"]), VALUES, max_size=2)
ROW = st.builds(
    Row, st.sampled_from(["exact", "loss"]), st.floats(allow_nan=True, width=32), st.one_of(st.none(), SPLIT),
    st.integers(1, 500), st.one_of(st.none(), st.integers(0, 5)), AT, st.one_of(st.none(), st.integers(0, 2**63 - 1)),
    st.sampled_from(["", "0badcafe"]),
)  # fmt: skip
UNHURRIED = settings(deadline=None, max_examples=100)


def answers(told: list[tuple[str, float, int]], split: Split) -> list[Item]:
    distinct = {(i, seed): (i, v, seed) for i, v, seed in told}
    return [Item(i, split, "q", "a", "t", {"right": v}, seed=seed) for i, v, seed in distinct.values()]


ITEMS = st.builds(
    answers,
    st.lists(st.tuples(st.text(min_size=1, max_size=3), st.floats(0, 1), st.integers(0, 2)), max_size=8),
    SPLIT,
)
TOLD = st.builds(
    lambda settings, rows, items: [(settings[i % len(settings)], 0, r) for i, r in enumerate(rows)] + [(settings[0], 0, i) for i in items],
    st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=3), st.lists(ROW, max_size=12), ITEMS,
)  # fmt: skip


def same(a: Records, b: Records) -> bool:
    """Equal columns, numbers and items (levels no row uses apart)."""
    if list(a.columns) != list(b.columns) or len(a) != len(b):
        return False
    columns = all(repr(a.column(c).tolist()) == repr(b.column(c).tolist()) for c in a.columns)
    numbers = np.array_equal(a.value, b.value, equal_nan=True) and np.array_equal(a.n, b.n)
    return columns and numbers and (not len(a.items) or same(a.items, b.items))


@UNHURRIED
@given(TOLD)
def test_frames_give_records_back(told: list[Any]) -> None:
    records = Records.of(told)
    assert same(records, Records.of_frames(records.frame(), records.items_frame()))


@UNHURRIED
@given(TOLD, st.randoms(use_true_random=False))
def test_items_lie_in_one_order_however_they_came(told: list[Any], random: Any) -> None:
    mixed = list(told)
    random.shuffle(mixed)
    a, b = Records.of(told), Records.of(mixed)
    assert same(a.items, b.items) and sorted(map(repr, a)) == sorted(map(repr, b))


@UNHURRIED
@given(TOLD)
def test_parts_put_together_again_are_the_whole(told: list[Any]) -> None:
    records = Records.of(told)
    for name in ("measure", "seed", "step"):
        parts = list(records.by(name).values())
        assert sum(map(len, parts)) == len(records)
        if parts:
            assert sorted(map(repr, Records.concat(parts))) == sorted(map(repr, records))


@UNHURRIED
@given(TOLD, NAMES, VALUES)
def test_where_keeps_exactly_the_rows_that_match(told: list[Any], name: str, wanted: Any) -> None:
    records = Records.of(told)
    if records.resolve(name) is None:
        return
    found = records.where(**{name: wanted})
    level = Records.of([({"x": wanted}, 0, Row("exact", 0.0))]).column("x")[0]
    hits = [v for v in records.column(name) if v == level and isinstance(v, bool) == isinstance(level, bool)]
    assert len(found) == len(hits)


@UNHURRIED
@given(TOLD, st.lists(st.one_of(NAMES, st.sampled_from(["measure", "split", "layer"])), unique=True, max_size=2))
def test_rows_told_apart_are_what_where_finds(told: list[Any], names: list[str]) -> None:
    records = Records.of(told)
    names = [n for n in names if records.resolve(n) is not None]
    found = list(records.apart(names))
    values = [list({(isinstance(v, bool), v): v for v in records.column_of(n).present()}.values()) for n in names]
    assert [tuple(chosen.values()) for chosen, _ in found] == list(product(*values))
    assert all(same(part, records.where(**chosen)) for chosen, part in found)


@UNHURRIED
@given(TOLD)
def test_final_keeps_one_step_of_every_cell_and_seed(told: list[Any]) -> None:
    records = Records.of(told)
    names = [n for n in records.identity if n != "step"]
    final = records.final
    assert len(final.places(names)[1]) == len(records.places(names)[1]) == len(final.places([*names, "step"])[1])
