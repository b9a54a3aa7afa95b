"""What may a trial use of the world? Randomness, folders, devices, data, checkpoints and a voice: all through its Lab.

lab.rng("test", "6 digits", seed=2)     the same numbers whatever else was drawn, and whatever block seed 2 ran in
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .disk import digest_of_file, is_full
from .errors import Damaged, Invalid, Missing, UnseenError, missing_extra
from .far.objects import Far
from .far.once import made_once
from .journal import plain
from .plan import digest
from .record import Value

Told = Callable[[float, float, Mapping[str, Value]], None]
PER_SECOND = 5


@dataclass
class Lab:
    """One trial's world. `folder` is kept with the trial; `cache` is shared by all; a block has several seeds."""

    seeds: tuple[int, ...]
    folder: Path
    cache: Path
    device: str = "cpu"
    offline: bool = False
    pins: Mapping[str, str] = field(default_factory=dict[str, str])
    study: str = ""
    version: int = 1
    state: Path | None = None  # where checkpoints lie; None: they are not kept
    tell: Told | None = None
    sync: Callable[[], None] | None = None  # makes every row yielded so far durable
    kept: Callable[[], None] | None = None  # is told of every checkpoint
    far: Far | None = None  # where artifacts and answers are shared with other machines
    endings: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])  # called when the trial ends
    at: tuple[float, float] = (0.0, 0.0)  # (done, of) as `progress` said last
    _told: dict[str, float] = field(default_factory=dict[str, float])  # when each kind of word was last said

    @staticmethod
    def alone(seeds: tuple[int, ...] = (0,), *, device: str = "cpu", pins: Mapping[str, str] | None = None) -> Lab:
        """A Lab for use outside a run: folders of its own that vanish with the process, the user's caches."""
        import atexit

        folder = Path(tempfile.mkdtemp(prefix="unseen-"))
        atexit.register(shutil.rmtree, folder, True)
        return Lab(seeds, folder / "files", cache_folder(), device, offline(), pins or {}, state=folder / "state")

    @property
    def seed(self) -> int:
        """The trial's one seed. Raises Invalid in a block of several."""
        if len(self.seeds) != 1:
            raise Invalid(
                f"this trial measures the seeds {self.seeds} together, so it has no one seed; name it: lab.rng(…, seed=s)."
            )
        return self.seeds[0]

    def stream(self, *names: Value, seed: int | None = None) -> int:
        """A 63-bit number that is a function of the seed and the names alone: the seed of a stream of random numbers.

        It is the upper 63 bits of blake2b over the compact JSON of [seed, names].
        """
        told = json.dumps(
            [self.seed if seed is None else seed, list(names)], separators=(",", ":"), default=plain, allow_nan=False
        )
        return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "big") >> 1

    def rng(self, *names: Value, seed: int | None = None) -> np.random.Generator:
        """A numpy generator on the stream of these names."""
        return np.random.default_rng(self.stream(*names, seed=seed))

    def pinned(self, name: str) -> str:
        """What a model's name resolved to when the run began (the name itself where it was not pinned)."""
        return self.pins.get(name, name)

    def once(self, name: str, make: Callable[[Path], None], **depends: Value) -> Path:
        """A file or folder that `make(path)` writes, made once for each (study, version, name, depends) and shared.

        Concurrent trials wait for the one that makes it, on whatever machine that shares the store; a maker that dies or
        raises leaves nothing behind. What is returned is shared: read it, never write to it. Raises what `make` raises.
        """
        told = json.loads(json.dumps(depends, default=plain))
        key = digest({"study": self.study, "version": self.version, "name": name, "depends": told})
        place = self.cache / "once" / (self.study or "alone") / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', name)}-{key}"
        return made_once(place, make, self.far, f"once/{self.study or 'alone'}/{place.name}")

    def data(self, name: str, source: str, sha256: str) -> Path:
        """A data file: `$UNSEEN_DATA/name` if it is there, else from its source, checked against its digest.

        Sources: `url:https://…`, `hf:org/set@revision:path`, `pypi:package:path`. Raises Missing where it cannot be
        had, Invalid where its digest is another, Damaged where our own copy no longer is what was fetched.
        """
        if (root := os.environ.get("UNSEEN_DATA")) and (path := Path(root) / name).is_file():
            return _checked(path, sha256, f"replace it, or unset UNSEEN_DATA to take it from {source}")
        kept = self.cache / "data" / sha256[:16] / Path(name).name
        if kept.is_file():
            try:
                return _checked(kept, sha256, "")
            except Invalid:
                raise Damaged(f"{kept} is not what was fetched from {source}; remove it and run again.") from None
        return _fetched(name, source, sha256, kept, self.offline)

    def progress(self, done: float, of: float, **shown: Value) -> None:
        """Say how far the trial is; what comes faster than five times a second is lost."""
        self.at = (done, of)
        self._say("progress", done, of, shown)

    def within(self, share: float, **shown: Value) -> None:
        """Say how much (a share of 0..1) is done of the one step that comes after what `progress` said last.

        Before `progress` said anything, a step is a seed. Whoever does a part of a trial's work says so, as a model does
        that answers many prompts.
        """
        done, of = self.at if self.at[1] else (0.0, float(len(self.seeds)))
        self._say("within", min(done + share, of), of, shown)

    def _say(self, kind: str, done: float, of: float, shown: Mapping[str, Value]) -> None:
        now = time.monotonic()
        if self.tell is not None and now - self._told.get(kind, -1.0) >= 1 / PER_SECOND:
            self._told[kind] = now
            self.tell(done, of, shown)

    def checkpoint(
        self, phase: str, step: int, tensors: Mapping[str, Any], notes: Mapping[str, Any] | None = None
    ) -> None:
        """Keep a state and every row yielded so far; whole or not at all. Tensors are numpy's or torch's.

        The rows become durable first, so that no state is ever ahead of them. `notes` are JSON: tuples become lists.
        """
        if self.state is None:
            return
        if self.sync is not None:
            self.sync()
        self.state.mkdir(parents=True, exist_ok=True)
        path = self._state(phase)
        spare = path.with_name(f".{path.name}.{os.getpid()}")
        words = {"step": str(int(step)), "notes": json.dumps(dict(notes or {}), default=plain)}
        try:
            _save(spare, tensors, words)
            with spare.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(spare, path)
        finally:
            spare.unlink(missing_ok=True)
        if self.kept is not None:
            self.kept()

    def resume(self, phase: str) -> tuple[int, dict[str, Any], dict[str, Any]] | None:
        """The last checkpoint of a phase as (step, tensors, notes), or None. Tensors are torch's where torch is in use."""
        if self.state is None or not (path := self._state(phase)).is_file():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="pt" if "torch" in sys.modules else "np") as file:
                words = file.metadata() or {}
                tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise Damaged(
                f"the checkpoint {path} cannot be read ({error}); run the study again with --fresh to start this trial anew."
            ) from None
        return int(words["step"]), tensors, json.loads(words["notes"])

    def _state(self, phase: str) -> Path:
        assert self.state is not None
        return self.state / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', phase)}-{digest(phase)[:6]}.safetensors"


def local_home() -> Path:
    """The folder here for all that is kept: $UNSEEN_HOME unless that is a URL, else the platform's data folder."""
    named = os.environ.get("UNSEEN_HOME", "")
    if named and "://" not in named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("unseen", appauthor=False)


def cache_folder() -> Path:
    """Where artifacts, answers and data are shared by all trials of this machine."""
    return local_home() / "cache"


def offline() -> bool:
    """Whether nothing may be fetched: HF_HUB_OFFLINE or UNSEEN_OFFLINE is set to something true."""
    return any(
        os.environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in ("HF_HUB_OFFLINE", "UNSEEN_OFFLINE")
    )


def _save(to: Path, tensors: Mapping[str, Any], words: dict[str, str]) -> None:
    """Write tensors as safetensors; torch's where torch is in use. Views and tied weights are written out in full."""
    if "torch" in sys.modules:
        import torch
        from safetensors.torch import save_file as save_torch

        held = {k: torch.as_tensor(v).detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}
        save_torch(held, str(to), words)
    else:
        from safetensors.numpy import save_file as save_numpy

        save_numpy({k: np.asarray(v, order="C") for k, v in tensors.items()}, str(to), words)


def _checked(path: Path, sha256: str, remedy: str) -> Path:
    if (found := digest_of_file(path)) != sha256:
        raise Invalid(
            f"{path} has the sha256 {found[:16]}…, not {sha256[:16]}… as expected: it is another file; {remedy}."
        )
    return path


def _fetched(name: str, source: str, sha256: str, kept: Path, offline: bool) -> Path:
    kind, _, rest = source.partition(":")
    how = f"put it at $UNSEEN_DATA/{name}, or let it be fetched from {source}"
    if kind not in ("url", "hf", "pypi"):
        raise Invalid(f"the source {source!r} of {name} begins with none of url:, hf:, pypi:.")
    if kind == "pypi":
        return _checked(_packaged(name, rest), sha256, f"install the package that holds the expected file ({source})")
    if offline and kind == "url":
        raise Missing(f"the data file {name} is not here and nothing may be fetched (offline); {how}.")
    kept.parent.mkdir(parents=True, exist_ok=True)
    spare = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        (_from_url if kind == "url" else _from_hub)(rest, name, spare, offline)
        _checked(spare, sha256, f"its source {source} changed; {how}")
        os.replace(spare, kept)
    except UnseenError:
        raise
    except Exception as error:  # the network fails in many ways
        if is_full(error):
            raise
        raise Missing(
            f"the data file {name} could not be fetched from {source} ({' '.join(str(error).split())[:200]}); {how} when there is a network."
        ) from error
    finally:
        spare.unlink(missing_ok=True)
    return kept


def _from_url(rest: str, name: str, to: Path, offline: bool) -> None:
    import urllib.request

    with urllib.request.urlopen(rest, timeout=30) as reply, to.open("wb") as file:
        shutil.copyfileobj(reply, file)


def _from_hub(rest: str, name: str, to: Path, offline: bool) -> None:
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError as error:
        raise missing_extra(f"the data file {name}", error, "hub") from error
    repo, _, path = rest.partition(":")
    repo, _, revision = repo.partition("@")
    found = hf_hub_download(
        repo, path or name, repo_type="dataset", revision=revision or None, local_files_only=offline
    )
    shutil.copyfile(found, to)


def _packaged(name: str, rest: str) -> Path:
    """A file inside an installed package, found without importing it."""
    from importlib.util import find_spec

    package, _, path = rest.partition(":")
    spec = find_spec(package.replace("-", "_"))
    if spec is None:
        raise Missing(
            f"the data file {name} comes with the package {package}, which is not installed; pip install {package}."
        )
    for place in spec.submodule_search_locations or ():
        if (found := Path(place) / path).is_file():
            return found
    raise Missing(
        f"the data file {name} comes with the package {package}, but the one installed holds no {path}; install another version."
    )
