"""What is a good move here? Single positions of the board games, as items with a right answer.

Puzzle(prompt="You are a player in a game. Tic-tac-toe is …\\n\\nIt is your turn. …", truth="1 1")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unseen.core.record import Split
from unseen.core.task import Example, example_id
from unseen.tasks.drawn import no_split

from .arms import Variant, along, variants
from .battleship import Sea, equal_fleets, occupied
from .harness import Battle, Harness, Line, Match, read, told_move, turns
from .puzzle import TRIES, Puzzle, turns_of
from .reading import read as seen
from .solver import best


@dataclass(frozen=True)
class Positions:
    """Positions that random play reaches, a best move being right; of battleship, any shot that hits."""

    game: str
    axis: str = "none"
    harness: Harness = "as_intended"
    opponent: str = "random"

    @property
    def name(self) -> str:
        """The game's name."""
        return self.game

    @property
    def splits(self) -> tuple[Split, ...]:
        """The reference and what the axis shifts it to."""
        return tuple(v.split for v in variants(self.game, self.axis, self.harness, self.opponent))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Puzzle]:
        """n positions with distinct prompts, fewer where there are fewer."""
        variant = self._variant(split)
        where = Split(split, along(self.axis)) if split == "train" else variant.split
        found: dict[str, Puzzle] = {}
        for _ in range(TRIES * n):
            if len(found) == n:
                break
            match = _reached(variant, rng)
            told = turns(variant.look, match, match.turn)
            prompt = "\n\n".join(turn["content"] for turn in told)
            truth = told_move(variant.look, match, _right(match)[0])
            made = Puzzle(example_id(self.name, split, prompt), prompt, truth, where, system=told[0]["content"])
            found.setdefault(prompt, made)
        return list(found.values())

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: the move is a best one (of battleship: the truth's own cell); `legal`: it is one at all."""
        variant = self._variant(example.split.name)
        at = seen(turns_of(example))
        match: Match
        if at.rules is None:
            match = Battle(Sea(at.size, ((), ()), (dict(at.shots), {})))
            right = [read(variant.look, match, example.truth).move]
        else:
            match = Line(at.rules, at.board)
            right = best(at.rules, at.board)
        found = read(variant.look, match, answer)
        return {"exact": float(found.legal and found.move in right), "legal": float(found.legal)}

    def _variant(self, split: str) -> Variant:
        made = variants(self.game, self.axis, self.harness, self.opponent)
        for variant in (made[0], *made) if split != "train" else made[:1]:
            if split in ("train", variant.split.name):
                return variant
        raise no_split(self.name, split, (v.split.name for v in made))


def _reached(variant: Variant, rng: np.random.Generator) -> Match:
    """A position that some moves of random play lead to, the first player's or (as intended) anyone's to move."""
    while True:
        match: Match = (
            Line(variant.rules) if variant.rules else Battle(Sea(variant.size, equal_fleets(variant.size, rng)))
        )
        most = (variant.rules.cells if variant.rules else variant.size**2) - 1
        count = int(rng.integers(most))
        count -= count % 2 if variant.look.harness == "as_released" else 0
        for _ in range(count):
            if match.result is None:
                among = match.legal()
                match.move(among[int(rng.integers(len(among)))])
        if match.result is None and (variant.look.harness == "as_intended" or match.turn == 0):
            return match


def _right(match: Match) -> list[int]:
    if isinstance(match, Line):
        return best(match.rules, match.board)
    ships = occupied(match.sea.fleets[1 - match.turn])
    return sorted(ships - set(match.sea.shots[match.turn]))
