"""Trials in plain words, and folders in pieces, there and back; also those that a hostile worker would send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unseen.core.errors import Damaged
from unseen.core.pools import parcel
from unseen.core.pools.parcel import packed, pieces, unfolded, unpacked
from unseen.driver import ask, trials_of


def test_a_trial_is_the_same_after_its_journey_through_json() -> None:
    for trial in trials_of(ask("length_generalization", "smoke")):
        back = unpacked(json.loads(json.dumps(packed(trial))))
        assert back == trial and back.key == trial.key


def test_a_folder_arrives_whole_and_the_file_that_makes_it_one_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "PIECE", 4)
    at, to = tmp_path / "at", tmp_path / "to"
    (at / "files").mkdir(parents=True)
    told = {"a.bin": b"0123456789", "files/empty": b"", "files/ü.txt": b"1234", "trial.json": b"{}"}
    for name, content in told.items():
        (at / name).write_bytes(content)
    to.mkdir()
    (to / "old").write_text("of another attempt")
    sent = list(pieces(at))
    assert [name for name, _ in sent][-1] == "trial.json" and max(len(c) for _, c in sent) == 4
    unfolded(((name, lambda content=content: content) for name, content in sent), to)
    assert {p.relative_to(to).as_posix(): p.read_bytes() for p in to.rglob("*") if p.is_file()} == told


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", ""])
def test_a_name_that_leads_outside_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="lies outside its folder"):
        unfolded([(name, lambda: b"x")], tmp_path / "in" / "to")
    assert not list(tmp_path.rglob("out"))
