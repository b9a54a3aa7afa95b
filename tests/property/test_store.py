"""Any records survive the journal and the store, byte for byte, however often they are yielded."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid
from unseen.core.journal import Journal
from unseen.core.record import Item, Records, Row, Split

names = st.text(min_size=1, max_size=6)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.text(max_size=6)
)
places = st.dictionaries(
    st.sampled_from(["digits", "level", "how"]), st.one_of(values, st.tuples(values, values)), max_size=2
)
splits = st.sampled_from([None, Split("near"), Split("far", "length", {"length": 7}, True)])
rows = st.builds(
    Row,
    st.sampled_from(["exact", "loss"]),
    st.floats(),
    splits,
    n=st.integers(1, 10**6),
    step=st.one_of(st.none(), st.integers(0, 10**9)),
    at=places,
    seed=st.integers(0, 2),
    drawn=st.sampled_from(["", "1f"]),
)
items = st.builds(
    Item,
    names,
    st.sampled_from([Split("near"), Split("far", "length", {"length": 7}, True)]),
    st.text(max_size=8),
    st.text(max_size=8),
    st.text(max_size=8),
    st.dictionaries(st.sampled_from(["hit", "match"]), st.floats(0, 1), min_size=1),
    familiar=st.one_of(st.none(), st.text(max_size=4)),
    at=places,
    step=st.one_of(st.none(), st.integers(0, 9)),
    seed=st.integers(0, 2),
)
SETTING = {"setting": "Setting", "width": 3, "lengths": (1, 2)}


def journaled(folder: Path, told: list[Row | Item]) -> list[Row | Item]:
    """The rows that a journal keeps of these, those that contradict one before left out."""
    journal = Journal(folder, {"code": "c"})
    for row in told:
        try:
            journal.add(row)
        except Invalid as error:
            assert "yielded twice" in str(error)
    journal.close()
    return list(journal.rows.values())


def table(rows: list[Row | Item]) -> tuple[bytes, bytes] | str:
    """The bytes of the tables that a store would write, or what is wrong with the rows."""
    import io

    try:
        records = Records.of(((SETTING, row.seed or 0, row) for row in rows), "twin", "k")
    except Invalid as error:
        return str(error)
    held = io.BytesIO(), io.BytesIO()
    records.frame().write_parquet(held[0], statistics=False)
    if (frame := records.items_frame()) is not None:
        frame.write_parquet(held[1], statistics=False)
    return held[0].getvalue(), held[1].getvalue()


def test_a_coordinate_of_none_is_no_coordinate() -> None:
    """Records holds both as missing, so they are one row, which cannot have two values."""
    told: list[Row | Item] = [Row("exact", 0.0, at={}, seed=1), Row("exact", 0.0, n=2, at={"digits": None}, seed=1)]
    with tempfile.TemporaryDirectory() as place:
        assert journaled(Path(place), told) == told[:1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(rows, items), max_size=8), st.integers(0, 8), st.randoms())
def test_a_kill_between_any_two_rows_changes_no_byte(told: list[Row | Item], at: int, shuffle: object) -> None:
    """Rows yielded before a kill, read back, and yielded again in whatever order come to the same tables."""
    with tempfile.TemporaryDirectory() as place:
        kept = journaled(Path(place) / "whole", told)
        journaled(Path(place) / "killed", kept[:at])
        again = list(kept)
        shuffle.shuffle(again)  # type: ignore[attr-defined]
        resumed = journaled(Path(place) / "killed", again)
        assert sorted(map(repr, resumed)) == sorted(map(repr, kept))
        assert table(resumed) == table(kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(rows, items), max_size=8))
def test_records_written_and_read_are_the_same_bytes(told: list[Row | Item]) -> None:
    import io

    import polars as pl

    with tempfile.TemporaryDirectory() as place:
        kept = journaled(Path(place), told)
    wrote = table(kept)
    if isinstance(wrote, str):
        return  # rows that no store takes
    read = [pl.read_parquet(io.BytesIO(content)) if content else None for content in wrote]
    records = Records.of_frames(read[0], read[1])
    for frame, before in ((records.frame(), read[0]), (records.items_frame(), read[1])):
        if before is not None and len(before):
            assert frame is not None and frame.equals(before) and frame.columns == before.columns
