"""Do verdicts go wrong as seldom as they promise? Truths are put on the edge of a claim's region and records are drawn.

Fast: every family marked "held" at 3, 5 and 20 units, 1,000 draws a cell. The printed table, with more draws, is made by
`python tests/unit/test_calibration.py [--draws 4000]`; it stands in docs/verdicts.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from unseen.core.claim import Claim, Effect, Verdict, above, gap, judge, level, rank, ratio, slope, steps_to
from unseen.core.effect import Cells, Pairs, Table, Units
from unseen.core.interval import interval_of
from unseen.core.record import Item, Records, Row, Split

inf = float("inf")
Rng = np.random.Generator
A, B = {"arm": 0}, {"arm": 1}
SPLIT = Split("s")


@dataclass(frozen=True)
class Sample:
    """Many draws at once: units with a leading axis of draws, the truth, and the same draws as records."""

    units: Units
    truth: float
    effect: Effect
    told: Callable[[int], list[Any]]
    unit: str = "seed"


Draw = Callable[[Rng, int, int, int], Sample]  # generator, draws, units, items


@dataclass(frozen=True)
class Family:
    """Cells of one kind; `held` says whether the promise is made for it, `mine` that VERDICTS.md does not name it."""

    name: str
    cells: Sequence[Draw]
    held: bool = True
    narrow: bool = False  # own items and rates in .05–.95: coverage is bounded above too
    units: Sequence[int] = (3, 5, 20)
    items: Sequence[int] = (50, 500)
    mine: bool = False
    share: float = 1.0  # of the draws, where a draw is dear


# ---- own items: arms of counts ------------------------------------------------------------------------------------


def rates(rng: Rng, shape: tuple[int, ...], p: float, kappa: float) -> np.ndarray:
    """Each run's true rate: variance p(1−p)/(κ+1)."""
    return np.full(shape, p) if kappa == inf else rng.beta(p * kappa, (1 - p) * kappa, shape)


def arms(
    effect: Effect, w: Sequence[float], ps: Sequence[Any], *, column: Sequence[int] | None = None, more: float = 0
):
    """Draws of a weighted sum of fractions with own items: ps are (p, κ) or functions (rng, shape) -> rates; with
    `more`, the arms after the first have other seeds, and so many more (a half: none more)."""

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        of = [p if callable(p) else (lambda r, shape, p=p: rates(r, shape, *p)) for p in ps]
        sizes = [s, *([s + int(more)] * (len(ps) - 1))]
        x = [rng.binomial(n, f(rng, (draws, k))) / n for f, k in zip(of, sizes, strict=True)]
        mean = [float(f(np.random.default_rng(1), (1_000_000,)).mean()) if callable(p) else p[0] for f, p in zip(of, ps, strict=True)]  # fmt: skip
        columns = np.array(column or [0] * len(ps))
        cells = Cells(np.array(w), np.stack([v.mean(1) for v in x], 1), n * np.array(sizes), columns)
        if column:
            pair = np.stack(x, -1)
            return Sample(Units("ratio", (pair,), cells=cells), mean[0] / mean[1], effect, _rows(x, n))
        ends = float(sum(v for v in w if v < 0)), float(sum(v for v in w if v > 0))
        each = [v * k for v, k in zip(x, w, strict=True)]
        parts = tuple(each) if more else (np.sum(each, axis=0),)
        truth = float(np.dot(w, mean))
        return Sample(Units("mean", parts, ends=ends, cells=cells), truth, effect, _rows(x, n, apart=1000 * bool(more)))

    return draw


def _rows(x: Sequence[np.ndarray], n: int, apart: int = 0) -> Callable[[int], list[Any]]:
    """Arm i is setting arm=i and split i with coordinate x=i; its seeds begin at i·apart."""
    return lambda d: [
        ({"arm": i}, s + i * apart, Row("exact", v, Split(f"s{i}", at={"x": i}), n=n, drawn=f"{i}.{s}"))
        for i, arm in enumerate(x)
        for s, v in enumerate(arm[d])
    ]


GAP, RATIO = gap("exact", A, B), ratio(level("exact", **A), level("exact", **B))
SLOPE = (np.arange(4) - 1.5) / np.sum((np.arange(4) - 1.5) ** 2)


def levels(ps: Sequence[float], kappas: Sequence[float]) -> list[Draw]:
    return [arms(level("exact"), [1.0], [(p, k)]) for p in ps for k in kappas]


def gaps(pairs: Sequence[tuple[float, float]], kappas: Sequence[float], more: float = 0) -> list[Draw]:
    return [arms(GAP, [1.0, -1.0], [(p, k), (q, k)], more=more) for p, q in pairs for k in kappas]


def ratios(pairs: Sequence[tuple[float, float]], kappas: Sequence[float]) -> list[Draw]:
    return [arms(RATIO, [1.0, 1.0], [(p, k), (q, k)], column=[0, 1]) for p, q in pairs for k in kappas]


def several(kappas: Sequence[float]) -> list[Draw]:
    """The mean of three splits and the slope over four."""
    for_mean = [arms(level("exact"), [1 / 3] * 3, [(p, k) for p in (0.3, 0.6, 0.9)]) for k in kappas]
    return for_mean + [arms(slope("exact", "x"), list(SLOPE), [(p, k) for p in (0.9, 0.7, 0.5, 0.3)]) for k in kappas]


def two_kinds(share: float, high: float, low: float) -> Callable[..., np.ndarray]:
    """Rates of which a share is high, the rest low."""
    return lambda rng, shape: np.where(rng.random(shape) < share, high, low)


def tailed(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Rates with a tail: Beta with κ = 50, the mean .85 in nine of ten runs, .7 in the tenth."""
    p = np.where(rng.random(shape) < 0.9, 0.85, 0.7)
    return rng.beta(p * 50, (1 - p) * 50)


def going_together(first: float, second: float, sd: float) -> Draw:
    """A gap of two arms with own items whose runs share most of their luck: logits off by N(0, sd²) together, sd/4 alone."""

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        luck = sd * rng.standard_normal((draws, s))
        of = [sigmoid(mu + luck + sd / 4 * rng.standard_normal((draws, s))) for mu in (first, second)]
        x = [rng.binomial(n, p) / n for p in of]
        cells = Cells(
            np.array([1.0, -1.0]), np.stack([v.mean(1) for v in x], 1), np.full(2, n * s), np.zeros(2, np.intp)
        )
        truth = mean_rate(first, sd * np.sqrt(17) / 4) - mean_rate(second, sd * np.sqrt(17) / 4)
        return Sample(Units("mean", (x[0] - x[1],), ends=(-1.0, 1.0), cells=cells), truth, GAP, _rows(x, n))

    return draw


# ---- real values --------------------------------------------------------------------------------------------------


def real(of: Callable[[Rng, tuple[int, int]], np.ndarray], truth: float) -> Draw:
    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        x = of(rng, (draws, s)) + 2.5  # away from 0..1, so that nothing looks like counts
        told = lambda d: [({}, u, Row("loss", v)) for u, v in enumerate(x[d])]  # noqa: E731
        return Sample(Units("mean", (x,)), truth + 2.5, level("loss"), told)

    return draw


# ---- shared items -------------------------------------------------------------------------------------------------


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def mean_rate(logit: float, sd: float) -> float:
    """E sigmoid(logit + N(0, sd²)) by Gauss-Hermite quadrature."""
    at, weight = np.polynomial.hermite_e.hermegauss(80)
    return float(np.sum(weight * sigmoid(logit + sd * at)) / np.sum(weight))


def answers(rng: Rng, logits: np.ndarray) -> np.ndarray:
    return (rng.random(logits.shape) < sigmoid(logits)).astype(float)


def noise_of(rng: Rng, draws: int, s: int, n: int, sd: float) -> tuple[np.ndarray, np.ndarray]:
    return sd * rng.standard_normal((draws, s, 1)), rng.standard_normal((draws, 1, n))


def shared(logits: Sequence[float], item_sd: float, seed_sd: float, *, same: bool = False, kept: bool = True) -> Draw:
    """A level (one logit) or a gap (two) of runs on shared items: of two splits, or (same) two arms on one split."""
    w = [1.0, -1.0][: len(logits)]

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        x: list[np.ndarray] = []
        for i, mu in enumerate(logits):
            of_seed, fresh = noise_of(rng, draws, s, n, seed_sd)
            of_item = fresh if not (same and i) else of_item  # noqa: F821
            x.append(answers(rng, mu + of_seed + item_sd * of_item))
        truth = float(np.dot(w, [mean_rate(mu, np.hypot(item_sd, seed_sd)) for mu in logits]))
        return Sample(
            _units(x, w, same, kept, "seed"), truth, GAP if len(w) > 1 else level("exact"), _items(x, same, kept)
        )

    return draw


def _alike(x: np.ndarray) -> np.ndarray:
    return np.all(x == x[:, :1], axis=(1, 2))


def _units(x: Sequence[np.ndarray], w: Sequence[float], same: bool, kept: bool, unit: str) -> Units:
    """Units of tables x [draw unit item] by the rules for shared items."""
    _, s, n = x[0].shape
    per = sum(v * t.mean(2) for v, t in zip(w, x, strict=True))
    ends = float(sum(v for v in w if v < 0)), float(sum(v for v in w if v > 0))
    behind = np.stack([np.where(_alike(t), n, s * n) if kept else np.full(len(t), n) for t in x], 1)
    cells = Cells(np.array(w), np.stack([t.mean((1, 2)) for t in x], 1), behind, np.zeros(len(w), np.intp))
    tables = [v * t for v, t in zip(w, x, strict=True)]
    pairs = None
    if same:
        d, none = sum(tables), np.empty((len(per), 0))
        once = _alike(d)
        scale = np.where(once, 1 / s, 1.0)[:, None]
        total, square = d.sum((1, 2))[:, None] * scale, (d * d).sum((1, 2))[:, None] * scale
        pairs = Pairs(np.ones(1), total, square, np.where(once, n, s * n)[:, None])
        cells, tables = Cells(np.empty(0), none, none, np.empty(0, np.intp)), [d]
    exact = s == 1
    parts = tuple(t.mean(1) for t in tables) if unit == "item" and not exact else (per,)
    return Units(
        "mean", parts, ends=ends, cells=cells, pairs=pairs, items=n * len(tables),
        tables=tuple(Table("s", t) for t in tables) if kept else (), of_items=unit == "item" and not exact,
    )  # fmt: skip


def _items(x: Sequence[np.ndarray], same: bool, kept: bool) -> Callable[[int], list[Any]]:
    def told(d: int) -> Iterator[Any]:
        for i, arm in enumerate(x):
            split = SPLIT if same else Split(f"s{i}")
            for s, scores in enumerate(arm[d]):
                if not kept:
                    yield {"arm": i}, s, Row("exact", scores.mean(), split, n=len(scores))
                    continue
                for j, v in enumerate(scores):
                    yield {"arm": i}, s, Item(f"{j:04d}", split, "", "", "", {"exact": v})

    return lambda d: list(told(d))


def by_item(logits: Sequence[float], item_sd: float, runs: int, *, same: bool = False) -> Draw:
    """These very runs on new items: run effects fixed, `units` of the family count items."""
    w = [1.0, -1.0][: len(logits)]
    off = np.linspace(-0.4, 0.4, runs) if runs > 1 else np.zeros(1)

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        of_item = rng.standard_normal((len(logits), draws, 1, s))
        x = [answers(rng, mu + off[:, None] + item_sd * of_item[0 if same else i]) for i, mu in enumerate(logits)]
        truth = float(np.dot(w, [np.mean([mean_rate(mu + o, item_sd) for o in off]) for mu in logits]))
        return Sample(_units(x, w, same, True, "item"), truth, GAP if len(w) > 1 else level("exact"), _items(x, same, True), "item")  # fmt: skip

    return draw


# ---- ranks and times ----------------------------------------------------------------------------------------------


def ranks_by_run(slope_: float, k: int) -> Draw:
    """Each run's values rise by `slope_` noise sds a level, over k levels."""
    x = np.arange(k, dtype=float)

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        from unseen.core.stats import spearman

        y = slope_ * x + rng.standard_normal((draws, s, k))
        truth = float(spearman(x, slope_ * x + np.random.default_rng(2).standard_normal((200_000, k))).mean())
        step = 12 / (k**3 - k)
        told = lambda d: [({}, u, Row("loss", 3 + v, Split(f"s{i}", at={"x": i}))) for u in range(s) for i, v in enumerate(y[d, u])]  # noqa: E731  # fmt: skip
        return Sample(Units("rank", (spearman(x, y),), ends=(-1 - step, 1 + step), step=step), truth, rank("loss", "x"), told)  # fmt: skip

    return draw


def rank_of_points(r: float) -> Draw:
    """Points of a bivariate normal with correlation r: the population's ρ is 6/π·asin(r/2); `units` count points."""

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        x = rng.standard_normal((draws, s))
        y = r * x + np.sqrt(1 - r * r) * rng.standard_normal((draws, s))
        told = lambda d: [({"x": a}, 0, Row("loss", 9 + b)) for a, b in zip(x[d], y[d], strict=True)]  # noqa: E731
        units = Units("rank", (np.stack([x, y], -1),), ends=(-1.0, 1.0), least=8)
        return Sample(units, float(6 / np.pi * np.arcsin(r / 2)), rank("loss", "x"), told, "x")

    return draw


def times(of: Callable[[Rng, tuple[int, int]], np.ndarray], median: float, last: int) -> Draw:
    """Times to a threshold, read every 10 steps until `last`."""

    def draw(rng: Rng, draws: int, s: int, n: int) -> Sample:
        t = of(rng, (draws, s))
        at = np.maximum(10, np.ceil(t / 10) * 10)
        bounds = np.stack([np.where(at > last, last, at - 10), np.where(at > last, inf, at)], -1)
        told = lambda d: [({}, u, Row("solved", float(k >= at[d, u]), step=k)) for u in range(s) for k in range(10, last + 1, 10)]  # noqa: E731  # fmt: skip
        return Sample(Units("median", (bounds,), least=5), median, steps_to("solved", 0.5), told)

    return draw


ALL, HIGH, LOW = (inf, 200, 50), (inf, 50, 10), (inf, 200)
PAIRS = ((0.02, 0.02), (0.1, 0.05), (0.3, 0.3), (0.5, 0.5), (0.8, 0.5), (0.9, 0.3), (0.95, 0.05))
FAMILIES = (
    Family("real values, abs. skewness ≤ 1", [real(lambda r, s: r.standard_normal(s), 0), real(lambda r, s: r.random(s), 0.5),
        real(lambda r, s: r.standard_t(5, s), 0), real(lambda r, s: r.gamma(4, 1, s), 4)], items=(50,)),
    Family("level .05–.95, κ = ∞, 200, 50", levels((0.05, 0.2, 0.5, 0.8, 0.95), ALL), narrow=True),
    Family("level .1–.9, κ = 10", levels((0.1, 0.5, 0.9), (10,)), narrow=True),
    Family("level .01, .99, κ = ∞, 200", levels((0.01, 0.99), LOW)),
    Family("gap (7 pairs), κ = ∞, 50, 10", gaps(PAIRS, HIGH)),
    Family("gap .99–.01, κ = ∞, 50", gaps(((0.99, 0.01),), (inf, 50))),
    Family("mean of 3 splits, slope of 4, κ = ∞, 50, 10", several(HIGH), narrow=True),
    Family("ratio .4/.8, .05/.1, .81/.9, κ = ∞, 50, 10", ratios(((0.4, 0.8), (0.05, 0.1), (0.81, 0.9)), HIGH)),
    Family("shared items, Items kept: level; gap of two splits", [shared([0.0], 1, 0.3), shared([1.5], 2, 0.5), shared([-1.0], 0, 0.2),
        shared([1.5, 0.0], 1, 0.5), shared([1.0, 1.0], 2, 0.0)], share=0.5),
    Family("two arms on the same items × seeds", [shared([1.0, 0.0], 1, 0.3, same=True), shared([0.5, 0.5], 2, 0.0, same=True),
        shared([1.5, -1.0], 1, 0.5, same=True)], share=0.5),
    Family("arms on different seeds: n + n", gaps(((0.7, 0.4), (0.9, 0.9)), (50, 10), more=0.5)),
    Family("arms on different seeds: 3 + 5", gaps(((0.7, 0.4), (0.9, 0.9)), (50, 10), more=2), units=(3,)),
    Family("arms on different seeds: 5 + 20", [*gaps(((0.7, 0.4),), (50, 10), more=15), *gaps(((0.9, 0.9),), (50,), more=15)], units=(5,)),
    Family("one run each, same items", [by_item([1.0, 0.0], 1, 1, same=True), by_item([0.0, 0.0], 2, 1, same=True), by_item([2.5, 2.0], 1, 1, same=True)], units=(20, 50, 500), items=(1,)),
    Family("unit item: one run, level and gap of two splits", [by_item([0.0], 1, 1), by_item([2.5], 1, 1), by_item([1.5, 0.0], 1, 1)], units=(50, 500), items=(1,)),
    Family("unit item: 2 and 5 runs", [by_item([1.0], 1, 2), by_item([0.0], 2, 5), by_item([1.5, 0.0], 1, 5), by_item([1.0, 0.5], 1, 2, same=True)], units=(50, 500), items=(1,), share=0.5),
    Family("rank per run, 4–10 levels", [ranks_by_run(b, k) for b, k in ((0.0, 4), (0.5, 4), (2.0, 5), (0.3, 10))], items=(50,)),
    Family("rank over 8–50 coordinates", [rank_of_points(r) for r in (0.0, 0.5, -0.8)], units=(8, 20, 50), items=(50,)),
    Family("steps_to, 0–38% censored", [times(lambda r, s: 1000 * r.random(s), 500, 1000), times(lambda r, s: 1000 * r.random(s), 500, 620),
        times(lambda r, s: 300 * r.exponential(1, s), 300 * np.log(2), 400), times(lambda r, s: 200 * np.exp(r.standard_normal(s)), 200, 300)], items=(50,)),
    Family("mixture of two normals, 2 sds apart, 7 : 3", [real(lambda r, s: r.standard_normal(s) + 2 * (r.random(s) < 0.3), 0.6)], items=(50,), mine=True),
    Family("runs of two near kinds: 80% at .8, 20% at .75", [arms(level("exact"), [1.0], [two_kinds(0.8, 0.8, 0.75)])], mine=True),
    Family("skewed Beta: 90% at κ = 50 about .85, 10% about .7", [arms(level("exact"), [1.0], [tailed])], mine=True),
    Family("gap of arms whose seeds go together", [going_together(1.0, 0.0, 0.8), going_together(0.5, 0.5, 0.4)], mine=True),
    Family("arms on different seeds: 3 + 18 and 5 + 20 at .9 and .9, κ = 10", gaps(((0.9, 0.9),), (10,), more=15), units=(3, 5), held=False, mine=True),
    Family("runs of two kinds: 80% at .8, 20% at .6", [arms(level("exact"), [1.0], [two_kinds(0.8, 0.8, 0.6)])], held=False, mine=True),
    Family("shared items, seed sd 1 logit, level .91: Items kept", [shared([3.0], 1, 1)], held=False, share=0.5),
    Family("the same, aggregated", [shared([3.0], 1, 1, kept=False)], held=False, share=0.5),
    Family("level .05, .95, κ = 10", levels((0.05, 0.95), (10,)), held=False),
    Family("level .01, .99, κ = 50", levels((0.01, 0.99), (50,)), held=False),
    Family("exponential, no ends", [real(lambda r, s: r.exponential(1, s), 1)], held=False, items=(50,)),
    Family("log-normal, no ends", [real(lambda r, s: np.exp(r.standard_normal(s)), float(np.exp(0.5)))], held=False, items=(50,)),
    Family("gap .99–.01, κ = 10", gaps(((0.99, 0.01),), (10,)), held=False),
    Family("ratio .05/.5, κ = 10", ratios(((0.05, 0.5),), (10,)), held=False),
    *(Family(f"runs solve or fail: share {p}", [arms(level("exact"), [1.0], [two_kinds(p, 1.0, 0.0)])], held=False) for p in (0.5, 0.7, 0.9)),
)  # fmt: skip


# ---- judging the draws --------------------------------------------------------------------------------------------


def decided(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Which draws call a claim with the truth on its edge supported, and which refuted ([draw] each), were it `above`."""
    units, truth = sample.units, sample.truth
    draws = units.parts[0].shape[0]
    found = interval_of(units, sample.unit, [truth])(0.05)
    if found is None:
        return np.zeros(draws, bool), np.zeros(draws, bool)
    return np.broadcast_to(found[0] > truth, draws), np.broadcast_to(found[1] < truth, draws)


def measured(family: Family, draws: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """(units, items, rates [cell 2] of supported and refuted) over the family's cells."""
    for units in family.units:
        for items in family.items:
            found: list[list[float]] = []
            for i, cell in enumerate(family.cells):
                rng, left, sums = (
                    np.random.default_rng([units, items, i]),
                    max(1, int(draws * family.share)),
                    np.zeros(2),
                )
                total = left
                while left:
                    some = min(left, max(1, 4_000_000 // (units * items * 2)))
                    sums += [v.sum() for v in decided(cell(rng, some, units, items))]
                    left -= some
                found.append(list(sums / total))
            yield units, items, np.array(found)


HELD = [f for f in FAMILIES if f.held]


@pytest.mark.parametrize("family", HELD, ids=lambda f: f.name)
def test_what_is_held(family: Family) -> None:
    """Each wrong verdict in at most 5% of the draws of a family and 6.5% of any cell (5% + two Monte-Carlo errors)."""
    for units, items, rates_ in measured(family, 1000):
        told = f"{family.name}, {units} units, {items} items: {rates_}"
        assert rates_.mean(0).max() <= 0.05 and rates_.max() <= 0.065, told
        if units >= 20:
            coverage = 1 - rates_.sum(1)
            assert coverage.mean() >= 0.93, told
            assert not family.narrow or coverage.mean() <= 0.975, told


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_records_and_judge_agree_with_the_arrays(family: Family) -> None:
    """Twenty draws of each family through real Records and judge: the same limits, hence the same verdicts."""
    cell, units = family.cells[-1], family.units[0] if family.units[0] != 3 else 5
    sample = cell(np.random.default_rng(7), 20, units, 50 if family.items != (1,) else 1)
    up, down = decided(sample)
    for d in range(20):
        verdict = verdict_on(sample, d)
        expected = "supported" if up[d] else "refuted" if down[d] else "undecided"
        assert verdict.status == expected, verdict
        assert verdict.estimate == pytest.approx(_point(sample, d), nan_ok=True)


def verdict_on(sample: Sample, d: int) -> Verdict:
    claim = Claim("C", "…", reported="", source="code", effect=sample.effect, expect=above(sample.truth), unit=sample.unit, over=("arm", "x"))  # fmt: skip
    return judge(claim, Records.of(sample.told(d)), "laptop")


def _point(sample: Sample, d: int) -> float:
    from unseen.core.interval import point_of

    return float(point_of(sample.units)[d])


def test_runs_that_solve_or_fail_say_what_they_cannot_show() -> None:
    """The known limit: where nine of ten runs solve a task, five that all do refute nothing, and `why` says so."""
    sample = arms(level("exact"), [1.0], [two_kinds(0.9, 1.0, 0.0)])(np.random.default_rng(1), 1000, 5, 50)
    wrong = decided(sample)[0]
    assert 0.5 < wrong.mean() < 0.7  # .9⁵ = .59
    verdict = verdict_on(sample, int(np.flatnonzero(wrong)[0]))
    assert verdict.status == "supported"
    assert "5 of 5 runs; a kind of run rarer than 45% could still be unseen" in verdict.why


# ---- the table ----------------------------------------------------------------------------------------------------


def table(draws: int, families: Sequence[Family] = FAMILIES) -> Iterator[str]:
    """Lines of Markdown: the worst rate of one wrong verdict over a family's cells (%), and coverage with most units."""
    yield "| family | units | worst wrong verdict, % | coverage with most units, % | |"
    yield "|---|---|---|---|---|"
    for family in families:
        worst = {u: 0.0 for u in family.units}
        covered: list[float] = []
        for units, _, rates_ in measured(family, draws):
            worst[units] = max(worst[units], 100 * rates_.max())
            if units == family.units[-1]:
                covered += list(100 * (1 - rates_.sum(1)))
        told = " / ".join(f"{v:.1f}" for v in worst.values())
        name = family.name + (" (ours)" if family.mine else "")
        held = "held" if family.held else "limit"
        yield f"| {name} | {' / '.join(map(str, worst))} | {told} | {min(covered):.1f}–{max(covered):.1f} | {held} |"


@pytest.mark.slow
def test_the_table_holds() -> None:
    """With four times the draws, no cell of a held family is wrong in more than 5% + two Monte-Carlo errors."""
    for family in HELD:
        for units, items, rates_ in measured(family, 4000):
            room = 2 * np.sqrt(0.05 * 0.95 / (4000 * family.share))
            assert rates_.max() <= 0.055 + room, f"{family.name}, {units} units, {items} items: {rates_}"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Print the measured table of wrong verdicts.")
    asked.add_argument("--draws", type=int, default=4000)
    for line in table(asked.parse_args().draws):
        print(line, flush=True)
