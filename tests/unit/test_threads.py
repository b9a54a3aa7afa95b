"""What numeric libraries are told of this process: threads (see test_execute) and memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from unseen.core.threads import threads

def faults(n):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        np.ones(1_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with threads(1):
    faults(3)
    print(faults(20))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc's allocator is told")
def test_freed_memory_is_used_again() -> None:
    """Twenty arrays of 8 MB, one after another, touch 2,000 new pages each where the system clears them anew."""
    import ctypes

    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("not glibc")
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert int(told.stdout) < 2_000
