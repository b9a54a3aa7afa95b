"""Stacked decoders: what they compute, record and take, whatever block they are in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.models import attention, decoder
from unseen.models.decoder import Decoder
from unseen.models.shape import Positions, Temper

POSITIONS: tuple[Positions, ...] = ("learned", "rotary", "none")


def lively(positions: Positions = "learned", seeds: tuple[int, ...] = (0, 1, 2), **sizes: Any) -> Decoder:
    """Decoders with weights large enough that everything they read matters."""
    how: dict[str, Any] = {"width": 16, "layers": 2, "heads": 2, "context": 24} | sizes
    models = decoder.stack(13, positions=positions, seeds=seeds, **how)
    with torch.no_grad():
        for row, seed in zip(models.flat, seeds, strict=True):
            row.add_(0.2 * torch.randn(row.shape, generator=torch.Generator().manual_seed(seed)))
    return models


def tokens(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 13, shape, generator=torch.Generator().manual_seed(seed))


def test_a_seeds_weights_are_the_same_alone_and_in_any_block() -> None:
    block = decoder.stack(13, width=16, seeds=(4, 2, 9))
    for i, seed in enumerate((4, 2, 9)):
        assert torch.equal(decoder.stack(13, width=16, seeds=(seed,)).flat[0], block.flat[i])
        assert torch.equal(decoder.small(13, width=16, seed=seed).flat[0], block.flat[i])
    assert not torch.equal(block.flat[0], block.flat[1])


def test_weights_begin_as_gpt2s_do() -> None:
    models = decoder.stack(50, width=64, layers=3, heads=4)
    spreads = {"embed": 0.02, "place": 0.02, "layers.1.qkv.weight": 0.02, "layers.2.up.weight": 0.02}
    deep = 0.02 / 6**0.5  # two outputs of each of three blocks add up
    for name, spread in {**spreads, "layers.0.out.weight": deep, "layers.2.down.weight": deep}.items():
        assert float(models.w(name).detach().std()) == pytest.approx(spread, rel=0.1)
    assert bool((models.w("layers.0.norm1.gain") == 1).all()) and bool((models.w("layers.0.up.bias") == 0).all())
    matrices = sum(models.w(name)[0].numel() for name in models.names if models.w(name)[0].dim() > 1)
    assert models.decayed == matrices


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("batch", [2, 40])  # few and many rows: the norm's gain goes into the weights with many
def test_each_member_computes_what_it_computes_alone(positions: Positions, batch: int) -> None:
    models, given = lively(positions), tokens(3, batch, 20)
    whole = models(given)
    for i, one in enumerate(decoder.members(models)):
        assert torch.allclose(one(given[i : i + 1])[0], whole[i], atol=1e-5)
        assert torch.allclose(one.logits(one(given[i : i + 1]))[0], models.logits(whole)[i], atol=1e-4)


def test_a_member_is_a_copy_and_a_part_is_not() -> None:
    models = lively()
    one, first, second = decoder.member(models, 1), models.part(0, 2), models.part(2, 3)
    assert (first.seeds, second.seeds, one.seeds) == ((0, 1), (2,), (1,))
    with torch.no_grad():
        models.flat.zero_()
    assert bool((one.w("embed") != 0).any())
    assert bool((first.w("embed") == 0).all()) and bool((second.w("embed") == 0).all())


@pytest.mark.parametrize("positions", POSITIONS)
def test_no_token_sees_what_follows(positions: Positions) -> None:
    models, given = lively(positions), tokens(3, 2, 12)
    other = given.clone()
    other[:, :, 8:] = (other[:, :, 8:] + 1) % 13
    before, after = models(given), models(other)
    assert torch.allclose(before[:, :, :8], after[:, :, :8], atol=1e-5)
    assert float((before[:, :, 8:] - after[:, :, 8:]).abs().amax(-1).min()) > 1e-3


def test_without_positions_the_order_of_what_came_before_is_not_seen() -> None:
    given = tokens(1, 1, 6)
    turned = given[:, :, [3, 1, 0, 2, 4, 5]]
    blind, sighted = lively("none", (0,), layers=1), lively("rotary", (0,), layers=1)
    assert torch.allclose(blind(given)[0, 0, -1], blind(turned)[0, 0, -1], atol=1e-5)
    assert not torch.allclose(sighted(given)[0, 0, -1], sighted(turned)[0, 0, -1], atol=1e-2)


def test_an_offset_moves_learned_positions() -> None:
    models, given = lively(), tokens(3, 2, 6)
    moved = models.part(0, 3)
    offset = torch.tensor([[0, 5], [7, 1], [18, 18]])
    found = models(given, offset)
    for s in range(3):
        for b in range(2):
            one = decoder.member(moved, s)
            with torch.no_grad():
                one.w("place")[0] = one.w("place")[0].roll(-int(offset[s, b]), 0)
            assert torch.allclose(one(given[s : s + 1, b : b + 1])[0, 0], found[s, b], atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_kept_places_have_the_hidden_states_they_have_among_all(layers: int) -> None:
    models, given = lively(layers=layers), tokens(3, 4, 10)
    keep = torch.randint(0, 40, (3, 7), generator=torch.Generator().manual_seed(1))
    whole = models(given).flatten(1, 2)
    found = models(given, keep=keep)
    assert found.shape == (3, 7, 16)
    for s in range(3):
        assert torch.allclose(found[s], whole[s, keep[s]], atol=1e-5)


def test_recorded_values_add_up() -> None:
    models, given = lively(), tokens(3, 2, 9)
    seen: dict[str, Tensor] = {}
    models(given, record=seen)
    sites = {f"layers.{i}.{site}" for i in (0, 1) for site in ("attention", "mlp", "residual", "weights")}
    assert set(seen) == {"embed"} | sites
    below = seen["embed"]
    assert below.shape == (3, 2, 9, 16)
    for i in (0, 1):
        above = below + seen[f"layers.{i}.attention"] + seen[f"layers.{i}.mlp"]
        assert torch.allclose(above, seen[f"layers.{i}.residual"], atol=1e-5)
        below = seen[f"layers.{i}.residual"]


@pytest.mark.parametrize(
    "site", ["embed", *(f"layers.{i}.{s}" for i in (0, 1) for s in ("attention", "mlp", "residual"))]
)
def test_a_site_can_be_replaced(site: str) -> None:
    models, given = lively(), tokens(3, 2, 9)
    seen: dict[str, Tensor] = {}
    plain = models(given, record=seen)
    assert torch.allclose(models(given, patch={site: lambda value: seen[site]}), plain, atol=1e-6)
    gone = models(given, patch={site: torch.zeros_like})
    assert float((gone - plain).abs().max()) > 1e-2

    def from_another(value: Tensor) -> Tensor:  # the value of the first sequence at its last token, in the second
        value = value.clone()
        value[:, 1, -1] = seen[site][:, 0, -1]
        return value

    moved = models(given, patch={site: from_another})
    assert torch.allclose(moved[:, 0], plain[:, 0], atol=1e-6) and torch.allclose(
        moved[:, 1, :-1], plain[:, 1, :-1], atol=1e-6
    )
    if site == "layers.1.residual":  # nothing but the final norm follows
        assert torch.allclose(moved[:, 1, -1], plain[:, 0, -1], atol=1e-5)


@pytest.mark.parametrize("positions", POSITIONS)
def test_greedy_with_a_cache_says_what_full_passes_say(positions: Positions) -> None:
    models, given = lively(positions), tokens(3, 4, 5)
    said, whole = decoder.greedy(models, given, steps=9), given
    with torch.no_grad():
        for _ in range(9):
            whole = torch.cat([whole, models.logits(models(whole))[:, :, -1:].argmax(-1)], 2)
    assert torch.equal(said, whole[:, :, 5:])
    assert said.unique().numel() > 3


def test_greedy_stops_at_its_end_and_at_the_context() -> None:
    models, given = lively(), tokens(3, 4, 5)
    said = decoder.greedy(models, given, steps=9)
    end = int(said[0, 0, 3])
    cut = decoder.greedy(models, given, steps=9, end=end)
    for before, after in zip(said.flatten(0, 1).tolist(), cut.flatten(0, 1).tolist(), strict=True):
        kept = before[: before.index(end) + 1] if end in before else before
        assert after == (kept + [0] * 9)[: len(after)]
    assert decoder.greedy(models, tokens(3, 2, 20), steps=50).shape == (3, 2, 5)  # the last needs no place of its own


def written_out(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention written out, in double precision."""
    q, k, v = q.double(), k.double(), v.double()
    found = torch.zeros_like(q)
    for t in range(q.shape[2]):
        scores = (k[:, :, : t + 1] * q[:, :, t : t + 1]).sum(-1) / q.shape[-1] ** 0.5
        found[:, :, t] = (scores.softmax(-1)[..., None] * v[:, :, : t + 1]).sum(2)
    return found


@pytest.mark.parametrize("length", [7, attention.SHORT + 6])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_attention_is_that_of_its_equation(length: int, kind: torch.dtype) -> None:
    q, k, v = torch.randn(3, 2, 2, length, 8, generator=torch.Generator().manual_seed(0)).to(kind)
    q.requires_grad_(True)
    found = attention.attended(q, k, v)
    given = q.detach().double().requires_grad_(True)
    expected = written_out(given, k, v)
    near = 1e-5 if kind == torch.float32 else 3e-2
    assert torch.allclose(found.double(), expected, atol=near)
    pull = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    (mine,) = torch.autograd.grad(found, q, pull.to(kind))
    (theirs,) = torch.autograd.grad(expected, given, pull.double())
    assert torch.allclose(mine.double(), theirs, atol=near)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    models = lively("rotary", (5, 3))
    decoder.save(models, tmp_path / "kept")
    again = decoder.load(tmp_path / "kept")
    assert again.shape == models.shape and again.seeds == (5, 3)
    assert torch.equal(again.flat, models.flat)


@pytest.mark.parametrize(
    "sizes,word",
    [({"width": 15}, "multiple"), ({"layers": 0}, "layers=0"), ({"width": 6, "positions": "rotary"}, "even")],
)
def test_sizes_that_make_no_decoder_are_refused(sizes: dict[str, int], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        decoder.stack(13, **{"width": 16, "heads": 2, **sizes})


@pytest.mark.parametrize("positions", POSITIONS)
def test_recorded_weights_say_what_heads_read(positions: Positions) -> None:
    models, given, seen = lively(positions), tokens(3, 2, 9), dict[str, Tensor]()
    models(given, record=seen)
    shares = seen["layers.1.weights"]
    assert shares.shape == (3, 2, 2, 9, 9)
    assert torch.allclose(shares.sum(-1), torch.ones(3, 2, 2, 9), atol=1e-6)
    assert bool((shares.triu(1) == 0).all())
    x = seen["layers.0.residual"].flatten(1, 2)
    values = models._linear(models._norm(x, "layers.1.norm1"), "layers.1.qkv").detach()[..., 32:].view(3, 2, 9, 2, 8)
    read = torch.einsum("sbhqk,sbkhe->sbqhe", shares, values).reshape(3, 18, 16)
    assert torch.allclose(models._linear(read, "layers.1.out").view(3, 2, 9, 16), seen["layers.1.attention"], atol=1e-5)


@pytest.mark.parametrize("positions", POSITIONS)
def test_loops_run_the_same_blocks_again(positions: Positions) -> None:
    once, twice = lively(positions, layers=4), lively(positions, layers=2, loops=2)
    with torch.no_grad():
        for name in once.names:
            first, _, rest = name.removeprefix("layers.").partition(".")
            once.w(name).copy_(twice.w(f"layers.{int(first) % 2}.{rest}" if first.isdigit() else name))
    given, seen = tokens(3, 2, 9), dict[str, Tensor]()
    assert torch.allclose(once(given), twice(given, record=seen), atol=1e-5)
    assert {int(site.split(".")[1]) for site in seen if site != "embed"} == {0, 1, 2, 3}
    assert torch.equal(decoder.greedy(once, given, steps=4), decoder.greedy(twice, given, steps=4))
    keep = torch.tensor([[3, 5], [0, 17], [8, 9]])
    assert torch.allclose(once(given, keep=keep), twice(given, keep=keep), atol=1e-5)


@pytest.mark.parametrize("kind", ["log", "table"])
def test_tempered_scores_are_multiplied_by_a_function_of_the_prompts_length(kind: Temper) -> None:
    models, plain = lively("none", layers=1, temper=kind), lively("none", layers=1)
    with torch.no_grad():
        for name in plain.names:
            plain.w(name).copy_(models.w(name))
        models.w("layers.0.temper").zero_()
    given, asked = tokens(3, 2, 9), torch.tensor([[4, 7]]).expand(3, 2)
    assert torch.allclose(models(given, asked=asked), plain(given), atol=1e-6)  # it begins at 1
    with torch.no_grad():
        told = models.w("layers.0.temper")
        told[:, 0 if kind == "log" else 4] = 0.5
        told[:, 1 if kind == "log" else 7] = 0.25
    for b, n in enumerate((4, 7)):
        factor = 1.5 + 0.25 * torch.tensor(float(n)).log() if kind == "log" else torch.tensor({4: 1.5, 7: 1.25}[n])
        sharp = lively("none", layers=1)
        with torch.no_grad():
            sharp.flat.copy_(plain.flat)
            sharp.w("layers.0.qkv.weight")[..., :16] *= factor
            sharp.w("layers.0.qkv.bias")[..., :16] *= factor
        assert torch.allclose(models(given, asked=asked)[:, b], sharp(given)[:, b], atol=1e-5)
    with pytest.raises(Invalid, match="lengths of the prompts"):
        models(given)


def test_a_table_of_multipliers_goes_on_by_the_logarithm_fitted_to_it() -> None:
    models = lively("none", layers=2, temper="table")
    lengths = torch.arange(1, 25).float()
    with torch.no_grad():
        for i in (0, 1):
            models.w(f"layers.{i}.temper")[:, 2:9] = 0.3 * i - 0.1 + 0.2 * lengths[1:8].log()
    more = decoder.tempered(models, [2, 3, 4, 5, 6, 7, 8])
    for i in (0, 1):
        wanted = 0.3 * i - 0.1 + 0.2 * lengths.log()
        assert torch.allclose(more.w(f"layers.{i}.temper")[:, 1:], wanted.expand(3, 24), atol=1e-4)
    assert not torch.allclose(models.w("layers.0.temper"), more.w("layers.0.temper"))
    for wrong, known in ((models, [3]), (lively("none"), [2, 3])):
        with pytest.raises(Invalid, match="two lengths"):
            decoder.tempered(wrong, known)
