"""Prompts for skills of one's own, grades for texts by any grader, and how far graders agree.

unseen use skill_composition skills                                     the skills of our own, and which a program checks
unseen use skill_composition prompts --k 3 --n 5                        requests for texts, as JSON rows
unseen use skill_composition again replies.jsonl                        the second turn, which looks over the first reply
unseen use skill_composition grade texts.jsonl --grader hf:ORG/NAME     points and scores of every text
unseen use skill_composition agreement A.jsonl B.jsonl                  of two files that `grade` wrote

A row of texts has `skills` (names), `topic` and `text`; a row that `prompts` wrote has all but the text. Skills are those
of our own unless a CSV with the columns category, skill, definition and example is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid
from unseen.tasks.rows import json_rows

from . import agreement, likely, wording
from .arms_mix import PROGRAM
from .checked import CHECKS
from .combined import Combination, drawn
from .grading import Graded, Text, by_program_alone, grade
from .scores import OTHERS, majority
from .skills import Stock, own, published, read_skills, read_topics

app = typer.Typer(
    help="Skill-Mix for skills of your own: prompts, grades by any grader, and agreement between graders.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
HOLDS = "each line is an object with skills, topic and text"
KNOWN = ("skills", "topic", "text")
GRADED = "each line is as `unseen use skill_composition grade` writes it"
SkillsFile = Annotated[Path | None, typer.Option("--skills", help="A CSV of skills; those of our own if left out.")]
TopicsFile = Annotated[Path | None, typer.Option("--topics", help="A text file with one topic a line.")]
Published = Annotated[bool, typer.Option("--published", help="The ten skills and topics that Skill-Mix published.")]


def stock_of(skills: Path | None = None, topics: Path | None = None, *, of_paper: bool = False) -> Stock:
    """The skills and topics of files, those published, or those of our own. Raises Missing or Invalid."""
    if of_paper and skills is not None:
        raise Invalid(f"--published and --skills {skills} name two sets of skills; give one of them.")
    chosen = published() if of_paper else own()
    if skills is not None:
        chosen = replace(chosen, skills=read_skills(skills))
    return chosen if topics is None else replace(chosen, topics=read_topics(topics))


def prompts(stock: Stock, k: int, n: int, *, seed: int = 0, chat: bool = False) -> list[dict[str, Any]]:
    """n requests for texts of k skills, as rows with skills, topic and prompt; the same arguments draw the same ones."""
    return [{**_row(c), "prompt": wording.asked(c, chat=chat)} for c in drawn(stock, k, n, np.random.default_rng(seed))]


def graded(
    rows: Sequence[Mapping[str, Any]], stock: Stock, grader: str = PROGRAM, *, gradings: int = 3, chat: bool = True
) -> list[dict[str, Any]]:
    """Each row of texts with the points of every grading, those of the majority, and the three scores.

    `gradings` and `chat` are of a grader that is a model; it is asked at Skill-Mix's temperature of 0.7.
    """
    texts = [_text_of(row, stock) for row in rows]
    if grader == PROGRAM:
        found = by_program_alone(texts)
    else:
        from unseen import models

        judge = models.open(grader.removeprefix(likely.PREFIX))
        if grader.startswith(likely.PREFIX):
            found = likely.grade(judge, texts)
        else:
            found = grade(judge, texts, gradings=gradings, temperature=0.7, chat=chat)
    return [_graded_row(one, text, found, i, grader) for i, (one, text) in enumerate(texts)]


def agreed(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Raw agreement and Cohen's kappa of two graders of the same texts, of skills' points and of each other point.

    Raises Invalid where the rows are not of the same texts.
    """
    for number, (a, b) in enumerate(zip(first, second, strict=False), 1):
        if any(a.get(key) != b.get(key) for key in KNOWN):
            raise Invalid(f"row {number} of the two files is not of one text; grade the same file with both graders.")
    if len(first) != len(second):
        raise Invalid(f"the files hold {len(first)} and {len(second)} rows; grade the same file with both graders.")
    points = [_by_kind(rows) for rows in (first, second)]
    return {kind: {"agreed": agreement.raw(points[0][kind], points[1][kind]), "kappa": agreement.kappa(points[0][kind], points[1][kind]), "n": len(points[0][kind])} for kind in points[0]}  # fmt: skip


@app.command(name="skills")
def skills_command(skills: SkillsFile = None, of_paper: Published = False) -> None:
    """Print every skill: its category, its name, whether a program checks it, and its definition."""
    for one in stock_of(skills, of_paper=of_paper).skills:
        typer.echo(f"{one.category:<18} {one.name:<24} {'checked' if one.name in CHECKS else 'judged':<8} {one.definition}")  # fmt: skip


@app.command(name="prompts")
def prompts_command(
    k: Annotated[int, typer.Option("--k", min=1, help="Skills of a text.")] = 2,
    n: Annotated[int, typer.Option("--n", min=1, help="How many requests.")] = 5,
    skills: SkillsFile = None,
    topics: TopicsFile = None,
    of_paper: Published = False,
    seed: int = 0,
    chat: Annotated[bool, typer.Option("--apply-chat-template", help="Turns of a chat.")] = False,
) -> None:
    """Print requests for texts that show k skills, one JSON row each."""
    for row in prompts(stock_of(skills, topics, of_paper=of_paper), k, n, seed=seed, chat=chat):
        typer.echo(json.dumps(row, ensure_ascii=False))


@app.command(name="again")
def again_command(
    replies: Annotated[Path, typer.Argument(help="JSONL rows of `prompts`, with the first reply as text.")],
    skills: SkillsFile = None,
    of_paper: Published = False,
    chat: Annotated[bool, typer.Option("--apply-chat-template", help="Turns of a chat.")] = False,
) -> None:
    """Print the second request, to look over the first reply, one JSON row each."""
    stock = stock_of(skills, of_paper=of_paper)
    for row in _rows(replies, HOLDS):
        one, _ = _text_of(row, stock)
        typer.echo(json.dumps({**_row(one), "prompt": wording.again(one, str(row["text"]), chat=chat)}, ensure_ascii=False))  # fmt: skip


@app.command(name="grade")
def grade_command(
    texts: Annotated[Path, typer.Argument(help="JSONL rows with skills, topic and text.")],
    grader: Annotated[
        str,
        typer.Option(
            help="program, any model (hf:ORG/NAME, api:NAME@URL, …), or likely: before its name, for a small one."
        ),
    ] = PROGRAM,
    skills: SkillsFile = None,
    of_paper: Published = False,
    gradings: Annotated[int, typer.Option(min=1, help="Gradings of a model, of which the majority counts.")] = 3,
    chat: Annotated[bool, typer.Option("--apply-chat-template/--no-apply-chat-template")] = True,
) -> None:
    """Print the points and scores of every text, one JSON row each."""
    rows = list(_rows(texts, HOLDS))
    for row in graded(rows, stock_of(skills, of_paper=of_paper), grader, gradings=gradings, chat=chat):
        typer.echo(json.dumps(row, ensure_ascii=False))


@app.command(name="agreement")
def agreement_command(
    first: Annotated[Path, typer.Argument(help="Rows that `grade` wrote.")],
    second: Annotated[Path, typer.Argument(help="Rows of the same texts by another grader.")],
) -> None:
    """Print raw agreement and Cohen's kappa of two graders for every kind of point."""
    for kind, told in agreed(list(_rows(first, GRADED)), list(_rows(second, GRADED))).items():
        typer.echo(f"{kind:<10} agreed {told['agreed']:.3f}  kappa {told['kappa']:.3f}  of {told['n']:.0f} points")


def _row(one: Combination) -> dict[str, Any]:
    return {"skills": [s.name for s in one.skills], "topic": one.topic.name}


def _text_of(row: Mapping[str, Any], stock: Stock) -> Text:
    """A row's combination and text, which a reply may hold. Raises Unknown for a skill that is not there."""
    return Combination(stock.named(row["skills"]), stock.topic(row["topic"])), wording.read_text(row["text"])


def _graded_row(one: Combination, text: str, found: Graded, i: int, grader: str) -> dict[str, Any]:
    scored = found.scored(i)
    return {
        **_row(one),
        "text": text,
        "grader": grader,
        "points": majority(found.points[i]).astype(int).tolist(),
        "gradings": found.points[i].astype(int).tolist(),
        **{name: float(getattr(scored, name)) for name in ("full", "all_skills", "fraction")},
    }


def _by_kind(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """The points of all rows, by kind. Raises Invalid for a row whose points are not those of its skills."""
    found: dict[str, list[int]] = {"skills": [], **{name: [] for name in OTHERS[:2]}}
    for number, row in enumerate(rows, 1):
        points = row.get("points")
        k = len(row["skills"])
        if not isinstance(points, list) or len(points) != k + len(OTHERS) or not set(points) <= {0, 1}:
            raise Invalid(f"row {number} has the points {str(points)[:60]}; a text of {k} skills has {k + len(OTHERS)}, each 0 or 1.")  # fmt: skip
        found["skills"] += points[:k]
        for j, name in enumerate(OTHERS[:2]):
            found[name].append(points[k + j])
    return found


def _rows(path: Path, holds: str) -> Iterator[dict[str, Any]]:
    for number, row in json_rows(path, holds):
        if not isinstance(row, dict) or not set(KNOWN) <= set(row):
            raise Invalid(f"{path}, line {number}: a row needs skills, topic and text.")
        if not isinstance(row["skills"], list) or not row["skills"] or not all(isinstance(v, str) for v in (*row["skills"], row["topic"], row["text"])):  # fmt: skip
            raise Invalid(f"{path}, line {number}: skills is a list of names, topic and text are texts.")
        yield row
