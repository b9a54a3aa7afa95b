"""What its user can mend is said in one paragraph that names value, reason and remedy; the exit code is 2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
SMOKE = ("kept_rows", "--tier", "smoke")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "kept_row"), ("no study is called 'kept_row'", "kept_rows", "`unseen list`")),
        (("show", "zzz"), ("no study is called 'zzz'", "`unseen list` prints all")),
        (("plan", "kept_rows", "--tier", "desktop"), ("--tier desktop", "smoke, laptop, paper")),
        (("run", *SMOKE, "--set", "stepz=3"), ("no setting of kept_rows has a field 'stepz'", "steps", "Its fields: name, steps, every, pause, fault")),
        (("run", *SMOKE, "--set", "steps"), ("--set steps: write FIELD=VALUE",)),
        (("plan", *SMOKE, "--set", "steps=wide"), ("--set steps=wide: steps takes a whole number", "kept_rows's settings: name, steps")),
        (("plan", *SMOKE, "--set", "pause=inf"), ("--set pause=inf: pause takes a number",)),
        (("plan", *SMOKE, "--set", "steps=99999999999999999999"), ("Setting.steps=99999999999999999999 is no plain value",)),
        (("plan", *SMOKE, "--seeds", "0"), ("--seeds 0", "from 1 to")),
        (("run", *SMOKE, "--on", "procs:none"), ("--on procs:none: there is no such pool", "procs:2")),
        (("run", *SMOKE, "--model", "tiny:decoder"), ("takes no model",)),
        (("run", *SMOKE, "--set", "fault=extra"), ("kept_rows needs no_such_package", "pip install")),
        (("judge", *SMOKE), ("nothing of this plan is measured yet; `unseen run kept_rows --tier smoke` measures it",)),
        (("run", "kept_answers", "--model", "py:no_such_module:f"), ("no_such_module",)),
        (("run", "kept_answers", "--model", "api:m@http://127.0.0.1:9/v1"), ("127.0.0.1:9",)),
        (("run", "kept_answers", "--model", "replay:gone.jsonl"), ("gone.jsonl",)),
        (("run", "kept_answers", "--model", "nothing:x"), ("nothing:x",)),
        (("run", "kept_answers", "--model", "hf:./no/such/folder"), ("no/such/folder",)),
        (("card", "py:no_such_module:f", "--tier", "smoke"), ("no_such_module",)),
    ],
)  # fmt: skip
def test_one_paragraph_and_exit_code_2(words: tuple[str, ...], says: tuple[str, ...], command: Start) -> None:
    ended = command(*words, HF_HUB_OFFLINE="1")
    told = [line for line in ended.said.splitlines() if line.strip()]
    assert ended.code == 2 and len(told) == 1 and told[0].startswith("unseen: "), ended.said
    for part in says:
        assert part in told[0]


def test_data_that_is_missing_offline(command: Start, home: Path) -> None:
    for on in ("here", "procs:1"):
        ended = command("run", *SMOKE, "--set", "fault=data", "--set", "name=a", "--on", on, UNSEEN_OFFLINE="1")
        assert ended.code == 2 and "Traceback" not in ended.said
        assert "the data file kept/words.txt is not here and nothing may be fetched (offline)" in ended.said
        assert "put it at $UNSEEN_DATA/kept/words.txt" in ended.said


def test_data_that_cannot_be_fetched_or_is_another_file(command: Start, tmp_path: Path) -> None:
    words = ("run", *SMOKE, "--set", "fault=data", "--set", "name=a", "--seeds", "1")
    ended = command(*words)
    assert ended.code == 2 and "could not be fetched from url:http://127.0.0.1:9/words.txt" in ended.said
    (tmp_path / "data" / "kept").mkdir(parents=True)
    (tmp_path / "data" / "kept" / "words.txt").write_text("other words")
    ended = command(*words, UNSEEN_DATA=str(tmp_path / "data"))
    assert ended.code == 2 and "it is another file" in ended.said and "unset UNSEEN_DATA" in ended.said


def test_a_model_that_is_there_is_measured(command: Start, tmp_path: Path) -> None:
    """The study of the bad models takes a good one, found in the folder where the command is started."""
    (tmp_path / "answers.py").write_text(
        "def yes(prompts, *, max_new_tokens, temperature, seed, stop):\n    return ['yes' for _ in prompts]\n"
    )
    for on in ("here", "procs:1"):
        ended = command("run", "kept_answers", "--tier", "smoke", "--on", on, "--fresh", "--json")
        assert ended.code == 0 and '"damaged": {}' in ended.said, ended.said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "kept_row"), "no study is called 'kept_row'"),
        (("plan", *SMOKE, "--set", "steps=x"), "takes a whole number"),
    ],
)
def test_the_installed_command_says_the_same(words: tuple[str, ...], says: str, home: Path) -> None:
    """The console script itself, in a process of its own."""
    script = Path(sys.executable).parent / "unseen"
    told = subprocess.run([script, *words], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert told.returncode == 2 and says in told.stderr and len(told.stderr.splitlines()) == 1 and not told.stdout
