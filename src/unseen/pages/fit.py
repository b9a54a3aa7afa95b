"""What did a tuning do to the rows that were watched? Two curves over its steps on one page, with no script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unseen.fitting import Fitted
from unseen.measures.parting import SIDES, spread

from . import charts

MEASURES = {"exact": "right answers", "surprise": "nats a token"}


def write(fitted: Fitted, path: Path) -> Path:
    """Write the page; its path."""
    path.write_text(html(fitted), encoding="utf-8")
    return path


def html(fitted: Fitted) -> str:
    """The page: what was asked, both curves, where they part, and the numbers."""
    from . import report

    found = fitted.parting
    return (
        report.environment()
        .get_template("fit.html")
        .render(
            title=f"{fitted.order.model}, tuned on {Path(fitted.order.train).name}",
            name=fitted.name,
            lead=found.words() if found else "",
            asked=_asked(fitted),
            picture=_picture(fitted) if len(fitted.looks) > 1 else "",
            heads=[f"{side}, {words}" for words in MEASURES.values() for side in _sides(fitted)],
            rows=_rows(fitted),
            notes=fitted.notes,
            css=report.css(),
            version=report.version(),
            when=report.now(),
        )
    )


def _sides(fitted: Fitted) -> list[str]:
    return [s for s in SIDES if fitted.looks and s in fitted.looks[0].each]


def _asked(fitted: Fitted) -> list[tuple[str, str]]:
    """What was asked, as names and values."""
    order = fitted.order
    files = [(k, v) for k in ("train", "reference", "shifted") if (v := getattr(order, k)) is not None]
    recipe = [(k, str(v)) for k, v in order.to_json()["recipe"].items()]
    return [("model", order.pin), *files, ("rows", f"{fitted.rows:,}"), *recipe]


def _picture(fitted: Fitted) -> str:
    """Both measures as panels of one SVG."""
    import vl_convert

    shades = charts.colours(SIDES)
    panels: list[tuple[str, dict[str, Any]]] = []
    for measure, words in MEASURES.items():
        data = [
            {"arm": side, "x": look.step, "where": side, "mean": mean, "low": low, "high": high, "seeds": 1}
            for side in _sides(fitted)
            for look in fitted.looks
            for mean, low, high in [spread(look.each[side][measure])]
        ]
        panels.append((words, charts.lines(data, [], charts.axes("step", words, data, []), shades, training=True)))
    return vl_convert.vegalite_to_svg(charts.poster(panels, shades))


def _rows(fitted: Fitted) -> list[list[str]]:
    """A line a look: its step, and every mean with its interval."""
    return [
        [str(look.step), *("{:.3f} [{:.3f}, {:.3f}]".format(*spread(look.each[s][m])) for m in MEASURES for s in _sides(fitted))]
        for look in fitted.looks
    ]  # fmt: skip
