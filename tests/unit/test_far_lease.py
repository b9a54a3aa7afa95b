"""One holder among machines that share a store; silence by the store's clock frees a lease, whatever ours says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from tests.buckets import Faulty
from unseen.core.far import leases as module
from unseen.core.far.leases import Elsewhere
from unseen.core.far.objects import Far
from unseen.core.lease import me


@pytest.fixture(params=["created", "elected"])
def far(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Far:
    """A store that grants names, and one that cannot, where bids are cast."""
    found = Far(f"memory://{time.time_ns()}/unseen")
    found._exclusive = request.param == "created"
    monkeypatch.setattr(module, "SETTLE", 0.2)
    monkeypatch.setattr(module, "LOOK", 0.02)
    return found


def of_another(far: Far, name: str, entry: str) -> None:
    far.write(f"{name}/{entry}", json.dumps({"machine": "another", "pid": 1, "started": "7"}).encode())


def test_one_holder_until_it_is_given_back(far: Far) -> None:
    with Elsewhere(far)("leases/a") as mine, Elsewhere(far)("leases/a") as other, Elsewhere(far)("leases/b") as another:
        assert (mine, other, another) == (True, False, True)
    with Elsewhere(far)("leases/a") as again:
        assert again
    assert not [n for n in far.listing("leases") if not n.startswith(".")]


def test_of_many_who_try_at_once_one_holds(far: Far) -> None:
    held, at_once = list[int](), list[int]()

    def work(k: int) -> None:
        with Elsewhere(far)("leases/a", wait=None) as mine:
            assert mine
            held.append(k)
            at_once.append(len(held))
            time.sleep(0.01)
            held.remove(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert at_once == [1] * 6, "all had it, one after another"


def test_who_waits_a_while_goes_without(far: Far) -> None:
    with Elsewhere(far)("leases/a") as mine, Elsewhere(far)("leases/a", wait=0.1) as other:
        assert mine and not other


def test_a_silent_holder_elsewhere_loses_it(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    of_another(far, "leases/a", "000003" if far._exclusive else "held-x")
    with Elsewhere(far)("leases/a") as mine:
        assert not mine
    monkeypatch.setattr(module, "SILENT", 0.1)
    time.sleep(0.15)
    with Elsewhere(far)("leases/a") as mine:
        assert mine


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_our_own_clock_may_jump(jump: float, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's times are compared with each other: a clock here that is days off frees nothing and keeps nothing."""
    far = Far(bucket)
    of_another(far, "leases/a", "000001")
    now = time.time() + jump
    monkeypatch.setattr(module.time, "time", lambda: now)
    with Elsewhere(far)("leases/a") as mine:
        assert not mine
    monkeypatch.setattr(module, "SILENT", 1.0)
    time.sleep(2.5)  # the server's times are whole seconds
    with Elsewhere(far)("leases/a") as mine:
        assert mine


def test_a_holder_that_died_on_this_machine_is_seen_at_once(far: Far) -> None:
    entry = "000001" if far._exclusive else "held-x"
    far.write(f"leases/a/{entry}", json.dumps({**me(), "started": "1"}).encode())
    with Elsewhere(far)("leases/a") as mine:
        assert mine


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_lease_that_cannot_be_read_is_free_when_it_was_silent(
    content: bytes, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.write("leases/a/000001", content)
    monkeypatch.setattr(module, "SILENT", 0.1)
    time.sleep(0.15)
    with Elsewhere(far)("leases/a") as mine:
        assert mine


def test_the_holder_is_heard_of(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.02)
    monkeypatch.setattr(module, "SILENT", 0.5)
    with Elsewhere(far)("leases/a") as mine:
        assert mine
        for _ in range(5):
            time.sleep(0.2)
            with Elsewhere(far)("leases/a") as other:
                assert not other


def test_who_was_taken_over_gives_nothing_of_the_new_holder_back(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(f"memory://{time.time_ns()}/unseen")
    monkeypatch.setattr(module, "BEAT", 1e9)
    monkeypatch.setattr(module, "SILENT", 0.1)
    with Elsewhere(far)("leases/a") as slow:
        time.sleep(0.2)
        with Elsewhere(far)("leases/a") as mine:
            assert slow and mine and set(far.listing("leases/a")) == {"000001", "000002"}
            far.remove(["leases/a/000001"])
            monkeypatch.setattr(module, "SILENT", 60.0)
            with Elsewhere(far)("leases/a") as third:
                assert not third


def test_a_server_that_ignores_the_condition_is_found_out(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    far = Far(bucket)
    assert Elsewhere(far)._can_create()
    put = far.fs.pipe_file
    monkeypatch.setattr(far.fs, "pipe_file", lambda path, content, mode="overwrite": put(path, content))
    assert not Elsewhere(far)._can_create()
    monkeypatch.setattr(module, "SETTLE", 1.2)
    with Elsewhere(far)("leases/z") as mine, Elsewhere(far)("leases/z") as other:
        assert mine and not other


def test_a_store_that_fails_while_a_lease_is_held_costs_nothing(
    bucket: str, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT", 0.05)
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "0")
    make: Callable[[], Elsewhere] = lambda: Elsewhere(Far(bucket))  # noqa: E731
    with make()("leases/a") as mine:
        assert mine
        proxy.misbehave = lambda method, path, times: "403"
        time.sleep(0.3)
    proxy.misbehave = lambda method, path, times: ""
    with make()("leases/a") as again:
        assert not again, "it was not given back, and is free when it was silent long enough"
