"""What should a shift do to models and to trained decoders, and which numbers does a card show?

B1: tic-tac-toe, wins on the reference minus wins on larger boards, above 0.
"""

from __future__ import annotations

from unseen.core.claim import Claim, above, below, between, gap, level, off_floor
from unseen.core.study import Headline, Mark

from .claims import OVER, asked

BY_CHANCE = 0.44  # of wins of a random player at tic-tac-toe from either seat, (0.585 + 0.288) / 2
LEAST = 0.1  # by which a shift is claimed to lower a decoder's score


def _boards() -> tuple[Claim, ...]:
    told = (
        ("B1", "size", "On larger boards"), ("B2", "symbols", "With other marks"), ("B3", "notation", "With squares named by letters"),
        ("B4", "rendering", "With the board as a list, as rows or as JSON"), ("B5", "opponent", "Against players that look ahead"),
    )  # fmt: skip
    fair = {
        axis: asked("tictactoe", harness="as_intended", shift=axis)
        for axis in ("history", "moves", *(a for _, a, _ in told))
    }
    falls = tuple(
        Claim(
            id, f"{how} a model that beats random players wins less often.",
            reported="not in the paper", source="recalled", effect=gap("win", {"shifted": False}, {"shifted": True}, **fair[axis]),
            expect=above(0), over=OVER, given=(off_floor("win", BY_CHANCE, **fair[axis]),),
        )
        for id, axis, how in told
    )  # fmt: skip
    return (
        *falls,
        Claim(
            "B6", "The moves so far change little for a model that beats random players: the board tells all.",
            reported="not in the paper", source="recalled", effect=gap("win", {"shifted": True}, {"shifted": False}, **fair["history"]),
            expect=between(-0.1, 0.1), over=OVER, given=(off_floor("win", BY_CHANCE, **fair["history"]),),
        ),
        Claim(
            "B7", "A list of the legal moves makes a model's moves legal more often.",
            reported="not in the paper", source="recalled", effect=gap("legal", {"shifted": True}, {"shifted": False}, **fair["moves"]),
            expect=above(0), over=OVER, given=((level("opened", **fair["moves"], shifted=False), above(0.5)),),
        ),
    )  # fmt: skip


def _puzzles() -> tuple[Claim, ...]:
    told = (
        ("P1", "shapes", "size", 0.25, "Larger shapes"), ("P2", "shapes", "noise", 0.25, "Shapes with flipped cells"),
        ("P3", "lego_validity", "pieces", 0.5, "Structures of another number of pieces"),
        ("P4", "lego_construction", "pieces", 0.0, "Structures of more pieces, to be written,"), ("P5", "molecules", "atoms", 0.0, "Molecules of other sizes"),
    )  # fmt: skip
    return tuple(
        Claim(
            id, f"{what} are harder for a model that is above chance on the reference.",
            reported="not in the paper", source="recalled",
            effect=gap("exact", {"shifted": False}, {"shifted": True}, **asked(game, harness="as_intended", shift=axis)),
            expect=above(0), over=OVER, given=(off_floor("exact", chance, **asked(game, harness="as_intended", shift=axis)),),
        )
        for id, game, axis, chance, what in told
    )  # fmt: skip


def _decoders() -> tuple[Claim, ...]:
    """What decoders that learned their reference make of a shift; LEAST was set before any was trained."""
    told = (
        ("L1a", "tictactoe", "symbols", 0.9, "exchanged marks, as if O had begun"), ("L1b", "tictactoe", "size", 0.9, "boards of 4 by 4"),
        ("L2", "shapes", "size", 0.9, "shapes wider than any trained on"), ("L3", "lego", "pieces", 0.9, "structures of more pieces"),
    )  # fmt: skip
    falls: list[Claim] = []
    for id, task, axis, least, what in told:
        arm = {"setting": "Learned", "task": task, "learner": "trained", "frame": 4 if id == "L1b" else 3}
        falls.append(
            Claim(
                id, f"A decoder that has learned {task} answers less often rightly on {what}.",
                reported="not in the paper", source="recalled",
                effect=gap("answered", {"shifted": False}, {"shifted": True, "axis": axis}, **arm), expect=above(LEAST),
                given=((level("answered", shifted=False, **arm), above(least)),),
                tiers=("paper",) if id == "L1b" else ("laptop", "paper"),
            )
        )  # fmt: skip
    arm = {"setting": "Learned", "task": "tictactoe", "learner": "trained", "frame": 3}
    return (
        *falls,
        Claim(
            "L1c", "It answers positions no image of which it was trained on nearly as well as others.",
            reported="not in the paper", source="recalled", effect=gap("answered", {"shifted": False}, {"shifted": True, "axis": "position"}, **arm),
            expect=below(LEAST), given=((level("answered", shifted=False, **arm), above(0.9)),),
        ),
        *(
            Claim(
                id, says, reported="not reported: a control", source="recalled", kind="control",
                effect=level("answered", setting="Learned", learner=learner, task="lego", shifted=False), expect=below(0.6),
            )
            for id, learner, says in (
                ("L8", "untrained", "Untrained decoders tell validity by chance."),
                ("L9", "shuffled", "Decoders trained on other structures' answers tell validity by chance."),
            )
        ),
    )  # fmt: skip


CLAIMS_SHIFTED: tuple[Claim, ...] = (*_boards(), *_puzzles(), *_decoders())


def _headline(axis: str, game: str, measure: str, chance: float) -> Headline:
    return Headline(axis, measure, chance, {"setting": "Asked", "game": game, "harness": "as_intended"})


HEADLINES: tuple[Headline, ...] = (
    _headline("size", "tictactoe", "win", BY_CHANCE),
    _headline("rendering", "tictactoe", "opened", 0.0),
    _headline("size", "shapes", "exact", 0.25),
    _headline("pieces", "lego_validity", "exact", 0.5),
)
FIRST = {"harness": "as_released", "shift": "none"}
MARKS: tuple[Mark, ...] = tuple(
    Mark("exact" if game in ("shapes", "lego_validity", "molecules") else "win", value, {"game": game, **FIRST}, label)
    for game, values in {
        "tictactoe": (0.53, 0.77, 0.92), "connectfour": (0.76, 0.80, 0.80), "battleship": (0.10, 0.04, 0.0),
        "shapes": (0.37, 0.92, 0.97), "lego_validity": (0.5, 0.51, 0.75), "molecules": (0.01, 0.06, 0.05),
    }.items()
    for label, value in zip(("GPT-3.5", "GPT-4", "GPT-4o"), values, strict=True)
)  # fmt: skip
