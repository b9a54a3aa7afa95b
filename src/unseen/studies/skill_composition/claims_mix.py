"""What do the papers say of language models that compose skills, as inequalities that runs can refute?

M1a: full marks on texts of four skills after training on two and three, minus those before, lie above 0.

The papers' claims C1 to C5, each as far as it speaks of language models; those about small decoders on texts of letters
stand in `claims.py`. A judge's points are evidence only as far as the judge agrees with others (M4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unseen.core.claim import Claim, Effect, Region, above, below, gap, level, minus, off_floor, slope
from unseen.core.effect import Want
from unseen.core.record import Value
from unseen.core.study import Headline, Mark, Tier

from .arms_mix import JUDGES, PROGRAM, READER, SMALL_JUDGE

Given = tuple[tuple[Effect, Region], ...]
Where = Mapping[str, Value]
BEFORE, AFTER = {"phase": "before"}, {"phase": "after"}
SEEN, HELD = {"among": "train"}, {"among": "held out"}
OWN: dict[str, Value] = {"setting": "Written", "skills": "own"}
PUBLISHED: dict[str, Value] = {"setting": "Written", "skills": "published"}
COMPARED: dict[str, Want] = {"setting": "Compared", "graders": frozenset({JUDGES, (PROGRAM, SMALL_JUDGE)})}
READ: dict[str, Want] = {"setting": "Compared", "graders": (PROGRAM, READER)}
WIDE = ("model", "checkpoint", "form", "k", "grader", "graders", "writers", "skills")
PAPER: tuple[Tier, ...] = ("paper",)
# The expected number of texts of k skills on a topic in a corpus of RedPajama's size (p_s^k · p_t · L), as recalled.
BOUND = {5: 0.07, 6: 0.001}


def taught(*mixture: int) -> dict[str, Value]:
    """The arm that was trained on these sizes."""
    return {"setting": "Taught", "mixture": mixture}


def gain(mixture: tuple[int, ...], **where: Value) -> Effect:
    """Full marks after training minus before."""
    return gap("full", AFTER, BEFORE, **taught(*mixture), **where)


def learned(*mixture: int) -> tuple[Effect, Region]:
    """The precondition that texts of sizes and skills that were trained on have full marks after training."""
    return level("full", **taught(*mixture), **AFTER, **SEEN, k=max(mixture)), above(0.5)


def _taught() -> Iterator[Claim]:
    known = (learned(2, 3),)
    told = (
        ("M1a", "Training on texts of two and three skills raises full marks on four skills of the trained categories.", "held-out combinations rise (abstract)", gain((2, 3), k=4, **SEEN), known),
        ("M1b", "It raises full marks on five skills, too.", "held-out combinations rise (abstract)", gain((2, 3), k=5, **SEEN), known),
        ("M2a", "It raises full marks on three skills of categories that were never trained on.", "4% to 37% (LLaMA-2-13B-Chat, from memory)", gain((2, 3), k=3, **HELD), known),
        ("M3a", "At as many texts, training on one to three skills gives more full marks on four than training on one.", "richer texts give more (in words)", gap("full", taught(1, 2, 3), taught(1), **AFTER, **SEEN, k=4), (learned(1, 2, 3), learned(1))),
        ("M3b", "At as many texts, training on one to three skills gives more on four than training on one and two.", "richer texts give more (in words)", gap("full", taught(1, 2, 3), taught(1, 2), **AFTER, **SEEN, k=4), (learned(1, 2, 3), learned(1, 2))),
    )  # fmt: skip
    for id, says, reported, effect, given in told:
        yield Claim(id, says, reported=reported, source="recalled", tiers=PAPER, effect=effect, expect=above(0), over=WIDE, given=given)  # fmt: skip


def _graders() -> Iterator[Claim]:
    yield Claim(
        "M4a", "The order of the writers stays when the grader is replaced: more than nine pairs in ten are ordered alike.",
        reported="Claude 3 Opus and GPT-4 order models alike; Kendall's tau of 0.8 is nine pairs in ten", source="paper",
        where="the section on graders", effect=level("ordered", **COMPARED), expect=above(0.9), over=WIDE,
        given=((level("informed", **COMPARED, point="skills"), above(0.2)),),
    )  # fmt: skip
    yield Claim(
        "M4b", "Large graders agree on the points of skills better than by chance: Cohen's kappa lies above 0.2.",
        reported="not reported: agreement beside order", source="recalled", tiers=PAPER,
        effect=level("kappa", **{**COMPARED, "graders": JUDGES}, point="skills"), expect=above(0.2), over=WIDE,
    )  # fmt: skip


def _written() -> Iterator[Claim]:
    alone = (off_floor("full", 0.0, **OWN),)
    yield Claim(
        "M5a", "Full marks fall with the number of skills.", reported="every model falls with k", source="paper",
        where="the main table of Skill-Mix", effect=slope("full", "k", **OWN), expect=below(0), over=WIDE, given=alone,
    )  # fmt: skip
    yield Claim(
        "M5b", "The share of the skills in texts that are sound in all else falls with their number, too.",
        reported="skill fraction falls with k", source="paper", where="the main table of Skill-Mix",
        effect=slope("fraction", "k", **OWN), expect=below(0), over=WIDE, given=alone,
    )  # fmt: skip
    for letter, k in (("c", 5), ("d", 6)):
        yield Claim(
            f"M5{letter}", f"With {k} skills, full marks exceed the share of combinations that a corpus may hold ({BOUND[k]:g}).",
            reported="GPT-4 has 36 to 38% at k = 5" if k == 5 else "GPT-4 is above the bound", source="recalled", tiers=PAPER,
            effect=level("full", **PUBLISHED, k=k), expect=above(BOUND[k]), over=WIDE, given=(off_floor("full", 0.0, **PUBLISHED),),
        )  # fmt: skip
    yield Claim(
        "M5e", "Models show the skills they are asked for more often than skills that they are not asked for.",
        reported="not reported: skills may be there by accident", source="recalled",
        effect=minus(level("shown", **OWN), level("swapped", **OWN)), expect=above(0), over=WIDE,
    )  # fmt: skip


def _audits() -> Iterator[Claim]:
    read = {"setting": "Written"}
    yield Claim(
        "A1", "The best of three texts, which Skill-Mix reports, has more skills than a text has on average.",
        reported="max over three generations", source="code", where="aggregate_metrics.py", kind="audit",
        effect=minus(level("best_fraction", **read), level("fraction", **read)), expect=above(0.005), over=WIDE,
    )  # fmt: skip
    yield Claim(
        "A2", "Three gradings at the released temperature differ on more than 2% of the points: equal files are one grading.",
        reported="the released records of three gradings are the same file", source="code", where="test/", kind="audit",
        tiers=PAPER, effect=level("wavering", **COMPARED), expect=above(0.02), over=WIDE,
    )  # fmt: skip
    yield Claim(
        "A3", "The released count of sentences lets texts pass as short which are not, as it knows no breaks of lines.",
        reported="sentences are counted by program", source="code", where="utils.py, count_num_sentences", kind="audit",
        effect=minus(level("short_as_released", **read), level("short", **read)), expect=above(0.0), over=WIDE,
    )  # fmt: skip


def _controls() -> Iterator[Claim]:
    wide = (*WIDE, "sizes", "limit")
    told: tuple[tuple[str, str, Effect, Region], ...] = (
        ("L1", "Texts that show every skill have full marks, whatever the number of skills.", level("full", setting="Speaker", speaker="oracle"), above(0.97)),
        ("L2", "Texts that show half of the skills have none.", level("full", setting="Speaker", speaker="half"), below(0.05)),
        ("L3", "Texts that only name the skills have none.", level("full", setting="Speaker", speaker="namer"), below(0.03)),
        ("L4", "Words by chance have none.", level("full", setting="Speaker", speaker="words"), below(0.03)),
        ("L5", "Texts seldom show a skill that they were not asked for.", level("swapped", setting="Speaker", speaker="oracle"), below(0.1)),
        ("L6", "Asked as a model is, and its replies read as a model's are, the program gives the points it gives.", level("agreed", **READ, point="skills"), above(0.95)),
    )  # fmt: skip
    for id, says, effect, expect in told:
        yield Claim(id, says, reported="not reported: a control", source="recalled", kind="control", effect=effect, expect=expect, over=wide)  # fmt: skip


MIX_CLAIMS: tuple[Claim, ...] = (*_taught(), *_graders(), *_written(), *_audits(), *_controls())
MIX_HEADLINES = (Headline("composition", "full", 0.0, OWN),)
MIX_MARKS: tuple[Mark, ...] = (
    Mark("full", 0.04, {**taught(2, 3), **BEFORE, **HELD, "k": 3}, "paper: LLaMA-2-13B-Chat before (from memory)"),
    Mark("full", 0.37, {**taught(2, 3), **AFTER, **HELD, "k": 3}, "paper: LLaMA-2-13B-Chat after (from memory)"),
    Mark("full", 0.37, {**PUBLISHED, "k": 5}, "Skill-Mix: GPT-4 at k = 5 (from memory)"),
)
