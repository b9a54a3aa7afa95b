"""How many bits of inductive bias does your own data ask for? Of a Gaussian process on it, and of losses of any models.

unseen use inductive_bias bits houses.csv --target price --eps 0.5,0.1

    eps     bits   estimated of 1000 functions   state
    0.5      3.1       3.0 [2.6, 3.5]            exact
    0.1   1214.0       960 [702, 2210]           unreachable
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from unseen.core.errors import Invalid

from . import reading

SHARES = (0.5, 0.2, 0.1, 0.05, 0.02)  # of the error of a constant: the targets where none are named
app = typer.Typer(
    help="Inductive bias: the bits needed to pick a hypothesis of a small test error.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Eps = Annotated[
    str, typer.Option("--eps", help="Target errors, between commas; without, shares of a constant's error.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Which rows and functions are drawn.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a table: the kernel and its scale (None: the median distance), rows tested, the most rows trained
    on, sampled functions, draws of the data, and the seed."""

    kernel: str = "rbf"
    scale: float | None = None
    smoothness: float = 2.5
    layers: int = 1
    tested: int = 100
    limit: int = 0
    samples: int = 1000
    draws: int = 1
    seed: int = 0


@app.callback()
def main() -> None:
    """Inductive bias: the bits needed to pick a hypothesis of a small test error."""


@app.command("bits")
def bits_of(
    data: Annotated[Path, typer.Argument(help="npz (arrays x and y), csv or parquet.")],
    target: Annotated[str, typer.Option("--target", help="The target's column.")] = "y",
    kind: Annotated[str, typer.Option("--kind", help="Targets are classes, values, or auto: words are classes.")] = "auto",
    kernel: Annotated[str, typer.Option("--kernel", help="rbf, matern, arccosine or ntk.")] = "rbf",
    scale: Annotated[str, typer.Option("--scale", help="Inputs are divided by it; or median: their median distance.")] = "median",
    smoothness: Annotated[float, typer.Option("--smoothness", help="Of the Matérn kernel.")] = 2.5,
    layers: Annotated[int, typer.Option("--layers", help="Hidden layers of arccosine and ntk.")] = 1,
    standardize: Annotated[bool, typer.Option("--standardize", help="Bring every input to mean 0 and deviation 1.")] = False,
    eps: Eps = "",
    tested: Annotated[int, typer.Option("--tested", min=1, help="Rows tested on.")] = 100,
    limit: Annotated[int, typer.Option("--limit", min=0, help="The most rows trained on; 0: all.")] = 0,
    samples: Annotated[int, typer.Option("--samples", min=8, help="Functions that the estimate has.")] = 1000,
    draws: Annotated[int, typer.Option("--draws", min=1, help="Draws of which rows are tested.")] = 1,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """The bits that functions of a Gaussian process, fitted to most rows, need for a small error on the others.

    Errors are squared, averaged over tested rows and outputs; of classes each is an output, 0 or 1. The exact bits stand
    beside an estimate from sampled functions with its 95% interval.
    """
    if kind not in ("auto", "classes", "values"):
        raise Invalid(f"--kind {kind}: targets are classes, values or auto.")
    table = reading.dataset(data, target, kind=kind)
    if standardize:
        table = reading.Table(_standardized(table.x), table.y, table.classes)
    asked = Asked(kernel, _scale(scale), smoothness, layers, tested, limit, samples, draws, seed)
    found = list(of_table(table, _targets(eps), asked))
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    first = found[0]
    typer.echo(f"{first['trained']} rows of {table.x.shape[1]} inputs trained on, {tested} tested; {table.y.shape[1]} outputs. A constant has an error of {first['constant']:.4g}.")  # fmt: skip
    _print(found, f"estimated of {samples} functions", over=draws > 1)


@app.command("losses")
def losses_of(
    file: Annotated[Path, typer.Argument(help="txt (a number a line), npz, csv or parquet.")],
    column: Annotated[str, typer.Option("--column", help="The losses' column.")] = "loss",
    eps: Eps = "",
    fit: Annotated[str, typer.Option("--fit", help="cumulants, ncx2, mle, gamma, lognormal or empirical.")] = "cumulants",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:  # fmt: skip
    """The bits of a space of models, from the test losses of many of them, such as networks of different seeds."""
    import numpy as np

    from unseen.measures import bias

    held = reading.losses(file, column)
    wanted = _targets(eps)
    if not wanted:
        wanted = [float(np.median(held)) * share for share in (1.0, 0.9, 0.75, 0.5)] if len(held) else [1.0]
    told = bias.curve(held, wanted, fit=fit, seed=seed)  # type: ignore[arg-type]
    found = [_row(one) for one in told]
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    typer.echo(f"{len(held)} losses from {held.min():.4g} to {held.max():.4g}; beyond {told[0].depth:.1f} bits (*) the fitted law is extrapolated.")  # fmt: skip
    _print(found, f"bits, 95% interval ({fit})", over=False)


def of_table(table: reading.Table, targets: Sequence[float], asked: Asked) -> Iterator[dict[str, Any]]:
    """For each target error its exact bits, their estimate and its limits, and the state; over several draws of the rows
    their means, and Student's limits of the exact bits where there are three or more.

    Without targets, shares of a constant's error are taken. Raises Invalid for rows too few, or more than memory holds.
    """
    import numpy as np

    from unseen.measures import bias

    n = _rows(table, asked)
    laws = [_law(table, n, asked, k) for k in range(asked.draws)]
    constant = float(table.y.var(axis=0).mean())
    for eps in targets or [share * constant for share in SHARES]:
        exact = [bias.exact(one, eps) for one in laws]
        rng = np.random.default_rng((asked.seed, 1))
        near = [bias.bits(one.sample(asked.samples, rng), eps, seed=asked.seed) for one in laws]
        worst = max(exact, key=lambda b: b.bits)
        row = {"eps": eps, "bits": _mean(b.bits for b in exact), "state": worst.state}
        row |= {"estimate": _mean(b.bits for b in near), "low": _mean(b.low for b in near), "high": _mean(b.high for b in near)}  # fmt: skip
        row |= {"estimate_state": max(near, key=lambda b: b.bits).state, "trained": n, "constant": constant}
        yield row | _over([b.bits for b in exact])


def _law(table: reading.Table, n: int, asked: Asked, k: int) -> Any:
    """The law of the test error on one draw of the rows."""
    import numpy as np

    from unseen.measures.kernels import median_distance, named
    from unseen.measures.posterior import law

    rng = np.random.default_rng((asked.seed, 0, k))
    order = rng.permutation(len(table.x))
    test, train = order[: asked.tested], order[asked.tested : asked.tested + n]
    scale = median_distance(table.x[train], rng) if asked.scale is None else asked.scale
    kernel = named(asked.kernel, scale=scale, smoothness=asked.smoothness, layers=asked.layers)
    middle = table.y[train].mean(0)  # the prior has mean 0
    return law(kernel, (table.x[train], table.y[train] - middle), (table.x[test], table.y[test] - middle))


def _rows(table: reading.Table, asked: Asked) -> int:
    """How many rows are trained on. Raises Invalid where none are left, or their kernel does not fit into memory."""
    rest = len(table.x) - asked.tested
    if rest < 2:
        raise Invalid(
            f"--tested {asked.tested}: of {len(table.x)} rows {max(0, rest)} are left to train on; test fewer."
        )
    n = min(rest, asked.limit) if asked.limit else rest
    tables = 3 if asked.kernel in ("rbf", "matern") else 6  # of all pairs of rows, in memory at a time
    need, there = 8 * tables * (n + asked.tested) ** 2 / 1e9, memory_gb()
    if need > there:
        fits = max(1, int((there * 1e9 / 8 / tables) ** 0.5) - asked.tested)
        raise Invalid(f"{n} rows to train on need {need:.0f} GB of memory for their kernel, and {there:.0f} GB are there; draw fewer with --limit {fits}.")  # fmt: skip
    return n


def memory_gb() -> float:
    """The memory that is free (GB); without bound where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _scale(word: str) -> float | None:
    if word == "median":
        return None
    try:
        return float(word)
    except ValueError:
        raise Invalid(f"--scale {word}: it is a number above 0, or median.") from None


def _targets(words: str) -> list[float]:
    """The targets between commas. Raises Invalid for what is no number above 0."""
    found: list[float] = []
    for word in filter(None, (w.strip() for w in words.split(","))):
        try:
            found.append(float(word))
        except ValueError:
            raise Invalid(f"--eps {word}: target errors are numbers above 0, between commas.") from None
        if not 0 < found[-1] < float("inf"):
            raise Invalid(f"--eps {word}: a target error is a finite number above 0, in the units of squared targets.")
    return found


def _standardized(x: Any) -> Any:
    deviation = x.std(0)
    return (x - x.mean(0)) / (deviation + (deviation == 0))


def _mean(values: Iterator[float]) -> float:
    held = list(values)
    return sum(held) / len(held)


def _over(exact: list[float]) -> dict[str, float]:
    """Student's 95% limits of the mean over draws of the data."""
    if len(exact) < 3 or not all(map(_finite, exact)):
        return {}
    from scipy.stats import sem, t

    wide = float(t.ppf(0.975, len(exact) - 1) * sem(exact))
    return {"draws_low": max(0.0, _mean(iter(exact)) - wide), "draws_high": _mean(iter(exact)) + wide}


def _finite(x: float) -> bool:
    return abs(x) < float("inf")


def _row(one: Any) -> dict[str, Any]:
    return {"eps": one.eps, "estimate": one.bits, "low": one.low, "high": one.high, "estimate_state": one.state, "extrapolated": one.extrapolated}  # fmt: skip


def _print(found: list[dict[str, Any]], name: str, *, over: bool) -> None:
    exact = "bits" in found[0]
    typer.echo(f"{'eps':>10} " + (f"{'exact bits':>11} " if exact else "") + (f"{'over draws':>18} " if over else "") + f"{name:>34}   state")  # fmt: skip
    for one in found:
        told = f"{one['eps']:>10.4g} " + (f"{one['bits']:>11.4g} " if exact else "")
        if over:
            limits = f"[{one['draws_low']:.4g}, {one['draws_high']:.4g}]" if "draws_low" in one else ""
            told += f"{limits:>18} "
        mark = "*" if one.get("extrapolated") else ""
        shown = f"{one['estimate']:.4g}{mark} [{one['low']:.4g}, {one['high']:.4g}]"
        state = one["state"] if exact else one["estimate_state"]
        aside = f", estimate {one['estimate_state']}" if exact and one["estimate_state"] != "fitted" else ""
        typer.echo(f"{told}{shown:>34}   {state}{aside}")
