"""Linear probes read what is linear and nothing else; margins are those of a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.measures.probes import margins, probe


def test_a_probe_reads_what_is_linear() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 5, 600)
    x = np.eye(5)[y] @ rng.normal(size=(5, 12)) + 0.05 * rng.normal(size=(600, 12))
    held = probe(x[:400], y[:400])
    assert held.score(x[400:], y[400:]) > 0.98


def test_a_probe_reads_neither_noise_nor_an_exclusive_or() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 800)
    noise = rng.normal(size=(800, 6))
    assert probe(noise[:500], y[:500]).score(noise[500:], y[500:]) == pytest.approx(0.5, abs=0.12)
    bits = rng.integers(0, 2, (800, 2))
    both = probe(2.0 * bits[:500] - 1, bits[:500].sum(1) % 2)
    assert both.score(2.0 * bits[500:] - 1, bits[500:].sum(1) % 2) < 0.65


def test_margins_are_those_of_a_plain_loop() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4, 7))
    found = margins(logits)
    for i in range(3):
        for j in range(4):
            first, second = sorted(logits[i, j], reverse=True)[:2]
            assert found[i, j] == pytest.approx(first - second)
    assert margins(np.array([1.0, 1.0, 0.0])) == 0
