"""What does the paper say, as inequalities that runs can refute? Here of SkillText; of language models in `claims_mix`.

T1a: full marks of decoders trained on texts of up to three skills when four are asked for, minus those of decoders trained
on texts of one, lie above 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, gap, level, minus, one_of, rank
from unseen.core.record import Value

from .claims_mix import MIX_CLAIMS, MIX_HEADLINES, MIX_MARKS

Given = tuple[tuple[Effect, Region], ...]
OVER = ("axis", "shifted")
LEARNED = above(0.6)  # of single texts, sampled as published, for as many skills as were trained together
ARM = {"setting": "Learned", "learner": "trained", "sentences": 3}
EVER = {**ARM, "among": "trained"}  # skills and topics trained on; only how many are asked together changes
# DEPARTS: no small base model can write texts before it is trained; one trained on single skills stands for it.
RICH, PAIRS, SINGLE = ({"trained_k": k} for k in (3, 2, 1))


def learned(*trained_k: int, **where: Value) -> Given:
    """The preconditions that these decoders earn full marks for every number of skills that they were trained on."""
    arm = {**EVER, **where}
    return tuple((level("full", **arm, trained_k=t, k=k), LEARNED) for t in trained_k for k in range(1, t + 1))


def more(k: int, rich: dict[str, int], poor: dict[str, int], **where: Value) -> Linear:
    """Full marks for k skills: of decoders trained on richer texts, minus those of decoders trained on poorer ones."""
    return gap("full", rich, poor, **{**ARM, "k": k, **where})


def _extrapolation() -> Iterator[Claim]:
    for letter, k, reported in (("a", 4, "higher (in words)"), ("b", 5, "higher (in words)")):
        yield Claim(
            f"T1{letter}", f"Decoders trained on texts of up to three skills combine {k} more often than those trained on single ones.",
            reported=reported, source="paper", where="abstract",
            effect=more(k, RICH, SINGLE, among="trained"), expect=above(0), over=OVER, given=learned(3, 1),
        )  # fmt: skip


def _held_out() -> Iterator[Claim]:
    told = (("a", "instances", "held-out skills of the kinds trained on"), ("b", "categories", "skills of whole kinds held out"))  # fmt: skip
    for letter, pool, what in told:
        yield Claim(
            f"T2{letter}", f"They combine three {what} more often, too.",
            reported="about 4% before, 37% after (LLaMA-2-13B-Chat, held-out categories)", source="recalled",
            where="held-out skills", effect=more(3, RICH, SINGLE, among=pool), expect=above(0), over=OVER, given=learned(3, 1),
        )  # fmt: skip


def _data() -> Iterator[Claim]:
    for letter, rich, poor, what in (("a", RICH, PAIRS, "up to three skills teach four better than those of up to two"), ("b", PAIRS, SINGLE, "up to two skills teach four better than those of one")):  # fmt: skip
        yield Claim(
            f"T3{letter}", f"As many texts of {what}.",
            reported="richer texts are more data-efficient (in words)", source="paper", where="abstract",
            effect=more(4, rich, poor, among="trained"), expect=above(0), over=OVER,
            given=learned(*(one["trained_k"] for one in (rich, poor))),
        )  # fmt: skip


def _parrots() -> Iterator[Claim]:
    yield Claim(
        "T5a", "The more skills are asked for together, the fewer texts have full marks.",
        reported="falls with k (GPT-4 and all others)", source="paper", where="Skill-Mix, tables of k",
        effect=rank("full", "k", **EVER, **RICH), expect=below(0), over=OVER, given=learned(3),
    )  # fmt: skip
    for letter, k in (("b", 5), ("c", 6)):
        beyond = minus(level("full", **EVER, **RICH, k=k), level("bound", setting="Baseline", sentences=3, among="trained", k=k))  # fmt: skip
        yield Claim(
            f"T5{letter}", f"Decoders earn full marks for {k} skills more often than any text of their training set could.",
            reported="GPT-4 at k=5, 36 to 38% against a bound of 0.07 texts in a corpus", source="recalled",
            where="Skill-Mix, beyond stochastic parrots", effect=beyond, expect=above(0), over=OVER, given=learned(3),
        )  # fmt: skip


def _apart() -> Iterator[Claim]:
    yield Claim(
        "T6", "Four skills are combined more often than the text of the most similar training prompt shows them.",
        reported="not reported: a baseline of ours", source="recalled",
        effect=minus(level("full", **EVER, **RICH, k=4), level("full", setting="Baseline", writer="retrieval", sentences=3, among="trained", k=4)),
        expect=above(0), over=OVER, given=learned(3),
    )  # fmt: skip
    yield Claim(
        "T7", "Where prompts and texts grow with the number of skills, as published, four are combined less often than where they do not.",
        reported="not reported: length and composition are shifted together", source="recalled",
        effect=gap("full", {"sentences": 3}, {"sentences": 0}, setting="Learned", learner="trained", among="trained", k=4, **RICH),
        expect=above(0), over=(*OVER, "steps"), given=(*learned(3), *learned(3, sentences=0)),
    )  # fmt: skip


def _controls() -> Iterator[Claim]:
    wide = (*OVER, "among", "k", "sentences")
    told: tuple[tuple[str, str, Linear, Region], ...] = (
        ("U1", "An oracle's texts have full marks.", level("full", setting="Baseline", writer="oracle"), above(0.99)),
        ("U2", "Random letters seldom have full marks for two skills or more.",
         level("full", setting="Baseline", writer="random", k=one_of(2, 3, 4, 5, 6)), below(0.02)),
        ("U3", "Untrained decoders earn no full marks.", level("full", setting="Learned", learner="untrained"), below(0.01)),
        ("U4", "Decoders trained on the texts of other prompts do not combine two skills that they were trained on.",
         level("full", setting="Learned", learner="shuffled", among="trained", k=2), below(0.1)),
        ("U5", "Decoders that never met the name of a kind of skill seldom combine three of it: this shows nothing of what pretrained models do.",
         level("full", **ARM, **RICH, among="categories", k=3), below(0.1)),
    )  # fmt: skip
    for id, says, effect, expect in told:
        yield Claim(
            id, says, reported="not reported: a control", source="recalled", kind="control", effect=effect, expect=expect,
            over=wide,
        )  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    *_extrapolation(), *_held_out(), *_data(), *_parrots(), *_apart(), *_controls(), *MIX_CLAIMS,
)  # fmt: skip
HEADLINES = MIX_HEADLINES
MARKS = MIX_MARKS
