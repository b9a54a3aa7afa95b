"""Every command and every piece of Python in the docs does what it says.

The studies of these tests stand in for the package's own, so that it takes seconds; names of models that are not on
this machine are left out.
"""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

DOCS = Path(__file__).parents[2] / "docs"
OWN = sorted(p.parent.name for p in (DOCS.parent / "src" / "unseen" / "studies").glob("*/study.py"))
ELSEWHERE = ("hf:", "api:", "smollm2")
PAGES = sorted(p.name for p in DOCS.glob("*.md") if p.name != "verdicts.md")


def blocks(name: str, kind: str) -> list[str]:
    """The fenced blocks of a page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", (DOCS / name).read_text(encoding="utf-8"), re.M | re.S)


def commands(name: str) -> list[list[str]]:
    """The words of every `unseen` command, with the tests' studies in the place of the package's."""
    lines = [line for block in blocks(name, "") for line in block.splitlines() if line.startswith("unseen ")]
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        if words[0] == "use":
            found.append(words)
            continue
        items = words[0] in ("data", "score", "card", "compare") or "--model" in words
        stand_in = "echo" if items else "brief_training"
        told = [re.sub("|".join([*OWN, "STUDY"]), stand_in, w) for w in words]
        found.append(["smoke" if w == "laptop" else w for w in told])
    return found


def a_tool_takes(slug: str, verb: str, *words: str) -> None:
    """The tool of a study has the command, and the command has these flags."""
    app = import_module(f"unseen.studies.{slug}.tool").app
    said = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0, (slug, verb, said.output)
    flags = {w for w in words if w.startswith("-")}
    assert not [f for f in flags if not re.search(rf"{f}\b", said.output)], (slug, verb, flags)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_works(name: str, unseen: Any) -> None:
    assert commands(name)
    for words in commands(name):
        if words[0] == "use":
            a_tool_takes(*words[1:])
            continue
        if any(w.startswith(ELSEWHERE) for w in words):
            continue
        if words[0] == "score":
            rows = [json.loads(line) for line in Path("items.jsonl").read_text().splitlines()]
            Path("answers.jsonl").write_text("".join(json.dumps({**r, "answer": r["truth"]}) + "\n" for r in rows))
        if words[0] == "compare":
            assert unseen("run", "echo", "--model", "py:answering:right", "--output-path", "two").code == 0
            assert unseen("run", "echo", "--model", "py:answering:short", "--output-path", "one").code == 0
        said = unseen(*words)
        assert said.code == 0, (words, said.err)


@pytest.mark.parametrize("name", PAGES)
def test_every_flag_in_the_text_exists(name: str, unseen: Any) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    known = " ".join(
        unseen(verb, "--help").out
        for verb in ("run", "card", "fit", "data", "validate", "judge", "plan", "report", "export", "gate")
    )
    flags = set(re.findall(r"`(--[a-z-]+)", text))
    assert {f for f in flags if f not in known} == set()


def test_the_python_of_the_guide_runs(unseen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    function, library, training = blocks("guide.md", "python")
    made: dict[str, Any] = {}
    exec(function, made)
    assert made["short"](["Repeat: abcdefg"], max_new_tokens=1, temperature=0, seed=0, stop=()) == ["abcd"]
    exec(library.replace("length_generalization", "brief_training"), {})
    assert capsys.readouterr().out.startswith("C1 supported: Short ones are easier.")
    exec(training, {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["10", "20", "30"]


def test_exit_codes_and_variables_are_those_of_the_code() -> None:
    text = (DOCS / "guide.md").read_text(encoding="utf-8")
    source = "".join(p.read_text(encoding="utf-8") for p in (DOCS.parent / "src" / "unseen").rglob("*.py"))
    for name in re.findall(r"`(UNSEEN_[A-Z_]+)`", text):
        assert name in source
    assert all(f"**{code}**" in text for code in (0, 1, 2, 130))
