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

from unseen.core import find

DOCS = Path(__file__).parents[2] / "docs"
OWN = sorted(p.parent.name for p in (DOCS.parent / "src" / "unseen" / "studies").glob("*/study.py"))
ELSEWHERE = ("hf:", "api:", "smollm2", "out/model")
WORKED = ("your_study.md",)  # run word for word by test_worked.py
PAGES = sorted(
    p.relative_to(DOCS).as_posix()
    for part in ("guide", "axes")
    for p in (DOCS / part).glob("*.md")
    if p.name not in WORKED
)
TEXTS = sorted(p.relative_to(DOCS).as_posix() for part in (".", "guide", "axes") for p in (DOCS / part).glob("*.md"))


def blocks(name: str, kind: str) -> list[str]:
    """The fenced blocks of a page in a language, or in none."""
    fenced = re.findall(r"^```(.*?)\n(.*?)^```$", (DOCS / name).read_text(encoding="utf-8"), re.M | re.S)
    return [text for language, text in fenced if language == kind]


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


@pytest.mark.parametrize("name", [p for p in PAGES if p.startswith("guide/")])
def test_every_command_of_the_guide_works(name: str, unseen: Any) -> None:
    assert commands(name)
    for words in commands(name):
        works(unseen, words)


def test_every_command_of_the_axes_works(unseen: Any) -> None:
    named = {name: commands(name) for name in PAGES if name.startswith("axes/")}
    assert not [name for name, found in named.items() if not found]
    for words in sorted({tuple(words) for found in named.values() for words in found}):
        works(unseen, list(words))


def works(unseen: Any, words: list[str]) -> None:
    """The command ends well; of a study's tool, that it is there and takes these flags."""
    if words[0] == "use":
        return a_tool_takes(*words[1:])
    if any(w.startswith(ELSEWHERE) for w in words):
        return None
    if words[0] == "view":  # serves until it is stopped: test_cli_view.py
        told = unseen("view", "--help").out
        assert not [w for w in words if w.startswith("--") and w not in told], words
        return None
    if words[0] == "score":
        rows = [json.loads(line) for line in Path("items.jsonl").read_text().splitlines()]
        Path("answers.jsonl").write_text("".join(json.dumps({**r, "answer": r["truth"]}) + "\n" for r in rows))
    if words[0] == "compare":
        assert unseen("run", "echo", "--model", "py:answering:right", "--output-path", "two").code == 0
        assert unseen("run", "echo", "--model", "py:answering:short", "--output-path", "one").code == 0
    said = unseen(*words)
    assert said.code == 0, (words, said.err)
    return None


def test_every_flag_in_the_text_exists(unseen: Any) -> None:
    verbs = (
        "run",
        "card",
        "fit",
        "data",
        "validate",
        "judge",
        "plan",
        "report",
        "export",
        "new",
        "gate",
        "digest",
        "view",
        "site",
    )
    known = " ".join(unseen(verb, "--help").out for verb in verbs)
    for name in TEXTS:
        flags = set(re.findall(r"`(--[a-z-]+)", (DOCS / name).read_text(encoding="utf-8")))
        assert {f for f in flags if f not in known} == set(), name


def test_the_python_of_the_guide_runs(unseen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    [first] = blocks("guide/first_run.md", "python")
    exec(first.replace("length_generalization", "brief_training"), {})
    assert capsys.readouterr().out
    [function] = blocks("guide/your_model.md", "python")
    made: dict[str, Any] = {}
    exec(function, made)
    assert made["short"](["Repeat: abcdefg"], max_new_tokens=1, temperature=0, seed=0, stop=()) == ["abcd"]


def test_every_axis_has_its_page_and_every_page_says_what_to_do() -> None:
    axes = {a.replace(" ", "_") for slug in OWN for a in find.study(slug).axes}
    pages = {p.stem: p.read_text("utf-8") for p in (DOCS / "axes").glob("*.md")}
    assert axes <= set(pages), f"no docs/axes/*.md for {sorted(axes - set(pages))}"
    for name in axes:
        assert "What to look for:" in pages[name] and "What to do when the gap is large:" in pages[name], name


def test_exit_codes_and_variables_are_those_of_the_code() -> None:
    text = (DOCS / "guide.md").read_text(encoding="utf-8")
    source = "".join(p.read_text(encoding="utf-8") for p in (DOCS.parent / "src" / "unseen").rglob("*.py"))
    for name in re.findall(r"`(UNSEEN_[A-Z_]+)`", text):
        assert name in source
    assert all(f"**{code}**" in text for code in (0, 1, 2, 130))
