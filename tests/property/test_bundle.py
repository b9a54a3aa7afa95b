"""Whatever happens to trials and to the bundle of their rows, what is read through it is what stands in the tables."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.unit.many_tables import told
from unseen.core import bundle, tables
from unseen.core.bundle import Bundle
from unseen.core.record import Records, Row, Split
from unseen.core.tables import gathered

NAME = "records.parquet"
KEYS = [f"{i * 0x1111_2222_3333_4444 % 2**64:016x}" for i in range(1, 13)]
SPLITS = [Split("near"), Split("far", "length", {"digits": 7}, True)]
SETTINGS: list[dict[str, Any]] = [
    {"setting": "S", "width": 8},
    {"setting": "S", "width": 16.5},
    {"setting": "Other", "name": "x", "deep": None},
]
rows = st.builds(
    Row,
    st.sampled_from(["exact", "loss"]),
    st.floats(),
    st.sampled_from(SPLITS),
    n=st.integers(1, 9),
    step=st.one_of(st.none(), st.integers(0, 3)),
    at=st.dictionaries(st.sampled_from(["level", "how"]), st.sampled_from([None, True, 2, 0.5, "a", (1, "b")]), max_size=2),
)  # fmt: skip
contents = st.tuples(st.sampled_from(SETTINGS), st.integers(0, 2), st.lists(rows, max_size=4))
keys = st.sampled_from(KEYS)


class Store(RuleBasedStateMachine):
    """A folder of trials, and two processes that read it through one bundle."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        (self.place / "trials").mkdir()
        self.readers = [Bundle(self.place / "index" / "s.records", self.place / "trials", NAME) for _ in range(2)]
        self.old: list[bytes] = []  # what the bundle once was

    @rule(key=keys, content=contents, in_place=st.booleans())
    def written(self, key: str, content: tuple[dict[str, Any], int, list[Row]], in_place: bool) -> None:
        """A trial is added, or its table becomes another: in place, or by a new file."""
        setting, seed, its = content
        path = self.place / "trials" / key / NAME
        path.parent.mkdir(exist_ok=True)
        to = path if in_place else path.with_name("spare")
        Records.of([(setting, seed, row) for row in its], "twin", key).frame().write_parquet(to)
        os.replace(to, path)
        time.sleep(0.012)  # a tick of the clock by which the disk tells changes

    @rule(key=keys)
    def gone(self, key: str) -> None:
        shutil.rmtree(self.place / "trials" / key, ignore_errors=True)

    @rule(at=st.floats(0, 1, exclude_max=True), cut=st.booleans())
    def harmed(self, at: float, cut: bool) -> None:
        """A byte of the bundle is another, or it ends there."""
        path = self.readers[0].path
        if path.is_file() and (content := bytearray(path.read_bytes())):
            content[int(at * len(content))] ^= 0x40
            path.write_bytes(content[: int(at * len(content))] if cut else content)

    @rule()
    def as_before(self) -> None:
        """The bundle becomes what it once was, as when one writes who was slow."""
        path = self.readers[0].path
        if path.is_file():
            self.old.append(path.read_bytes())
            path.write_bytes(self.old[0])

    @rule(which=st.sampled_from([0, 1]), asked=st.lists(keys, unique=True))
    def read(self, which: int, asked: list[str]) -> None:
        folders = {key: self.place / "trials" / key for key in asked if (self.place / "trials" / key).is_dir()}
        found = gathered(folders, NAME, self.readers[which])
        assert told(found) == told(gathered(folders, NAME))

    @rule(asked=st.lists(keys, unique=True), key=keys, content=contents)
    def changed_meanwhile(self, asked: list[str], key: str, content: tuple[dict[str, Any], int, list[Row]]) -> None:
        """A table becomes another after it was looked at and before what was read of it is kept."""
        there = [k for k in asked if (self.place / "trials" / k).is_dir()]
        if there:
            looked = self.readers[0].asked(there)
            self.written(key, content, False)
            read = tables._part({k: str(self.place / "trials" / k / NAME) for k in there})  # pyright: ignore[reportPrivateUsage]
            self.readers[0].keep(there, looked, list(read))

    @invariant()
    def all_of_it(self) -> None:
        self.read(0, KEYS)

    def teardown(self) -> None:
        shutil.rmtree(self.place)


@pytest.mark.parametrize(("stores", "steps"), [(15, 12), pytest.param(300, 30, marks=pytest.mark.slow)])
def test_what_is_read_through_a_bundle_is_what_stands_in_the_tables(
    stores: int, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(bundle, "QUIET", 0.0)
    monkeypatch.setattr(tables, "MANY", 1)
    asked = settings(max_examples=stores, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(Store, settings=asked)
