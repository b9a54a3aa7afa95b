"""What does the paper claim of prompted models, where does each claim lie here, and what must hold whatever is true?

Claims about small decoders trained on traces and episodes stand in `learned.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from unseen.core.claim import Claim, Effect, Region, above, below, between, gap, level, minus, off_floor, slope
from unseen.core.record import Value
from unseen.core.study import Headline, Mark

Where = Mapping[str, Value]
Given = tuple[tuple[Effect, Region], ...]
DP_CHANCE = 0.1  # the share of the most frequent sum, an upper bound of what guessing gives
CHANCE: Mapping[str, float] = {"dp": DP_CHANCE}  # of all other tasks it is 0


def _arm(task: str, method: str, **more: Value) -> dict[str, Value]:
    """The conditions that single out one arm: true exemplars in their first order."""
    return {"setting": "Prompted", "task": task, "method": method, "exemplars": "true", "order": 0, **more}


def _known(*arms: Where) -> Given:
    """The precondition of every arm: its reference is above chance, so that a shifted score of 0 means something."""
    return tuple(off_floor("exact", CHANCE.get(str(arm["task"]), 0.0), **arm) for arm in arms)


def _more(id: str, arms: str, by: float, says: str, reported: str, where: str) -> Claim:
    """The first of two methods is right on shifted splits of a task more often than the second, by more than `by`."""
    task, first, second = arms.split()
    a, b = _arm(task, first), _arm(task, second)
    return Claim(
        id, says, reported=reported, source="paper", where=where,
        effect=gap("exact", a, b, shifted=True), expect=above(by), over=OVER, given=_known(a, b),
        tiers=("paper",) if task in LONG or second == "decomp" else ("laptop", "paper"),
    )  # fmt: skip


LONG = ("addition", "multiplication")  # solutions of hundreds of tokens: asked at the paper tier alone
OVER = ("model", "num_fewshot")  # hub models are pooled; methods show different numbers of exemplars


def _length() -> tuple[Claim, ...]:
    skic, cot = _arm("last_letter", "skic"), _arm("last_letter", "cot")
    return (
        _more("C1a", "last_letter skic cot", 0.1, "On more words than the exemplars have, skills in context beat a chain of thought by more than 0.1.", "100 against 85 at 12 words, 100 against 56 at 100 (ChatGPT)", "the results on last letters"),
        Claim(
            "C1b", "With more words, accuracy falls more slowly than with a chain of thought.",
            reported="SKiC 100 at 12 and at 100 words, chain of thought 85 and 56 (ChatGPT)", source="paper", where="the results on last letters",
            effect=minus(slope("exact", "words", **skic), slope("exact", "words", **cot)), expect=above(0),
            over=OVER, given=_known(skic, cot),
        ),
        _more("C2a", "addition skic cot", 0.1, "On longer numbers than the exemplars have, skills in context add better than a chain of thought, by more than 0.1.", "98.5 against 38 (text-davinci-003), 100 against 80 (ChatGPT), at 7 digits", "the results on addition and multiplication"),
        _more("C2b", "multiplication skic cot", 0.1, "They multiply better, too.", "48.5 against 2 (ChatGPT), at 5 digits", "the results on addition and multiplication"),
        _more("C4", "dp skic cot", 0.1, "On longer lists than the exemplars have, they solve dynamic programs better, by more than 0.1.", "92 against 55.5 (ChatGPT), at 8 numbers", "the results on dynamic programming"),
    )  # fmt: skip


def _composition() -> tuple[Claim, ...]:
    skic = _arm("commaqa", "skic")
    return (
        _more("C3a", "commaqa skic cot", 0.1, "On orders of hops that the exemplars do not show, skills in context answer better than a chain of thought, by more than 0.1.", "80.8 against 46.4 (ChatGPT)", "the results on CommaQA-E"),
        _more("C3b", "commaqa skic decomp", 0.0, "They answer better than decomposed prompting with six times the exemplars.", "80.8 against 73.5 (ChatGPT)", "the results on CommaQA-E"),
        Claim(
            "C3c", "Unseen orders of hops are no harder for them than seen ones.",
            reported="80.8 on unseen, 70 on seen orders (ChatGPT)", source="paper", where="the results on CommaQA-E",
            effect=gap("exact", {"shifted": True}, {"shifted": False}, **skic), expect=above(-0.05), over=OVER, given=_known(skic),
        ),
    )  # fmt: skip


def _ablation() -> tuple[Claim, ...]:
    full, bare, alone = "skic", "skic_without_skills", "skic_without_grounding"
    return (
        _more("C5a", f"dp {full} {bare}", 0.0, "The list of skills helps on longer lists.", "98 with it, 94 without, at 8 numbers", "the ablation on dynamic programming"),
        _more("C5b", f"dp {full} {alone}", 0.0, "Naming the skill of every step helps on longer lists.", "98 with it, 82 without, at 8 numbers", "the ablation on dynamic programming"),
        _more("C5c", f"dp {bare} {alone}", 0.0, "Naming the skills helps more than listing them.", "94 without the list, 82 without the names, at 8 numbers", "the ablation on dynamic programming"),
    )  # fmt: skip


def _real() -> tuple[Claim, ...]:
    skic = _arm("gsm8k", "skic")
    other = {**skic, "order": 1}
    return (
        Claim(
            "C6a", "On MATH, skills in context beat a chain of thought.",
            reported="40.6 against 34.1 (ChatGPT)", source="paper", where="the results on MATH", tiers=("paper",),
            effect=gap("exact", _arm("math", "skic"), _arm("math", "cot")), expect=above(0), over=OVER,
        ),
        Claim(
            "C6b", "More than one named skill in twenty is not in the prompt.",
            reported="14.9% (ChatGPT), 24.3% (GPT-4), on MATH", source="paper", where="internal skills on MATH", tiers=("paper",),
            effect=level("internal", **_arm("math", "skic")), expect=above(0.05), over=OVER,
        ),
        _more("C6c", "gsm8k skic cot", 0.0, "On word problems with more calculations than the exemplars show, skills in context beat a chain of thought.", "87 against 73 to 74 (ChatGPT), all problems", "exemplar order on GSM8K"),
        Claim(
            "C7", "The order of the exemplars changes little on word problems.",
            reported="86.9 to 87.8 over three orders; chain of thought 73.0 to 74.4", source="paper", where="exemplar order on GSM8K",
            effect=gap("exact", skic, other), expect=between(-0.05, 0.05), over=OVER,
            given=_known(skic, other),
        ),
    )  # fmt: skip


def _controls() -> tuple[Claim, ...]:
    oracle, untrained = ({"setting": "Control", "speaker": who} for who in ("oracle", "untrained"))
    true, wrong = (_arm("last_letter", "few_shot") | {"exemplars": which} for which in ("true", "shuffled"))
    every = ("task", "method", "shown", "beyond")
    return (
        Claim(
            "K1", "A speaker that works every problem through is always right: prompts hold what they need.",
            reported="not reported: a control", source="recalled", kind="control", unit="item",
            effect=level("exact", **oracle), expect=above(0.9), over=every,
        ),
        Claim(
            "K2", "An untrained decoder is never right by chance.",
            reported="not reported: a control", source="recalled", kind="control", unit="item",
            effect=level("exact", **untrained), expect=below(0.05), over=every,
        ),
        Claim(
            "K3", "Exemplars with each other's answers help no more than true ones.",
            reported="not reported: a control", source="recalled", kind="control", unit="item",
            effect=gap("exact", true, wrong), expect=above(-0.1), over=OVER,
        ),
    )  # fmt: skip


CLAIMS_PROMPTED: tuple[Claim, ...] = (*_length(), *_composition(), *_ablation(), *_real(), *_controls())


def _headline(axis: str, task: str, method: str) -> Headline:
    return Headline(axis, "exact", CHANCE.get(task, 0.0), _arm(task, method))


HEADLINES: tuple[Headline, ...] = (
    _headline("length", "last_letter", "skic"),
    _headline("length", "addition", "few_shot"),
    _headline("composition", "commaqa", "few_shot"),
    _headline("complexity", "gsm8k", "cot"),
)


def _marks(task: str, split: str, label: str, **values: float) -> tuple[Mark, ...]:
    return tuple(Mark("exact", v, {"setting": "Prompted", "task": task, "method": m, "split": split}, label) for m, v in values.items())  # fmt: skip


MARKS: tuple[Mark, ...] = (
    *_marks("last_letter", "12 words", "ChatGPT", zero_shot=0.77, few_shot=0.85, cot=0.85, least_to_most=0.88, skic=1.0),
    *_marks("last_letter", "100 words", "ChatGPT", zero_shot=0.16, few_shot=0.28, cot=0.56, least_to_most=0.76, skic=1.0),
    *_marks("addition", "7 digits", "ChatGPT", zero_shot=0.78, few_shot=0.835, cot=0.8, skic=1.0),
    *_marks("multiplication", "5 digits", "ChatGPT", zero_shot=0.0, few_shot=0.0, cot=0.02, skic=0.485),
    *_marks("dp", "8 numbers", "ChatGPT", zero_shot=0.0, few_shot=0.0, cot=0.555, skic=0.92),
    *_marks("commaqa", "iid", "ChatGPT", zero_shot=0.42, few_shot=0.47, cot=0.55, decomp=0.64, skic=0.7),
    *_marks("commaqa", "compgen", "ChatGPT", zero_shot=0.306, few_shot=0.403, cot=0.464, decomp=0.735, skic=0.808),
)  # fmt: skip
