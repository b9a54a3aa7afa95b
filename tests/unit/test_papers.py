"""What the gallery lists is what the studies and the ledger say, and what cannot be read does not take the rest with it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from unseen.core import find
from unseen.pages import papers

RESULTS = Path(__file__).parents[2] / "results"
OWN = Path(find.__file__).parent.parent / "studies"
FIXTURES = Path(__file__).parents[1] / "studies" / "fixtures"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's own studies alone are found."""
    monkeypatch.setattr(find, "_places", lambda: [OWN])


def verdict(claim: str, status: str, kind: str = "finding") -> dict[str, str]:
    return {"id": claim, "says": f"{claim} holds.", "kind": kind, "status": status}


def test_every_paper_is_told_once_and_in_our_own_sentences() -> None:
    told = papers.known()
    assert len(told) == 42 and [p.slug for p in told] == sorted({p.slug for p in told})
    assert len({p.arxiv for p in told}) == 42
    for p in told:
        assert re.fullmatch(r"\d{4}\.\d{5}", p.arxiv or "") and p.axes and len(set(p.axes)) == len(p.axes)
        assert p.appeared()[:4] in (str(p.year), str(p.year - 1)), p.slug
        assert p.question.count("?") == 1 and p.question.endswith("?") and p.answer.endswith("."), p.slug
        assert 40 < len(p.question) < 170 and 40 < len(p.answer) < 190, p.slug


def test_studies_say_of_themselves_what_the_list_says_of_them(own: None) -> None:
    told = {p.slug: p for p in papers.known()}
    assert set(find.slugs()) <= set(told)
    for slug in find.slugs():
        study, paper = find.study(slug), told[slug]
        assert (study.paper.title, study.paper.year, study.paper.arxiv) == (paper.title, paper.year, paper.arxiv)
        assert study.axes == paper.axes


def test_the_catalogue_counts_what_the_ledger_holds(own: None) -> None:
    listed = {p.slug: p for p in papers.catalogue(RESULTS)}
    assert len(listed) == 42 and {s for s, p in listed.items() if p.built} == set(find.slugs())
    for path in RESULTS.glob("*/*.json"):
        held = json.loads(path.read_text())
        [strip] = [s for s in listed[path.parent.name].strips if s.tier == path.stem]
        by_hand = Counter(v["status"] for v in held["verdicts"] if v["kind"] == "finding")
        assert dict(strip.counted()) == by_hand and len(strip.dots()) == by_hand.total() and not strip.older


def test_papers_still_to_come_are_said_to_be(own: None, tmp_path: Path) -> None:
    listed = {p.slug: p for p in papers.catalogue(tmp_path)}
    assert listed["reft"].statuses() == ["not yet implemented"] and not listed["reft"].built
    assert listed["omega"].statuses() == ["untested"] and listed["omega"].decided() == 0
    page = papers.page(tuple(listed.values()))
    assert page.count("not yet implemented") == 2 * 24 + 1 and page.count('<li class="paper') == 42


def test_the_store_is_counted_and_only_finished_trials(own: None, tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / "trials" / "omega" / f"{i}").mkdir(parents=True)
        if i:
            (tmp_path / "trials" / "omega" / f"{i}" / "trial.json").write_text("{}")
    assert papers.counts(tmp_path) == {"omega": 2} and papers.counts(tmp_path / "none") == {} == papers.counts(None)
    listed = {p.slug: p for p in papers.catalogue(tmp_path, tmp_path)}
    assert listed["omega"].trials == 2 and listed["only_if"].trials == 0
    assert "2 trials in your store" in papers.page(tuple(listed.values()))


def test_a_damaged_ledger_and_a_broken_study_are_listed_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "studies"
    for slug in ("echo", "omega", "only_if"):
        shutil.copytree(FIXTURES / "echo", place / slug)
    (place / "only_if" / "study.py").write_text("def <script>")
    monkeypatch.setattr(find, "_places", lambda: [place])
    for slug, text in (("omega", "{"), ("reft", "[]"), ("only_if", json.dumps({"verdicts": [{"id": 1}]}))):
        (tmp_path / "results" / slug).mkdir(parents=True)
        (tmp_path / "results" / slug / "laptop.json").write_text(text)
    held = {"version": 99, "minutes": 1, "recorded": "2026-01-02", "verdicts": [verdict("C1", "refuted"), verdict("K1", "supported", "control")]}  # fmt: skip
    (tmp_path / "results" / "echo").mkdir()
    (tmp_path / "results" / "echo" / "laptop.json").write_text(json.dumps(held))
    listed = {p.slug: p for p in papers.catalogue(tmp_path / "results")}
    assert len(listed) == 43 and listed["echo"].built and listed["echo"].question.endswith("?")
    assert listed["echo"].statuses() == ["refuted"] and listed["echo"].strips[0].older
    assert not listed["omega"].strips and "study.py" in listed["only_if"].broken and not listed["only_if"].strips
    page = papers.page(tuple(listed.values()))
    assert "It cannot be read" in page and "of an older version" in page and "<script>" not in page
    assert "cannot be read" in papers.coming(listed["only_if"], ())


def test_sheets_tell_question_and_answer() -> None:
    sheet = "# Title\n\n**Question.** Does it *work*\nfar away? The paper's answer: yes,\nit does.\n\n**Method.** None."
    assert papers.told(sheet) == ("Does it work far away?", "yes, it does.")
    assert papers.told("# Nothing\n\nProse.") == ("", "")


def test_words_of_a_study_cannot_leave_their_place() -> None:
    wicked = '"><script>window.hacked=1</script><!--live-->\u202e'
    paper = papers.Listed(
        "x", wicked, 2024, "2401.00001", (wicked,), wicked, wicked, True, 1,
        (papers.Strip("laptop", (papers.Found(wicked, wicked, "finding", "refuted"),), 1.0, "2026-01-01"),),
    )  # fmt: skip
    for page in (papers.page([paper]), papers.coming(paper, [paper])):
        assert "<script>window" not in page and "&lt;script&gt;" in page
        assert page.count("<!--live-->") == page.count("<!--/live-->")
