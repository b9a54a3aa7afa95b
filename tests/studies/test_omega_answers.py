"""The reader of models' answers: odd answers written by hand, and every kind of answer there and back again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.studies.omega import expressions
from unseen.studies.omega.answers import canonical, mentions, read, right
from unseen.studies.omega.problem import KINDS, Kind, decimal, listed

TABLE = Path(__file__).parent / "omega_answers.txt"
ODD = [line.split(" | ", 2) for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
FEW = settings(max_examples=60, deadline=None)
WHOLE = st.integers(-(10**12), 10**12)
FRACTIONS = st.builds(Fraction, st.integers(-(10**6), 10**6), st.integers(1, 10**4))


def test_the_table_is_long_enough() -> None:
    assert len(ODD) >= 200 and {kind for kind, *_ in ODD} == set(KINDS)


@pytest.mark.parametrize(("kind", "wanted", "text"), ODD)
def test_odd_answers(kind: Kind, wanted: str, text: str) -> None:
    found = read(text.replace("\\n", "\n"), kind)
    expected = None if wanted == "-" else wanted if kind == "text" else tuple(map(Fraction, wanted.split(", ")))
    assert found == expected


BEHIND = ("{}", "\\boxed{{{}}}", "$\\boxed{{{}}}$", "The answer is {}.", "**Answer:** {}", "#### {}", "We have 3 of 7.\n\nFinal answer: {}", "<think>\\boxed{{1}}</think>The final answer is $\\boxed{{{}}}$.")  # fmt: skip


def everywhere(answer: str, truth: str, kind: Kind) -> None:
    """The answer is read as the truth wherever it stands."""
    for behind in BEHIND:
        assert right(behind.format(answer), truth, kind), (behind, answer, truth)


@FEW
@given(WHOLE)
def test_integers(n: int) -> None:
    for told in (str(n), f"{n:,}", f"{n:,}".replace(",", "{,}"), f"{n:,}".replace(",", "\\,"), f"{n}.0", f"x = {n}", f"{n} \\text{{ cm}}", str(n).replace("-", "−")):  # fmt: skip
        everywhere(told, str(n), "integer")
    assert not right(str(n + 1), str(n), "integer")


@FEW
@given(FRACTIONS)
def test_fractions(x: Fraction) -> None:
    sign, a, b = "-" if x < 0 else "", abs(x.numerator), x.denominator
    for told in (str(x), f"{sign}\\frac{{{a}}}{{{b}}}", f"\\dfrac{{{sign}{a}}}{{{b}}}", f"{sign}{a} / {b}", f"{sign}\\frac{{{3 * a}}}{{{3 * b}}}", f"p = {x}"):  # fmt: skip
        everywhere(told, str(x), "fraction")
    if a > b > 1:
        everywhere(f"{sign}{a // b}\\frac{{{a % b}}}{{{b}}}", f"{sign}{a}/{b}", "fraction")
    assert not right(str(x + 1), str(x), "fraction")


@FEW
@given(st.integers(-(10**7), 10**7), st.integers(1, 4))
def test_decimals(n: int, places: int) -> None:
    x = Fraction(n, 10**places)
    told = decimal(x, places)
    for one in (told, f"\\approx {told}", f"{told} \\text{{ units}}^2", f"x ≈ {told}"):
        everywhere(one, told, "decimal")
    assert right(decimal(x + Fraction(1, 100), 6), told, "decimal")  # on the edge of the tolerance
    assert not right(decimal(x + Fraction(11, 1000), 6), told, "decimal")


@FEW
@given(st.lists(st.one_of(st.integers(-(10**6), 10**6).map(Fraction), FRACTIONS), min_size=1, max_size=6, unique=True))
def test_lists(values: list[Fraction]) -> None:
    truth = listed(sorted(values))
    latex = [str(v) if v.denominator == 1 else f"\\frac{{{v.numerator}}}{{{v.denominator}}}" for v in values]
    for told in (truth, listed(values), f"[{truth}]", f"\\{{{', '.join(latex)}\\}}", "; ".join(map(str, values)), ", ".join(f"x = {v}" for v in values)):  # fmt: skip
        everywhere(told, truth, "list")
    assert not right(listed([*values, max(values) + 1]), truth, "list")


@FEW
@given(st.from_regex(r"[b-z][a-z]{2,8}( [b-z][a-z]{2,8})?", fullmatch=True).filter(lambda w: not w.startswith(("the ", "an "))))  # fmt: skip
def test_texts(word: str) -> None:
    for told in (word, word.upper(), f"\\text{{{word}}}", f'"{word}"'):
        assert right(f"\\boxed{{{told}}}", word, "text")
        assert right(f"The answer is {told}.", word, "text")
    assert not right(f"{word}x", word, "text")


@FEW
@given(st.text(max_size=200), st.sampled_from(KINDS))
def test_nothing_is_raised_whatever_is_said(text: str, kind: Kind) -> None:
    read(text, kind)
    read(f"\\boxed{{{text}", kind)
    mentions(text, "7", kind)


@pytest.mark.parametrize("text", ["9" * 5_000, "2^" * 400 + "2", "9^9^9^9", "1e999", "(" * 3_000, "100!!!!", "\\frac{" * 500])  # fmt: skip
def test_what_is_too_large_is_no_answer_and_takes_no_time(text: str) -> None:
    for kind in KINDS:
        read(f"\\boxed{{{text}}}", kind)
        read(text, kind)


def test_expressions() -> None:
    assert expressions.value("2\\sqrt{9} - 3!") == 0
    assert expressions.value("\\frac{1}{2}(3 + 5)") == 4
    assert expressions.value("-2^2") == -4 and expressions.value("(-2)^2") == 4
    assert expressions.value("banana") is None and expressions.value("1/0") is None
    assert float(expressions.value("2\\pi") or 0) == pytest.approx(6.283185307)


def test_what_is_right_is_found_in_wrong_texts() -> None:
    assert mentions("It is 12. Or rather 13.", "12", "integer") and not mentions("It is 120.", "12", "integer")
    assert mentions("x = 1/2, so 2", "1/2", "fraction") and mentions("first 3.14", "3.14", "decimal")
    assert mentions("either red or blue", "red", "text") and mentions("2, 3\nno: 2, 5", "2, 3", "list")
    assert canonical("2, 1/3", "list") == (2, Fraction(1, 3)) and canonical("", "list") == ()
