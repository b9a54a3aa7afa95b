"""In-context learners against plain PyTorch: nn.MultiheadAttention, nn.LSTM, and a loop of fast weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab
from unseen.methods import fit
from unseen.models import learner, recurrent
from unseen.models.learner import Form, Kind, Learner, Shape

KINDS: tuple[tuple[Kind, Form], ...] = tuple((k, f) for k in ("transformer", "lstm", "fast") for f in ("pair", "shift"))


def begun(kind: Kind = "transformer", form: Form = "pair", seeds: tuple[int, ...] = (0, 1), **sizes: int) -> Learner:
    shape = Shape(**{"features": 3, "classes": 4, "length": 6, "width": 8, **sizes}, kind=kind, form=form)
    return learner.stack(shape, seeds=seeds)


def drawn(seeds: int = 2, n: int = 5, length: int = 6) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(0)
    return torch.randn(seeds, n, length, 3, generator=made), torch.randint(0, 4, (seeds, n, length), generator=made)


def read(models: Learner, s: int, x: Tensor, y: Tensor) -> Tensor:
    """The tokens [batch token width] of one member, by a loop over examples."""
    table = models.w("body.embed" if models.shape.kind == "transformer" else "label.weight")[s]
    into, n = models.w("input.weight")[s], x.shape[1]
    found = []
    for j in range(n):
        blank = torch.zeros(len(x), dtype=torch.long)
        if models.shape.form == "pair":
            found += [x[:, j] @ into + table[blank], x[:, j] @ into + table[y[:, j] + 1]]
        else:
            found.append(x[:, j] @ into + table[y[:, j - 1] + 1 if j else blank])
    return torch.stack(found, 1)


def by_attention(models: Learner, s: int, x: Tensor) -> Tensor:
    """A pre-norm transformer of nn modules with one member's weights."""
    d, t = models.shape.width, x.shape[1]

    def of(name: str) -> Tensor:
        return models.w(f"body.{name}")[s]

    for i in range(models.shape.layers):
        at = f"layers.{i}."
        heads = nn.MultiheadAttention(d, models.shape.heads, batch_first=True)
        heads.load_state_dict(
            {
                "in_proj_weight": of(at + "qkv.weight").T,
                "in_proj_bias": of(at + "qkv.bias"),
                "out_proj.weight": of(at + "out.weight").T,
                "out_proj.bias": of(at + "out.bias"),
            }
        )
        normal = F.layer_norm(x, (d,), of(at + "norm1.gain"), of(at + "norm1.bias"))
        ahead = torch.ones(t, t, dtype=torch.bool).triu(1)
        x = x + heads(normal, normal, normal, attn_mask=ahead, need_weights=False)[0]
        normal = F.layer_norm(x, (d,), of(at + "norm2.gain"), of(at + "norm2.bias"))
        up = F.gelu(normal @ of(at + "up.weight") + of(at + "up.bias"), approximate="tanh")
        x = x + up @ of(at + "down.weight") + of(at + "down.bias")
    hidden = F.layer_norm(x, (d,), of("norm.gain"), of("norm.bias"))
    return hidden @ of("embed")[1:].T


def by_lstm(models: Learner, s: int, x: Tensor) -> Tensor:
    d = models.shape.width
    plain = nn.LSTM(d, d, models.shape.layers, batch_first=True)
    state = {}
    for i in range(models.shape.layers):
        names = {"weight_ih": "in", "weight_hh": "back", "bias_ih": "bias"}
        state |= {f"{theirs}_l{i}": models.w(f"layers.{i}.{ours}")[s] for theirs, ours in names.items()}
        state[f"bias_hh_l{i}"] = torch.zeros(4 * d)
    plain.load_state_dict(state)
    return plain(x)[0] @ models.w("read.weight")[s] + models.w("read.bias")[s]


def by_loop(models: Learner, s: int, x: Tensor) -> Tensor:
    """Fast weights, one sequence, one head and one number at a time."""
    d, heads = models.shape.width, models.shape.heads
    e, found = d // heads, []
    for one in x:
        for i in range(models.shape.layers):
            into, back, bias = (models.w(f"layers.{i}.{name}")[s] for name in ("in", "back", "bias"))
            h, cells, out = torch.zeros(d), [torch.zeros(e, e) for _ in range(heads)], []
            for token in one:
                z = F.layer_norm(token, (d,)) @ into + h @ back + bias
                told = torch.zeros(d)
                for k in range(heads):
                    mine = slice(k * e, (k + 1) * e)
                    query, key = (z[:d][mine], z[d : 2 * d][mine])
                    key, query = key / key.norm(), query / query.norm()
                    write, keep = torch.sigmoid(z[4 * d + k]), torch.sigmoid(z[4 * d + heads + k])
                    cells[k] = keep * cells[k] + write * torch.outer(z[2 * d : 3 * d][mine], key)
                    told[mine] = torch.sigmoid(z[3 * d : 4 * d][mine]) * (cells[k] @ query)
                h = told
                out.append(token + h)
            one = torch.stack(out)
        found.append(one)
    return torch.stack(found) @ models.w("read.weight")[s] + models.w("read.bias")[s]


@pytest.mark.parametrize(("kind", "form"), KINDS)
def test_a_learner_is_plain_pytorch(kind: Kind, form: Form) -> None:
    models = begun(kind, form)
    with torch.no_grad():
        models.flat.add_(0.1 * torch.randn(models.flat.shape, generator=torch.Generator().manual_seed(1)))
        x, y = drawn()
        found = models(x, y)
        plain = {"transformer": by_attention, "lstm": by_lstm, "fast": by_loop}[kind]
        for s in range(2):
            wanted = plain(models, s, read(models, s, x[s], y[s]))
            assert torch.allclose(found[s], wanted[:, :: 2 if form == "pair" else 1], atol=2e-5)


@pytest.mark.parametrize(("kind", "form"), KINDS)
def test_a_label_is_said_from_what_precedes_it_alone(kind: Kind, form: Form) -> None:
    models = begun(kind, form)
    x, y = drawn()
    with torch.no_grad():
        whole = models(x, y)
        for j in range(6):
            assert torch.allclose(models(x[:, :, : j + 1], y[:, :, : j + 1])[:, :, j], whole[:, :, j], atol=1e-5)
        other = y.clone()
        other[:, :, 3] = (other[:, :, 3] + 1) % 4
        changed = models(x, other)
        assert torch.allclose(changed[:, :, :4], whole[:, :, :4], atol=1e-6)
        assert not torch.allclose(changed[:, :, 4:], whole[:, :, 4:], atol=1e-6)


@pytest.mark.parametrize(("kind", "form"), KINDS)
def test_all_weights_learn_and_members_are_by_themselves(kind: Kind, form: Form) -> None:
    x, y = drawn()
    recipe = fit.Recipe(batch=5, warmup=2, precision="float32")
    both, alone = begun(kind, form), begun(kind, form, seeds=(1,))
    assert torch.equal(both.flat[1], alone.flat[0])
    before = both.flat.clone()
    for models, its in ((both, slice(0, 2)), (alone, slice(1, 2))):
        lab = Lab.alone(seeds=models.seeds)
        given = x[its], y[its]
        for _ in fit.train(models, lambda step: given, learner.losses, steps=6, every=6, recipe=recipe, lab=lab):  # noqa: B023
            pass
    assert torch.allclose(both.flat[1], alone.flat[0], atol=1e-5)
    for name in both.names:
        assert not torch.equal(both.w(name), Learner(both.shape, both.seeds, before).w(name)), name
    assert both.part(1, 2).w("input.weight").data_ptr() == both.w("input.weight")[1].data_ptr()


def test_matrices_come_before_vectors() -> None:
    for kind, form in KINDS:
        models = begun(kind, form)
        marked = torch.arange(models.parameters_each).expand(2, -1).float()
        again = Learner(models.shape, models.seeds, marked)
        for name in again.names:
            its = again.w(name)
            assert (its.max() < again.decayed) == (its.dim() > 2), name
        assert sum(again.w(n)[0].numel() for n in again.names) == models.parameters_each


def test_losses_are_the_mean_over_places() -> None:
    models = begun()
    x, y = drawn()
    with torch.no_grad():
        logits = models(x, y)
        wanted = [
            np.mean([float(-logits[s, b, j].log_softmax(-1)[y[s, b, j]]) for b in range(5) for j in range(6)])
            for s in (0, 1)
        ]
        assert learner.losses(models, x, y).tolist() == pytest.approx(wanted, rel=1e-5)
        said = learner.right(models, x, y, at_once=2)
        assert torch.equal(said, logits.argmax(-1) == y)


def test_states_are_counted_by_hand() -> None:
    sizes = {"features": 3, "classes": 4, "length": 6, "width": 8, "heads": 2}
    assert Shape(**sizes).state == 2 * 12 * 2 * 8  # two layers, twelve tokens, a key and a value each
    assert Shape(**sizes, form="shift").state == 2 * 6 * 2 * 8
    assert Shape(**sizes, kind="lstm").state == 2 * (8 + 8)  # a cell and an output
    assert Shape(**sizes, kind="fast").state == 2 * (2 * 4 * 4 + 8)  # two matrices of 4 x 4, and an output


def test_forget_gates_begin_open() -> None:
    lstm, fast = begun("lstm"), begun("fast")
    assert torch.all(lstm.w("layers.0.bias")[:, 8:16] == 2) and torch.all(lstm.w("layers.0.bias")[:, :8] == 0)
    assert torch.all(fast.w("layers.1.bias")[:, -2:] == 4) and torch.all(fast.w("layers.1.bias")[:, :-2] == 0)
    assert set(recurrent.lstm_weights(8, 2)) == set(recurrent.fast_weights(8, 2, 2))


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    models = begun("lstm")
    learner.save(models, tmp_path)
    again = learner.load(tmp_path)
    x, y = drawn()
    assert again.shape == models.shape and again.seeds == models.seeds
    assert torch.equal(again(x, y), models(x, y))
    with pytest.raises(Missing, match="no learner"):
        learner.load(tmp_path / "none")
    (tmp_path / "learner.json").write_text((tmp_path / "learner.json").read_text().replace('"width": 8', '"width": 4'))
    with pytest.raises(Invalid, match="another version"):
        learner.load(tmp_path)


def test_mistakes_name_what_is_wrong() -> None:
    with pytest.raises(Invalid, match="cannot be shared"):
        Shape(3, 4, 6, 8, heads=3)
    with pytest.raises(Invalid, match="layers=0"):
        Shape(3, 4, 6, 8, layers=0)
    x, y = drawn(length=7)
    with pytest.raises(Invalid, match="reads 6 at most"):
        begun()(x, y)
