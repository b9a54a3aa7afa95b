"""What training rows hold of test rows: planted copies are found, what is new is not named, answers are told apart."""

from __future__ import annotations

import json
import os
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # bench/ stands beside the package, not in it

from bench.overlap import changed, found, plant
from unseen.core.errors import Invalid
from unseen.tasks.overlap import Overlap, overlap
from unseen.tasks.owned import Pair, pairs

STORY = "Ana has seven red apples and buys five more at the market before she gives four of them to her brother Ben"


def row(prompt: str, answer: str = "8", name: str = "") -> Pair:
    return Pair(name or f"{prompt} {answer}", prompt, answer)


def kinds(found: Overlap) -> list[str | None]:
    return [match and match.kind for match in found.prompts]


def test_kinds_by_hand() -> None:
    train = [row(STORY, "8"), row(f"Listen well. {STORY} Smith, who eats none of them.", "9")]
    test = [
        row(STORY.upper() + "?!"),
        row(STORY, "6"),
        row(STORY.replace("seven", "ten")),
        row("How tall is the highest tower of this town?", "nine metres"),
        row("who eats none of them", "8"),
        row("buys five more at the market before she", "8"),
    ]
    told = overlap(iter(train), iter(test))
    assert kinds(told) == ["same", "same", "near", None, None, "contained"]
    same, other, near, *_, contained = told.prompts
    assert same and same.same_answer and same.train is train[0] and same.share == 1
    assert other and not other.same_answer and other.test is test[1]
    assert near and 0.5 < near.share < 1 and near.same_answer
    assert contained and contained.share == 1 and contained.train is train[0]
    assert told.clean == {test[3].id, test[4].id}
    assert [m and m.kind for m in told.answers] == ["same", None, "same", None, "same", "same"]
    counts = told.counts()
    assert counts["same prompt, same answer"] == counts["same prompt, another answer"] == 1
    assert counts["contained prompt, same answer"] == 1 and counts["same answer"] == 4 and sum(counts.values()) == 8
    assert told.says() == (
        "6 test rows beside 2 training rows. The prompts of 2 (33.3%) were trained on word for word, 1 of them with "
        "another answer. The prompts of 1 (16.7%) are nearly the same as a training row's. The prompts of 1 (16.7%) stand "
        "for the most part in training rows. The answers of 4 (66.7%) are answers of training rows, or nearly so."
    )
    assert told.examples("same", same_answer=False) == [other] and told.examples("near", 5) == [near]
    assert told.examples("near", 0) == [] and told.examples("near", same_answer=False) == []


def test_the_row_with_the_right_answer_is_the_closest_of_equal_ones() -> None:
    train = [row("what is it", "a"), row("What is it?", "b"), row("what is it", "b")]
    (match,) = overlap(train, [row("what is it", "B")]).prompts
    assert match is not None and match.train is train[1] and match.same_answer
    (match,) = overlap(train, [row("what is it", "c")]).prompts
    assert match is not None and match.train is train[0] and not match.same_answer


def test_answers_are_the_same_where_they_end_the_same() -> None:
    one, other = "He has 3 + 5 = 8.\n#### 8", "5 and 3 are 8, so:\n#### 8"
    (match,) = overlap([row(STORY, one)], [row(STORY, other)]).prompts
    assert match is not None and match.same_answer
    (match,) = overlap([row(STORY, one)], [row(STORY, other.replace("#### 8", "#### 9"))]).prompts
    assert match is not None and not match.same_answer


def test_signs_count_and_marks_do_not() -> None:
    train = [row("12 + 5 ="), row("It is 3.5, is it?")]
    test = [row("12 - 5 ="), row("12  +  5 ="), row("it is 35 is it"), row("It is 3.5: is it")]
    assert kinds(overlap(train, test)) == [None, "same", "near", "same"]


def test_turns_before_the_last_are_part_of_the_prompt() -> None:
    def spoken(first: str, system: str = "Be brief.") -> Pair:
        turns = (("system", system), ("user", first), ("assistant", "Sure."))
        return Pair(first + system, "And now?", "8", before=turns, spoken=True)

    train = [spoken("Tell me about apples.")]
    test = [spoken("Tell me about apples.", "Be long."), spoken("What did Rome trade with Carthage?")]
    assert kinds(overlap(train, test)) == ["same", None]


def test_a_frame_makes_no_rows_near() -> None:
    rng = np.random.default_rng(0)
    frame = "Below is what a customer of our bank has written. Name the intent.\n\nCustomer: {}\nIntent:"
    train, test = (made(n, side, rng, 3, 8) for n, side in ((300, "train"), (100, "test")))
    planted = plant(train, test, rng)

    def framed(rows: Sequence[Pair]) -> list[Pair]:
        return [replace(p, prompt=frame.format(p.prompt)) for p in rows]

    for one, other in ((framed(train), framed(planted.test)), (framed(train), planted.test)):
        shares = found(planted, overlap(one, other))
        assert shares["false"] <= 0.03 and shares["near"] >= 0.6, shares  # rows of a few words: one of them is much
    assert found(planted, overlap(framed(train), framed(planted.test)))["same"] == 1


def made(n: int, side: str, rng: np.random.Generator, least: int = 10, most: int = 60) -> list[Pair]:
    """Rows of made-up words, the first of them far more frequent than the last."""
    letters = np.random.default_rng(99)
    vocabulary = ["".join(letters.choice(list("aeioulnrstmdkp"), letters.integers(2, 9))) for _ in range(3_000)]
    weights = 1 / np.arange(1, len(vocabulary) + 1)
    lengths = rng.integers(least, most, n)
    words = rng.choice(vocabulary, int(lengths.sum()), p=weights / weights.sum())
    rows = np.split(words, np.cumsum(lengths)[:-1])
    return [Pair(f"{side} {i}", " ".join(row).capitalize() + ".", str(i % 7)) for i, row in enumerate(rows)]


def test_planted_copies_are_found_and_new_rows_are_not() -> None:
    rng = np.random.default_rng(1)
    train = made(6_000, "train", rng)  # more than are looked up in one go
    planted = plant(train, made(1_000, "test", rng), rng)
    told = overlap(train, planted.test)
    shares = found(planted, told)
    assert shares["same"] >= 0.99 and shares["near"] >= 0.99 and shares["false"] <= 0.001, shares
    # each is traced to the row it was copied from: their answers are equal
    assert np.mean([m.same_answer for m in told.prompts if m]) > 0.999
    clean = {p.id for p in planted.test} - planted.same - planted.near
    assert len(told.clean ^ clean) <= 2


def test_changes_are_changes() -> None:
    rng = np.random.default_rng(2)
    texts = [p.prompt for p in made(200, "x", rng)]
    copies = [changed(text, ["other"], rng) for text in texts]
    assert all(a.casefold() != b.casefold() for a, b in zip(texts, copies, strict=True))
    same = [
        len(set(a.lower().split()) & set(b.lower().split())) / len(set(a.lower().split()))
        for a, b in zip(texts, copies, strict=True)
    ]
    assert 0.8 < np.mean(same) < 0.95


def test_training_rows_are_read_once_and_not_kept() -> None:
    def many() -> Iterator[Pair]:
        for i in range(12_000):
            yield row(f"row {i} of many " + "padding " * 30, f"answer {i}")

    test = [row(STORY)]
    tracemalloc.start()
    told = overlap(many(), test)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.trained == 12_000 and kinds(told) == [None] and peak < 150 * 2**20
    assert told.says() == "1 test rows beside 12,000 training rows. No training row holds a test row's prompt."


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(Invalid, match="there are no training rows"):
        overlap([], [row("q")])
    with pytest.raises(Invalid, match="there are no test rows"):
        overlap([row("q")], [])
    with pytest.raises(Invalid, match=r"least=0: give a share above 0"):
        overlap([row("q")], [row("q")], least=0)
    with pytest.raises(Invalid, match=r"held=1\.5"):
        overlap([row("q")], [row("q")], held=1.5)


def test_rows_all_alike_take_no_time() -> None:
    train, test = ([row("write a poem", f"{side} {i}") for i in range(6_000)] for side in ("a", "b"))
    assert overlap(train, test).counts()["same prompt, another answer"] == 6_000


@pytest.mark.realdata
def test_what_is_planted_in_released_rows_is_found() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds gsm8k/ and clinc150/")
    train, test = (list(pairs(Path(root) / "gsm8k" / f"{part}.jsonl")) for part in ("train", "test"))
    planted = plant(train, test, np.random.default_rng(3))
    shares = found(planted, overlap(train, planted.test))
    # the four that are named unasked are the same stories with other numbers
    assert shares["same"] == 1 and shares["near"] >= 0.98 and shares["false"] <= 0.01, shares
    told = json.loads((Path(root) / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    train, test = ([Pair(f"{part} {i}", *x) for i, x in enumerate(told[part])] for part in ("train", "test"))
    planted = plant(train, test, np.random.default_rng(3))
    shares = found(planted, overlap(train, planted.test))
    # rows of eight words: customers were asked to reword one another, so four in ten are one word from a training row
    assert shares["same"] == 1 and shares["near"] >= 0.9 and 0.3 < shares["false"] < 0.5, shares
