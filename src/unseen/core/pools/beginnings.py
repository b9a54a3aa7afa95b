"""Does any worker ever begin? Where the first few all end before that, so would the others, and a plan need not try them all.

beginnings.ended("task 7", lambda: "exit code 1")  ->  None twice, then Failed; None for ever after `begun` was said
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import Failed

FEW = 3  # workers that end before one has begun


@dataclass
class Beginnings:
    """Whether a worker has begun, and which of them ended before one had; `what` they are called, and the remedy."""

    what: str
    remedy: str
    begun: bool = False
    dead: set[str] = field(default_factory=set[str])

    def ended(self, name: str, how: Callable[[], str]) -> None:
        """Note that a worker ended. Raises Failed with `how` where none has begun, and this was one too many."""
        if self.begun:
            return
        self.dead.add(name)
        if len(self.dead) >= FEW:
            raise Failed(
                f"the first {FEW} {self.what} ended before they began, so the others are not tried: {how()}. {self.remedy}, and run the same command again."
            )
