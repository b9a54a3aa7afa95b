"""Of what simple functions are the functions of the problems composed, and what is certain about each of them?

Quadratic(2, -3, 1).preimages((0.0, 0.0), (-10.0, 10.0))  ->  [(0.9999…, 1.0000…), (0.4999…, 0.5000…)]

Lines, parabolas, absolute values and ratios of lines; waves and exponentials are in `waves`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any, Protocol

from .intervals import SLACK, Doubtful, Interval, add, doubt, inside, out, over, sign, size, times


class Stage(Protocol):
    """A simple function of y, certain about intervals and quick about arrays."""

    @property
    def weight(self) -> int:
        """How difficult the official generator says it is."""
        ...

    def values(self, y: Any) -> Any:
        """The values at floats or an array, without certainty."""
        ...

    def image(self, y: Interval) -> Interval:
        """An interval that holds the values at every number of y: all numbers where y may hold a pole."""
        ...

    def at(self, y: float, error: float) -> tuple[float, float]:
        """The value at a number that y misses by `error` at most, and by how much it is missed: as `image`, but quick.
        Raises Doubtful where it cannot be told."""
        ...

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        """Where the value is v, one number for each interval; raises Doubtful where their number is open."""
        ...

    def turns(self, within: Interval) -> list[Interval]:
        """Where it turns from rising to falling or back."""
        ...

    def poles(self) -> list[Interval]:
        """Where it is undefined."""
        ...

    def rising(self, y: Interval) -> int:
        """1 where it rises on y and -1 where it falls."""
        ...

    def steepness(self, y: Interval) -> Interval:
        """An interval that holds |slope| at every number of y, an interval without turns or poles inside."""
        ...

    def text(self, x: str) -> str:
        """The formula for an argument written x, a variable or a formula in parentheses."""
        ...

    @property
    def code(self) -> str:
        """The function in letters and digits."""
        ...


def written(*terms: tuple[int, str]) -> str:
    """A sum in the usual form: written((2, 'x^2'), (-1, 'x'), (3, '')) -> '2x^2 - x + 3'. All zero: '0'."""
    said = ""
    for factor, name in terms:
        if factor == 0:
            continue
        size = str(abs(factor)) if abs(factor) != 1 or not name else ""
        joint = (" - " if factor < 0 else " + ") if said else "-" if factor < 0 else ""
        said += joint + size + name
    return said or "0"


@dataclass(frozen=True, slots=True)
class Linear:
    """ay + b."""

    a: int
    b: int
    weight = 1

    def values(self, y: Any) -> Any:
        return self.a * y + self.b

    def at(self, y: float, error: float) -> tuple[float, float]:
        product = self.a * y
        v = product + self.b
        return v, abs(self.a) * error + SLACK * (abs(product) + abs(v))

    def image(self, y: Interval) -> Interval:
        return add(times(self.a, y), (self.b, self.b))

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        return inside([over(add(v, (-self.b, -self.b)), (self.a, self.a))], within)

    def turns(self, within: Interval) -> list[Interval]:
        return []

    def poles(self) -> list[Interval]:
        return []

    def rising(self, y: Interval) -> int:
        return 1 if self.a > 0 else -1

    def steepness(self, y: Interval) -> Interval:
        return float(abs(self.a)), float(abs(self.a))

    def text(self, x: str) -> str:
        return written((self.a, x), (self.b, ""))

    @property
    def code(self) -> str:
        return f"l{self.a},{self.b}"


@dataclass(frozen=True, slots=True)
class Quadratic:
    """ay² + by + c."""

    a: int
    b: int
    c: int
    weight = 2

    def values(self, y: Any) -> Any:
        return (self.a * y + self.b) * y + self.c

    def _slope(self, y: Interval) -> Interval:
        return add(times(2 * self.a, y), (self.b, self.b))

    def at(self, y: float, error: float) -> tuple[float, float]:
        square, part = self.a * y * y, self.b * y
        v = square + part + self.c
        moved = (
            abs(2 * self.a * y + self.b) + abs(self.a) * error + SLACK * (abs(2 * self.a * y) + abs(self.b))
        ) * error
        return v, moved + SLACK * (2 * abs(square) + 2 * abs(part) + abs(v) + abs(self.c))

    def image(self, y: Interval) -> Interval:
        ends = [self._at(end) for end in y]
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        slope = self._slope(y)
        if slope[0] <= 0 <= slope[1]:
            least = out(self.c - self.b * self.b / (4 * self.a), self.c - self.b * self.b / (4 * self.a))
            low, high = min(low, least[0] - SLACK * abs(self.c)), max(high, least[1] + SLACK * abs(self.c))
        return low, high

    def _at(self, y: float) -> Interval:
        """The value at one number, infinite ones too."""
        if not isfinite(y):
            return (inf, inf) if self.a > 0 else (-inf, -inf)
        square = out(y * y, y * y)
        linear = (self.b * y, self.b * y)
        return add(add(times(self.a, square), out(*linear)), (self.c, self.c))

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        inner = add((self.b * self.b, self.b * self.b), times(4 * self.a, add(v, (-self.c, -self.c))))
        match sign(inner):
            case -1:
                return []
            case 0:
                raise Doubtful
            case _:
                root = out(sqrt(inner[0]), sqrt(inner[1]))
        minus = (-self.b, -self.b)
        both = [over(add(minus, part), (2 * self.a, 2 * self.a)) for part in (root, (-root[1], -root[0]))]
        return inside(both, within)

    def turns(self, within: Interval) -> list[Interval]:
        return inside([over((-self.b, -self.b), (2 * self.a, 2 * self.a))], within)

    def poles(self) -> list[Interval]:
        return []

    def rising(self, y: Interval) -> int:
        return sign(self._slope(y)) or doubt()

    def steepness(self, y: Interval) -> Interval:
        one, other = 2 * self.a * y[0] + self.b, 2 * self.a * y[1] + self.b
        missed = 2 * SLACK * (abs(one) + abs(other) + abs(self.b))
        least = min(abs(one), abs(other)) - missed if one * other > 0 else 0.0
        return max(0.0, least), max(abs(one), abs(other)) + missed

    def text(self, x: str) -> str:
        return written((self.a, f"{x}^2"), (self.b, x), (self.c, ""))

    @property
    def code(self) -> str:
        return f"q{self.a},{self.b},{self.c}"


@dataclass(frozen=True, slots=True)
class Bent:
    """a|y - b| + c."""

    a: int
    b: int
    c: int
    weight = 3

    def values(self, y: Any) -> Any:
        return self.a * abs(y - self.b) + self.c

    def at(self, y: float, error: float) -> tuple[float, float]:
        far = self.a * abs(y - self.b)
        v = far + self.c
        return v, abs(self.a) * error + SLACK * (2 * abs(far) + abs(v))

    def image(self, y: Interval) -> Interval:
        return add(times(self.a, size(add(y, (-self.b, -self.b)))), (self.c, self.c))

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        far = over(add(v, (-self.c, -self.c)), (self.a, self.a))
        if sign(far) < 0:
            return []
        if sign(far) == 0:
            raise Doubtful
        return inside([add((self.b, self.b), part) for part in (far, (-far[1], -far[0]))], within)

    def turns(self, within: Interval) -> list[Interval]:
        return inside([(self.b, self.b)], within)

    def poles(self) -> list[Interval]:
        return []

    def rising(self, y: Interval) -> int:
        return (sign(add(y, (-self.b, -self.b))) or doubt()) * (1 if self.a > 0 else -1)

    def steepness(self, y: Interval) -> Interval:
        return float(abs(self.a)), float(abs(self.a))

    def text(self, x: str) -> str:
        return written((self.a, f"|{written((1, x), (-self.b, ''))}|"), (self.c, ""))

    @property
    def code(self) -> str:
        return f"v{self.a},{self.b},{self.c}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """(ay + b) / (cy + d) with ad != bc and c != 0."""

    a: int
    b: int
    c: int
    d: int
    weight = 4

    def values(self, y: Any) -> Any:
        return (self.a * y + self.b) / (self.c * y + self.d)

    def _under(self, y: Interval) -> Interval:
        return add(times(self.c, y), (self.d, self.d))

    def at(self, y: float, error: float) -> tuple[float, float]:
        part = self.c * y
        under = part + self.d
        missed = abs(self.c) * error + SLACK * (abs(part) + abs(under))
        least = abs(under) - missed
        if not least > 0:
            raise Doubtful
        product = self.a * y
        above = product + self.b
        v = above / under
        rounded = SLACK * (abs(product) + abs(above) + abs(v) * (abs(part) + 3 * abs(under))) / least
        return v, abs(self.a * self.d - self.b * self.c) * error / (least * least) * (1 + 8 * SLACK) + rounded

    def image(self, y: Interval) -> Interval:
        """a/c + (bc - ad) / (c (cy + d))."""
        under = self._under(y)
        if under[0] <= 0 <= under[1]:
            return -inf, inf
        rest = self.b * self.c - self.a * self.d
        return add(
            over((self.a, self.a), (self.c, self.c)) if self.a else (0.0, 0.0), over((rest, rest), times(self.c, under))
        )

    def preimages(self, v: Interval, within: Interval) -> list[Interval]:
        """(b - dv) / (cv - a)."""
        under = add(times(self.c, v), (-self.a, -self.a))
        if sign(under) == 0:
            return []
        above = add(times(-self.d, v), (self.b, self.b)) if self.d else (float(self.b), float(self.b))
        return inside([over(above, under)], within)

    def turns(self, within: Interval) -> list[Interval]:
        return []

    def poles(self) -> list[Interval]:
        return [over((-self.d, -self.d), (self.c, self.c)) if self.d else (0.0, 0.0)]

    def rising(self, y: Interval) -> int:
        return 1 if self.a * self.d > self.b * self.c else -1

    def steepness(self, y: Interval) -> Interval:
        low, high = size(self._under(y))
        if low <= 0:
            raise Doubtful
        top = abs(self.a * self.d - self.b * self.c)
        return out(*out(top / high / high, top / low / low))

    def text(self, x: str) -> str:
        return f"({written((self.a, x), (self.b, ''))})/({written((self.c, x), (self.d, ''))})"

    @property
    def code(self) -> str:
        return f"r{self.a},{self.b},{self.c},{self.d}"
