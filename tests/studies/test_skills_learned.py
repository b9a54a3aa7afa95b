"""The small decoders of skills_in_context: decoding, grading, controls, resuming, and the claims made of them."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields, replace
from itertools import islice

import numpy as np
import pytest
import torch

from unseen.core.lab import Lab
from unseen.core.record import Records, Row
from unseen.core.study import TIERS, values_of
from unseen.models import decoder
from unseen.models.shape import Positions
from unseen.studies.skills_in_context import continuations, episodic, learned, traced
from unseen.studies.skills_in_context.learned import CLAIMS_LEARNED, Episodic, Learned, Traced
from unseen.studies.skills_in_context.tasks import episodes_task, written_task
from unseen.tasks import written
from unseen.tasks.traces import ERRORS

SMALL = {"width": 32, "layers": 1, "heads": 2, "lr": 1e-2}


def rows_of(setting: Learned, lab: Lab) -> list[Row]:
    return list((traced if isinstance(setting, Traced) else episodic).run(setting, lab))  # type: ignore[arg-type]


@pytest.mark.parametrize("positions", ["learned", "rotary", "none"])
def test_prompts_of_many_lengths_are_continued_as_each_alone(positions: Positions) -> None:
    """Against the library's decoding of one prompt at a time."""
    models = decoder.stack(12, width=16, layers=2, heads=2, context=40, positions=positions, seeds=(0, 1, 2))
    with torch.no_grad():
        models.flat.mul_(6)  # so that what is written varies
    rng = np.random.default_rng(0)
    prompts = [[rng.integers(1, 12, int(n)) for n in rng.integers(2, 14, size)] for size in (5, 3, 0)]
    ended = 0
    said = decoder.greedy(decoder.member(models, 0), torch.from_numpy(prompts[0][0])[None, None], steps=10)
    for end in {1, int(said[0, 0, 3])}:  # one that is written, and one that is perhaps not
        found = continuations.continued(models, prompts, most=10, end=end)
        assert [len(row) for row in found] == [5, 3, 0]
        for one, row, told in zip(decoder.members(models), prompts, found, strict=True):
            for prompt, tokens in zip(row, told, strict=True):
                alone = decoder.greedy(one, torch.from_numpy(prompt)[None, None], steps=10, end=end)[0, 0].numpy()
                ends = np.flatnonzero(alone == end)
                assert tokens.tolist() == (alone[: int(ends[0]) + 1] if len(ends) else alone).tolist()
                ended += len(ends) > 0
    assert ended


def test_a_context_that_is_full_ends_the_answer() -> None:
    models = decoder.stack(8, width=16, layers=1, heads=2, context=9, positions="learned", seeds=(0,))
    found = continuations.continued(models, [[np.arange(1, 7), np.arange(1, 4)]], most=20, end=0)
    assert [len(t) for t in found[0]] == [4, 7]  # nine places are read, and one token more is written


def test_a_trained_decoder_answers_and_one_trained_on_shuffled_answers_does_not() -> None:
    """Last letters of one word, answered without steps: small enough to be learned in seconds."""
    setting = Traced("last_letter", "answer", (1,), (2,), steps=160, batch=16, problems=1_000, items=60, **SMALL)  # type: ignore[arg-type]
    scores: dict[str, list[float]] = {}
    for learner in ("trained", "shuffled", "untrained"):
        rows = rows_of(replace(setting, learner=learner), Lab.alone(seeds=(0, 1)))  # type: ignore[arg-type]
        scores[learner] = [r.value for r in rows if r.measure == "answered" and r.split and not r.split.shifted]
    assert min(scores["trained"]) > 0.8
    assert max(scores["shuffled"]) < 0.4
    assert max(scores["untrained"]) == 0


def test_every_answer_is_graded_once() -> None:
    """A whole solution is a right answer, and what is not whole has exactly one first error."""
    setting = replace(learned.rehearse_learned(Traced("dp", "grounded", (3,), (4,))), items=10, steps=30, batch=8)
    rows = rows_of(setting, Lab.alone(seeds=(0, 1)))
    last = [r for r in rows if r.step == 30]
    for split in ("3 numbers", "4 numbers"):
        for seed in (0, 1):
            here = [r for r in last if r.split and r.split.name == split and r.seed == seed]
            value = {r.measure: r.value for r in here if r.measure != "failed"}
            failed = sum(r.value for r in here if r.measure == "failed")
            assert value["whole"] <= value["answered"]
            assert failed + value["whole"] == pytest.approx(1)
    assert {r.at["error"] for r in last if r.measure == "failed"} == set(ERRORS)


def test_answers_are_graded_by_what_they_say() -> None:
    task = written.Written(written.last_letters((2,), (3,)), "grounded", problems=16)
    asked = task.draw("2 words", 4, np.random.default_rng(0))
    texts = [asked[0].text, asked[1].text.replace("=", "=q"), "", asked[3].text.replace("L", "A", 1)]
    models = decoder.stack(task.vocab, width=16, layers=1, heads=2, seeds=(0,))
    found = traced.graded(models, task, traced.Answers([asked], [texts]))
    told = {name: np.asarray(scored.values)[0].tolist() for name, scored in found.items()}
    assert told["answered"] == [1, 0, 0, 1]
    assert told["copying"] == [0, 1, 0, 0]
    assert told["composition"] == [0, 0, 1, 0]
    assert told["unseen skill"] == [0, 0, 0, 1]
    assert told["seen skill"] == told["other"] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "setting",
    [
        Traced("last_letter", "plain", (1, 2), (3,), steps=24, batch=8, problems=64, items=6, **SMALL),  # type: ignore[arg-type]
        Episodic(steps=24, batch=8, items=6, beyond=(4,), **SMALL),  # type: ignore[arg-type]
    ],
)
def test_an_interrupted_trial_goes_on_where_it_was(setting: Learned) -> None:
    whole = rows_of(setting, Lab.alone(seeds=(0, 1)))
    lab = Lab.alone(seeds=(0, 1))
    one = traced if isinstance(setting, Traced) else episodic
    half = len(whole) // 2
    begun = list(islice(one.run(setting, lab), half))  # type: ignore[arg-type]
    rest = rows_of(setting, lab)
    assert begun == whole[:half]
    assert {str(r): r for r in [*begun, *rest]} == {str(r): r for r in whole}
    kept = decoder.load(lab.folder / "decoder")
    assert kept.seeds == (0, 1)


def test_the_program_answers_every_episode_in_every_form() -> None:
    rows = rows_of(Episodic(learner="program", items=20), Lab.alone(seeds=(0,)))
    assert len(rows) == 4 * 5
    assert {r.value for r in rows} == {1.0}


def test_settings_are_planned_within_their_means() -> None:
    for tier in TIERS:
        found = learned.settings_learned(tier)
        assert len(set(found)) == len(found)
        for setting in found:
            values_of(setting)
            assert learned.needs_learned(setting).minutes > 0
    minutes = [learned.needs_learned(s).minutes for s in learned.settings_learned("laptop")]
    assert max(minutes) <= 15
    assert sum(minutes) <= 35
    for setting in learned.settings_learned("paper"):
        small = learned.rehearse_learned(setting)
        changed = {f.name for f in fields(setting) if getattr(small, f.name) != getattr(setting, f.name)}
        assert changed <= {"width", "layers", "heads", "steps", "batch", "items", "problems"}


def test_minutes_are_counted_by_the_tokens_trained_on() -> None:
    for setting in learned.settings_learned("laptop"):
        task = written_task(setting) if isinstance(setting, Traced) else episodes_task(setting, None)
        told = learned._tokens(setting)  # pyright: ignore[reportPrivateUsage]
        assert abs(told / task.longest("train") - 1) < 0.2, (setting, told, task.longest("train"))


def test_claims_name_arms_that_the_laptop_tier_measures() -> None:
    ids = [c.id for c in CLAIMS_LEARNED]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Z]\d+[a-z]?", i) for i in ids)
    assert not {i for i in ids if i.startswith("C")}
    arms = [{"setting": type(s).__name__, **values_of(s)} for s in learned.settings_learned("laptop")]
    at = {"shifted", "split", "prompted", "axis"}
    for claim in CLAIMS_LEARNED:
        for effect in (claim.effect, *(e for e, _ in claim.given)):
            for term in effect.terms:  # type: ignore[attr-defined]
                want = {k: v for k, v in term.where if k not in at}
                assert len([a for a in arms if all(a.get(k) == v for k, v in want.items())]) == 1, (claim.id, want)
        assert claim.given or claim.kind == "control"


def test_coordinates_of_rows_are_no_fields_of_settings() -> None:
    names = {f.name for kind in (Traced, Episodic) for f in fields(kind)}
    told = []
    for setting in learned.settings_learned("smoke"):
        rows = rows_of(setting, Lab.alone(seeds=(0,)))
        assert rows
        told += [({"setting": type(setting).__name__, **values_of(setting)}, 0, r) for r in rows]
        assert not names & {k for r in rows for k in (*r.at, *(r.split.at if r.split else ()))}
    records = Records.of(told)
    wanted = {m for c in CLAIMS_LEARNED for e in (c.effect, *(e for e, _ in c.given)) for m in e.measures}
    assert wanted <= set(records.column("measure"))


def test_the_settings_import_nothing_heavy() -> None:
    code = "import sys, unseen.studies.skills_in_context.learned; print([m for m in ('torch', 'polars', 'scipy.stats') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
