"""The lens against a two-layer case written by hand and against transformers; tracing against one state at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.measures import lens
from unseen.models import decoder
from unseen.models.exporting import pretrained


def by_hand() -> decoder.Decoder:
    """One decoder whose tokens are unit vectors. Attention does nothing. Block 0 adds 2·e3 + 1.5·e4 everywhere, block 1
    adds 4·e5 − 1·e3: so after block 0 token 3 leads, then 4, then the token itself; after block 1 token 5 leads, then 4."""
    models = decoder.small(8, width=8, layers=2, heads=2, context=4, positions="none")
    with torch.no_grad():
        for name in models.names:
            models.w(name).fill_(1.0 if name.endswith("gain") else 0.0)
        models.w("embed")[0] = torch.eye(8)
        models.w("layers.0.down.bias")[0] = torch.tensor([0, 0, 0, 2.0, 1.5, 0, 0, 0])
        models.w("layers.1.down.bias")[0] = torch.tensor([0, 0, 0, -1.0, 0, 4.0, 0, 0])
    return models


def lively(seeds: tuple[int, ...] = (0, 1), layers: int = 3, loops: int = 1, **more: str) -> decoder.Decoder:
    models = decoder.stack(
        11, width=16, layers=layers, heads=2, context=6, spread=12.0, loops=loops, seeds=seeds, **more
    )
    with torch.no_grad():
        models.w("norm.gain").add_(torch.linspace(-0.5, 0.5, 16))
        models.w("norm.bias").add_(torch.linspace(0.3, -0.3, 16))
    return models


def prompts(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(1, 11, shape, generator=torch.Generator().manual_seed(seed))


def test_the_lens_on_two_layers_written_by_hand() -> None:
    models = by_hand()
    tokens = torch.tensor([[[1, 2], [6, 7], [3, 3]]])
    expected = {  # wanted token -> its rank after embedding, block 0, block 1, for prompts ending in 2, 7 and 3
        2: ([0, 1, 1], [2, 3, 2], [2, 4, 3]),
        3: ([1, 1, 0], [0, 0, 0], [2, 2, 1]),
        4: ([1, 1, 1], [1, 1, 1], [1, 1, 2]),
        5: ([1, 1, 1], [3, 3, 2], [0, 0, 0]),
    }
    for wanted, by_layer in expected.items():
        found = lens.ranks(models, tokens, 1, torch.full((1, 3), wanted))
        assert found[:, 0].tolist() == [list(one) for one in by_layer], wanted
    several = lens.ranks(models, tokens, 1, torch.tensor([3, 4, 5]).expand(1, 3, 3))
    assert several.shape == (3, 1, 3, 3) and several[1, 0].tolist() == [[0, 1, 3], [0, 1, 3], [0, 1, 2]]


def test_mrr_and_recall_by_hand() -> None:
    ranks = np.array([[0, 1, 3], [0, 0, 9]])
    assert lens.mrr(ranks).tolist() == pytest.approx([(1 + 1 / 2 + 1 / 4) / 3, (1 + 1 + 1 / 10) / 3])
    assert lens.recall(ranks, 3).tolist() == pytest.approx([2 / 3, 2 / 3])
    assert lens.recall(ranks, 4).tolist() == pytest.approx([1, 2 / 3])


@pytest.mark.parametrize("loops", [1, 2])
def test_the_last_layer_says_what_the_model_says(loops: int) -> None:
    models, tokens = lively(loops=loops), prompts(2, 5, 4)
    for place in range(4):
        found = lens.scores(models, tokens, place)
        assert found.shape == (3 * loops + 1, 2, 5, 11)
        assert torch.allclose(found[-1], models.logits(models(tokens))[:, :, place], atol=1e-4)


def test_ranks_are_places_in_the_sorted_vocabulary() -> None:
    models, tokens, wanted = lively(), prompts(2, 5, 4), prompts(2, 5, seed=1)
    scores, found = lens.scores(models, tokens, 2).detach().numpy(), lens.ranks(models, tokens, 2, wanted)
    for layer, seed, item in np.ndindex(found.shape):
        order = np.argsort(-scores[layer, seed, item]).tolist()
        assert found[layer, seed, item] == order.index(int(wanted[seed, item]))


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_transformers_models_are_read_like_ours(positions: str) -> None:
    """An exported decoder (GPT-2, or GPT-NeoX where positions are rotary) has the ranks it has here."""
    pytest.importorskip("transformers")
    models = lively((0,), positions=positions)
    theirs, tokens, wanted = pretrained(models), prompts(1, 6, 4), prompts(1, 6, seed=1)
    for place in (0, 3):
        ours = lens.ranks(models, tokens, place, wanted)[:, 0]
        assert np.array_equal(lens.ranks_of_states(theirs, tokens[0], place, wanted[0]), ours)
        told = lens.scores_of_states(theirs, tokens[0], place, attention_mask=torch.ones(6, 4, dtype=torch.long))
        assert torch.allclose(told, lens.scores(models, tokens, place)[:, 0], atol=1e-3)


@pytest.mark.parametrize("arch", ["llama", "opt", "gpt_bigcode"])
def test_other_architectures_end_in_their_own_scores(arch: str) -> None:
    transformers = pytest.importorskip("transformers")
    small = {"vocab_size": 11, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    more = {"opt": {"ffn_dim": 32, "word_embed_proj_dim": 16}, "llama": {"intermediate_size": 32}}.get(arch, {})
    torch.manual_seed(0)
    made = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.for_model(arch, **small, **more)
    ).eval()
    tokens = prompts(5, 4)
    found = lens.scores_of_states(made, tokens, 3)
    assert found.shape == (3, 5, 11)
    assert torch.allclose(found[-1], made(tokens).logits[:, 3], atol=1e-4)


def test_a_model_without_a_known_norm_is_refused() -> None:
    with pytest.raises(Invalid, match="final norm"):
        lens.final_norm(type("Odd", (), {"base_model": object()})())


@pytest.mark.parametrize("loops", [1, 2])
def test_tracing_is_a_loop_over_layers_places_and_items(loops: int, monkeypatch: pytest.MonkeyPatch) -> None:
    models, tokens = lively(loops=loops), prompts(2, 9, 4)
    others = {place: tokens.clone() for place in (0, 1, 3)}
    for place, other in others.items():
        other[:, :, place] = other[:, :, place] % 10 + 1
    found = lens.traced(models, tokens, others)
    names = lens.sites(models)
    assert found.shape == (3 * loops - 1, 3, 2, 9)
    for row, column, item in np.ndindex(*found.shape[:2], 9):
        layer, place = row + 1, (0, 1, 3)[column]
        one = tokens[:, item : item + 1]
        seen: dict[str, Tensor] = {}
        models(others[place][:, item : item + 1], record=seen)

        def put(
            value: Tensor, *, site: str = names[layer], place: int = place, seen: dict[str, Tensor] = seen
        ) -> Tensor:
            value = value.clone()
            value[:, :, place] = seen[site][:, :, place]
            return value

        before = models.logits(models(one))[:, 0, -1].argmax(-1)
        after = models.logits(models(one, patch={names[layer]: put}))[:, 0, -1].argmax(-1)
        assert found[row, column, :, item].tolist() == (before != after).tolist()
    assert 0.1 < found.mean() < 0.9
    monkeypatch.setattr(lens, "AT_ONCE", 2 * 4 * 16 * found.shape[0] * 3 * 2)  # two items at a time
    assert np.array_equal(lens.traced(models, tokens, others), found)


def test_a_state_put_in_its_own_place_changes_nothing_and_the_last_one_everything() -> None:
    models, tokens = lively(), prompts(2, 9, 4)
    assert not lens.traced(models, tokens, {p: tokens for p in range(4)}).any()
    others = prompts(2, 9, 4, seed=5)
    found = lens.traced(models, tokens, {3: others, 1: others}, layers=(3,))
    said, theirs = (models.logits(models(x))[:, :, -1].argmax(-1) for x in (tokens, others))
    assert np.array_equal(found[0, 0], (said != theirs).numpy())  # after the last block the state is the answer
    assert not found[0, 1].any()  # and no other place reaches it
    with pytest.raises(Invalid, match="single block"):
        lens.traced(lively(layers=1), tokens, {0: others})
