"""Sparse autoencoders: a planted dictionary found again, and files as SAELens lays them out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from unseen.core.errors import Damaged, Invalid, Missing
from unseen.measures import sae as dictionaries
from unseen.measures.sae import Recipe, SparseAutoencoder, fit, load, only_at, report, save


def planted(n: int, width: int, atoms: int, active: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(a dictionary [atom width] of norm 1, rows [row width] of so many of them each, away from the origin)."""
    rng = np.random.default_rng(seed)
    dictionary = rng.normal(size=(atoms, width))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    z = np.zeros((n, atoms))
    at = np.argsort(rng.random((n, atoms)), axis=1)[:, :active]
    np.put_along_axis(z, at, rng.uniform(0.5, 1.5, (n, active)), 1)
    return dictionary, (z @ dictionary + rng.normal(size=width)).astype(np.float32)


def found(dictionary: np.ndarray, sae: SparseAutoencoder) -> np.ndarray:
    """The cosine of each planted atom with its nearest row [atom]."""
    return (dictionary @ sae.decoder.numpy().T).max(1)


def test_a_planted_dictionary_is_recovered_and_spare_latents_are_reported_dead() -> None:
    dictionary, x = planted(8_000, 16, 24, 2)
    made = fit(x, 64, k=2, recipe=Recipe(passes=20, lr=4e-3))
    assert found(dictionary, made).min() > 0.95
    assert torch.linalg.vector_norm(made.decoder, dim=1).numpy() == pytest.approx(np.ones(64), abs=1e-5)
    assert made.report is not None and made.report.fvu < 0.1 and made.report.l0 == pytest.approx(2, abs=0.02)
    latents = made.latents(torch.from_numpy(x)).numpy()
    assert made.report.dead == pytest.approx(1 - (latents > 0).any(0).mean()) and made.report.dead > 0.1
    told = made(torch.from_numpy(x)).numpy()
    by_hand = latents @ made.decoder.numpy() + made.decoder_bias.numpy()
    assert told == pytest.approx(by_hand, abs=1e-4)
    fvu = ((told - x) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert made.report.fvu == pytest.approx(fvu, rel=1e-4)


def test_relu_with_l1_recovers_it_too() -> None:
    dictionary, x = planted(8_000, 24, 24, 2)
    made = fit(x, 48, k=None, recipe=Recipe(passes=25, lr=4e-3, l1=2.0))
    assert made.k is None and found(dictionary, made).mean() > 0.95
    assert made.report is not None and made.report.l0 < 8
    dense = fit(x, 48, k=None, recipe=Recipe(passes=25, lr=4e-3, l1=0.01))
    assert dense.report is not None and dense.report.l0 > made.report.l0


@pytest.mark.parametrize("aux", [0.0, 1.0])
def test_the_auxiliary_loss_brings_dead_latents_back(aux: float) -> None:
    """Latents whose bias keeps them silent have no gradient but that of the auxiliary loss."""
    _, x = planted(2_000, 16, 24, 2)
    rows = torch.from_numpy(x)
    learning = dictionaries._Learning(rows.mean(0), 32, 2, Recipe(aux=aux), 0)
    with torch.no_grad():
        learning.weights[1][16:] = -20.0
    learning.silent[16:] = 1_000
    for step in range(400):
        learning.step(rows[(step * 100) % 2_000 :][:100], 0.05, 1_000)
    alive = (learning.made(1.0).latents(rows) > 0).any(0)[16:]
    assert bool(alive.any()) == (aux > 0)


def test_the_gradient_along_a_row_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam's first moments, which hold nothing but gradients, are orthogonal to the rows they were taken at."""
    _, x = planted(64, 8, 8, 2)
    learning = dictionaries._Learning(torch.zeros(8), 16, 2, Recipe(), 0)
    before = learning.weights[2].detach().clone()
    learning.step(torch.from_numpy(x), 1e-3, 100)
    moment = learning.adam.state[learning.weights[2]]["exp_avg"]
    assert moment.abs().max() > 0 and (moment * before).sum(1).abs().max() < 1e-6


def test_keeping_few_of_many_latents_decodes_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 3, 8)
    made = SparseAutoencoder(torch.randn(8, 256), torch.randn(256), torch.randn(256, 8), torch.randn(8), 4)
    few = made(x)
    monkeypatch.setattr(dictionaries, "SPARSE_FROM", 1_000)
    assert torch.allclose(few, made(x), atol=1e-4) and few.shape == x.shape
    assert (made.latents(x) > 0).sum(-1).max() <= 4


def test_what_fires_at_marks_alone() -> None:
    eye = torch.eye(4)
    made = SparseAutoencoder(eye, torch.zeros(4), eye, torch.zeros(4), None)
    rows = torch.tensor([[1.0, 0, 2, 0], [0, 1.0, 2, 0], [0, 0, 0, 0.0]])
    marked = torch.tensor([True, False, False])
    assert only_at(made, rows, marked).tolist() == [True, False, False, False]
    for marks in (torch.zeros(3, dtype=torch.bool), torch.ones(3, dtype=torch.bool)):
        with pytest.raises(Invalid, match="rows are marked"):
            only_at(made, rows, marks)


def test_the_files_are_those_of_saelens(tmp_path: Path) -> None:
    _, x = planted(600, 8, 8, 2)
    for k, kind in ((2, "topk"), (None, "standard")):
        made = fit(x, 16, k=k)
        save(made, tmp_path / kind, model="mine", hook="model.layers.3")
        told = json.loads((tmp_path / kind / "cfg.json").read_text())
        assert told["architecture"] == kind and (told["d_in"], told["d_sae"]) == (8, 16) and told.get("k") == k
        assert told["apply_b_dec_to_input"] is True and told["normalize_activations"] == "none"
        assert told["metadata"]["sae_lens_version"].startswith("6.") and told["metadata"]["model_name"] == "mine"
        held = load_file(str(tmp_path / kind / "sae_weights.safetensors"))
        shapes = {"W_enc": (8, 16), "b_enc": (16,), "W_dec": (16, 8), "b_dec": (8,)}
        assert {name: tuple(w.shape) for name, w in held.items()} == shapes
        again = load(tmp_path / kind)
        assert again.k == k and again.report == made.report
        assert torch.equal(again(torch.from_numpy(x)), made(torch.from_numpy(x)))
        hidden = torch.relu((torch.from_numpy(x) - held["b_dec"]) @ held["W_enc"] + held["b_enc"])
        if k is not None:
            hidden = torch.where(hidden >= hidden.topk(k, dim=1).values[:, -1:], hidden, 0.0)
        assert torch.allclose(hidden @ held["W_dec"] + held["b_dec"], made(torch.from_numpy(x)), atol=1e-5)


def test_saelens_itself_reads_them(tmp_path: Path) -> None:
    sae_lens = pytest.importorskip("sae_lens")
    _, x = planted(600, 8, 8, 2)
    for k in (2, None):
        made = fit(x, 16, k=k)
        save(made, tmp_path / str(k))
        theirs = sae_lens.SAE.load_from_disk(str(tmp_path / str(k)))
        assert torch.allclose(theirs(torch.from_numpy(x)), made(torch.from_numpy(x)), atol=1e-5)
        theirs.save_model(str(tmp_path / f"back-{k}"))
        assert torch.allclose(load(tmp_path / f"back-{k}")(torch.from_numpy(x)), made(torch.from_numpy(x)), atol=1e-5)


def test_what_cannot_be_learned_or_read_is_said(tmp_path: Path) -> None:
    _, x = planted(50, 8, 8, 2)
    for bad, words in ((x[0], "a matrix"), (np.full((4, 3), np.nan), "NaN"), (np.ones((4, 3)), "are alike")):
        with pytest.raises(Invalid, match=words):
            fit(bad, 8, k=2)
    for features, k in ((0, None), (4, 5), (4, 0)):
        with pytest.raises(Invalid, match="latents of at least as many"):
            fit(x, features, k=k)
    with pytest.raises(Invalid, match="passes=0"):
        Recipe(passes=0)
    with pytest.raises(Invalid, match="aux=-1"):
        Recipe(aux=-1)
    made = fit(x, 16, k=2)
    with pytest.raises(Invalid, match="8; it is another model's"):
        made(torch.zeros(2, 7))
    assert np.isnan(report(lambda rows: rows, x).l0) and report(lambda rows: rows, x).fvu == 0
    with pytest.raises(Missing, match=r"holds no cfg\.json"):
        load(tmp_path)
    save(made, tmp_path / "kept")
    told = json.loads((tmp_path / "kept" / "cfg.json").read_text())
    (tmp_path / "kept" / "cfg.json").write_text(json.dumps({**told, "architecture": "gated"}))
    with pytest.raises(Invalid, match="of another kind"):
        load(tmp_path / "kept")
    (tmp_path / "kept" / "cfg.json").write_text(json.dumps(told))
    save_file({"W_enc": made.encoder}, str(tmp_path / "kept" / "sae_weights.safetensors"))
    with pytest.raises(Damaged, match="no whole sparse autoencoder"):
        load(tmp_path / "kept")
