"""What does the paper say, as inequalities that runs can refute?

C3: exact match on 1.25 times the length trained on, copy-unique minus copy-repeat, lies above 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, gap, level, one_of, rank
from unseen.core.study import Tier

from .arms import TEN_MORE

EASY = ("and", "copy-unique", "count", "mode", "sort")  # a short program is known
HARD = ("copy-repeat", "parity")  # none is, as for plain addition, which only the paper's tier trains
MAIN = {"setting": "Learned", "span": "full", "positions": "shifted", "carries": "balanced", "labels": "true"}
SIZES = ("task", "train", "test", "width", "layers", "heads", "steps", "batch", "lr", "warmup", "items", "spread")
Given = tuple[tuple[Effect, Region], ...]
MASTERED = above(0.9)  # of the reference, lest an under-trained model make every task hard


def mastered(*tasks: str, **where: str) -> Given:
    """The preconditions that each of these tasks was learned at the longest length trained on."""
    return tuple((level("exact", **{**MAIN, **where, "task": t, "shifted": False}), MASTERED) for t in tasks)


def beyond(first: str, second: str, times: float = TEN_MORE) -> Linear:
    """Exact match beyond the lengths trained on, one task minus another."""
    return gap("exact", {"task": first}, {"task": second}, shifted=True, times=times, **MAIN)


BEYOND = {**MAIN, "shifted": True, "times": TEN_MORE}


def _groups() -> tuple[Claim, ...]:
    return (
        Claim(
            "C1a",
            "Tasks with a short program are answered better beyond the lengths trained on than tasks without one.",
            reported="near 1 against near 0",
            source="recalled",
            effect=gap("exact", {"task": one_of(*EASY)}, {"task": one_of(*HARD)}, **BEYOND),
            expect=above(0.5),
            over=SIZES,
            where="figure 1a",
            given=mastered(*EASY, *HARD),
        ),
        Claim(
            "C1b",
            "Tasks with a short program are mostly right at 1.25 times the length trained on.",
            reported="near 1",
            source="recalled",
            effect=level("exact", task=one_of(*EASY), **BEYOND),
            expect=above(0.8),
            over=SIZES,
            where="figure 1a",
            given=mastered(*EASY),
        ),
    )


def _hard() -> tuple[Claim, ...]:
    return (
        Claim(
            "C1c",
            "Copying repeated symbols, which has no short program, is mostly wrong there.",
            reported="near 0",
            source="recalled",
            effect=level("exact", task="copy-repeat", **BEYOND),
            expect=below(0.2),
            where="figure 1a",
            given=mastered("copy-repeat"),
        ),
        Claim(
            "C1d",
            "So is plain addition.",
            reported="near 0",
            source="recalled",
            effect=level("exact", task="addition", **BEYOND),
            expect=below(0.2),
            tiers=("paper",),
            where="figure 1a",
            given=mastered("addition"),
        ),
    )


def _ranked() -> tuple[Claim, ...]:
    return (
        Claim(
            "C1e",
            "The longer a task's RASP-L program (none known: longest), the less is right at 1.25 times the trained length.",
            reported="argued in words; this measure of length is ours",
            source="paper",
            effect=rank("exact_beyond", "program", **MAIN),
            expect=below(0),
            unit="task",
            over=(*SIZES, "length"),
            where="the conjecture",
            given=((level("exact", shifted=False, axis="length", **MAIN), MASTERED),),
        ),
    )


def _counting() -> tuple[Claim, ...]:
    long, short = {"span": "full"}, {"span": "short"}
    count = {**{k: v for k, v in MAIN.items() if k != "span"}, "task": "count", "shifted": True}
    return (
        Claim(
            "C2a",
            "Counting reaches twice the trained length when trained on long stretches, not when trained on short ones.",
            reported="near 1 against far less",
            source="recalled",
            effect=gap("exact", long, short, times=2.0, **count),
            expect=above(0.4),
            where="figure 1b",
            given=(*mastered("count"), *mastered("count", span="short")),
        ),
        Claim(
            "C2b",
            "Counting, trained on stretches of up to 60, is nearly perfect at 150.",
            reported="near perfect",
            source="paper",
            effect=level("exact", length=150, **long, **count),
            expect=above(0.8),
            tiers=("paper",),
            where="figure 1b",
            given=mastered("count"),
        ),
    )


RISE, FALL, ADDED, MODE = (
    "extrapolates against does not", "best against intermediate", "addition with index hints", "mode with scratchpads",
)  # fmt: skip
PAIRS = (  # id, what is said, what is reported, first task, second task, edge of their difference, where
    ("C3", "Copying goes on to longer inputs when all symbols differ, not when they repeat.",
     RISE, "copy-unique", "copy-repeat", 0.5, "figure 1a"),
    ("C4", "Parity goes on to longer inputs with a scratchpad of the hinted ones, not without a scratchpad.",
     "extrapolates against about chance", "parity+ones+hints", "parity", 0.4, "parity with scratchpads"),
    ("C5a", "With index hints, addition goes further when the sum's lowest digit comes first.",
     FALL, "addition+reversed+hints", "addition+hints", 0.0, ADDED),
    ("C5b", "Index hints take addition beyond the lengths trained on, even with the highest digit first.",
     "intermediate against about 0", "addition+hints", "addition", 0.3, ADDED),
    ("C5c", "Hints and reversed digits together take addition beyond the lengths trained on.",
     "best against about 0", "addition+reversed+hints", "addition", 0.3, ADDED),
    ("C6a", "A scratchpad of counts in rising order hurts the mode, which goes further with none.",
     RISE, "mode", "mode+counts", 0.3, MODE),
    ("C6b", "A scratchpad in order of first occurrence, symbol before count, goes further than the one of rising counts.",
     RISE, "mode+itemized", "mode+counts", 0.3, MODE),
)  # fmt: skip


def _pairs() -> Iterator[Claim]:
    for id, says, reported, first, second, edge, where in PAIRS:
        tiers: tuple[Tier, ...] = ("paper",) if where == ADDED else ("laptop", "paper")  # a laptop learns no addition
        effect, given = beyond(first, second), mastered(first, second)
        yield Claim(id, says, reported, "recalled", effect, above(edge), tiers, where=where, given=given)


def _places() -> tuple[Claim, ...]:
    learned, late = {**MAIN, "task": "and-places"}, {"shifted": True}
    known = ((level("exact", shifted=False, **learned), MASTERED),)
    fitted = ((level("interpolator_exact", shifted=False), MASTERED),)
    return (
        Claim(
            "C7a",
            "A transformer finds a zero at places that were always one in training.",
            reported="100%",
            source="paper",
            effect=level("exact", **learned, **late),
            expect=above(0.95),
            where="conjunction of 20 bits",
            given=known,
        ),
        Claim(
            "C7b",
            "The interpolator of least degree, fitted to the same strings, does not.",
            reported="ignores bits that never varied, by its definition",
            source="paper",
            effect=level("interpolator_exact", **late),
            expect=below(0.6),
            where="conjunction of 20 bits",
            given=fitted,
        ),
    )


SHUFFLED, UNSHIFTED = {**MAIN, "labels": "shuffled"}, {**MAIN, "positions": "unshifted"}
CONTROLS: tuple[tuple[str, str, Linear, Region, tuple[str, ...], Given], ...] = (
    ("K1", "Every program answers its task at every length.",
     level("program_exact"), above(0.99), (*SIZES, "carries"), ()),
    ("K2", "Untrained models answer nothing.",
     level("exact_untrained", **MAIN), below(0.05), SIZES, ()),
    ("K3", "Trained on the answers of other questions, a model does no better than the commonest answer (one in five).",
     level("exact", shifted=False, task="mode", **SHUFFLED), below(0.3), (), mastered("mode")),
    ("K4", "The interpolator is what its closed form says: the conjunction of the bits that varied.",
     level("interpolator_as_closed"), above(0.99), (), ()),
    ("K5", "Places never trained on, without a random first place, are no use: sorting longer inputs fails.",
     level("exact", shifted=True, times=TEN_MORE, task="sort", **UNSHIFTED), below(0.2), (),
     mastered("sort", positions="unshifted")),
)  # fmt: skip


def _controls() -> Iterator[Claim]:
    told = "not reported: a control"
    for id, says, effect, expect, over, given in CONTROLS:
        yield Claim(id, says, told, "recalled", effect, expect, over=over, given=given, kind="control")


CLAIMS = (*_groups(), *_hard(), *_ranked(), *_counting(), *_pairs(), *_places(), *_controls())
