"""What does the paper say, as inequalities that runs can refute?

C2c: what GRPO gains on the levels it trains on, minus what it gains on the next level, lies above 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, between, gap, level, minus, rank, slope
from unseen.core.record import Value
from unseen.core.study import Headline, Mark

Where = Mapping[str, Value]
Given = tuple[tuple[Effect, Region], ...]
OVER = ("family", "role", "shifted")
TUNED = {"setting": "Tuned"}
ASKED = {"setting": "Judged", "axis": "complexity"}
AFTER, BEFORE = {"phase": "after"}, {"phase": "before"}
LEARNED = above(0.9)  # of the levels a decoder is trained on
FLOOR = above(0.1)  # of the lowest level, lest a model that can do nothing seem to fall nowhere
TWIN = {"setting": "Learned", "also": "twin_n_gon", "learner": "trained"}
LETTERS = {"setting": "Learned", "also": "trans_prob_letter", "learner": "trained"}


def gain(**where: Value) -> Linear:
    """Exact match after reinforcement minus before."""
    return gap("exact", AFTER, BEFORE, **TUNED, **where)


def _levels() -> Iterator[Claim]:
    easy = ((level("exact", **ASKED, level=1), FLOOR),)
    yield Claim(
        "C1a", "The higher a problem's level, the fewer problems a language model solves.",
        reported="falls sharply on nearly every template", source="paper", where="the figure of accuracy by level",
        effect=rank("exact", "level", **ASKED), expect=below(0), over=OVER, given=easy,
    )  # fmt: skip
    yield Claim(
        "C1b", "From the lowest level to the fifth it loses more than 0.3 on the average template.",
        reported="from near the ceiling to near 0", source="recalled", where="the figure of accuracy by level",
        effect=gap("exact", {"level": 1}, {"level": 5}, **ASKED), expect=above(0.3), unit="family",
        over=("role", "shifted"), given=easy,
    )  # fmt: skip
    yield Claim(
        "C1c", "It falls with the level on the average template.",
        reported="falls sharply on nearly every template", source="paper", where="the figure of accuracy by level",
        effect=slope("exact", "level", **ASKED), expect=below(0), unit="family", over=("role", "shifted"), given=easy,
    )  # fmt: skip


def _exploratory() -> Iterator[Claim]:
    trained, further = gain(axis="complexity", shifted=False), gain(axis="complexity", shifted=True)
    told = (
        ("C2a", "Reinforcement on levels 1 and 2 raises exact match on these levels.", "+61 points (zebra logic)", trained, ()),
        ("C2b", "It raises exact match on the next level, too.", "+53 points (zebra logic)", further, ((trained, above(0)),)),
        ("C2c", "It raises the next level less than the levels trained on.", "53 against 61 points (zebra logic)",
         minus(trained, further), ((trained, above(0)),)),
    )  # fmt: skip
    for id, says, reported, effect, given in told:
        yield Claim(
            id, says, reported=reported, source="recalled", where="exploratory generalization", tiers=("paper",),
            effect=effect, expect=above(0), over=("asked", *OVER, "level"), given=given,
        )  # fmt: skip


def _compositional() -> Iterator[Claim]:
    parts = tuple(
        (level("exact", **TUNED, **AFTER, axis="composition", role=role), above(0.5)) for role in ("first", "second")
    )
    yield Claim(
        "C3a", "After reinforcement on two templates, a problem that takes both is solved far less often than both are.",
        reported="components above 0.69, a gain of about 0.06 on the composed problem", source="recalled",
        where="compositional generalization", tiers=("paper",),
        effect=level("shortfall", **TUNED, **AFTER), expect=above(0.2), over=("asked",), given=parts,
    )  # fmt: skip
    yield Claim(
        "C3b", "Reinforcement gains less on the composed problem than on the two templates.",
        reported="about 0.06 on the composed problem", source="recalled",
        where="compositional generalization", tiers=("paper",),
        effect=minus(gain(axis="composition", shifted=False), gain(axis="composition", shifted=True)), expect=above(0),
        over=("asked", *OVER, "level"), given=parts,
    )  # fmt: skip


def _transformative() -> Iterator[Claim]:
    trained = ((gain(axis="transformation", shifted=False), above(0.3)),)
    wide = ("asked", *OVER, "level")
    yield Claim(
        "C4a", "Reinforcement on a template does not help where its strategy fails.",
        reported="about 0, sometimes less", source="recalled", where="transformative generalization", tiers=("paper",),
        effect=gain(axis="transformation", shifted=True), expect=between(-0.05, 0.05), over=wide, given=trained,
    )  # fmt: skip
    yield Claim(
        "C4b", "It makes the model give the familiar strategy's answer there more often.",
        reported="locked in the familiar strategy (in words)", source="recalled", where="transformative generalization",
        tiers=("paper",), effect=gap("familiar", AFTER, BEFORE, **TUNED, axis="transformation", shifted=True),
        expect=above(0), over=wide, given=trained,
    )  # fmt: skip


def _spirals() -> Iterator[Claim]:
    easy = ((level("exact", **ASKED, level=1), FLOOR),)
    yield Claim(
        "C5a", "Answers grow longer with the level.",
        reported="more tokens with the level, until models give up", source="recalled", where="tokens by level",
        effect=slope("tokens", "level", **ASKED), expect=above(0), unit="family", over=("role", "shifted"), given=easy,
    )  # fmt: skip
    yield Claim(
        "C5b", "More than one wrong answer in twenty passes by the right one.",
        reported="right answers are found and lost again (in words)", source="recalled", where="the analysis of errors",
        tiers=("paper",), effect=level("spiral", **ASKED), expect=above(0.05), over=(*OVER, "level"), given=easy,
    )  # fmt: skip


def _decoders() -> Iterator[Claim]:
    both = tuple((level("exact", **TWIN, role=role), LEARNED) for role in ("first", "second"))
    letters = ((level("exact", **LETTERS, shifted=False), LEARNED),)
    wide = ("axis", *OVER, "level")
    for letter, arm, what, given in (("a", TWIN, "turned rings and patterns", both), ("b", LETTERS, "letters that stay", letters)):  # fmt: skip
        further = {"role": "beyond", "level": 3}
        yield Claim(
            f"S1{letter}", f"Decoders trained on levels 1 and 2 of {what} solve the next level less often.",
            reported="+53 points against +61 (reinforcement of a language model)", source="recalled",
            where="exploratory generalization",
            effect=gap("exact", {"shifted": False}, further, **arm), expect=above(0), over=wide, given=given,
        )  # fmt: skip
        yield Claim(
            f"S2{letter}", f"They solve some of the next level of {what}, though they never met it.",
            reported="+53 points (reinforcement of a language model)", source="recalled",
            where="exploratory generalization",
            effect=level("exact", **arm, **further), expect=above(0.05), over=wide, given=given,
        )  # fmt: skip
    yield Claim(
        "S3", "Decoders that learned two strategies do not join them, though every token of the question was trained on.",
        reported="a gain of about 0.06 on composed problems (language models)", source="recalled",
        where="compositional generalization",
        effect=level("shortfall", **TWIN), expect=above(0.2), given=both,
    )  # fmt: skip


def _controls() -> Iterator[Claim]:
    wide = ("families", *OVER, "level", "steps", "problems", "batch", "also", "axis")
    told: tuple[tuple[str, str, Linear, Region], ...] = (
        ("K1", "Right answers, in whatever form they are written, are read as right.",
         level("exact", setting="Control", speaker="oracle"), above(0.99)),
        ("K2", "The right answers of other problems are seldom right.",
         level("exact", setting="Control", speaker="guesser"), below(0.3)),
        ("K3", "Untrained decoders solve nothing.", level("exact", setting="Learned", learner="untrained"), below(0.05)),
        ("K4", "Trained on the answers of other problems, decoders solve little of what they were trained on.",
         level("exact", setting="Learned", learner="shuffled", shifted=False), below(0.4)),
        ("K5", "Decoders that never met a transformed problem's words solve none of it: this shows nothing of insight.",
         level("exact", setting="Learned", role="transformed", learner="trained"), below(0.1)),
    )  # fmt: skip
    for id, says, effect, expect in told:
        yield Claim(
            id, says, reported="not reported: a control", source="recalled", kind="control", effect=effect, expect=expect,
            over=wide,
        )  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    *_levels(), *_exploratory(), *_compositional(), *_transformative(), *_spirals(), *_decoders(), *_controls(),
)  # fmt: skip
HEADLINES = tuple(
    Headline(axis, "exact", 0.0, {"setting": "Judged", "axis": axis})
    for axis in ("complexity", "composition", "transformation")
)
ZEBRA = {"setting": "Tuned", "asked": "zebralogic"}
MARKS: tuple[Mark, ...] = (
    Mark("exact", 0.3, {**ZEBRA, "phase": "before", "level": 1}, "paper: 30% before (recalled)"),
    Mark("exact", 0.91, {**ZEBRA, "phase": "after", "level": 1}, "paper: +61 points (recalled)"),
)
