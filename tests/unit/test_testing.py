"""`pytest --unseen gate.json`: a gate's verdicts as tests, in a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from toy import coins


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """pytest with this plugin and no other, in the folder where the test is."""
    given = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-p", "unseen.testing", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, capture_output=True, text=True, env=given, timeout=120, check=False)


@pytest.fixture
def gate(unseen: Any) -> Path:
    """A gate of two verdicts that fell since, beside a test of one's own."""
    coins(0.9)
    assert unseen("gate", "gate.json", "--study", "coins", "--tier", "smoke", "--run").code == 0
    coins(0.2)
    Path("test_own.py").write_text("def test_own():\n    pass\n")
    return Path("gate.json")


@pytest.mark.usefixtures("unseen")
def test_verdicts_are_tests_that_fail_readably(gate: Path) -> None:
    said = run("--unseen", str(gate), "--unseen-run", "--junitxml", "j.xml", "-v")
    assert said.returncode == 1 and "2 failed, 1 passed" in said.stdout, said.stdout + said.stderr
    assert "gate.json::coins/smoke/C1 FAILED" in said.stdout and "supported became refuted." in said.stdout
    assert "Traceback" not in said.stdout and "site-packages" not in said.stdout
    cases = {c.get("name"): c for c in ET.parse("j.xml").getroot().iter("testcase")}
    assert set(cases) == {"test_own", "coins/smoke/C1", "coins/smoke/K1"}
    assert "no longer holds" in cases["coins/smoke/K1"].find("failure").get("message")  # type: ignore[union-attr]
    one = run("--unseen", str(gate), "-k", "C1", "-x")
    assert "1 failed, 2 deselected" in one.stdout, one.stdout


@pytest.mark.usefixtures("unseen")
@pytest.mark.skipif(find_spec("xdist") is None, reason="needs pytest-xdist")
def test_two_workers_collect_the_same(gate: Path) -> None:
    coins(0.9)
    said = run("--unseen", str(gate), "-p", "xdist", "-n", "2", "--unseen-run")
    assert said.returncode == 0 and "3 passed" in said.stdout, said.stdout + said.stderr


def test_a_gate_that_is_not_there_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("--unseen", "no.json")
    assert said.returncode == 4 and "there is no such file" in said.stderr


def test_it_costs_nothing_where_it_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither numpy nor anything of this package but its table of contents and this module is loaded."""
    monkeypatch.chdir(tmp_path)
    Path("test_own.py").write_text(
        "import sys\n\ndef test_own():\n"
        "    ours = sorted(m for m in sys.modules if m.split('.')[0] in ('unseen', 'numpy', 'torch', 'polars', 'typer', 'scipy'))\n"
        "    assert ours == ['unseen', 'unseen.testing']\n"
    )
    said = run("-q")
    assert said.returncode == 0, said.stdout
