"""A real fine-tune of a real model on real rows, and what its card says against its base."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("bm25s")

from unseen import fitting, own
from unseen.methods.tuning import Recipe

INTENTS = ("alarm", "balance", "translate", "weather")


def rows(part: str, place: Path, most: int) -> Path:
    """Rows of four intents of CLINC150."""
    told = json.loads((Path(os.environ["UNSEEN_DATA"]) / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    kept = [{"text": text, "label": label} for text, label in told[part] if label in INTENTS]
    few = [row for intent in INTENTS for row in [r for r in kept if r["label"] == intent][:most]]
    place.write_text("".join(json.dumps(row) + "\n" for row in few), encoding="utf-8")
    return place


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.smollm2
@pytest.mark.skipif("UNSEEN_DATA" not in os.environ, reason="needs CLINC150: UNSEEN_DATA")
def test_what_lora_gained_on_clinc150_and_what_survives(
    smollm2_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 steps of LoRA teach smollm2 four intents; the card tells the gain, and shifts that keep the answer leave most."""
    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    train, held = rows("train", tmp_path / "train.jsonl", 80), rows("test", tmp_path / "held.jsonl", 12)
    recipe = Recipe("lora", steps=24, batch=8, lr=1e-3)
    order = fitting.ordered(recipe, "smollm2", train, shifted=held, every=12, watched=16)
    made = fitting.fit(order, tmp_path / "mine")
    assert made.looks[-1].mean("reference", "exact") > made.looks[0].mean("reference", "exact") + 0.4
    found, data = own.audit([made.name, "smollm2"], train, held, own.How(limit=32))
    by_axis = {p.axis: p for p in found}
    for axis in ("typos", "casing"):
        p = by_axis[axis]
        assert p.change_reference is not None and p.change_reference.low > 0, "it gained on the rows as written"
        assert p.survives is not None and p.survives.estimate > 0.5
    assert "test rows beside" in data.says
