"""Does a piece of Python pass its tests? Run in a process of its own, with little time and memory and an empty folder.

passes("def solve(xs):\\n    return xs[::-1]\\n", "def check(candidate):\\n    assert candidate([1, 2]) == [2, 1]\\n", "solve")  ->  True

The code may be a model's: the limits stop accidents, not an attack. Run models that you do not trust in a container.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import tempfile

SECONDS, MEMORY = 5, 1 << 30  # of processor time; bytes of addresses
LIMITS = f"""import resource
for kind, most in (("CPU", {SECONDS}), ("AS", {MEMORY}), ("FSIZE", 0), ("CORE", 0), ("NOFILE", 16)):
    resource.setrlimit(getattr(resource, "RLIMIT_" + kind), (most, most))
"""
FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)


def passes(code: str, test: str, entry: str) -> bool:
    """Whether `check(entry)`, which a test defines, comes to its end. Code that hangs, fails or leaves early does not."""
    # The tests' end is told by a word that the code cannot know, lest leaving early pass for a success.
    with tempfile.TemporaryDirectory(prefix="unseen-") as folder:
        word = secrets.token_hex(16)
        whole = f"{LIMITS}\n{code}\n\n{test}\n\ncheck({entry})\nprint({word!r})\n"
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", whole],
                cwd=folder,
                env={"PATH": "", "HOME": folder},
                capture_output=True,
                timeout=2 * SECONDS,
            )
        except (subprocess.TimeoutExpired, ValueError, OSError):  # too slow; a NUL in the code; too long a command
            return False
        return done.returncode == 0 and done.stdout.decode("utf-8", "replace").rstrip().endswith(word)


def code_of(answer: str, prompt: str, entry: str) -> str:
    """The function in an answer: its first fenced block, or all of it; what goes on from the prompt has that before it."""
    found = FENCED.search(answer)
    code = found.group(1) if found else answer
    return code if re.search(rf"^\s*def {re.escape(entry)}\b", code, re.MULTILINE) else f"{prompt}{code}"
