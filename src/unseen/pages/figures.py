"""Which pictures does a study's record make? Curves along its axis and through training, the paper's numbers as marks.

Figures know no study: arms are the fields that vary, coordinates are what the splits carry, panels are what colours
alone could not tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unseen.core.ledger import Judged
from unseen.core.study import Mark

from . import charts

MOST_ARMS = 8
MOST_PANELS = 24
VAGUE = ("none", "true", "false", "full", "")  # words that say nothing without the name of their field


@dataclass(frozen=True)
class Figure:
    """A picture: its title, its panels (name, Vega-Lite), a colour for each arm, what it shows in words, its numbers."""

    name: str
    title: str
    panels: Sequence[tuple[str, Mapping[str, Any]]]
    legend: Mapping[str, str]
    words: str
    rows: Sequence[Mapping[str, Any]]
    x: str
    marks: bool = False
    training: bool = False
    named: bool = False  # bars over names rather than curves along a number


def of(judged: Judged) -> list[Figure]:
    """The figures of a study: for each measure that claims or headlines read along the axis, then through training."""
    frame = judged.records.frame()
    along: list[Figure] = []
    through: list[Figure] = []
    for measure in _measures(judged):
        for kind, rows in _of_measure(frame, measure):
            if figure := _along_axis(judged, measure, kind, rows):
                along.append(figure)
            if figure := _through_training(judged, measure, kind, rows):
                through.append(figure)
    return [*along, *through]


def keep(judged: Judged, folder: Path) -> list[Path]:
    """Save a study's first figure as SVG beside its ledger; the files written."""
    import vl_convert

    figures = of(judged)
    if not figures:
        return []
    path = folder / f"{judged.tier}.svg"
    first = figures[0]
    path.write_text(vl_convert.vegalite_to_svg(charts.poster(first.panels, first.legend)), encoding="utf-8")
    return [path]


def _measures(judged: Judged) -> list[str]:
    """Measures in the order claims name them."""
    study = judged.study
    named = (
        [m for c in study.claims for m in c.effect.measures]
        + [h.measure for h in study.headlines]
        + [m.measure for m in study.marks]
    )
    there = set(judged.records.frame()["measure"].to_list())
    return [m for m in dict.fromkeys(named) if m in there]


def _of_measure(frame: Any, measure: str) -> list[tuple[str, Any]]:
    """The rows of a measure, apart for each class of settings."""
    import polars as pl

    rows = frame.filter(pl.col("measure") == measure)
    kinds = rows["setting"].unique(maintain_order=True).to_list()
    return [(str(kind), rows.filter(pl.col("setting") == kind)) for kind in kinds]


def _varying(rows: Any, x: str) -> list[str]:
    """The columns that tell arms apart, most levels first: setting fields, and coordinates that their split does not fix.

    A column that the others already tell (a number of steps that belongs to each task) is left out.
    """
    names = [c for c in rows.columns if c.startswith(("setting.", "at.")) and c != x and rows[c].n_unique() > 1]
    splits = rows["split"].n_unique()
    names = [c for c in names if c.startswith("setting.") or rows.select("split", c).unique().height > splits]
    kept = list(names)
    for name in sorted(names, key=lambda c: (rows[c].dtype.is_numeric(), rows[c].n_unique()), reverse=True):
        rest = [c for c in kept if c != name]
        if rest and rows.select(rest).unique().height == rows.select(kept).unique().height:
            kept = rest
    return sorted(kept, key=lambda c: (-rows[c].n_unique(), c))


def _at(rows: Any) -> str | None:
    """The coordinate along which splits lie: the number with most values."""
    numbers = {
        c: rows[c].drop_nulls().n_unique() for c in rows.columns if c.startswith("at.") and rows[c].dtype.is_numeric()
    }
    best = max(numbers, key=lambda c: numbers[c], default=None)
    return best if best is not None and numbers[best] > 1 else None


def _armed(rows: Any, x: str) -> Any:
    """Rows with `arm` and `panel` columns; a field goes to panels where colours would not do."""

    left, apart = _varying(rows, x), list[str]()
    while left and rows.select(left).unique().height > MOST_ARMS:
        if rows.select([*apart, left[0]]).unique().height > MOST_PANELS:
            break
        apart.append(left.pop(0))
    arm, panel = (_told(rows, fields) for fields in (left, apart))
    return rows.with_columns(arm.alias("arm"), panel.alias("panel"))


def _told(rows: Any, fields: Sequence[str]) -> Any:
    """The fields of every row as words; a text that stands alone speaks for itself, all else needs its field's name."""
    import polars as pl

    if not fields:
        return pl.lit("")
    return pl.concat_str([_words(rows, f, alone=len(fields) == 1) for f in fields], separator=", ")


def _words(rows: Any, field: str, *, alone: bool) -> Any:
    import polars as pl

    text = pl.col(field).cast(pl.String).fill_null("none")
    short = field.split(".", 1)[1].replace("_", " ")
    if rows[field].dtype == pl.Boolean:
        return pl.when(pl.col(field)).then(pl.lit(short)).otherwise(pl.lit(f"not {short}"))
    values = [str(v) for v in rows[field].drop_nulls().unique()] if rows[field].dtype == pl.String else ["0"]
    plain = alone and not any(v[:1] in "[0123456789" or v in VAGUE for v in values)
    return text if plain else pl.concat_str([pl.lit(f"{short} "), text])


def _summed(rows: Any, x: str) -> list[dict[str, Any]]:
    """Mean, lowest and highest seed of every panel, arm, place and kind of split."""
    import polars as pl

    by = list(dict.fromkeys(["panel", "arm", x, "shifted"]))
    per_seed = rows.group_by([*by, "seed"]).agg(pl.col("value").mean(), pl.col("n").sum())
    told = per_seed.group_by(by).agg(
        pl.col("value").mean().alias("mean"),
        pl.col("value").min().alias("low"),
        pl.col("value").max().alias("high"),
        pl.len().alias("seeds"),
        pl.col("n").sum().alias("items"),
    )
    found = []
    for r in told.drop_nulls(x).drop_nans("mean").sort(by).to_dicts():
        where = charts.WHERE[bool(r["shifted"])]
        kept = {k: round(v, 6) if isinstance(v, float) else v for k, v in r.items() if k not in (x, "shifted")}
        found.append({**kept, "x": r[x], "where": where})
    return found


def _final(rows: Any) -> Any:
    import polars as pl

    over = [c for c in rows.columns if c.startswith(("setting", "at.")) or c in ("split", "seed")]
    return rows.filter(pl.col("step").is_null() | (pl.col("step") == pl.col("step").max().over(over)))


def _along_axis(judged: Judged, measure: str, kind: str, rows: Any) -> Figure | None:
    last = _final(rows)
    if last["split"].n_unique() < 2:
        return None
    at = _at(last)
    x = at or "split"
    armed = _armed(last, x)
    data = _summed(armed, x)
    if not data:
        return None
    marks = [m for mark in judged.study.marks if mark.measure == measure for m in _marked(mark, armed, x)]
    title = x.split(".")[-1]
    if at:
        marks = [m for m in marks if _near(m, data)]
    draw = charts.lines if at else charts.bars
    words = f"{measure.replace('_', ' ')} {'along ' + title if at else 'on each split'}"
    made = _figure(judged, (measure, kind, "axis"), data, marks, title, draw)
    return replace(made, title=_headed(words), words=f"{words}: {_amount(data)}", named=at is None)


def _through_training(judged: Judged, measure: str, kind: str, rows: Any) -> Figure | None:
    import polars as pl

    steps = rows.filter(pl.col("step").is_not_null())
    if steps.is_empty() or steps["step"].n_unique() < 3:
        return None
    data = _summed(_armed(steps, _at(steps) or "split"), "step")

    def draw(*told: Any) -> dict[str, Any]:
        return charts.lines(*told, training=True)

    made = _figure(judged, (measure, kind, "steps"), data, [], "optimizer steps", draw)
    name = measure.replace("_", " ")
    words = f"{name} against optimizer steps: {_amount(data)}"
    return replace(made, title=_headed(f"{name} through training"), words=words, x="steps", training=True)


def _headed(words: str) -> str:
    return words[:1].upper() + words[1:]


def _figure(
    judged: Judged,
    names: tuple[str, str, str],
    data: Sequence[dict[str, Any]],
    marks: Sequence[dict[str, Any]],
    x: str,
    draw: Any,
) -> Figure:
    """What figures along an axis and through training share: their panels, colours and numbers."""
    arms = list(dict.fromkeys(d["arm"] for d in data))
    shades = charts.colours(arms)
    on = charts.axes(x, names[0], data, marks)
    panels: list[tuple[str, Mapping[str, Any]]] = []
    for panel in dict.fromkeys(d["panel"] for d in data):
        here, theirs = ([d for d in some if d["panel"] == panel] for some in (data, marks))
        panels.append((panel, draw(here, theirs, on, shades)))
    name = "-".join(re.sub(r"[^a-z0-9]+", "-", w.lower()).strip("-") for w in (judged.slug, judged.tier, *names))
    name += "-exploratory" if judged.exploratory else ""
    legend = shades if arms != [""] else {}
    return Figure(name, "", panels, legend, "", data, x, marks=bool(marks))


def _amount(data: Sequence[Mapping[str, Any]]) -> str:
    arms, seeds = len({(d["panel"], d["arm"]) for d in data}), max(d["seeds"] for d in data)
    spread = f"; mean of {seeds} seeds, lowest to highest shaded" if seeds > 1 else "; one seed"
    return f"{arms} {'arm' if arms == 1 else 'arms'}{spread}."


def _near(mark: Mapping[str, Any], data: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a number of the paper lies where its panel was measured, give or take half of that range."""
    places = [float(d["x"]) for d in data if d["panel"] == mark["panel"]]
    low, high = min(places), max(places)
    spare = 0.5 * (high - low)
    return low - spare <= float(mark["x"]) <= high + spare


def _marked(mark: Mark, rows: Any, x: str) -> list[dict[str, Any]]:
    """Where a number of the paper stands in a figure: its place, and its arm if it is of one, in every panel it is of."""
    import polars as pl

    short = x.split(".", 1)[-1]
    kept, place = rows, mark.where.get(short)
    for name, wanted in mark.where.items():
        if name == short:
            continue
        column = next((c for c in (name, f"setting.{name}", f"at.{name}") if c in rows.columns), None)
        if column is None:
            return []
        told = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
        kept = kept.filter(pl.col(column).cast(pl.String) == told)
    places = kept[x].drop_nulls().unique().to_list() if place is None else [place]
    if len(places) != 1:
        return []
    found: list[dict[str, Any]] = []
    for panel in kept["panel"].unique(maintain_order=True).to_list():
        arms = kept.filter(pl.col("panel") == panel)["arm"].unique().to_list()
        arm = arms[0] if len(arms) == 1 else " "  # of no one arm
        found.append(
            {"x": places[0], "mean": mark.value, "arm": arm, "panel": panel, "label": mark.label or "the paper"}
        )
    return found
