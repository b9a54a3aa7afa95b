"""CommaQA: facts are read whole, chains are followed rightly, and released answers are those that our solutions reach."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.tasks import commaqa, made_up
from unseen.tasks.commaqa import COMPGEN, IID, Twin, halves, orders, own_form, plan, problem, unseen
from unseen.tasks.made_up import HOPS, Fact, looked_up, read

PASSAGE = (
    "movie: Riften ; directed by: Muntaril. movie: Skob ; director: Flumph. movie: Riften ; awarded: Handt. "
    "movie: Skob ; award: Jubeus. Muntaril wrote for the movie Skob. Flumph was one of the writers for the movie Riften. "
    "movie: Riften ; release year: 1972. movie: Skob ; year: 1962. Flumph acted in the movie Riften. "
    "Muntaril was an actor in the movie Riften. Muntaril was born in the year 1921. Flumph was born in 1938. "
    "Muntaril is from the country of Whime. Flumph grew up in the nation of Whime. award: Lidus ; winner: Muntaril. "
    "Diaqum was awarded to Flumph. Flumph produced the movie Skob with others. "
    "Muntaril was one of the producers of the movie Riften."
)


def test_every_wording_is_read_as_its_fact() -> None:
    facts = read(PASSAGE).facts
    assert len(facts) == 18
    assert Fact("born", "Muntaril", "1921") in facts and Fact("born", "Flumph", "1938") in facts
    assert Fact("person_award", "Muntaril", "Lidus") in facts and Fact("person_award", "Flumph", "Diaqum") in facts
    assert Fact("movie_award", "Riften", "Handt") in facts
    told = {(r, w) for r, groups in made_up.WORDS.items() for g in groups for w in g}
    for relation, words in told:
        assert read(f"{words.format(s='Ada', o='Bob')}.").facts == (Fact(relation, "Ada", "Bob"),)


def test_a_sentence_of_no_known_wording_is_refused() -> None:
    with pytest.raises(Invalid, match="tells no fact"):
        read("Flumph likes Riften.")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is from the country Whime?", "Muntaril, Flumph"),
        ("Which movies did Flumph act in?", "Riften"),
        ("Which movies did Flumph direct?", "Skob"),
        ("Who acted in Riften?", "Flumph, Muntaril"),
        ("Which awards did Flumph win?", "Diaqum"),
        ("Which awards did the movie Skob win?", "Jubeus"),
        ("Which movies won the Handt award?", "Riften"),
        ("Who won the Lidus award?", "Muntaril"),
        ("Which movies were released in 1962?", "Skob"),
        ("Who acted in Skob?", "none"),
    ],
)
def test_simple_questions_by_hand(question: str, answer: str) -> None:
    assert looked_up(PASSAGE, question) == answer


def test_a_question_by_hand() -> None:
    found = problem(read(PASSAGE), "What awards have movies directed by people born in 1938 won?")
    assert plan(found.short) == (
        "Who was born in 1938?",
        "Which movies did [A1] direct?",
        "Which awards did the movie [A2] win?",
    )
    assert [s.result for s in found.trace.steps[1:]] == ["Flumph", "Skob", "Jubeus"]
    assert [s.state for s in found.trace.steps] == ["", "[A1] = Flumph", "[A2] = Skob", "[A3] = Jubeus"]
    assert found.trace.answer == "Jubeus"
    assert found.parts[-1] == (found.short, "Jubeus")


def brute_force(passage: str, chain: tuple[str, ...], start: str) -> set[str]:
    """The names at the end of a chain, by joining triples."""
    reached = {start}
    for hop in chain:
        rule = HOPS[hop]
        pairs = {(f.subject, f.object) for f in read(passage).facts if f.relation == rule.relation}
        pairs = pairs if rule.forward else {(o, s) for s, o in pairs}
        reached = {b for a, b in pairs if a in reached}
    return reached


def test_answers_of_the_twin_against_a_join() -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "iid", "compgen"):
        for e in Twin(4, 3, 4).draw(split, 25, rng):
            facts, question = halves(e.prompt)
            chain, start = commaqa.form_of(question)
            assert set(e.truth.split(", ")) == (brute_force(facts, chain, start) or {"none"})
            assert all(s.skill.compute(**s.args) == s.result for s in e.trace.steps)
            assert unseen(chain) == (split == "compgen")


def test_shifted_orders_are_new_but_their_hops_are_not() -> None:
    seen = [c for c in orders(4) if not unseen(c)]
    other = [c for c in orders(4) if unseen(c)]
    assert not set(seen) & set(other) and min(len(seen), len(other)) > 50
    assert {h for c in seen for h in c} == {h for c in other for h in c} == set(HOPS)
    counts = Counter(len(commaqa.form_of(halves(e.prompt)[1])[0]) for e in _drawn(150))
    assert set(counts) == {2, 3, 4} and min(counts.values()) > 30  # every number of hops is asked alike


def _drawn(n: int) -> list:
    return list(Twin(3, 2, 4).draw("iid", n, np.random.default_rng(0)))


def test_forms_are_told_apart() -> None:
    told = [own_form(c) for c in orders(4)]
    assert len(set(told)) == len(told)
    for chain in orders(3):
        assert commaqa.form_of(own_form(chain).format(x="Whime")) == (chain, "Whime")


def test_most_twin_questions_have_an_answer() -> None:
    assert sum(e.truth == "none" for e in _drawn(150)) < 15


def _released(tmp: Path, spans: list[str]) -> Path:
    pair = {"question": "What movies have people from the country Whime acted in?", "answer": {"spans": spans}}
    path = tmp / "set.json"
    path.write_text(json.dumps({"a": {"passage": PASSAGE, "qa_pairs": [pair]}}), encoding="utf-8")
    return path


def test_a_released_file_is_read_and_checked(tmp_path: Path) -> None:
    found = commaqa.items(_released(tmp_path, ["Riften"]), "compgen")
    assert [(e.truth, e.split) for e in found] == [("Riften", COMPGEN)]
    with pytest.raises(Invalid, match="the released answer is 'Skob'"):
        commaqa.items(_released(tmp_path, ["Skob"]), "iid")
    broken = tmp_path / "broken.json"
    broken.write_text("[1]", encoding="utf-8")
    with pytest.raises(Invalid, match="no file of CommaQA-E"):
        commaqa.items(broken, "iid")


@pytest.mark.realdata
def test_the_released_sets_have_the_answers_that_our_solutions_reach() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds commaqa_e/")
    paths = {split: Path(root) / commaqa.FOLDER / name for split, (name, _) in commaqa.FILES.items()}
    task = commaqa.released(paths.__getitem__)
    iid, compgen = task.every("iid"), task.every("compgen")
    assert (len(iid), len(compgen)) == (100, 300)  # every answer was compared with the released one on the way
    chains = [{commaqa.form_of(halves(e.prompt)[1])[0] for e in part} for part in (iid, compgen)]
    assert not chains[0] & chains[1]
    assert {h for c in chains[1] for h in c} <= {h for c in chains[0] for h in c} | {"directors"}
    first = iid[0]
    assert first.truth == "Myristorrhoid, Chimpwurst, Geissant, Riften" or set(first.truth.split(", ")) == {
        "Myristorrhoid", "Chimpwurst", "Geissant", "Riften",
    }  # fmt: skip
    shown = {e.prompt for e in task.shown(20, np.random.default_rng(0))}
    assert not shown & {e.prompt for e in (*iid, *compgen)}
    assert all(task.score(e, e.truth)["exact"] == 1 for e in (*iid, *compgen, *task.every("train")))
    assert iid[0].split == IID
