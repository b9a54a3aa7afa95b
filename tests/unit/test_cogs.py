"""COGS: forms turned by hand, every released row there and back, and a twin whose cases ask what training never shows."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.tasks import cogs
from unseen.tasks.cogs import CASES, Sentence, parsed, variable_free, with_variables, written
from unseen.tasks.cogs_twin import LEXICAL, lone, of_case, past, reference, twin

BY_HAND = [  # sentence, with variables, variable-free
    (
        "A rose was helped by a dog .",
        "rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 ) AND help . agent ( x _ 3 , x _ 6 ) AND dog ( x _ 6 )",
        "help ( theme = rose , agent = dog )",
    ),
    (
        "Liam hoped that the dog preferred to run .",
        "* dog ( x _ 4 ) ; hope . agent ( x _ 1 , Liam ) AND hope . ccomp ( x _ 1 , x _ 5 ) AND "
        "prefer . agent ( x _ 5 , x _ 4 ) AND prefer . xcomp ( x _ 5 , x _ 7 ) AND run . agent ( x _ 7 , x _ 4 )",
        "hope ( agent = Liam , ccomp = prefer ( agent = * dog , xcomp = run ( agent = * dog ) ) )",
    ),
    (
        "A cat gave the girl a box on the bed .",
        "* girl ( x _ 4 ) ; * bed ( x _ 9 ) ; cat ( x _ 1 ) AND give . agent ( x _ 2 , x _ 1 ) AND "
        "give . recipient ( x _ 2 , x _ 4 ) AND give . theme ( x _ 2 , x _ 6 ) AND box ( x _ 6 ) AND "
        "box . nmod . on ( x _ 6 , x _ 9 )",
        "give ( agent = cat , recipient = * girl , theme = box ( nmod . on = * bed ) )",
    ),
    (
        "The girl in a can wanted to eat .",
        "* girl ( x _ 1 ) ; girl . nmod . in ( x _ 1 , x _ 4 ) AND can ( x _ 4 ) AND want . agent ( x _ 5 , x _ 1 ) AND "
        "want . xcomp ( x _ 5 , x _ 7 ) AND eat . agent ( x _ 7 , x _ 1 )",
        "want ( agent = * girl ( nmod . in = can ) , xcomp = eat ( agent = * girl ( nmod . in = can ) ) )",
    ),
    ("David expected to cook .",
     "expect . agent ( x _ 1 , David ) AND expect . xcomp ( x _ 1 , x _ 3 ) AND cook . agent ( x _ 3 , David )",
     "expect ( agent = David , xcomp = cook ( agent = David ) )"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "variables", "free"), BY_HAND)
def test_both_notations_by_hand(text: str, variables: str, free: str) -> None:
    assert variable_free(variables) == free
    assert with_variables(free, text) == variables
    assert written(parsed(free)) == free


@pytest.mark.parametrize("form", ["Emma", "LAMBDA a . ball ( a )", "LAMBDA a . LAMBDA e . jog . agent ( e , a )"])
def test_a_word_alone_has_one_form(form: str) -> None:
    assert variable_free(form) == with_variables(form, "whatever") == form


@pytest.mark.parametrize(
    "form", ["help ( theme = rose", "( rose )", "help ( theme = )", "help ( theme rose )", "help rose", "* ( a = b )"]
)
def test_broken_forms_are_refused(form: str) -> None:
    with pytest.raises(Invalid):
        parsed(form)


def test_forms_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Invalid, match="says 'dog'"):
        with_variables("help ( theme = rose , agent = dog )", "A rose was helped by a cat .")
    with pytest.raises(Invalid, match="says nothing of 'dog'"):
        with_variables("help ( theme = rose )", "A rose was helped by a dog .")
    with pytest.raises(Invalid, match="is no term"):
        variable_free("rose ( x _ 1 AND help . theme ( x _ 3 , x _ 1 )")
    with pytest.raises(Invalid, match="has 2 terms"):
        variable_free("help . agent ( x _ 1 , Emma ) AND eat . agent ( x _ 3 , Emma )")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_text("A dog slept .\tsleep ( agent = dog )\n")
    with pytest.raises(Invalid, match=r"three columns|sentence, form and kind"):
        cogs.read(tmp_path / "bad.tsv")


def test_the_cases_are_21() -> None:
    assert Counter(CASES.values()) == {"lexical": 18, "structural": 3}
    assert set(LEXICAL) == {name for name, kind in CASES.items() if kind == "lexical"}
    assert [s.shifted for s in cogs.case_splits()] == [False] + [True] * 21


@pytest.mark.realdata
def test_every_released_row_there_and_back() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds cogs/")
    rows = {part: cogs.read(Path(root) / cogs.FOLDER / name) for part, (name, _) in cogs.FILES.items()}
    assert {part: len(told) for part, told in rows.items()} == {
        "train": 24_155, "dev": 3_000, "test": 3_000, "gen": 21_000,
    }  # fmt: skip
    for part in ("train", "dev", "test"):
        for row in rows[part]:
            free = variable_free(row.form)
            assert with_variables(free, row.text) == row.form
            assert "x _" not in free and (cogs.alone(free) or written(parsed(free)) == free)
    for row in rows["gen"]:
        assert variable_free(with_variables(row.form, row.text)) == row.form
    assert Counter(row.kind for row in rows["gen"]) == dict.fromkeys(CASES, 1_000)
    assert Counter(row.kind.split("_")[0] for row in rows["train"]) == {"in": 24_000, "primitive": 143, "exposure": 12}


@pytest.mark.realdata
def test_the_released_sentences_as_a_task() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds cogs/")
    paths = {part: Path(root) / cogs.FOLDER / name for part, (name, _) in cogs.FILES.items()}
    for notation in ("variables", "variable-free"):
        task = cogs.released(paths.__getitem__, notation)
        for split in ("train", "test", "cp_recursion", "prim_to_inf_arg"):
            for e in task.draw(split, 30, np.random.default_rng(0)):
                assert cogs.alone(e.truth) or ("x _ " in e.truth) == (notation == "variables")
                assert task.score(e, e.truth) == {"exact": 1.0} != task.score(e, f"{e.truth} )")


def test_the_twins_sentences_have_both_notations() -> None:
    rng = np.random.default_rng(0)
    made = [reference(rng) for _ in range(300)] + [of_case(name, rng) for name in CASES for _ in range(15)]
    for sentence in made:
        told = with_variables(sentence.form, sentence.text)
        assert variable_free(told) == sentence.form and "x _ " in told
        places = [int(n) for n in re.findall(r"x _ (\d+)", told)]
        assert max(places) < len(sentence.text.split())


def test_training_shows_a_held_word_once_and_elsewhere() -> None:
    task = twin(400, 20)
    train = task.load("train")
    shown = Counter(w for s in train for w in re.findall(r"\w+", f"{s.text} {s.form}"))
    for name, case in LEXICAL.items():
        met = [s for s in train if case.word in s.form.split()]
        assert len(met) == 1 and shown[case.word] + shown[past(case.word)] >= 1, name
        asked = task.load(name)
        assert all(case.word in s.form.split() for s in asked)
        roles = [_roles(case.word, s.form) for s in (*met, *asked)]
        assert not roles[0] & set[str]().union(*roles[1:]), name


def _roles(word: str, form: str) -> set[str]:
    """In which role a word stands in a form, and with which roles it stands beside (of a verb)."""
    if cogs.alone(form):
        return {"alone"}
    found = set[str]()

    def walk(node: cogs.Node, role: str, verb: str) -> None:
        if node.label == word:
            event = " ".join(r for r, _ in node.parts if not r.startswith("nmod"))
            found.add(f"of {event}" if event else f"{role} of {verb}")
        inside = " ".join(r for r, _ in node.parts)
        for r, part in node.parts:
            walk(part, r, inside)

    walk(parsed(form), "", "")
    return found


def test_structures_are_deeper_or_elsewhere_than_in_training() -> None:
    task = twin(400, 20)

    def depth(sentence: Sentence, role: str) -> int:
        return sentence.form.count(f"{role}")

    train = [s for s in task.load("train") if s.kind == "in_distribution"]
    assert max(depth(s, "ccomp") for s in train) == 2 == max(depth(s, "nmod") for s in train if "xcomp" not in s.form)
    assert min(depth(s, "ccomp") for s in task.load("cp_recursion")) >= 3
    assert min(depth(s, "nmod") for s in task.load("pp_recursion")) >= 3
    first = re.compile(r"\( (agent|theme|recipient) = (\* )?\S+ \( nmod")
    assert all(first.search(s.form) for s in task.load("obj_pp_to_subj_pp"))
    later = [s for s in train if first.search(s.form) and len(parsed(s.form).parts) > 1 and "ccomp" not in s.form]
    assert not [s for s in later if parsed(s.form).parts[0][1].parts]


def test_the_twin_is_a_task() -> None:
    task = twin(200, 30, "variables")
    assert task.name == "cogs-twin" and len(task.splits) == 22
    train = {s.text for s in task.load("train")}
    for split in task.splits:
        drawn = task.draw(split.name, 30, np.random.default_rng(1))
        assert len({e.id for e in drawn}) == 30 and not train & {e.prompt for e in drawn}
        assert all(task.score(e, e.truth) == {"exact": 1.0} for e in drawn)
    with pytest.raises(Invalid, match="ask for fewer"):
        task.draw("test", 31, np.random.default_rng(1))
    with pytest.raises(Unknown, match="cp_recursion"):
        task.draw("cp_recursio", 1, np.random.default_rng(1))
    with pytest.raises(Unknown, match="prim_to_inf_arg"):
        of_case("prim_to_inf", np.random.default_rng(1))


def test_lone_words_are_written_as_cogs_writes_them() -> None:
    assert lone("ball").form == "LAMBDA a . ball ( a )"
    assert lone("Emma").form == "Emma"
    assert lone("jog", "unergative").form == "LAMBDA a . LAMBDA e . jog . agent ( e , a )"
    assert lone("inflate", "unaccusative").form == "LAMBDA a . LAMBDA e . inflate . theme ( e , a )"
    assert (
        lone("touch", "transitive").form
        == "LAMBDA a . LAMBDA b . LAMBDA e . touch . agent ( e , b ) AND touch . theme ( e , a )"
    )
