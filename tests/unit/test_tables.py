"""Tables of one's own: what is read, and what is refused with the row or column that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.tasks.tables import columns, table


def test_every_format_holds_the_same(tmp_path: Path) -> None:
    x, y = np.arange(12.0).reshape(4, 3), np.array(["a", "b", "a", "b"])
    frame = pl.DataFrame({"kind": y, **{f"f{i}": x[:, i] for i in range(3)}})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    np.savez(tmp_path / "t.npz", X=x, kind=y)
    np.savez(tmp_path / "usual.npz", features=x.reshape(4, 3, 1), labels=y)
    for name in ("t.csv", "t.parquet", "t.npz", "usual.npz"):
        held, told = table(tmp_path / name, "kind", flag="--label")
        assert held.dtype == np.float64 and np.array_equal(held, x) and list(told) == list(y), name
    assert list(columns(tmp_path / "t.csv")) == ["kind", "f0", "f1", "f2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,label,name\n1,0,x\n2,1,y\n", "values of the column 'name' are no numbers"),
        ("a,label\n1,0\n,1\n", "row 1 of the column 'a' is lacking"),
        ("a,label\n1,x\n2,\n", "1 rows have no label; leave those rows out"),
        ("label\n1\n0\n", "no column beside 'label'"),
        ("a,label\n", "there are no rows of the column 'a'"),
        ("", "cannot be read"),
    ],
)
def test_a_csv_that_holds_no_table_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(Invalid, match=said):
        table(tmp_path / "a.csv", "label", flag="--label")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"x": np.ones((3, 2)), "answers": np.ones(3)}, r"holds x, answers; needed is an array label \[row …\]"),
        ({"x": np.ones((3, 2)), "y": np.ones(2)}, "inputs of 3 rows and targets of 2"),
        ({"x": np.array([[1.0], [np.inf]]), "y": np.ones(2)}, "row 1 of the inputs"),
        ({"x": np.array(1.0), "y": np.ones(1)}, r"needed is an array x \[row …\]"),
        ({"x": np.array([["a"]]), "y": np.ones(1)}, "values of the inputs are no numbers"),
    ],
)
def test_arrays_that_hold_no_table_are_refused(held: dict[str, Any], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **held)
    with pytest.raises(Invalid, match=said):
        table(tmp_path / "a.npz", "label", flag="--label")


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no file"):
        columns(tmp_path / "gone.npz")
    for name, said in (("a.json", r"ends in '\.json'"), ("a.npz", "cannot be read as npz"), ("a.parquet", "cannot be")):
        (tmp_path / name).write_text("no table")
        with pytest.raises(Invalid, match=said):
            columns(tmp_path / name)
    (tmp_path / "a.csv").write_text("a,label\n1,0\n")
    with pytest.raises(Unknown, match="no column 'labl'; the nearest are label, a; name the right one with --label"):
        table(tmp_path / "a.csv", "labl", flag="--label")
