"""How is a figure drawn? Vega-Lite specifications of one panel: lines along a number, or bars over names.

Colours are given to arms by name, so that one legend, written as HTML, serves every panel of a figure.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLOURS = [
    "#3b6fb6",
    "#d9822b",
    "#2f9e6e",
    "#c2508b",
    "#8a6fc9",
    "#8c8128",
    "#c9483b",
    "#4aa3b8",
]  # apart for the colour-blind
NEUTRAL = "#8a8f98"  # seen on light and on dark paper
WHERE = ("reference", "shifted")
FEW, LINE = 5, 13  # names under an axis that are written level, and letters in one of their lines
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"

Data = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Axes:
    """What the panels of a figure share: the names of both axes and the scale of the upright one."""

    x: str
    y: str
    scale: Mapping[str, Any]


def axes(x: str, y: str, data: Data, marks: Data) -> Axes:
    """Axes that hold all these values: 0..1 where they are fractions, else a round range about them."""
    values = [float(d[k]) for d in data for k in ("low", "high")] + [float(m["mean"]) for m in marks]
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        return Axes(x, y, {"domain": [0, 1]})
    spare = 0.04 * ((high - low) or abs(high) or 1.0)
    return Axes(x, y, {"domain": [low - spare, high + spare], "nice": True, "zero": False})


def colours(arms: Sequence[str]) -> dict[str, str]:
    """A colour for each arm, in order; they repeat past eight."""
    return {arm: COLOURS[i % len(COLOURS)] for i, arm in enumerate(arms)}


def lines(data: Data, marks: Data, on: Axes, shades: Mapping[str, str], *, training: bool = False) -> dict[str, Any]:
    """Curves: mean as a line, lowest to highest seed as a band, the paper's numbers as open diamonds.

    `data` rows hold arm, x, where, mean, low, high, seeds. Along an axis points tell reference from shifted splits and
    the reference has a ground of its own; through training the shifted curve is dashed.
    """
    x, y, scale = on.x, on.y, dict(on.scale)
    place = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": x,
            "scale": {"zero": False, "nice": training},
            "axis": _ticks(data, training),
        }
    }
    colour = _colour(shades)
    value = {"y": {"field": "mean", "type": "quantitative", "title": y, "scale": scale}}
    dash = {"strokeDash": _by_where([[1, 0], [5, 4]])} if training else {}
    shape = {} if training else {"shape": _by_where(["circle", "triangle-up"])}
    band = {"y": {"field": "low", "type": "quantitative", "scale": scale, "title": y}, "y2": {"field": "high"}}
    grouped = {"detail": {"field": "where"}} if training else {}
    size = 22 if training else 58
    layers = [
        {"data": {"values": list(data)}, "mark": {"type": "area", "opacity": 0.15}, "encoding": {**place, **colour, **grouped, **band}},
        {"data": {"values": list(data)}, "mark": {"type": "line", "strokeWidth": 2}, "encoding": {**place, **colour, **value, **dash}},
        {
            "data": {"values": list(data)},
            "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
            "encoding": {**place, **colour, **value, **shape, "tooltip": _told(x, y)},
        },
    ]  # fmt: skip
    if not training and (ground := _ground(data)):
        layers.insert(0, ground)
    return {"layer": [*layers, *_diamonds(marks, place, value, shades)]}


def bars(data: Data, marks: Data, on: Axes, shades: Mapping[str, str]) -> dict[str, Any]:
    """Bars over named splits, reference ones pale, lowest to highest seed as a line over each."""
    x, y, scale = on.x, on.y, dict(on.scale)
    if scale["domain"] != [0, 1]:
        scale["domain"] = [min(0.0, scale["domain"][0]), max(0.0, scale["domain"][1])]  # bars stand on zero
    names = list(dict.fromkeys(d["x"] for d in sorted(data, key=lambda d: WHERE.index(d["where"]))))
    place = {
        "x": {"field": "x", "type": "nominal", "title": x, "sort": names, "axis": _named(names)},
        "xOffset": {"field": "arm", "sort": list(shades)},
    }  # fmt: skip
    value = {"y": {"field": "mean", "type": "quantitative", "title": y, "scale": scale}}
    pale = {"opacity": {"condition": {"test": "datum.where === 'reference'", "value": 0.45}, "value": 1}}
    whole = {"y": {"field": "low", "type": "quantitative", "title": y, "scale": scale}, "y2": {"field": "high"}}
    return {
        "layer": [
            {
                "data": {"values": list(data)},
                "mark": {"type": "bar", "cornerRadiusEnd": 2},
                "encoding": {**place, **_colour(shades), **pale, **value, "tooltip": _told(x, y)},
            },
            {"data": {"values": list(data)}, "mark": {"type": "rule", "color": NEUTRAL, "strokeWidth": 1.5}, "encoding": {**place, **whole}},
            *_diamonds(marks, place, value, shades),
        ]
    }  # fmt: skip


def themed(
    spec: Mapping[str, Any], *, ink: str = "#3a3f47", rule: str = "#e3e1da", height: int = 220
) -> dict[str, Any]:
    """One panel as wide as its place, in our fonts and colours."""
    sized = {"width": "container", "height": height, "autosize": {"type": "fit", "contains": "padding", "resize": True}}
    return {"$schema": SCHEMA, **sized, **spec, "config": _config(ink, rule)}


def poster(panels: Sequence[tuple[str, Mapping[str, Any]]], legend: Mapping[str, str]) -> dict[str, Any]:
    """All panels of a figure as one picture with a legend of its own, for where there is no page around it."""
    told = [
        {"width": 300, "height": 180, **({"title": {"text": name, "fontSize": 12}} if name else {}), **_with_legend(spec, legend)}
        for name, spec in panels
    ]  # fmt: skip
    config = _config("#3a3f47", "#e3e1da")
    config["background"] = "#ffffff"
    config["legend"] = {"orient": "bottom", "columns": 2, "labelLimit": 360, "title": None}
    return {"$schema": SCHEMA, "concat": told, "columns": 2, "spacing": 28, "config": config}


def _config(ink: str, rule: str) -> dict[str, Any]:
    words = {"labelColor": ink, "titleColor": ink, "labelFont": FONT, "titleFont": FONT}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **words, "gridColor": rule, "domainColor": rule, "tickColor": rule, "titleFontWeight": 500, "labelFontSize": 11, "titleFontSize": 11.5,
            "titlePadding": 7,
        },
    }  # fmt: skip


def _with_legend(spec: Mapping[str, Any], legend: Mapping[str, str]) -> dict[str, Any]:
    """The panel with its colours explained, if there is more than one."""
    if len(legend) < 2:
        return dict(spec)
    layers = []
    for layer in spec["layer"]:
        encoding = dict(layer.get("encoding", {}))
        if "color" in encoding:
            encoding["color"] = {k: v for k, v in encoding["color"].items() if k != "legend"}
        layers.append({**layer, "encoding": encoding})
    return {**spec, "layer": layers}


def _ticks(data: Data, training: bool) -> dict[str, Any]:
    whole = all(float(d["x"]).is_integer() for d in data)
    few = sorted({d["x"] for d in data})
    exact = {"values": few} if not training and len(few) <= 12 else {"tickCount": 5}
    return {"grid": False, "format": "d" if whole and max(few) < 10_000 else "~s", **exact}


def _named(names: Sequence[str]) -> dict[str, Any]:
    """Labels in short lines under few bars, slanted under many."""
    if len(names) > FEW:
        return {"labelAngle": -35, "labelLimit": 110}
    lines_of = {name: textwrap.wrap(name, LINE, max_lines=3, placeholder="…") or [""] for name in names}
    return {"labelAngle": 0, "labelLimit": 0, "labelExpr": f"{json.dumps(lines_of)}[datum.value]"}


def _colour(shades: Mapping[str, str]) -> dict[str, Any]:
    scale = {"domain": list(shades), "range": list(shades.values())}
    return {"color": {"field": "arm", "type": "nominal", "title": None, "scale": scale, "legend": None}}


def _by_where(values: Sequence[Any]) -> dict[str, Any]:
    return {
        "field": "where",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(WHERE), "range": list(values)},
        "legend": None,
    }


def _told(x: str, y: str) -> list[dict[str, Any]]:
    named = (
        ("arm", "arm"),
        ("x", x),
        ("where", "split is"),
        ("mean", y),
        ("low", "lowest seed"),
        ("high", "highest seed"),
        ("seeds", "seeds"),
    )
    return [{"field": field, "title": title} for field, title in named]


def _ground(data: Data) -> dict[str, Any] | None:
    """A pale ground under the reference, where it lies apart from what is shifted."""
    inside = [float(d["x"]) for d in data if d["where"] == "reference"]
    outside = [float(d["x"]) for d in data if d["where"] == "shifted"]
    if not inside or not outside or (max(inside) >= min(outside) and min(inside) <= max(outside)):
        return None
    below = max(inside) < min(outside)
    edge = (max(inside) + min(outside)) / 2 if below else (min(inside) + max(outside)) / 2
    ends = {"x": min(inside), "x2": edge} if below else {"x": edge, "x2": max(inside)}
    encoding = {"x": {"field": "x", "type": "quantitative"}, "x2": {"field": "x2"}}
    return {
        "data": {"values": [ends]},
        "mark": {"type": "rect", "color": NEUTRAL, "opacity": 0.12},
        "encoding": encoding,
    }


def _diamonds(
    marks: Data, place: Mapping[str, Any], value: Mapping[str, Any], shades: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The paper's numbers; those that no one arm stands for are neutral."""
    told = [{"field": "label", "title": "the paper"}, {"field": "mean", "title": "its number"}, {"field": "arm"}]
    made: list[dict[str, Any]] = []
    for own in (True, False):
        if kept := [m for m in marks if (m["arm"] in shades) == own]:
            mark = {"type": "point", "shape": "diamond", "size": 130, "strokeWidth": 2, "filled": False, "opacity": 1}
            colour = _colour(shades) if own else {}
            offset = {k: v for k, v in place.items() if k != "xOffset" or own}
            encoding = {**offset, **colour, **value, "tooltip": told}
            made.append(
                {"data": {"values": kept}, "mark": mark if own else {**mark, "color": NEUTRAL}, "encoding": encoding}
            )
    return made
