"""What does the paper say, as inequalities that runs can refute?

C1a: accuracy after all other examples, on tasks never trained on: after very many tasks minus after few, above 0.4.
"""

from __future__ import annotations

from typing import Any

from unseen.core.claim import (
    Claim,
    Effect,
    Linear,
    Region,
    above,
    below,
    between,
    gap,
    level,
    minus,
    rank,
    steps_to,
)

from .effects import Midpoint, Steeper

Given = tuple[tuple[Effect, Region], ...]
Arm = dict[str, Any]
MAP = {"setting": "Learned", "part": "map"}
FEW, MOST = {"amount": "few", "size": "wide"}, {"amount": "most", "size": "wide"}
SEEN, NEW = Arm(split="seen tasks"), Arm(split="new tasks")
IMAGES = {"setting": "Learned", "part": "images"}
STATE = {"setting": "Learned", "part": "state", "size": "wide"}
PLAIN, BIASED, SMALL = (  # the map's arm; most labels unpermuted at first; a quarter of the batch
    Arm(setting="Learned", part=part, amount="most", size=size, fixed=fixed)
    for part, size, fixed in (("map", "wide", 0.0), ("plateau", "wide", 0.9), ("plateau", "narrow", 0.0))
)
SIZES = ("tasks", "kind", "width", "layers", "heads", "steps", "batch", "lr", "warmup", "amount", "size")
LEARNED = above(0.6)  # of seen tasks: far beyond chance (0.25 of four classes, 0.1 of ten)


def learned(**where: str | float) -> Given:
    """The precondition that the tasks trained on are mostly answered right once many examples were read."""
    return ((level("last", **SEEN, **where), LEARNED),)


def gain(**where: str) -> Linear:
    """What reading all other examples adds: accuracy at the last example minus that at the first."""
    return minus(level("last", **where), level("first", **where))


def _tasks() -> tuple[Claim, ...]:
    given = (*learned(**MAP, **FEW), *learned(**MAP, **MOST))
    jump = "few tasks: only those are solved; around 2^13 to 2^14 accuracy on unseen ones jumps"
    return (
        Claim(
            "C1a", "Trained on very many tasks instead of few, a transformer learns tasks it never met.",
            jump, "recalled", gap("last", MOST, FEW, **MAP, **NEW), above(0.4), given=given, where="transition in the number of tasks",
        ),
        Claim(
            "C1b", "So it does from examples of a data set it never met.",
            jump, "recalled", gap("last", MOST, FEW, **MAP, axis="data set"), above(0.4), given=given, where="transition in the number of tasks",
        ),
        Claim(
            "C1c", "The more tasks, the more of an unseen task is learned.",
            jump, "recalled", rank("last_by_tasks", "doublings", **MAP, size="wide"), above(0), over=SIZES, given=learned(**MAP, **MOST),
            where="transition in the number of tasks",
        ),
        Claim(
            "C1d", "Learning begins between 2^12 and 2^15 tasks.",
            "2^13 to 2^14", "recalled",
            Midpoint("last_by_tasks", "doublings", 0.4, (("part", "map"), ("setting", "Learned"), ("size", "wide"))), between(12, 15), ("paper",), over=SIZES,
            given=learned(**MAP, **MOST), where="transition in the number of tasks",
        ),
        Claim(
            "C1e", "With as many tasks, a wider transformer learns more of an unseen one.",
            "transitions are induced by model size too", "paper",
            gap("last", {"size": "wide"}, {"size": "narrow"}, **MAP, **NEW, amount="most"), above(0), over=("width", "heads"),
            given=learned(**MAP, **MOST), where="abstract",
        ),
    )  # fmt: skip


def _learning() -> tuple[Claim, ...]:
    return (
        Claim(
            "C2a", "Reading examples of a data set that it never met makes it better on them.",
            "MNIST to FashionMNIST: 62% after 99 examples, chance is 10%", "recalled",
            gain(**MAP, **MOST, axis="data set"), above(0.3), given=learned(**MAP, **MOST), where="table of data sets",
        ),
        Claim(
            "C2b", "So it does on images: trained on projections of one set, it learns images of others.",
            "FashionMNIST 62%, KMNIST 53%, CIFAR10 19%, SVHN 15% after 99 examples", "recalled",
            gain(**IMAGES, axis="data set"), above(0.3), over=("set",), given=learned(**IMAGES), where="table of data sets",
        ),
        Claim(
            "C2c", "On unseen images of the set it was trained on, too.",
            "MNIST 74% after 99 examples", "recalled",
            gain(**IMAGES, split="new examples"), above(0.3), given=learned(**IMAGES), where="table of data sets",
        ),
        Claim(
            "C6", "Through a frozen network of images, it learns harder images in context.",
            "told without a number that we recall", "recalled",
            gain(setting="Learned", part="embedded", axis="data set"), above(0.3), ("paper",), over=("set",),
            given=learned(setting="Learned", part="embedded"), where="harder data sets",
        ),
    )  # fmt: skip


def _kinds() -> tuple[Claim, ...]:
    told = "memorisation, identification and learning are told apart by what improves within a sequence"
    few, most = {**MAP, **FEW}, {**MAP, **MOST}
    return (
        Claim(
            "C3a", "Trained on few tasks, it answers the first example already: it remembers the examples.",
            told, "recalled", level("first", **few, **SEEN), above(0.5), given=learned(**few), where="kinds of algorithms",
        ),
        Claim(
            "C3b", "Such a memoriser hardly improves on unseen tasks by reading.",
            told, "recalled", gain(**few, **NEW), below(0.2), given=learned(**few), where="kinds of algorithms",
        ),
        Claim(
            "C3c", "Trained on very many, it knows nothing of the first example, not even of the tasks' kind it was trained on.",
            told, "recalled", level("first_beyond", **most, **SEEN), between(-0.1, 0.1), given=learned(**most), where="kinds of algorithms",
        ),
        Claim(
            "C3d", "Such a learner improves on unseen tasks by reading.",
            told, "recalled", gain(**most, **NEW), above(0.3), given=learned(**most), where="kinds of algorithms",
        ),
    )  # fmt: skip


def _state() -> tuple[Claim, ...]:
    transformer, fast, lstm = ({**STATE, "kind": kind} for kind in ("transformer", "fast", "lstm"))
    told = "learning is bottlenecked by the state that a prediction can read, not by the number of parameters"
    return (
        Claim(
            "C4a", "With as many parameters, a transformer, whose state grows with what it reads, learns more than an LSTM.",
            "MNIST: 74% against 25%", "recalled", gap("last", transformer, lstm, **NEW), above(0), over=("width", "heads"),
            given=learned(**transformer), where="state size",
        ),
        Claim(
            "C4b", "With as many parameters, so does an LSTM whose cell is a matrix.",
            told, "paper", gap("last", fast, lstm, **NEW), above(0), over=("width", "heads"), given=learned(**fast), where="state size",
        ),
        Claim(
            "C4c", "Over networks of several kinds and sizes, what is learned rises with the state rather than with parameters.",
            told, "paper", Steeper("last_by_size", "state", "parameters", (("part", "state"), ("setting", "Learned"))), above(0), over=SIZES,
            given=learned(**transformer), where="state size",
        ),
    )  # fmt: skip


def _plateau() -> tuple[Claim, ...]:
    learnt = (*learned(**PLAIN), *learned(**BIASED))
    return (
        Claim(
            "C5a", "Not permuting the labels of most sequences at first, and then ever more, shortens the plateau of the loss.",
            "shortens it", "paper", steps_to("gained", 0.3, against={**PLAIN, **SEEN}, **BIASED, **SEEN), below(0.7), given=learned(**BIASED),
            where="biasing the training distribution",
        ),
        Claim(
            "C5b", "It does not hurt what is learned in the end.",
            "does not hurt", "recalled", minus(level("last", **BIASED, **NEW), level("last", **PLAIN, **NEW)), between(-0.05, 0.05), given=learnt,
            where="biasing the training distribution",
        ),
        Claim(
            "C5c", "Larger batches shorten the plateau.",
            "shorten it", "recalled", steps_to("gained", 0.3, against={**SMALL, **SEEN}, **PLAIN, **SEEN), below(1), given=learned(**PLAIN),
            where="meta-optimization",
        ),
    )  # fmt: skip


DESIGNED = ("base", "others", "features", "classes", "length", "noise", "items", "embed")
WIDELY = (*SIZES, *DESIGNED, "part", "form", "spread", "fixed", "labels")
CONTROLS: tuple[tuple[str, str, Linear, Region, Given], ...] = (
    ("K1", "Untrained networks know no more than chance.", level("untrained_beyond", setting="Learned"), between(-0.1, 0.1), ()),
    (
        "K2", "Trained on labels drawn at random, which nothing tells, a network stays at chance.",
        level("last_beyond", setting="Learned", part="shuffled", **SEEN), between(-0.1, 0.1), learned(**MAP, **MOST),
    ),
    ("K3", "The tasks can be learned from their contexts: nearest neighbours do.", level("last", setting="Designed", method="neighbours", **NEW), above(0.5), ()),
    ("K4", "A linear softmax trained on the context does too.", level("last", setting="Designed", method="linear", **NEW), above(0.5), ()),
    (
        "K5", "Before any example, neither knows more than chance.",
        level("first_beyond", setting="Designed", **NEW), between(-0.1, 0.1), (),
    ),
)  # fmt: skip


def _controls() -> tuple[Claim, ...]:
    told = "not reported: a control"
    return tuple(
        Claim(id, says, told, "recalled", effect, expect, over=(*WIDELY, "method"), given=given, kind="control")
        for id, says, effect, expect, given in CONTROLS
    )


CLAIMS = (*_tasks(), *_learning(), *_kinds(), *_state(), *_plateau(), *_controls())
