"""`unseen gate`: what is recorded, what falls, and how it is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from toy import coins

from unseen.core import find
from unseen.gate import baseline

CARD = ("--model", "py:mine:answer", "--study", "echo", "--tier", "smoke")
GOOD, BAD = "right", "short"


def mine(name: str) -> None:
    """A model of one's own, as it is today."""
    Path("mine.py").write_text(
        f"import answering\n\ndef answer(prompts, **given):\n    return answering.{name}(prompts)\n"
    )


@pytest.fixture
def held(unseen: Callable[..., Any]) -> Path:
    """A gate that holds the card of a good model."""
    mine(GOOD)
    said = unseen("gate", "gate.json", *CARD, "--run")
    assert said.code == 0 and "3 recorded" in said.out, said.err
    return Path("gate.json")


def test_the_first_time_records_and_the_same_again_passes(unseen: Any, held: Path) -> None:
    text = held.read_text()
    told = json.loads(text)
    assert text == json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n" and len(text) < 2_000
    assert told["gate"] == 1 and told["subjects"]["py:mine:answer/smoke"]["versions"] == {"echo": 1}
    assert len(told["subjects"]["py:mine:answer/smoke"]["code"]["echo"][0]) >= 16
    said = unseen("gate", held)
    assert said.code == 0 and "nothing got worse; 3 kept" in said.out
    assert held.read_text() == text, "checking writes nothing"


def test_a_model_that_got_worse_falls_and_is_named(unseen: Any, held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine(BAD)
    said = unseen("gate", held)
    assert said.code == 1 and "3 missing." in said.out, "another model that was not measured never passes"
    assert said.out.count("is not what was measured last") == 1, "one reason is told once"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("summary.md").resolve()))
    said = unseen("gate", held, "--run", "--junit", "out/gate.xml", "--json")
    told = json.loads(said.out)
    assert said.code == 1 and not told["passed"] and told["counts"]["worse"] == 2 and told["counts"]["kept"] == 1
    worse = {s["id"] for s in told["standings"] if s["result"] == "worse"}
    assert worse == {f"py:mine:answer/smoke/length/echo/exact/{what}" for what in ("shifted", "gap")}
    summary = Path("summary.md").read_text()
    assert summary.startswith("### ❌") and summary.count("| ✗ |") == 2
    root = ET.parse("out/gate.xml").getroot()
    check_junit(root)
    fell = {c.get("name") for c in root.iter("testcase") if c.find("failure") is not None}
    assert fell == {"length/echo/exact/shifted", "length/echo/exact/gap"}
    message = next(f.get("message", "") for f in root.iter("failure"))
    assert "the difference is" in message
    mine(GOOD)
    assert unseen("gate", held, "--run").code == 0, "better again"


def check_junit(root: ET.Element) -> None:
    """The shape that Jenkins' schema (junit-10.xsd) asks: elements, their attributes, and totals that add up."""
    attributes = {
        "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
        "testcase": {"name", "classname", "time"},
        "failure": {"type", "message"},
        "error": {"type", "message"},
        "skipped": {"message"},
    }
    inside = {"testsuites": {"testsuite"}, "testsuite": {"testcase"}, "testcase": {"failure", "error", "skipped"}}
    for one in root.iter():
        assert set(one.keys()) == attributes[one.tag]
        assert {child.tag for child in one} <= inside.get(one.tag, set())
        for counted, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            if one.tag in ("testsuites", "testsuite"):
                assert int(one.get(counted, "")) == len(list(one.iter(tag)))


def test_exceptions_have_a_reason_and_stand_in_the_file(unseen: Any, held: Path) -> None:
    mine(BAD)
    name = "py:mine:answer/smoke/length/echo/exact/"
    for word in (f"{name}gap", f"{name}gap="):
        said = unseen("gate", held, "--run", "--allow", word)
        assert said.code == 2 and "say why" in said.err
    said = unseen("gate", held, "--run", "--allow", f"{name}gop=no")
    assert said.code == 2 and "the nearest" in said.err
    said = unseen("gate", held, "--run", "--allow", f"{name}gap=a = b", "--allow", f"{name}shifted=smaller now")
    assert said.code == 0 and "allowed: a = b" in said.out
    assert json.loads(held.read_text())["allow"] == {f"{name}gap": "a = b", f"{name}shifted": "smaller now"}
    assert unseen("gate", held, "--run", "--junit", "g.xml").code == 0
    root = ET.parse("g.xml").getroot()
    check_junit(root)
    assert root.get("skipped") == "2"
    mine(GOOD)
    assert "its exception is no longer needed" in unseen("gate", held, "--run").out


def test_nothing_measured_never_passes(unseen: Any) -> None:
    for words in (CARD, ("--tier", "smoke"), ("--study", "echo", "--tier", "smoke")):
        mine(GOOD)
        said = unseen("gate", "gate.json", *words)
        assert said.code == 2 and "nothing was recorded" in said.err and not Path("gate.json").exists()
    said = unseen("gate", "gate.json", "--check")
    assert said.code == 2 and "there is no such file" in said.err
    Path("mine.py").write_text("import answering\nanswer = answering.broken\n")
    said = unseen("gate", "gate.json", *CARD, "--run")
    assert said.code == 2 and "the model fell over" in said.err and not Path("gate.json").exists()


def test_another_version_of_a_study_says_so(unseen: Any, held: Path) -> None:
    told = json.loads(held.read_text())
    told["subjects"]["py:mine:answer/smoke"]["versions"]["echo"] = 7
    held.write_text(json.dumps(told))
    said = unseen("gate", held, "--junit", "g.xml")
    assert said.code == 1 and "recorded at version 7 of echo, which is at version 1 now" in said.out
    assert "--update --study echo --model py:mine:answer --tier smoke" in said.out
    assert ET.parse("g.xml").getroot().get("errors") == "3"
    assert unseen("gate", held, "--update").code == 0 and unseen("gate", held).code == 0


def test_a_study_that_is_gone_is_missing(unseen: Any, held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_places", lambda: [])
    said = unseen("gate", held)
    assert said.code == 1 and "no study is called echo any more" in said.out


def test_vanished_parts_are_missing_and_new_ones_told(unseen: Any, held: Path) -> None:
    told = json.loads(held.read_text())
    parts = told["subjects"]["py:mine:answer/smoke"]["parts"]
    parts["length/echo/inexact/shifted"] = parts.pop("length/echo/exact/shifted")
    held.write_text(json.dumps(told))
    said = unseen("gate", held)
    assert said.code == 1 and "inexact/shifted: was 1 [0.854, 1]; is gone" in said.out
    assert "+ new" in said.out and "1 missing; 2 kept, 1 new" in said.out


def test_against_a_base_the_drop_is_paired(unseen: Any) -> None:
    mine(GOOD)
    words = ("--model", "py:mine:answer", "--against", "py:answering:right", "--study", "echo", "--tier", "smoke")
    assert "5 recorded" in unseen("gate", "gate.json", *words, "--on", "here").out
    mine(BAD)
    said = unseen("gate", "gate.json", "--run")
    assert said.code == 1 and "paired by item it is now below the other model by more than 0" in said.out
    assert unseen("gate", "gate.json", "--run", "--margin", "1").code == 0
    assert unseen("gate", "gate.json", "--against", "x", "--record").code == 2


def test_a_studys_verdicts_are_gated_and_files_grow(unseen: Any, held: Path) -> None:
    coins(0.9)
    said = unseen("gate", held, "--update", "--study", "coins", "--tier", "smoke", "--run")
    assert said.code == 0 and "coins/smoke: 2 recorded" in said.out, said.err
    assert list(json.loads(held.read_text())["subjects"]) == ["coins/smoke", "py:mine:answer/smoke"]
    assert unseen("gate", held, "--study", "coins").code == 0
    coins(0.2)
    said = unseen("gate", held, "--study", "coins")
    assert said.code == 1 and "were measured by older code" in said.out, "numbers of other code prove nothing"
    said = unseen("gate", held, "--study", "coins", "--on", "procs:1")  # this process has loaded the older code
    assert said.code == 1 and "coins/smoke/C1: was supported" in said.out and "refuted" in said.out
    assert "the control no longer holds: supported became refuted" in said.out
    assert "coins measured by other code than on" in said.out


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"gate": 2}', '{"gate": 1}', '{"gate": 1, "subjects": {"a": {}}, "allow": {}, "margin": 0, "recorded": ""}', "\x00"],
)  # fmt: skip
def test_files_that_are_no_gates(unseen: Any, text: str) -> None:
    Path("gate.json").write_text(text)
    said = unseen("gate", "gate.json")
    assert said.code == 2 and "gate.json" in said.err and "Traceback" not in said.err
    assert Path("gate.json").read_text() == text


def test_a_file_that_cannot_be_written_is_a_mistake(unseen: Any) -> None:
    mine(GOOD)
    Path("folder").mkdir()
    said = unseen("gate", "folder", *CARD, "--record", "--run")
    assert said.code == 2 and "folder" in said.err and os.listdir("folder") == []


def test_words_that_exclude_one_another(unseen: Any, held: Path) -> None:
    assert unseen("gate", held, "--record", "--check").code == 2
    said = unseen("gate", held, "--study", "nothing")
    assert said.code == 2 and "the gate holds nothing of nothing" in said.err
    assert unseen("gate", held, "--margin", "-1").code == 2


def test_hostile_words_stay_words(unseen: Any, held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(held.read_text())
    evil = "<script>alert(1)</script>|\x1b[31m\u202e `@all` [x](javascript:y) ]]>"
    parts = told["subjects"]["py:mine:answer/smoke"]["parts"]
    parts["length/echo/exact/gone"] = {**parts["length/echo/exact/gap"], "says": evil}
    held.write_text(json.dumps(told))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("summary.md").resolve()))
    said = unseen("gate", held, "--junit", "g.xml")
    assert said.code == 1 and "\x1b" not in said.out and "\u202e" not in said.out
    summary = Path("summary.md").read_text()
    assert "<script" not in summary and "](" not in summary and "@all" not in summary and "\u202e" not in summary
    check_junit(ET.parse("g.xml").getroot())


def test_what_is_written_is_read_back(held: Path, tmp_path: Path) -> None:
    one = baseline.read(held)
    assert baseline.write(one, tmp_path / "new" / "gate.json").read_text() == held.read_text()
