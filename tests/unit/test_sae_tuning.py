"""SAE-Tuning of models of transformers: what is replaced, what learns, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.measures.sae import fit, only_at
from unseen.methods import sae_tuning
from unseen.methods.sae_tuning import activations, block, blocks, divergence, inserted, labelled, laid, tuned
from unseen.methods.trainer import IGNORED, collated
from unseen.methods.tuning import Recipe
from unseen.models import decoder, exporting, tiny
from unseen.tasks.owned import Pair

ROWS = [labelled([5, 6 + i % 3], [9, 10, 11 + i % 4]) for i in range(12)] + [labelled([7], [8])]
HOW = Recipe("resa", steps=15, batch=4, lr=1e-2, rank=4)


def logits(model: Any, rows: Sequence[Any] = ROWS) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(**{k: v for k, v in collated(rows).items() if k != "labels"}).logits


@pytest.mark.parametrize("kind", ["qwen2", "llama", "gpt2", "gpt_neox"])
def test_layers_are_read_where_the_model_itself_says(kind: str) -> None:
    model = tiny.made(kind).eval()
    found = activations(model, ROWS, [1, 2])
    batch = {k: v for k, v in collated(ROWS).items() if k != "labels"}
    theirs = model(**batch, output_hidden_states=True).hidden_states[1][batch["attention_mask"].bool()]
    assert torch.allclose(found[1], theirs, atol=1e-5) and found[2].shape == found[1].shape
    assert len(found[1]) == len(sae_tuning.tokens_of(ROWS)) == sum(len(r["input_ids"]) for r in ROWS)
    assert len(blocks(model)[1]) == 2
    with pytest.raises(Invalid, match="has the layers 1 to 2"):
        block(model, 3)


@pytest.mark.parametrize("kind", ["qwen2", "gpt2"])
def test_only_what_comes_after_learns_and_the_dictionary_is_dropped(kind: str, tmp_path: Path) -> None:
    model = tiny.made(kind)
    before, weights = logits(model), {k: v.clone() for k, v in model.state_dict().items()}
    made = fit(activations(model, ROWS, [1])[1], 16, k=2)
    with inserted(model, 1, made):
        start = divergence(before, logits(model), collated(ROWS)["attention_mask"])
    assert torch.equal(logits(model), before), "what was inserted is gone again"
    after = tuned(model, ROWS, HOW, Lab.alone(), layer=1, replace=made)
    learns = {name for name, p in after.named_parameters() if p.requires_grad}
    assert learns and all(f"{blocks(tiny.made(kind))[0]}.1." in name for name in learns)
    base = after.get_base_model()
    with inserted(base, 1, made):
        end = divergence(before, logits(after), collated(ROWS)["attention_mask"])
    assert end < 0.9 * start
    with after.disable_adapter():
        assert torch.equal(logits(after), before)
    after.save_pretrained(str(tmp_path))
    other = tiny.made(kind)
    assert torch.equal(logits(sae_tuning.moved(other, tmp_path)), logits(after)), "the adapter works where it is put"
    merged = after.merge_and_unload()
    assert set(merged.state_dict()) == set(weights), "no part of the dictionary or the adapter is left"
    assert torch.equal(dict(merged.named_parameters())[next(iter(weights))], weights[next(iter(weights))])


def test_where_nothing_is_replaced_hardly_anything_is_learned() -> None:
    """Adam makes steps of what rounding leaves of a gradient of zero, so it is not nothing."""
    model = tiny.made("llama")
    before = logits(model)
    after = logits(tuned(model, ROWS, HOW, Lab.alone(), layer=1, replace=lambda given: given).merge_and_unload())
    assert divergence(before, after, collated(ROWS)["attention_mask"]) < 0.02


def test_plain_lora_learns_the_labels() -> None:
    model = tiny.made("llama")

    def surprise(one: Any) -> float:
        batch = collated(ROWS)
        with torch.no_grad():
            return float(one.eval()(**batch).loss)

    before = surprise(model)
    after = tuned(model, ROWS, HOW, Lab.alone(), layer=0, replace=None)
    assert surprise(after) < 0.95 * before


def test_a_small_decoder_is_tuned_in_its_exported_form() -> None:
    one = decoder.stack(16, width=16, layers=3, heads=2, context=8, spread=4.0, seeds=(0,))
    model = exporting.pretrained(one)
    made = fit(activations(model, ROWS, [2])[2], 32, k=2)
    after = tuned(model, ROWS, HOW, Lab.alone(), layer=2, replace=made)
    assert any("h.2." in name for name, p in after.named_parameters() if p.requires_grad)


def test_blocks_that_give_tuples_and_tensors() -> None:
    class Block(torch.nn.Module):
        def __init__(self, tupled: bool) -> None:
            super().__init__()
            self.tupled = tupled

        def forward(self, x: torch.Tensor) -> Any:
            return (x, "kept") if self.tupled else x

    for tupled in (True, False):
        model: Any = torch.nn.Module()
        model.layers = torch.nn.ModuleList([Block(tupled)])
        text = SimpleNamespace(num_hidden_layers=1)
        model.config = SimpleNamespace(get_text_config=lambda text=text: text)
        with inserted(model, 1, lambda x: x + 1):
            out = model.layers[0](torch.zeros(2, 3))
        told = out[0] if tupled else out
        assert told.shape == (2, 3) and bool((told == 1).all()) and (not tupled or out[1] == "kept")
    del model.layers
    with pytest.raises(Invalid, match="no list of 1 blocks"):
        blocks(model)


def test_the_divergence_is_that_of_the_distributions() -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    p, q = torch.distributions.Categorical(logits=teacher), torch.distributions.Categorical(logits=student)
    each = torch.distributions.kl_divergence(p, q)
    assert divergence(teacher, student, mask) == pytest.approx(float((each * mask).sum() / 2), rel=1e-5)
    assert float(divergence(teacher, teacher, mask)) == 0


def test_rows_of_text_and_their_thinking_marks() -> None:
    tokenizer = tiny.byte_tokenizer()
    rows, marked = laid(tokenizer, [Pair("i", "1 + 1?", "2"), Pair("j", "<think>?", "3")], 200)
    texts = [tokenizer.decode(r["input_ids"]) for r in rows]
    assert texts[0] == "User:\n1 + 1?\n\nAssistant:\n<think> 2 </think>\n<answer> Answer: 2</answer>"
    assert len(marked) == sum(len(r["input_ids"]) for r in rows)
    assert int(marked.sum()) == 2 * len("<think></think>"), "a question's own mark is none"
    answered = [t for t, at in zip(rows[0]["input_ids"], rows[0]["labels"], strict=True) if at != IGNORED]
    assert tokenizer.decode(answered).startswith("<think> 2")
    short, cut = laid(tokenizer, [Pair("i", "1 + 1?", "2")], 10)
    assert len(short[0]["input_ids"]) == len(cut) == 10
    with pytest.raises(Invalid, match="use a fast tokenizer"):
        laid(SimpleNamespace(is_fast=False), [], 10)
    model = tiny.made("qwen2")
    found = activations(model, rows, [1])[1]
    assert only_at(fit(found, 32, k=4), found, marked).shape == (32,)


def test_what_cannot_be_tuned_is_said() -> None:
    with pytest.raises(Invalid, match="no rows"):
        tuned(tiny.made("llama"), [], HOW, Lab.alone(), layer=1, replace=None)
    with pytest.raises(Invalid, match="after it there is no block"):
        tuned(tiny.made("llama"), ROWS, HOW, Lab.alone(), layer=2, replace=None)
