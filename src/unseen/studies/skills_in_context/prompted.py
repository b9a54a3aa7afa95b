"""How is a language model asked? Prompts of one method over exemplars and items of each seed; every answer is an Item.

Item("6f1c…", Split("8 words", …), prompt="…", answer="1. Using Skill <words_to_list>, …", truth="egaxtnop",
     scores={"exact": 0, "copied": 0, "truncated": 0, "failed_by_copying": 1, …}, seed=2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from unseen import models
from unseen.core.lab import Lab
from unseen.core.model import Prompt
from unseen.core.record import Item, Split
from unseen.methods import prompts, rounds
from unseen.methods.prompts import Material
from unseen.tasks import commaqa, digits, gsm8k
from unseen.tasks.commaqa import Twin
from unseen.tasks.drawn import own
from unseen.tasks.traces import ERRORS, Graded, internal_share, read, replay
from unseen.tasks.worked import Sized, Stored, Worked

from .asked import UNTRAINED, Control, Prompted
from .tasks import prompted_task

ORACLE = "py:unseen.studies.skills_in_context.oracle:answer"
ROOM = 0.6  # tokens a letter of the longest right answer that an answer may take; words need 0.4, numbers 0.55
SPARE = 32  # and so many more
MORE = 4  # the step after the longest right solution at which an answer is cut off
Task = Sized | Stored | Twin


@dataclass(frozen=True, slots=True)
class Said:
    """What was asked and said of one item: the whole account, the part its final answer is read from, how it ended."""

    prompt: str
    text: str
    final: str
    finish: str
    tokens: int


def run(setting: Prompted | Control, lab: Lab) -> Iterator[Item]:
    """Yield every item with `exact`, `copied`, `truncated`, and for methods that show steps the kind of first error."""
    asked = setting if isinstance(setting, Prompted) else of_control(setting)
    task = prompted_task(asked, lab)
    model = models.open(asked.model, lab=lab, dtype=asked.dtype)
    for done, seed in enumerate(lab.seeds, 1):
        material = material_of(asked, task, lab, seed)
        examples = [e for split in task.splits for e in examples_of(asked, task, split, lab, seed)]
        told = said(model, asked, material, examples)  # at once: what prompts share is read once, batches are full
        items = [_item(asked, task, material, e, s, seed) for e, s in zip(examples, told, strict=True)]
        yield from items
        lab.progress(done, len(lab.seeds), **_means(items))


def of_control(setting: Control) -> Prompted:
    """The control's setting as one that asks its speaker."""
    model = UNTRAINED if setting.speaker == "untrained" else type(UNTRAINED)(ORACLE)
    return Prompted(model, setting.task, setting.method, setting.shown, setting.beyond, limit=setting.limit)


def material_of(setting: Prompted, task: Task, lab: Lab, seed: int) -> Material:
    """The skills, exemplars and tables of a seed's prompts. All methods show the same exemplars."""
    # DEPARTS: exemplars are drawn anew for every seed; the paper's are two to eight fixed ones, in its figures 10 to 23
    shown = tuple(task.shown(setting.num_fewshot, lab.rng("exemplars", setting.task, seed=seed)))
    if setting.order:
        places = lab.rng("order", setting.order, seed=seed).permutation(len(shown))
        shown = tuple(shown[i] for i in places)
    if setting.exemplars == "shuffled":
        shown = prompts.shuffled(shown, lab.rng("shuffled", seed=seed))
    # DEPARTS: the list of skills shows one example of each; the paper's holds all 100 one-digit sums, as `tables` does
    tables = {s.name: digits.table(s) for s in task.skills if s.name in digits.TABLED} if setting.tables else {}
    return Material(task.skills, shown, tables)


def examples_of(setting: Prompted, task: Task, split: Split, lab: Lab, seed: int) -> Sequence[Worked]:
    """A seed's items of a split: no two seeds share one, unless a released set is asked whole (`limit=0`)."""
    if not setting.limit and isinstance(task, Stored):
        return task.every(split.name)
    return own(
        task, split.name, setting.limit or 200, seed=seed, rng=lab.rng("asked", setting.task, split.name, seed=0)
    )


def said(model: Any, setting: Prompted, material: Material, examples: Sequence[Worked]) -> list[Said]:
    """What the model says of each example, by the setting's method."""
    chat, method = setting.apply_chat_template, setting.method
    if method in prompts.IN_ROUNDS:
        return _in_rounds(model, setting, material, examples)
    asked = [prompts.build(method, material, e.prompt, chat=chat) for e in examples]
    longest = max(len(prompts.solution(method, e)) for e in examples)
    most = min(setting.max_new_tokens, SPARE + ceil(ROOM * longest))
    ends = prompts.stop(method, chat=chat)
    if method in prompts.FORMS:  # steps are numbered: one that goes on and on is cut off, as it ends wrongly anyhow
        ends = (*ends, f"\n{max(len(e.trace.steps) for e in examples) + MORE}. ")
    answers = model.generate(asked, max_new_tokens=most, stop=ends)
    return [Said(_text(p), a.text, a.text, a.finish, a.tokens) for p, a in zip(asked, answers, strict=True)]


def scores(setting: Prompted, task: Task, material: Material, example: Worked, told: Said) -> dict[str, float]:
    """What an answer is worth, each a number from 0 to 1.

    `exact` the final answer is right; `copied` it is wrong, and that of an exemplar; `truncated` it was cut off;
    `failed_by_…` the kind of the first error of a solution; `internal` the share of the skills it names that are not
    in the prompt, where it names any.
    """
    exact = float(task.same(told.final, example.truth))
    others = [e.truth for e in material.exemplars if not task.same(e.truth, example.truth)]
    copied = float(not exact and any(task.same(told.final, truth) for truth in others))
    found = {"exact": exact, "copied": copied, "truncated": float(told.finish == "length")}
    if setting.method not in prompts.FORMS:
        return found
    known = [s.name for s in task.skills]
    error = _graded(setting, example, told.text, known).error
    found |= {f"failed_by_{kind.replace(' ', '_')}": float(error == kind) for kind in ERRORS}
    if (internal := internal_share(read(told.text), known)) is not None:
        found["internal"] = internal
    return found


def _graded(setting: Prompted, example: Worked, text: str, known: Sequence[str]) -> Graded:
    """The first error: word problems by their equations, the others by replaying the solution that is due."""
    if setting.task == "gsm8k":
        return gsm8k.graded(example, text, known)
    return replay(example.trace, read(text), prompts.FORMS[setting.method], known=known)


def _in_rounds(model: Any, setting: Prompted, material: Material, examples: Sequence[Worked]) -> list[Said]:
    """Least-to-most and decomposed prompting: several calls for each item, `tokens` counts those of all."""
    chat, most = setting.apply_chat_template, _room_of_parts(examples, setting.max_new_tokens)
    if setting.method == "least_to_most":
        reached = rounds.least_to_most(model, material, [e.prompt for e in examples], most=most, chat=chat)
    else:
        shown = [hops_of(e) for e in material.exemplars]
        reached = rounds.decomp(model, shown, [commaqa.halves(e.prompt) for e in examples], most=most, chat=chat)
    return [
        Said(e.prompt, r.text, f"The answer is {r.answer}.", r.finish, r.tokens)
        for e, r in zip(examples, reached, strict=True)
    ]


def hops_of(exemplar: Worked) -> rounds.Hops:
    """What decomposed prompting shows of an exemplar of commaqa."""
    facts, question = commaqa.halves(exemplar.prompt)
    states = {s.state.partition(" = ")[0]: s.state.partition(" = ")[2] for s in exemplar.trace.steps if s.state}
    return rounds.Hops(question, facts, commaqa.plan(question), tuple(states.values()), exemplar.parts[:-1])


def _room_of_parts(examples: Sequence[Worked], limit: int) -> tuple[int, int]:
    """Tokens for the longest list of parts, and for the longest answer to one; `limit` bounds both."""
    listed = max(sum(len(p) + len("Part: ") for p, _ in e.parts) for e in examples)
    answer = max(len(f"The answer is {a}.") for e in examples for _, a in e.parts)
    return min(limit, SPARE + ceil(ROOM * listed)), min(limit, SPARE + ceil(ROOM * answer))


def _means(items: Sequence[Item]) -> dict[str, float]:
    """The mean of `exact` on the reference and the shifted splits, to be shown while a trial goes on."""
    of = {far: [i.scores["exact"] for i in items if i.split.shifted == far] for far in (False, True)}
    return {name: sum(of[far]) / len(of[far]) for name, far in (("reference", False), ("shifted", True)) if of[far]}


def _item(setting: Prompted, task: Task, material: Material, example: Worked, told: Said, seed: int) -> Item:
    return Item(
        example.id,
        example.split,
        told.prompt,
        told.text,
        example.truth,
        scores(setting, task, material, example, told),
        finish=told.finish,
        tokens=told.tokens,
        seed=seed,
    )


def _text(prompt: Prompt) -> str:
    """A prompt as it is kept with its item."""
    return prompt if isinstance(prompt, str) else "\n".join(f"{turn['role']}: {turn['content']}" for turn in prompt)
