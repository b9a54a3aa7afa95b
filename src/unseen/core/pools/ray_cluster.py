"""How is a Ray cluster joined, or a Ray started for this driver alone?

with joined("ray://head:10001") as ray:
    ...                                     # left again at the end; one that was started is stopped

Signals do what they did before, whatever Ray would have them do.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from .. import find
from ..errors import Missing, missing_extra

STORE_BYTES = 256 << 20  # of a Ray started here: what travels is small
KNOCK = 10.0  # seconds in which a cluster's port answers


@contextmanager
def joined(address: str, *, start: bool = True) -> Generator[Any]:
    """Ray, connected: as it is where it is already, else joined, else started here and stopped at the end."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise missing_extra(f"--on {address or 'ray'}", error, "ray") from error
    if ray.is_initialized():
        yield ray
        return
    with tempfile.TemporaryDirectory(prefix="unseen-") as folder:
        try:
            with _own_signals():
                _connect(ray, address, Path(folder), start)
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _own_signals() -> Generator[None]:
    """What SIGTERM does stays as it was: Ray puts a handler of its own there, which ends the process without a word."""
    before = signal.getsignal(signal.SIGTERM)

    def restored() -> None:
        with suppress(ValueError, TypeError):  # only the main thread may; what was set by other than Python cannot be
            signal.signal(signal.SIGTERM, before)

    try:
        yield
    except SystemExit:  # so Ray's handler answers meanwhile
        restored()
        signal.raise_signal(signal.SIGTERM)
        raise
    finally:
        restored()


def _connect(ray: Any, address: str, folder: Path, start: bool) -> None:
    """Join the cluster, or start one. Raises Missing where no cluster is at the address, ConnectionError where none is on
    this machine and none is to be started."""
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if not address:
        with suppress(ConnectionError):  # what `ray start` noted may be gone
            if standing := _standing(ray):
                _knock(standing)
                ray.init(**quiet)
                return
        if not start:
            raise ConnectionError
        ray.init("local", include_dashboard=False, object_store_memory=STORE_BYTES, **quiet)
        return
    env = {"working_dir": str(folder)} if _staged(folder) else {}
    try:
        _knock(address)
        with suppress(ConnectionError) if "://" in address else nullcontext():  # a head refuses now and then, just once
            ray.init(address, runtime_env=env, **quiet)
            return
        ray.init(address, runtime_env=env, **quiet)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        raise Missing(
            f"--on {address if '://' in address else f'ray:{address}'}: no Ray cluster answers there ({short(error)}). `ray status` on its head node says where it is; one that asks for a token takes it from $RAY_AUTH_TOKEN or ~/.ray/auth_token, where RAY_AUTH_MODE=token is set here, too."
        ) from error


def _standing(ray: Any) -> str:
    """The address of the Ray that stands on this machine, as $RAY_ADDRESS or the last `ray start` says; empty where there
    is none. ("auto" would join one that another driver has started for itself, too, and die with it.)"""
    return os.environ.get("RAY_ADDRESS", "") or ray._private.utils.read_ray_address() or ""


def _knock(address: str) -> None:
    """Raise ConnectionError where nothing listens at an address with a port: Ray itself would try for many minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()
        except OSError as error:
            raise ConnectionError(str(error)) from error


def _staged(folder: Path) -> bool:
    """Whether there is something that the cluster lacks: own studies, and the modules of the folder we are in; copied."""
    own = [(slug, place) for slug, place in find.slugs().items() if not _packaged(place)]
    for slug, place in own:
        shutil.copytree(place, folder / "studies" / slug, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    modules = [p for p in Path.cwd().glob("*.py") if p.is_file()]
    for path in modules:
        shutil.copy2(path, folder / path.name)
    return bool(own or modules)


def _packaged(place: Path) -> bool:
    """Whether a study comes with an installed package, as ours do."""
    return place.is_relative_to(Path(__file__).parents[2]) or "site-packages" in place.parts


def short(error: BaseException) -> str:
    """An error's words in one line, at most 200 characters."""
    return " ".join(str(error).split())[:200]
