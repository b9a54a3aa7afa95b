"""EK-FAC influence: against dense curvature by brute force, against training anew, and what it says of bad input."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from unseen.core.errors import Damaged, Invalid, Unknown
from unseen.measures import influence
from unseen.measures.influence import Predicted, Recipe, Told, batches, chosen, fit, next_token, scores
from unseen.measures.influence import factors as influence_factors

from .exact_curvature import Mlp, Transformer, by_definition, gradients, influences

GIVEN = Recipe(labels="given")
BLOCKS = [f"blocks.{i}.{name}" for i in range(2) for name in ("qkv", "out", "up", "down")]


@pytest.fixture(autouse=True)
def doubles() -> Any:
    """Everything in float64, so that only the method's own error is seen."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def told(model: Any, batch: Any) -> Predicted:
    """Classes, or numbers where the labels are such."""
    return Predicted(model(batch[0]), batch[1])


def pearson(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def points(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 5, generator=source)
    return x, (x[:, :4] * 2 + torch.randn(n, 4, generator=source)).argmax(1)


def sequences(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(seed)
    rows = [torch.randint(0, 6, (n, 1), generator=source)]
    for _ in range(6):
        noise = torch.randint(0, 6, (n, 1), generator=source)
        rows.append(torch.where(torch.rand(n, 1, generator=source) < 0.8, (rows[-1] * 2 + 1) % 6, noise))
    tokens = torch.cat(rows, 1)
    return tokens[:, :-1], tokens[:, 1:]


def trained(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> nn.Module:
    adam = torch.optim.Adam(model.parameters(), 1e-2, weight_decay=1e-3)
    for _ in range(steps):
        adam.zero_grad()
        F.cross_entropy(model(x).flatten(0, -2), y.flatten()).backward()
        adam.step()
    model.zero_grad()
    return model


def rows(x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
    return list(zip(x, y, strict=True))


@pytest.fixture(scope="module")
def mlp() -> Any:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    x, y = points(120)
    return trained(Mlp(nn.Tanh()), x, y, 200), x, y, points(10, 1)


def test_scores_are_those_of_the_curvature_that_ekfac_defines(mlp: Any) -> None:
    model, x, y, queries = mlp
    damping = {"up": 0.01, "down": 0.01}
    exact = by_definition(model, damping, rows(*queries), rows(x, y), rows(x, y))
    train = [(x[i : i + 50], y[i : i + 50]) for i in range(0, 120, 50)]
    mine = influence.influence(model, told, told, train, [queries], damping=0.01, recipe=GIVEN)
    assert mine.dtype == np.float32 and mine.shape == (10, 120)
    np.testing.assert_allclose(mine, exact, rtol=2e-4, atol=1e-4 * np.abs(exact).max())


def test_scores_of_a_transformer_are_those_that_ekfac_defines() -> None:
    torch.manual_seed(1)
    x, y = sequences(40)
    model = trained(Transformer(), x, y, 100)
    assert sum(p.numel() for p in model.parameters()) <= 2000
    queries = sequences(6, 1)
    exact = by_definition(model, dict.fromkeys(BLOCKS, 0.01), rows(*queries), rows(x, y), rows(x, y))
    factors = fit(model, told, [(x, y)], layers="blocks.*", damping=0.01, recipe=GIVEN)
    mine = scores(factors, [queries], [(x[:25], y[:25]), (x[25:], y[25:])])
    np.testing.assert_allclose(mine, exact, rtol=1e-3, atol=1e-4 * np.abs(exact).max())


def test_where_curvature_is_a_kronecker_product_influence_is_exact() -> None:
    """Two linear layers with numbers as labels: gradients do not depend on inputs, so Gauss-Newton is A ⊗ S."""
    torch.manual_seed(2)
    x, _ = points(80)
    y, queries = torch.randn(80, 4), (points(10, 1)[0], torch.randn(10, 4))
    model = Mlp(nn.Identity())
    exact = influences(model, {"up": 0.02, "down": 0.02}, rows(*queries), rows(x, y), rows(x, y))
    mine = influence.influence(model, told, told, [(x, y)], [queries], damping=0.02, recipe=Recipe(draws=150))
    assert pearson(mine, exact) >= 0.999


@pytest.mark.parametrize(("damping", "least"), [(0.1, 0.8), (10.0, 0.99)])
def test_against_exact_gauss_newton_of_an_mlp(mlp: Any, damping: float, least: float) -> None:
    """Where curvature is no Kronecker product EK-FAC is an approximation, the better the more it is damped."""
    model, x, y, queries = mlp
    factors = fit(model, told, [(x, y)], recipe=Recipe(draws=30))
    spare = damping * float(np.mean([f.spread.mean() for f in factors.layers.values() if f is not None]))
    exact = influences(model, {"up": spare, "down": spare}, rows(*queries), rows(x, y), rows(x, y))
    assert pearson(scores(replace(factors, damping=spare), [queries], [(x, y)]), exact) >= least


@pytest.mark.slow
def test_against_exact_gauss_newton_of_a_transformer() -> None:
    torch.manual_seed(1)
    x, y = sequences(60)
    queries = sequences(8, 1)
    model = trained(Transformer(), x, y, 200)
    factors = fit(model, told, [(x, y)], layers="blocks.*", recipe=Recipe(draws=30))
    found = []
    for times in (0.1, 1.0, 100.0):
        spare = times * float(np.mean([f.spread.mean() for f in factors.layers.values() if f is not None]))
        exact = influences(model, dict.fromkeys(BLOCKS, spare), rows(*queries), rows(x, y), rows(x, y))
        found.append(pearson(scores(replace(factors, damping=spare), [queries], [(x, y)]), exact))
    assert found == sorted(found) and found[0] >= 0.7 and found[2] >= 0.99


def test_leaving_one_row_out_of_training_agrees_in_sign() -> None:
    """A softmax regression trained to its optimum, anew without each row of the top and bottom deciles."""
    x, y = points(40, 3)
    query = points(1, 4)
    model = nn.Sequential(nn.Linear(5, 4))

    def optimum(keep: Tensor) -> float:
        torch.manual_seed(0)
        one = nn.Sequential(nn.Linear(5, 4))
        lbfgs = torch.optim.LBFGS(one.parameters(), max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

        def lost() -> Tensor:
            lbfgs.zero_grad()
            decay = sum((p.square().sum() for p in one.parameters()), torch.zeros(()))
            loss = F.cross_entropy(one(x[keep]), y[keep], reduction="sum") / len(x) + 0.01 * decay
            loss.backward()
            return loss

        lbfgs.step(lost)
        model.load_state_dict(one.state_dict())
        return float(F.cross_entropy(one(query[0]), query[1]).detach())

    everything = torch.ones(len(x), dtype=torch.bool)
    whole = optimum(everything)
    mine = influence.influence(model, told, told, [(x, y)], [query], damping=0.02, recipe=Recipe(draws=30))[0]
    order = np.argsort(mine)
    for i in (*order[:4], *order[-4:]):
        keep = everything.clone()
        keep[i] = False
        assert np.sign(optimum(keep) - whole) == np.sign(mine[i])


def test_without_curvature_scores_are_products_of_gradients(mlp: Any) -> None:
    model, x, y, queries = mlp
    mine = influence.influence(model, told, told, [(x, y)], [queries], recipe=Recipe(curvature="identity"))
    exact = sum(gradients(model, n, rows(*queries)) @ gradients(model, n, rows(x, y)).T for n in ("up", "down"))
    assert isinstance(exact, Tensor)
    np.testing.assert_allclose(mine, exact.numpy(), rtol=1e-4, atol=1e-5)


def test_full_rank_changes_nothing_and_a_low_one_little(mlp: Any) -> None:
    model, x, y, queries = mlp
    factors = fit(model, told, [(x, y)], recipe=GIVEN)
    whole = scores(factors, [queries], [(x, y)])
    np.testing.assert_allclose(scores(factors, [queries], [(x, y)], rank=99), whole, rtol=1e-3, atol=1e-3)
    assert pearson(scores(factors, [queries], [(x, y)], rank=3), whole) > 0.95


def llama(**more: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {
        "vocab_size": 20,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    return LlamaForCausalLM(
        LlamaConfig(**sizes | {"num_key_value_heads": 2, "max_position_embeddings": 12} | more)
    ).float()


def lists(n: int, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(1, 20, rng.integers(3, 10)).tolist() for _ in range(n)]


def test_padding_and_batches_change_nothing() -> None:
    torch.set_default_dtype(torch.float32)
    model, told_rows = llama(), lists(12)
    tables = []
    for size in (1, 5):
        factors = fit(model, next_token, batches(told_rows, size=size), recipe=GIVEN)
        assert not any("lm_head" in name for name in factors.layers) and len(factors.layers) == 14
        asked = batches(told_rows[:4], size=size, answers=[1, 2, 1, 2])
        tables.append(scores(factors, asked, batches(told_rows, size=size)))
    np.testing.assert_allclose(tables[0], tables[1], rtol=2e-3, atol=2e-3 * np.abs(tables[0]).max())


def test_gradients_of_gpt2_are_those_of_autograd() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_positions=12, n_embd=8, n_layer=1, n_head=2)).eval()
    told_rows = lists(5)
    factors = fit(model, next_token, batches(told_rows), recipe=Recipe(curvature="identity"))
    mine = scores(factors, batches(told_rows[:2]), batches(told_rows))
    flat = []
    for row in told_rows:
        model.zero_grad()
        next_token(model, torch.tensor([row])).losses().sum().backward()
        named = [model.get_submodule(name) for name in factors.layers]
        flat.append(torch.cat([p.grad.flatten() for one in named for p in one.parameters() if p.grad is not None]))
    np.testing.assert_allclose(mine, (torch.stack(flat[:2]) @ torch.stack(flat).T).numpy(), rtol=1e-3, atol=1e-3)


def test_bfloat16_ranks_nearly_as_float32() -> None:
    torch.set_default_dtype(torch.float32)
    model, train = llama(), batches(lists(30))
    tables = [
        influence.influence(model, next_token, next_token, train, train[:1], recipe=replace(GIVEN, dtype=dtype))
        for dtype in ("float32", "bfloat16")
    ]
    assert pearson(*tables) > 0.98


def test_drawn_labels_are_a_function_of_the_seed_and_the_model_is_left_as_it_was(mlp: Any) -> None:
    model, x, y, queries = mlp
    model.train()
    model.up.weight.requires_grad_(False)
    one, same, other = (
        influence.influence(model, told, told, [(x, y)], [queries], recipe=Recipe(seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same) and not np.array_equal(one, other) and pearson(one, other) > 0.8
    assert model.training and not model.up.weight.requires_grad and model.down.weight.requires_grad
    assert all(p.grad is None for p in model.parameters())
    model.up.weight.requires_grad_(True)
    model.eval()


def test_layers_in_groups_and_a_killed_fit_give_the_same(
    mlp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x, y, queries = mlp
    whole = scores(fit(model, told, [(x, y)]), [queries], [(x, y)])
    recipe = Recipe(folder=tmp_path, at_once=1)
    inner, calls = influence_factors._spreads, 0

    def killed(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return inner(*args)

    monkeypatch.setattr(influence_factors, "_spreads", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(model, told, [(x, y)], recipe=recipe)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "covariances-1-1.safetensors", "fit.json", "layer-up.safetensors",
    ]  # fmt: skip
    monkeypatch.setattr(influence_factors, "_spreads", inner)
    monkeypatch.setattr(influence_factors, "_covariances", lambda *_: pytest.fail("what was finished is done again"))
    again = scores(fit(model, told, [(x, y)], recipe=recipe), [queries], [(x, y)])
    np.testing.assert_allclose(again, whole, rtol=1e-4, atol=1e-5)
    with pytest.raises(Invalid, match="other labels"):
        fit(model, told, [(x, y)], recipe=replace(recipe, seed=5))
    (tmp_path / "layer-up.safetensors").write_bytes(b"torn")
    with pytest.raises(Damaged, match="remove it"):
        fit(model, told, [(x, y)], recipe=recipe)


class Twice(nn.Module):
    """One layer that runs twice, and one whose weight is the embedding's."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.layer, self.head = nn.Embedding(6, 5), nn.Linear(5, 5), nn.Linear(5, 6, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.layer(torch.tanh(self.layer(self.embed(x))))))


def test_shared_modules_are_added_and_tied_ones_left_out_loudly() -> None:
    torch.manual_seed(0)
    model = Twice()
    x, y = torch.randint(0, 6, (30, 3)), torch.randint(0, 6, (30, 3))
    with pytest.warns(Told) as said:
        factors = fit(model, told, [(x, y)], damping=0.05, recipe=GIVEN)
        mine = scores(factors, [(x[:4], y[:4])], [(x, y)])
    words = " ".join(str(w.message) for w in said)
    assert "head is left out: its weight is also that of embed" in words and "layer runs several times" in words
    g = gradients(model, "layer", rows(x, y)).float().view(30, 5, 6)
    factor = factors.layers["layer"]
    assert factor is not None
    turned = factor.outputs.T @ g @ factor.inputs
    np.testing.assert_allclose(factor.spread.numpy(), turned.square().mean(0).numpy(), rtol=1e-3, atol=1e-6)
    exact = (turned[:4] / (factor.spread + 0.05)).flatten(1) @ turned.flatten(1).T
    np.testing.assert_allclose(mine, exact.numpy(), rtol=1e-3, atol=1e-4)


class Unused(nn.Module):
    """A layer that no gradient reaches, beside one that one does."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Linear(5, 4), nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x) + 0 * self.idle(x)


def test_a_layer_without_gradients_is_left_out_loudly() -> None:
    x, y = points(20)
    with pytest.warns(Told, match="idle is left out: no gradient reaches it"):
        factors = fit(Unused(), told, [(x, y)])
    assert list(factors.layers) == ["used"]


class Mixing(nn.Module):
    """A layer that sees the places of all rows in one row of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.reshape(1, -1, 5)).reshape(*x.shape[:-1], 4)


def test_bad_input_is_told(mlp: Any) -> None:
    model, x, y, queries = mlp
    train = [(x, y)]
    with pytest.raises(Invalid, match="no linear layers"):
        fit(nn.Embedding(3, 4), told, train)
    with pytest.raises(Unknown, match=r"'\*attn\*' matches no linear layer; there are up, down"):
        fit(model, told, train, layers="*attn*")
    with pytest.raises(Invalid, match="generator"):
        fit(model, told, iter(train))
    with pytest.raises(Invalid, match="no batches"):
        fit(model, told, [])
    with pytest.raises(Invalid, match="damping=-1"):
        fit(model, told, train, damping=-1.0)
    with pytest.raises(Invalid, match="draws=0"):
        fit(model, told, train, recipe=Recipe(draws=0))
    with pytest.raises(Invalid, match="not finite"):
        fit(model, told, [(x * float("nan"), y)])
    with pytest.raises(Invalid, match="mixes documents"):
        fit(Mixing(), told, train)
    one = [(x[:1].repeat(20, 1), y[:1].repeat(20))]
    with pytest.raises(Invalid, match="singular"):
        fit(model, told, [(torch.zeros_like(x), y)], damping=0.0, recipe=GIVEN)
    assert np.isfinite(scores(fit(model, told, one), [queries], one)).all()
    with pytest.raises(Invalid, match="labels='drawn' needs"):
        fit(model, lambda m, b: F.cross_entropy(m(b[0]), b[1], reduction="sum"), train, recipe=Recipe(labels="drawn"))
    factors = fit(model, told, train)
    for asked, documents, words in (([], train, "no queries"), ([queries], [], "no documents")):
        with pytest.raises(Invalid, match=words):
            scores(factors, asked, documents)
    with pytest.raises(Invalid, match="rank=0"):
        scores(factors, [queries], train, rank=0)
    with pytest.raises(Invalid, match="one number for each row"):
        fit(model, lambda m, b: m(b[0]), train)


def test_a_document_longer_than_the_context_is_told() -> None:
    torch.set_default_dtype(torch.float32)
    with pytest.raises(Invalid, match="13 tokens, but the model's context is 12"):
        fit(llama(), next_token, batches([list(range(13))]))
    with pytest.raises(Invalid, match="two are needed"):
        batches([[1, 2], [3]])


def test_a_plain_loss_has_the_curvature_of_given_labels(mlp: Any) -> None:
    model, x, y, queries = mlp
    plain = influence.influence(
        model, lambda m, b: F.cross_entropy(m(b[0]), b[1], reduction="sum"), told, [(x, y)], [queries]
    )
    given = influence.influence(model, told, told, [(x, y)], [queries], recipe=GIVEN)
    # float32: scores of up to some forty are sums of terms of either sign, so small ones are as exact as large ones
    np.testing.assert_allclose(plain, given, rtol=1e-4, atol=1e-6 * np.abs(given).max())


def test_layers_are_chosen_by_name() -> None:
    torch.set_default_dtype(torch.float32)
    assert list(chosen(llama(), "*.1.mlp.*")) == [f"model.layers.1.mlp.{n}_proj" for n in ("gate", "up", "down")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen(llama(), "lm_head")
    with pytest.raises(Invalid, match="no layer is left"), pytest.warns(Told):
        chosen(llama(tie_word_embeddings=True), "lm_head")


def test_scores_are_written_ranked_and_read_again(tmp_path: Path) -> None:
    table = np.array([[0.5, -1.0, 2.0], [1.0, 1.0, -3.0]], np.float32)
    path = influence.write(tmp_path / "new" / "scores.parquet", table, ["q0", "q1"], [10, 11, 12])
    frame = pl.read_parquet(path)
    assert frame["document"].to_list() == [12, 10, 11, 10, 11, 12] and frame["rank"].to_list() == [1, 2, 3] * 2
    assert frame.schema["score"] == pl.Float32
    again, queries, documents = influence.read(path)
    assert queries == ["q0", "q1"] and np.array_equal(again, table[:, [d - 10 for d in documents]])
    with pytest.raises(Invalid, match="do not fit"):
        influence.write(path, table, ["q0"], [1, 2, 3])
