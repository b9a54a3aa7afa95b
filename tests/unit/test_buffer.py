"""Buffers of weights: what lies where, and what decays."""

from __future__ import annotations

import torch

from unseen.models import buffer

KINDS = {"up": ((3, 4), 0.5), "bias": ((4,), 0.0), "gain": ((3,), -1.0), "router": ((2, 3), 0.5)}


def test_matrices_lie_before_vectors_and_every_weight_is_a_view() -> None:
    found = buffer.laid(KINDS, 2)
    assert found.names == ["up", "router", "bias", "gain"] and found.decayed == 18
    assert found.flat.shape == (2, 25)
    found.flat.copy_(torch.arange(50.0).view(2, 25))
    assert torch.equal(found.weights["router"][1].detach().flatten(), torch.arange(37.0, 43.0))


def test_what_is_spared_does_not_decay() -> None:
    found = buffer.laid(KINDS, 1, spared={"router"})
    assert found.names == ["up", "bias", "gain", "router"] and found.decayed == 12


def test_a_member_begins_as_its_kinds_say() -> None:
    found = buffer.laid(KINDS, 2)
    buffer.begin(found, KINDS, 0, stream=3, spread=2.0)
    buffer.begin(found, KINDS, 1, stream=3)
    source = torch.Generator().manual_seed(3)
    assert torch.equal(found.weights["up"][1], torch.randn((3, 4), generator=source) * 0.5)
    assert torch.allclose(found.weights["up"][0], 2 * found.weights["up"][1])
    assert bool((found.weights["gain"] == 1).all()) and bool((found.weights["bias"] == 0).all())
