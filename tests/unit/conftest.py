"""A store of its own where the study of the fault tests is found, for tests that measure."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def shelf(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for a store, named by UNSEEN_HOME; the study `kept_rows` is found."""
    monkeypatch.setenv("UNSEEN_STUDIES", str(Path(__file__).parent.parent / "faults" / "studies"))
    for name in ("UNSEEN_DATA", "HF_HUB_OFFLINE", "KEPT_ROWS_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return home
