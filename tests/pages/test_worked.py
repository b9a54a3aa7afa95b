"""The worked pages of the guide do what they say: their blocks are run in order in an empty folder.

`bash` and `python` blocks are run, what follows in a `text` block is what they print, a `diff` block changes a file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"


def blocks(name: str) -> list[tuple[str, str]]:
    """(language, text) of the fenced blocks of a page that name a language."""
    return re.findall(r"^```(bash|python|text|diff)\n(.*?)^```$", (GUIDE / name).read_text("utf-8"), re.M | re.S)


def changed(folder: Path, diff: str) -> None:
    """Change a file: every hunk's old lines stand in it exactly once."""
    head, *hunks = re.split(r"^@@\n", diff, flags=re.M)
    path = folder / re.findall(r"^\+\+\+ (.+)$", head, re.M)[0]
    text = path.read_text("utf-8")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def said(folder: Path, *command: str) -> str:
    """What a command prints, in a folder and a home of its own."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name, words in (("unseen", "-m unseen"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    told = {
        **os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "UNSEEN_HOME": str(folder / "home"), "UNSEEN_STUDIES": "",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]), "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    desk = folder / "desk"
    desk.mkdir(exist_ok=True)
    done = subprocess.run(command, cwd=desk, env=told, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_a_study_is_added_as_the_guide_says(tmp_path: Path) -> None:
    printed = ""
    for kind, text in blocks("your_study.md"):
        if kind == "bash":
            printed = said(tmp_path, "bash", "-euo", "pipefail", "-c", text)
        elif kind == "text":
            assert printed == text
        else:
            changed(tmp_path / "desk", text)


def test_measures_are_used_in_a_loop_as_the_guide_says(tmp_path: Path) -> None:
    if not all(find_spec(name) for name in ("torch", "transformers", "accelerate")):
        pytest.skip("the page needs the extra hub")
    found = blocks("your_training.md")
    program = "".join(f"{text}\nprint('---')\n" for kind, text in found if kind == "python")
    printed = said(tmp_path, sys.executable, "-c", program).split("---\n")
    expected = [after for (kind, _), (_, after) in pairwise(found) if kind == "python"]
    assert len(expected) == len(printed) - 1 == 5
    for got, told in zip(printed, expected, strict=False):
        lines = [line for line in got.splitlines(keepends=True) if not line.startswith("{")]  # Trainer's own log
        assert "".join(lines) == told
