"""How are board games measured? A series of a model or a scripted player, and what became of its games.

Item("3:first:size 4:0", Split("size 4", …), prompt="…", answer="1 1 | 0 0 -> win, 5 moves", truth="win",
     scores={"win": 1, "tie": 0, "loss": 0, "forfeit": 0, "illegible": 0, "opened": 1}, at={"seat": "first"}, seed=3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from unseen.core.lab import Lab
from unseen.core.record import Item, Row, Split

from . import players
from .arms import Asked, Scripted, Variant, seats, variants
from .battleship import Sea, equal_fleets, fleet
from .harness import Battle, Line, Match, Turns
from .series import Game, played, told

SEATS = ("first", "second")


def run(setting: Asked | Scripted, lab: Lab, ask: Callable[..., list[str]]) -> Iterator[Item | Row]:
    """Yield an item for each game of a model (the means of a scripted player's, unless they are kept), and by split, seat and seed the share of legal moves (`legal`), of games won among
    those without a forfeit (`win_if_legal`), of losses that were forfeits (`loss_by_forfeit`), and of wins left unused
    and threats left open (`missed_win`, `missed_block`), wherever there was one."""
    games = begun(setting, lab)
    for left in played(games, ask):
        lab.progress(len(games) - left, len(games))
    kept = isinstance(setting, Asked) or setting.kept
    if kept:
        yield from items(games)
    yield from rows(games, outcomes=not kept)


def begun(setting: Asked | Scripted, lab: Lab) -> list[Game]:
    """All games of a setting before their first move. The two games of a pair share the sea and the opponent's stream."""
    found: list[Game] = []
    for seed in lab.seeds:
        for variant in variants(setting.game, setting.shift, setting.harness, setting.opponent):
            for pair in range(setting.games):
                found += [_game(setting, variant, pair, seat, lab, seed) for seat in seats(setting.harness)]
    return found


def items(games: Sequence[Game]) -> Iterator[Item]:
    """What became of each game, for the player asked; its prompt is the last one."""
    for g in games:
        yield Item(g.id, g.split, g.prompt, told(g), "win", scores(g), at={"seat": SEATS[g.seat]}, seed=g.seed)


def scores(game: Game) -> dict[str, float]:
    """How a game ended for the player asked (0 or 1 each): `opened` if its first move was legal."""
    found = {name: float(game.outcome == name) for name in ("win", "tie", "loss")}
    return found | {
        "forfeit": float(game.forfeit),
        "illegible": float(not game.legible),
        "opened": float(game.legal > 0),
    }


def rows(games: Sequence[Game], *, outcomes: bool) -> Iterator[Row]:
    """Shares of moves and of games, of every split, seat and seed; with `outcomes` the means of the games' scores too."""
    by: dict[tuple[int, str, int], list[Game]] = {}
    for g in games:
        by.setdefault((g.seed, g.split.name, g.seat), []).append(g)
    for (seed, _, seat), part in by.items():
        finished, lost = [g for g in part if not g.forfeit], [g for g in part if g.outcome == "loss"]
        asked = sum(len(g.replies) for g in part)
        counts = {
            "legal": (sum(g.legal for g in part), asked),
            "win_if_legal": (sum(g.outcome == "win" for g in finished), len(finished)),
            "loss_by_forfeit": (sum(g.forfeit for g in lost), len(lost)),
            "missed_win": (sum(sum(g.wins) for g in part), sum(len(g.wins) for g in part)),
            "missed_block": (sum(sum(g.blocks) for g in part), sum(len(g.blocks) for g in part)),
        }
        if outcomes:
            counts |= {name: (int(sum(scores(g)[name] for g in part)), len(part)) for name in scores(part[0])}
        drawn = hashlib.sha256("\n".join(g.id for g in part).encode()).hexdigest()[:8]
        for name, (count, n) in counts.items():
            if n:
                at = {"seat": SEATS[seat]}
                yield Row(name, count / n, part[0].split, n, at=at, seed=seed, drawn=drawn)


def scripted(name: str) -> Callable[[Sequence[Game], Sequence[Turns]], list[str]]:
    """A scripted player as one that is asked."""
    speaks = players.speaker(name)
    return lambda games, prompts: speaks(prompts, [g.own for g in games])


def _game(setting: Asked | Scripted, variant: Variant, pair: int, seat: int, lab: Lab, seed: int) -> Game:
    names = (setting.game, setting.shift, variant.split.name, pair)
    match = _match(setting, variant, lab, seed, names)
    who = players.opponent(variant.opponent)
    rng, own = (lab.rng(kind, *names, seat, seed=seed) for kind in ("opponent", "own"))
    identity = f"{seed}:{SEATS[seat]}:{variant.split.name}:{pair}"
    return Game(identity, variant.split, seed, seat, variant.look, match, who, rng, own)


def _match(setting: Asked | Scripted, variant: Variant, lab: Lab, seed: int, names: tuple[str | int, ...]) -> Match:
    """A board, or a sea whose fleets lie with the pair's games: as intended of ships of equal sizes."""
    if variant.rules is not None:
        return Line(variant.rules)
    rng = lab.rng("fleets", *names, seed=seed)
    if setting.harness == "as_released":
        return Battle(Sea(variant.size, (fleet(variant.size, rng), fleet(variant.size, rng))))
    return Battle(Sea(variant.size, equal_fleets(variant.size, rng)))


def split_of(setting: Asked | Scripted) -> tuple[Split, ...]:
    """The splits of a board game's setting."""
    return tuple(v.split for v in variants(setting.game, setting.shift, setting.harness, setting.opponent))
