"""Twenty small tables of trials, and all that records hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unseen.core.record import Records, Row, Split

KEYS = [f"{i + 1:016x}" for i in range(20)]


def tables(folder: Path) -> dict[str, Path]:
    """Twenty trials' folders, one of which has another coordinate."""
    for i, key in enumerate(KEYS):
        at = {"digits": i % 3} | ({"late": True} if i == 11 else {})
        rows = [Row("exact", i / 7 + step, Split("near"), at=at, step=step) for step in (1, 2)]
        setting = {"setting": "S", "width": 8 * (i % 4), "name": ("a", "b")[i % 2]}
        (folder / key).mkdir()
        Records.of([(setting, i, row) for row in rows], "twin", key).frame().write_parquet(
            folder / key / "records.parquet"
        )
    return {key: folder / key for key in KEYS}


def told(records: Records) -> list[Any]:
    """All that records hold: levels with their types, codes and numbers."""
    columns = {n: (c.levels, [type(v) for v in c.levels], c.codes.tolist()) for n, c in records.columns.items()}
    return [list(columns.items()), records.value.tobytes(), records.n.tobytes()]
