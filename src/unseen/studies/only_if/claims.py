"""What does the paper say, as inequalities that runs can refute?

C1a: exact match on rules never trained on, with many rules taught minus with few, lies above 0.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, between, gap, level, rank
from unseen.core.record import Value

from .arms import FREE, SHAPES
from .midpoint import rise

MAIN: dict[str, Value] = {
    "setting": "Learned", "domains": FREE, "shares": (), "alpha": 0.0, "idle": 0.0, "budget": "whole", "labels": "true",
}  # fmt: skip
NEW: dict[str, Value] = {"novel": "rules", "asked": "free", "applies": True, "shifted": True}
IDLE: dict[str, Value] = {**NEW, "applies": False}
PAPER, RECALLED = "section on string rewriting", "recalled"
Where = Mapping[str, Value]
Given = tuple[tuple[Effect, Region], ...]


def mastered(*arms: Where) -> Given:
    """The preconditions that each of these arms follows the rules it was taught, in strings never seen."""
    return tuple((level("exact", **{**MAIN, **arm, "shifted": False, "applies": True}), above(0.8)) for arm in arms)


def told_apart(*arms: Where) -> Given:
    """The same, and that these arms leave trained rules alone where they do not apply: a claim at 0.9 asks as much."""
    idle = ((level("exact", **{**MAIN, **arm, "shifted": False, "applies": False}), above(0.9)) for arm in arms)
    return (*mastered(*arms), *idle)


def new(**arm: Value) -> Linear:
    """Exact match on free rules that were never taught, of one arm."""
    return level("exact", **{**MAIN, **arm, **NEW})


def more(first: Where, second: Where, where: Where = NEW) -> Linear:
    """The same of one arm minus another."""
    own = {*first, *second}
    return gap("exact", first, second, **{k: v for k, v in {**MAIN, **where}.items() if k not in own})


LEAST, BELOW, ABOVE, FAR = ({"amount": name} for name in ("least", "below", "above", "far"))
ONE, THREE = {"domains": "repeat", "amount": "far"}, {"domains": SHAPES, "amount": "far"}
SOME_FREE: dict[str, Value] = {"domains": "repeat+free", "shares": (0.9, 0.1), "amount": "far"}
UNEVEN: dict[str, Value] = {"alpha": 1.5}


def _numbers() -> tuple[Claim, ...]:
    return (
        Claim(
            "C1a",
            "With as many examples in all, more rules make the difference: rules never taught are followed after many, not after few.",
            reported="from about 0 to about 1",
            source="paper",
            effect=more(FAR, LEAST),
            expect=above(0.6),
            where=PAPER,
            given=mastered(FAR, LEAST),
        ),
        Claim(
            "C1b",
            "The more rules are taught, the more of the new ones are followed.",
            reported="rises throughout",
            source="paper",
            effect=rank("exact", "rules", **MAIN, **NEW),
            expect=above(0),
            over=("amount",),
            where=PAPER,
            given=mastered(FAR),
        ),
        Claim(
            "C1c",
            "The rise is half-way up beyond 400 rules (2.6 as a logarithm).",
            reported="fails at 300, works at 1,000 (recalled); more than 400 (a note by others)",
            source="recalled",
            effect=rise("exact", {**MAIN, **NEW}),
            expect=above(log10(400)),
            tiers=("paper",),
            where=PAPER,
            given=mastered(FAR),
        ),
    )


def _examples() -> tuple[Claim, ...]:
    return (
        Claim(
            "C2",
            "With many rules, an eighth of the examples of each rule changes little.",
            reported="the number of examples of a rule hardly matters",
            source="paper",
            effect=more({**FAR, "budget": "eighth"}, {**FAR, "budget": "whole"}),
            expect=between(-0.1, 0.1),
            where=PAPER,
            given=(*mastered(FAR), (new(**ABOVE), above(0.5))),
        ),
        Claim(
            "C3a",
            "Just above the rise, uneven numbers of examples (a power law of 1.5) hurt.",
            reported="hurts with few rules",
            source=RECALLED,
            effect=more({**ABOVE, "alpha": 0.0}, {**ABOVE, **UNEVEN}),
            expect=above(0.15),
            where=PAPER,
            given=(*mastered(ABOVE), (new(**ABOVE), above(0.5)), (new(**BELOW), below(0.5))),
        ),
        Claim(
            "C3b",
            "With many times as many rules they hardly do.",
            reported="forgiven with many rules",
            source=RECALLED,
            effect=more({**FAR, "alpha": 0.0}, {**FAR, **UNEVEN}),
            expect=below(0.05),
            where=PAPER,
            given=(*mastered(FAR), (new(**ABOVE), above(0.5))),
        ),
    )


def _domains() -> tuple[Claim, ...]:
    narrow = [
        Claim(
            f"C4{letter}",
            f"However many rules of one shape are taught ({shape}), free ones are not followed.",
            reported="about 0",
            source=RECALLED,
            effect=new(domains=shape, **FAR),
            expect=below(0.3),
            tiers=("laptop", "paper") if shape == "repeat" else ("paper",),
            where="semantic domains",
            given=mastered({**FAR, "domains": shape}),
        )
        for letter, shape in zip("abc", SHAPES.split("+"), strict=True)
    ]
    return (
        *narrow,
        Claim(
            "C4d",
            "As many rules of three shapes together are worth far more to free rules than those of one shape.",
            reported="recovers",
            source=RECALLED,
            effect=more(THREE, ONE),
            expect=above(0.3),
            where="semantic domains",
            given=mastered(THREE, ONE),
        ),
        Claim(
            "C4e",
            "So is one shape with a tenth of free rules among it.",
            reported="recovers",
            source=RECALLED,
            effect=more(SOME_FREE, {**ONE, "shares": ()}),
            expect=above(0.3),
            where="semantic domains",
            given=mastered(SOME_FREE, ONE),
        ),
    )


def _idle() -> tuple[Claim, ...]:
    tenth, half = {"idle": 0.1}, {"idle": 0.5}
    return (
        Claim(
            "C5a",
            "With many rules, a tenth of strings without the left side suffices: new rules are left alone where they do not apply.",
            reported="a small share suffices",
            source="paper",
            effect=level("exact", **{**MAIN, **FAR, **tenth, **IDLE}),
            expect=above(0.9),
            where="no-op inputs",
            given=told_apart({**FAR, **tenth}),
        ),
        Claim(
            "C5b",
            "To tell whether a new rule applies, and to follow it where it does, takes many rules too.",
            reported="takes many rules",
            source="paper",
            effect=more({**FAR, **tenth}, {**LEAST, **tenth}, {k: v for k, v in NEW.items() if k != "applies"}),
            expect=above(0.3),
            where="no-op inputs",
            given=told_apart({**FAR, **tenth}, {**LEAST, **tenth}),
        ),
        Claim(
            "C5c",
            "Half of such strings serve no better than a tenth.",
            reported="a small share suffices",
            source=RECALLED,
            effect=more({**FAR, **half}, {**FAR, **tenth}, IDLE),
            expect=between(-0.05, 0.05),
            tiers=("paper",),
            where="no-op inputs",
            given=told_apart({**FAR, **half}, {**FAR, **tenth}),
        ),
    )


def _tuned() -> tuple[Claim, ...]:
    """At a fixed number of instructions, a fifth of general ones is the mixture; the paper's best one is chosen afterwards."""
    where: dict[str, Value] = {"setting": "Tuned"}
    told = (
        ("C6a", "A language model tuned on code writes better code if a fifth of its instructions are general ones.",
         0.2, 0.0, 0.01, "better up to some share"),
        ("C6b", "Four fifths of general ones are too many.", 0.2, 0.8, 0.0, "worse beyond some share"),
    )  # fmt: skip
    return tuple(
        Claim(
            id, says, reported, "recalled",
            effect=gap("passed", {"share": first}, {"share": second}, **where),
            expect=above(edge), tiers=("paper",), over=("checkpoint", "lr"), where="code specialists",
        )
        for id, says, first, second, edge, reported in told
    )  # fmt: skip


def _errors() -> tuple[Claim, ...]:
    kind: dict[str, Value] = {"kind": "trained side"}
    return (
        Claim(
            "E1",
            "After few rules, more answers to new ones write the right side of a trained rule than after many.",
            reported="not reported: ours",
            source="recalled",
            effect=gap("answered", LEAST, FAR, **MAIN, **NEW, **kind),
            expect=above(0),
            given=mastered(FAR, LEAST),
        ),
    )


def _controls() -> tuple[Claim, ...]:
    everything = ("rules", "total", "amount", "domains", "shares", "asks", "alpha", "idle", "budget", "labels", "steps")
    told: tuple[tuple[str, str, Linear, Region, tuple[str, ...], Given], ...] = (
        ("K1", "A program that reads the prompt answers every question.",
         level("program_exact"), above(0.99), ("domains", "asks"), ()),
        ("K2", "Untrained decoders answer nothing.",
         level("exact_untrained"), below(0.05), everything, ()),
        ("K3", "Trained on the answers of other questions, decoders follow no rule, not even those taught.",
         level("exact", **{**MAIN, **FAR, "labels": "shuffled", "shifted": False}), below(0.05), (), mastered(FAR)),
    )  # fmt: skip
    return tuple(
        Claim(id, says, "not reported: a control", "recalled", effect, expect, over=over, given=given, kind="control")
        for id, says, effect, expect, over, given in told
    )


CLAIMS = (*_numbers(), *_examples(), *_domains(), *_idle(), *_tuned(), *_errors(), *_controls())
