"""Any verdicts survive the history, whatever is torn off its end and whoever else writes."""

from __future__ import annotations

import multiprocessing
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core import find, history
from unseen.core.card import Card, Interval, Profile
from unseen.core.claim import Verdict
from unseen.core.ledger import Judged
from unseen.core.record import Records

SLUG = "grokked_transformers"
numbers = st.floats(allow_nan=True, allow_infinity=True)
verdicts = st.builds(
    lambda status, estimate, why: (status, estimate, why),
    st.sampled_from(["supported", "refuted", "undecided", "untested"]),
    numbers,
    st.text(max_size=20),
)


def judged(status: str, estimate: float, why: str = "") -> Judged:
    """A study with one verdict, in any words."""
    study = find.study(SLUG)
    one = Verdict(replace(study.claims[0], says=why or "It holds."), "laptop", status, estimate=estimate, why=why)  # type: ignore[arg-type]
    return Judged(SLUG, study, "laptop", (), Records.of([]), (one,))


@settings(deadline=None, max_examples=25)
@given(st.lists(verdicts, min_size=1, max_size=6), st.integers(0, 400))
def test_histories_round_trip_and_a_torn_end_costs_one_line(told: list[tuple[str, float, str]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        added = sum(history.note_verdicts(root, judged(*one)) for one in told)
        found = history.verdicts(root)
        assert len(found) == added
        assert (found[-1].now.status, found[-1].now.why) == (told[-1][0], told[-1][2])
        assert all(later.before == earlier.now for earlier, later in pairwise(found))
        for change in found:
            if change.before is not None:
                assert str(change.before) != str(change.now), "unchanged findings are not written"
        (path,) = root.rglob("*.jsonl")
        content = path.read_bytes()
        last = content[:-1].rfind(b"\n") + 1
        path.write_bytes(content[: max(last, len(content) - 1 - cut)])
        assert [str(c) for c in history.verdicts(root)] == [str(c) for c in found[:-1]]
        history.note_verdicts(root, judged("untested", -1.0, "after the kill"))
        assert history.verdicts(root)[-1].now.why == "after the kill"


names = st.text(max_size=30)


@settings(deadline=None, max_examples=25)
@given(names, st.lists(numbers, min_size=1, max_size=4), st.dictionaries(names, st.text(max_size=8), max_size=2))
def test_cards_of_any_model_round_trip(model: str, gaps: list[float], sweep: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for value in gaps:
            one = Interval(value, value, float("nan"))
            made = Card(
                model, "smoke", {"length": [Profile("omega", "length", "exact", 0.0, one, one, one, 3, "twin")]}
            )
            history.note_card(root, made, sweep)
        (series,) = history.cards(root)
        assert series.model == model and dict(series.newest.sweep) == sweep and 1 <= len(series.cards) <= len(gaps)
        last = gaps[-1]
        wanted = last if abs(last) < float("inf") else float("nan")
        assert str(series.newest.card.axes["length"][0].gap.estimate) == str(wanted)


def _writer(root: Path, who: int, n: int) -> None:
    for i in range(n):
        history.note_verdicts(root, judged("supported", who + i / 1000, "x" * 3000))


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    context: Any = multiprocessing.get_context("spawn")
    at_once = [context.Process(target=_writer, args=(tmp_path, who, 40)) for who in (1, 2)]
    for one in at_once:
        one.start()
    for one in at_once:
        one.join(60)
        assert one.exitcode == 0
    found = {round(c.now.estimate, 3) for c in history.verdicts(tmp_path)}
    assert found == {round(who + i / 1000, 3) for who in (1, 2) for i in range(40)}
