"""Episodes of new skills: every truth, trace and promise of a split, checked by an interpreter that reads the text."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from unseen.core.errors import Failed, Invalid, Unknown
from unseen.core.task import TokenTask
from unseen.tasks import episodes
from unseen.tasks.episodes import FORMS, GROUNDED, LISTED, Episodes, Prompted, text_of, tokens_of

CASES = [(form, split.name) for form in FORMS for split in Episodes(form).splits]
Facts = dict[str, str]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def taken_apart(prompt: str, grounded: bool) -> tuple[Facts, list[tuple[str, Facts]], str]:
    """The list's facts; every example's names and facts; the question's names. Every trace is checked on the way."""
    text = prompt.replace(" ", "")
    block, rest = re.fullmatch(r"((?:[A-L]:[a-l])*)(.*)", text).groups()  # type: ignore[union-attr]
    listed = dict(fact.split(":") for fact in re.findall("[A-L]:[a-l]", block))
    *worked, asked = re.findall(r"([A-L]+)>(?:([^=]*)=([a-l]+)\.)?", rest)
    assert re.sub(r"([A-L]+)>(?:([^=]*)=([a-l]+)\.)?", "", rest) == ""
    examples: list[tuple[str, Facts]] = []
    for names, steps, answer in worked:
        if grounded:
            said = re.findall(r"([A-L])([A-L]):([a-l])", steps)
            assert "".join(f"{n}{m}:{x}" for n, m, x in said) == steps
            assert [n for n, _, _ in said] == [m for _, m, _ in said] == list(names)
            assert "".join(x for _, _, x in said) == answer
        else:
            assert steps == answer
        examples.append((names, dict(zip(names, answer, strict=True))))
    assert asked[1:] == ("", "")
    return listed, examples, asked[0]


@pytest.mark.parametrize(("form", "split"), CASES)
def test_every_episode_is_what_its_split_and_form_say(form: Prompted, split: str) -> None:
    task = Episodes(form)
    at = next(s for s in task.splits if s.name == split)
    for example in task.draw(split, 60, rng(2)):
        listed, examples, names = taken_apart(example.prompt, form in GROUNDED)
        shown = {k: v for _, facts in examples for k, v in facts.items()}
        assert len(shown) == len(set(shown.values())) == 4  # every skill is shown, and they write different letters
        assert all(facts[k] == shown[k] for _, facts in examples for k in facts)
        assert listed == (shown if form in LISTED else {})
        assert [len(called) for called, _ in examples] == [3, 3, 3]
        assert example.truth == " ".join(shown[name] for name in names)
        assert len(names) == at.at["uses"]
        seen = {pair for called, _ in examples for pair in pairwise(called)}
        assert {p in seen for p in pairwise(names)} == {not at.at["new"]}
        assert names not in {called for called, _ in examples}
        assert episodes.solved(example.prompt, reads="examples") == example.truth
        if form in LISTED:
            assert episodes.solved(example.prompt, reads="list") == example.truth
        assert task.score(example, example.truth) == {"exact": 1.0}


@pytest.mark.parametrize(("form", "split"), CASES)
def test_batches_hold_what_draw_tells_and_mark_the_questions_solution(form: Prompted, split: str) -> None:
    task = Episodes(form)
    batch, drawn = task.batch(split, 20, rng(4)), task.draw(split, 20, rng(4))
    assert isinstance(task, TokenTask)
    assert batch.tokens.shape[1] <= task.longest(split)
    assert batch.answer.sum(1).max() <= task.room(split)
    assert batch.tokens.max() < task.vocab
    for tokens, answer, example in zip(batch.tokens, batch.answer, drawn, strict=True):
        begin = int(np.flatnonzero(answer)[0])
        assert tokens[:begin].tolist() == tokens_of(example.prompt)
        told = text_of(tokens[answer])
        assert told == text_of(tokens[begin:])
        assert task.score(example, told) == {"exact": 1.0}
        taken_apart(f"{example.prompt} {told} A >", form in GROUNDED)  # the solution is a worked example of this form


def test_the_longest_sequence_is_as_long_as_the_task_says() -> None:
    task = Episodes("skic")
    assert task.batch("8 uses", 4, rng()).tokens.shape[1] == task.longest("8 uses")


def test_all_forms_show_the_same_episodes() -> None:
    drawn = {form: Episodes(form).draw("4 uses", 30, rng(7)) for form in FORMS}
    truths = [[e.truth for e in row] for row in drawn.values()]
    assert all(t == truths[0] for t in truths)
    asked = [[e.prompt.rpartition(". ")[2] for e in row] for row in drawn.values()]
    assert all(a == asked[0] for a in asked)


def test_training_marks_all_of_worked_solutions_that_can_be_foretold() -> None:
    """By hand, from the text: a letter or fact is left out where neither the list nor an earlier step tells it."""
    batch = Episodes().batch("train", 200, rng(1))
    kinds: dict[tuple[bool, bool], int] = {}
    for tokens, answer in zip(batch.tokens, batch.answer, strict=True):
        words, marked = text_of(tokens).split(), answer[tokens > episodes.SOS].tolist()
        listed = ":" in words[0]
        known = {w[0] for w in words[: words.index(">")] if ":" in w}
        wanted: list[bool] = []
        names: list[str] = []
        solving, grounded = False, False
        for word in words:
            if word == ">":
                solving, queue = True, list(names)
                wanted.append(False)
            elif not solving:
                names = [*names, word] if word.isupper() and ":" not in word else []
                wanted.append(False)
            elif word in "=." or (word.isupper() and ":" not in word) or not queue:
                grounded |= word.isupper()
                wanted.append(True)
                solving, names = word != ".", names if word != "." else []
            else:
                skill = queue.pop(0)
                wanted.append(skill in known)
                known.add(skill)
        assert marked == wanted
        kinds[listed, grounded] = kinds.get((listed, grounded), 0) + 1
    assert min(kinds.values()) > 25
    assert len(kinds) == 4


def test_names_and_letters_are_drawn_anew() -> None:
    drawn = Episodes("skic").drawn("train", 3_000, rng(3))
    for part in (drawn.names, drawn.letters):
        counts = np.bincount(part.ravel(), minlength=8)
        assert len(counts) == 8
        assert counts.min() > 1_300  # of 1,500 expected
    facts = {(int(a), int(b)) for a, b in zip(drawn.names.ravel(), drawn.letters.ravel(), strict=True)}
    assert len(facts) == 64


def test_lengths_of_training_questions_are_mixed() -> None:
    drawn = Episodes("no list").drawn("train", 1_000, rng(5))
    lengths = (drawn.asked >= 0).sum(1)
    assert set(lengths.tolist()) == {2, 3}
    for asked, worked in zip(drawn.asked.tolist(), drawn.worked.tolist(), strict=True):
        assert asked not in worked


def test_shuffled_training_answers_follow_other_skills() -> None:
    task, true = Episodes("skic", shuffled=True), Episodes("skic")
    false, right = task.batch("train", 600, rng(8)), true.batch("train", 600, rng(8))
    ends = [[text_of(row).rpartition("=")[2] for row in b.tokens] for b in (false, right)]
    assert np.mean([a == b for a, b in zip(*ends, strict=True)]) < 0.1
    parts = [[text_of(row).rpartition(">")[0] for row in b.tokens] for b in (false, right)]
    assert parts[0] == parts[1]
    asked = [int(np.flatnonzero(row == episodes.ASK)[-1]) for row in false.tokens]
    assert all(marks[: at + 1].sum() == 0 < marks.sum() for marks, at in zip(false.answer, asked, strict=True))
    assert any(marks[: at + 1].any() for marks, at in zip(right.answer, asked, strict=True))
    assert [e.truth for e in task.draw("3 uses", 10, rng())] == [e.truth for e in true.draw("3 uses", 10, rng())]


def test_scores_and_programs_by_hand() -> None:
    prompt = "B:a C:d B B > B B:a B B:a = a a . C B >"
    assert episodes.solved(prompt, reads="list") == "d a"
    with pytest.raises(Invalid, match="what skill C writes"):
        episodes.solved(prompt, reads="examples")
    assert episodes.solved("B C > a d = a d . C B B >", reads="examples") == "d a a"
    task = Episodes("skic")
    example = task.draw("3 uses", 1, rng())[0]
    assert task.score(example, f"A A:b = {example.truth} .")["exact"] == 1
    assert task.score(example, f"A A:b = {example.truth} a .")["exact"] == 0
    assert task.score(example, f"A A:b = {example.truth}")["exact"] == 0  # it has no end


def test_mistakes_are_told() -> None:
    with pytest.raises(Invalid, match="at least 2 steps"):
        Episodes(trained=(1, 2))
    with pytest.raises(Invalid, match="more than any trained on"):
        Episodes(trained=(2, 3), beyond=(3,))
    with pytest.raises(Invalid, match="skills=9"):
        Episodes(skills=9)
    with pytest.raises(Unknown, match="9 uses"):
        Episodes().batch("9 uses", 2, rng())
    with pytest.raises(Failed, match="show more examples"):
        Episodes(skills=2, examples=1, shown=2, trained=(2,), beyond=()).drawn("2 uses", 10, rng())
