"""What is certain about the waves and exponentials among the stages of a composed function?

Wave(2, 3, 0, 1, True).preimages((0.0, 0.0), (0.0, 0.6))  ->  [(0.3888…, 0.3889…)]: there 2 sin(3πy) + 1 is 0
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, ceil, cos, exp, floor, inf, log, pi, sin
from typing import Any

from .intervals import SLACK, Doubtful, Interval, add, inside, out, over, sign, times
from .stages import written

MOST = 200  # half turns of a wave over the whole of its argument


@dataclass(frozen=True, slots=True)
class Wave:
    """a sin(bπy + c) + d, or with cosine, b > 0."""

    a: int
    b: int
    c: int
    d: int
    sine: bool
    weight = 4

    def values(self, y: Any) -> Any:
        import numpy as np

        return self.a * (np.sin if self.sine else np.cos)(self.b * np.pi * y + self.c) + self.d

    def _halves(self, y: Interval) -> Interval:
        """The angle as a number t of half turns, the value being a sin(πt) + d."""
        return add(times(self.b, y), self._phase())

    def _phase(self) -> Interval:
        turned = out(self.c / pi, self.c / pi)
        return turned if self.sine else add(turned, (0.5, 0.5))

    def _back(self, t: Interval) -> Interval:
        phase = self._phase()
        return over(add(t, (-phase[1], -phase[0])), (self.b, self.b))

    def at(self, y: float, error: float) -> tuple[float, float]:
        part = self.b * y
        t = part + (self.c / pi if self.sine else self.c / pi + 0.5)
        if not abs(t) < 1e9:
            raise Doubtful
        far = self.a * sin(pi * (t - 2.0 * round(t / 2)))
        missed = pi * (self.b * error + SLACK * (abs(part) + abs(t) + 3)) + SLACK
        v = far + self.d
        return v, abs(self.a) * missed + SLACK * (abs(far) + abs(v))

    def image(self, y: Interval) -> Interval:
        low, high = self._halves(y)
        if not high - low < 2:
            return (float(self.d - abs(self.a)), float(self.d + abs(self.a)))
        waves = [_sine(low), _sine(high)]
        least, most = min(wave[0] for wave in waves), max(wave[1] for wave in waves)
        if floor((high - 0.5) / 2) != floor((low - 0.5) / 2):
            most = 1.0
        if floor((high + 0.5) / 2) != floor((low + 0.5) / 2):
            least = -1.0
        return add(times(self.a, (least, most)), (self.d, self.d))

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        wave = over(add(v, (-self.d, -self.d)), (self.a, self.a))
        if wave[0] > 1 or wave[1] < -1:
            return []
        if wave[0] <= -1 or wave[1] >= 1:
            raise Doubtful
        turn = times(1.0, out(asin(wave[0]) / pi - 1e-16, asin(wave[1]) / pi + 1e-16))
        found: list[Interval] = []
        for n in self._count(within):
            found.append(self._back(add(turn, (2.0 * n, 2.0 * n))))
            found.append(self._back(add((2.0 * n + 1, 2.0 * n + 1), (-turn[1], -turn[0]))))
        return inside(found, within)

    def turns(self, within: Interval) -> list[Interval]:
        return inside([self._back((n + 0.5, n + 0.5)) for m in self._count(within) for n in (2 * m, 2 * m + 1)], within)

    def _count(self, within: Interval) -> range:
        """The whole turns that `within` may hold; raises Doubtful where they are too many."""
        low, high = self._halves(within)
        if not high - low < MOST:
            raise Doubtful
        return range(floor(low / 2) - 1, ceil(high / 2) + 1)

    def poles(self) -> list[Interval]:
        return []

    def rising(self, y: Interval) -> int:
        low, high = self._halves(y)
        half = floor(low + 0.5)
        if not half - 0.5 < low <= high < half + 0.5:
            raise Doubtful
        return (1 if self.a > 0 else -1) * (1 if half % 2 == 0 else -1)

    def steepness(self, y: Interval) -> Interval:
        low, high = self._halves(y)
        half = round((low + high) / 2)
        if not half - 0.5 - 1e-9 < low <= high < half + 0.5 + 1e-9:
            return 0.0, abs(self.a) * self.b * pi * (1 + SLACK)
        ends = [cos(pi * (low - half)), cos(pi * (high - half))]
        most = 1.0 if low <= half <= high else max(ends)
        least = max(0.0, min(ends) - 1e-14)
        top = abs(self.a) * self.b * pi
        return out(top * least, top * (most + 1e-14))

    def text(self, x: str) -> str:
        name = "sin" if self.sine else "cos"
        angle = written((self.b, f"π{x}"), (self.c, ""))
        return written((self.a, f"{name}({angle})"), (self.d, ""))

    @property
    def code(self) -> str:
        return f"{'s' if self.sine else 'c'}{self.a},{self.b},{self.c},{self.d}"


def _sine(t: float) -> Interval:
    """sin(πt), the half turns taken off first: whole numbers of them exactly."""
    near = 2.0 * round(t / 2)
    wave = sin(pi * (t - near))
    return max(-1.0, wave - 1e-15), min(1.0, wave + 1e-15)


@dataclass(frozen=True, slots=True)
class Power:
    """a e^(by) + c, b not zero."""

    a: int
    b: int
    c: int
    weight = 3

    def values(self, y: Any) -> Any:
        import numpy as np

        return self.a * np.exp(np.minimum(self.b * y, 700.0)) + self.c

    def _raised(self, y: Interval) -> Interval:
        low, high = times(self.b, y)
        least = exp(min(low, 700.0)) * (1 - SLACK)
        return least, exp(high) * (1 + SLACK) if high < 700 else inf

    def at(self, y: float, error: float) -> tuple[float, float]:
        part = self.b * y
        missed = abs(self.b) * error + SLACK * abs(part)
        if not (part < 700 and missed < 1):
            raise Doubtful
        raised = self.a * exp(part)
        v = raised + self.c
        return v, abs(raised) * (2 * missed + 2 * SLACK) + SLACK * abs(v)

    def image(self, y: Interval) -> Interval:
        return add(times(self.a, self._raised(y)), (self.c, self.c))

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        raised = over(add(v, (-self.c, -self.c)), (self.a, self.a))
        if sign(raised) <= 0:
            return []
        logs = out(log(raised[0]) - 1e-16, log(raised[1]) + 1e-16)
        return inside([over(logs, (self.b, self.b))], within)

    def turns(self, within: Interval) -> list[Interval]:
        return []

    def poles(self) -> list[Interval]:
        return []

    def rising(self, y: Interval) -> int:
        return 1 if self.a * self.b > 0 else -1

    def steepness(self, y: Interval) -> Interval:
        low, high = self._raised(y)
        top = abs(self.a * self.b)
        return out(top * low, top * high)

    def text(self, x: str) -> str:
        return written((self.a, f"e^({written((self.b, x))})"), (self.c, ""))

    @property
    def code(self) -> str:
        return f"e{self.a},{self.b},{self.c}"
