"""New papers are ranked by how near they are to ours and to starred ones, and it is said why."""

from __future__ import annotations

from collections.abc import Sequence

import listings
import numpy as np
import pytest
from numpy.typing import NDArray

from unseen.core.errors import Missing
from unseen.news import listing, nearness
from unseen.news.listing import Entry
from unseen.news.nearness import Known

pytest.importorskip("bm25s")
pytest.importorskip("feedparser")

ENTRIES = listing.parsed(listings.atom(), "a file").entries
KNOWN = [
    Known("addition", "Adding", "addition of long numbers with hints, length generalization", ("length",)),
    Known("skills", "Skills", "composing skills from examples in texts", ("composition",)),
    Known("stars", "Stars", "galaxies and their rotation curves", ("sky",)),
]


def test_the_nearest_come_first_and_it_is_said_why() -> None:
    found = nearness.ranked(ENTRIES, KNOWN[:2], sentences=False)
    assert {n.entry.arxiv for n in found[:2]} == {"2511.00101", "2511.00103"} and found[0].closeness == 1.0
    by_number = {n.entry.arxiv: n for n in found}
    one = by_number["2511.00101"]
    assert one.nearest.name == "addition" and {"addition", "hint"} <= set(one.words) and not one.starred
    assert one.why().startswith("near to Adding (addition): ") and by_number["2511.00102"].closeness < one.closeness / 2


def test_a_share_is_the_score_of_a_paper_over_that_of_the_entry_itself() -> None:
    """An entry that is one of the papers word for word is as near as can be, whatever the lengths."""
    same = Entry("2511.1", "composing skills", "from examples in texts", (), 2025, "", ())
    shares, words = nearness._shares([same, *ENTRIES], KNOWN)
    assert shares[0, 1] == pytest.approx(1.0) and shares.argmax(1)[0] == 1 and shares.max() <= 1.0 + 1e-9
    assert set(words(0, 1)) <= {"composing", "skill", "example", "text"} and words(0, 2) == ()
    doubled = Entry("2511.2", "composing skills composing skills", "from examples in texts " * 2, (), 2025, "", ())
    again, _ = nearness._shares([doubled, *ENTRIES], KNOWN)
    assert np.argsort(-again[0]).tolist()[0] == 1


def test_stars_move_papers_up() -> None:
    plain = [n.entry.arxiv for n in nearness.ranked(ENTRIES, KNOWN, sentences=False)]
    starred = nearness.ranked(ENTRIES, KNOWN, {"stars"}, sentences=False)
    assert starred[0].entry.arxiv == "2511.00102" and starred[0].starred and "stars, starred" in starred[0].why()
    assert plain.index("2511.00102") >= [n.entry.arxiv for n in starred].index("2511.00102")


def test_papers_that_are_known_are_no_news() -> None:
    known = [Known("2511.00101", "One", "addition", arxiv="2511.00101")]
    assert "2511.00101" not in {n.entry.arxiv for n in nearness.ranked(ENTRIES, known, sentences=False)}
    assert nearness.ranked([], KNOWN) == [] and nearness.ranked(ENTRIES, []) == []
    empty = Entry("2511.00999", "的", "", (), 2025, "", ())
    assert nearness.ranked([empty], [Known("x", "X", "")], sentences=False)[0].words == ()


def test_our_own_papers_are_all_there_and_tell_axes() -> None:
    ours = nearness.ours()
    assert len(ours) == 42 and len({k.name for k in ours}) == 42
    near = {n.entry.arxiv: n for n in nearness.ranked(ENTRIES, ours, sentences=False)}
    assert near["2511.00101"].nearest.name in ("length_generalization", "task_hinting")
    assert near["2511.00103"].nearest.name in ("skill_composition", "skills_in_context")
    assert "length" in nearness.axes_of(ENTRIES[0], ours) and "composition" in nearness.axes_of(ENTRIES[2], ours)


class Skies:
    """A model of sentences for which a text is about the sky, or about numbers."""

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float64]:
        sky = np.array([float(any(w in t.lower() for w in ("galax", "stellar"))) for t in texts])
        return np.stack([sky, 1 - sky], axis=1)


def test_meaning_counts_where_a_model_of_sentences_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.models.sentences.open", lambda name: Skies())
    told = [Known("sums", "Sums", "arithmetic of big integers"), Known("sky", "Sky", "astronomy of stellar systems")]
    found = {n.entry.arxiv: n for n in nearness.ranked(ENTRIES, told)}
    assert found["2511.00102"].nearest.name == "sky" and found["2511.00102"].words == ()
    assert found["2511.00102"].why() == "near to Sky (sky): its meaning"

    def absent(name: str) -> Skies:
        raise Missing(f"{name} is not installed")

    monkeypatch.setattr("unseen.models.sentences.open", absent)
    assert not any(n.meaning for n in nearness.ranked(ENTRIES, told)), "words alone, then"
