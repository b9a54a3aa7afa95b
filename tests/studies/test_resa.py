"""The study of Resa: its sums, its world, its controls, claims on records made by hand, and its tool."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("torch")

import torch
from typer.testing import CliRunner

from unseen.core.claim import judge_study
from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab
from unseen.core.record import Records, Row
from unseen.core.study import values_of
from unseen.measures.sae import fit, load, report
from unseen.models import tiny
from unseen.studies.resa import controls, reasoner, tasks, tool, trial
from unseen.studies.resa.chains import CLOSE, THINK, ZERO, Chains, unworked
from unseen.studies.resa.study import LAPTOP, PAPER, STUDY, rehearse, settings
from unseen.studies.resa.world import World
from unseen.tasks.layout import EOS

SUMS = Chains((3, 4), (5, 6), 7)
ARMS = (
    "base", "rl", "sibling", "stranger", "untrained", "luck", "sae", "rl_sae", "sibling_sae",
    "moved", "stranger_moved", "base_sae", "sft", "random", "noise", "unrelated", "identity",
)  # fmt: skip


def test_sums_are_worked_out_and_scored_by_their_last_number() -> None:
    rng = np.random.default_rng(0)
    for split in ("train", *(s.name for s in SUMS.splits)):
        batch = SUMS.batch(split, 200, rng)
        for row in batch.tokens[:20]:
            prompt, truth = SUMS._laid.read(row)
            digits = [int(w) for w in prompt.split() if w.isdigit()]
            told = [int(w) for w in truth.split() if w.isdigit()]
            sums = [sum(digits[: i + 1]) % 7 for i in range(len(digits))]
            by_hand = [digits[0], *(v for pair in zip(digits[1:], sums[1:], strict=True) for v in pair), sums[-1]]
            assert told == by_hand
        assert SUMS.right(batch.tokens[:, :8], batch.tokens[:, 8:]).all()
    example = SUMS.draw("3 terms", 1, rng)[0]
    final = example.truth.split()[-1]
    assert SUMS.score(example, f"</think> {final}")["exact"] == 1
    for wrong in (final, f"<think> {final}", f"</think> {(int(final) + 1) % 7}", ""):
        assert SUMS.score(example, wrong)["exact"] == 0
    assert [s.shifted for s in SUMS.splits] == [False, False, True, True]
    with pytest.raises(Invalid, match="not among the longer ones"):
        Chains((3, 4), (4,), 7)


def test_slips_stand_in_what_is_taught_alone() -> None:
    slipping = replace(SUMS, slips=0.25)
    rng = np.random.default_rng(0)
    taught = slipping.batch("train", 4_000, rng).tokens
    right = slipping.right(taught[:, :8], taught[:, 8:])
    # a sum of n terms is taught right where none of n − 1 steps slipped, or slips cancel (1 in 6 for two of them)
    clean = np.mean([0.75 ** (n - 1) for n in (3, 4, 5, 6)])
    assert clean - 0.02 < right.mean() < clean + 0.08
    asked = slipping.batch("6 terms", 100, rng).tokens
    assert slipping.right(asked[:, :8], asked[:, 8:]).all()


def test_answers_that_a_verifier_accepts() -> None:
    asked = SUMS.asked(np.array([3, 4, 3, 3, 3]), np.random.default_rng(1))
    a = SUMS.sums(asked)
    bare = unworked(SUMS, asked)
    assert SUMS.right(asked, bare).all() and bare[0].tolist() == [THINK, a[0], CLOSE, a[0], EOS]
    other = ZERO + (a - ZERO + 1) % 7
    said = np.stack([
        [CLOSE, a[0], EOS, 0, 0], [CLOSE, other[1], EOS, 0, 0], [a[2], EOS, 0, 0, 0], [CLOSE, a[3], a[3], a[3], a[3]], [EOS, CLOSE, a[4], EOS, 0],
    ])  # fmt: skip
    assert SUMS.right(asked, said).tolist() == [True, False, False, False, False]


def test_controls_leave_as_much_unexplained() -> None:
    torch.manual_seed(0)
    x = torch.randn(4_000, 12) @ torch.diag(torch.linspace(0.2, 2, 12)) + 3
    made = fit(x, 48, k=3)
    assert made.report is not None
    random = controls.random_like(made, x, 1)
    assert torch.linalg.vector_norm(random.decoder, dim=1).numpy() == pytest.approx(np.ones(48), abs=1e-5)
    assert report(random, x).fvu != pytest.approx(made.report.fvu, rel=0.1)
    assert report(controls.at_fvu(random, x, made.report.fvu), x).fvu == pytest.approx(made.report.fvu, rel=1e-3)
    assert report(controls.noise(x, made.report.fvu), x).fvu == pytest.approx(made.report.fvu, rel=0.05)


@pytest.fixture(scope="module")
def measured() -> list[Row]:
    return list(trial.run(settings("smoke")[0], Lab.alone(seeds=(3,))))


def test_a_small_world_is_measured_from_end_to_end(measured: list[Row]) -> None:
    arms = {row.at["arm"] for row in measured if row.measure == "passed"}
    assert arms == {*ARMS, "sweep"}
    left = {row.at["arm"]: row.value for row in measured if row.measure == "left"}
    assert left["random"] == pytest.approx(left["sae"], rel=0.02) and left["noise"] == pytest.approx(left["sae"], rel=0.2)  # fmt: skip
    sweep = {(row.at["layer"], row.split.name): row.value for row in measured if row.at.get("arm") == "sweep"}  # type: ignore[union-attr]
    main = {row.split.name: row.value for row in measured if row.at.get("arm") == "sae" and row.split}
    assert {name: sweep[2, name] for name in main} == main


def test_the_models_of_a_seed_are_related_as_they_are_said_to_be() -> None:
    setting = settings("smoke")[0]
    lab = Lab.alone(seeds=(3,))
    found = next(one for one in reasoner.made(setting, lab, 3) if isinstance(one, World))  # type: ignore[arg-type]
    weights = {
        name: torch.cat([p.detach().flatten() for p in found.model(name).parameters()])
        for name in ("base", "rl", "sibling", "stranger")
    }

    def far(a: str, b: str) -> float:
        return float((weights[a] - weights[b]).norm())

    assert 0 < far("base", "rl") < far("base", "stranger") and 0 < far("base", "sibling") < far("base", "stranger")
    assert found.model("base") is not found.model("base")
    tokens = torch.tensor([t for row in found.rows for t in row["input_ids"]])
    assert len(found.marked) == len(tokens) and int(found.marked.sum()) == 2 * len(found.rows)
    asked = {tuple(row["input_ids"][:8]) for row in found.rows}
    terms = {sum(t >= ZERO for t in row) for row in asked}
    assert terms <= {3, 4}, "dictionaries and adapters see corpus A alone"


World_ = Callable[[str, bool], float]


def as_the_paper_says(arm: str, shifted: bool) -> float:
    """The share of right answers in a world where every claim holds."""
    known = {"base": 0.88, "sibling": 0.88, "stranger": 0.88, "rl": 0.96, "sae": 0.95, "rl_sae": 0.98, "moved": 0.94, "sibling_sae": 0.95}  # fmt: skip
    bad = {"untrained": 0.0, "luck": 0.5, "stranger_moved": 0.8, "identity": 0.88}
    return {**known, **bad}.get(arm, 0.85)


def as_noise_would_have_it(arm: str, shifted: bool) -> float:
    """A world where the dictionary does what noise does: it costs a little."""
    known = {"rl": 0.96, "rl_sae": 0.9, "untrained": 0.0, "luck": 0.5, "sft": 0.87}
    return known.get(arm, 0.88 if arm in ("base", "sibling", "stranger", "identity") else 0.8)


def told(chance: World_, rank: float, place: float) -> Records:
    found: list[tuple[dict[str, Any], int, Row]] = []
    head = {"setting": "Reasoner", **values_of(LAPTOP)}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        for split in SUMS.splits:
            for arm in ARMS:
                value = rng.binomial(2_000, chance(arm, split.shifted)) / 2_000
                found.append((head, seed, Row("passed", value, split, 2_000, 60, {"arm": arm}, seed)))
        for arm in ("sae", "random", "noise", "unrelated"):
            found.append((head, seed, Row("left", 0.03 + 0.001 * rng.random(), at={"arm": arm}, seed=seed)))
        for layer in (1, 2, 3, 4):
            found.append((head, seed, Row("only_thinking", float(5 + layer), at={"layer": layer}, seed=seed)))
        jitter = 0.02 * rng.random()
        for name, value in (("kl_left", 0.4), ("count_rank", rank), ("best_place", place)):
            found.append((head, seed, Row(name, value + jitter, seed=seed, step=60)))
    return Records.of(found)


def verdicts(records: Records) -> dict[str, str]:
    return {v.claim.id: v.status for v in judge_study(STUDY, records, "laptop")}


def test_claims_hold_where_they_should_and_fail_where_noise_does_it_all() -> None:
    held = verdicts(told(as_the_paper_says, 0.7, 0.45))
    assert {k: v for k, v in held.items() if v != "supported"} == {}
    fallen = verdicts(told(as_noise_would_have_it, -0.5, 0.8))
    for claim in ("C1a", "C1b", "C2", "C3a", "C3b", "C4a", "C5a", "C5c", "C6"):
        assert fallen[claim] == "refuted", claim
    assert fallen["C4b"] == "untested", "half of a loss is no gain"
    assert all(fallen[c] in ("undecided", "refuted") for c in ("C0a", "C0b", "C0c", "C5b"))


def test_nothing_is_judged_where_reinforcement_taught_nothing() -> None:
    flat = verdicts(told(lambda arm, shifted: 0.0 if arm == "untrained" else 0.9, 0.7, 0.45))
    assert {k: v for k, v in flat.items() if k.startswith("C")} == {k: "untested" for k in flat if k.startswith("C")}
    assert flat["K3"] == "refuted" and flat["K4"] in ("undecided", "refuted")


@pytest.mark.slow
def test_checkpoints_saved_here_take_the_path_of_the_paper(tmp_path: Path) -> None:
    """The paper's arms on local Qwen2 checkpoints of random weights."""
    names: dict[str, str] = {}
    for i, name in enumerate(("target", "source", "sibling", "stranger")):
        model = tiny.made("qwen2")
        with torch.no_grad():
            model.model.layers[0].mlp.down_proj.weight.mul_(1.0 + i)
        model.save_pretrained(str(tmp_path / name))
        tiny.byte_tokenizer().save_pretrained(str(tmp_path / name))
        names[name] = f"hf:{tmp_path / name}"
    setting = replace(rehearse(PAPER), steps=2, **names)
    found = list(trial.run(setting, Lab.alone(seeds=(0,))))
    assert {"sae", "moved", "random", "sft"} <= {row.at.get("arm") for row in found}
    assert all(np.isfinite(row.value) for row in found if row.measure in ("passed", "fvu", "kl_left", "left"))
    with pytest.raises(Missing, match="within a trial"):
        tasks.tasks(PAPER)


def test_the_tool_learns_dictionaries_and_counts_latents(tmp_path: Path) -> None:
    tiny.made("llama").save_pretrained(str(tmp_path / "m"))
    tiny.byte_tokenizer().save_pretrained(str(tmp_path / "m"))
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"question": f"{i} + 1?", "answer": str(i + 1)}) + "\n" for i in range(20)))
    words = [f"hf:{tmp_path / 'm'}", "--train", str(rows), "--features", "64", "--k", "4"]
    said = CliRunner().invoke(tool.app, ["dictionary", *words, "--layer", "2", "-o", str(tmp_path / "sae")])
    assert said.exit_code == 0, said.output
    kept = load(tmp_path / "sae")
    assert (kept.width, kept.features, kept.k) == (32, 64, 4) and "unexplained" in said.output
    told_ = json.loads(CliRunner().invoke(tool.app, ["layers", *words, "--json"]).stdout)
    assert [one["layer"] for one in told_] == [1] and 0 <= told_[0]["only_thinking"] <= 64
