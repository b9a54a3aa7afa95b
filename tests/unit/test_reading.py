"""Stars and what was sent are kept, whatever their words, and a damaged file is told or does no harm."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import Damaged, Mistake
from unseen.news import reading
from unseen.news.reading import Sent, Star

NOW = datetime(2026, 11, 27, 9, 30, 0, 123456, tzinfo=UTC)


def test_stars_are_kept_once_and_a_title_learned_later_is_added(tmp_path: Path) -> None:
    path = tmp_path / "new" / "stars.toml"
    assert reading.stars(path) == []
    reading.star(path, [Star("2511.00101"), Star("omega", 'OMEGA: "Can" \\ LLMs\n\x1b 中 🐍?')])
    reading.star(path, [Star("omega")])
    found = reading.star(path, [Star("2511.00101", "Length")])
    assert (
        found
        == reading.stars(path)
        == [Star("2511.00101", "Length"), Star("omega", 'OMEGA: "Can" \\ LLMs\n\x1b 中 🐍?')]
    )
    path.write_text("[[stars]\n")
    with pytest.raises(Damaged, match="star papers again"):
        reading.stars(path)
    with pytest.raises(Damaged):
        reading.star(path, [Star("omega")])
    assert path.read_text() == "[[stars]\n", "what cannot be read is not written over"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_as_toml(text: str) -> None:
    assert tomllib.loads(f"a = {reading._quoted(text)}")["a"] == text


def test_what_was_sent_is_remembered_of_each_target(tmp_path: Path) -> None:
    assert reading.sent(tmp_path) == {}
    reading.remember(tmp_path, "file me", Sent(NOW, ("2511.00101",), ("study/a",)))
    reading.remember(tmp_path, "file me", Sent(NOW + timedelta(days=1), ("2511.00103", "2511.00101"), ("study/b",)))
    reading.remember(tmp_path, "file team", Sent(NOW))
    found = reading.sent(tmp_path)
    assert found["file me"] == Sent(NOW + timedelta(days=1), ("2511.00101", "2511.00103"), ("study/b",))
    assert found["file team"] == Sent(NOW)
    path = tmp_path / "digest" / "sent.json"
    path.write_text(
        '{"file me": {"sent": "yesterday"}, "x": 3, "file team": {"sent": "2026-11-27T00:00:00+01:00", "papers": [], "ledger": []}}'
    )
    assert {k: v.when.hour for k, v in reading.sent(tmp_path).items()} == {"file team": 23}
    path.write_text("{torn")
    assert reading.sent(tmp_path) == {}
    reading.remember(tmp_path, "file me", Sent(NOW))
    assert list(reading.sent(tmp_path)) == ["file me"]


def test_a_memory_that_cannot_be_written_is_a_paragraph(tmp_path: Path) -> None:
    (tmp_path / "digest").write_text("a file where a folder should be")
    with pytest.raises(Mistake, match="cannot be written while remembering what was sent"):
        reading.remember(tmp_path, "file me", Sent(NOW))
