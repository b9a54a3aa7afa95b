"""Shifts that keep the answer: by hand, on any text, and on a thousand released rows each; and that broken ones are seen."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import Unknown
from unseen.tasks.kept import CHECKS, kept
from unseen.tasks.listed import listed, named
from unseen.tasks.owned import Pair, lettered, pairs
from unseen.tasks.shifts import SHIFTS, paired, shifted

TALE = 'Ana Smith has 12 hens. Each hen lays two eggs every day. "How are they?" asks Mr. Brown. How many eggs does she have?'
CITIES = "In which country does Rome lie?\nA. Spain\nB. Italy\nC. Peru\nAnswer:"


def row(prompt: str, answer: str = "24", options: tuple[str, ...] = ()) -> Pair:
    return Pair(f"{prompt} {answer}", prompt, answer, options)


def seen(name: str, one: Pair, n: int = 60) -> set[str]:
    """The prompts that a shift makes of a row under many seeds, every one checked."""
    found = [shifted(one, name, seed) for seed in range(n)]
    assert all(after is None or kept(name, one, after) == "" for after in found)
    return {after.prompt for after in found if after is not None}


def test_every_shift_has_a_rule_and_a_check() -> None:
    assert SHIFTS.keys() == CHECKS.keys() and all(s.does and s.rule for s in SHIFTS.values())
    for call in (lambda: shifted(row("x"), "typo"), lambda: kept("typo", row("x"), row("x"))):
        with pytest.raises(Unknown, match="no shift is called 'typo'; the nearest is typos"):
            call()


def test_format() -> None:
    assert seen("format", row("Is it warm?")) == {
        "Question: Is it warm?\nAnswer:",
        "### Input\nIs it warm?\n\n### Response\n",
        "Please answer this.\n\nIs it warm?\n\nYour answer:",
    }
    assert seen("format", row("Q: Is it warm?\nA:")) == seen("format", row("Is it warm?"))
    assert seen("format", row("Question: Is it warm?\nAnswer:")) == seen("format", row("Is it warm?")) - {
        "Question: Is it warm?\nAnswer:"
    }
    assert "Question: 2 + 3 =" in seen("format", row("2 + 3 ="))  # what leads to an answer is the row's own
    assert "### Input\nIs it warm?\n\n### Response\n" not in seen("format", row("Is it warm?", "a response"))
    assert seen("format", row("Q: 1 + 1?\nA: 2\nQ: 2 + 2?\nA:")) == set()


def test_typos() -> None:
    made = seen("typos", row("the garden and the forest", "no"))
    assert "the graden and the forest" in made and "the garden and the forwst" in made and len(made) > 8
    assert seen("typos", row("Bethlehem has 12345 twelve other-wise hundred cat x_axis", "no")) == set()
    for prompt, options in (("is the garden", ()), ("is it\nA. garden\nB. forest", ("A", "B"))):
        assert seen("typos", row(prompt, "garden" if not options else "A", options)) == set()
    # not "tired", which is a word
    assert seen("typos", row("they tried", "no")) == {"they treid", "they trird", "they triwd"}
    assert seen("typos", row("def garden(): return forest")) == set()
    assert seen("typos", row('she said "garden"', "no")) == set()


def test_casing() -> None:
    assert seen("casing", row("Does Ana like NASA, b2b and Rome?", "Rome")) == {
        "does ana like NASA, b2b and Rome?",
        "DOES ANA LIKE NASA, b2b AND Rome?",
    }
    assert seen("casing", row("I saw x. a cat", "no")) == {"i saw x. a cat", "I SAW x. A CAT"}
    assert seen("casing", row("How many capital letters are in Rome?")) == set()
    assert seen("casing", row(CITIES, "B", ("A", "B", "C"))) == {
        CITIES.replace("In which country does Rome lie?", said)
        for said in ("in which country does rome lie?", "IN WHICH COUNTRY DOES ROME LIE?")
    }


def test_options() -> None:
    for answer in ("B", "(B)", "The answer is B.", "B. Italy", "Italy"):
        one = row(CITIES, answer)
        for seed in range(30):
            after = shifted(one, "options", seed)
            assert after is not None and kept("options", one, after) == "" and after.prompt != one.prompt
            found = listed(after.prompt)
            at = named(after.answer, found)
            assert at is not None and found[at].text == "Italy" and at != 1
            assert len(after.answer) == len(answer)
    assert len(seen("options", row(CITIES, "B"))) == 4  # of the six orders, those with Italy elsewhere
    inline = row("Where is Rome? (A) Spain (B) Italy", "A")
    assert seen("options", inline) == {"Where is Rome? (A) Italy (B) Spain"}
    for prompt, answer in (
        (CITIES.replace("Peru", "None of the above"), "B"),
        (CITIES.replace("Peru", "Both A and B"), "B"),
        (CITIES.replace("Peru", "Spain"), "B"),
        (CITIES.replace("In which", "Unlike option A, in which"), "B"),
        (CITIES, "B because Rome is Italian"),
        (CITIES, "D"),
        ("Where is Rome?", "B"),
    ):
        assert seen("options", row(prompt, answer)) == set()


def test_distractor() -> None:
    made = seen("distractor", row(TALE), 200)
    starts = {prompt.split(".")[0] for prompt in made}
    assert any("hens. " in p.partition("Snow")[0] and "Snow is cold to the touch. Each hen" in p for p in made)
    assert len(starts) > 3 and not any("Mr. Snow" in p or '"Snow' in p for p in made)
    assert all(p.endswith("How many eggs does she have?") for p in made)
    assert not any("snow" in p.lower() for p in seen("distractor", row("How cold is it?", "as snow")))
    for prompt in ("Translate: I see a hen.", "How many words are in this sentence?", "```\nx = 1\n```"):
        assert seen("distractor", row(prompt)) == set()


def test_paraphrase() -> None:
    made = seen("paraphrase", row("What's my balance in total?", "9"))
    assert {
        "What is my balance in total?",
        "What's my balance altogether?",
        "Tell me this: What's my balance in total?",
    } < made
    assert seen("paraphrase", row("I don't see it right now", "no")) == {
        "I do not see it right now",
        "I don't see it at the moment",
        "I do not see it at the moment",
    }
    assert "Each hen lays two eggs each day." in " ".join(seen("paraphrase", row(TALE)))
    assert all("at the moment" in p for p in seen("paraphrase", row("i can't right now", "cannot")))
    assert seen("paraphrase", row('they shout "right now" here')) == set()
    assert seen("paraphrase", row("it barks")) == set()


BROKEN = (
    ("format", row("Is it warm?"), "Question 1: Is it warm?\nAnswer:", "numbers"),
    ("format", row("Is it warm?"), "Question: Is it hot?\nAnswer:", "'hot' came in"),
    ("format", row("Is it warm?", "a response"), "Input: Is it warm?\nResponse:", "words of the answer"),
    ("format", row("Is warm it?"), "Question: Is it warm?\nAnswer:", "words inside the frame"),
    ("typos", row("see the garden"), "see the gardens", "more than a slip"),
    ("typos", row("see the garden"), "see garden", "number of words"),
    ("typos", row("see the garden"), "eee the garden", "no plain word"),
    ("typos", row("eleven hens laying"), "elveen hens laying", "numbers"),
    ("typos", row("see the garden", "garden"), "see the graden", "words of the answer"),
    ("typos", row("green garden forest"), "grene graden froest", "3 of 3 words"),
    ("casing", row("in Paris", "Paris"), "in PARIS", "'Paris' became 'PARIS'"),
    ("casing", row("in Paris"), "in Rome", "more than the case"),
    ("casing", row("10Mb here"), "10mb HERE", "'10Mb' became"),
    ("casing", row("let X be"), "let x be", "'X' became 'x'"),
    ("distractor", row("Is it warm?"), "There are 3 hens. Is it warm?", "numbers"),
    ("distractor", row("Is it warm?"), "Is it warm? Snow is cold.", "more than one sentence"),
    ("distractor", row("Is it warm?"), "Is it Snow is cold. warm?", "inside a sentence"),
    ("distractor", row("Is it warm?"), "The oven is warm. Is it warm?", "it says 'warm'"),
    ("paraphrase", row("what is my limit"), "what is my balance", "became"),
    ("paraphrase", row("it costs $5 in total"), "it costs $6 in total", "numbers"),
    ("paraphrase", row("are you the one"), "are you the one", "as it was"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "before", "prompt", "says"), BROKEN)
def test_broken_rows_are_seen(name: str, before: Pair, prompt: str, says: str) -> None:
    assert says in kept(name, before, replace(before, prompt=prompt))


def test_broken_options_and_fields_are_seen() -> None:
    one = row(CITIES, "B")
    turned = CITIES.replace("Italy", "x").replace("Spain", "Italy").replace("x", "Spain")
    assert kept("options", one, replace(one, prompt=turned, answer="A")) == ""
    for change, says in (
        ({"prompt": turned}, "B is another option than B was"),
        ({"prompt": turned, "answer": "A, clearly"}, "more of the answer"),
        ({"prompt": turned, "answer": "x"}, "names no option"),
        ({"prompt": turned.replace("Spain", "France"), "answer": "A"}, "the options or the text"),
        ({"prompt": turned.replace("Rome", "Milan"), "answer": "A"}, "the options or the text"),
        ({"prompt": turned, "answer": "A", "id": "other"}, "id changed"),
    ):
        assert says in kept("options", one, replace(one, **change))  # type: ignore[arg-type]
    assert "the answer changed" in kept("typos", row("garden"), replace(row("garden"), prompt="graden", answer="x"))


WORDS = "what's how many Ana hens garden every day in total? can you tell please right now I don't 3.5 twelve “said” \" Mr. the. x_y \n"
sentences = st.lists(st.sampled_from([*WORDS.split(" "), "\n", "A. red\nB. blue", "Answer:"]), min_size=1, max_size=14)


@given(
    sentences.map(" ".join) | st.text(min_size=1, max_size=40).filter(str.strip),
    st.sampled_from(["12", "hens", "A", "red", "B. blue"]),
    st.integers(0, 9),
)
def test_any_row_keeps_its_answer(prompt: str, answer: str, seed: int) -> None:
    one = row(prompt, answer)
    for name in SHIFTS:
        after = shifted(one, name, seed)
        assert after == shifted(one, name, seed)
        assert after is None or kept(name, one, after) == "", (name, after)


def test_pairs_come_in_order_and_do_not_depend_on_one_another() -> None:
    rows = [row("the garden"), row("12"), row("the forest")]
    found = list(paired(rows, "typos"))
    assert [before for before, _ in found] == [rows[0], rows[2]]
    assert list(paired(rows[2:], "typos")) == found[1:]
    assert all(before.id == after.id for before, after in found)


@pytest.mark.realdata
@pytest.mark.parametrize("name", SHIFTS)
def test_no_answer_of_a_thousand_released_rows_is_broken(name: str) -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds gsm8k/ and clinc150/")
    rng = np.random.default_rng(5)
    problems = list(pairs(Path(root) / "gsm8k" / "test.jsonl"))
    told = json.loads((Path(root) / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    asked = [Pair(f"clinc {i}", *x) for i, x in enumerate(told["test"])]
    intents = sorted({p.answer for p in asked})
    chosen = [_chosen(p, p.answer, [str(x) for x in rng.choice(intents, 3, replace=False)], rng) for p in asked]
    sums = [(p, int(float(p.answer.rpartition("####")[2].replace(",", "")))) for p in problems]
    counted = [_chosen(p, str(n), [str(n + k) for k in (1, 10, -2)], rng) for p, n in sums]
    plain = () if name == "options" else (problems, asked)
    for rows in (*plain, counted, chosen):
        made = list(paired((rows[i] for i in rng.permutation(len(rows))), name))[:1_000]
        assert len(made) > 500, name  # it applies to much of what there is
        assert [w for before, after in made if (w := kept(name, before, after))] == []
        if name == "typos" and find_spec("wordfreq"):
            _no_slip_makes_a_word(made)


def _chosen(p: Pair, right: str, wrong: list[str], rng: np.random.Generator) -> Pair:
    """The row with its answer among others, to be named by its letter."""
    texts = [right, *(text for text in wrong if text != right)]
    texts = [texts[i] for i in rng.permutation(len(texts))]
    return Pair(p.id, lettered(p.prompt, texts) + "\nAnswer:", "ABCD"[texts.index(right)], tuple("ABCD"[: len(texts)]))


def _no_slip_makes_a_word(made: list[tuple[Pair, Pair]]) -> None:
    from wordfreq import zipf_frequency

    words = {
        b.strip(".,;:?!")
        for before, after in made
        for a, b in zip(before.prompt.split(), after.prompt.split(), strict=True)
        if a != b
    }
    assert len(words) > 300 and not [word for word in words if zipf_frequency(word, "en") >= 3.2]
