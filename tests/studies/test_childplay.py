"""ChildPlay: puzzles and their readers, series, claims on real records, what learns, and the tool from outside."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from unseen.core import find
from unseen.core.claim import judge
from unseen.core.effect import Untested
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.core.record import Item, Records, Row, Split
from unseen.core.study import Model, values_of
from unseen.studies.childplay import environments, lego, molecules, played, players, shapes, tokens, tool, trial
from unseen.studies.childplay.arms import Asked, Scripted
from unseen.studies.childplay.claims import LADDER
from unseen.studies.childplay.effects import SCORES, Ordered
from unseen.studies.childplay.learned import Learned
from unseen.studies.childplay.positions import Positions
from unseen.studies.childplay.rules import tictactoe
from unseen.studies.childplay.series import played as playing
from unseen.studies.childplay.study import SMOLLM2, STUDY
from unseen.studies.childplay.tasks import coded, tasks

SLUG = "childplay"
PY = "py:unseen.studies.childplay.players:"
needs_chemistry = pytest.mark.skipif(
    find_spec("rdkit") is None or find_spec("selfies") is None, reason="needs the extra chemistry"
)


def hangs_together(pieces: Sequence[lego.Piece]) -> bool:
    """Validity by another library: studs as sets, pieces as a graph."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(pieces)))
    studs = [{(x + i, y) for i in range(4)} for x, y, _ in pieces]
    for i, a in enumerate(pieces):
        for j, b in enumerate(pieces[:i]):
            if studs[i] & studs[j]:
                return False
            if abs(a[1] - b[1]) == 1 and {x for x, _ in studs[i]} & {x for x, _ in studs[j]}:
                graph.add_edge(i, j)
    return bool(pieces) and nx.is_connected(graph)


def test_structures_are_valid_where_another_library_says_so() -> None:
    rng = np.random.default_rng(0)
    seen = Counter[bool]()
    for _ in range(2_000):
        n = int(rng.integers(1, 6))
        pieces = [(int(rng.integers(9)), int(rng.integers(4)), "red") for _ in range(n)]
        seen[lego.valid(pieces)] += 1
        assert lego.valid(pieces) == hangs_together(pieces)
    assert min(seen.values()) > 100 and not lego.valid([])
    for n in (2, 3, 5, 10):
        assert hangs_together(lego.grown(n, rng)) and not hangs_together(lego.scattered(n, rng))
        assert not hangs_together(lego.broken(n, rng))
        pieces = lego.grown(n, rng)
        assert hangs_together(lego.set_anywhere(pieces, rng)) and pieces[0][:2] == (0, 0)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("[(0, 0, 'red')]", [(0, 0, "red")]),
        ("Here it is:\n```[(0, 0, 'red'),\n (0, 1, 'blue')]```", [(0, 0, "red"), (0, 1, "blue")]),
        ("[((0, 0, 'red'), (2, 1, 'blue'))]", [(0, 0, "red"), (2, 1, "blue")]),
        ("[(-2, 0, 'red')] or [(9, 9, 'red')]", [(-2, 0, "red")]),
        ("(0, 0, 'red')", None), ("[(0, 0)]", None), ("[(0.5, 0, 'red')]", None), ("[(True, 0, 'red')]", None), ("[x, y]", None),
        ("[1, 2]", None), ("[(0, 0, 'red'", None), ("", None),
    ],
)  # fmt: skip
def test_lists_of_pieces_are_read(text: str, pieces: Any) -> None:
    if pieces is None:
        with pytest.raises(Invalid):
            lego.read(text)
    else:
        assert lego.read(text) == pieces


def test_a_construction_is_right_only_with_as_many_pieces_as_are_asked_for() -> None:
    task = lego.construction()
    one = task.draw("3 pieces", 1, np.random.default_rng(0))[0]
    tower = "[(0, 0, 'red'), (0, 1, 'red'), (0, 2, 'red')]"
    assert task.score(one, tower) == {"exact": 1.0, "legal": 1.0}
    assert task.score(one, "[(0, 0, 'red'), (0, 1, 'red')]") == {"exact": 0.0, "legal": 1.0}
    assert task.score(one, "a tower") == {"exact": 0.0, "legal": 0.0}


def test_shapes_are_drawn_as_told() -> None:
    assert shapes.triangle(15, 2, 7, 5).sum(1).tolist() == [0, 0, 1, 3, 5, 7, *[0] * 9]  # int(5 * 0.866) rows
    assert shapes.cross(7, 3, 2, 2).sum() == 9 and shapes.square(5, 1, 1, 3).sum() == 9
    rng = np.random.default_rng(0)
    for kind in (*shapes.KINDS, "circle", "L"):
        for _ in range(5):
            assert shapes.named(shapes.drawn(kind, 15, rng)) == kind
    small, large = shapes.drawn("cross", 15, rng), shapes.drawn("square", 25, rng, least=True)
    assert small.sum() <= 13 and large.sum() >= 64


def test_replies_about_shapes_are_read() -> None:
    task = shapes.shapes()
    one = task.draw("board 15", 1, np.random.default_rng(0))[0]
    assert task.score(one, f"The answer is {one.truth}.") == {"exact": 1.0, "legal": 1.0}
    assert task.score(one, "7") == task.score(one, "square") == {"exact": 0.0, "legal": 0.0}


@needs_chemistry
def test_molecules_are_drawn_read_and_compared() -> None:
    assert molecules.joined(molecules.drawing("CNO")) == "CNO"
    assert molecules.joined("C * * N") == "" or molecules.parsed(molecules.joined("C * * N")) is not None
    with_bond = molecules.parsed("OCC")
    assert molecules.canonical(with_bond) == "CCO" and molecules.dice(with_bond, molecules.parsed("CCO")) == 1.0
    assert molecules.dice(with_bond, molecules.parsed("CF")) < 0.6
    assert molecules.parsed("C(") is None and molecules.parsed("") is None
    rng = np.random.default_rng(0)
    for _ in range(5):
        molecule = molecules.parsed(molecules.random_molecule(10, 15, rng))
        assert 10 <= molecule.GetNumAtoms(onlyExplicit=False) <= 15
        assert {b.GetBondTypeAsDouble() for b in molecule.GetBonds()} <= {1.0, 1.5}
    task = molecules.molecules("atoms", "as_released")
    one = replace(task.draw("10-15 atoms", 1, rng)[0], truth="CCO")
    assert task.score(one, "OCC") == {"exact": 1.0, "legal": 1.0, "similarity": 1.0, "spelled": pytest.approx(1 / 3)}
    assert task.score(one, "no idea")["similarity"] == -1.0
    assert molecules.molecules().score(one, "no idea")["similarity"] == 0.0


def test_molecules_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(molecules, "find_spec", lambda name: None)
    with pytest.raises(Missing, match="chemistry"):
        molecules.molecules()


@pytest.mark.parametrize(
    ("a", "b", "steps"), [("kitten", "sitting", 3), ("", "abc", 3), ("flaw", "lawn", 2), ("x", "x", 0)]
)
def test_edit_distances_are_the_known_ones(a: str, b: str, steps: int) -> None:
    assert molecules.distance(a, b) == molecules.distance(b, a) == steps


def records(*settings: Any, seeds: tuple[int, ...] = (0, 1, 2)) -> Records:
    """The records of settings, measured here and now."""
    told: list[tuple[Any, int, Row | Item]] = []
    for setting in settings:
        named = {"setting": type(setting).__name__, **values_of(setting)}
        told += [(named, seeds[0] if r.seed is None else r.seed, r) for r in trial.run(setting, Lab.alone(seeds=seeds))]
    return Records.of(told)


def status(id: str, found: Records, tier: Any = "laptop") -> str:
    return judge(next(c for c in STUDY.claims if c.id == id), found, tier).status


def test_the_released_battleship_is_lost_by_its_view_alone() -> None:
    arms = [
        Scripted(player, "battleship", harness=harness, games=40, kept=True)  # type: ignore[arg-type]
        for player in ("random", "hunter")
        for harness in ("as_intended", "as_released")
    ]
    found = records(*arms, seeds=(0,))
    assert [status(c, found, "smoke") for c in ("C3b", "C3c", "C3f")] == ["supported"] * 3
    fair = found.mean("win", player="random", harness="as_intended", seat="first")
    assert fair > 0.4 and found.mean("win", player="random", harness="as_released") < 0.1


def test_the_released_structures_have_a_tell() -> None:
    found = records(*(Scripted("glance", "lego_validity", harness=h, games=30) for h in ("as_intended", "as_released")))  # type: ignore[arg-type]
    assert status("A1", found) == "supported"
    assert (
        found.mean("exact", harness="as_released") > 0.95
        and abs(found.mean("exact", harness="as_intended") - 0.5) < 0.1
    )


def test_every_live_game_is_asked_in_one_batch_a_ply_and_pairs_share_their_sea() -> None:
    setting = Scripted("random", "battleship", games=3)
    games = played.begun(setting, Lab.alone(seeds=(0, 1)))
    asked: list[int] = []

    def ask(live: Any, prompts: Any) -> list[str]:
        asked.append(len(prompts))
        return played.scripted("random")(live, prompts)

    left = list(playing(games, ask))
    assert asked[0] == len(games) == 12 and left[-1] == 0 and len(left) <= 26
    assert sorted(asked, reverse=True) == asked
    by_pair: dict[str, list[Any]] = {}
    for g in played.begun(setting, Lab.alone(seeds=(0, 1))):
        by_pair.setdefault(f"{g.seed}{g.split.name}{g.id.rpartition(':')[2]}", []).append(g)
    assert all(a.match.sea.fleets == b.match.sea.fleets and {a.seat, b.seat} == {0, 1} for a, b in by_pair.values())
    alone = played.begun(setting, Lab.alone(seeds=(1,)))
    assert [g.match.sea.fleets for g in alone] == [g.match.sea.fleets for g in games if g.seed == 1]


def test_a_guessing_model_and_an_oracle_go_through_every_game(home: Path) -> None:
    settings = [
        Asked(Model("py:x"), "tictactoe", "none", "as_released", games=12),
        Asked(Model("py:x"), "tictactoe", "rendering", games=4),
        Asked(Model("py:x"), "connectfour", "notation", games=1),
        Asked(Model("py:x"), "battleship", "none", games=4),
        Asked(Model("py:x"), "shapes", "rendering", games=4),
        Asked(Model("py:x"), "lego_validity", "pieces", games=8),
        Asked(Model("py:x"), "lego_construction", "pieces", games=3),
    ]
    for setting in settings:
        best, chance = (
            records(replace(setting, model=Model(PY + who), apply_chat_template=who == "oracle"), seeds=(0,))
            for who in ("oracle", "guess")
        )
        if setting.game in ("tictactoe", "connectfour", "battleship"):
            assert best.mean("legal") == chance.mean("legal") == 1.0 and best.mean("forfeit") == 0.0
            assert setting.game == "battleship" or best.mean("loss") == 0.0
            assert best.mean("win") >= chance.mean("win")
        else:
            assert best.mean("exact") == 1.0 and chance.mean("exact") < 0.9


def test_a_model_that_says_nothing_forfeits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def generate(self, prompts: Any, **_: Any) -> list[Answer]:
            return [Answer("", "stop", 0) for _ in prompts]

    from unseen import models

    monkeypatch.setattr(models, "open", lambda name, **words: Silent())
    found = records(Asked(SMOLLM2, "tictactoe", "none", "as_released", games=10), seeds=(0, 1, 2, 3, 4))
    assert found.mean("illegible") == found.mean("loss_by_forfeit") == 1.0 and found.mean("opened") == 0.0
    assert status("C1c", found) == "supported" and status("C1a", found) == "untested"  # it does not play at all


def test_a_released_construction_is_one_prompt_asked_often(home: Path) -> None:
    setting = Asked(Model(PY + "oracle"), "lego_construction", "none", "as_released", games=3, temperature=1.0)
    items = [r for r in trial.run(setting, Lab.alone(seeds=(0, 1))) if isinstance(r, Item)]
    assert len({i.prompt for i in items}) == 1 and len({i.id for i in items}) == 6


def ranked(scores: dict[str, Sequence[float]], seeds: int = 3) -> Records:
    """Records of three models on the seven tasks, the same for all seeds."""
    told: list[tuple[Any, int, Row]] = []
    for game, measure in SCORES:
        for model, value in zip(LADDER, scores[game], strict=True):
            setting = {"setting": "Asked", **values_of(Asked(Model(model), game, "none", "as_released"))}  # type: ignore[arg-type]
            told += [(setting, s, Row(measure, value, Split("reference"), 10)) for s in range(seeds)]
    return Records.of(told)


def test_tasks_that_rank_models_are_counted() -> None:
    flat = {game: (0.5, 0.5, 0.5) for game, _ in SCORES}
    four = flat | {game: (0.1, 0.2, 0.3) for game in ("tictactoe", "shapes", "battleship", "molecules")}
    assert Ordered(LADDER).per_unit(ranked(flat), "seed").parts[0].tolist() == [0, 0, 0]
    assert Ordered(LADDER).per_unit(ranked(four | {"connectfour": (0.3, 0.2, 0.4)}), "seed").parts[0].tolist() == [
        4,
        4,
        4,
    ]
    with pytest.raises(Untested, match="no row"):
        Ordered(("hf:a", *LADDER[1:])).per_unit(ranked(flat), "seed")
    with pytest.raises(Untested, match="seed"):
        Ordered(LADDER).per_unit(ranked(flat), "item")


def test_claims_name_arms_that_are_measured() -> None:
    for tier in ("laptop", "paper"):
        there = [{"setting": type(s).__name__, **values_of(s)} for s in STUDY.settings(tier)]
        for claim in STUDY.claims:
            for term in getattr(claim.effect, "terms", ()) if tier in claim.tiers else ():
                known = {k for s in there for k in s}
                where = {k: v for k, v in term.where if k in known}
                fits = [
                    s
                    for s in there
                    if all(s.get(k) in v if isinstance(v, frozenset) else s.get(k) == v for k, v in where.items())
                ]
                assert fits, (tier, claim.id, where)


@pytest.mark.parametrize("game", ["tictactoe", "connectfour", "battleship"])
def test_positions_have_right_moves(game: str) -> None:
    task = Positions(game, "size")
    for split in ("train", *(s.name for s in task.splits[:2])):
        for one in task.draw(split, 3, np.random.default_rng(0)):
            assert task.score(one, one.truth) == {"exact": 1.0, "legal": 1.0}
            assert task.score(one, "I pass") == {"exact": 0.0, "legal": 0.0}
    with pytest.raises(Unknown, match="no split"):
        task.draw("size 99", 1, np.random.default_rng(0))


def test_boards_as_tokens_hold_positions_out_and_are_answered_by_sound_moves() -> None:
    boards = tokens.small_boards()
    sizes = {name: len(b.marks) for name, b in boards.items()}
    assert sum(sizes.values()) == 4520 and all(n > 200 for n in sizes.values())
    rows = {name: {tuple(r) for r in b.marks.tolist()} for name, b in boards.items()}
    classes = {name: {tokens.canonical(r) for r in part} for name, part in rows.items()}
    assert not classes["unseen classes"] & (classes["train"] | classes["unseen positions"])
    assert not rows["train"] & rows["unseen positions"]
    for frame in (3, 4):
        task = coded(Learned("tictactoe", frame=frame))
        for split in ("train", *(s.name for s in task.splits)):
            made = task.posed(split, 50, np.random.default_rng(0))
            assert made.right[np.arange(50), made.answer].all() and (made.legal | ~made.right).all()
            board = made.prompt[:, 1:] - tokens.MARK
            free = (board == 0).sum(1)
            assert (made.legal.sum(1) == free).all()
            exchanged = split == "marks exchanged"
            counts = [(board == k).sum(1) for k in ((2, 1) if exchanged else (1, 2))]
            assert set((counts[0] - counts[1]).tolist()) <= {0, 1}
            o_moves = made.prompt[:, 0] - tokens.MOVER
            assert (o_moves == ((counts[0] > counts[1]) ^ exchanged)).all()


def test_structures_and_shapes_as_tokens_are_answered_rightly() -> None:
    rng = np.random.default_rng(0)
    task = coded(Learned("lego"))
    for split in ("train", "2 to 4 pieces", "8 pieces"):
        for one in task.draw(split, 20, rng):
            words = one.prompt.split()[:-1]
            pieces = [(int(x[1:]), int(y[1:]), "") for x, y in zip(words[::2], words[1::2], strict=True)]
            assert one.truth == ("valid" if hangs_together(pieces) else "invalid")
    task = coded(Learned("shapes"))
    for split in ("train", "width 9"):
        for one in task.draw(split, 6, rng):
            grid = np.array([int(c) for w in one.prompt.split()[:-1] for c in w]).reshape(15, 15)
            wide = int(grid.any(0).sum())
            assert wide in ((9,) if split == "width 9" else tokens.WIDTHS)
            per_row = grid[grid.any(1)].sum(1)
            kind = "square" if len(set(per_row)) == 1 else "triangle" if (np.diff(per_row) == 2).all() else "cross"
            assert kind == one.truth
    with pytest.raises(Unknown, match="no split"):
        task.posed("width 8", 1, rng)


def test_what_a_decoder_chooses_is_its_likeliest_word_after_each_prompt() -> None:
    torch = pytest.importorskip("torch")
    from unseen.models import decoder
    from unseen.studies.childplay import trained

    task = coded(Learned("lego"))
    models = decoder.stack(task.vocab, width=16, layers=1, heads=2, context=task.longest("train"), seeds=(0, 1))
    posed = [task.posed("2 to 4 pieces", 7, np.random.default_rng(s)) for s in (0, 1)]
    said = trained.chosen(models, [tokens.laid(p.prompt, p.answer) for p in posed])
    for member, (p, row) in enumerate(zip(posed, said, strict=True)):
        one = decoder.member(models, member)
        for prompt, word in zip(p.prompt, row, strict=True):
            alone = torch.tensor([[[1, *prompt[prompt > 0].tolist(), 3]]])
            assert int(one.logits(one(alone))[0, 0, -1].argmax()) == word


def test_shuffled_answers_are_those_of_other_questions() -> None:
    true, wrong = (tokens.lego_tokens(shuffled=s).batch("train", 200, np.random.default_rng(0)) for s in (False, True))
    assert np.array_equal(true.tokens[~true.answer], wrong.tokens[~wrong.answer])
    assert (true.tokens[true.answer] != wrong.tokens[wrong.answer]).any()
    assert sorted(true.tokens[true.answer]) == sorted(wrong.tokens[wrong.answer])


def test_an_environment_is_played_as_gymnasium_plays() -> None:
    game = environments.make("tictactoe", opponent="minimax")
    seen, info = game.reset(seed=0)
    assert info["legal"] == list(range(9)) and "Tic-tac-toe" in seen
    done, total = False, 0.0
    while not done:
        said = players.reply("minimax", info["turns"], np.random.default_rng(0))
        seen, reward, done, truncated, info = game.step(said)
        total += reward
    assert total == 0.0 and not truncated and info["result"] == 2  # best play ties
    with pytest.raises(Invalid, match="reset"):
        game.step(0)
    game.reset(seed=1)
    assert game.step("nonsense")[1:3] == (-1.0, True)
    second = environments.make("connectfour", seat=1, size=5)
    assert len(second.reset(seed=0)[1]["legal"]) == 5 and second.match is not None and second.match.turn == 1  # type: ignore[union-attr]
    again = [environments.make("battleship").reset(seed=4)[0] for _ in range(2)]
    assert again[0] == again[1]
    puzzle = environments.make("lego_validity")
    seen, _ = puzzle.reset(seed=0)
    assert puzzle.step(lego.solved(seen))[1:3] == (1.0, True)
    for wrong in ({"game": "chess"}, {"game": "tictactoe", "size": 99}, {"game": "tictactoe", "seat": 2}):
        with pytest.raises((Invalid, Unknown)):
            environments.make(**wrong)


def test_two_players_play_one_game() -> None:
    best = tool.replies_of("minimax")
    lines: list[str] = []
    ended = tool.play("tictactoe", best, best, tell=lines.append)
    assert (ended.outcome, ended.forfeit, ended.moves) == ("tie", False, 9) and any(
        "player 2" in line for line in lines
    )
    assert tool.play("tictactoe", best, lambda _: "no").outcome == "win"
    assert tool.play("tictactoe", lambda _: "no", best).forfeit
    assert tool.play("battleship", tool.replies_of("hunter"), tool.replies_of("random", seed=1)).outcome in (
        "win",
        "loss",
    )


def test_the_tool_on_the_command_line(unseen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_places", lambda: [Path(find.__file__).parent.parent / "studies"])
    said = unseen("use", SLUG, "play", PY + "oracle", "--game", "tictactoe", "--against", "one_ply")
    assert said.code == 0 and "player 1: " in said.out and "moves." in said.out
    said = unseen("use", SLUG, "series", "minimax", "--games", "3", "--json")
    assert json.loads(said.out)["second"]["loss"] == 0.0
    assert unseen("use", SLUG, "play", "minmax").code == 2
    assert unseen("use", SLUG, "play", "minimax", "--symbols", "XX").code == 2
    assert unseen("use", SLUG, "play", "minimax", "--against", "me").code == 2
    assert "connectfour 7 x 7" in unseen("use", SLUG, "games").out
    moves = iter(["0 0", "no", "1 1"])
    monkeypatch.setattr(tool.typer, "prompt", lambda *a, **k: next(moves))
    said = unseen("use", SLUG, "play", "minimax", "--me")
    assert said.code == 0 and "you: loss by a move that is not legal" in said.out


def test_tasks_are_there_for_every_setting() -> None:
    for setting in STUDY.settings("laptop"):
        if getattr(setting, "game", "") != "molecules":
            assert tasks(setting)[0].splits
    assert tictactoe().cells == 9


def test_departures_are_marked() -> None:
    assert len(find.departures(SLUG)) >= 2


@pytest.mark.smollm2
def test_smollm2_plays(smollm2_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    found = list(trial.run(Asked(SMOLLM2, "tictactoe", "none", games=2), Lab.alone(seeds=(0,))))
    items = [r for r in found if isinstance(r, Item)]
    assert (
        len(items) == 4
        and all(i.answer for i in items)
        and all(sum(i.scores[k] for k in ("win", "tie", "loss")) == 1 for i in items)
    )
