"""Models shared among ranks: half of the bytes each, the same numbers, the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.methods import ranks, sharded
from unseen.models import tiny

TOKENS = torch.arange(2, 26).reshape(2, 12)


def own(tmp_path: Path) -> Lab:
    return Lab((3,), tmp_path / "out", tmp_path / "cache", state=tmp_path / "state")


def nll(logits: Any, labels: Any) -> Any:
    """The sum over tokens of a next-token loss, from its definition."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum")


# a rank's rows and what they weigh


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("counted", [True, False])
def test_shares_add_up_to_the_loss_of_the_batch(n: int, rows: int, counted: bool) -> None:
    """More ranks than rows, rows that no number divides, and rows without an answer, among them."""
    torch.manual_seed(0)
    labels = torch.randint(2, 9, (rows, 6))
    labels[torch.rand(rows, 6) < 0.5] = -100
    labels[0, 3], labels[1:2] = 5, -100
    logits = torch.randn(rows, 6, 11)
    of = int((labels[:, 1:] != -100).sum())
    batch = {"input_ids": torch.randint(2, 9, (rows, 6)), "labels": labels, "at": torch.arange(rows)}
    total = 0.0
    for rank in range(n):
        mine, weight = sharded.share(batch, rank, n, counted=counted)
        seen = logits[mine["at"]]
        own = of if counted else int((mine["labels"][:, 1:] != -100).sum())
        total += weight * float(nll(seen, mine["labels"])) / own / n
    assert total == pytest.approx(float(nll(logits, labels)) / of, rel=1e-6)


def test_a_trainer_tells_the_mean_and_refuses_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank 1 of two says a loss of 2 and rows that add up to so much."""

    class Plain:
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            return torch.tensor(1.0)

    assert sharded.dealt(Plain) is Plain
    monkeypatch.setattr(ranks, "count", lambda: 2)
    monkeypatch.setattr(ranks, "rank", lambda: 0)
    inputs = {"input_ids": torch.tensor([[1, 2, 3]])}
    for theirs in (6.0, 5.0):
        monkeypatch.setattr(torch.distributed, "all_reduce", lambda told, x=theirs: told.add_(torch.tensor([2.0, x])))
        if theirs == 6:
            assert float(sharded.dealt(Plain)().training_step(None, inputs)) == 1.5
            continue
        with pytest.raises(Failed, match="rank 0 drew other rows than the rest"):
            sharded.dealt(Plain)().training_step(None, inputs)


# who is refused


def test_a_weight_that_is_whole_in_every_rank_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What accelerate does on CPUs: whole copies, without a word."""
    monkeypatch.setattr(ranks, "count", lambda: 2)
    with pytest.raises(
        Failed, match=r"model.embed_tokens.weight is not shared among the 2 ranks \(it is a Parameter\)"
    ):
        sharded.check(tiny.made("llama"))


def test_weights_in_eight_bits_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.made("llama")
    model.lm_head.weight = torch.nn.Parameter(torch.zeros(3, 3, dtype=torch.int8), requires_grad=False)
    assert sharded.shared(model, own(tmp_path)) is model, "alone, nothing is shared"
    monkeypatch.setattr(ranks, "count", lambda: 2)
    with pytest.raises(Invalid, match=r"lm_head.weight holds whole numbers: .* use bfloat16"):
        sharded.shared(model, own(tmp_path))


# two ranks


def tied(dtype: str) -> Any:
    """A small model whose head is its embedding."""
    made = tiny.made("qwen2", dtype)
    made.config.tie_word_embeddings = True
    torch.manual_seed(0)
    return type(made)(made.config).to(made.dtype)


def halves(lab: Lab, folder: str, dtype: str) -> dict[str, Any]:
    """What a rank holds of a model, what it answers before and after a step, and the files it makes."""
    model = tied(dtype)
    whole = sum(p.untyped_storage().nbytes() for p in model.parameters())
    with sharded.in_turn(lab):
        learner = sharded.shared(model, lab).eval()
    with torch.inference_mode():  # as looks at rows do, before any training
        asked = learner(TOKENS, use_cache=False).logits
        alike = learner(TOKENS + ranks.rank(), use_cache=False).logits  # as if ranks had computed other numbers
    optimizer = torch.optim.SGD(learner.parameters(), lr=0.1)
    learner.train()
    for _ in range(2):
        loss = learner(input_ids=TOKENS[ranks.rank()][None], labels=TOKENS[ranks.rank()][None], use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    sharded.save(learner, Path(folder))
    names = [name for name, _ in learner.named_parameters()]
    back = sharded.gathered(dict(learner.named_parameters()))
    first = dict(learner.named_parameters())[names[0]]
    sharded.put(first, torch.ones(first.shape, dtype=first.dtype))
    ones = float(first.full_tensor().float().mean())
    return {"held": sharded.held(learner) / whole, "asked": asked.float().tolist(), "alike": float(alike.sum()), "names": names, "back": len(back), "ones": ones}  # fmt: skip


def alone(dtype: str) -> tuple[Any, Any]:
    """(answers before, model after) of the same in one process: a batch of both rows."""
    model = tied(dtype)
    with torch.inference_mode():
        asked = model(TOKENS, use_cache=False).logits.float()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()
    for _ in range(2):
        model(input_ids=TOKENS, labels=TOKENS, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return asked, model


@pytest.mark.parametrize("dtype", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_two_ranks_hold_half_each_and_learn_as_one(tmp_path: Path, dtype: str) -> None:
    told = ranks.run(halves, 2, str(tmp_path / "two"), dtype, lab=own(tmp_path))
    asked, model = alone(dtype)
    near = 1e-5 if dtype == "float32" else 0.05
    assert [t["ones"] for t in told] == [1.0, 1.0] and [t["back"] for t in told] == [len(told[0]["names"]), 0]
    assert told[0]["alike"] == told[1]["alike"], "all read the answers of the first"
    for one in told:
        assert 0.49 < one["held"] < 0.52, "half of the bytes, and what does not divide"
        assert torch.allclose(torch.tensor(one["asked"]), asked, atol=near)
    model.save_pretrained(str(tmp_path / "one"))
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("two", "one"))
    assert ours.keys() == theirs.keys() and "lm_head.weight" not in ours, "tied weights stay one"
    assert all(torch.allclose(ours[k].float(), theirs[k].float(), atol=near) for k in theirs)
    configs = [json.loads((tmp_path / name / "config.json").read_text()) for name in ("two", "one")]
    assert configs[0] == configs[1], "what opens it is the same class"


@pytest.mark.slow
def test_a_trial_shares_a_model_among_ranks(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker of a pool, by a function of the study's own: losses and norms of gradients are those of one process."""
    pytest.importorskip("trl")
    from unseen import driver

    monkeypatch.setenv("UNSEEN_STUDIES", str(Path(__file__).parent / "ranked"))
    monkeypatch.chdir(tmp_path)
    asked = driver.ask("learned_together", "smoke")
    outcomes = driver.measure(asked, driver.How("procs:1"))
    assert [o.status for o in outcomes] == ["done"] * 2, [o.error for o in outcomes]
    found = driver.judge(asked).records.frame().to_dicts()
    by_n = {n: {(r["measure"], r["step"]): r["value"] for r in found if r["setting.shares"] == n} for n in (1, 2)}
    assert by_n[1].pop(("held", None)) == 1 and 0.49 < by_n[2].pop(("held", None)) < 0.52
    assert len(by_n[1]) == 14 and by_n[2] == pytest.approx(by_n[1], rel=1e-4)
    assert min(v for (measure, _), v in by_n[1].items() if measure == "norm") > 1, "gradients are cut"
