"""Watch a model play, or play against it: board games in the terminal.

unseen use childplay play smollm2 --game tictactoe --against random
unseen use childplay play minimax --game connectfour --me            you against a scripted player
unseen use childplay series smollm2 --game tictactoe --games 20      legality and skill apart, from both seats
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.lab import Lab

from . import environments, played, players
from .arms import BOARDS, PUZZLES, SIZES, Scripted
from .harness import Look, Turns, read, state, turns
from .series import Game
from .series import played as playing

app = typer.Typer(
    help="Watch a model play a board game, play against it, or count what it wins and what it forfeits.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Replies = Callable[[Turns], str]
ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model (smollm2, hf:…, api:…, py:…) or a scripted player.")
]
GameName = Annotated[str, typer.Option("--game", help="tictactoe, connectfour or battleship.")]
Against = Annotated[str, typer.Option("--against", help="The opponent: random, one_ply, weak, minimax or hunter.")]
Seed = Annotated[int, typer.Option("--seed")]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a game ended: win, loss or tie for the player of `seat`, and whether by a move that was not legal."""

    outcome: str
    forfeit: bool
    moves: int


def replies_of(name: str, *, max_new_tokens: int = 16, seed: int = 0) -> Replies:
    """What a model, or a scripted player of that name, answers to a prompt."""
    if name in players.SPEAKERS:
        rng = np.random.default_rng(seed)
        return lambda prompt: players.reply(name, prompt, rng)
    model = _opened(name)
    return lambda prompt: model.generate([prompt], max_new_tokens=max_new_tokens)[0].text


def play(
    game: str,
    first: Replies,
    second: Replies,
    *,
    look: Look | None = None,
    size: int = 0,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
) -> Ended:
    """One game between two players that read prompts, told line by line; the outcome is the first player's."""
    shown = look or Look()
    seats = (first, second)
    match = environments.begun(game, size, np.random.default_rng(seed))
    while match.result is None:
        seat = match.turn
        tell(state(shown, match, seat))
        said = seats[seat](turns(shown, match, seat))
        found = read(shown, match, said).move
        tell(f"player {seat + 1}: {said.strip()!r}" + ("" if found is not None else ", which is no legal move"))
        if found is None:
            return Ended("loss" if seat == 0 else "win", True, len(match.past))
        match.move(found)
    tell(state(shown, match, 0))
    return Ended({0: "win", 1: "loss"}.get(match.result, "tie"), False, len(match.past))


def counted(
    name: str, game: str, *, against: str = "random", games: int = 10, size: int = 0, seed: int = 0
) -> dict[str, dict[str, float]]:
    """A series from both seats: seat -> win, tie, loss, forfeit, legal, win_if_legal, missed_win, missed_block."""
    if game not in BOARDS:
        raise Unknown(f"no board game is called {game!r}{nearest(game, BOARDS)}. Board games: {', '.join(BOARDS)}.")
    setting = Scripted("random", game, games=games, opponent=against)  # type: ignore[arg-type]
    begun = played.begun(setting, Lab.alone(seeds=(seed,)))
    for _ in playing(begun, _asker(name, seed)):
        pass
    found: dict[str, dict[str, float]] = {}
    for row in played.rows(begun, outcomes=True):
        found.setdefault(str(row.at["seat"]), {})[row.measure] = row.value
    return found


@app.command(name="play")
def play_command(
    model: ModelName,
    game: GameName = "tictactoe",
    against: Against = "random",
    me: Annotated[bool, typer.Option("--me", help="You play against MODEL.")] = False,
    second: Annotated[bool, typer.Option("--second", help="MODEL (with --me: you) moves second.")] = False,
    size: Annotated[int, typer.Option("--size", help="Rows and columns; 0: the released size.")] = 0,
    symbols: Annotated[str, typer.Option("--symbols", help="The two marks.")] = "XO",
    letters: Annotated[bool, typer.Option("--letters", help="Squares are named a1, b2, …")] = False,
    seed: Seed = 0,
) -> None:
    """Watch MODEL play a scripted opponent, or play against it yourself."""
    if len(symbols) != 2 or symbols[0] == symbols[1]:
        raise Invalid(f"--symbols {symbols}: give two different characters, such as XO.")
    look = Look(symbols=(symbols[0], symbols[1]), notation="a1" if letters else "row col")
    other = replies_of(model, seed=seed) if me else replies_of(_scripted(against), seed=seed + 1)
    mine = _me if me else replies_of(model, seed=seed)
    pair = (other, mine) if second else (mine, other)
    ended = play(game, *pair, look=look, size=size, seed=seed, tell=typer.echo)
    outcome = {"win": "loss", "loss": "win"}.get(ended.outcome, "tie") if second else ended.outcome
    who = "you" if me else model
    typer.echo(f"{who}: {outcome}{' by a move that is not legal' if ended.forfeit else ''}, after {ended.moves} moves.")


@app.command(name="series")
def series_command(
    model: ModelName,
    game: GameName = "tictactoe",
    against: Against = "random",
    games: Annotated[int, typer.Option("--games", min=1, help="Pairs of games, one from each seat.")] = 10,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count what MODEL wins, loses and forfeits from both seats, all live games asked at once."""
    found = counted(model, game, against=_scripted(against), games=games, seed=seed)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for seat, values in found.items():
        typer.echo(f"{seat:<7} " + "  ".join(f"{name} {value:.2f}" for name, value in values.items()))


@app.command(name="games")
def games_command() -> None:
    """List the games, and the scripted players."""
    typer.echo("board games: " + ", ".join(f"{g} {SIZES[g][0]} x {SIZES[g][0]}" for g in BOARDS))
    typer.echo("puzzles: " + ", ".join(PUZZLES))
    typer.echo("players: " + ", ".join(players.OPPONENTS))


def _asker(name: str, seed: int) -> Callable[[Sequence[Game], Sequence[Turns]], list[str]]:
    if name in players.SPEAKERS:
        return played.scripted(name)
    model = _opened(name)
    return lambda _, prompts: [a.text for a in model.generate(list(prompts), max_new_tokens=16)]


def _opened(name: str) -> Any:
    """The model of that name. Raises Unknown for one that is neither a model's nor a scripted player's."""
    from unseen import models

    if ":" not in name and not name.startswith("smollm2"):
        hint = nearest(name, [*players.SPEAKERS, "smollm2"])
        raise Unknown(
            f"no player is called {name!r}{hint}. Scripted players: {', '.join(players.SPEAKERS)}; or a model such as smollm2 or api:NAME@URL."
        )

    return models.open(name)


def _scripted(name: str) -> str:
    players.opponent(name)
    return name


def _me(prompt: Turns) -> str:
    """What you type; the board has been shown."""
    return str(typer.prompt("your move", prompt_suffix=": "))
