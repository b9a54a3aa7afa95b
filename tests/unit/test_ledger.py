"""The ledger takes a study's own, whole, current results, and gives back what it was given."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from unseen import driver
from unseen.core import ledger
from unseen.core.claim import judge_study
from unseen.core.errors import Damaged, Invalid, Missing, Mistake
from unseen.core.ledger import Judged


@pytest.fixture
def judged(shelf: Path) -> Judged:
    """The study of the fault tests, measured and judged."""
    asked = driver.ask("kept_rows", "smoke")
    driver.measure(asked)
    return driver.judge(asked)


def test_what_is_written_is_read_and_judged_alike(judged: Judged, tmp_path: Path) -> None:
    root = tmp_path / "results"
    written = ledger.write(judged, root)
    assert [p.name for p in written] == ["smoke.json", "smoke.parquet"] and ledger.kept(root) == [
        ("kept_rows", "smoke")
    ]
    told, records = ledger.read(root, "kept_rows", "smoke")
    assert set(records.column("measure")) == {"sum"}  # what claims read, no more
    (claim,) = told["verdicts"]
    again = judge_study(judged.study, records, "smoke")[0]
    assert (claim["status"], claim["estimate"]) == (again.status, pytest.approx(again.estimate, abs=1e-9))
    assert claim["id"] == "C1" and claim["says"] and told["version"] == 1 and len(told["trials"]) == 6
    assert told["damaged"] == {} and told["exploratory"] is False and told["seeds"] == [0, 1, 2]


def test_items_enter_where_a_claim_reads_them(judged: Judged, tmp_path: Path) -> None:
    from unseen.core.claim import above, level

    claim = replace(judged.study.claims[0], effect=level("hit", shifted=True, name="a"), expect=above(0.1), unit="item")
    hits = replace(judged, study=replace(judged.study, claims=(claim,)))
    written = ledger.write(hits, tmp_path)
    assert [p.name for p in written] == ["smoke.json", "smoke.parquet", "smoke.items.parquet"]
    _, records = ledger.read(tmp_path, "kept_rows", "smoke")
    assert len(records.items) == len(judged.records.items.where(measure="hit")) > 0
    ledger.write(judged, tmp_path)
    assert not (tmp_path / "kept_rows" / "smoke.items.parquet").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda j: replace(j, exploratory=True), "exploratory and never enter"),
        (lambda j: replace(j, absent=j.trials[:2]), "2 of 6 trials are not measured"),
        (lambda j: replace(j, stale=["abc"]), "abc were measured by older code"),
    ],
)
def test_what_must_not_enter_is_refused(
    spoil: Callable[[Judged], Judged], says: str, judged: Judged, tmp_path: Path
) -> None:
    with pytest.raises(Mistake, match=says):
        ledger.write(spoil(judged), tmp_path)
    assert ledger.kept(tmp_path) == []


def test_a_table_that_is_too_large_is_refused(judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "LARGEST", 100)
    with pytest.raises(Invalid, match="the ledger takes 100 at most"):
        ledger.write(judged, tmp_path)


def test_what_is_not_there_or_spoilt(judged: Judged, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"unseen judge kept_rows --tier smoke --record"):
        ledger.read(tmp_path, "kept_rows", "smoke")
    ledger.write(judged, tmp_path)
    for name in ("smoke.parquet", "smoke.json"):
        (tmp_path / "kept_rows" / name).write_text("{")
        with pytest.raises(Damaged, match="record the study again"):
            ledger.read(tmp_path, "kept_rows", "smoke")


def test_verdicts_are_plain_json(judged: Judged) -> None:
    told = json.loads(json.dumps(judged.to_json(), allow_nan=False))
    assert told["verdicts"][0]["effect"] == str(judged.study.claims[0].effect)
    endless = replace(judged.verdicts[0], low=float("-inf"), high=float("inf"))
    assert ledger.verdict_json(endless)["high"] is None is ledger.verdict_json(endless)["low"]
