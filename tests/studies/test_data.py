"""What every study's generators write for use elsewhere: the same items in every format, as its own library reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from unseen import cli, items
from unseen.core import find
from unseen.core.errors import Missing

DRAWING = sorted(slug for slug in find.slugs() if find.has(slug, "tasks"))


def read(path: Path) -> list[dict[str, Any]]:
    """The rows that were written, objects of theirs unpacked, in the order of id and task."""
    if path.suffix == ".jsonl":
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    elif path.suffix == ".parquet":
        found = pytest.importorskip("polars").read_parquet(path).to_dicts()
    else:
        found = [r for part in pytest.importorskip("datasets").load_from_disk(str(path)).values() for r in part]
    rows = [{**r, "at": items.parsed(r["at"]), "receipt": items.parsed(r["receipt"])} for r in found]
    return sorted(rows, key=lambda r: (r["task"], r["split"], r["id"]))


@pytest.mark.parametrize("slug", DRAWING)
def test_every_generator_is_written_in_every_format(slug: str, tmp_path: Path) -> None:
    try:
        drawn = items.draw(slug, n=3, tier="smoke")
    except Missing as error:
        pytest.skip(str(error))
    lines = tmp_path / "items.jsonl"
    said = CliRunner().invoke(cli.app, ["data", slug, "--n", "3", "--tier", "smoke", "--out", str(lines)])
    assert said.exit_code == 0, said.output
    rows = read(lines)
    assert all(r["prompt"] and r["truth"] and r["receipt"]["study"] == slug for r in rows)
    assert len(rows) == len(drawn) and {r["task"] for r in rows} == {d.task.name for d in drawn}
    for to, name in (("parquet", "items.parquet"), ("hf", "items")):
        items.write(drawn, to, tmp_path / name)
        assert read(tmp_path / name) == rows, to
    assert all(max(d.task.score(d.example, d.example.truth).values()) == 1 for d in drawn)
