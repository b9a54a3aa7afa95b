"""Our decoders as classes of transformers: their logits are the oracle of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unseen.core.errors import Invalid
from unseen.models import decoder, exporting
from unseen.models.decoder import Decoder
from unseen.models.shape import Positions

CLASSES = {"learned": "GPT2LMHeadModel", "none": "GPT2LMHeadModel", "rotary": "GPTNeoXForCausalLM"}


def moved(positions: Positions, seeds: tuple[int, ...] = (0,)) -> Decoder:
    """Decoders whose every weight, gains and biases too, is away from where it began."""
    models = decoder.stack(31, width=24, layers=3, heads=4, context=20, positions=positions, seeds=seeds)
    with torch.no_grad():
        models.flat.add_(0.1 * torch.randn(models.flat.shape, generator=torch.Generator().manual_seed(7)))
    return models


@pytest.mark.parametrize("positions", CLASSES)
@pytest.mark.parametrize("batch,length", [(1, 1), (2, 20), (30, 17)])
@torch.no_grad()
def test_logits_are_those_of_transformers(positions: Positions, batch: int, length: int) -> None:
    one = moved(positions)
    tokens = torch.randint(0, 31, (batch, length), generator=torch.Generator().manual_seed(2))
    ours = one.logits(one(tokens[None]))[0]
    theirs = exporting.pretrained(one)(tokens).logits
    assert type(exporting.pretrained(one)).__name__ == CLASSES[positions]
    assert float((ours - theirs).abs().max()) <= 1e-5
    assert float(theirs.std()) > 0.05


@pytest.mark.parametrize("positions", CLASSES)
@torch.no_grad()
def test_every_member_of_a_saved_stack_opens_in_transformers(positions: Positions, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    models = moved(positions, (4, 11))
    decoder.save(models, tmp_path / "kept")
    written = decoder.export(tmp_path / "kept", tmp_path / "out")
    assert [path.name for path in written] == ["seed-4", "seed-11"]
    tokens = torch.randint(0, 31, (3, 12), generator=torch.Generator().manual_seed(3))
    ours = models.logits(models(tokens.expand(2, 3, 12)))
    for i, path in enumerate(written):
        opened = AutoModelForCausalLM.from_pretrained(path)
        assert type(opened).__name__ == CLASSES[positions]
        assert float((opened(tokens).logits - ours[i]).abs().max()) <= 1e-5
        how = {"max_new_tokens": 6, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
        theirs = opened.generate(tokens, attention_mask=torch.ones_like(tokens), **how)[:, 12:]
        assert torch.equal(decoder.greedy(decoder.member(models, i), tokens[None], steps=6)[0], theirs)


def test_weights_that_do_not_fit_are_an_error() -> None:
    one = moved("learned")
    made = exporting.pretrained(one)
    with pytest.raises(RuntimeError, match="do not fit"):
        exporting._filled(made, {"strange.weight": torch.zeros(1)})


@pytest.mark.parametrize("positions", CLASSES)
@torch.no_grad()
def test_loops_are_written_out(positions: Positions) -> None:
    one = decoder.stack(31, width=24, layers=2, heads=4, context=20, positions=positions, loops=2)
    one.flat.add_(0.1 * torch.randn(one.flat.shape, generator=torch.Generator().manual_seed(7)))
    tokens = torch.randint(0, 31, (2, 9), generator=torch.Generator().manual_seed(2))
    theirs = exporting.pretrained(one)
    assert float((one.logits(one(tokens[None]))[0] - theirs(tokens).logits).abs().max()) <= 1e-5
    assert theirs.config.num_hidden_layers == 4


def test_tempered_attention_is_refused() -> None:
    with pytest.raises(Invalid, match="temper='log'"):
        exporting.pretrained(decoder.stack(31, width=24, temper="log"))
