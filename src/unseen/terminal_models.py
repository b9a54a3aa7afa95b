"""How does a model look in a terminal? Its card, what it was tuned to, and how it differs from another.

length   skills_in_context: exact   0.62 [0.48, 0.75]   0.08 [0.02, 0.19]   -0.54 [-0.69, -0.36]
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .core.inert import label
from .live import spark
from .terminal import drawn_table, screen, show_json, wrote

FEW = 3  # examples and failures; a card written as a file has more

if TYPE_CHECKING:
    from .core.card import Card, OwnData
    from .core.compare import Comparison
    from .fitting import Fitted


def card(made: Card, written: Sequence[Path] = (), *, as_json: bool) -> None:
    """Print a model's profile."""
    if as_json:
        return show_json({**made.to_json(), "written": [str(p) for p in written]})
    from rich.text import Text

    from .pages.card import apart, survives

    console = screen()
    heading = f"{made.model} at tier {made.tier}" + (f", against {made.against}" if made.against else "")
    console.print(Text(heading, style="bold"))
    table = drawn_table(
        "axis",
        "study",
        "reference",
        "shifted",
        "gap",
        "along the axis",
        "chance",
        "n",
        *(["change, shifted", "survives"] if made.against else []),
    )
    for axis, profiles in made.axes.items():
        for p, where in zip(profiles, apart(profiles), strict=True):
            cells = [
                axis,
                f"{p.study}: {p.measure}" + (f"\n{where}" if where else ""),
                "\n".join(filter(None, (p.reference.text(), p.over_formats(shifted=False)))),
                "\n".join(filter(None, (p.shifted.text(), p.over_formats(shifted=True)))),
                p.gap.text(signed=True),
                spark([v for _, v, _ in p.curve]),
                f"{p.chance:.2g}",
                str(p.n),
            ]
            if made.against:
                cells += [p.change.text(signed=True) if p.change else "–", survives(p)]
            table.add_row(*map(Text, cells))
    console.print(table)
    if made.own is not None:
        own_data(made.own)
    for note in made.notes:
        print(note)
    wrote(written)


def own_data(own: OwnData) -> None:
    """Print what was found of an owner's two files, and a few rows that were answered wrong."""
    print(f"{own.test} beside {own.train}: {own.says}")
    for kind, test, train in own.examples[:FEW]:
        print(f"  {kind}: {label(test)}  |  {label(train)}")
    for f in own.failures[:FEW]:
        print(f"  wrong: {label(f.prompt)} -> {label(f.said)} (right: {label(f.answer)})")
        for like, prompt, answer in f.near[:1]:
            print(f"    nearest training row, {like:.2f}: {label(prompt)} -> {label(answer)}")
    for note in own.notes:
        print(note)


def comparison(found: Comparison, *, as_json: bool) -> None:
    """Print the paired differences of two models or runs."""
    if as_json:
        return show_json(found.to_json())
    from rich.text import Text

    columns = ("what", "split", "A", "B", "B − A", "won", "lost", "McNemar", "p", "Holm", "n")
    console, table = screen(), drawn_table(*columns)
    for d in found.differences:
        table.add_row(
            *[
                Text(c)
                for c in (
                    d.what,
                    d.split,
                    f"{d.a:.3f}",
                    f"{d.b:.3f}",
                    f"{d.estimate:+.3f} [{d.low:+.3f}, {d.high:+.3f}]",
                    *(
                        "" if v is None else f"{v:.3g}" if isinstance(v, float) else str(v)
                        for v in (d.won, d.lost, d.mcnemar)
                    ),
                    f"{d.p:.3g}",
                    f"{d.holm:.3g}",
                    str(d.n),
                )
            ]
        )
    console.print(Text(f"A = {found.first}, B = {found.second}", style="bold"))
    console.print(table)
    for note in found.notes:
        print(note)


def fitted(made: Fitted, page: Path, *, as_json: bool) -> None:
    """Print what a tuning did to the rows that were watched."""
    if as_json:
        return show_json({**made.to_json(), "written": [str(page)]})
    for look in made.looks:
        means = [f"{side} {look.mean(side, 'exact'):.3f}" for side in look.each]
        print(f"step {look.step:>6}  {'  '.join(means)}  of rows right")
    for note in ([made.parting.words()] if made.parting else []) + list(made.notes):
        print(note)
    data = f" --train {made.order.train} --test {made.order.shifted} --study none" if made.order.shifted else ""
    wrote([page], then=f"unseen card {made.name} --against {made.order.model}{data}")
