"""How is a series played? Every live game of it is asked in one batch a ply, both seats, all seeds together.

for game in played(begun(...), speaker, ask): game.match.result, game.replies, game.missed
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.record import Split

from .harness import TIE, Line, Look, Match, Turns, read, turns
from .players import Opponent
from .rules import missed

Ask = Callable[[Sequence["Game"], Sequence[Turns]], list[str]]  # the games whose turn it is, their prompts -> replies


@dataclass
class Game:
    """One game of a series: who sits where, what was said, and how it ended.

    `seat` is that of the player asked; `legal` counts its legal moves, `wins` and `blocks` are (missed, there were).
    """

    id: str
    split: Split
    seed: int
    seat: int
    look: Look
    match: Match
    opponent: Opponent
    rng: np.random.Generator  # the opponent's
    own: np.random.Generator  # a scripted player's
    prompt: str = ""
    replies: list[str] = field(default_factory=list[str])
    legal: int = 0
    forfeit: bool = False
    legible: bool = True
    wins: list[bool] = field(default_factory=list[bool])
    blocks: list[bool] = field(default_factory=list[bool])

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return self.forfeit or self.match.result is not None

    @property
    def outcome(self) -> str:
        """win, loss or tie, for the player asked."""
        if self.forfeit:
            return "loss"
        return "tie" if self.match.result == TIE else "win" if self.match.result == self.seat else "loss"


def played(games: Sequence[Game], ask: Ask) -> Iterator[int]:
    """Play all games to their end; yield after each ply how many go on."""
    # DEPARTS: the released series stops once the opponent has won none of more than ten games, which favours the model
    live = waiting(games)
    while live:
        prompts = [turns(g.look, g.match, g.seat) for g in live]
        for game, prompt, said in zip(live, prompts, ask(live, prompts), strict=True):
            game.prompt = "\n\n".join(turn["content"] for turn in prompt)
            heard(game, said)
        live = waiting(live)
        yield len(live)


def waiting(games: Sequence[Game]) -> list[Game]:
    """The games that wait for the player asked, once the opponent has moved wherever it is its turn."""
    for game in games:
        if not game.over and game.match.turn != game.seat:
            game.match.move(game.opponent(game.match, game.rng))
    return [g for g in games if not g.over]


def heard(game: Game, reply: str) -> None:
    """Play what a reply says; one that says no legal move loses the game."""
    game.replies.append(reply.strip())
    found = read(game.look, game.match, reply)
    game.legible = found.legible
    if found.move is None or not found.legal:
        game.forfeit = True
        return
    if isinstance(game.match, Line):
        won, blocked = missed(game.match.rules, game.match.board, found.move)
        game.wins += [] if won is None else [won]
        game.blocks += [] if blocked is None else [blocked]
    game.legal += 1
    game.match.move(found.move)


def told(game: Game) -> str:
    """A game's account: every reply of the player asked, and how it ended."""
    end = "forfeit" if game.forfeit else game.outcome
    return " | ".join(game.replies) + f" -> {end}, {len(game.match.past)} moves"
