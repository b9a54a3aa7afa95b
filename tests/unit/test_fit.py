"""Training of stacked decoders, against a plain loop of PyTorch over a model of transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.core.task import Batch
from unseen.methods import fit, training
from unseen.models import decoder, exporting
from unseen.models.decoder import Decoder
from unseen.tasks.batches import padded, places

EXACT = fit.Recipe(batch=12, warmup=4, precision="float32", shift=False)


@dataclass(frozen=True)
class Mixed:
    """Sequences of 3 to 9 tokens, padded with 0, of which the last two are answers: they repeat the first two."""

    name: str = "mixed"
    vocab: int = 11
    splits: tuple[Any, ...] = ()
    most: int = 9

    def longest(self, split: str) -> int:
        return self.most

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        lengths = rng.integers(3, self.most + 1, n)
        at = np.arange(lengths.max())
        tokens = np.where(at < lengths[:, None], rng.integers(1, self.vocab, (n, lengths.max())), 0)
        rows = np.arange(n)
        for k in (1, 2):
            tokens[rows, lengths - k] = tokens[rows, np.maximum(2 - k, 0)]
        return Batch(tokens, (at < lengths[:, None]) & (at >= lengths[:, None] - 2))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Any]:
        return []

    def score(self, example: Any, answer: str) -> dict[str, float]:
        return {}


class Doubled(Mixed):
    """Two tokens, and the same two again as answers."""

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        half = rng.integers(1, self.vocab, (n, 2))
        return Batch(np.tile(half, (1, 2)), np.tile(np.arange(4) >= 2, (n, 1)))


def begun(seeds: tuple[int, ...], **sizes: Any) -> Decoder:
    return decoder.stack(11, **{"width": 16, "layers": 2, "heads": 2, "context": 8, "seeds": seeds} | sizes)


def trained(
    seeds: tuple[int, ...], recipe: fit.Recipe, steps: int, models: Decoder | None = None, task: Any = Mixed()
) -> Decoder:
    models = models or begun(seeds)
    for step, same in fit.next_token(
        models, task, "train", steps=steps, every=steps, recipe=recipe, lab=Lab.alone(seeds=seeds)
    ):
        assert step == steps and same is models
    return models


def logits(models: Decoder) -> Tensor:
    given = torch.randint(1, 11, (1, 6, 8), generator=torch.Generator().manual_seed(0)).expand(len(models.seeds), 6, 8)
    with torch.no_grad():
        return models.logits(models(given))


def plainly(one: Decoder, seed: int, recipe: fit.Recipe, steps: int, rate: Callable[[int], float]) -> Any:
    """The same training written out: transformers' GPT-2, torch's AdamW and clipping, one batch after another."""
    model = exporting.pretrained(one).train()
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    adam = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        betas=recipe.betas,
    )
    lab = Lab.alone(seeds=(seed,))
    for step in range(steps):
        batch = Mixed().batch("train", recipe.batch, lab.rng("batch", step, seed=seed))
        tokens, answer = torch.from_numpy(batch.tokens), torch.from_numpy(batch.answer)
        told = model(tokens[:, :-1]).logits.log_softmax(-1)
        each = -told.gather(2, tokens[:, 1:, None])[..., 0]
        adam.zero_grad()
        each[answer[:, 1:]].mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        for group in adam.param_groups:
            group["lr"] = float(recipe.lr) * rate(step)
        adam.step()
    return model.eval()


@pytest.mark.parametrize("clip", [1.0, 0.05])
def test_each_member_learns_as_in_a_plain_loop(clip: float) -> None:
    recipe, steps = replace(EXACT, clip=clip, weight_decay=0.1), 50
    models = trained((3, 8), recipe, steps)
    rate = lambda step: (step + 1) / 4 if step < 4 else (50 - step) / 46  # noqa: E731
    for i, seed in enumerate((3, 8)):
        theirs = plainly(begun((seed,)), seed, recipe, steps, rate)
        given = torch.randint(1, 11, (6, 8), generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            assert float((theirs(given).logits - logits(models)[i]).abs().max()) <= 1e-5
        ours = exporting.pretrained(decoder.member(models, i)).state_dict()
        for name, weight in theirs.state_dict().items():
            if not name.endswith(
                "c_attn.bias"
            ):  # that of keys has no gradient but rounding, which AdamW makes steps of
                assert float((weight - ours[name]).abs().max()) <= 1e-5, name
    assert float((logits(models) - logits(begun((3, 8)))).abs().max()) > 0.1


@pytest.mark.parametrize("at_once", [1, 1 << 19])
def test_a_member_learns_the_same_alone_and_in_a_stack(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "AT_ONCE", at_once)
    block = logits(trained((5, 1, 9), EXACT, 30))
    for i, seed in enumerate((5, 1, 9)):
        assert float((logits(trained((seed,), EXACT, 30))[0] - block[i]).abs().max()) <= 1e-5


def test_members_may_have_rates_of_their_own() -> None:
    both = logits(trained((2, 6), replace(EXACT, lr=(1e-3, 4e-3)), 20))
    for i, (seed, lr) in enumerate(((2, 1e-3), (6, 4e-3))):
        assert float((logits(trained((seed,), replace(EXACT, lr=lr), 20))[0] - both[i]).abs().max()) <= 1e-5
    with pytest.raises(Invalid, match="2 rates for 3 members"):
        trained((1, 2, 3), replace(EXACT, lr=(1e-3, 1e-3)), 2)


def test_many_members_are_taken_as_the_cache_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    models = begun((0, 1, 2, 3, 4, 5))
    for features, size in ((1, 1), (2 * 100 * 16, 2), (5 * 100 * 16, 3), (6 * 100 * 16, 6), (1 << 40, 6)):
        monkeypatch.setattr(training, "AT_ONCE", features)
        assert training._members(models, 100 * 16) == size


def test_the_rate_rises_and_falls_as_told() -> None:
    told = {
        "linear": [0.5, 1.0, 1.0, 0.75, 0.5, 0.25],
        "constant": [0.5, 1.0, 1.0, 1.0, 1.0, 1.0],
        "cosine": [0.5, 1.0, 1.0, (1 + math.cos(math.pi / 4)) / 2, 0.5, (1 - math.cos(math.pi / 4)) / 2],
    }
    for name, rates in told.items():
        recipe = fit.Recipe(warmup=2, schedule=name)  # type: ignore[arg-type]
        assert [recipe.rate(step, 6) for step in range(6)] == pytest.approx(rates)
    assert fit.Recipe(warmup=0).rate(0, 4) == 1.0


def test_a_member_that_diverges_is_frozen_and_the_others_go_on() -> None:
    recipe, seen = replace(EXACT, lr=(1e-3, 1e30)), []
    models = begun((4, 7))
    lab = Lab.alone(seeds=(4, 7))
    shown: list[Any] = []
    lab.progress = lambda done, of, **words: shown.append(words)  # type: ignore[method-assign]  # a real one may lose some
    for _, same in fit.next_token(models, Mixed(), "train", steps=20, every=5, recipe=recipe, lab=lab):
        seen.append(same.flat.clone())
    alone = logits(trained((4,), replace(EXACT, lr=1e-3), 20))
    assert float((alone[0] - logits(models)[0]).abs().max()) <= 1e-5
    assert torch.equal(seen[0][1], seen[-1][1]) and bool(torch.isfinite(seen[-1][1]).all())
    assert not torch.equal(seen[0][0], seen[-1][0])
    assert shown[-1]["diverged"] == 1


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("rates", [1e-3, (1e-3, 1e30)])
def test_a_training_that_was_killed_goes_on_exactly(precision: Any, rates: Any, tmp_path: Path) -> None:
    recipe = replace(EXACT, precision=precision, lr=rates, shift=True)

    def going(models: Decoder, state: Path) -> Any:
        lab = Lab((0, 1), tmp_path, tmp_path, state=state)
        return fit.next_token(models, Mixed(), "train", steps=40, every=10, recipe=recipe, lab=lab)

    whole = begun((0, 1), context=12)
    steps = [step for step, _ in going(whole, tmp_path / "whole")]
    killed = begun((0, 1), context=12)
    first = going(killed, tmp_path / "killed")
    assert [next(first)[0] for _ in range(3)] == [10, 20, 30]
    first.close()  # step 30 was not asked past: the last checkpoint is that of step 20
    again = begun((0, 1), context=12)
    assert [step for step, _ in going(again, tmp_path / "killed")] == [30, 40]
    assert steps == [10, 20, 30, 40] and torch.equal(again.flat, whole.flat)
    over = begun((0, 1), context=12)  # a training that is over yields nothing, and its weights are there
    assert list(going(over, tmp_path / "whole")) == [] and torch.equal(over.flat, whole.flat)


def test_the_loss_is_that_of_answer_tokens_alone() -> None:
    models, task = begun((0, 1, 2)), Mixed()
    batches = [task.batch("train", 12, np.random.default_rng(s)) for s in range(3)]
    tokens, answer = padded(batches, 9)
    keep, weight = map(torch.from_numpy, places(answer))
    with torch.no_grad():
        found = fit.answer_losses(models, torch.from_numpy(tokens), None, keep, weight)
        for i, batch in enumerate(batches):
            one = exporting.pretrained(decoder.member(models, i))
            told = one(torch.from_numpy(batch.tokens)[:, :-1]).logits.log_softmax(-1)
            wanted = [
                -float(told[row, at - 1, batch.tokens[row, at]])
                for row, at in zip(*np.nonzero(batch.answer), strict=True)
            ]
            assert float(found[i]) == pytest.approx(np.mean(wanted), abs=1e-5)


def test_learned_positions_start_anywhere_where_there_is_room() -> None:
    lab = Lab.alone(seeds=(0, 1))
    draw = lambda models, recipe: fit._offset(models, 3, recipe, lab, 9)  # noqa: E731
    room = begun((0, 1), context=20)
    offset = draw(room, replace(EXACT, shift=True, batch=200))
    assert offset is not None and offset.shape == (2, 200)
    assert (int(offset.min()), int(offset.max())) == (0, 12)
    for models, recipe in (
        (room, EXACT),
        (begun((0, 1)), replace(EXACT, shift=True)),
        (begun((0,), positions="rotary", context=20), replace(EXACT, shift=True)),
    ):
        assert draw(models, recipe) is None


@pytest.mark.parametrize("every,steps", [(4, [4, 8, 10]), ([1, 3, 30], [1, 3, 10]), (20, [10])])
def test_models_are_yielded_when_asked_for(every: Any, steps: list[int]) -> None:
    models = begun((0,))
    told = fit.next_token(models, Mixed(), "train", steps=10, every=every, recipe=EXACT, lab=Lab.alone())
    assert [step for step, _ in told] == steps


@pytest.mark.parametrize(
    "change,word",
    [({"steps": 0}, "steps=0"), ({"every": 0}, "every=0"), ({"models": begun((0,), context=7)}, "make it at least 8")],
)
def test_what_cannot_be_trained_is_refused(change: dict[str, Any], word: str) -> None:
    how = {
        "models": begun((0,)),
        "task": Mixed(),
        "split": "train",
        "steps": 4,
        "every": 2,
        "lab": Lab.alone(),
    } | change
    with pytest.raises(Invalid, match=word):
        list(fit.next_token(**how))


def test_memory_that_runs_out_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> Tensor:
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(fit, "answer_losses", full)
    with pytest.raises(Failed, match=r"memory ran out training 1 models .* lower batch"):
        trained((0,), EXACT, 2)


def test_a_task_is_learned_in_bfloat16_where_the_machine_has_it() -> None:
    recipe = fit.Recipe(lr=1e-2, batch=64, warmup=20, shift=False)
    task = Doubled(most=4)
    models = trained((0, 1), recipe, 150, task=task)
    lab = Lab.alone(seeds=(0, 1))
    tokens, answer = padded([task.batch("test", 200, lab.rng("test", seed=s)) for s in (0, 1)], 4)
    keep, weight = map(torch.from_numpy, places(answer))
    with torch.no_grad():
        loss = fit.answer_losses(models, torch.from_numpy(tokens), None, keep, weight)
    assert float(loss.max()) < 0.1  # of log 10 = 2.3 nats


def test_only_long_trainings_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(torch, "compile", lambda f, **how: made.append(f) or f)
    monkeypatch.setattr(fit, "_compiler", lambda: True)
    models = begun((0,))
    assert fit.compiled(fit.answer_losses, models, fit.COMPILED_FROM - 1) is fit.answer_losses and not made
    fit.compiled(fit.answer_losses, models, fit.COMPILED_FROM)
    assert made == [fit.answer_losses]
    monkeypatch.setattr(fit, "_compiler", lambda: False)  # nothing to compile with: trained all the same
    assert fit.compiled(fit.answer_losses, models, fit.COMPILED_FROM) is fit.answer_losses and len(made) == 1


@pytest.mark.slow
@pytest.mark.skipif(not fit._compiler(), reason="there is no C++ compiler")
def test_compiled_members_learn_as_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "AT_ONCE", 1)  # one member at a time: the code compiled for one serves the next
    plain = logits(trained((0, 1), EXACT, 12))
    monkeypatch.setattr(fit, "COMPILED_FROM", 0)
    assert float((logits(trained((0, 1), EXACT, 12)) - plain).abs().max()) <= 1e-4


def test_each_member_may_have_a_task_of_its_own() -> None:
    shifted = replace(Mixed(), name="other", most=7)
    both = logits(trained((2, 6), EXACT, 20, task=[Mixed(), shifted]))
    for i, (seed, task) in enumerate(((2, Mixed()), (6, shifted))):
        assert float((logits(trained((seed,), EXACT, 20, task=task))[0] - both[i]).abs().max()) <= 1e-5
    with pytest.raises(Invalid, match="1 tasks for 2 members"):
        trained((2, 6), EXACT, 2, task=[Mixed()])


def test_a_paced_task_is_told_how_far_training_is() -> None:
    told: list[float] = []

    class Curriculum(Mixed):
        def paced(self, split: str, n: int, rng: np.random.Generator, done: float) -> Batch:
            told.append(done)
            return self.batch(split, n, rng)

    same = logits(trained((3,), EXACT, 8, task=Curriculum()))
    assert told == [step / 8 for step in range(8)]
    assert torch.equal(same, logits(trained((3,), EXACT, 8)))


def test_a_step_is_no_wider_than_its_sequences() -> None:
    drawn = [Mixed(most=m).batch("train", 6, np.random.default_rng(0)) for m in (5, 7)]
    assert [fit._rounded(drawn, unit) for unit in (1, 4, 8, 30)] == [7, 8, 8, 30]
    narrow = trained((1,), EXACT, 20, models=begun((1,), context=29), task=Mixed(most=5))

    class Announced(Mixed):
        def longest(self, split: str) -> int:
            return 30

    wide = trained((1,), EXACT, 20, models=begun((1,), context=29), task=Announced(most=5))
    assert float((logits(narrow) - logits(wide)).abs().max()) <= 1e-5


def test_tokens_beyond_the_vocabulary_are_refused() -> None:
    with pytest.raises(Invalid, match="holds token 12, but the decoder has 11"):
        trained((0, 1), EXACT, 4, task=Mixed(vocab=13))


def test_a_checkpoint_of_other_models_is_refused(tmp_path: Path) -> None:
    lab = Lab((0,), tmp_path, tmp_path, state=tmp_path / "state")
    go = lambda models: list(  # noqa: E731
        fit.next_token(models, Mixed(), "train", steps=4, every=2, recipe=EXACT, lab=lab)
    )
    go(begun((0,)))
    with pytest.raises(Invalid, match="is of other models than these 1 of"):
        go(begun((0,), width=8))
