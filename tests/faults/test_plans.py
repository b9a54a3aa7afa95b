"""`judge` reads the trials of the plan it is given and no others; a changed plan's verdicts are marked and kept apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Start = Callable[..., Any]
SMOKE = ("kept_rows", "--tier", "smoke")


def judged(command: Start, *words: str) -> dict[str, Any]:
    ended = command("judge", *SMOKE, *words, "--json")
    assert ended.code == 0, ended.said
    return json.loads(ended.said)


def keys(told: dict[str, Any]) -> set[str]:
    return {t["key"] for t in told["trials"]}


def test_a_plan_reads_its_own_trials(command: Start, home: Path, tmp_path: Path) -> None:
    assert command("run", *SMOKE).code == 0
    own = judged(command)
    assert command("run", *SMOKE, "--set", "steps=10,20").code == 0
    assert command("run", *SMOKE, "--seeds", "4").code == 0
    assert judged(command) == own and not own["exploratory"] and len(keys(own)) == 6
    swept, seeded = judged(command, "--set", "steps=10,20"), judged(command, "--seeds", "4")
    assert swept["exploratory"] and seeded["exploratory"]
    assert keys(own) < keys(swept) and len(keys(swept)) == 12  # equal work is done once
    assert len(keys(own) & keys(seeded)) == 3 and len(keys(seeded)) == 6  # seeds (0, 1) of three settings
    assert {t["setting"]["steps"] for t in own["trials"]} == {20}
    log = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert len(log) == 6 * 20 + 6 * 10 + 3 * 20  # nothing was measured twice
    for words in (("--set", "steps=10,20"), ("--seeds", "4")):
        ended = command("judge", *SMOKE, *words, "--record", str(tmp_path / "results"))
        assert ended.code == 2 and "exploratory and never enter the ledger" in ended.said
    assert not (tmp_path / "results").exists()


def test_claims_are_judged_once_for_each_combination_of_swept_fields(command: Start, home: Path) -> None:
    words = ("--set", "every=4,5", "--set", "steps=10,20")
    assert command("run", *SMOKE, *words).code == 0
    told = judged(command, *words)["verdicts"]
    assert len(told) == 4 and len({json.dumps(v) for v in told}) == 4


def test_trials_of_older_code_are_named_and_refused(command: Start, home: Path, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    import shutil

    folder = tmp_path / "studies" / "kept_rows"
    shutil.copytree(Path(__file__).parent / "studies" / "kept_rows", folder)
    assert command("run", *SMOKE).code == 0  # ./studies comes first
    assert judged(command)["stale"] == []
    study = (folder / "study.py").read_text(encoding="utf-8")
    (folder / "study.py").write_text(study.replace("Sums of numbers above 0 are", "Such sums are"), encoding="utf-8")
    assert judged(command)["stale"] == []  # a claim's wording measures nothing
    trial = (folder / "trial.py").read_text(encoding="utf-8")
    (folder / "trial.py").write_text(trial.replace("sums + [", "2 * sums + ["), encoding="utf-8")
    told = judged(command)
    assert len(told["stale"]) == 6
    assert "Measured by older code" in command("judge", *SMOKE).said
    ended = command("judge", *SMOKE, "--record", str(tmp_path / "results"))
    assert ended.code == 2 and "measured by older code" in ended.said
    assert command("run", *SMOKE, "--fresh").code == 0
    assert judged(command)["stale"] == [] and len(list(home.glob("aside/*"))) == 6
