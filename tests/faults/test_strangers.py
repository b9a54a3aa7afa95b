"""A store from a stranger is judged and rendered without harm: a result or one of our errors, whatever is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unseen

HERE = Path(__file__).parent
PACKAGE = Path(unseen.__file__).parent
Start = Callable[..., Any]


@pytest.fixture(scope="module")
def sent(kennel: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store with finished trials, an index, a plan, live progress and an unfinished trial; and what must not be read."""
    place = tmp_path_factory.mktemp("sent")
    store, part = place / "store", ("kept_rows", "--tier", "smoke", "--set", "name=a")
    ended = kennel(store, "run", *part)
    assert ended.code == 0, ended.said
    made = (
        'import sys; from unseen.core.store import Store; print(len(list(Store(sys.argv[1]).manifests("kept_rows"))))'
    )
    subprocess.run([sys.executable, "-c", made, store], check=True, capture_output=True)
    told_of(store)
    from unseen.core.journal import Journal
    from unseen.core.record import Row, Split

    for folder in (store / "trials" / "kept_rows").iterdir():
        journal = Journal(store / "partial" / "kept_rows" / folder.name, {"code": "x"})
        for step in range(5):
            journal.add(Row("sum", 0.5, Split("near", at={"length": 1}), step=step, seed=0))
        journal.close()
    canary = place / "canary"
    canary.mkdir()
    import polars as pl

    pl.DataFrame({"measure": ["secret"], "value": [1.0]}).write_parquet(canary / "records.parquet")
    (canary / "trial.json").write_text(json.dumps({"key": "canary", "files": {"records.parquet": {}}}))
    return store, canary


def told_of(store: Path) -> None:
    """Progress and a failure of its trials, as the driver tells them, and a history of two models' cards."""
    import dataclasses

    from unseen import driver
    from unseen.core import history
    from unseen.core.card import Card, Interval, Profile

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNSEEN_HOME", str(store))
        patch.setenv("UNSEEN_STUDIES", str(HERE / "studies"))
        judged = driver.judge(driver.ask("kept_rows", "smoke", sweep={"name": "a"}))
    assert history.note_verdicts(store, dataclasses.replace(judged, exploratory=False)) == 1
    one, other, *_ = sorted(p.name for p in (store / "trials" / "kept_rows").iterdir())
    at = {"study": "kept_rows", "setting": {"name": "a", "pause": 0.0}, "seeds": [0, 1], "when": time.time()}
    shown = {"sum": 0.5, "state": "on", "n": 3}
    now = {**at, "key": one, "done": 1, "of": 2, "shown": shown, "since": time.time() - 60}
    for folder, told in (("live", now), ("failed", {**at, "key": other, "error": "the sum went wrong"})):
        (store / folder).mkdir(exist_ok=True)
        (store / folder / f"{told['key']}.json").write_text(json.dumps(told))
    some = Interval(0.5, 0.4, 0.6)
    profile = Profile("kept_rows", "length", "hit", 0.5, some, some, some, 40, "twin", [("1", 0.5, 20)], {"a": 1}, "", formats=[("plain", 0.4, 0.5)])  # fmt: skip
    for model, level in (("smollm2", 0.5), ("smollm2", 0.6), ("hf:ORG/NAME", 0.7)):
        gap = dataclasses.replace(profile, gap=Interval(level, 0.3, 0.9))
        assert history.note_card(store, Card(model, "smoke", {"length": [gap]}, None, ["a note"], None), {}) == 1


def fuzzed(sent: tuple[Path, Path], first: int, last: int, reports: int) -> Counter[str]:
    """What came of these cases."""
    words = [sys.executable, HERE / "stranger.py", *sent, first, last, reports]
    env = {**os.environ, "UNSEEN_STUDIES": str(HERE / "studies"), "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    told = subprocess.run([str(w) for w in words], capture_output=True, text=True, env=env, check=False, timeout=600)
    at = sent[0].parent / f"at-{first}"
    assert told.returncode == 0, f"at case {at.read_text()}: exit {told.returncode}; {told.stderr[-3000:]}"
    return Counter(json.loads(told.stdout.splitlines()[-1])["met"])


def test_a_few_hundred_harmed_stores(sent: tuple[Path, Path]) -> None:
    met = fuzzed(sent, 0, 60, 20)
    assert met["result"] > 100 and met["Damaged"] + met["Missing"] > 5, met


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("part", range(20))
def test_ten_thousand_harmed_stores(part: int, sent: tuple[Path, Path]) -> None:
    first = 10_000 + 500 * part
    met = fuzzed(sent, first, first + 500, 50)
    assert met.total() >= 500 * 5, met


# nothing that was stored is ever run

ALLOWED = {  # (file, what it says): why what it reads cannot run
    ("tasks/labelled.py", "np.load"): "without allow_pickle, which numpy refuses by default",
    ("tasks/tables.py", "np.load"): "allow_pickle=False",
    ("studies/generalization_mystery/columns.py", "np.load"): "without allow_pickle",
    ("pages/search.py", "np.load"): "allow_pickle=False",
    ("studies/general_purpose_in_context/embedded.py", "np.load"): "without allow_pickle",
    ("studies/only_if/problems.py", "eval"): "lines of code that the study itself draws, never read from a file",
    ("studies/length_generalization/tool.py", "exec"): "the program that its user names on the command line",
    ("studies/length_generalization/tool.py", "compile"): "the same program",
}


def test_nothing_stored_is_unpickled_or_run() -> None:
    """Every place in the package that could run what it reads is named here, with the reason why it does not."""
    import ast

    found: set[tuple[str, str]] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "allow_pickle=True" not in text and "weights_only=False" not in text, path
        for node in ast.walk(ast.parse(text)):
            if (said := _runs(node)) is not None:
                found.add((path.relative_to(PACKAGE).as_posix(), said))
    assert found == set(ALLOWED), sorted(found ^ set(ALLOWED))


MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "code", "codeop"}
CALLS = {"eval", "exec", "compile", "__import__"}
LOADS = {
    ("torch", "load"),
    ("yaml", "load"),
    ("np", "load"),
    ("numpy", "load"),
    ("pd", "read_pickle"),
    ("yaml", "unsafe_load"),
}


def _runs(node: Any) -> str | None:
    """What in this piece of syntax may run what it reads."""
    import ast

    if isinstance(node, ast.Import):
        return next((a.name for a in node.names if a.name.split(".")[0] in MODULES), None)
    if isinstance(node, ast.ImportFrom):
        return node.module if not node.level and (node.module or "").split(".")[0] in MODULES else None
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        return node.func.id
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        pair = node.func.value.id, node.func.attr
        return ".".join(pair) if pair in LOADS else None
    return None
