"""How many threads may numeric libraries use? As many as a trial needs, whether they are loaded yet or not."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

WORDS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@contextmanager
def threads(n: int) -> Generator[None]:
    """Within, this process computes with n threads: in libraries that are loaded and those that will be."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else None
    with words(n), threadpool_limits(n):
        if torch is not None:
            torch.set_num_threads(n)
        try:
            yield
        finally:
            if torch is not None and before is not None:
                torch.set_num_threads(before)


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
