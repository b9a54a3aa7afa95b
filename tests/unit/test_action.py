"""action.yml: its steps, run here as GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from toy import coins

ACTION = Path(__file__).parents[2] / "action.yml"


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    """What the file says."""
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(ACTION.read_text(encoding="utf-8"))


def step(action: dict[str, Any], name: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """One step in bash, its expressions filled in: inputs as given or by default, only where `env` hands them on."""
    [one] = [s for s in action["runs"]["steps"] if s["name"] == name]
    values = {k: str(v.get("default", "")) for k, v in action["inputs"].items()} | given
    values = {f"inputs.{k}": v for k, v in values.items()} | {"github.action_path": str(ACTION.parent)}
    handed = {k: re.sub(r"\$\{\{ (\S+) \}\}", lambda m: values[m[1]], v) for k, v in one["env"].items()}
    (folder / "temp").mkdir(exist_ok=True)
    (folder / "bin").mkdir(exist_ok=True)
    python = folder / "bin" / "python"
    python.write_text(
        f'#!/bin/bash\nif [ "$2" = pip ]; then printf "%s\\n" "$@" > pip.txt; exit 0; fi\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    around = {
        "RUNNER_TEMP": str(folder / "temp"),
        "GITHUB_OUTPUT": str(folder / "output.txt"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", one["run"]]
    return subprocess.run(command, cwd=folder, env={**os.environ, **around, **handed}, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


def test_no_input_stands_in_a_script_and_every_action_is_pinned(action: dict[str, Any]) -> None:
    assert action["runs"]["using"] == "composite"
    for one in action["runs"]["steps"]:
        if "run" in one:
            assert "${{" not in one["run"] and one["shell"] == "bash", "expressions in scripts are injections"
        else:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one["uses"])
    wanted = {"gate-file", "model", "tier", "studies", "python-version", "extras"}
    assert wanted <= set(action["inputs"]) and all(i["description"] for i in action["inputs"].values())
    named = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text(encoding="utf-8")))
    assert named == set(action["inputs"]), "every input is used, and none that is not there"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.usefixtures("unseen")
def test_the_gate_step_falls_where_the_gate_falls(action: dict[str, Any], unseen: Any) -> None:
    here, name = Path.cwd(), "Check the gate"
    coins(0.9)
    assert unseen("gate", "my gate.json", "--study", "coins", "--tier", "smoke", "--run").code == 0
    said = step(action, name, here, **{"gate-file": "my gate.json", "studies": "coins,", "tier": "smoke"})
    assert said.returncode == 0, said.stdout + said.stderr
    assert json.loads((here / "temp/unseen-gate/gate.json").read_text())["passed"]
    assert (here / "output.txt").read_text().splitlines()[0] == "passed=true"
    coins(0.1)
    said = step(action, name, here, **{"gate-file": "my gate.json"})
    assert said.returncode == 1 and "passed=false" in (here / "output.txt").read_text()
    assert "<failure" in (here / "temp/unseen-gate/junit.xml").read_text()
    assert "2 got worse" in (here / "summary.md").read_text()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.usefixtures("unseen")
def test_hostile_inputs_are_words(action: dict[str, Any]) -> None:
    here = Path.cwd()
    evil = '"; touch pwned; $(touch pwned) `touch pwned` #'
    said = step(action, "Check the gate", here, **{"gate-file": evil, "studies": "* $(touch pwned)", "model": evil})
    assert said.returncode == 2 and "there is no such file" in said.stderr and not (here / "pwned").exists()
    for extras in (evil, "torch] --index-url http://x [", "hub;touch pwned"):
        said = step(action, "Install unseen", here, extras=extras)
        assert said.returncode == 2 and "extras takes names" in said.stdout
    assert not (here / "pwned").exists() and not (here / "pip.txt").exists()
    assert step(action, "Install unseen", here, extras="torch, hub").returncode == 0
    assert (here / "pip.txt").read_text().splitlines()[-1] == f"{ACTION.parent}[torch,hub]"
    assert step(action, "Install unseen", here, extras="").returncode == 0
    assert (here / "pip.txt").read_text().splitlines()[-1] == str(ACTION.parent)
