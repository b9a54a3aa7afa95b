"""Boards, solvers, the sea and prompts of ChildPlay, each against something that does not know them."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.studies.childplay import battleship, harness, players, reading
from unseen.studies.childplay.arms import BOARDS, variants
from unseen.studies.childplay.battleship import Sea, occupied
from unseen.studies.childplay.harness import Battle, Line, Look, turns
from unseen.studies.childplay.rules import (
    Board,
    Rules,
    completes,
    connectfour,
    landing,
    legal,
    missed,
    mover,
    played,
    tictactoe,
    winner,
    winning,
)
from unseen.studies.childplay.solver import best, reachable, sound, values

WINS = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]  # by hand


def won(board: Board) -> int:
    return next((board[a] for a, b, c in WINS if board[a] and board[a] == board[b] == board[c]), 0)


@cache
def games(board: Board = (0,) * 9) -> int:
    """How many ways a game of tic-tac-toe can go on, counted one by one."""
    if won(board) or 0 not in board:
        return 1
    who = 1 if board.count(1) == board.count(2) else 2
    return sum(games((*board[:i], who, *board[i + 1 :])) for i in range(9) if not board[i])


@cache
def chances(board: Board = (0,) * 9) -> tuple[Fraction, Fraction, Fraction]:
    """How often X wins, O wins and nobody does where both play at random, exactly."""
    if won(board) or 0 not in board:
        return tuple(Fraction(won(board) == k) for k in (1, 2, 0))  # type: ignore[return-value]
    who = 1 if board.count(1) == board.count(2) else 2
    each = [chances((*board[:i], who, *board[i + 1 :])) for i in range(9) if not board[i]]
    return tuple(sum(parts, Fraction(0)) / len(each) for parts in zip(*each, strict=True))  # type: ignore[return-value]


@cache
def worth(board: Board) -> int:
    """The outcome of best play for X: 1, 0 or −1."""
    if won(board) or 0 not in board:
        return {1: 1, 2: -1}.get(won(board), 0)
    who = 1 if board.count(1) == board.count(2) else 2
    each = [worth((*board[:i], who, *board[i + 1 :])) for i in range(9) if not board[i]]
    return max(each) if who == 1 else min(each)


def naive(rules: Rules, board: Board) -> set[int]:
    """Who has a line, by looking from every cell in eight directions."""
    grid = np.array(board).reshape(rules.rows, rules.cols)
    found: set[int] = set()
    for r, c in product(range(rules.rows), range(rules.cols)):
        for dr, dc in product((-1, 0, 1), repeat=2):
            cells = [(r + dr * k, c + dc * k) for k in range(rules.line)]
            if (dr, dc) != (0, 0) and all(0 <= y < rules.rows and 0 <= x < rules.cols for y, x in cells):
                marks = {int(grid[cell]) for cell in cells}
                found |= marks if len(marks) == 1 else set()
    return found - {0}


def some_boards(rules: Rules, n: int, seed: int = 0, *, marks: int | None = None) -> Iterator[Board]:
    """Undecided positions that random play reaches."""
    rng = np.random.default_rng(seed)
    while n:
        board = rules.empty
        for _ in range(int(rng.integers(rules.cells)) if marks is None else marks):
            among = legal(rules, board)
            board = played(rules, board, among[int(rng.integers(len(among)))])
            if naive(rules, board):
                break
        if not naive(rules, board) and 0 in board:
            n -= 1
            yield board


def test_tictactoe_has_as_many_positions_and_games_as_are_known() -> None:
    found = reachable(tictactoe())
    assert len(found) == 5478 and games() == 255_168
    assert sum(not on for on in found.values()) == 958  # boards on which a game can end


def test_random_players_of_tictactoe_win_as_often_as_a_count_of_all_games_says() -> None:
    assert [round(float(p), 3) for p in chances()] == [0.585, 0.288, 0.127]
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(3_000):
        match = Line(tictactoe())
        while match.result is None:
            match.move(players.line_move("random", match.rules, match.board, rng))
        outcomes.append(match.result)
    for k, p in zip((0, 1, 2), chances(), strict=True):
        assert abs(outcomes.count(k) / 3_000 - float(p)) < 0.035  # four standard errors


def test_every_position_is_valued_as_a_whole_search_says() -> None:
    rules = tictactoe()
    for board, on in reachable(rules).items():
        if on:
            sign = 1 if mover(board) == 1 else -1
            top = max(v for _, v in values(rules, board))
            assert (top > 0) - (top < 0) == sign * worth(board)
            same = [m for m in legal(rules, board) if worth(played(rules, board, m)) == worth(board)]
            assert sound(rules, board) == same and set(best(rules, board)) <= set(same)


@pytest.mark.parametrize("rules", [tictactoe(), tictactoe(4), connectfour(), connectfour(6, 7), connectfour(4, 5)])
def test_lines_are_found_as_a_scan_finds_them(rules: Rules) -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        board = tuple(int(v) for v in rng.integers(0, 3, rules.cells) * (rng.random(rules.cells) < 0.8))
        seen = naive(rules, board)
        assert (winner(rules, board) in seen) if seen else winner(rules, board) == 0
        assert any(completes(rules, board, c) for c in range(rules.cells)) == bool(seen)


@pytest.mark.parametrize("rules", [tictactoe(), connectfour(4, 4), connectfour()])
def test_moves_that_win_and_moves_missed_are_those_of_trying_all(rules: Rules) -> None:
    for board in some_boards(rules, 60 if rules.cells < 20 else 10):
        me = mover(board)
        wins = {
            who: [m for m in legal(rules, board) if who in naive(rules, played(rules, board, m, who))] for who in (1, 2)
        }
        assert {who: winning(rules, board, who) for who in (1, 2)} == wins
        for move in legal(rules, board):
            after = played(rules, board, move)
            open_now = [m for m in legal(rules, after) if 3 - me in naive(rules, played(rules, after, m, 3 - me))]
            win, block = missed(rules, board, move)
            assert win == (None if not wins[me] else move not in wins[me])
            if block is not None:
                assert not wins[me] and wins[3 - me] and block == bool(open_now)


def plain(rules: Rules, board: Board, depth: int) -> int:
    """The value of a position for the player to move, with no cuts and no memory."""
    if 0 not in board or depth == 0:
        return 0
    found = []
    for move in legal(rules, board):
        after = played(rules, board, move)
        free = after.count(0)
        found.append(free + 1 if naive(rules, after) else -plain(rules, after, depth - 1))
    return max(found)


@pytest.mark.parametrize(
    ("rules", "depth", "marks"), [(connectfour(4, 4), 4, 5), (connectfour(5, 5), 3, 8), (tictactoe(4), 20, 11), (connectfour(4, 4), 20, 9)]
)  # fmt: skip
def test_cutting_branches_changes_no_value(rules: Rules, depth: int, marks: int) -> None:
    for board in some_boards(rules, 4, seed=3, marks=marks):
        told = values(rules, board, depth)
        for move, value in told:
            after = played(rules, board, move)
            free = after.count(0)
            assert value == (free + 1 if naive(rules, after) else -plain(rules, after, depth - 1))


def test_discs_fall() -> None:
    rules = connectfour()
    board = played(rules, played(rules, rules.empty, 3), 3)
    assert (landing(rules, board, 3), board[6 * 7 + 3], board[5 * 7 + 3]) == (4 * 7 + 3, 1, 2)


def test_fleets_do_not_touch_and_are_as_large_as_the_released_ones() -> None:
    rng = np.random.default_rng(0)
    sizes = []
    for _ in range(600):
        fleet = battleship.fleet(5, rng)
        cells = [[divmod(c, 5) for c in ship] for ship in fleet]
        for a, b in ((a, b) for i, a in enumerate(cells) for b in cells[:i]):
            assert all(max(abs(p[0] - q[0]), abs(p[1] - q[1])) > 1 for p in a for q in b)
        assert all(0 <= c < 25 for c in occupied(fleet))
        sizes.append(len(occupied(fleet)))
    assert abs(np.mean(sizes) - 7.7) < 0.3
    for _ in range(10):
        one, other = battleship.equal_fleets(5, rng)
        assert sorted(map(len, one)) == sorted(map(len, other))


def test_a_battle_ends_when_a_fleet_is_hit() -> None:
    sea = Sea(3, (((0, 1),), ((8,),)))
    assert sea.legal() == list(range(9)) and sea.result is None
    for cell in (0, 0, 1, 1):
        sea.shoot(cell)
    assert sea.result == 1 and sea.shots == ({0: False, 1: False}, {0: True, 1: True})


def test_a_hunter_shoots_beside_its_hits() -> None:
    rng = np.random.default_rng(0)
    assert {battleship.aimed(5, {12: True}, rng) for _ in range(60)} == {7, 11, 13, 17}
    assert battleship.aimed(5, {12: True, 7: False, 11: False, 17: False}, rng) == 13


RELEASED = {
    "tictactoe": "    0   1   2\n  +---+---+---+\n0 |   |   |   |\n  +---+---+---+\n1 |   | X |   |\n  +---+---+---+\n2 |   |   |   |\n  +---+---+---+\n",
    "battleship": "Your Ships:   Opponent's Board:\n  0 1 2 3 4     0 1 2 3 4\n0 ~ ~ S ~ ~ | 0 X ~ ~ ~ ~\n1 ~ ~ ~ ~ ~ | 1 ~ O ~ ~ ~\n2 ~ ~ ~ ~ ~ | 2 ~ ~ ~ ~ ~\n3 ~ ~ ~ ~ ~ | 3 ~ ~ ~ ~ ~\n4 ~ ~ ~ ~ ~ | 4 ~ ~ ~ ~ ~\n",
}  # fmt: skip


def sea_of_two_ships() -> Battle:
    """The first player's ship lies at 0, the second's at 2; the second has hit, and missed at 6."""
    battle = Battle(Sea(5, (((0, 1),), ((2,),))))
    for cell in (24, 0, 23, 6):
        battle.move(cell)
    return battle


def test_released_prompts_are_as_the_repository_writes_them() -> None:
    match = Line(tictactoe())
    match.move(4)
    system, user = turns(Look("as_released"), match, 0)
    assert system["content"].startswith(
        "You are a player in a game of tictactoe. Tic-Tac-Toe is a two-player game played"
    )
    assert system["content"].endswith("else you lose..")
    assert (
        user["content"]
        == f"Player 1 (LLM), it's your turn. Here's the current game state:\n{RELEASED['tictactoe']}\nMy move is: "
    )
    four = Line(connectfour())
    four.move(3)
    assert "|.|.|.|\033[91mX\033[0m|.|.|.|" in turns(Look("as_released"), four, 0)[1]["content"]


def test_the_released_sea_is_the_other_players() -> None:
    battle = sea_of_two_ships()
    shown = turns(Look("as_released"), battle, 0)[1]["content"]
    assert RELEASED["battleship"] in shown  # the second player's ship, and its shots
    own = turns(Look(), battle, 0)[1]["content"]
    assert "0 X S ~ ~ ~ | 0 ~ ~ ~ ~ ~" in own and "4 ~ ~ ~ ~ ~ | 4 ~ ~ ~ O O" in own
    assert "row (from 0 to 4)" in turns(Look("as_released"), battle, 0)[0]["content"]


@pytest.mark.parametrize("game", BOARDS)
def test_every_way_of_showing_a_game_is_read_back_from_its_text(game: str) -> None:
    rng = np.random.default_rng(2)
    axes = ("size", "notation", "rendering", "history", "moves", *(() if game == "battleship" else ("symbols",)))
    shown = [v for axis in axes for v in variants(game, axis, "as_intended")]
    shown += [] if game == "battleship" else variants(game, "none", "as_released")
    for variant in shown:
        for _ in range(4):
            sea = Sea(variant.size, battleship.equal_fleets(variant.size, rng))
            match = Line(variant.rules) if variant.rules else Battle(sea)
            for _ in range(2 * int(rng.integers(1, 4))):
                if match.result is None:
                    match.move(int(rng.choice(match.legal())))
            if match.result is not None:
                continue
            seen = reading.read(turns(variant.look, match, match.turn))
            if isinstance(match, Line):
                assert (seen.rules, seen.board) == (match.rules, match.board)
            else:
                assert (seen.size, seen.shots) == (match.sea.size, match.sea.shots[match.turn])
            for move in match.legal():
                said = players.told(seen, move)
                assert said == harness.told_move(variant.look, match, move)
                for reply in (said, f"My move is: {said}."):
                    found = harness.read(variant.look, match, reply)
                    strict = variant.look.harness == "as_released" and reply != said
                    assert found.move == (None if strict else move)


@pytest.mark.parametrize(
    ("reply", "released", "intended"),
    [
        ("1 1", 4, 4), (" 1  1\n", 4, 4), ("1, 1", None, 4), ("(1, 1)", None, 4), ("row 1, column 2", None, 5), ("1", None, None),
        ("1 1 1", None, 4), ("0 0", None, None), ("3 0", None, None), ("-1 0", None, None), ("0 3", None, None), ("", None, None),
        ("I play 2 2", None, 8), ("one one", None, None), ("+1 +1", 4, 4), ("1.0 1", None, None),
    ],
)  # fmt: skip
def test_replies_are_read_strictly_as_released_and_sensibly_as_intended(
    reply: str, released: int | None, intended: int | None
) -> None:
    match = Line(tictactoe(), (1, 0, 0, 0, 0, 0, 0, 0, 0))
    assert harness.read(Look("as_released"), match, reply).move == released
    assert harness.read(Look(), match, reply).move == intended


@pytest.mark.parametrize(
    ("reply", "move"), [("3", 3), ("column 3", 3), ("7", None), ("-1", None), ("", None), ("0", None)]
)
def test_columns_are_read(reply: str, move: int | None) -> None:
    match = Line(connectfour(), tuple(1 if i % 7 == 0 and i // 7 % 2 else 2 * (i % 7 == 0) for i in range(49)))
    assert harness.read(Look(), match, reply).move == move


def test_letters_name_squares() -> None:
    match = Line(tictactoe(4))
    look = Look(notation="a1")
    assert [harness.read(look, match, r).move for r in ("b3", "I say C1.", "e1", "a5", "3b")] == [
        9,
        2,
        None,
        None,
        None,
    ]


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(Unknown, match="minimax"):
        players.opponent("minmax")
    with pytest.raises(Unknown, match="random"):
        players.speaker("randon")
    with pytest.raises(Invalid, match="shifted along"):
        variants("battleship", "symbols", "as_intended")
    with pytest.raises(Invalid, match="no shifts"):
        variants("tictactoe", "size", "as_released")
    with pytest.raises(Invalid, match="no game"):
        reading.read(
            [{"role": "system", "content": "You are a player in a game. Chess."}, {"role": "user", "content": ""}]
        )
