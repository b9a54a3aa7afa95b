"""What holds of every gate: worse is a strict partial order, and what stayed as it was never falls."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.gate.decline import CLAIMS, RANKS, Part, better, difference, standings, worse

UNHURRIED = settings(deadline=None, max_examples=300)
MARGINS = st.sampled_from([0.0, 0.02, 0.3])


def claims(kind: str) -> st.SearchStrategy[Part]:
    """Verdicts of one claim."""
    return st.sampled_from(sorted(RANKS)).map(lambda status: Part(kind, status, "says"))


@st.composite
def scores(draw: st.DrawFn, kind: str) -> Part:
    """One number of a card, with any limits around it, or with none."""
    if draw(st.integers(0, 9)) == 0:
        return Part(kind, "untested", "says")
    m = draw(st.floats(-1, 1))
    down, up = draw(st.floats(0, 0.5)), draw(st.floats(0, 0.5))
    return Part(kind, "measured", "says", m, m - down, m + up, 10)


def threes() -> st.SearchStrategy[tuple[Part, Part, Part]]:
    """Three states of one thing."""
    kinds = [claims(k) for k in CLAIMS] + [scores(k) for k in ("reference", "shifted", "gap", "change")]
    return st.one_of([st.tuples(k, k, k) for k in kinds])


@UNHURRIED
@given(threes(), MARGINS)
def test_worse_is_a_strict_partial_order(three: tuple[Part, Part, Part], margin: float) -> None:
    a, b, c = three
    assert not worse(a, a, margin), "nothing is worse than itself"
    assert not (worse(a, b, margin) and worse(b, a, margin)), "of two, one at most is worse"
    if worse(a, b, margin) and worse(b, c, margin):
        assert worse(a, c, margin), "what fell twice fell"
    assert not (worse(a, b, margin) and better(a, b, margin))


@UNHURRIED
@given(st.lists(st.one_of([claims(k) for k in CLAIMS] + [scores(k) for k in ("shifted", "gap", "change")])), MARGINS)
def test_what_is_as_it_was_never_falls(parts: list[Part], margin: float) -> None:
    held = {f"echo/laptop/{i}": p for i, p in enumerate(parts)}
    assert [s.result for s in standings(held, held, margin=margin)] == ["kept"] * len(held)


@UNHURRIED
@given(threes(), MARGINS)
def test_a_wider_margin_never_makes_a_gate_fall(three: tuple[Part, Part, Part], margin: float) -> None:
    a, b, _ = three
    if a.kind != "change" and not worse(a, b, margin):
        assert not worse(a, b, margin + 0.1)


@UNHURRIED
@given(scores("shifted"), scores("shifted"))
def test_an_estimate_alone_is_nothing(a: Part, b: Part) -> None:
    """Where either interval holds the other's estimate, the difference cannot be told from 0."""
    if a.status == b.status == "measured":
        low, high = difference(a, b)
        assert low <= b.estimate - a.estimate <= high
        if a.low <= b.estimate <= a.high or b.low <= a.estimate <= b.high:
            assert not worse(a, b)


@UNHURRIED
@given(st.dictionaries(st.sampled_from("abcd"), claims("finding"), max_size=4), st.data())
def test_what_vanished_is_missing_and_what_is_new_never_fails(was: dict[str, Part], data: st.DataObject) -> None:
    now = data.draw(st.dictionaries(st.sampled_from("abcdef"), claims("finding"), max_size=6))
    found = {s.id: s for s in standings(was, now)}
    assert set(found) == set(was) | set(now)
    assert {i for i, s in found.items() if s.result == "missing"} == set(was) - set(now)
    assert not any(found[i].failed for i in set(now) - set(was))
