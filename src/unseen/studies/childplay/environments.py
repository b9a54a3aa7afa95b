"""A game to act in: reset and step, as gymnasium spells them, with text for what is seen and text or a move for an action.

    game = make("tictactoe", opponent="minimax")
    seen, info = game.reset(seed=0)                      # the prompt a language model is shown; info["legal"] = [0, …, 8]
    seen, reward, terminated, truncated, info = game.step("1 1")     # or step(4)

The reward is 1 for a win, −1 for a loss or a move that is not legal, else 0; of a puzzle 1 for the right answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.core.errors import Invalid, Unknown, nearest

from . import players
from .arms import BOARDS, PUZZLES, SIZES
from .battleship import Sea, equal_fleets
from .harness import Battle, Line, Look, Match, read, told_move, turns
from .puzzle import Puzzle
from .rules import connectfour, tictactoe
from .tasks import FIRST_AXIS, MADE

Step = tuple[str, float, bool, bool, dict[str, Any]]


class BoardGame:
    """A board game against a scripted opponent, from one seat."""

    def __init__(
        self, game: str, *, opponent: str = "random", seat: int = 0, size: int = 0, look: Look | None = None
    ) -> None:
        _check(game, size)
        if seat not in (0, 1):
            raise Invalid(f"seat={seat}: the seats are 0, which moves first, and 1.")
        self.game, self.opponent, self.seat = game, players.opponent(opponent), seat
        self.size, self.look = size or SIZES[game][0], look or Look()
        self.rng = np.random.default_rng()
        self.match: Match | None = None
        self.over = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """A new game, its first move made where that is the opponent's: what is seen, and the legal moves."""
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        self.over = False
        self.match = begun(self.game, self.size, self.rng)
        self._answer()
        return self._seen(), self._info()

    def step(self, action: str | int) -> Step:
        """Play a move, told in words or as a number, and the opponent's answer. Raises Invalid for a game that is over."""
        match = self._going()
        found = read(self.look, match, action if isinstance(action, str) else told_move(self.look, match, action))
        if found.move is None:
            self.over = True
            return self._seen(), -1.0, True, False, {**self._info(), "illegal": True}
        match.move(found.move)
        self._answer()
        self.over = match.result is not None
        reward = 0.0 if match.result in (None, 2) else 1.0 if match.result == self.seat else -1.0
        return self._seen(), reward, self.over, False, self._info()

    def _answer(self) -> None:
        match = self.match
        assert match is not None
        if match.result is None and match.turn != self.seat:
            match.move(self.opponent(match, self.rng))

    def _going(self) -> Match:
        if self.match is None or self.over:
            raise Invalid("there is no game under way; call reset() first.")
        return self.match

    def _seen(self) -> str:
        assert self.match is not None
        return "\n\n".join(turn["content"] for turn in turns(self.look, self.match, self.seat))

    def _info(self) -> dict[str, Any]:
        assert self.match is not None
        told = {"legal": [] if self.match.result is not None else self.match.legal(), "result": self.match.result}
        return told | {"turns": turns(self.look, self.match, self.seat)}


class PuzzleGame:
    """A puzzle as a game of one move: the answer."""

    def __init__(self, game: str, *, axis: str = "", split: str = "") -> None:
        if game not in PUZZLES:
            raise Unknown(f"no puzzle is called {game!r}{nearest(game, PUZZLES)}. Puzzles: {', '.join(PUZZLES)}.")
        self.task = MADE[game](axis or FIRST_AXIS[game])
        self.split = split or self.task.splits[0].name
        self.rng = np.random.default_rng()
        self.puzzle: Puzzle | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """A new puzzle: its prompt, and the same as turns."""
        if seed is not None:
            self.rng = np.random.default_rng(seed)
        self.puzzle = self.task.draw(self.split, 1, self.rng)[0]
        return self.puzzle.prompt, {"turns": self.puzzle.turns}

    def step(self, action: str) -> Step:
        """Answer it. Raises Invalid where there is no puzzle to answer."""
        if self.puzzle is None:
            raise Invalid("there is no puzzle to answer; call reset() first.")
        puzzle, self.puzzle = self.puzzle, None
        scores = dict(self.task.score(puzzle, action))
        return puzzle.prompt, scores["exact"], True, False, {"truth": puzzle.truth, "scores": scores}


def make(game: str, **options: Any) -> BoardGame | PuzzleGame:
    """The game of that name: `opponent`, `seat`, `size`, `look` of board games; `axis`, `split` of puzzles."""
    if game in BOARDS:
        return BoardGame(game, **options)
    if game in PUZZLES:
        return PuzzleGame(game, **options)
    known = (*BOARDS, *PUZZLES)
    raise Unknown(f"no game is called {game!r}{nearest(game, known)}. Games: {', '.join(known)}.")


def begun(game: str, size: int, rng: np.random.Generator) -> Match:
    """A board game before its first move; size 0 is the released one. Raises Unknown or Invalid for what cannot be."""
    _check(game, size)
    size = size or SIZES[game][0]
    if game == "battleship":
        return Battle(Sea(size, equal_fleets(size, rng)))
    return Line(tictactoe(size) if game == "tictactoe" else connectfour(size, size))


def _check(game: str, size: int) -> None:
    if game not in BOARDS:
        raise Unknown(f"no board game is called {game!r}{nearest(game, BOARDS)}. Board games: {', '.join(BOARDS)}.")
    if size and not 3 <= size <= 10:
        raise Invalid(f"size={size}: boards have 3 to 10 rows and columns.")
