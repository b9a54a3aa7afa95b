"""A function as a model: found where the user stands, checked before it is asked, in workers too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unseen import models
from unseen.core.errors import Damaged, Invalid, Missing, Mistake

WORDS = "prompts, *, max_new_tokens, temperature, seed, stop"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """A current folder of the test's own, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("mine"):
            del sys.modules[name]


def test_it_answers_and_scores(here: Path) -> None:
    (here / "mine.py").write_text(
        f"def f({WORDS}):\n    return [f'{{p}}|{{max_new_tokens}}|{{temperature}}|{{seed}}|{{stop}}' for p in prompts]\n"
        "f.logprobs = lambda prompts, answers: [-len(p + a) for p, a in zip(prompts, answers)]\n"
    )
    model = models.open("py:mine:f")
    told = model.generate(["a", "b"], max_new_tokens=3, temperature=0.5, seed=2, stop=["x"])
    assert [t.text for t in told] == ["a|3|0.5|2|('x',)", "b|3|0.5|2|('x',)"]
    assert model.logprobs(["a", "bc"], ["x", ""]).tolist() == [-2.0, -2.0]


def test_a_module_is_that_of_the_folder_the_user_stands_in(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("one", "two"):
        (here / place).mkdir()
        (here / place / "mine_place.py").write_text(f"def {place}({WORDS}):\n    return ['{place}' for _ in prompts]\n")
    for place in ("one", "two", "one"):
        monkeypatch.chdir(here / place)
        assert models.open(f"py:mine_place:{place}").generate([f"{place}?"], max_new_tokens=1)[0].text == place


def test_callables_of_every_sort_serve(here: Path) -> None:
    (here / "mine_sorts.py").write_text(
        "from functools import partial\n"
        "class Model:\n    def __call__(self, prompts, **words): return ['object'] * len(prompts)\n"
        "    def logprobs(self, prompts, answers): return [0.0] * len(prompts)\n"
        "model = Model()\n"
        "def g(said, prompts, **words): return [said] * len(prompts)\n"
        "bound = partial(g, 'partial')\n"
    )
    assert models.open("py:mine_sorts:model").generate(["a"], max_new_tokens=1)[0].text == "object"
    assert models.open("py:mine_sorts:model").logprobs(["a"], ["b"]).tolist() == [0.0]
    assert models.open("py:mine_sorts:bound").generate(["a"], max_new_tokens=1)[0].text == "partial"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def f(prompts): return prompts", "cannot be called as"),
        ("f = 3", "has no function f"),
        ("raise ValueError('broken inside')", "cannot be imported.*broken inside"),
        ("import sys; sys.exit(3)", "cannot be imported.*SystemExit"),
        ("def f(:", "cannot be imported.*SyntaxError"),
    ],
)
def test_what_cannot_be_asked_is_told_before(body: str, told: str, here: Path) -> None:
    name = f"mine_{abs(hash(body))}"
    (here / f"{name}.py").write_text(body + "\n")
    for verb in (models.probe, models.resolve, models.open):
        with pytest.raises(Mistake, match=told):
            verb(f"py:{name}:f")


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("'text'", "returned str"),
        ("['a']", r"1 values \(str\) for 2"),
        ("[1, 2]", r"2 values \(int\)"),
        ("None", "NoneType"),
    ],
)
def test_what_it_returns_is_checked(returned: str, told: str, here: Path) -> None:
    name = f"mine_{abs(hash(returned))}"
    (here / f"{name}.py").write_text(f"def f(prompts, **words): return {returned}\n")
    with pytest.raises(Invalid, match=told):
        models.open(f"py:{name}:f").generate(["a", "b"], max_new_tokens=1)


def test_its_logprobs_are_checked(here: Path) -> None:
    (here / "mine_bad.py").write_text(
        "def f(prompts, **words): return ['x'] * len(prompts)\nf.logprobs = lambda p, a: [-1.0]\n"
    )
    with pytest.raises(Invalid, match=r"one number each"):
        models.open("py:mine_bad:f").logprobs(["a", "b"], ["x", "y"])


def test_changed_source_is_another_model_and_is_loaded_anew(here: Path) -> None:
    """A pin that names the new source while the old code answers would be a lie."""
    path = here / "mine_edit.py"
    path.write_text("def f(prompts, **words): return ['old'] * len(prompts)\n")
    pin = models.resolve("py:mine_edit:f")
    assert models.open(pin).generate(["a"], max_new_tokens=1)[0].text == "old"
    path.write_text("def f(prompts, **words): return ['newer'] * len(prompts)\n")
    assert models.resolve("py:mine_edit:f") != pin
    assert models.open("py:mine_edit:f").generate(["a"], max_new_tokens=1)[0].text == "newer"
    with pytest.raises(Damaged, match="changed while it was in use"):
        models.open(pin)


def test_the_module_a_function_is_defined_in_counts_too(here: Path) -> None:
    (here / "mine_inner.py").write_text("def f(prompts, **words): return ['x'] * len(prompts)\n")
    (here / "mine_outer.py").write_text("from mine_inner import f\n")
    before = models.resolve("py:mine_outer:f")
    assert before == models.resolve("py:mine_outer:f")
    (here / "mine_inner.py").write_text("def f(prompts, **words): return ['other'] * len(prompts)\n")
    assert models.resolve("py:mine_outer:f") != before


STUDY = """
from dataclasses import dataclass
from unseen.core.claim import Claim, above, level
from unseen.core.study import Model, Needs, Paper, Study

@dataclass(frozen=True, slots=True)
class Setting:
    name: int
    model: Model = Model("py:mine_worker:f")

STUDY = Study(
    paper=Paper("Asks a Function", None, 2024),
    axes=("length",),
    settings=lambda tier: [Setting(i) for i in range(3)],
    seeds={"smoke": 1, "laptop": 1, "paper": 1},
    needs=lambda s: Needs(0.1),
    evidence=lambda s: "twin",
    claims=(Claim("C1", "It answers.", reported="1", source="paper", effect=level("said"), expect=above(0)),),
)
"""
TRIAL = """
from unseen import models
from unseen.core.record import Row

def run(setting, lab):
    model = models.open(lab.pinned(setting.model))
    told = model.generate([f"{setting.name}:{i}" for i in range(5)], max_new_tokens=4)
    yield Row("said", sum(len(t.text) for t in told))
    yield Row("scored", float(model.logprobs(["a"], ["bc"])[0]))
"""
RUN = """
import json
from unseen.core.execute import execute, here, procs
from unseen.core.store import Store
from unseen.driver import ask, pinned, trials_of

if __name__ == "__main__":
    import sys
    store = Store(sys.argv[1])
    outcomes = execute(pinned(trials_of(ask("asks_function", "smoke"))), store, procs(2))
    print(json.dumps([[o.status, o.error, store.records([o.trial]).frame()["value"].to_list()] for o in outcomes]))
"""


def test_it_is_found_in_workers_too(here: Path) -> None:
    """The current folder is importable in spawned processes, and the pin that the driver took is opened there."""
    (here / "mine_worker.py").write_text(
        "def f(prompts, **words): return [p * 2 for p in prompts]\nf.logprobs = lambda p, a: [-3.0] * len(p)\n"
    )
    folder = here / "kept" / "asks_function"
    folder.mkdir(parents=True)
    (folder / "study.py").write_text(STUDY)
    (folder / "trial.py").write_text(TRIAL)
    (here / "go.py").write_text(RUN)
    words = {**os.environ, "UNSEEN_STUDIES": str(here / "kept"), "UNSEEN_HOME": str(here / "home")}
    told = subprocess.run(
        [sys.executable, "go.py", str(here / "home")], cwd=here, env=words, capture_output=True, text=True, timeout=300
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == [["done", "", [30.0, -3.0]]] * 3


def test_a_module_that_is_gone_is_missing(here: Path) -> None:
    with pytest.raises(Missing, match=f"cannot be imported from {here}"):
        models.probe("py:mine_nowhere:f")
