"""The study of grokking in pretraining: what its stream says, what its numbers are on courses made by hand, and its parts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unseen.core.claim import judge_study
from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Records, Row
from unseen.core.study import values_of
from unseen.measures import pathways, routing
from unseen.models import exporting_moe, moe
from unseen.studies.grokking_in_pretraining import corpora, kernel, pretrained, released, study, summary, tasks
from unseen.studies.grokking_in_pretraining.arms import DOMAINS, ROTE, Kernel, Pretrained, Released
from unseen.studies.grokking_in_pretraining.course import Course
from unseen.studies.grokking_in_pretraining.stream import Stream

SMOKE = next(s for s in study.settings("smoke") if isinstance(s, Pretrained))


def stream(seed: int = 0) -> Stream:
    return tasks.of(SMOKE, Lab.alone((seed,)), seed)


def facts(told: Stream, tokens: np.ndarray, answer: np.ndarray) -> list[tuple[int, ...]]:
    """A document cut behind its answers."""
    found: list[tuple[int, ...]] = []
    begin = 0
    for at in np.flatnonzero(answer):
        found.append(tuple(tokens[begin : at + 1].tolist()))
        begin = at + 1
    assert not tokens[begin:].any()
    return found


def test_documents_are_of_one_domain_and_hold_no_fact_that_is_held_out() -> None:
    told = stream()
    found = told.documents(300, np.random.default_rng(0))
    held = {tuple(t for t in row if t) for table in told.new.values() for row in table.tokens.tolist()}
    trained = {tuple(t for t in row if t) for table in told.trained.values() for row in table.tokens.tolist()}
    assert set(found.domain.tolist()) == set(range(len(DOMAINS))) and not held & trained
    for tokens, answer, domain in zip(found.tokens, found.answer, found.domain, strict=True):
        parts = facts(told, tokens, answer)
        assert len(parts) == SMOKE.facts and set(parts) <= trained
        assert {told.words[t].split(":")[0] for part in parts for t in part} == {DOMAINS[domain]}


def test_facts_say_what_they_are_called() -> None:
    told = stream()
    for name, rule in (("larger", max), ("sums", lambda a, b: (a + b) % SMOKE.numbers)):
        for table in (told.trained[name], told.new[name]):
            for row in table.tokens.tolist():
                a, b, c = (int(told.words[t].split(":")[1]) for t in row)
                assert c == rule(a, b)
    hops = {tuple(told.words[t] for t in row if t) for row in told.trained["rich"].tokens.tolist()}
    atoms = {one[:2]: one[2] for one in hops if len(one) == 3}
    for one in (tuple(told.words[t] for t in row if t) for row in told.new["rich"].tokens.tolist()):
        assert atoms[atoms[one[:2]], one[2]] == one[3]


def test_examples_are_scored_and_drawn_without_torch_words() -> None:
    told = tasks.tasks(SMOKE)[0]
    one = told.draw("sums new", 3, np.random.default_rng(0))[0]
    assert told.score(one, f" {one.truth}\n") == {"exact": 1.0} and told.score(one, "sums:") == {"exact": 0.0}
    assert tasks.tasks(Kernel(3, "one")) == []
    assert {e.split.at["domain"] for e in told.draw("train", 10, np.random.default_rng(0))} == set(DOMAINS)
    with pytest.raises(Invalid, match="fewer than the 500"):
        stream().batch("sums new", 500, np.random.default_rng(0))


def test_documents_that_are_looked_at_were_trained_on() -> None:
    lab, told = Lab.alone((3,)), stream(3)
    found = pretrained.seen(SMOKE, told, 3, lab)
    batches = {
        tuple(row)
        for step in range(SMOKE.steps)
        for row in told.batch("train", SMOKE.batch, lab.rng("batch", step, seed=3)).tokens.tolist()
    }
    for i, name in enumerate(DOMAINS):
        assert len(found[name].tokens) == SMOKE.samples and set(found[name].domain.tolist()) == {i}
        assert {tuple(row) for row in found[name].tokens.tolist()} <= batches
    held = pretrained.unseen(SMOKE, told, 3, lab)["sums"]
    new = {tuple(row) for row in told.new["sums"].tokens.tolist()}
    assert all(set(facts(told, t, a)) <= new for t, a in zip(held.tokens, held.answer, strict=True))


def test_losses_of_documents_are_those_of_transformers() -> None:
    lab, told = Lab.alone((3,)), stream(3)
    models = pretrained.made(replace(SMOKE, spread=10.0), [told], lab)
    found = told.documents(6, np.random.default_rng(0))
    tokens, answer = torch.from_numpy(found.tokens), torch.from_numpy(found.answer)
    ours = pretrained.losses(models, tokens[None], answer[None])[0]
    theirs = exporting_moe.pretrained(moe.member(models, 0))
    for row, marks, loss in zip(tokens, answer, ours, strict=True):
        n = int((row != 0).sum())
        labels = torch.where(marks, row, -100)[None, :n]
        with torch.no_grad():
            assert float(theirs(input_ids=row[None, :n], labels=labels).loss) == pytest.approx(loss, abs=1e-5)


STEPS = np.array([1, 2, 4, 8, 16, 32, 64, 128])


def shared(alike: float, n: int, seed: int = 0) -> np.ndarray:
    """Weights of n samples that have a share in common [sample 4 12]."""
    rng = np.random.default_rng(seed)
    own = rng.dirichlet(np.full(12, 0.3), (n, 4))
    return alike * own[:1] + (1 - alike) * own


def made(alike: Sequence[float], accuracy: Sequence[float], *, seed: int = 0, **more: Any) -> summary.Domain:
    """A domain of 24 samples, memorised from the third or fourth checkpoint on, whose routing grows alike."""
    n = 24
    final = np.full(n, 0.05)
    losses = np.stack([final + (1.0 if c < 2 else 0.0) for c in range(8)])
    losses[2, n // 2 :] += 1.0
    weights = np.stack([shared(a, n, seed) for a in alike])
    told = {
        "steps": STEPS,
        "losses": losses,
        "weights": weights,
        "inconsistency": np.linspace(0.9, 0.2, 8)[:, None] + np.zeros(n),
        "training": np.linspace(2, 1, 8),
        "validation": np.array([2.0, 1, 2, 1, 2, 1, 2, 1]),
        "vectors": np.eye(n),
        "accuracy": np.array(accuracy, float),
        "random": np.stack([shared(0.0, n, seed)] * 8),
    }
    return summary.Domain(**{**told, **more})


GROWING = np.linspace(0, 0.9, 8)
RISING = np.linspace(0.1, 0.9, 8)


def test_groups_are_those_memorised_since_a_checkpoint() -> None:
    found = summary.grouped(made(GROWING, RISING))
    assert found.since.tolist() == [2] * 12 + [3] * 12
    assert [(t, len(rows)) for t, rows in found.followed] == [(2, 12), (3, 12)]


def test_slopes_are_relative_and_of_groups_after_they_are_memorised() -> None:
    domain = made(GROWING, RISING)
    found = summary.summary(domain, 50, np.random.default_rng(0))
    wanted: list[float] = []
    for t, rows in ((2, range(12)), (3, range(12, 24))):
        curve = [
            np.mean(
                [
                    pathways.distance(*(pathways.pathway(w[i]) for i in pair))
                    for pair in ((i, j) for i in rows for j in rows if i < j)
                ]
            )
            for w in domain.weights[t:]
        ]
        wanted.append(np.polyfit(np.arange(t, 8), curve, 1)[0] / curve[0])
    assert found["distance_slope"] == pytest.approx(np.mean(wanted)) and found["distance_slope"] < -0.05
    assert found["distance_slope"] < found["distance_slope_high"] < 0
    assert found["expert_distance_slope"] < 0 and found["random_slope"] == pytest.approx(0, abs=1e-12)
    assert found["inconsistency_slope"] == pytest.approx(-0.1) and found["loss_slope"] == pytest.approx(0, abs=1e-12)
    layers = summary.layer_slopes(domain, summary.grouped(domain))
    assert len(layers) == 4 and sum(layers) < 0
    still = summary.summary(made([0.3] * 8, RISING), 50, np.random.default_rng(0))
    assert still["distance_slope"] == pytest.approx(0) and math.isnan(still["r_distance"])


def test_correlations_stand_beside_those_of_losses_and_of_log_step() -> None:
    domain = made(GROWING, RISING)
    found = summary.summary(domain, 10, np.random.default_rng(0))
    assert found["r_log_step"] == pytest.approx(1) and found["r_training"] == pytest.approx(-1)
    distance = [pathways.mean_distance(pathways.distances(pathways.pathways(w)), draws=0).value for w in domain.weights]
    assert found["r_distance"] == pytest.approx(np.corrcoef(distance, RISING)[0, 1]) and found["r_distance"] < -0.5
    assert found["r_consistency"] == pytest.approx(1) and found["gain"] == pytest.approx(0.8)
    assert found["consistency_over_log_step"] == pytest.approx(0, abs=1e-9)
    assert found["distance_over_validation"] == pytest.approx(-found["r_distance"] - abs(found["r_validation"]))
    bent = summary.summary(made(GROWING, [0.1, 0.1, 0.1, 0.1, 0.9, 0.2, 0.9, 0.1]), 10, np.random.default_rng(0))
    assert abs(bent["r_distance"]) < abs(found["r_distance"])


def told_of(rows: Iterable[Row]) -> dict[str, float]:
    return {r.measure: r.value for r in rows}


def test_lags_are_those_of_matched_groups() -> None:
    right = np.zeros((8, 24), bool)
    right[4:, :12] = True  # answered two doublings after the first group is memorised,
    right[6:, 12:] = True  # three after the second
    domain = made(GROWING, right.mean(1), right=right, asked=np.eye(24))
    found = told_of(summary.lags({"a": domain, "b": made(GROWING, RISING)}, ("a", "b"), 0))  # nothing is asked in b
    assert found["matched"] == 2 and found["lag"] == pytest.approx(2.5) and math.isnan(found["lag_rank"])
    both = told_of(summary.lags({"a": domain, "b": domain}, ("a", "b"), 0))
    assert both["matched"] == 4 and both["lag_rank"] == pytest.approx(1)
    spread = summary.summary(domain, 10, np.random.default_rng(0))
    assert spread["memorised_share"] == 1 and spread["memorised_spread"] == pytest.approx(1)


def test_lags_of_three_groups_have_a_rank() -> None:
    n, right = 24, np.zeros((8, 24), bool)
    losses = np.full((8, n), 0.05)
    for t, rows in ((1, slice(0, 8)), (2, slice(8, 16)), (3, slice(16, 24))):
        losses[:t, rows] += 1.0
        right[2 * t :, rows] = True
    domain = made(GROWING, right.mean(1), losses=losses, right=right, asked=np.eye(n))
    found = told_of(summary.lags({"a": domain}, ("a",), 0))
    assert found["matched"] == 3 and found["lag_rank"] == pytest.approx(1)


def test_domains_apart_are_followed_too() -> None:
    a, b = made(GROWING, RISING), made(GROWING, RISING, seed=1)
    since = summary.grouped(a).since, summary.grouped(b).since
    apart = summary.cross_slope(a, b, since)
    same = summary.cross_slope(a, a, since)
    assert same < apart and abs(apart) < 0.1
    assert math.isnan(summary.cross_slope(a, b, (np.full(24, -1), since[1])))


def test_a_course_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    course = Course()
    course.add(5, losses=np.ones((2, 3)))
    course.add(9, losses=np.full((2, 3), 2.0))
    course.add(9, losses=np.full((2, 3), 3.0))
    lab = replace(Lab.alone((0,)), state=tmp_path)
    assert Course.resumed(lab).steps == []
    course.keep(lab)
    again = Course.resumed(lab)
    assert again.steps == [5, 9] and np.array_equal(again.of("losses", 0), course.of("losses", 0))
    assert course.of("losses", 1).tolist() == [[1, 1, 1], [3, 3, 3]]


def test_tangent_kernels_are_those_of_jacobians() -> None:
    setting = Kernel(3, "one", experts=2, features=5, samples=6, hidden=4)
    x = kernel.clusters(setting, np.random.default_rng(0))
    found = kernel.tangents(setting, x, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    inner, outer = (torch.from_numpy(rng.normal(size=shape)) for shape in ((2, 4, 5), (2, 4)))
    data = torch.from_numpy(x)
    for k in range(2):

        def expert(w: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
            return torch.relu(data @ w.T / 5**0.5) @ a / 4**0.5

        jacobian = torch.func.jacrev(expert, argnums=(0, 1))(inner[k], outer[k])
        flat = torch.cat([j.flatten(1) for j in jacobian], 1)
        assert found[k] == pytest.approx((flat @ flat.T).numpy())


def test_kernels_are_compared_over_routers() -> None:
    rows = {
        r.measure: r.value for r in kernel.run(Kernel(6, "many", features=20, samples=30, hidden=8), Lab.alone((1,)))
    }
    assert -1 <= rows["kernel_r"] <= 1 and rows["flat_distance"] == 0 and rows["kernel_distance"] > 0
    assert kernel.scales(Kernel(3, "many")).tolist() == [0.5, 2.0, 8.0] and set(kernel.scales(Kernel(3, "one"))) == {
        2.0
    }


TINY = replace(next(s for s in study.settings("paper") if isinstance(s, Released)), repo="tiny", revisions=("a", "b", "c", "d"), steps=(1, 2, 4, 8), data="twin", samples=6, items=4, length=40, dtype="float32", draws=5)  # fmt: skip


def test_released_checkpoints_are_read_as_transformers_reads_them() -> None:
    lab = Lab.alone((0, 1))
    model, tokenizer = released.opened(TINY, "a", lab)
    texts = corpora.texts("twin", "code", 3)
    weights, losses = released.read(model, tokenizer, texts, 40)
    for text, loss, w in zip(texts, losses, weights, strict=True):
        ids = tokenizer(text, truncation=True, max_length=40, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            told = model(input_ids=ids, labels=ids, output_router_logits=True)
        own = torch.nn.functional.cross_entropy(told.logits[0, :-1], ids[0, 1:])
        assert float(own) == pytest.approx(loss, abs=1e-5)
        assert w == pytest.approx(torch.stack([r.softmax(-1).mean(0) for r in told.router_logits]).numpy(), abs=1e-6)
    other, _ = released.opened(TINY, "b", lab)
    assert not np.allclose(routing.routers_of(model), routing.routers_of(other))


def test_released_checkpoints_yield_what_the_claims_read() -> None:
    rows = list(released.run(TINY, Lab.alone((0, 1))))
    for seed in (0, 1):
        mine = {(r.measure, r.at.get("domain", "")) for r in rows if r.seed == seed}
        assert {("distance_slope", d) for d in corpora.DOMAINS} <= mine and ("r_distance", "chemistry") in mine
        assert ("r_distance", "math") not in mine  # nothing is asked there
    assert len({r.value for r in rows if r.measure == "loss" and r.step == 1}) > 4  # every seed has texts of its own
    there = {r.measure for r in rows}
    wanted = {m for c in study.STUDY.claims if c.id.startswith("P") for m in c.effect.measures}
    assert wanted <= there


def test_questions_of_two_sets_are_read() -> None:
    csqa = {"question": "Where is a bed?", "choices": {"label": ["A", "B"], "text": ["sea", "room"]}, "answerKey": "B"}
    mmlu = {"question": "Which is an acid?", "choices": ["HCl", "NaOH"], "answer": 0}
    assert corpora.question(csqa) == corpora.Question("Question: Where is a bed?\nAnswer:", (" sea", " room"), 1)
    assert corpora.question(mmlu).right == 0 and corpora.questions("twin", "math", 5) == []


def test_the_right_choice_is_the_likeliest_for_its_length() -> None:
    model, tokenizer = released.opened(TINY, "a", Lab.alone((0,)))
    asked = corpora.questions("twin", "chemistry", 5)
    found = released.answered(model, tokenizer, asked)
    for q, right in zip(asked, found, strict=True):
        each: list[float] = []
        for choice in q.choices:
            a, b = (tokenizer(text)["input_ids"] for text in (q.prompt, choice))
            with torch.no_grad():
                logits = model(torch.tensor([a + b])).logits[0].log_softmax(-1)
            each.append(sum(float(logits[len(a) - 1 + i, t]) for i, t in enumerate(b)) / len(choice.encode()))
        assert right == (int(np.argmax(each)) == q.right)


def test_the_verdicts_follow_the_records() -> None:
    """Courses planted by hand: what falls in the domains that generalise and not in the rote one is supported, else refuted."""
    setting = next(s for s in study.settings("laptop") if isinstance(s, Pretrained))
    rng, rows = np.random.default_rng(0), list[tuple[Any, int, Row]]()
    head = {"setting": "Pretrained", **values_of(setting)}
    for seed in range(5):
        for d in DOMAINS:
            fall = -0.05 if d != ROTE else 0.0
            told = {
                "followed": 30.0,
                "gain": 0.5,
                "distance_slope": fall,
                "random_slope": -0.01,
                "r_distance": -0.9,
                "distance_over_log_step": -0.05,
            }
            rows += [
                (head, seed, Row(m, v + 0.001 * rng.normal(), seed=seed, at={"domain": d})) for m, v in told.items()
            ]
            split = next(s for s in stream().splits if s.name == f"{d} trained")
            rows.append((head, seed, Row("exact", 0.95, split, 60, 100, seed=seed)))
    found = {v.claim.id: v.status for v in judge_study(study.STUDY, Records.of(rows), "laptop")}
    assert {found[i] for i in ("C2a", "N1", "N4", "C4a", "C9a")} == {"supported"} and found["C4e"] == "refuted"
    assert found["C3a"] == "untested"
