"""Whatever is typed, nothing prints a traceback: an error is one paragraph, the exit code 0, 1 or 2."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.cli import main

STUDIES = Path(__file__).parent.parent / "faults" / "studies"
VERBS = (
    "list",
    "show",
    "plan",
    "judge",
    "report",
    "card",
    "compare",
    "data",
    "score",
    "use",
    "export",
    "new",
    "validate",
    "run",
)
FLAGS = ("--tier", "--model", "--set", "--seeds", "--on", "--json", "--fresh", "--limit", "--out", "--axis", "--num_fewshot", "--to", "--n", "--help", "--against", "--dtype")  # fmt: skip
WORDS = ("kept_rows", "kept_row", "kept_rows/x", "all", "smoke", "laptop", "steps=1", "steps=1,2", "steps=-1", "pause=nan", "name=a:b", "every=0", "=", "here", "procs:0", "procs:x", "tiny:decoder", "tiny:nothing", "hf:./no/such", "py:os:getcwd", "replay:gone.jsonl", "api:m@http://127.0.0.1:9", "csv", "0", "-1", "1e9", "99999999999999999999", "")  # fmt: skip
words = st.one_of(st.sampled_from(WORDS), st.sampled_from(FLAGS), st.text(max_size=6).filter(lambda t: "\0" not in t))


@pytest.fixture(scope="module", autouse=True)
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder to work in, a store, and only the tests' studies beside the package's own."""
    before, place = dict(os.environ), os.getcwd()
    folder = tmp_path_factory.mktemp("desk")
    os.environ.update(UNSEEN_HOME=str(folder / "home"), UNSEEN_STUDIES=str(STUDIES), HF_HUB_OFFLINE="1", NO_COLOR="1")
    for name in ("UNSEEN_DATA", "UNSEEN_DEVICE", "UNSEEN_BATCH_SIZE", "KEPT_ROWS_LOG"):
        os.environ.pop(name, None)
    os.chdir(folder)
    yield
    os.chdir(place)
    os.environ.clear()
    os.environ.update(before)


def said(*typed: str) -> tuple[int, str, str]:
    """The exit code, output and errors of `unseen TYPED`."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    code: Any = 0
    sys.argv = ["unseen", *typed]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    return int(code or 0), out.getvalue(), err.getvalue()


def one_paragraph(typed: list[str]) -> None:
    code, out, err = said(*typed)
    assert code in (0, 1, 2), (typed, code)
    assert "Traceback" not in out + err and "should not happen" not in err, (typed, err)
    told = [line for line in err.splitlines() if line.startswith("unseen: ")]
    assert len(told) <= 1 or code == 1, (typed, err)  # one paragraph, or one for each failed trial
    if code == 2:
        assert err.strip(), typed


heavy = {"run", "card", "compare", "validate", "report"}  # those that may measure: with words that name nothing large


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([v for v in VERBS if v not in heavy]), st.lists(words, max_size=5))
def test_any_words_after_any_verb(verb: str, typed: list[str]) -> None:
    one_paragraph([verb, *typed])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["--set", "--seeds", "--on", "--model", "--limit", "--dtype", "--tier"]), words, st.booleans())
def test_any_words_of_a_run(flag: str, word: str, plan: bool) -> None:
    one_paragraph(
        ["plan" if plan else "run", "kept_rows", *(["--tier", "smoke"] if flag != "--tier" else []), flag, word]
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["name", "steps", "every", "pause", "fault", "nothing", ""]),
    st.one_of(st.text(max_size=8), st.integers().map(str), st.floats().map(str)),
)
def test_any_setting_of_a_plan(name: str, text: str) -> None:
    one_paragraph(["plan", "kept_rows", "--tier", "smoke", "--set", f"{name}={text}".replace("\0", "")])


unmeasured = words.filter(lambda word: word not in ("all", "tiny:decoder"))  # a card of either asks every study


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(heavy - {"run"})), st.lists(unmeasured, max_size=5))
def test_any_words_after_a_verb_that_may_measure(verb: str, typed: list[str]) -> None:
    one_paragraph([verb, *typed])


def test_no_words_print_the_help() -> None:
    code, out, err = said()
    assert code in (0, 2) and "Usage: " in out + err
