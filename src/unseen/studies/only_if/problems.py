'''Which code is asked for? Functions with tests: chains of list operations written here, or a file in HumanEval's form.

prompt  def solve(xs):
            """Add 3 to every number. Then keep the numbers above 7."""
truth       xs = [x + 3 for x in xs]
            xs = [x for x in xs if x > 7]
            return xs
'''

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unseen.core.errors import Invalid, Missing
from unseen.core.record import Split
from unseen.core.task import Example, example_id
from unseen.tasks.drawn import split_named
from unseen.tasks.rows import json_rows

from .checking import code_of, passes

Write = Callable[[int], tuple[str, str]]  # a number k -> what is asked, and the expression over xs
STEPS: tuple[Write, ...] = (
    lambda k: (f"Add {k} to every number.", f"[x + {k} for x in xs]"),
    lambda k: (f"Multiply every number by {k}.", f"[x * {k} for x in xs]"),
    lambda k: (f"Keep the numbers above {k}.", f"[x for x in xs if x > {k}]"),
    lambda k: (f"Keep the numbers that {k} divides.", f"[x for x in xs if x % {k} == 0]"),
    lambda k: (f"Leave out the first {k} numbers.", f"xs[{k}:]"),
    lambda k: (f"Keep only the last {k} numbers.", f"xs[-{k}:]"),
    lambda k: (f"Sort the numbers by their remainder after division by {k}.", f"sorted(xs, key=lambda x: x % {k})"),
    lambda k: (f"Put {k} at the end of the list.", f"[*xs, {k}]"),
)
TRAINED, LONGER = (1, 2), 3  # steps of the functions taught, and of those that are longer
ENTRY = "solve"
WHOLE = "problems"  # the split of a file


@dataclass(frozen=True)
class Problem:
    """A function to complete, a body that is right, its tests (`check(candidate)`) and its name."""

    prompt: str
    body: str
    test: str
    entry: str


@dataclass(frozen=True)
class Problems:
    """A Task of functions to write. An answer is the function, fenced or not, or what goes on from the prompt.

    `source` is "twin" (written here: reference, as long as those taught; shifted, longer), a jsonl file, or `hf:org/set`.
    """

    source: str = "twin"
    name: str = "code"
    held: dict[str, tuple[Problem, str]] = field(default_factory=dict[str, tuple[Problem, str]], compare=False)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits of the twin by the number of steps, or the one of a file."""
        if self.source != "twin":
            return (Split(WHOLE, "task"),)
        return (
            Split("one or two steps", "task", {"chain": "as taught"}),
            Split("three steps", "task", {"chain": "longer"}, True),
        )

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n problems with distinct prompts; of a file, its first n. "train" has functions of one or two steps."""
        where = split_named(self, split, Split("train", "task"))
        made = (
            written(n, (LONGER,) if where.shifted else TRAINED, rng) if self.source == "twin" else read(self.source)[:n]
        )
        found: list[Example] = []
        for problem in made:
            one = Example(example_id(self.name, split, problem.prompt), problem.prompt, problem.body, where)
            self.held[one.id] = problem, split
            found.append(one)
        return found

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`passed`: 1 if the function in the answer passes its tests, else 0. Runs the answer: see `checking`."""
        problem = self.held[example.id][0]
        code = code_of(answer, problem.prompt, problem.entry)
        return {"passed": float(passes(code, problem.test, problem.entry))}


def written(n: int, lengths: Sequence[int], rng: np.random.Generator) -> list[Problem]:
    """n different functions of so many steps, each with four tests; a function's tests are a function of its prompt."""
    found: dict[str, Problem] = {}
    for _ in range(100 * n):
        if len(found) == n:
            break
        chosen = rng.choice(len(STEPS), int(rng.choice(np.asarray(lengths))), replace=False)
        told, lines = zip(*(STEPS[i](int(rng.integers(2, 10))) for i in chosen), strict=True)
        prompt = f'def {ENTRY}(xs):\n    """{" Then ".join([told[0], *(t[0].lower() + t[1:] for t in told[1:])])}"""\n'
        found.setdefault(prompt, Problem(prompt, _body(lines), _test(lines, prompt), ENTRY))
    return list(found.values())


def _body(lines: Sequence[str]) -> str:
    return "".join(f"    xs = {line}\n" for line in lines) + "    return xs\n"


def _test(lines: Sequence[str], prompt: str) -> str:
    rng = np.random.default_rng(int(example_id("test", "", prompt), 16))
    told = ["def check(candidate):"]
    for size in (0, 3, 6, 9):
        given = rng.integers(0, 40, size).tolist()
        right: Any = given
        for line in lines:  # lines are ours alone: no model's code is run in this process
            right = eval(line, {"xs": right, "sorted": sorted})
        told.append(f"    assert candidate({given}) == {right}")
    return "\n".join(told)


def read(path: str) -> list[Problem]:
    """The problems of a jsonl file, or of the split "test" of `hf:org/set`, in HumanEval's form: prompt,
    canonical_solution, test, entry_point.

    Raises Missing where there is no such file or set, Invalid, naming the line, where one lacks a field.
    """
    found: list[Problem] = []
    for i, row in enumerate(rows_of(path, "problems", "test"), 1):
        try:
            found.append(Problem(*(str(row[k]) for k in ("prompt", "canonical_solution", "test", "entry_point"))))
        except (KeyError, TypeError) as error:
            raise Invalid(
                f"{path}, row {i}: no problem in HumanEval's form (prompt, canonical_solution, test, entry_point): {error}."
            ) from None
    return found


def rows_of(source: str, what: str, split: str) -> list[Any]:
    """The rows of a jsonl file, or of a split of `hf:org/set[@revision]`.

    Raises Missing where there is none, Invalid, naming the line, for what is no JSON, and for no rows at all.
    """
    if source.startswith("hf:"):
        return _hub(source, what, split)
    file = Path(source).expanduser()
    if not file.is_file():
        raise Missing(f"{what}={source}: there is no such file; give a jsonl file, hf:org/set, or twin.")
    return [row for _, row in json_rows(file, "give jsonl rows, hf:org/set, or twin")]


def _hub(source: str, what: str, split: str) -> list[Any]:
    from datasets import load_dataset

    name, _, revision = source.removeprefix("hf:").partition("@")
    try:
        return list(load_dataset(name, revision=revision or None, split=split))
    except Exception as error:  # the hub fails in many ways
        raise Missing(
            f"{what}={source} cannot be had ({' '.join(str(error).split())[:200]}); give a local jsonl file, or fetch it once when there is a network."
        ) from None
