"""What does the paper say, as inequalities that runs can refute, and what must the controls show?

C1a: passed of the target tuned through the dictionary, divided by that of its counterpart after reinforcement, above 0.97.
"""

from __future__ import annotations

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, between, gap, level, minus, ratio
from unseen.core.effect import Ratio, Term

Given = tuple[tuple[Effect, Region], ...]
OURS = "not in the paper: our control"


def passed(arm: str, **where: bool) -> Linear:
    """The fraction of answers that are right, of an arm: over corpus A where `shifted` is False, over B where it is left out."""
    return level("passed", arm=arm, **where)


def gained(first: str, second: str, **where: bool) -> Linear:
    """What an arm is right more often than another, over corpus B where nothing else is said."""
    return gap("passed", {"arm": first}, {"arm": second}, **where)


def retained(**where: bool) -> Ratio:
    """The tuned target's share of its counterpart's score."""
    return ratio(passed("sae", **where), passed("rl", **where))


def share(part: float, effect: Linear) -> Linear:
    """A part of an effect."""
    terms = tuple(Term(part * t.coefficient, t.measure, t.where, t.along) for t in effect.terms)
    return Linear(terms, f"{part:g} of ({effect})")


# Reinforcement taught something, little enough, and tuning drew the student towards the teacher.
LEARNED: Given = ((passed("rl", shifted=False), above(0.5)), (gained("rl", "base", shifted=False), above(0.02)))
TUNED: Given = (*LEARNED, (level("kl_left"), below(0.9)))


def _retention() -> tuple[Claim, ...]:
    return (
        Claim(
            "C1a", "Tuned through the dictionary, the target keeps 97% of what its counterpart learned by reinforcement scores.",
            "above 97%", "paper", retained(shifted=False), above(0.97), given=TUNED, where="abstract",
        ),
        Claim(
            "C1b", "It scores more than it did before: what it keeps is not what the target had.",
            "47.3 against 48.16 after reinforcement; the base's own score is not at hand", "recalled",
            gained("sae", "base", shifted=False), above(0), given=TUNED, where="table of six sets",
        ),
        Claim(
            "C2", "Tuned so itself, the model after reinforcement scores at least as much as before.",
            "43.33% pass@1 of AIME24, 90% of AMC23", "paper", gained("rl_sae", "rl", shifted=False), above(0),
            given=TUNED, where="abstract",
        ),
    )  # fmt: skip


def _generality() -> tuple[Claim, ...]:
    return (
        Claim(
            "C3a", "Ability extracted with corpus A helps on the larger corpus B that overlaps with it.", "comparable gains",
            "recalled", gained("sae", "base"), above(0), given=TUNED, where="generality",
        ),
        Claim(
            "C3b", "It helps on what B has beside A.", "comparable gains", "recalled", gained("sae", "base", shifted=True),
            above(0), given=TUNED, where="generality",
        ),
        Claim(
            "C4a", "The adapter, added to a sibling that it was not tuned in, helps there.", "comparable gains", "paper",
            gained("moved", "sibling", shifted=False), above(0), given=TUNED, where="abstract: modularity",
        ),
        Claim(
            "C4b", "There it gives half of what the sibling's own tuning gives, or more.", "comparable gains", "recalled",
            minus(gained("moved", "sibling", shifted=False), share(0.5, gained("sibling_sae", "sibling", shifted=False))),
            above(0), given=(*TUNED, (gained("sibling_sae", "sibling", shifted=False), above(0))), where="modularity",
        ),
    )  # fmt: skip


def _ablations() -> tuple[Claim, ...]:
    return (
        Claim(
            "C5a", "Plain LoRA on the same questions with bare answers, at as many steps, does not do as well.",
            "it does not work", "recalled", gained("sae", "sft", shifted=False), above(0), given=LEARNED, where="ablations",
        ),
        Claim(
            "C5b", "A dictionary of the model after reinforcement does better than one of the target itself.", "better",
            "recalled", gained("sae", "base_sae", shifted=False), above(0), given=TUNED, where="ablations",
        ),
        Claim(
            "C5c", "The layer whose dictionary serves best lies in the middle third.", "such as 12 of 28", "recalled",
            level("best_place"), between(1 / 3, 2 / 3), given=LEARNED, where="ablations",
        ),
        Claim(
            "C6", "The more latents are active at thinking marks alone, the better a layer's dictionary serves.",
            "a prediction, from memory", "recalled", level("count_rank"), above(0.3),
            given=(*LEARNED, (level("only_thinking"), above(0.5))), over=("layer",), where="transparency",
        ),
    )  # fmt: skip


def _mechanism() -> tuple[Claim, ...]:
    """Whether it is the dictionary that does it: each must lose to the learned one for the mechanism to stand."""
    others = (
        ("a", "random", "a random dictionary whose error is as large"),
        ("b", "noise", "Gaussian noise of the same energy"),
        ("c", "unrelated", "the dictionary of an unrelated model"),
    )
    return tuple(
        Claim(
            f"C0{letter}", f"The source's dictionary does better than {words}.", OURS, "recalled",
            gained("sae", arm, shifted=False), above(0), given=TUNED, where="our control",
        )
        for letter, arm, words in others
    )  # fmt: skip


def _controls() -> tuple[Claim, ...]:
    told = "must hold of any correct measurement"
    base, rl = passed("base", shifted=False), passed("rl", shifted=False)
    return (
        Claim("K1", "Where nothing is replaced, tuning leaves the score as it was.", told, "recalled", gained("identity", "base"), between(-0.03, 0.03), kind="control"),
        Claim("K2", "A decoder that learned nothing is not right.", told, "recalled", level("passed", arm="untrained"), below(0.05), ("laptop",), kind="control"),
        Claim("K3", "Reinforcement is light: the base has 85 to 95% of its counterpart's score.", "most of the paper's pairs, from memory", "recalled", ratio(base, rl), between(0.85, 0.95), kind="control"),
        Claim("K4", "Rewards dealt at random teach less than the verifier's.", told, "recalled", gained("rl", "luck", shifted=False), above(0), ("laptop",), kind="control"),
        Claim("K5", "The adapter does not help a model of another origin.", told, "recalled", gained("stranger_moved", "stranger", shifted=False), below(0.05), kind="control"),
        Claim("K6", "A random dictionary and noise leave as much of the target's activations unexplained as the learned dictionary.", told, "recalled", _leaving(), between(-0.1, 0.1), kind="control"),
    )  # fmt: skip


def _leaving() -> Linear:
    """What random dictionary and noise leave unexplained of the target's activations, minus what the dictionary does."""
    return minus(share(0.5, Linear((*_left("random"), *_left("noise")), "left by random and by noise")), level("left", arm="sae"))  # fmt: skip


def _left(arm: str) -> tuple[Term, ...]:
    return level("left", arm=arm).terms


CLAIMS = (*_retention(), *_generality(), *_ablations(), *_mechanism(), *_controls())
