"""Last letters: skills against plain Python, and the vocabulary."""

import numpy as np
import pytest

from unseen.core.errors import Missing
from unseen.tasks import last_letter
from unseen.tasks.last_letter import LAST_LETTER, WORDS_TO_LIST, problem, vocabulary


def test_the_documented_example() -> None:
    found = problem(["apple", "dog"])
    assert found.question == 'Take the last letters of the words in "apple dog" and concatenate them.'
    assert found.trace.answer == "eg"
    assert found.parts == (('"apple"', "e"), ('"apple dog"', "eg"))


def test_skills_and_answers_against_plain_python() -> None:
    rng = np.random.default_rng(0)
    words = vocabulary("made", 9)
    for n in (1, 2, 5, 12, 100):
        chosen = [words[i] for i in rng.integers(0, len(words), n)]
        found = problem(chosen)
        assert found.trace.answer == "".join(w[-1:] for w in chosen)
        assert WORDS_TO_LIST.compute(text=" ".join(chosen)) == ", ".join(chosen)
        assert [s.result for s in found.trace.steps[1:]] == [w[-1] for w in chosen]
        assert [s.state for s in found.trace.steps[1:]] == [found.trace.answer[: i + 1] for i in range(n)]
        assert len(found.trace.steps) == n + 1
    assert LAST_LETTER.compute(word="taxi") == "i"


def test_made_words_are_many_and_short() -> None:
    words = vocabulary("made", 9)
    assert len(words) > 5_000
    assert all(3 <= len(w) <= 9 and w.isascii() and w.islower() for w in words)
    assert len({w[-1] for w in words}) >= 12  # the answer is no constant


def test_english_words_or_how_to_get_them() -> None:
    try:
        import wordfreq  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(Missing, match="unseen\\[text\\]"):
            vocabulary("wordfreq", 9)
        return
    words = vocabulary("wordfreq", 9)
    assert len(words) > 4_000 and "people" in words


def test_the_source_is_part_of_the_task() -> None:
    task = last_letter.last_letter((2,), (4,), longest=4)
    assert all(len(w) <= 4 for e in task.draw("4 words", 20, np.random.default_rng(0)) for w in e.short[:-1].split())
