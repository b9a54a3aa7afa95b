"""Objects behind a URL: whole, created once, listed; failures that pass are tried again, others are one paragraph."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.buckets import KEY, SECRET, Faulty
from unseen.core.errors import Failed, Full, Invalid, Missing, Mistake
from unseen.core.far import objects as module
from unseen.core.far.objects import Far, patience, secrets, shown


@pytest.fixture(params=["s3", "memory", "file"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Far:
    """A store of each kind: objects, objects in memory, files."""
    if request.param == "s3":
        return Far(request.getfixturevalue("bucket"))
    return Far(f"memory://{time.time_ns()}/unseen" if request.param == "memory" else f"file://{tmp_path}/far")


def test_objects_are_written_read_listed_and_removed(far: Far, tmp_path: Path) -> None:
    assert far.read("a/b") is None and far.seen("a/b") is None and far.listing("a") == {}
    far.write("a/b", b"one")
    far.write("a/b", b"two")
    far.write("a/c d/[x]*.txt", b"")
    assert far.read("a/b") == b"two" and far.read("a/c d/[x]*.txt") == b""
    seen = far.listing("a")
    assert {n: s.size for n, s in seen.items()} == {"b": 3, "c d/[x]*.txt": 0}
    assert seen["b"].stamp == getattr(far.seen("a/b"), "stamp", "") and abs(seen["b"].modified - time.time()) < 60
    far.write("a/b", b"six")
    assert far.listing("a")["b"].stamp != seen["b"].stamp
    (tmp_path / "f").write_bytes(bytes(range(256)) * 1000)
    far.put_file(tmp_path / "f", "x/y/z")
    assert far.get_file("x/y/z", tmp_path / "new" / "g") and not far.get_file("x/y/none", tmp_path / "h")
    assert (tmp_path / "new" / "g").read_bytes() == (tmp_path / "f").read_bytes()
    assert far.read_many(["a/b", "no", "x/y/z"]).keys() == {"a/b", "x/y/z"} and far.read_many([]) == {}
    far.remove(["a/b", "a/never"])
    assert far.read("a/b") is None and set(far.listing("a")) == {"c d/[x]*.txt"}


def test_one_of_all_who_try_creates(far: Far) -> None:
    told: list[bool] = []

    def create(k: int) -> None:
        told.append(far.create("leases/x/1", f"{k}".encode()))

    threads = [threading.Thread(target=create, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 7 + [True]
    winner = far.read("leases/x/1")
    assert winner is not None and far.create("leases/x/1", winner), "whoever asks again after a lost reply still has it"


@pytest.mark.parametrize("fault", ["500", "503", "gone", "cut", "lost", "slow"])
def test_what_passes_is_tried_again(fault: str, bucket: str, proxy: Faulty, tmp_path: Path) -> None:
    proxy.misbehave = lambda method, path, times: fault if times < 2 else ""
    far = Far(bucket)
    assert far.create("leases/a", b"mine"), "a reply that was lost does not lose what was created"
    far.write("a/b", b"content " * 1000)
    assert far.read("a/b") == b"content " * 1000
    (tmp_path / "f").write_bytes(b"file " * 1000)
    far.put_file(tmp_path / "f", "a/c")
    assert far.get_file("a/c", tmp_path / "g") and (tmp_path / "g").read_bytes() == b"file " * 1000
    assert set(far.listing("a")) == {"b", "c"} and proxy.met[fault] >= 4


def test_a_server_that_hangs(bucket: str, proxy: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec.config

    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": {"read_timeout": 0.2, "retries": {"max_attempts": 0}}})  # fmt: skip
    proxy.misbehave = lambda method, path, times: "hang" if times == 1 else ""
    Far(bucket).write("a", b"b")
    proxy.misbehave = lambda method, path, times: "hang"
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "1")
    with pytest.raises(Failed, match=r"does not answer .*Run the same command again"):
        Far(bucket).read("a")


def test_who_is_refused_is_told_so_without_secrets(bucket: str, proxy: Faulty) -> None:
    proxy.misbehave = lambda method, path, times: "403"
    far = Far(bucket)
    for act in (lambda: far.write("a", b"b"), lambda: far.listing("a"), lambda: far.create("a", b"b")):
        with pytest.raises(Mistake, match=rf"the store {bucket} refuses us .*credentials.*UNSEEN_HOME") as told:
            act()
        assert SECRET not in str(told.value) and KEY not in str(told.value)


def test_a_bucket_that_is_not_there(bucket: str) -> None:
    with pytest.raises(Missing, match=r"s3://nobody-made-this/x has no bucket of that name .*make it"):
        Far("s3://nobody-made-this/x").write("a", b"b")
    assert Far("s3://nobody-made-this/x").read("a") is None


def test_no_message_holds_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "0")
    monkeypatch.setenv("SOME_TOKEN", "tok-of-the-environment")
    url = "memory://anna:geheim77@bucket/unseen?signature=abcdef123456"
    far = Far(url)
    assert (
        "geheim77" not in far.shown and "abcdef" not in far.shown and far.shown.startswith("memory://***@bucket/unseen")
    )
    far.fs.storage_options = {"client_kwargs": {"secret": "of-the-options"}}

    def fails(path: str) -> bytes:
        raise OSError(f"cannot reach {url}: geheim77 of-the-options tok-of-the-environment")

    monkeypatch.setattr(far.fs, "cat_file", fails)
    with pytest.raises(Failed) as told:
        far.read("a")
    for secret in ("geheim77", "abcdef123456", "of-the-options", "tok-of-the-environment", "anna"):
        assert secret not in str(told.value)
    assert "geheim77" in secrets(url, {}) and shown("s3://bucket/a@b") == "s3://bucket/a@b"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ImportError("no s3fs"), Missing),
        (PermissionError("denied"), Mistake),
        (OSError(errno.EINVAL, "a bad request"), Failed),
        (ValueError("a strange reply"), Failed),
        (OSError(errno.ENOSPC, "no space"), Full),
    ],
)
def test_what_does_not_pass_is_told_at_once(
    error: Exception, kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Far("memory://errors")
    asked: list[Any] = []

    def fails(*told: Any) -> Any:
        asked.append(told)
        raise error

    monkeypatch.setattr(far.fs, "get_file", fails)
    began = time.monotonic()
    with pytest.raises(kind):
        far.get_file("a", tmp_path / "a")
    assert len(asked) <= 3 and time.monotonic() - began < 5


def test_how_long_it_is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert patience() == module.PATIENCE
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "7.5")
    assert patience() == 7.5
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "long")
    with pytest.raises(Invalid, match="UNSEEN_STORE_PATIENCE=long is no number of seconds"):
        patience()


def test_roots_that_cannot_be_reached() -> None:
    tries: list[tuple[str, Callable[[str], object]]] = [("nosuch://bucket", Far)]
    for url, make in tries:
        with pytest.raises(Mistake, match=rf"{url}.*UNSEEN_HOME"):
            make(url)
