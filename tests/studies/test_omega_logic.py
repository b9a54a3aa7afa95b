"""Are the answers of the puzzles on boards and of houses in a row those that plain enumeration gives?"""

from __future__ import annotations

import itertools
import re

import networkx
import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.studies.omega.families import logic, zebra
from unseen.studies.omega.problem import Family
from unseen.studies.omega.solvers import chips, grids
from unseen.studies.omega.solvers.zebra import Clue, holds, shortened, solutions, true_clues

FAMILIES: tuple[Family, ...] = (*logic.FAMILIES, *zebra.FAMILIES)


def _boards(n: int):
    """Small grids with random blocked cells, other than the first and last corner."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        width, height = rng.integers(2, 6, 2).tolist()
        inner = [(x, y) for x in range(width) for y in range(height)][1:-1]
        blocked = [cell for cell in inner if rng.random() < 0.3]
        yield width, height, blocked


def _walks(width: int, height: int, blocked: list[grids.Cell]) -> list[str]:
    """All paths right and up that avoid the blocked cells, as words of R and U, by trying every word."""
    kept: list[str] = []
    for rights in itertools.combinations(range(width + height - 2), width - 1):
        word = "".join("R" if step in rights else "U" for step in range(width + height - 2))
        cells = [(word[:n].count("R"), word[:n].count("U")) for n in range(len(word) + 1)]
        if not set(cells) & set(blocked):
            kept.append(word)
    return kept


def test_paths_and_slides_are_those_of_all_walks_tried():
    for width, height, blocked in _boards(60):
        walks = _walks(width, height, blocked)
        assert grids.paths(width, height, blocked) == len(walks)
        pieces = [len(list(itertools.groupby(walk))) for walk in walks]
        assert grids.slides(width, height, blocked) == (min(pieces) if pieces else None)
        through = grids.passing(width, height, blocked)
        for x, y in itertools.product(range(width), range(height)):
            passed = sum((x, y) in [(w[:n].count("R"), w[:n].count("U")) for n in range(len(w) + 1)] for w in walks)
            assert through[y][x] == passed


def test_thinned_blocks_no_more_cells_than_it_takes_and_never_cuts():
    rng = np.random.default_rng(1)
    for _ in range(20):
        order = [(int(i) % 9, int(i) // 9) for i in rng.permutation(79) + 1]
        cells = grids.thinned(9, 9, order, 3, 50)
        assert 0 < grids.paths(9, 9, cells) <= 50 < grids.paths(9, 9, cells[:-1])
        assert cells[:3] == order[:3]


@pytest.mark.parametrize("leap", [(1, 2), (2, 1), (1, 3), (3, 4), (1, 6)])
def test_leaps_are_distances_in_the_graph_of_moves(leap: tuple[int, int]):
    a, b = leap
    width, height = 7, 8
    graph = networkx.Graph()
    graph.add_nodes_from(itertools.product(range(width), range(height)))
    for (x, y), (dx, dy) in itertools.product(list(graph), itertools.product((a, -a, b, -b), repeat=2)):
        if abs(dx) != abs(dy) and graph.has_node((x + dx, y + dy)):
            graph.add_edge((x, y), (x + dx, y + dy))
    far = networkx.single_source_shortest_path_length(graph, (0, 0))
    for cell in graph:
        assert grids.leaps(width, height, leap, cell) == far.get(cell)


def _legal(board: tuple[str, ...], size: int) -> bool:
    """Whether every row and column of a board has chips of one colour at most."""
    rows = [board[size * row : size * row + size] for row in range(size)]
    return all(len({c for c in line if c != "."}) < 2 for line in (*rows, *zip(*rows, strict=True)))


@pytest.mark.parametrize("size", [2, 3])
def test_most_chips_and_full_boards_are_those_of_all_boards(size: int):
    boards = [board for board in itertools.product(".bw", repeat=size * size) if _legal(board, size)]
    rng = np.random.default_rng(2)
    for _ in range(15):
        n = int(rng.integers(1, size + 1))
        others = {divmod(int(cell), size) for cell in rng.integers(0, size * size, n)}
        fitting = [board for board in boards if all(board[r * size + c] == "w" for r, c in others)]
        assert chips.most(others, size) == max(board.count("b") for board in fitting)
        assert chips.most(chips.needed(list(others)), size) == chips.most(others, size)
    for board in boards:
        chipped = [(*divmod(cell, size), colour) for cell, colour in enumerate(board) if colour != "."]
        if {row for row, _, _ in chipped} == set(range(size)) == {column for _, column, _ in chipped}:
            grown = [b for b in boards if all(x in (".", y) for x, y in zip(board, b, strict=True))]
            assert chips.saturated(chipped, size) == max(size * size - b.count(".") for b in grown)
            full = [
                b
                for b in grown
                if not any(b != c and all(x in (".", y) for x, y in zip(b, c, strict=True)) for c in boards)
            ]
            assert {size * size - b.count(".") for b in full} == {chips.saturated(chipped, size)}


def test_a_full_board_of_four_is_the_only_one_by_enumeration():
    rng = np.random.default_rng(3)
    for _ in range(4):
        problem = logic._full_board(4, rng)
        given = {(int(r), int(c)): colour for r, c, colour in re.findall(r"(\d),(\d)([bw])", problem.compact)}
        full: set[int] = set()
        for rows, columns in itertools.product(itertools.product("bw", repeat=4), repeat=2):
            if all(rows[r] == colour == columns[c] for (r, c), colour in given.items()):
                full.add(sum(row == column for row in rows for column in columns))
        assert full == {int(problem.answer)}


def test_the_rows_without_given_chips_are_refused():
    with pytest.raises(ValueError, match="no given chip"):
        chips.saturated([(0, 0, "black")], 2)


def _assignments(clues: list[Clue], houses: int, kinds: int) -> list[tuple[int, ...]]:
    """All solutions of a puzzle, by trying every assignment."""
    kept: list[tuple[int, ...]] = []
    for orders in itertools.product(itertools.permutations(range(houses)), repeat=kinds):
        places = tuple(itertools.chain(*orders))
        if all(
            holds(clue.relation, places[clue.one], clue.other if clue.relation in ("at", "not") else places[clue.other])
            for clue in clues
        ):
            kept.append(places)
    return kept


@pytest.mark.parametrize(("houses", "kinds"), [(2, 2), (3, 2), (3, 3), (4, 2), (4, 3)])
def test_zebra_solutions_are_those_of_all_assignments_tried(houses: int, kinds: int):
    rng = np.random.default_rng(4)
    for n in (1, 3, 5, 7):
        places = np.concatenate([rng.permutation(houses) for _ in range(kinds)]).tolist()
        pool = true_clues(places, houses)
        clues = [pool[index] for index in rng.permutation(len(pool))[:n]]
        every = _assignments(clues, houses, kinds)
        assert sorted(solutions(clues, houses, kinds, most=10**6)) == sorted(every)
        assert len(solutions(clues, houses, kinds)) == min(2, len(every))
        others = [places for places in _assignments(clues[1:], houses, kinds) if places not in every]
        assert sorted(solutions(clues[1:], houses, kinds, most=10**6, against=clues[0])) == sorted(others)


def test_a_shortened_puzzle_has_one_solution_and_needs_every_clue():
    rng = np.random.default_rng(5)
    for houses, kinds in ((3, 3), (4, 3), (3, 4)):
        places = np.concatenate([rng.permutation(houses) for _ in range(kinds)]).tolist()
        pool = true_clues(places, houses)
        clues = shortened([pool[index] for index in rng.permutation(len(pool))], houses, kinds)
        assert _assignments(clues, houses, kinds) == [tuple(places)]
        for clue in clues:
            assert len(_assignments([other for other in clues if other is not clue], houses, kinds)) > 1


def test_a_puzzle_reads_back_from_its_compact_form():
    signs = {sign: name for name, sign in zebra.SIGNS.items()}
    for seed in range(12):
        problem = zebra.zebralogic(2 + seed % 2, np.random.default_rng(seed))
        head, told, asked, choices = re.fullmatch(r"(\d \d):(.*)\?(.*)\|(.*)", problem.compact).groups()
        houses, kinds = map(int, head.split())

        def thing(code: str, houses: int = houses) -> int:
            return "abcdef".index(code[0]) * houses + int(code[1])

        clues: list[Clue] = []
        for one, sign, other in re.findall(r"(\w\d)(\W)(\w+)", told):
            relation = signs[sign]
            clues.append(Clue(relation, thing(one), int(other) - 1 if relation in ("at", "not") else thing(other)))
        ((places),) = _assignments(clues, houses, kinds)
        chosen = thing(choices.split()["ABCDEF".index(problem.answer)])
        assert places[chosen] == int(asked[1]) - 1 and chosen // houses == "abcdef".index(asked[0])
        assert problem.question.count("?") == 1 and f"{len(clues)}. " in problem.question


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_draws_the_same_problem_from_the_same_seed_and_knows_its_levels(family: Family):
    for level in family.levels[:3]:
        one, two, other = (family.draw(level, np.random.default_rng(seed)) for seed in (9, 9, 10))
        assert one == two != other
    with pytest.raises(Invalid, match="levels are 1, 2, 3, 4, 5"):
        family.draw(6, np.random.default_rng(0))


def test_blocked_grids_and_leapers_answer_for_the_cells_they_tell():
    rng = np.random.default_rng(6)
    for level in (1, 2):
        problem = logic.blocked_grid(level, rng)
        size, cells = problem.compact.split(":")
        width, height = map(int, size.split())
        blocked = [tuple(map(int, cell.split(","))) for cell in cells.split()]
        shown = re.search(r"entered: (.*)\?", problem.question).group(1)
        assert [tuple(map(int, cell)) for cell in re.findall(r"\((\d+), (\d+)\)", shown)] == blocked
        assert grids.paths(width, height, blocked) == int(problem.answer) <= 10**6
        knight = logic.grid_knight(level, rng)
        w, h, a, b, x, y = map(int, re.findall(r"\d+", knight.compact))
        assert 0 <= x < w and 0 <= y < h and grids.leaps(w, h, (a, b), (x, y)) == int(knight.answer)
