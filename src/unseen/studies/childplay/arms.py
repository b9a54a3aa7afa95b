"""Who is measured at what? Language models, scripted players that read the same prompts, and the games' shifts.

Asked("smollm2", "tictactoe", "size")              a model, on 3 × 3, 4 × 4 and 5 × 5 boards
Scripted("hunter", "battleship", "none", harness="as_released")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.study import Model

from .harness import Harness, Look
from .rules import Rules, connectfour, tictactoe

Game = Literal["tictactoe", "connectfour", "battleship", "shapes", "lego_validity", "lego_construction", "molecules"]
BOARDS = ("tictactoe", "connectfour", "battleship")
PUZZLES = ("shapes", "lego_validity", "lego_construction", "molecules")
SIZES: Mapping[str, tuple[int, ...]] = {"tictactoe": (3, 4, 5), "connectfour": (7, 9), "battleship": (5, 7)}
AXES = (
    "size",
    "symbols",
    "notation",
    "rendering",
    "history",
    "moves",
    "opponent",
    "noise",
    "shapes",
    "pieces",
    "atoms",
)
STRENGTH: Mapping[str, int] = {"random": 0, "weak": 1, "one_ply": 2, "minimax": 3, "hunter": 3}


@dataclass(frozen=True, slots=True)
class Asked:
    """A language model at one game, shifted along one axis ("none": the reference alone).

    Board games are played in pairs, one from each seat; as released from the first seat alone.
    """

    model: Model
    game: Game
    shift: str
    harness: Harness = "as_intended"
    opponent: str = "random"
    games: int = 5  # pairs of games, or puzzles, of every split and seed
    temperature: float = 0.0
    apply_chat_template: bool = True
    dtype: str = "float32"
    max_new_tokens: int = 16


@dataclass(frozen=True, slots=True)
class Scripted:
    """A scripted player that is shown the same prompts and answers them in words: baselines and controls."""

    player: str
    game: Game
    shift: str = "none"
    harness: Harness = "as_intended"
    opponent: str = "random"
    games: int = 50
    kept: bool = False  # whether every game is kept as an item, so that new games can be the unit


@dataclass(frozen=True, slots=True)
class Variant:
    """One split of a board game: the board, how it is shown, and who plays against."""

    split: Split
    rules: Rules | None  # None: battleship
    size: int
    look: Look
    opponent: str


def along(shift: str) -> str:
    """The axis of splits that are shifted so: none where nothing is shifted."""
    return "" if shift == "none" else shift


def seats(harness: Harness) -> tuple[int, ...]:
    """The seats that are played: both, but the released harness knows the first alone."""
    return (0,) if harness == "as_released" else (0, 1)


def variants(game: str, axis: str, harness: Harness, opponent: str = "random") -> tuple[Variant, ...]:
    """The reference and the shifted splits of a board game along an axis. Raises Invalid for an axis that it has not."""
    size = SIZES[game][0]
    first = Variant(Split("reference", along(axis)), _rules(game, size), size, Look(harness), opponent)
    if harness == "as_released" and axis != "none":
        raise Invalid(f"axis={axis}: the released harness has no shifts; name none.")
    if axis == "none":
        return (first,)
    if axis == "size":
        grown = [
            replace(first, split=Split(f"size {n}", axis, {"side": n}, n != size), rules=_rules(game, n), size=n)
            for n in SIZES[game]
        ]
        return tuple(grown)
    if axis == "opponent":
        stronger = ("hunter",) if game == "battleship" else ("one_ply", "minimax")
        return tuple(
            replace(first, split=Split(f"against {o}", axis, {"strength": STRENGTH[o]}, o != opponent), opponent=o)
            for o in (opponent, *stronger)
        )
    shown = _looks(game, harness).get(axis)
    if not shown:
        raise Invalid(
            f"axis={axis}: {game} is shifted along size, symbols, notation, rendering, history, moves, opponent."
        )
    return (first, *(replace(first, split=Split(name, axis, {}, True), look=look) for name, look in shown.items()))


def _looks(game: str, harness: Harness) -> Mapping[str, Mapping[str, Look]]:
    """The other ways of showing a game, by axis and by name of split."""
    plain = Look(harness)
    found = {
        "notation": {"letters": replace(plain, notation="a1")},
        "rendering": {f"as {r}": replace(plain, rendering=r) for r in ("list", "rows", "json")},
        "history": {"with history": replace(plain, history=True)},
        "moves": {"legal moves listed": replace(plain, moves=True)},
    }
    return found if game == "battleship" else {**found, "symbols": {"Q and Z": replace(plain, symbols=("Q", "Z"))}}


def _rules(game: str, size: int) -> Rules | None:
    if game == "battleship":
        return None
    return tictactoe(size) if game == "tictactoe" else connectfour(size, size)
