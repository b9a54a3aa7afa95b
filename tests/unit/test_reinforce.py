"""Reinforcement of small decoders: luck, advantages, gradients, and a bandit that must be learned."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.methods.fit import Recipe, answer_losses
from unseen.methods.reinforce import Rollout, _given, advantages, answered, reinforced, sampled
from unseen.models import decoder, exporting

END = 2


def small(seeds: tuple[int, ...] = (0, 1)) -> decoder.Decoder:
    return decoder.stack(8, width=16, layers=2, heads=2, context=16, spread=8.0, seeds=seeds, lab=Lab.alone(seeds=seeds))  # fmt: skip


def test_answers_are_drawn_as_often_as_the_model_says() -> None:
    models = small((0,))
    asked = np.full((1, 20_000, 3), 4)
    told = sampled(models, asked, Rollout(2, 1, END), [np.random.default_rng(0)])[0, :, 0]
    with torch.inference_mode():
        chance = models.logits(models(torch.from_numpy(asked[:, :1]))[:, :, -1]).softmax(-1)[0, 0].numpy()
    assert np.bincount(told, minlength=8) / 20_000 == pytest.approx(chance, abs=0.012)
    cold = sampled(models, asked[:, :5], Rollout(2, 1, END, temperature=1e-6), [np.random.default_rng(0)])
    assert np.all(cold[0, :, 0] == chance.argmax())


def test_a_model_of_transformers_with_equal_luck_answers_alike() -> None:
    models = small((0,))
    asked = np.random.default_rng(1).integers(3, 8, (1, 50, 4))
    ours = sampled(models, asked, Rollout(2, 8, END), [np.random.default_rng(5)])[0]
    theirs = answered(exporting.pretrained(models), asked[0], Rollout(2, 8, END), np.random.default_rng(5))
    assert np.array_equal(ours, theirs)
    ended = (ours == END).any(1)
    assert ended.any() and all(not row[list(row).index(END) + 1 :].any() for row in ours[ended])


def test_advantages_are_rewards_beside_their_group() -> None:
    found = advantages(np.array([[1.0, 0, 0, 0, 1, 1, 1, 1]]), 4)
    assert found.tolist() == [[0.75, -0.25, -0.25, -0.25, 0, 0, 0, 0]]


def test_the_loss_is_the_policy_gradient() -> None:
    """−Σ A · log p over the tokens of each answer up to its end, by a loop over tokens."""
    models = small()
    asked = np.random.default_rng(0).integers(3, 8, (2, 4, 3))
    told = np.array([[[5, 6, END, 0], [5, 5, 5, 5], [END, 0, 0, 0], [7, END, 0, 0]]] * 2)
    gained = np.array([[1.0, -0.5, 0.25, 0], [0.5, 0.5, -1, 1]], np.float32)
    losses = answer_losses(models, *_given(models, asked, told, gained, END)).detach().numpy()
    tokens = torch.from_numpy(np.concatenate([asked, told], 2))
    logp = models.logits(models(tokens[:, :, :-1])).log_softmax(-1).detach().numpy()
    for s in range(2):
        by_hand = 0.0
        for i in range(4):
            for j, token in enumerate(told[s, i]):
                by_hand -= gained[s, i] * logp[s, i, 2 + j, token] / 4
                if token == END:
                    break
        assert losses[s] == pytest.approx(by_hand, rel=1e-4)


def test_a_rewarded_token_is_learned_and_an_interruption_changes_nothing() -> None:
    def prompts(step: int, seed: int) -> np.ndarray:
        return np.full((8, 2), 3 + step % 2)

    def reward(seed: int, asked: np.ndarray, told: np.ndarray) -> np.ndarray:
        return (told[:, 0] == 7).astype(float)

    def learned(lab: Lab, stop: int = 0) -> decoder.Decoder:
        models = small()
        recipe = Recipe(lr=1e-2, warmup=1, schedule="constant", shift=False)
        for step, _ in reinforced(models, prompts, reward, Rollout(8, 2, END), steps=30, every=10, recipe=recipe, lab=lab):  # fmt: skip
            if step == stop:
                break
        return models

    whole = learned(Lab.alone(seeds=(0, 1)))
    asked = np.full((2, 200, 2), 3)
    told = sampled(whole, asked, Rollout(2, 2, END), [np.random.default_rng(0)] * 2)
    assert (told[:, :, 0] == 7).mean() > 0.9
    lab = Lab.alone(seeds=(0, 1))
    learned(lab, stop=20)
    assert torch.equal(learned(lab).flat, whole.flat)


def test_rollouts_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(Invalid, match="at least 2"):
        Rollout(1, 4, END)
    with pytest.raises(Invalid, match="temperature=0"):
        Rollout(2, 4, END, temperature=0)
