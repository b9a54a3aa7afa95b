"""What did `unseen run --output-path D` write? One study's rows and item scores.

D/results.json  D/rows.parquet  D/items.parquet
"""

from __future__ import annotations

import json
from pathlib import Path

from unseen.core.errors import Damaged
from unseen.core.record import Records


def is_one(path: Path) -> bool:
    """Whether `run --output-path` wrote this folder."""
    return (path / "results.json").is_file() and (path / "rows.parquet").is_file()


def read(path: Path) -> tuple[str, Records]:
    """The study's slug and the records. Raises Damaged."""
    import polars as pl

    items = path / "items.parquet"
    try:
        told = json.loads((path / "results.json").read_text(encoding="utf-8"))
        rows = pl.read_parquet(path / "rows.parquet")
        return str(told["study"]), Records.of_frames(rows, pl.read_parquet(items) if items.is_file() else None)
    except (ValueError, KeyError, TypeError, OSError, pl.exceptions.PolarsError) as error:
        raise Damaged(f"{path} cannot be read ({error}); write it again with --output-path.") from None
