"""What users read, word for word. After a wanted change: `UNSEEN_GOLDEN=write pytest tests/golden`, and look at the diff."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import made
import pytest

HERE = Path(__file__).parent
KEY = r"\b[0-9a-f]{16}\b"
HEAVY = ("torch", "transformers", "polars", "altair", "scipy.stats", "ray")


def golden(name: str, text: str) -> None:
    """The text is that of the golden file."""
    path = HERE / name
    if os.environ.get("UNSEEN_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} changed; UNSEEN_GOLDEN=write keeps what it is now"


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty columns, no colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("plain")
def test_help(unseen: Any) -> None:
    golden("help.txt", unseen("--help").out)


@pytest.mark.usefixtures("plain")
def test_list(unseen: Any) -> None:
    golden("list.txt", unseen("list").out)


@pytest.mark.usefixtures("plain")
def test_one_error_of_each_kind(unseen: Any, tmp_path: Path) -> None:
    asked = {
        "Unknown": ("show", "ecko"),
        "Invalid": ("run", "echo", "--set", "limit=wide"),
        "Missing": ("judge", "echo", "--tier", "smoke"),
        "Mistake": ("data", "brief_training"),
        "Damaged": ("compare", "one", "one"),
        "Failed": ("compare", "py:answering:broken", "py:answering:short", "--tier", "smoke"),
    }
    assert unseen("run", "echo", "--tier", "smoke", "--model", "py:answering:short", "--output-path", "one").code == 0
    Path("one/rows.parquet").write_bytes(b"no table")
    told = []
    for kind, words in asked.items():
        said = unseen(*words)
        err = said.err.replace(str(tmp_path), "HOME").strip().splitlines()[-1]
        told.append(f"{kind} (exit {said.code})\n{re.sub(KEY, 'KEY', err)}\n")
    golden("errors.txt", "\n".join(told))


def test_the_skeleton_of_a_report() -> None:
    """Its elements, classes and headings; no numbers, no drawings."""
    from unseen.pages import report

    page = report.html([made.judged()])
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.S)
    page = re.sub(r"<svg\b.*?</svg>", "<svg>", page, flags=re.S)
    told: list[str] = []
    for tag, attributes, text in re.findall(
        r"<(h[1-6]|section|table|th|figure|figcaption|details|summary|nav|footer|svg)\b([^>]*)>([^<]*)", page
    ):
        kept = " ".join(f"{k}={v}" for k, v in re.findall(r'(id|class|scope)="([^"]*)"', attributes))
        told.append(" ".join(w for w in (tag, kept, text.strip()) if w))
    golden("report.txt", "\n".join(told) + "\n")


def test_after_list_nothing_heavy_is_loaded() -> None:
    code = f"import sys; sys.argv = ['unseen', 'list']\nfrom unseen.cli import main\ntry: main()\nexcept SystemExit: pass\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
