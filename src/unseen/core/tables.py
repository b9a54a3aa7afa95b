"""Is this table what a trial writes? Of one that someone else may have written, every column is looked at before use.

A store may come from a stranger: a table of other columns, of other kinds or of another trial is refused, in words.
"""

from __future__ import annotations

import json
from typing import Any

from .inert import label

TEXTS = ("measure", "split", "axis", "drawn", "evidence", "trial")
ITEM_TEXTS = ("id", "split", "prompt", "answer", "truth", "familiar", "finish", "scores", "at")
ITEM_NUMBERS = ("tokens", "step", "seed")


def admitted(table: Any, key: str, *, items: bool = False) -> Any:
    """A table (polars) of records, or of the scores of items, of the trial with this key. Raises ValueError."""
    import polars as pl

    if table.is_empty():
        return None
    schema = dict(table.schema)
    kinds = dict.fromkeys(TEXTS, pl.String) | {
        "shifted": pl.Boolean,
        "seed": pl.Int64,
        "value": pl.Float64,
        "n": pl.Int64,
    }
    kinds |= {"id": pl.String} if items else {}
    for name, kind in kinds.items():
        if schema.get(name) != kind or table[name].null_count():
            raise ValueError(f"its column {name!r} is not what a trial writes")
    if schema.get("step") != pl.Int64 and (schema.get("step") != pl.Boolean or table["step"].count()):
        raise ValueError("its column 'step' is not what a trial writes")
    inner = [n for n in schema if n not in kinds and n != "step"]
    plain = (pl.String, pl.Boolean, pl.Int64, pl.Float64)
    if wrong := [
        n for n in inner if schema[n] not in plain or not (n == "setting" or n.startswith(("setting.", "at.")))
    ]:
        raise ValueError(f"no trial writes a column such as {label(wrong[0])}")
    if table["trial"].unique().to_list() != [key]:
        raise ValueError("it is of another trial")
    return table


def item_of(row: dict[str, Any]) -> dict[str, Any]:
    """A line of a table of items, its scores and coordinates read. Raises ValueError."""
    texts = all(isinstance(row.get(n), str) or (row.get(n, 0) is None and n == "familiar") for n in ITEM_TEXTS)
    numbers = all(row.get(n) is None or isinstance(row[n], int) for n in ITEM_NUMBERS)
    if not texts or not numbers or not isinstance(row.get("shifted"), bool):
        raise ValueError("it is no table of items")
    told = {**row, "scores": json.loads(row["scores"]), "at": json.loads(row["at"])}
    if not isinstance(told["scores"], dict) or not isinstance(told["at"], dict):
        raise ValueError("its scores or coordinates are none")
    if not all(isinstance(v, int | float) for v in told["scores"].values()):
        raise ValueError("a score is no number")
    return told
