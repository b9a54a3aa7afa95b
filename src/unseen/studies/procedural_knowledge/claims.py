"""What does the paper say, as inequalities that runs can refute?

C1a: the mean correlation of rankings of two problems of one kind, minus that of two facts, lies above 0.2.
"""

from __future__ import annotations

from unseen.core.claim import Claim, Effect, Linear, Region, Want, above, below, between, gap, level, minus

Given = tuple[tuple[Effect, Region], ...]
MAIN: dict[str, Want] = {"setting": "Learned", "arm": "main"}
UNTRAINED: dict[str, Want] = {"setting": "Learned", "arm": "untrained"}
SHUFFLED: dict[str, Want] = {"setting": "Learned", "arm": "shuffled"}
REAL: dict[str, Want] = {"setting": "Traced"}
EK: dict[str, Want] = {"method": "influence"}
TRACED: dict[str, Want] = {**MAIN, **EK}
LEARNED = above(0.8)  # of questions: the paper chose tasks that its models solve four times in five
GUESSED = below(0.25)
FACTS, PROBLEMS = {"type": "factual"}, {"type": "reasoning"}


def answers(split: str, **arm: Want) -> Linear:
    """Exact match on a split."""
    return level("exact", split=split, **arm)


BOTH: Given = ((answers("facts", **MAIN), LEARNED), (answers("problems", **MAIN), LEARNED))


def _likeness() -> tuple[Claim, ...]:
    pair = [{"pair": name} for name in ("reasoning", "factual", "reasoning and its control", "other kinds")]
    real: Given = ((level("nats", type="factual", **REAL), below(12)),)
    return (
        Claim(
            "C1a",
            "Documents that help one problem help the others of its kind, far more than one fact's help another's.",
            reported="up to 0.96 for problems; 0.06 (7B) and 0.03 (35B) for facts",
            source="paper",
            effect=gap("likeness", pair[0], pair[1], **TRACED),
            expect=above(0.2),
            where="finding 1, figure 2",
            given=BOTH,
        ),
        Claim(
            "C1b",
            "Rankings of problems are less like those of prompts that only look like them than like each other's.",
            reported="0.2 between problems and their controls",
            source="paper",
            effect=gap("likeness", pair[0], pair[2], **TRACED),
            expect=above(0),
            where="finding 1",
            given=BOTH,
        ),
        Claim(
            "C1c",
            "The gap is larger than under nearly every other order of the questions' labels.",
            reported="p < 0.001",
            source="paper",
            effect=level("likeness_chance", **TRACED),
            expect=below(0.01),
            where="finding 1",
            given=BOTH,
        ),
        Claim(
            "C1d",
            "The gap is larger in rankings by influence than in rankings by the words that are shared.",
            reported="not compared",
            source="recalled",
            effect=_by_method("influence", "words"),
            expect=above(0),
            where="ours: the sheet's question whether influence is more than words",
            given=BOTH,
        ),
        Claim(
            "C1f",
            "Problems' rankings are more alike in decoders that learned to solve them than in those that read random results.",
            reported="not compared",
            source="recalled",
            effect=gap("likeness", {"arm": "main"}, {"arm": "shuffled"}, pair="reasoning", setting="Learned", **EK),
            expect=above(0),
            where="ours: whether rankings are alike for what is learned or for how it is written",
            given=BOTH,
        ),
        Claim(
            "C1e",
            "In a language model too, solved word problems help word problems alike, and facts not.",
            reported="as C1a",
            source="paper",
            effect=gap("likeness", pair[0], pair[1], **REAL, **EK),
            expect=above(0.2),
            over=("model",),
            where="finding 1",
            given=real,
        ),
    )


def _by_method(first: str, second: str) -> Linear:
    """The gap of C1a by one method minus that by another."""
    pair = {"pair": "reasoning"}, {"pair": "factual"}
    return minus(*(gap("likeness", *pair, method=m, **MAIN) for m in (first, second)))


def _reliance() -> tuple[Claim, ...]:
    return (
        Claim(
            "C2a",
            "A nat of a fact's answer rests on its top documents more than a nat of a problem's solution.",
            reported="a lower and less volatile sum for reasoning at every k; clearer at 35B",
            source="paper",
            effect=gap("reliance", FACTS, PROBLEMS, **TRACED),
            expect=above(0),
            where="finding 2, figure 3",
            given=BOTH,
        ),
        Claim(
            "C2b",
            "Between facts that sum varies more than between problems.",
            reported="more volatile for factual questions",
            source="paper",
            effect=gap("reliance_spread", FACTS, PROBLEMS, **TRACED),
            expect=above(0),
            where="finding 2, figure 3",
            given=BOTH,
        ),
        Claim(
            "C2c",
            "Within its top, influence falls more steeply with the rank for problems than for facts.",
            reported="steeper for reasoning, top 500",
            source="paper",
            effect=gap("steepness", PROBLEMS, FACTS, **TRACED),
            expect=above(0),
            where="finding 2, appendix",
            given=BOTH,
        ),
    )


def _contents() -> tuple[Claim, ...]:
    there: Given = (*BOTH, (level("answer_there", type="reasoning", **TRACED), above(0.5)))
    return (
        Claim(
            "C3",
            "A fact's top documents hold its answer; a problem's do not hold its steps, though other documents do.",
            reported="55% (7B) and 30% (35B) of facts, 7% and 0% of problems",
            source="paper",
            effect=gap("answer_found", FACTS, PROBLEMS, **TRACED),
            expect=above(0.3),
            where="finding 3",
            given=there,
        ),
        Claim(
            "C4",
            "General statements of the right steps stand at the top of problems' rankings more often than by chance.",
            reported="in the top 100 of 16 (7B) and 20 (35B) of 20 questions about slopes",
            source="paper",
            effect=level("rules_over", **TRACED),
            expect=above(1),
            where="finding 4",
            given=BOTH,
        ),
        Claim(
            "C5a",
            "At the top of problems' rankings, sources of mathematics stand at least twice as often as in the corpus.",
            reported="code and ArXiv at least 2 times",
            source="paper",
            effect=level("over", source="mathematics", **PROBLEMS, **TRACED),
            expect=above(2),
            where="finding 5",
            given=BOTH,
        ),
        Claim(
            "C5b",
            "There, questions that were answered stand at least twice as often.",
            reported="StackExchange more than 10 times",
            source="paper",
            effect=level("over", source="forum", **PROBLEMS, **TRACED),
            expect=above(1.5),
            where="finding 5; half of our corpus is such, so that 2 times is the most there can be",
            given=BOTH,
        ),
        Claim(
            "C5c",
            "At the top of facts' rankings, encyclopedias stand at least twice as often as in the corpus.",
            reported="Wikipedia over-represented",
            source="paper",
            effect=level("over", source="encyclopedia", **FACTS, **TRACED),
            expect=above(2),
            where="finding 5",
            given=BOTH,
        ),
    )


def _causes() -> tuple[Claim, ...]:
    top, other = {"left": "top"}, {"left": "random"}
    return tuple(
        Claim(
            name,
            f"Trained anew without {what} top documents, a decoder finds their answers less likely than without as many others.",
            reported="counterfactual retraining agrees with influence",
            source="paper",
            effect=gap("rise", top, other, type=kind, **MAIN),
            expect=above(0),
            where="appendix A.1",
            given=BOTH,
        )
        for name, what, kind in (("C6a", "facts'", "factual"), ("C6b", "problems'", "reasoning"))
    )


def _controls() -> tuple[Claim, ...]:
    return (
        Claim(
            "K1",
            "Decoders that were not trained solve no problems.",
            reported="none",
            source="recalled",
            effect=answers("problems", **UNTRAINED),
            expect=GUESSED,
            kind="control",
        ),
        Claim(
            "K2",
            "Decoders that read shuffled results solve no problems.",
            reported="none",
            source="recalled",
            effect=answers("problems", **SHUFFLED),
            expect=GUESSED,
            kind="control",
        ),
        Claim(
            "K3",
            "Rankings whose documents are shuffled for each question alone are not alike.",
            reported="none",
            source="recalled",
            effect=level("likeness_shuffled", **TRACED),
            expect=between(-0.05, 0.05),
            kind="control",
        ),
    )


CLAIMS = (*_likeness(), *_reliance(), *_contents(), *_causes(), *_controls())
