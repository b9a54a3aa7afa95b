"""When a verdict is worse than another: by hand, and against a published example."""

from __future__ import annotations

import pytest

from unseen.gate.decline import Part, difference, standings, worse


def claim(status: str, kind: str = "finding") -> Part:
    """A verdict."""
    return Part(kind, status, "says")


def score(m: float, low: float, high: float, kind: str = "shifted") -> Part:
    """A number of a card."""
    return Part(kind, "measured", "says", m, low, high, 50)


def test_square_and_add_gives_newcombes_published_interval() -> None:
    """Newcombe (1998), table II, example (a): 56/70 against 48/80, from Wilson's limits, gives 0.0524 to 0.3339."""
    a = score(48 / 80, 0.4904, 0.7004)
    b = score(56 / 70, 0.6914, 0.8773)
    assert difference(a, b) == pytest.approx((0.0524, 0.3339), abs=5e-4)


@pytest.mark.parametrize(
    ("then", "now", "fell"),
    [
        ("supported", "undecided", True), ("supported", "refuted", True), ("supported", "untested", True),
        ("undecided", "refuted", True), ("undecided", "untested", True), ("refuted", "untested", True),
        ("refuted", "undecided", False), ("untested", "refuted", False), ("undecided", "supported", False),
    ],
)  # fmt: skip
def test_statuses(then: str, now: str, fell: bool) -> None:
    assert bool(worse(claim(then), claim(now))) is fell
    told = worse(claim(then, "control"), claim(now, "control"))
    assert bool(told) is fell and ("no longer holds" in told) is (fell and then == "supported")


def test_a_score_falls_by_its_interval_only() -> None:
    then = score(0.8, 0.7, 0.9)
    assert not worse(then, score(0.7, 0.6, 0.8)), "0.14 either way"
    assert worse(then, score(0.6, 0.5, 0.7)) == "the difference is -0.2 [-0.341, -0.0586], below 0."
    assert not worse(then, score(0.6, 0.5, 0.7), 0.06) and worse(then, score(0.6, 0.5, 0.7), 0.05)
    assert "has none" in worse(then, Part("shifted", "untested", "says", why="too few items"))
    assert not worse(score(0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2), score(0.3, 0.3, 0.3)), "the last digit of a machine"


def test_a_pair_falls_when_it_is_below_the_other_model_and_was_not() -> None:
    fine, lost = score(-0.1, -0.3, 0.1, "change"), score(-0.3, -0.5, -0.1, "change")
    assert worse(fine, lost) and not worse(lost, lost) and not worse(lost, fine) and not worse(fine, lost, 0.1)


def test_a_gap_that_widened_because_the_reference_rose_is_nothing_lost() -> None:
    was = {"m/smoke/a/s/x/gap": score(0, -0.1, 0.1, "gap"), "m/smoke/a/s/x/shifted": score(0.5, 0.4, 0.6)}
    wider = score(-0.4, -0.5, -0.3, "gap")
    rose = {"m/smoke/a/s/x/gap": wider, "m/smoke/a/s/x/shifted": score(0.5, 0.4, 0.6)}
    fell = {"m/smoke/a/s/x/gap": wider, "m/smoke/a/s/x/shifted": score(0.45, 0.35, 0.55)}
    assert [s.result for s in standings(was, rose)] == ["kept", "kept"]
    assert [s.result for s in standings(was, fell)] == ["worse", "kept"]


def test_an_exception_keeps_its_reason() -> None:
    [one] = standings({"a": claim("supported")}, {"a": claim("refuted")}, allow={"a": "on purpose"})
    assert one.result == "allowed" and not one.failed and one.why.startswith("allowed: on purpose (supported became")
