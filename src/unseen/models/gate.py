"""How many requests may be under way at a server? As many as it takes: more while it answers, half where it is too busy.

gate = Gate(begin=8, most=64)
entered = gate.enter(over)          # waits until there is room, or until `over` is set
gate.well()                         # an answer: one more at a time for every round of answers
gate.busier(entered)                # 429, 503 or a time-out: half as many, once for all that were under way
gate.leave()

The rule is that of TCP (additive increase, multiplicative decrease; Jacobson 1988).
"""

from __future__ import annotations

import threading
import time

WAIT = 0.1  # seconds between two looks at whether all is over


class Gate:
    """A limit on what is under way at once, shared by threads."""

    def __init__(self, begin: int, most: int) -> None:
        self.limit, self.most = float(min(begin, most)), most
        self.inside = 0
        self._halved = float("-inf")
        self._room = threading.Condition()

    def enter(self, over: threading.Event) -> float:
        """Wait for room, and give the moment of entering. Once `over` is set nobody waits any more."""
        with self._room:
            while self.inside >= int(self.limit) and not over.is_set():
                self._room.wait(WAIT)
            self.inside += 1
            return time.monotonic()

    def leave(self) -> None:
        """Make room again."""
        with self._room:
            self.inside -= 1
            self._room.notify()

    def well(self) -> None:
        """Count an answer: after as many as may be under way, one more may be."""
        with self._room:
            self.limit = min(float(self.most), self.limit + 1 / self.limit)
            self._room.notify()

    def busier(self, entered: float) -> None:
        """Halve the limit, unless it was halved since this request began: those beside it were refused for the same."""
        with self._room:
            if entered > self._halved:
                self.limit = max(1.0, self.limit / 2)
                self._halved = time.monotonic()
