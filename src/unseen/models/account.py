"""How far is a model with the prompts of a trial? Answers a second, tokens, and the share of the trial's next step.

answers 1,204 (31/s)  tokens 96,320 in, 41,203 out        what the bar of a trial shows

A step, as a trial's own progress counts them, is often one seed, and each asks about as much as the one before.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from unseen.core.lab import Lab


class Account:
    """What the models of one trial were asked, told to its Lab as answers come, from any thread."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.step = lab, lab.at
        self.wanted = self.here = self.before = 0  # answers of this step: asked for, here, here before the last call
        self.whole = 0  # answers of the step before
        self.new = self.wrote = self.read = 0
        self.seconds, self.since = 0.0, time.monotonic()
        self._lock = threading.RLock()

    def begin(self, n: int) -> None:
        """So many answers more are wanted, some of which may be kept already."""
        with self._lock:
            if self.lab.at != self.step:
                self.step, self.whole, self.wanted, self.here = self.lab.at, self.here, 0, 0
            self.before, self.since = self.here, time.monotonic()
            self.wanted += n

    def heard(self, value: Any) -> None:
        """A new answer (its fields) or log-probability came."""
        with self._lock:
            self.new, self.here = self.new + 1, self.here + 1
            if isinstance(value, dict):
                self.wrote, self.read = self.wrote + value["tokens"], self.read + value["read"]
            self._tell()

    def reach(self, n: int) -> None:
        """So many of those wanted last are here now, the kept ones too."""
        with self._lock:
            self.here = self.before + n
            self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        self.seconds, self.since = self.seconds + now - self.since, now
        self.lab.within(self.here / max(self.wanted, self.whole, 1), **self._shown())

    def _shown(self) -> dict[str, str]:
        if not self.new:
            return {}
        shown = {"answers": f"{self.new:,} ({self.new / max(self.seconds, 1e-9):.3g}/s)"}
        if self.read:
            shown["tokens"] = f"{self.read:,} in, {self.wrote:,} out"
        elif self.wrote:
            shown["tokens"] = f"{self.wrote:,}"
        return shown
