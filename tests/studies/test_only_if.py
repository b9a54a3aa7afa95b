"""The study of instruction diversity: claims on records made by hand, kinds of mistakes, the middle of a rise, one trial."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from scipy.optimize import minimize

import unseen
from unseen import items
from unseen.core.claim import Verdict, judge_study
from unseen.core.lab import Lab
from unseen.core.record import Records, Row, Scored, Split
from unseen.core.study import TIERS, values_of
from unseen.models import decoder
from unseen.studies.only_if import learned, mistakes, tasks, trial
from unseen.studies.only_if.arms import Learned, Program, Tuned
from unseen.studies.only_if.midpoint import midpoint, rise
from unseen.studies.only_if.study import STUDY, rehearse, settings
from unseen.tasks.layout import EOS
from unseen.tasks.rewriting import ALPHABET, OFFSET, Asked
from unseen.tasks.rewriting_rules import Rules

SEEDS = (0, 1, 2, 3, 4)
Chance = Callable[[Learned | Tuned, Split], float]
Told = list[tuple[dict[str, object], int, Row]]


def as_the_paper_says(setting: Learned | Tuned, split: Split) -> float:
    """The probability of a right answer in a world where every claim of the paper holds."""
    if isinstance(setting, Tuned):
        return {0.0: 0.4, 0.1: 0.45, 0.2: 0.6, 0.4: 0.45, 0.8: 0.2}[setting.share]
    if setting.labels == "shuffled":
        return 0.0
    if not split.shifted:
        return 0.99
    if setting.domains in ("repeat", "periodic", "mirror"):
        return 0.1
    if setting.idle and not split.at["applies"]:
        return 0.97 if setting.amount == "far" else 0.5
    return {"least": 0.01, "below": 0.2, "above": 0.5 if setting.alpha else 0.8, "far": 0.97}.get(
        setting.amount, 0.1 if setting.rules < 300 else 0.95
    )


def all_alike(setting: Learned | Tuned, split: Split) -> float:
    """A world where the number and the kind of rules make no difference, but for what the preconditions ask."""
    if isinstance(setting, Tuned):
        return 0.3 if setting.share == 0.2 else 0.4
    if setting.labels == "shuffled" or not split.shifted:
        return as_the_paper_says(setting, split)
    return (
        0.4
        if setting.amount == "below"
        else 0.6 + 0.2 * (setting.budget == "eighth") - 0.3 * (setting.alpha > 0 and setting.amount == "far")
    )


def hardly_trained(setting: Learned | Tuned, split: Split) -> float:
    """A world where nothing is learned."""
    return 0.05


def told(chance: Chance, tier: str = "paper") -> Told:
    """Records of all decoders and language models of a tier by this chance."""
    found: Told = []
    for number, setting in enumerate(settings(tier)):  # type: ignore[arg-type]
        if isinstance(setting, Program):
            continue
        splits = [Split("problems", "task")] if isinstance(setting, Tuned) else tasks.of(setting, seed=0).splits
        head = {"setting": type(setting).__name__, **values_of(setting)}
        for split in splits:
            rows = _rows(setting, split, chance(setting, split), np.random.default_rng((number, len(split.name))))
            found += [(head, row.seed or 0, row) for row in rows]
    return found


def _rows(setting: Learned | Tuned, split: Split, p: float, rng: np.random.Generator) -> Iterator[Row]:
    right = (rng.random((5, 500)) < p).astype(float)
    ids = [[f"{split.name} {s} {i}" for i in range(500)] for s in SEEDS]
    if isinstance(setting, Tuned):
        yield from Row.each("passed", Scored(SEEDS, ids, right), split, step=setting.steps)
        return
    yield from Row.each("exact_untrained", Scored(SEEDS, ids, right * 0), split)
    yield from Row.each("exact", Scored(SEEDS, ids, right), split, step=setting.steps)
    trained = (rng.random((5, 500)) < (0.5 if setting.amount == "least" else 0.1)) * (1 - right)
    scored = Scored(SEEDS, ids, trained)
    yield from Row.each("answered", scored, split, step=setting.steps, at={"kind": "trained side"})


def verdicts(records: Told, tier: str = "paper") -> dict[str, Verdict]:
    program = next(s for s in settings(tier) if isinstance(s, Program))  # type: ignore[arg-type]
    rows = trial.run(replace(program, items=20), Lab.alone(seeds=SEEDS))
    records = records + [({"setting": "Program", **values_of(program)}, row.seed or 0, row) for row in rows]
    judged = judge_study(STUDY, Records.of(records), tier)  # type: ignore[arg-type]
    return {v.claim.id: v for v in judged}


@pytest.fixture
def small_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks of the paper's tier with few rules: their splits are the same, and take no minutes to make."""
    whole = tasks.of

    def small(setting: Learned | Program, *, seed: int) -> object:
        if isinstance(setting, Learned):
            setting = replace(setting, rules=min(setting.rules, 20), total=100, tested=20)
        return whole(setting, seed=seed)

    monkeypatch.setattr(tasks, "of", small)


@pytest.mark.usefixtures("small_worlds")
def test_verdicts_follow_the_records() -> None:
    found = verdicts(told(as_the_paper_says))
    assert {v.status for v in found.values()} == {"supported"}, {
        k: v.why for k, v in found.items() if v.status != "supported"
    }
    found = verdicts(told(all_alike))
    for id in ("C1a", "C2", "C3a", "C3b", "C4a", "C4d", "C4e", "C5a", "C5b", "C6a"):
        assert found[id].status == "refuted", (id, found[id].why)
    found = verdicts(told(hardly_trained))
    for id, v in found.items():
        if v.claim.kind == "finding" and not id.startswith("C6"):
            assert v.status == "untested" and "precondition" in v.why, id


@pytest.mark.usefixtures("small_worlds")
def test_the_laptop_tier_judges_what_it_measures() -> None:
    """Every claim of the laptop tier finds its arms there; the others are untested."""
    found = verdicts(told(as_the_paper_says, "laptop"), "laptop")
    for v in found.values():
        wanted = "supported" if "laptop" in v.claim.tiers else "untested"
        assert v.status == wanted, (v.claim.id, v.why)


def text(row: np.ndarray) -> str:
    return "".join(ALPHABET[i - 1] if i > 0 else "?" for i in row if i)


def slowly(x: str, y: str, z: str, said: str, sides: set[str]) -> str:
    """The kind of an answer, by Python's strings."""
    out = z.replace(x, y, 1)
    if said == out:
        return "right"
    if x in z and said == z:
        return "copied"
    if any(said == z[:i] + y + z[i + len(x) :] for i in range(len(z) - len(x) + 1)):
        return "place"
    at = z.find(x)
    if (
        at >= 0
        and len(said) == len(z)
        and "?" not in said
        and said[:at] == z[:at]
        and said[at + len(x) :] == z[at + len(x) :]
    ):
        return "trained side" if said[at : at + len(x)] in sides else "right side"
    return "other"


@how(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_kinds_of_mistakes_are_those_of_plain_strings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 80
    left, right = rng.integers(1, 4, (2, n, 2))
    strings = rng.integers(1, 4, (n, 5))
    asked, known = Asked(left, right, strings), Rules(rng.integers(1, 4, (3, 2)), rng.integers(1, 4, (3, 2)))
    said = np.pad(asked.told().out, ((0, 0), (0, 1)))
    for i in range(n):
        match rng.integers(0, 6):
            case 0:
                said[i, :5] = strings[i]
            case 1:
                at = rng.integers(0, 4)
                said[i, :5] = strings[i]
                said[i, at : at + 2] = right[i]
            case 2:
                at = max(0, int(asked.told().place[i]))
                said[i, at : at + 2] = rng.integers(1, 4, 2)
            case 3:
                said[i] = rng.integers(-1, 4, 6)
            case 4:
                said[i, rng.integers(0, 6) :] = 0
            case _:
                pass
    found = mistakes.kinds(asked, said, known)
    assert tuple(found) == mistakes.KINDS
    sides = {text(y) for y in known.right}
    for i in range(n):
        whole = [name for name in mistakes.KINDS if found[name][i]]
        assert whole == [slowly(text(left[i]), text(right[i]), text(strings[i]), _said(said[i]), sides)]


def _said(row: np.ndarray) -> str:
    """An answer as text; what is no letter, or stands after a gap, matches nothing."""
    told = "".join("?" if i < 0 else " " if i == 0 else ALPHABET[i - 1] for i in row)
    return told.rstrip()


def test_what_is_written_is_read_up_to_its_end() -> None:
    a, b = OFFSET + 1, OFFSET + 2
    said = np.array([[a, b, EOS, 0], [a, EOS, b, a], [a, b, a, b], [a, OFFSET, EOS, 0]])
    assert learned.letters(said).tolist() == [[1, 2, 0, 0], [1, 0, 0, 0], [-1] * 4, [1, -1, 0, 0]]


@how(deadline=None, max_examples=20)
@given(st.floats(0.5, 3.5), st.floats(1.5, 12), st.integers(0, 1000))
def test_the_middle_of_a_rise_against_another_optimizer(middle: float, sharp: float, seed: int) -> None:
    rules = 4.0 ** np.arange(1, 8)
    x = np.log10(rules)
    exact = 1 / (1 + np.exp(-sharp * (x - middle)))
    assert np.log10(midpoint(rules, exact)) == pytest.approx(middle, abs=0.01)
    noisy = np.clip(np.random.default_rng(seed).binomial(40, exact) / 40, 0.02, 0.98)

    def unlikely(t: np.ndarray) -> float:
        odds = np.exp(t[1]) * (x - t[0])
        return float(np.sum(noisy * np.logaddexp(0, -odds) + (1 - noisy) * np.logaddexp(0, odds)))

    best = min(
        (minimize(unlikely, [m, s], method="Nelder-Mead") for m in (1, 2, 3) for s in (0.5, 2)), key=lambda r: r.fun
    )
    if 0.6 < np.exp(best.x[1]) < 50 and x.min() < best.x[0] < x.max():
        assert np.log10(midpoint(rules, noisy)) == pytest.approx(best.x[0], abs=0.01)


def test_the_middle_of_a_rise_as_an_effect() -> None:
    def rows(values: list[float]) -> Records:
        told = [
            (
                {"setting": "Learned", "rules": 4**k, "amount": "between"},
                seed,
                Row("exact", v, Split("new"), 100, 1, {}, seed),
            )
            for seed in range(5)
            for k, v in enumerate(values, 1)
        ]
        return Records.of(told)

    effect = rise("exact", {"setting": "Learned"})
    units = effect.per_unit(rows([0.0, 0.1, 0.9, 1.0]), "seed")
    assert units.parts[0] == pytest.approx([np.log10(32)] * 5, abs=0.01) and "half-way" in str(effect)
    with pytest.raises(Exception, match=r"does not pass 0\.5"):
        effect.per_unit(rows([0.0, 0.1, 0.2, 0.3]), "seed")
    with pytest.raises(Exception, match="three numbers"):
        effect.per_unit(rows([0.1, 0.9]), "seed")
    with pytest.raises(Exception, match="unit 'item'"):
        effect.per_unit(rows([0.1, 0.9]), "item")


TINY = Learned(
    2, 400, "least", alphabet=6, side=2, length=3, longer=4, width=32, layers=2, heads=2, steps=150, batch=32, lr=1e-2,
    warmup=10, items=60, tested=20,
)  # fmt: skip


def test_a_trial_from_end_to_end() -> None:
    """Two rules are learned by heart; kinds of answers add up, and the right ones are those that exact match finds."""
    rows = list(trial.run(TINY, Lab.alone(seeds=(0, 1))))
    last = [r for r in rows if r.step == TINY.steps]
    exact = {(r.split.name, r.seed): r.value for r in last if r.measure == "exact" and r.split}
    assert min(exact["trained rules, free", s] for s in (0, 1)) > 0.9
    for (split, seed), value in exact.items():
        here = {
            r.at["kind"]: r.value for r in last if r.measure == "answered" and (r.split.name, r.seed) == (split, seed)
        }  # type: ignore[union-attr]
        assert here["right"] == pytest.approx(value)
        assert sum(here.values()) == pytest.approx(1) and tuple(here) == mistakes.KINDS


def test_an_interrupted_trial_goes_on_where_it_was() -> None:
    setting = replace(TINY, steps=24)
    whole = list(trial.run(setting, Lab.alone(seeds=(0, 1))))
    lab = Lab.alone(seeds=(0, 1))
    half = len(whole) // 2
    begun = list(islice(trial.run(setting, lab), half))
    rest = list(trial.run(setting, lab))
    assert begun == whole[:half]
    assert {str(r): r for r in [*begun, *rest]} == {str(r): r for r in whole}
    assert decoder.load(lab.folder / "decoder").seeds == (0, 1)


def test_every_seed_has_rules_of_its_own_and_every_arm_the_same_ones() -> None:
    far = next(s for s in settings("laptop") if isinstance(s, Learned) and s.amount == "far")
    one, two = (tasks.of(replace(far, rules=50, total=500), seed=s) for s in (0, 1))
    assert not np.array_equal(one.rules.left, two.rules.left)
    for arm in settings("laptop"):
        if isinstance(arm, Learned) and "free" in arm.asks:
            same = tasks.of(replace(arm, rules=50, total=500), seed=0)
            name = "new rules, free"
            assert np.array_equal(same.sources[name].rules.left, one.sources[name].rules.left)


def test_all_arms_can_be_made_in_every_world_of_their_tier() -> None:
    for arm in settings("laptop"):
        for seed in SEEDS:
            if isinstance(arm, Learned):
                task = tasks.of(arm, seed=seed)
                assert len(task.rules) == arm.rules and len(task.examples.left) == arm.total


def test_a_hundred_thousand_items_are_drawn_in_one_call() -> None:
    """The rate is printed by the bench of generators; here, that one call draws so many and all are right."""
    task = tasks.of(replace(TINY, alphabet=8, side=4, length=8, longer=0, rules=50), seed=0)
    batch = task.batch("new rules, free", 100_000, np.random.default_rng(0))
    assert len(batch.tokens) == 100_000 and batch.answer.sum() == 900_000


def test_sizes_alone_are_lowered_to_rehearse() -> None:
    sizes = {"rules", "total", "width", "layers", "heads", "steps", "batch", "warmup", "items", "tested"}
    sizes |= {"checkpoint", "code", "general", "problems", "at_once", "longest", "rank", "room", "dtype"}
    for setting in settings("paper"):
        small = rehearse(setting)
        assert {k for k, v in values_of(small).items() if v != values_of(setting)[k]} <= sizes
    assert all(STUDY.needs(s).minutes > 0 for tier in TIERS for s in settings(tier))


def test_every_split_goes_out_as_data_and_is_scored_as_a_reward(tmp_path: Path) -> None:
    """From outside the study: rows of `unseen data`, through a file, to the reward that trainers call."""
    drawn = items.draw("only_if/rewriting", n=3, tier="smoke")
    kinds = {(d.example.split.at["novel"], d.example.split.at["asked"], d.example.split.at["applies"]) for d in drawn}
    domains = ("free", "repeat", "periodic", "mirror")
    assert {("nothing", "free", True), ("length", "free", True)} <= kinds
    assert {(n, d, True) for n in ("rules", "left sides") for d in domains} | {
        ("rules", d, False) for d in domains
    } <= kinds
    items.write(drawn, "jsonl", tmp_path / "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == len(drawn) and not {r["id"] for r in rows if r["shifted"]} & {
        r["id"] for r in rows if not r["shifted"]
    }
    reward = unseen.reward("only_if/rewriting")
    columns = {
        "prompts": [r["prompt"] for r in rows],
        "id": [r["id"] for r in rows],
        "receipt": [r["receipt"] for r in rows],
    }
    assert reward(completions=[r["truth"] for r in rows], **columns) == [1.0] * len(rows)
    assert reward(completions=["a"] * len(rows), **columns) == [0.0] * len(rows)
    code = items.draw("only_if/code", n=1, tier="smoke")
    told = {
        "prompts": [d.example.prompt for d in code],
        "id": [d.example.id for d in code],
        "receipt": [d.receipt for d in code],
    }
    passed = unseen.reward("only_if/code")
    assert passed(completions=[d.example.truth for d in code], **told) == [1.0] * len(code)
