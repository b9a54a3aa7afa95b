"""Prompts for your own skills, and grades for solutions: what does a prompt show, and where does a solution go wrong?

unseen use skills_in_context prompt skic --from mine.json
unseen use skills_in_context prompt cot --task dp --question "Find the maximum sum of a subsequence of 3, 2, -1, 4 in which no two numbers are adjacent."
unseen use skills_in_context grade answers.jsonl --task dp

`mine.json` holds skills, solved exemplars and questions; `text` is a template over a step's `args` and its `result`:

    {"skills": [{"name": "last_letter", "says": "Find the last letter of a word.",
                 "text": "the last letter of {word} is {result}", "example": {"word": "taxi", "result": "i"}}],
     "exemplars": [{"question": "Take the last letters of apple dog.", "answer": "eg",
                    "steps": [{"skill": "last_letter", "args": {"word": "apple"}, "result": "e", "state": "e"},
                              {"skill": "last_letter", "args": {"word": "dog"}, "result": "g", "state": "eg"}],
                    "parts": [["apple", "e"], ["apple dog", "eg"]]}],
     "questions": ["Take the last letters of big yellow taxi."]}

As JSONL, each line is one skill (it has a name), exemplar (a question and an answer) or question (a question alone).
A skill without `text` has steps of free text: their `result` is the whole sentence. `state` and `parts` may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid, Missing, Mistake, Unknown, nearest
from unseen.core.model import Prompt
from unseen.core.record import Split
from unseen.methods import prompts
from unseen.methods.prompts import Material
from unseen.tasks import digits, gsm8k
from unseen.tasks.rows import json_rows
from unseen.tasks.traces import Graded, Skill, Step, Trace, legible, read, replay
from unseen.tasks.worked import Problem, Worked, worked

from .asked import PAPER_SIZES, Prompted
from .oracle import solved
from .tasks import prompted_task

app = typer.Typer(
    help="Prompts of every method for your own skills and problems, and grades that name a solution's first error.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
OWN = Split("own")


@dataclass(frozen=True, slots=True)
class Own:
    """What a user's file holds."""

    material: Material
    questions: tuple[str, ...]


def read_own(path: Path) -> Own:
    """The skills, exemplars and questions of a file. Raises Missing or Invalid with the place of what is wrong."""
    if not path.is_file():
        raise Missing(f"there is no file {path}; `unseen use skills_in_context --help` shows what it holds.")
    return own_of(_told(path), str(path))


def own_of(told: Mapping[str, Any], name: str = "the material") -> Own:
    """The same from plain JSON values."""
    results: dict[str, dict[str, str]] = {}
    skills = {s.name: s for s in (_skill(one, results, name) for one in told.get("skills", ()))}
    exemplars = tuple(_exemplar(one, skills, results, name) for one in told.get("exemplars", ()))
    questions = tuple(str(q) for q in told.get("questions", ()))
    return Own(Material(tuple(skills.values()), exemplars), questions)


def builtin(task: str, n: int, seed: int = 0, *, tables: bool = False) -> Material:
    """Skills and n exemplars of one of the study's tasks."""
    if task not in PAPER_SIZES:
        raise Unknown(
            f"--task {task}: there is no such task{nearest(task, PAPER_SIZES)}. Tasks: {', '.join(PAPER_SIZES)}."
        )
    made = prompted_task(Prompted("", task, "skic", *PAPER_SIZES[task]))  # type: ignore[arg-type]
    facts = {s.name: digits.table(s) for s in made.skills if s.name in digits.TABLED} if tables else {}
    return Material(made.skills, tuple(made.shown(n, np.random.default_rng(seed))), facts)


def built(method: str, material: Material, questions: Sequence[str], *, chat: bool = False) -> list[Prompt]:
    """The prompt of each question; for least_to_most its first stage, which asks for the parts."""
    if method not in prompts.METHODS:
        raise Unknown(
            f"the method {method!r} is not known{nearest(method, prompts.METHODS)}. Methods: {', '.join(prompts.METHODS)}."
        )
    if method == "least_to_most":
        return [prompts.decomposition(material, q, chat=chat) for q in questions]
    return [prompts.build(method, material, q, chat=chat) for q in questions]  # type: ignore[arg-type]


def graded(question: str, answer: str, own: Own | None = None, *, form: prompts.Form = "grounded") -> Graded:
    """The first error of a solution: of a question of the study's tasks, or of one that `own` holds solved."""
    if own is not None:
        gold = {e.prompt: e for e in own.material.exemplars}
        if question not in gold:
            raise Invalid(f"the question {question[:60]!r} is none of the solved ones, so nothing can be replayed.")
        return replay(gold[question].trace, read(answer), form, known=[s.name for s in own.material.skills])
    problem = solved(question)
    if problem.trace.steps[0].skill in gsm8k.SKILLS:
        return gsm8k.graded(worked("gsm8k", OWN, problem), answer, [s.name for s in gsm8k.SKILLS])
    return replay(problem.trace, read(answer), form, known=[s.name for s in problem.trace.skills])


File = Annotated[Path | None, typer.Option("--from", help="Your skills, exemplars and questions, JSON or JSONL.")]
TaskWord = Annotated[str | None, typer.Option("--task", help="Take skills and exemplars of one of the study's tasks.")]


@app.command(name="prompt")
def prompt_command(
    method: Annotated[str, typer.Argument(help="zero_shot, few_shot, cot, least_to_most, skic, skic_without_…")],
    file: File = None,
    task: TaskWord = None,
    question: Annotated[list[str] | None, typer.Option(help="A question to ask; may be given often.")] = None,
    num_fewshot: Annotated[int, typer.Option("--num-fewshot", help="Exemplars of a built-in task.")] = 2,
    chat: Annotated[bool, typer.Option("--apply-chat-template", help="Turns of a chat, as JSON.")] = False,
    seed: int = 0,
) -> None:
    """Print the prompt of each question."""
    own = _chosen(file, task, num_fewshot, seed)
    questions = [*(question or ()), *own.questions]
    if not questions:
        raise Invalid("there is no question to ask; give --question, or questions in the file.")
    for one in built(method, own.material, questions, chat=chat):
        typer.echo(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, indent=1))


@app.command(name="skills")
def skills_command(file: File = None, task: TaskWord = None, tables: bool = False) -> None:
    """Print the list of skills, as prompts hold it."""
    material = builtin(task, 1, tables=tables) if task else _chosen(file, task, 1, 0).material
    typer.echo(prompts.skill_list(material))


@app.command(name="grade")
def grade_command(
    answers: Annotated[Path, typer.Argument(help="JSONL rows with question and answer.")],
    file: File = None,
    form: Annotated[str, typer.Option(help="How the steps are told: grounded, bare or plain.")] = "grounded",
) -> None:
    """Print the first error of every solution: its kind, the step it is in, and the skills that were named."""
    if form not in ("grounded", "bare", "plain"):
        raise Invalid(f"--form {form}: steps are told grounded, bare or plain.")
    own = None if file is None else read_own(file)
    for number, row in enumerate(_rows(answers), 1):
        if not {"question", "answer"} <= set(row):
            raise Invalid(f"{answers}, row {number} holds {', '.join(row)}; it needs question and answer.")
        found = graded(str(row["question"]), str(row["answer"]), own, form=form)  # type: ignore[arg-type]
        told = {"question": row["question"], "error": found.error, "at": found.at, "named": sorted(found.named)}
        typer.echo(json.dumps(told, ensure_ascii=False))


def _chosen(file: Path | None, task: str | None, n: int, seed: int) -> Own:
    if (file is None) == (task is None):
        raise Invalid(
            "say where skills and exemplars come from: --from FILE for your own, or --task TASK for a built-in."
        )
    return read_own(file) if file is not None else Own(builtin(str(task), n, seed), ())


def _told(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".jsonl":
            told = json.loads(text)
            if not isinstance(told, dict):
                raise Invalid(f"{path} holds {type(told).__name__}; it is to be an object with skills and exemplars.")
            return told
    except ValueError as error:
        raise Invalid(f"{path} is no JSON ({error}); end its name with .jsonl if every line is one object.") from None
    found: dict[str, list[Any]] = {"skills": [], "exemplars": [], "questions": []}
    for row in _rows(path):
        kind = "skills" if "name" in row else "exemplars" if "answer" in row else "questions"
        found[kind].append(row.get("question", "") if kind == "questions" else row)
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, row in json_rows(path, "each line is an object"):
        if not isinstance(row, dict):
            raise Invalid(f"{path}, line {number} holds {type(row).__name__}; it is to be an object.")
        found.append(row)
    return found


def _skill(told: Mapping[str, Any], results: dict[str, dict[str, str]], name: str) -> Skill:
    """A user's skill: it knows the results that the file gives, and no other."""
    try:
        title, says, example = str(told["name"]), str(told["says"]), dict(told.get("example", {}))
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"{name}: a skill needs name and says ({type(error).__name__}: {error}).") from None
    args = {k: str(v) for k, v in example.items() if k != "result"}
    known = results.setdefault(title, {})
    known[_key(args)] = str(example.get("result", ""))
    return legible(Skill(title, says, str(told.get("text", "{result}")), lambda **a: known[_key(a)], args))


def _exemplar(
    told: Mapping[str, Any], skills: Mapping[str, Skill], results: Mapping[str, dict[str, str]], name: str
) -> Worked:
    try:
        question, answer = str(told["question"]), str(told["answer"])
        steps: list[Step] = []
        for one in told.get("steps", ()):
            if one["skill"] not in skills:
                raise Unknown(
                    f"{name}: a step uses the skill {one['skill']!r}, which is not listed{nearest(one['skill'], skills)}."
                )
            args = {k: str(v) for k, v in one.get("args", {}).items()}
            results[one["skill"]][_key(args)] = str(one["result"])
            step = Step(skills[one["skill"]], args, str(one["result"]), str(one.get("state", "")))
            step.text()
            steps.append(step)
        parts = tuple((str(q), str(a)) for q, a in told.get("parts", ()))
    except Mistake:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(
            f"{name}: the exemplar {str(told)[:60]!r} lacks something ({type(error).__name__}: {error})."
        ) from None
    return worked("own", OWN, Problem(question, Trace(tuple(steps), answer), parts))


def _key(args: Mapping[str, str]) -> str:
    return json.dumps(args, sort_keys=True)
