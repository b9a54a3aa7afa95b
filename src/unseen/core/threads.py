"""How do numeric libraries use this process? With as many threads as a trial needs, and memory that is used again."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

WORDS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# of glibc's mallopt; a piece of more than 32 MiB always comes from the system
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
PIECE, KEPT, AHEAD = 32 << 20, (1 << 31) - 1, 64 << 20  # bytes


@contextmanager
def threads(n: int) -> Generator[None]:
    """Within, this process computes with n threads: in libraries that are loaded and those that will be."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else None
    keep_memory()
    with words(n), _pools(len(sys.modules)).limit(limits=n):
        if torch is not None:
            torch.set_num_threads(n)
        try:
            yield
        finally:
            if torch is not None and before is not None:
                torch.set_num_threads(before)


@lru_cache(1)
def _pools(modules: int) -> Any:
    """The libraries with threads of their own; looked for again whenever there are more modules than before."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@cache
def keep_memory() -> bool:
    """Let freed memory be used again by this process instead of going back to the system; whether the C library can.

    A training step frees and asks for the same megabytes over and over. glibc returns them, and the system clears every
    page anew: a sixth of the time of small models. Only glibc is told; others are left as they are.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([tell(MMAP_THRESHOLD, PIECE), tell(TRIM_THRESHOLD, KEPT), tell(TOP_PAD, AHEAD)])


@contextmanager
def words(n: int) -> Generator[None]:
    """Within, libraries that load here or in processes started here find n threads in the environment."""
    told = {**dict.fromkeys(WORDS, str(n)), "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
