"""Mean routing weights of models: against what transformers says itself, and a loop over samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unseen.core.errors import Invalid
from unseen.measures import pathways, routing
from unseen.models import exporting_moe, moe, tiny


def mixtures(seeds: tuple[int, ...] = (0, 1)) -> moe.Mixture:
    return moe.stack(
        40, width=16, layers=3, heads=2, context=24, experts=8, active=2, hidden=8, spread=10.0, seeds=seeds
    )


def given(*shape: int) -> torch.Tensor:
    tokens = torch.randint(1, 40, shape, generator=torch.Generator().manual_seed(0))
    tokens[..., 2, 7:] = 0
    return tokens


def test_weights_are_the_means_of_what_transformers_says() -> None:
    model = exporting_moe.pretrained(mixtures((0,)))
    tokens = given(5, 11)
    found = routing.of_pretrained(model, tokens, (tokens != 0).long())
    assert found.shape == (5, 3, 8)
    for i, row in enumerate(tokens):
        real = row[row != 0][None]
        with torch.no_grad():
            told = model(real, output_router_logits=True).router_logits
        wanted = torch.stack([layer.float().softmax(-1).mean(0) for layer in told])
        assert found[i] == pytest.approx(wanted.numpy(), abs=1e-6)
    assert found.sum(-1) == pytest.approx(np.ones((5, 3)))


def test_weights_of_stacked_mixtures_are_those_of_their_exports() -> None:
    models = mixtures()
    tokens = given(2, 5, 11)
    found = routing.of_mixture(models, tokens)
    for i, one in enumerate(moe.members(models)):
        theirs = exporting_moe.pretrained(one)
        assert found[i] == pytest.approx(routing.of_pretrained(theirs, tokens[i], (tokens[i] != 0).long()), abs=1e-6)
        assert routing.routers_of(theirs) == pytest.approx(models.routers()[i].detach().numpy())


def test_other_routers_read_what_the_models_own_read() -> None:
    models, tokens = mixtures(), given(2, 5, 11)
    own = routing.of_mixture(models, tokens, routers=models.routers().detach())
    assert own == pytest.approx(routing.of_mixture(models, tokens), abs=1e-6)
    other = routing.of_mixture(models, tokens, routers=torch.zeros_like(models.routers()))
    assert other == pytest.approx(np.full((2, 5, 3, 8), 1 / 8), abs=1e-6)


def test_hooks_are_gone_and_other_mixtures_are_read_too() -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    model = MixtralForCausalLM(
        MixtralConfig(
            vocab_size=40,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            num_local_experts=4,
        )
    ).eval()
    found = routing.of_pretrained(model, given(5, 11))
    assert found.shape == (5, 2, 4) and not any(m._forward_pre_hooks for m in model.modules())
    with torch.no_grad():
        told = model(given(5, 11), output_router_logits=True).router_logits
    assert found == pytest.approx(
        torch.stack([t.softmax(-1).view(5, 11, 4).mean(1) for t in told], 1).numpy(), abs=1e-6
    )


def test_models_without_routers_are_refused() -> None:
    with pytest.raises(Invalid, match="no routers of experts"):
        routing.of_pretrained(tiny.made("llama"), given(5, 11))
    model = exporting_moe.pretrained(mixtures((0,)))
    model.config.scoring_func = "sigmoid"
    with pytest.raises(Invalid, match="score by sigmoid"):
        routing.routers_of(model)


def test_watch_measures_pathways_while_a_trainer_trains(tmp_path: object) -> None:
    from transformers import Trainer, TrainingArguments

    from unseen.measures.watch import Watch, pathways_on

    model = exporting_moe.pretrained(mixtures((0,)))
    rows = [{"input_ids": r, "labels": r} for r in given(8, 10)]
    batch = {"input_ids": given(6, 11), "attention_mask": (given(6, 11) != 0).long()}
    watch = Watch({"pathways": pathways_on(batch)}, every=2)
    told = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=4,
        per_device_train_batch_size=4,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
    )
    Trainer(model=model, args=told, train_dataset=rows, callbacks=[watch]).train()  # type: ignore[arg-type]
    assert [one["step"] for one in watch.history] == [0, 2, 4]
    weights = routing.of_pretrained(model.eval(), batch["input_ids"], batch["attention_mask"])
    wanted = pathways.told(weights, routing.routers_of(model))
    last = {k: v for k, v in watch.history[-1].items() if k != "step"}
    assert last == pytest.approx({f"pathways/{k}": v for k, v in wanted.items()}, nan_ok=True)
