"""Small drawings: numbers where they belong, nothing where there is nothing."""

from __future__ import annotations

import re
from math import inf, nan

import pytest

from unseen.core.card import Interval
from unseen.core.claim import Claim, Region, Verdict, above, below, between, level
from unseen.pages import glyphs


def drawn(estimate: float, low: float, high: float, region: Region) -> str:
    """The glyph of a verdict with these numbers."""
    claim = Claim("C1", "says", reported="", source="paper", effect=level("exact"), expect=region)
    return glyphs.interval(Verdict(claim, "laptop", "supported", estimate=estimate, low=low, high=high))


def places(svg: str, pattern: str) -> list[float]:
    """The first numbers of what matches."""
    return [float(x) for x in re.findall(pattern, svg)]


def test_a_fraction_lies_on_its_whole_scale() -> None:
    svg = drawn(0.75, 0.5, 1.0, above(0.5))
    inner = glyphs.WIDTH - 2 * glyphs.EDGE
    assert places(svg, r'<circle cx="([\d.]+)"') == [glyphs.EDGE + 0.75 * inner]
    assert places(svg, r'<rect x="([\d.]+)"') == [glyphs.EDGE + 0.5 * inner]
    assert places(svg, r'<rect x="[\d.]+" y="3" width="([\d.]+)"') == [0.5 * inner]
    assert re.findall(r"<text[^>]*>([^<]+)<", svg) == ["0.5", "0", "1"]


def test_a_small_effect_is_looked_at_closely() -> None:
    svg = drawn(-0.042, -0.049, -0.035, above(0.0))
    (dot,) = places(svg, r'<circle cx="([\d.]+)"')
    (start,) = places(svg, r'<rect x="([\d.]+)"')
    left, right = places(svg, r'<line x1="([\d.]+)" x2="[\d.]+" y1="15"')[0], places(svg, r'x2="([\d.]+)" y1="15"')[0]
    assert left < dot < right < start, "the interval can be told from the edge it does not reach"
    assert right - left > 20


@pytest.mark.parametrize(
    ("numbers", "region"),
    [((0.5, -inf, inf), above(0.1)), ((3.0, 3.0, 3.0), below(2)), ((0.0, 0.0, 0.0), between(0, 1)), ((1e9, 1e8, inf), above(0)), ((0.2, nan, nan), above(0.1))],
)  # fmt: skip
def test_extremes_stay_inside_the_frame(numbers: tuple[float, float, float], region: Region) -> None:
    svg = drawn(*numbers, region)
    found = places(svg, r'(?:x|cx|x1|x2)="(-?[\d.]+)"')
    assert found and all(0 <= x <= glyphs.WIDTH for x in found) and "nan" not in svg.split("</title>")[1]


def test_no_number_no_drawing() -> None:
    nothing = Interval(nan, nan, nan)
    assert drawn(nan, nan, nan, above(0)) == "" and glyphs.curve([("a", nan, 1)]) == ""
    assert glyphs.scores(nothing, nothing, 0.0) == ""


def test_scores_show_reference_shifted_and_chance() -> None:
    svg = glyphs.scores(Interval(0.9, 0.8, 1.0), Interval(0.4, 0.3, 0.5), 0.25)
    inner = glyphs.WIDTH - 2 * glyphs.EDGE
    assert places(svg, r'<circle cx="([\d.]+)"') == [glyphs.EDGE + 0.9 * inner, glyphs.EDGE + 0.4 * inner]
    assert f'x1="{glyphs.EDGE + 0.25 * inner}"' in svg and "reference 0.90 [0.80, 1.00]" in svg


def test_names_are_escaped() -> None:
    svg = glyphs.curve([("<script>", 0.5, 3), ("b", 1.0, 3)])
    assert "<script>" not in svg and "&lt;script&gt;" in svg


def test_numbers_in_words() -> None:
    assert [glyphs.number(v) for v in (None, nan, inf, -inf, -0.5, 0.12345)] == ["–", "–", "∞", "−∞", "−0.5", "0.123"]
    assert [glyphs.chances(p) for p in (1e-9, 0.0123456, 1.0)] == ["below 0.0001", "0.0123", "1"]
