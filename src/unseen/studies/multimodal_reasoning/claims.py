"""What does the paper say, as inequalities that runs can refute?

C1a: accuracy among more distractors than ever trained on: cross-attention minus a gated recurrent network, above 0.2.
"""

from __future__ import annotations

from typing import Any

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, between, gap, level, minus, slope

Given = tuple[tuple[Effect, Region], ...]
Arm = dict[str, Any]
NEAR, FAR, NEW = Arm(shifted=False), Arm(far="most"), Arm(split="new pairs")
SIZES = ("width", "steps", "batch", "lr", "warmup", "layers", "kind", "heads")
KNOWN, BEGUN = above(0.5), above(0.1)  # kappa on the reference: mostly learned, and not nothing
LARGE = ("C1d", "C2c", "C3a", "C3b")  # of arms that are not learned at the laptop tier
FALLS = "in the abstract and figures without a number that we could verify"


def arm(part: str, kind: str, layers: int = 1, **more: str | int) -> Arm:
    """The conditions that single out one arm of networks."""
    plain = {"heads": 1, "positions": "absolute", "encoding": "onehot", "fidelity": "as_intended", "labels": "true"}
    return {"setting": "Learned", "part": part, "kind": kind, "layers": layers, **plain, **more}


def learned(*arms: Arm, least: Region = KNOWN) -> Given:
    """The precondition that arms answer the reference split beyond guessing by so much of the way to 1."""
    return tuple((level("kappa", **NEAR, **a), least) for a in arms)


def _better(id: str, first: Arm, second: Arm, where: Arm, by: float, says: str, reported: str, place: str) -> Claim:
    """The first arm is right more often than the second, by more than `by`; what it beats need only have begun to learn."""
    return Claim(
        id, says, reported, "paper", gap("accuracy", first, second, **where), above(by), ("paper",) if id in LARGE else ("laptop", "paper"),
        given=(*learned(first), *learned(second, least=BEGUN)), where=place,
    )  # fmt: skip


def _distractors() -> tuple[Claim, ...]:
    cross, gru, rnn, dual, deep = (arm("distractor", kind, layers) for kind, layers in (("cross", 1), ("gru", 1), ("rnn", 1), ("dual", 1), ("single", 2)))  # fmt: skip
    place = "figure 3, distractor generalization"
    return (
        _better("C1a", cross, gru, FAR, 0.2, "Among more distractors than ever trained on, cross-attention is right more often than a gated recurrent network.", FALLS, place),
        _better("C1b", cross, rnn, FAR, 0.2, "It is right more often than a plain recurrent network, too.", FALLS, place),
        _better("C1c", cross, dual, FAR, 0, "It is right more often than two streams that meet only after attention.", FALLS, place),
        _better("C1d", deep, gru, FAR, 0, "Two blocks over one stream of both modalities are right more often than a gated recurrent network.", FALLS, place),
    )  # fmt: skip


def _systematic() -> tuple[Claim, ...]:
    cross, rnn, dual, deep = (
        arm("opsys", kind, layers) for kind, layers in (("cross", 1), ("rnn", 1), ("dual", 1), ("single", 2))
    )
    tall, tree, flat = arm("optree", "cross"), arm("optree", "single", 2), arm("optree", "rnn")
    one, three = "figure 4, operators with objects", "figure 4, operators with operators"
    return (
        _better("C2a", cross, rnn, NEW, 0.15, "Of objects that an operator was never trained on, cross-attention answers more than a recurrent network.", FALLS, one),
        _better("C2b", cross, dual, NEW, 0, "It answers more than two streams that meet only after attention.", FALLS, one),
        _better("C2c", deep, rnn, NEW, 0, "Two blocks over one stream answer more than a recurrent network.", FALLS, one),
        _better("C3a", tall, flat, NEW, 0.1, "Of conditions before leaves that they never stood beside, cross-attention answers more than a recurrent network.", FALLS, three),
        _better("C3b", tree, flat, NEW, 0.1, "So do two blocks over one stream.", FALLS, three),
    )  # fmt: skip


def _productive() -> tuple[Claim, ...]:
    kinds = (("a", "cross", 1, "Cross-attention"), ("b", "single", 2, "A single stream of two blocks"), ("c", "gru", 1, "A gated recurrent network"), ("d", "perceiver", 1, "A perceiver"), ("e", "dual", 1, "Two streams that meet only after attention"), ("f", "rnn", 1, "A plain recurrent network"))  # fmt: skip
    place = "figure 5, productive generalization"
    falls = [
        Claim(
            f"C4{letter}", f"{name}, trained on trees of depths 1 and 3, fails on deeper ones.", "every architecture collapses", "paper",
            minus(level("accuracy", **FAR, **arm("productive", kind, layers)), level("accuracy", **NEAR, **arm("productive", kind, layers))),
            below(-0.2), ("laptop", "paper") if kind == "cross" else ("paper",), given=learned(arm("productive", kind, layers)), where=place,
        )
        for letter, kind, layers, name in kinds
    ]  # fmt: skip
    cross, near = arm("productive", "cross"), arm("productive", "cross", positions="relative")
    pairs = [
        Claim(
            f"C4{letter}", f"On deeper trees, once guessing is taken off, cross-attention is no better than {words}.", "no architecture generalizes", "paper",
            gap("kappa", cross, other, **FAR), between(-0.1, 0.1), ("paper",), given=learned(cross, other), where=place,
        )
        for letter, other, words in (("g", arm("productive", "gru"), "a gated recurrent network"), ("h", arm("productive", "single", 2), "a single stream"))
    ]  # fmt: skip
    return (
        *falls,
        *pairs,
        Claim(
            "C6", "Telling the places of a question's nodes relatively instead of absolutely changes little on deeper trees.",
            "from memory, without a number", "recalled", gap("accuracy", near, cross, **FAR), between(-0.1, 0.1),
            given=learned(cross, near), where="the released code's knob",
        ),
    )  # fmt: skip


def _depth() -> tuple[Claim, ...]:
    """Layers and heads of a single stream, at the paper's scale alone."""
    tests = (("a", "distractor", FAR, "more distractors"), ("b", "opsys", NEW, "new objects"), ("c", "optree", NEW, "new pairs of operators"))  # fmt: skip
    told = "from memory: depth helps, heads hardly do"
    made = [
        Claim(
            f"C5{letter}", f"The more blocks a single stream has, the more it answers with {words}.", told, "recalled",
            slope("accuracy", "layers", **_layered(part), **where), above(0), ("paper",), over=("kind",), given=learned(arm(part, "single", 4)), where="depth and heads",
        )
        for letter, part, where, words in tests
    ]  # fmt: skip
    heads = tuple(arm("distractor", "single", 4, heads=n) for n in (8, 1))
    return (
        *made,
        Claim(
            "C5d", "Eight heads instead of one change little among more distractors.", told, "recalled",
            gap("accuracy", *heads, **FAR), between(-0.1, 0.1), ("paper",), given=learned(*heads), where="depth and heads",
        ),
    )  # fmt: skip


def _layered(part: str) -> Arm:
    return {k: v for k, v in arm(part, "single").items() if k != "layers"}


def _audits() -> tuple[Claim, ...]:
    code = "IBM/gcog at 80de678, gcog/task/dataset_generator.py, OperatorSystematicity.generate_select_subsets"
    told = "the two subsets are called mutually exclusive"
    released, intended = ({"setting": "Audited", "fidelity": f} for f in ("as_released", "as_intended"))
    leaky = arm("opsys", "cross", fidelity="as_released")
    return (
        Claim("A1", "Half of the pairs of operator and object that the released systematic split tests stand in its training split.", told, "code", level("leaked", **released), between(0.4, 0.6), where=code, kind="audit"),
        Claim("A2", "A quarter of the objects is never asked about in either.", told, "code", level("unasked", **released), between(0.15, 0.35), where=code, kind="audit"),
        Claim("A3", "Split like the squares of a chessboard, none of the tested pairs was trained on.", "not reported", "code", level("leaked", **intended), below(0.02), where="families.halves", kind="audit"),
        Claim(
            "A4", "Trained as released, cross-attention answers those of the new pairs better that are not new.", "not reported", "code",
            gap("by_pair", {"pair": "trained"}, {"pair": "never trained"}, **leaky), above(0), given=learned(leaky), where=code, kind="audit",
        ),
        Claim(
            "A5", "The released perceiver's ten latents, which all begin at zero, are one: they never differ.", "10 latents", "code",
            level("latents_apart", setting="Learned", kind="perceiver", fidelity="as_released"), below(0.01), over=SIZES,
            where="IBM/gcog at 80de678, gcog/models/transformer.py, Perceiver.forward", kind="audit",
        ),
    )  # fmt: skip


DRAWN = ("operators", "part", "tests", "side", "shapes", "colours", "queried", "most", "items", "fidelity")
WIDELY = (*SIZES, *DRAWN, "positions", "places", "encoding", "labels", "distractors", "depth", "far")
CONTROLS: tuple[tuple[str, str, Linear, Region, Given], ...] = (
    ("K1", "Untrained networks know no more than the operator tells.", level("untrained", setting="Learned"), below(0.2), ()),
    (
        "K2", "Taught each other's answers, cross-attention knows no more than the operator tells.",
        level("kappa", **NEAR, **arm("distractor", "cross", labels="shuffled")), between(-0.1, 0.1), learned(arm("distractor", "cross")),
    ),
    ("K3", "The rules, worked out forward by a second program, give the answer of every item of every split.", level("accuracy", setting="Designed", method="evaluator"), above(0.98), ()),
    ("K4", "Who always says an operator's most frequent answer has a kappa of 0.", level("kappa", setting="Designed", method="guess"), between(-0.1, 0.1), ()),
    ("K5", "A speaker that reads the words and works them out is always right.", level("exact", setting="Control", speaker="oracle"), above(0.9), ()),
    ("K6", "An untrained decoder says no right answer.", level("exact", setting="Control", speaker="untrained"), below(0.05), ()),
)  # fmt: skip


def _controls() -> tuple[Claim, ...]:
    return tuple(
        Claim(id, says, "not reported: a control", "recalled", effect, expect, over=(*WIDELY, "limit"), given=given, kind="control", unit="item" if "exact" in effect.measures else "seed")
        for id, says, effect, expect, given in CONTROLS
    )  # fmt: skip


CLAIMS = (*_distractors(), *_systematic(), *_productive(), *_depth(), *_audits(), *_controls())
