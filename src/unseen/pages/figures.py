"""Which pictures does a study's record make? Curves along its axis, curves through training, the paper's numbers as marks.

Figures know no study: arms are the setting fields that vary, coordinates are what the splits carry. Each is a Vega-Lite
specification with its data aggregated inside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseen.core.ledger import Judged
from unseen.core.study import Mark

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLOURS = [
    "#3b6fb6",
    "#d9822b",
    "#2f9e6e",
    "#c2508b",
    "#8a6fc9",
    "#7a7a2a",
    "#c9483b",
    "#4aa3b8",
]  # apart for the colour-blind
MOST_ARMS = 8
MOST_FACETS = 16


@dataclass(frozen=True)
class Figure:
    """A picture: its title, Vega-Lite specification, and what it shows in words."""

    name: str
    title: str
    spec: Mapping[str, Any]
    words: str


def of(judged: Judged) -> list[Figure]:
    """The figures of a study: for each measure that claims or headlines read, along the axis and through training."""
    frame = judged.records.frame()
    found: list[Figure] = []
    for measure in _measures(judged):
        rows = _of_measure(frame, measure)
        for kind, part in rows:
            fields = _varying(part)
            if figure := _along_axis(judged, measure, kind, part, fields):
                found.append(figure)
            if figure := _through_training(judged, measure, kind, part, fields):
                found.append(figure)
    return found


def keep(judged: Judged, folder: Path) -> list[Path]:
    """Save a study's first figure as SVG beside its ledger; the files written."""
    import vl_convert

    figures = of(judged)
    if not figures:
        return []
    path = folder / f"{judged.tier}.svg"
    path.write_text(vl_convert.vegalite_to_svg(themed(figures[0].spec)), encoding="utf-8")
    return [path]


def themed(spec: Mapping[str, Any], *, ink: str = "#333", rule: str = "#ddd") -> dict[str, Any]:
    """A specification with our fonts and colours."""
    words = {
        "labelColor": ink,
        "titleColor": ink,
        "labelFont": "system-ui, sans-serif",
        "titleFont": "system-ui, sans-serif",
    }
    config = {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "range": {"category": COLOURS},
        "axis": {**words, "gridColor": rule, "domainColor": rule, "tickColor": rule, "titleFontWeight": 500},
        "legend": {**words, "orient": "bottom", "columns": 2, "labelLimit": 320, "titleFontWeight": 500},
        "header": {**words, "labelFontWeight": 600},
    }
    return {"$schema": SCHEMA, **spec, "config": config}


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
    return [
        (str(kind), rows.filter(pl.col("setting") == kind))
        for kind in rows["setting"].unique(maintain_order=True).to_list()
    ]


def _varying(rows: Any) -> list[str]:
    """The setting fields that differ among these rows, fewest levels last."""
    counted = {c: rows[c].n_unique() for c in rows.columns if c.startswith("setting.")}
    return sorted((c for c, n in counted.items() if n > 1), key=lambda c: (-counted[c], c))


def _at(rows: Any) -> str | None:
    """The coordinate along which splits lie: the number with most values."""
    import polars as pl

    numbers = {
        c: rows[c].drop_nulls().n_unique()
        for c in rows.columns
        if c.startswith("at.") and rows[c].dtype in (pl.Int64, pl.Float64)
    }
    best = max(numbers, key=lambda c: numbers[c], default=None)
    return best if best is not None and numbers[best] > 1 else None


def _armed(rows: Any, fields: Sequence[str]) -> tuple[Any, str]:
    """Rows with `arm` and `facet` columns; fields are spread over facets when colours would not do."""
    import polars as pl

    left = list(fields)
    facet = ""
    while left and rows.select(left).unique().height > MOST_ARMS and not facet:
        fit = [f for f in left if rows[f].n_unique() <= MOST_FACETS]
        if not fit:
            break
        facet = fit[0]
        left.remove(facet)
    words = [pl.format(f"{f.split('.', 1)[1]} {{}}", pl.col(f).cast(pl.String).fill_null("none")) for f in left]
    arm = pl.concat_str(words, separator=", ") if words else pl.lit("all")
    shown = pl.col(facet).cast(pl.String).fill_null("none") if facet else pl.lit("")
    return rows.with_columns(arm.alias("arm"), shown.alias("facet")), facet.split(".", 1)[-1]


def _summed(rows: Any, by: Sequence[str]) -> list[dict[str, Any]]:
    """Mean, lowest and highest seed of every group."""
    import polars as pl

    per_seed = rows.group_by([*by, "seed"]).agg(pl.col("value").mean(), pl.col("n").sum())
    told = per_seed.group_by(by).agg(
        pl.col("value").mean().alias("mean"),
        pl.col("value").min().alias("low"),
        pl.col("value").max().alias("high"),
        pl.len().alias("seeds"),
        pl.col("n").sum().alias("items"),
    )
    return [{k: round(v, 6) if isinstance(v, float) else v for k, v in r.items()} for r in told.sort(by).to_dicts()]


def _final(rows: Any) -> Any:
    import polars as pl

    over = [c for c in rows.columns if c.startswith("setting")]
    return rows.filter(pl.col("step").is_null() | (pl.col("step") == pl.col("step").max().over(over)))


def _along_axis(judged: Judged, measure: str, kind: str, rows: Any, fields: Sequence[str]) -> Figure | None:
    import polars as pl

    last = _final(rows)
    if last["split"].n_unique() < 2:
        return None
    armed, facet = _armed(last, fields)
    at = _at(last)
    x = at or "split"
    data = _summed(armed.filter(pl.col(x).is_not_null()), ["facet", "arm", x, "shifted"])
    data = [
        {**{k: v for k, v in d.items() if k != x}, "x": d[x], "where": "shifted" if d["shifted"] else "reference"}
        for d in data
    ]
    marks = _marks(judged.study.marks, measure, at, data)
    title = (at or "split").split(".")[-1]
    spec = _lines(data, marks, title, measure, facet, judged.tier) if at else _bars(data, title, measure, facet)
    words = f"{measure} {'along ' + title if at else 'on each split'}, {len({d['arm'] for d in data})} arms, mean over seeds with lowest and highest."
    return Figure(
        _name(judged.slug, measure, kind, "axis"),
        f"{measure} along {title}" if at else f"{measure} on each split",
        spec,
        words,
    )


def _through_training(judged: Judged, measure: str, kind: str, rows: Any, fields: Sequence[str]) -> Figure | None:
    import polars as pl

    steps = rows.filter(pl.col("step").is_not_null())
    if steps.is_empty() or steps["step"].n_unique() < 3:
        return None
    armed, facet = _armed(steps, fields)
    data = [
        {**d, "x": d["step"], "where": "shifted" if d["shifted"] else "reference"}
        for d in _summed(armed, ["facet", "arm", "step", "shifted"])
    ]
    spec = _lines(data, [], "steps", measure, facet, judged.tier, dash=True)
    return Figure(
        _name(judged.slug, measure, kind, "steps"),
        f"{measure} through training",
        spec,
        f"{measure} against optimizer steps; reference solid, shifted dashed.",
    )


def _marks(
    marks: Sequence[Mark], measure: str, at: str | None, data: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The paper's numbers that have a place on this figure."""
    key = (at or "").split(".", 1)[-1]
    found: list[dict[str, Any]] = []
    for mark in marks:
        if mark.measure != measure or (at and key not in mark.where):
            continue
        rest = {k: v for k, v in mark.where.items() if k not in (key, "shifted", "split")}
        arm = next(
            (d["arm"] for d in data if all(f"{k} {v}" in d["arm"] or str(v) == d["facet"] for k, v in rest.items())),
            None,
        )
        facet = next(
            (d["facet"] for d in data if str(d["facet"]) in {str(v) for v in rest.values()}),
            data[0]["facet"] if data else "",
        )
        if arm is not None and at:
            found.append(
                {
                    "x": mark.where[key],
                    "mean": mark.value,
                    "arm": arm,
                    "facet": facet,
                    "label": mark.label or "the paper",
                }
            )
    return found


def _lines(
    data: Sequence[Mapping[str, Any]],
    marks: Sequence[Mapping[str, Any]],
    x: str,
    y: str,
    facet: str,
    tier: str,
    *,
    dash: bool = False,
) -> dict[str, Any]:
    scale = {"domain": [0, 1]} if all(d["low"] >= 0 and d["high"] <= 1 for d in data) else {"zero": False}
    place = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": x,
            "axis": {"tickMinStep": 1, "grid": False},
            "scale": {"zero": False},
        }
    }
    colour = {"color": {"field": "arm", "type": "nominal", "title": None}}
    told = [
        {"field": f, "type": t, "title": n}
        for f, t, n in (
            ("arm", "nominal", "arm"),
            ("x", "quantitative", x),
            ("where", "nominal", ""),
            ("mean", "quantitative", y),
            ("low", "quantitative", "lowest seed"),
            ("high", "quantitative", "highest seed"),
            ("seeds", "quantitative", "seeds"),
        )
    ]
    value = {"y": {"field": "mean", "type": "quantitative", "title": y, "scale": scale}}
    stroke = (
        {
            "strokeDash": {
                "field": "where",
                "type": "nominal",
                "title": None,
                "scale": {"domain": ["reference", "shifted"], "range": [[1, 0], [5, 4]]},
            }
        }
        if dash
        else {}
    )
    points = (
        {}
        if dash
        else {
            "shape": {
                "field": "where",
                "type": "nominal",
                "title": None,
                "scale": {"domain": ["reference", "shifted"], "range": ["circle", "triangle-up"]},
            }
        }
    )
    grouped = {"detail": {"field": "where"}} if dash else {}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": data},
            "mark": {"type": "area", "opacity": 0.14},
            "encoding": {
                **place,
                **colour,
                **grouped,
                "y": {"field": "low", "type": "quantitative", "scale": scale, "title": y},
                "y2": {"field": "high"},
            },
        },
        {
            "data": {"values": data},
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {**place, **colour, **value, **stroke},
        },
        {
            "data": {"values": data},
            "mark": {"type": "point", "filled": True, "size": 34 if dash else 54, "opacity": 1},
            "encoding": {**place, **colour, **value, **points, "tooltip": told},
        },
    ]
    if marks:
        tips = [{"field": "label", "title": "the paper"}, {"field": "mean", "title": y}, {"field": "arm"}]
        layers.append(
            {
                "data": {"values": list(marks)},
                "mark": {"type": "point", "shape": "diamond", "size": 110, "strokeWidth": 2, "filled": False},
                "encoding": {**place, **colour, **value, "tooltip": tips},
            }
        )
    return _faceted({"layer": layers}, facet)


def _bars(data: Sequence[Mapping[str, Any]], x: str, y: str, facet: str) -> dict[str, Any]:
    scale = {"domain": [0, 1]} if all(d["low"] >= 0 and d["high"] <= 1 for d in data) else {}
    place = {
        "x": {
            "field": "x",
            "type": "nominal",
            "title": x,
            "sort": None,
            "axis": {"labelAngle": -30, "labelLimit": 140},
        },
        "xOffset": {"field": "arm"},
    }
    colour = {"color": {"field": "arm", "type": "nominal", "title": None}}
    faint = {
        "opacity": {
            "field": "where",
            "type": "nominal",
            "title": None,
            "scale": {"domain": ["reference", "shifted"], "range": [0.45, 1]},
        }
    }
    told = [{"field": f} for f in ("arm", "x", "where", "mean", "low", "high", "seeds")]
    bar = {
        "data": {"values": data},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            **place,
            **colour,
            **faint,
            "y": {"field": "mean", "type": "quantitative", "title": y, "scale": scale},
            "tooltip": told,
        },
    }
    whisker = {
        "data": {"values": data},
        "mark": {"type": "rule"},
        "encoding": {**place, "y": {"field": "low", "type": "quantitative", "title": y}, "y2": {"field": "high"}},
    }
    return _faceted({"layer": [bar, whisker]}, facet)


def _faceted(spec: dict[str, Any], facet: str) -> dict[str, Any]:
    """One panel, or one for each value of a field, two beside each other."""
    if not facet:
        return {**spec, "width": "container", "height": 260, "autosize": {"type": "fit", "contains": "padding"}}
    data = spec["layer"][0]["data"]["values"]
    values = list(dict.fromkeys(d["facet"] for d in data))
    panels = []
    for value in values:
        layers = [
            {**layer, "data": {"values": [d for d in layer["data"]["values"] if d["facet"] == value]}}
            for layer in spec["layer"]
        ]
        panels.append(
            {"title": {"text": f"{facet} {value}", "fontSize": 12}, "width": 250, "height": 150, "layer": layers}
        )
    return {"concat": panels, "columns": 2, "spacing": 24}


def _name(slug: str, *words: str) -> str:
    return "-".join(re.sub(r"[^a-z0-9]+", "-", w.lower()).strip("-") for w in (slug, *words))
