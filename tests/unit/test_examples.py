"""Items of a study's trials, filtered and paged: checked against filtering all of them in plain Python."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from unseen.core.errors import Damaged
from unseen.pages import examples
from unseen.pages.examples import Asked
from unseen.pages.source import Kept

SCHEMA = {"familiar": pl.String, "step": pl.Int64}


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    """Three tables of 40, 1 and 59 items."""
    made, start = list[Path](), 0
    for number, n in enumerate((40, 1, 59)):
        told = [_item(i) for i in range(start, start + n)]
        path = tmp_path / f"{number}.parquet"
        pl.DataFrame(told, schema_overrides=SCHEMA).write_parquet(path)
        made.append(path)
        start += n
    return made


def _item(i: int) -> dict[str, Any]:
    scores = json.dumps({"exact": float(i % 3 == 0), "odd 'name'": i / 100})
    texts = {"prompt": f"What (is) {i}? [.*]", "answer": f"Answer {i}", "truth": str(i)}
    return {"id": f"{i:04d}", "split": f"s{i % 4}", "shifted": i % 4 > 1, **texts, "familiar": None, "finish": "", "tokens": 1, "step": None, "seed": i % 2, "scores": scores, "at": "{}"}  # fmt: skip


ALL = [_item(i) for i in range(100)]


@pytest.mark.parametrize(("start", "n"), [(0, 25), (39, 3), (40, 1), (95, 25), (100, 5), (0, 100)])
def test_pages_are_slices_of_all(tables: list[Path], start: int, n: int) -> None:
    assert [r["id"] for r in examples.taken(tables, Asked(), start, n)] == [r["id"] for r in ALL[start : start + n]]


@pytest.mark.parametrize(
    ("asked", "keep"),
    [
        (Asked(split="s2"), lambda r: r["split"] == "s2"),
        (Asked(shifted="yes"), lambda r: r["shifted"]),
        (Asked(shifted="no", measure="exact", most=0.5), lambda r: not r["shifted"] and json.loads(r["scores"])["exact"] <= 0.5),
        (Asked(measure="odd 'name'", least=0.25, most=0.5), lambda r: 0.25 <= json.loads(r["scores"])["odd 'name'"] <= 0.5),
        (Asked(q="(IS) 7"), lambda r: "(is) 7" in r["prompt"]),
        (Asked(q="[.*]"), lambda r: True),
        (Asked(q="nothing"), lambda r: False),
    ],
)  # fmt: skip
def test_filters_are_those_of_plain_python(tables: list[Path], asked: Asked, keep: Any) -> None:
    wanted = [r["id"] for r in ALL if keep(r)]
    source = SimpleNamespace(kept=Kept())
    assert examples.count(source, tables, asked) == len(wanted)  # type: ignore[arg-type]
    assert [r["id"] for r in examples.taken(tables, asked, 5, 10)] == wanted[5:15]


def test_what_an_address_asks_for() -> None:
    asked = Asked.of({"split": "a&b", "shifted": "maybe", "min": "nan", "max": "0.5", "page": "-3", "q": "x" * 900, "measure": "m"})  # fmt: skip
    assert asked == Asked(split="a&b", measure="m", most=0.5, q="x" * 500)
    assert asked.address(2).startswith("split=a%26b&measure=m&max=0.5&") and asked.address(2).endswith("page=2")
    assert (
        Asked.of({"page": "٣"}).page == 1 and Asked.of({"page": "12"}).page == 12 and Asked.of({"min": "1e999"}).whole
    )


def test_a_summary_and_a_damaged_table(tables: list[Path]) -> None:
    source: Any = SimpleNamespace(kept=Kept())
    about = examples.summary(source, tables)
    assert about["n"] == 100 and sorted(about["splits"]) == ["s0", "s1", "s2", "s3"]
    assert about["measures"] == ["exact", "odd 'name'"]
    assert examples.summary(source, [])["n"] == 0 and examples.count(source, [], Asked(q="x")) == 0
    tables[0].write_bytes(b"no table")
    with pytest.raises(Damaged, match="measures its trial again"):
        examples.taken(tables, Asked(), 0, 5)
