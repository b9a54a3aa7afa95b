"""What does the paper say, as inequalities that runs can refute?

C5a: exact match on facts composed of atoms apart, composition minus comparison, lies below −0.3.
"""

from __future__ import annotations

from math import log

from unseen.core.claim import (
    Claim,
    Effect,
    Linear,
    Region,
    Want,
    above,
    below,
    between,
    gap,
    level,
    minus,
    off_floor,
    one_of,
    rank,
    steps_to,
)
from unseen.core.effect import StepsTo
from unseen.core.study import Tier
from unseen.tasks.kg import APART, ATOMIC, NEW, TRAINED
from unseen.tasks.kg_comparison import HARD

Given = tuple[tuple[Effect, Region], ...]
COMPOSED: dict[str, Want] = {"setting": "Learned", "family": "composition"}
MAIN: dict[str, Want] = {**COMPOSED, "arm": "main"}
COMPARED: dict[str, Want] = {"setting": "Learned", "family": "comparison", "arm": "main"}
COMPLEX: dict[str, Want] = {"setting": "Learned", "family": "complex", "arm": "main"}
ASKED: dict[str, Want] = {"setting": "Asked"}
ANY_ASKED = ("model", "given", "style")
SWEPT = ("arm", "steps")  # what an arm of the sweep differs in from the main one, besides phi
LEARNED = above(0.9)  # of the reference
GUESS = 1 / 3


def known(split: str, **arm: Want) -> tuple[Effect, Region]:
    """The precondition that the facts of a reference split are answered right."""
    return level("exact", split=split, **arm), LEARNED


def apart(**arm: Want) -> Linear:
    """Exact match on facts composed of two atoms that stand in no composed fact of training."""
    return level("exact", split=APART, **arm)


def later_than(threshold: float, split: str, other: str, arm: str) -> StepsTo:
    """The steps until one split of composition reaches a threshold, divided by those of another."""
    family = "composition"
    return steps_to("exact", threshold, against={"split": other}, split=split, family=family, arm=arm)


def _grokking() -> tuple[Claim, ...]:
    where, table = "figure 2, composition", known(NEW, **MAIN)
    return (
        Claim(
            "C1a",
            "New composed facts are learned more than twice as late as the trained ones are fitted.",
            reported="about 50 times as late",
            source="paper",
            effect=later_than(0.99, NEW, TRAINED, "main"),
            expect=above(2),
            where=where,
            given=(table,),
        ),
        Claim(
            "C1b",
            "When the trained ones are fitted, most new composed facts are answered wrongly.",
            reported="9.2% before training accuracy saturates",
            source="paper",
            effect=level("exact_when_fitted", split=NEW, **MAIN),
            expect=below(0.5),
            where=where,
            given=(known(TRAINED, **MAIN),),
        ),
        Claim(
            "C1c",
            "At the end of training nearly all new composed facts are right.",
            reported="near 100%",
            source="paper",
            effect=level("exact", split=NEW, **MAIN),
            expect=above(0.9),
            where=where,
            given=(known(TRAINED, **MAIN),),
        ),
    )


def _systematic() -> tuple[Claim, ...]:
    both: Given = (known(NEW, **MAIN), known(NEW, **COMPARED))
    return (
        Claim(
            "C2",
            "Facts composed of two atoms apart are answered no better than by guessing from the last relation.",
            reported="0 after 2 million steps",
            source="paper",
            effect=minus(apart(**MAIN), level("guessed", split=APART, **MAIN)),
            expect=below(0.1),
            where="figure 2, composition",
            given=(known(NEW, **MAIN), known("atomic apart", **MAIN)),
        ),
        Claim(
            "C5a",
            "Composition of atoms apart fails where their comparison succeeds.",
            reported="0 against near 100%",
            source="paper",
            effect=gap("exact", MAIN, COMPARED, split=APART),
            expect=below(-0.3),
            where="figure 2",
            given=both,
        ),
        Claim(
            "C5b",
            "Comparisons of two atoms apart are nearly all right.",
            reported="near 100%",
            source="paper",
            effect=apart(**COMPARED),
            expect=above(0.9),
            where="figure 2, comparison",
            given=(known(NEW, **COMPARED),),
        ),
    )


def _speed() -> tuple[Claim, ...]:
    early = {"split": NEW}
    return (
        Claim(
            "C3a",
            "The more composed facts are trained on for each atom, the more new ones are right at the same step.",
            reported="monotone in six ratios from 3.6 to 18",
            source="paper",
            effect=rank("exact_early", "phi", **early, **COMPOSED, arm=one_of("main", "phi")),
            expect=above(0),
            over=SWEPT,
            where="figure 3",
            given=(known(ATOMIC, **COMPOSED, arm="main"),),
        ),
        Claim(
            "C3b",
            "At the highest ratio new composed facts are right before the trained ones are fitted.",
            reported="96.7% at a ratio of 18",
            source="paper",
            effect=level("exact_when_fitted", split=NEW, phi=18.0, **COMPOSED),
            expect=above(0.9),
            tiers=("paper",),
            where="figure 3",
            given=(known(TRAINED, phi=18.0, **COMPOSED),),
        ),
        Claim(
            "C4",
            "Half as many entities, at the same ratio, leave new facts as much later learned than trained ones are fitted.",
            reported="the curves stay equally far apart",
            source="paper",
            effect=gap("delay", {"arm": "smaller"}, {"arm": "main"}, **COMPOSED),
            expect=between(log(0.7), log(1.3)),
            where="figure 3",
            given=(known(NEW, **MAIN), known(NEW, **COMPOSED, arm="smaller")),
        ),
        Claim(
            "C8",
            "With less weight decay fewer new composed facts are right at the same step.",
            reported="larger decay groks faster",
            source="paper",
            effect=gap("exact_early", {"arm": "main"}, {"arm": "less decay"}, **early, **COMPOSED),
            expect=above(0),
            where="appendix",
            given=(known(TRAINED, **MAIN), known(TRAINED, **COMPOSED, arm="less decay")),
        ),
    )


def _mechanism() -> tuple[Claim, ...]:
    fitted: Given = (known(NEW, **MAIN),)
    compared: Given = (known(NEW, **COMPARED),)
    told = (
        ("C6a", "While new facts are learned, the state over the first relation comes to decide the answer.",
         "causal strength grows strongly", level("strength_r1_growth", **MAIN), above(0.2), "figure 4", fitted),
        ("C6b", "The bridge can be read off that state when the trained facts are fitted.",
         "high throughout", level("mrr_bridge_when_fitted", **MAIN), above(0.5), "figure 4", fitted),
        ("C6c", "The second relation comes to be readable off the state over it.",
         "grows", level("mrr_relation_growth", **MAIN), above(0), "figure 4", fitted),
        ("C7a", "The first value comes to be readable off the state over the first entity.",
         "rises gradually", level("mrr_first_growth", **COMPARED), above(0), "figure 5", compared),
        ("C7b", "The second value comes to be readable off the state over the second entity.",
         "rises gradually", level("mrr_second_growth", **COMPARED), above(0), "figure 5", compared),
        ("C7c", "The three labels can be read off the state over the attribute when the trained facts are fitted.",
         "recall near 1 throughout", level("labels_found_when_fitted", **COMPARED), above(0.9), "figure 5", compared),
    )  # fmt: skip
    return tuple(
        Claim(id, says, reported, "paper", effect, expect, where=where, given=given)
        for id, says, reported, effect, expect, where, given in told
    )


def _shared() -> tuple[Claim, ...]:
    arm: dict[str, Want] = {**COMPOSED, "arm": "shared"}
    return (
        Claim(
            "C9a",
            "Blocks that run twice with the same weights answer facts composed of two atoms apart, which others do not.",
            reported="rises",
            source="paper",
            effect=gap("exact", {"arm": "shared"}, {"arm": "main"}, split=APART, **COMPOSED),
            expect=above(0.1),
            where="appendix, parameter sharing",
            given=(known(NEW, **MAIN), known(NEW, **arm)),
        ),
        Claim(
            "C9b",
            "Half of these are right more than twice as late as half of the new facts over used atoms.",
            reported="much later",
            source="paper",
            effect=later_than(0.5, APART, NEW, "shared"),
            expect=above(2),
            where="appendix, parameter sharing",
            given=(known(NEW, **arm),),
        ),
    )


def _complex() -> tuple[Claim, ...]:
    paper: tuple[Tier, ...] = ("paper",)
    answering = off_floor("exact", GUESS, split=NEW, **ASKED)  # comparisons whose two values stand in the prompt
    return (
        Claim(
            "C10a",
            "Trained decoders answer nearly all hard comparisons.",
            reported="99.3%",
            source="recalled",
            effect=level("exact", split=HARD, **COMPLEX),
            expect=above(0.9),
            tiers=paper,
            where="table 1",
            given=(known(NEW, **COMPLEX),),
        ),
        Claim(
            "C10b",
            "Language models that read the facts in their prompt answer hard comparisons about as often as by chance, or less.",
            reported="around or below 33.3%",
            source="paper",
            effect=level("exact", split=HARD, **ASKED),
            expect=below(GUESS + 0.1),
            tiers=paper,
            over=ANY_ASKED,
            where="table 1",
            given=(answering,),
        ),
        Claim(
            "C10c",
            "Asked to think step by step, they mostly say that the facts do not tell.",
            reported="70.7%, and 58.7% with retrieval",
            source="paper",
            effect=level("undecided", split=HARD, style="cot", **ASKED),
            expect=above(0.5),
            tiers=paper,
            over=ANY_ASKED,
            where="table 1",
            given=(answering,),
        ),
    )


def _controls() -> tuple[Claim, ...]:
    shuffled: dict[str, Want] = {**COMPOSED, "arm": "shuffled"}
    told = (
        ("K1", "A program that walks through the atoms told answers every composed fact, atoms apart included.",
         level("walked", **MAIN), above(0.99), ()),
        ("K2", "A program that compares the values told answers every comparison.",
         level("walked", **COMPARED), above(0.99), ()),
        ("K3", "Untrained decoders answer nothing.", level("exact_untrained", **MAIN), below(0.05), ()),
        ("K4", "Trained on composed facts with each other's answers, decoders answer new ones no better than by guessing.",
         minus(level("exact", split=NEW, **shuffled), level("guessed", split=NEW, **shuffled)), below(0.1),
         (known(ATOMIC, **shuffled),)),
    )  # fmt: skip
    return tuple(
        Claim(id, says, "not reported: a control", "recalled", effect, expect, given=given, kind="control")
        for id, says, effect, expect, given in told
    )


CLAIMS = (*_grokking(), *_systematic(), *_speed(), *_mechanism(), *_shared(), *_complex(), *_controls())
