"""What MLflow, Weights & Biases and TensorBoard were told, read back by their own readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from unseen import driver
from unseen.core.errors import Invalid
from unseen.live import Lines
from unseen.sinks import Line, Logged, logged, sinks_of

TRIALS = 6


def measured(word: str, said: list[str] | None = None) -> None:
    """A smoke study of the fault tests, measured and judged with these sinks."""
    asked = driver.ask("kept_rows", "smoke")
    with logged(Lines((said if said is not None else []).append), word) as watch:
        driver.measure(asked, driver.How("here", watch=watch))
        watch.judged(driver.judge(asked).verdicts)


def test_tensorboard(shelf: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    measured(f"tensorboard={tmp_path / 'boards'}")
    folders = sorted(p.parent for p in (tmp_path / "boards").rglob("events*"))
    assert len(folders) == TRIALS + 1 and {f.parent.name for f in folders} == {"kept_rows-smoke"}
    tags = [EventAccumulator(str(f)).Reload() for f in folders]
    sums = [a for a in tags if "sum" in a.Tags()["scalars"]]
    assert len(sums) == TRIALS and all(a.Scalars("sum")[-1].step >= 1 for a in sums)
    assert any("C1.estimate" in a.Tags()["scalars"] for a in tags)


def kept_in(content: bytes) -> Iterator[bytes]:
    """The records of a file that wandb wrote offline: LevelDB's log format behind a header of seven bytes."""
    at, held = 7, b""
    while at + 7 <= len(content):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        size, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        if kind == 0:
            return
        held += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            yield held
            held = b""


def test_wandb_offline(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    for name, value in {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_API_KEY": "0" * 40}.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    measured("wandb=boards", said)
    wandb.teardown()
    assert not [s for s in said if "nothing more" in s], said
    files = sorted(tmp_path.rglob("*.wandb"))
    assert len(files) == TRIALS + 1
    names, told = list[str](), list[str]()
    for path in files:
        for content in kept_in(path.read_bytes()):
            record = Record()
            record.ParseFromString(content)
            names += [record.run.run_group] if record.HasField("run") else []
            told += [item.key or item.nested_key[0] for item in record.history.item]
    assert set(names) == {"kept_rows smoke"} and {"sum", "at", "C1.estimate"} <= set(told)


def test_mlflow(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    from mlflow.tracking import MlflowClient

    said: list[str] = []
    measured("mlflow", said)  # into the current folder, with nothing set
    place = str(tmp_path / "mlruns")
    assert not [s for s in said if "nothing more" in s], said
    client = MlflowClient(tracking_uri=place)
    kept = client.search_runs([client.get_experiment_by_name("kept_rows smoke").experiment_id])
    assert len(kept) == TRIALS + 1
    trials = [r for r in kept if "steps" in r.data.params]
    assert len(trials) == TRIALS and all(r.data.params["steps"] == "20" and "sum" in r.data.metrics for r in trials)
    (verdicts,) = [r for r in kept if r.info.run_name == "verdicts"]
    assert verdicts.data.params["C1.status"] and "C1.estimate" in verdicts.data.metrics


def test_a_sink_that_fails_is_named_once_and_stops_nothing(shelf: Path) -> None:
    said: list[str] = []

    def broken(group: str, name: str, told: Mapping[str, object]) -> Line:
        raise ConnectionError("no route to the host")

    watch = Logged(Lines(said.append), {"mlflow": broken})
    outcomes = driver.measure(driver.ask("kept_rows", "smoke"), driver.How("here", watch=watch))
    assert [o.status for o in outcomes] == ["done"] * TRIALS
    assert len([s for s in said if "mlflow is told nothing more (ConnectionError: no route" in s]) == 1


def test_names_that_are_no_sinks() -> None:
    assert sinks_of(None) == {} == sinks_of("")
    with pytest.raises(Invalid, match="--log neptune: there is no such sink; use mlflow, wandb, tensorboard"):
        sinks_of("neptune")


def test_a_tuning_is_one_run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every logged loss and every look, however fast they come; a tuning that was done before is no run."""
    for package in ("trl", "tensorboard", "mlflow"):
        pytest.importorskip(package)
    from mlflow.tracking import MlflowClient
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from typer.testing import CliRunner

    from unseen.cli import app
    from unseen.models import tiny

    tiny.made("llama").save_pretrained(str(tmp_path / "base"))
    tiny.byte_tokenizer().save_pretrained(str(tmp_path / "base"))
    rows = "".join(json.dumps({"prompt": f"{i}:", "completion": "red"}) + "\n" for i in range(20))
    (tmp_path / "train.jsonl").write_text(rows)
    boards, place = tmp_path / "boards", str(tmp_path / "kept")
    given = {"--model": f"hf:{tmp_path / 'base'}", "--train": tmp_path / "train.jsonl", "--shifted": tmp_path / "train.jsonl", "--steps": 4, "--batch": 4, "--every": 2, "--out": tmp_path / "mine", "--log": f"tensorboard={boards},mlflow={place}"}  # fmt: skip
    words = ["fit", "lora", *(str(word) for pair in given.items() for word in pair)]
    for _ in range(2):
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0 and "told nothing more" not in told.output, told.output
    [file] = boards.rglob("events*")
    assert file.parent.relative_to(boards) == Path("fit-lora/mine")
    seen = EventAccumulator(str(file)).Reload()
    looks = ["reference", "shifted", "surprise/reference", "surprise/shifted"]
    assert {tag: [e.step for e in seen.Scalars(tag)] for tag in looks} == {tag: [0, 2, 4] for tag in looks}
    assert [e.step for e in seen.Scalars("loss")] == [1, 2, 3, 4]
    assert seen.Scalars("loss")[0].value == pytest.approx(5.5, abs=0.5), "nats of an untrained model over bytes"
    client = MlflowClient(tracking_uri=place)
    known = client.get_experiment_by_name("fit lora")
    assert known is not None
    [run] = client.search_runs([known.experiment_id])
    assert run.info.run_name == "mine" and run.data.params["steps"] == "4" and run.data.params["method"] == "lora"
    assert [m.step for m in client.get_metric_history(run.info.run_id, "loss")] == [1, 2, 3, 4]
