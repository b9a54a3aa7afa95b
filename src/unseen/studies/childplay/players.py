"""Who plays? Scripted players, as opponents that see the game and as speakers that see nothing but the prompt.

    opponent("minimax")(match, rng)          ->  4, a move
    speaker("minimax")([turns], [rng])       ->  ["1 1"], a reply

random     any legal move
one_ply    a win where there is one, else a block, else any move
minimax    the best move: by the whole tree on small boards, four plies deep on larger ones
weak       the best move half the time, else any
hunter     of battleship: beside a hit, in line with two; of other games as minimax
oracle     of puzzles: the right answer; of games as minimax or hunter
guess      of puzzles: an answer of the right form, by chance; of games as random
glance     of LEGO validity: by the first piece alone
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unseen.core.errors import Unknown, nearest
from unseen.core.model import Prompt

from . import lego, molecules, shapes
from .battleship import aimed
from .harness import Line, Match, Turns, cell_name, told_move
from .reading import Seen, read
from .rules import Board, Rules, legal, mover, played, winning
from .solver import best

Opponent = Callable[[Match, np.random.Generator], int]
Speaker = Callable[[Sequence[Turns], Sequence[np.random.Generator]], list[str]]
OPPONENTS = ("random", "one_ply", "minimax", "weak", "hunter")
SPEAKERS = ("random", "one_ply", "minimax", "weak", "hunter", "oracle", "guess", "glance")
RANDOM_SMILES = ("C", "CC", "CO", "CN", "CCO", "CNC", "COC", "CCN", "CSC", "CCC", "CF", "NCO")


def opponent(name: str) -> Opponent:
    """A scripted opponent. Raises Unknown with the names there are."""
    if name not in OPPONENTS:
        raise Unknown(f"no opponent is called {name!r}{nearest(name, OPPONENTS)}. Opponents: {', '.join(OPPONENTS)}.")

    def moves(match: Match, rng: np.random.Generator) -> int:
        if isinstance(match, Line):
            return line_move(name, match.rules, match.board, rng)
        return sea_move(name, match.sea.size, match.sea.shots[match.turn], rng)

    return moves


def speaker(name: str) -> Speaker:
    """A scripted player that reads prompts and answers them. Raises Unknown with the names there are."""
    if name not in SPEAKERS:
        raise Unknown(f"no player is called {name!r}{nearest(name, SPEAKERS)}. Players: {', '.join(SPEAKERS)}.")
    return lambda prompts, rngs: [reply(name, p, rng) for p, rng in zip(prompts, rngs, strict=True)]


def reply(name: str, turns: Turns, rng: np.random.Generator) -> str:
    """What a scripted player answers to a prompt."""
    text = "\n\n".join(turn["content"] for turn in turns)
    if " in a game" not in turns[0]["content"]:
        return _puzzled(name, text, rng)
    seen = read(turns)
    if seen.rules is None:
        move = sea_move("hunter" if name in ("oracle", "minimax") else name, seen.size, seen.shots, rng)
    else:
        move = line_move(name, seen.rules, seen.board, rng)
    return told(seen, move)


def told(seen: Seen, move: int) -> str:
    """A move in the notation a prompt asks for."""
    if seen.rules is None:
        return cell_name(seen.look, move, seen.size)
    return told_move(seen.look, Line(seen.rules, seen.board), move)


def line_move(name: str, rules: Rules, board: Board, rng: np.random.Generator) -> int:
    """A scripted player's move in a game of lines."""
    among = legal(rules, board)
    if name in ("minimax", "oracle", "hunter") or (name == "weak" and rng.random() < 0.5):
        among = best(rules, board)
    elif name == "one_ply":
        me = mover(board)
        safe = [m for m in among if not winning(rules, played(rules, board, m), 3 - me)]
        among = winning(rules, board, me) or safe or among
    return int(among[rng.integers(len(among))])


def sea_move(name: str, size: int, shots: dict[int, bool], rng: np.random.Generator) -> int:
    """A scripted player's shot, by the shots that it sees."""
    if len(shots) >= size * size:
        return 0
    if name in ("hunter", "minimax", "oracle"):
        return aimed(size, shots, rng)
    free = [c for c in range(size * size) if c not in shots]
    return int(free[rng.integers(len(free))])


def oracle(prompts: Sequence[Prompt], *, seed: int = 0, **_: Any) -> list[str]:
    """The best answer to every prompt: the model `py:unseen.studies.childplay.players:oracle`, a positive control."""
    return [reply("oracle", _turns(p), _rng(p, seed)) for p in prompts]


def guess(prompts: Sequence[Prompt], *, seed: int = 0, **_: Any) -> list[str]:
    """A legal answer by chance, a function of the prompt: the model `py:unseen.studies.childplay.players:guess`."""
    return [reply("guess", _turns(p), _rng(p, seed)) for p in prompts]


def _puzzled(name: str, text: str, rng: np.random.Generator) -> str:
    """An answer to a puzzle's prompt."""
    if "Shapes game" in text:
        return shapes.solved(text) if name == "oracle" else str(int(rng.integers(len(shapes.OPTIONS))))
    if "SMILES" in text:
        return molecules.solved(text) if name == "oracle" else RANDOM_SMILES[int(rng.integers(len(RANDOM_SMILES)))]
    if "structure using" in text:
        return lego.solved(text) if name == "oracle" else _scattered(text, rng)
    if name == "glance":
        return lego.glanced(text)
    return lego.solved(text) if name == "oracle" else ("valid", "invalid")[int(rng.integers(2))]


def _scattered(text: str, rng: np.random.Generator) -> str:
    n = int(re.findall(r"structure using (\d+) Lego", text)[0])
    return str([(int(rng.integers(11)) * 4, int(rng.integers(11)), "red") for _ in range(n)])


def _turns(prompt: Prompt) -> Turns:
    """A prompt as turns: plain text is parted where its system turn ends."""
    if not isinstance(prompt, str):
        return [dict(turn) for turn in prompt]
    head, blank, rest = prompt.partition("\n\n")
    parted = blank and (" in a game" in head or head.startswith(("You are playing", "You are a SMILES")))
    contents = [("system", head), ("user", rest)] if parted else [("user", prompt)]
    return [{"role": role, "content": content} for role, content in contents]


def _rng(prompt: Prompt, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {prompt}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
