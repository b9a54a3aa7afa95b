"""How a cluster is joined: signals stay ours, and an address where nothing listens is told at once."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

import pytest

from unseen.core.errors import Missing
from unseen.core.pools import ray_cluster


@pytest.fixture
def stopped() -> Iterator[list[int]]:
    """What SIGTERM told us, as the command line hears it."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


def theirs(number: int, frame: object) -> None:
    raise SystemExit(number)


def test_sigterm_means_what_it_meant_before(stopped: list[int]) -> None:
    with ray_cluster._own_signals():
        signal.signal(signal.SIGTERM, theirs)
    signal.raise_signal(signal.SIGTERM)
    assert stopped == [signal.SIGTERM]


def test_sigterm_while_ray_starts_is_ours_too(stopped: list[int]) -> None:
    with pytest.raises(SystemExit), ray_cluster._own_signals():
        signal.signal(signal.SIGTERM, theirs)
        signal.raise_signal(signal.SIGTERM)
    assert stopped == [signal.SIGTERM]


@pytest.mark.parametrize("kind", ["ray://127.0.0.1", "127.0.0.1"])
def test_an_address_where_nothing_listens(kind: str) -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Missing, match="no Ray cluster answers there"), ray_cluster.joined(f"{kind}:{port}"):
        pass
