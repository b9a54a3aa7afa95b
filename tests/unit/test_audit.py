"""The audit of what is installed: a look that found nothing because nothing was looked up is no success."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PLACE = Path(__file__).parents[2] / ".ci" / "audit.py"
GOOD = {"name": "numpy", "version": "2.3.0", "vulns": []}
LEFT = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited: rich (15.0)"}
HOLE = {"name": "pip", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"], "aliases": []}]}
OWN = {"name": "unseen", "skip_reason": "distribution marked as editable"}
BUILD = {"name": "torch", "skip_reason": "could not be audited: torch (2.13.0+cpu)"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PLACE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        ([GOOD, OWN, BUILD], 0, "1 packages were looked up, 0 holes are known.\nNot looked up: torch."),
        ([GOOD, LEFT], 2, "Not looked up: rich."),
        ([LEFT, BUILD, OWN], 2, "nothing was audited"),
        ([GOOD, HOLE], 1, "pip 1.0: PYSEC-1, mended in 1.1"),
        ([HOLE, LEFT], 1, "PYSEC-1"),
    ],
)
def test_what_was_not_looked_up_is_no_success(audit: ModuleType, told: list[Any], code: int, words: str) -> None:
    found, said = audit.verdict({"dependencies": told})
    assert found == code and words in said


@pytest.mark.parametrize("script", ["raise SystemExit('no service')", "print('not json')"])
def test_a_tool_that_fails_is_no_success(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str
) -> None:
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!{sys.executable}\n{script}\n")
    tool.chmod(0o755)
    assert audit.main(str(tool), "anywhere") == 2
    assert "nothing was audited" in capsys.readouterr().out
