"""What is stored and no longer what was written is named and left out; a run measures it again, the others stay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
WORDS = ("kept_rows", "--tier", "smoke")


@pytest.fixture(scope="module")
def sound(kennel: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that one run filled."""
    home = tmp_path_factory.mktemp("sound") / "home"
    ended = kennel(home, "run", *WORDS)
    assert ended.code == 0, ended.said
    return home


@pytest.fixture
def measured(sound: Path, home: Path) -> list[Path]:
    """The folders of the trials in this test's copy of that store."""
    shutil.copytree(sound, home)
    return sorted(home.glob("trials/kept_rows/*"))


def truncated(folder: Path) -> None:
    path = folder / "records.parquet"
    path.write_bytes(path.read_bytes()[:-40])


def flipped(folder: Path) -> None:
    path = folder / "records.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def missing(folder: Path) -> None:
    (folder / "items.parquet").unlink()


def garbage(folder: Path) -> None:
    (folder / "trial.json").write_bytes(b"\xff\x00 not json {")


def emptied(folder: Path) -> None:
    (folder / "trial.json").write_text("{}", encoding="utf-8")


def exchanged(folder: Path) -> None:
    told = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
    (folder / "trial.json").write_text(json.dumps({**told, "key": "0" * 16}), encoding="utf-8")


@pytest.mark.parametrize("harm", [truncated, flipped, missing, garbage, emptied, exchanged])
def test_a_damaged_trial_is_named_left_out_and_measured_again(
    harm: Callable[[Path], None], measured: list[Path], command: Start, home: Path, tmp_path: Path
) -> None:
    harmed, others = measured[0], measured[1:]
    before = {p: (p / "records.parquet").read_bytes() for p in measured}
    harm(harmed)

    told = json.loads(command("judge", *WORDS, "--json").said)
    assert list(told["damaged"]) == [harmed.name] and len(told["trials"]) == len(others)
    log = tmp_path / "log.txt"
    again = command("run", *WORDS)
    assert again.code == 0, again.said
    assert len({line.rsplit(" ", 1)[0] for line in log.read_text(encoding="utf-8").splitlines()}) == 1
    assert {p: (p / "records.parquet").read_bytes() for p in measured} == before
    assert len(list(home.glob("aside/*"))) == 1  # nothing is thrown away
    assert json.loads(command("judge", *WORDS, "--json").said)["damaged"] == {}


def test_pages_and_terminal_name_what_is_left_out(measured: list[Path], command: Start, tmp_path: Path) -> None:
    flipped(measured[0])
    judged = command("judge", *WORDS)
    assert judged.code == 0 and f"trials/kept_rows/{measured[0].name}/records.parquet" in "".join(
        judged.said.split("\n")
    )
    assert "`unseen run kept_rows --tier smoke` measures it again" in judged.said
    assert command("report", *WORDS, "--out", str(tmp_path / "r.html")).code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert all(p.name in page for p in measured) and "Left out:" in page


def test_a_ledger_takes_no_damaged_trial(measured: list[Path], command: Start, tmp_path: Path) -> None:
    truncated(measured[0])
    ended = command("judge", *WORDS, "--record", str(tmp_path / "results"))
    assert ended.code == 2 and "not measured" in ended.said.splitlines()[-1]


def test_a_plan_that_cannot_be_read_is_written_again(measured: list[Path], command: Start, home: Path) -> None:
    plans = list(home.glob("plans/*.json"))
    plans[0].write_text("{", encoding="utf-8")
    ended = command("judge", *WORDS)
    assert ended.code == 1 and "cannot be read" in ended.said and "unseen run kept_rows" in ended.said
    assert command("run", *WORDS).code == 0
    assert command("judge", *WORDS).code == 0


def test_a_store_that_is_a_file(command: Start, home: Path) -> None:
    home.write_text("", encoding="utf-8")
    for words in (("run", *WORDS), ("judge", *WORDS), ("plan", *WORDS)):
        ended = command(*words)
        assert ended.code == 2 and "is a file, not a folder" in ended.said and len(ended.said.splitlines()) == 1
    ended = command("run", *WORDS, UNSEEN_HOME=str(home / "below"))
    assert ended.code == 2 and "cannot be written" in ended.said and len(ended.said.splitlines()) == 1
