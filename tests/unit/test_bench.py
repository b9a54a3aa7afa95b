"""The comparisons: that both sides compute the same numbers, and that the table tells what was measured."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # bench/ stands beside the package, not in it

from bench import __main__ as runner
from bench import (
    by_hand,
    echo,
    generation,
    generators,
    overlap,
    pathways,
    scoring,
    seeds,
    sides,
    timing,
    trainer,
    training,
)

TURNS = timing.Turns(
    [timing.Spent(1.0, 2.0), timing.Spent(2.0, 2.0), timing.Spent(1.0, 4.0)],
    [timing.Spent(4.0, 4.0), timing.Spent(6.0, 8.0), timing.Spent(5.0, 4.0)],
)


def result(difference: float = 1e-6, required: float = 4.0) -> timing.Result:
    tried = {"size 1": 2.0, "size 8": 2.4}
    return timing.Result(
        "scoring", "a case", "another", difference, 1e-4, TURNS, required, 12, "answers", tried, {"pairs": 12}
    )


def test_ratios_are_of_turns_taken_together() -> None:
    assert TURNS.cpu == timing.Ratio(4.0, 3.0, 5.0)
    assert TURNS.wall == timing.Ratio(2.0, 1.0, 4.0)
    assert str(TURNS.cpu) == "4.00x (3.00 to 5.00)"


@pytest.mark.parametrize(
    "difference,required,holds",
    [(1e-4, 4.0, True), (1.1e-4, 4.0, False), (0.0, 4.1, False), (float("nan"), 1.0, False)],
)
def test_a_result_holds_where_numbers_agree_and_the_ratio_is_reached(
    difference: float, required: float, holds: bool
) -> None:
    assert result(difference, required).holds is holds


def test_what_is_spent_is_cpu_time_and_the_walls() -> None:
    import subprocess
    import time

    rest = timing.spent(lambda: time.sleep(0.3))
    assert rest.wall >= 0.3 and rest.cpu < 0.25
    busy = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    child = timing.spent(lambda: subprocess.run([sys.executable, "-c", busy], check=True))
    assert child.cpu >= 0.45


def test_sides_take_turns_and_neither_is_always_first() -> None:
    said: list[str] = []

    def turn(name: str) -> timing.Spent:
        return timing.spent(lambda: said.append(name))

    turns = timing.take_turns(lambda: turn("ours"), lambda: turn("theirs"), 3)
    assert said == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert len(turns.ours) == len(turns.theirs) == 3


def test_a_line_tells_ratio_amounts_and_what_is_missed() -> None:
    line = runner.line(result(required=4.5))
    assert "4.00x (3.00 to 5.00)" in line and "MISSED" in line and "another" in line
    assert "size 1 2.0, size 8 2.4" in line
    assert " 12.0 " in line and " 2.4 " in line  # answers a CPU second: 12 / 1 and 12 / 5, the medians
    assert "MISSED" not in runner.line(result())


def test_all_timings_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "compare", lambda rounds: iter([result()]))
    for name in runner.THREADS:
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(
        sys, "argv", ["bench", "scoring", "--rounds", "5", "--out", str(tmp_path / "deep" / "told.json")]
    )
    assert runner.main() == 0
    told = json.loads((tmp_path / "deep" / "told.json").read_text())
    assert told["machine"]["torch"] and told["results"][0]["cpu_ratio"]["median"] == 4.0 and told["results"][0]["holds"]
    assert told["results"][0]["turns"]["theirs"][1] == {"cpu": 6.0, "wall": 8.0}
    assert "a case" in capsys.readouterr().out
    monkeypatch.setattr(scoring, "compare", lambda rounds: iter([result(required=9.0)]))
    assert runner.main() == 1


@pytest.mark.parametrize("words", [["poems"], ["scoring", "--rounds", "4"]])
def test_what_cannot_be_compared_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    with pytest.raises(SystemExit) as told:
        runner.main()
    assert told.value.code == 2


def tiny_model() -> Any:
    from unseen.models import tiny
    from unseen.models.engine import Local

    return Local(tiny.made("llama"), tiny.byte_tokenizer())


@pytest.mark.skipif(find_spec("lm_eval") is None, reason="lm_eval comes with the extra bench")
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_harness_gets_the_same_log_probabilities(batch_size: int) -> None:
    mine = tiny_model()
    pairs = [
        (c, a) for c in ("2 + 2 =", "Where? ", "a longer context of some words") for a in (" 4", " here it is", "x")
    ]
    theirs = scoring.loglikelihood(scoring.harness(mine, batch_size), pairs)
    assert mine.scores([c for c, _ in pairs], [a for _, a in pairs]) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.skipif(find_spec("lm_eval") is None, reason="lm_eval comes with the extra bench")
def test_the_harness_writes_the_same_answers() -> None:
    mine = tiny_model()
    asked = generation.contexts(mine, 256, 5)
    assert generation.answers(mine, asked) == generation.until(generation.harness(mine, 2), asked)


def test_contexts_share_worked_sums() -> None:
    mine = tiny_model()
    for length in (128, 512):  # bytes
        asked = generation.contexts(mine, length, 12)
        assert len(set(asked)) == 12
        assert all(length * 7 / 8 <= len(mine.encoded(c)) <= length * 7 / 8 + 80 for c in asked)
        (shared,) = {c[: c.rindex("Q:")] for c in asked}
        for question, answer in re.findall(r"Q: What is (\d+ \+ \d+)\?\nA: .* = (\d+)\.\n\n", shared):
            assert sum(map(int, question.split(" + "))) == int(answer)


def _filled(n: int) -> Callable[[], object]:
    """Loads ten times as much as its work takes, and lets it go."""
    bytes(10 * n)
    return lambda: len(bytearray(os.urandom(1)) * n)


def test_a_peak_is_that_of_the_work() -> None:
    small, large = (sides.Side(_filled, n) for n in (1, 100 * 2**20))
    assert 90 * 2**20 < large.peak() - small.peak() < 130 * 2**20
    assert large.turn().cpu > 0  # it goes on
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        sides.Side(_broken).peak()


def _broken() -> Callable[[], object]:
    return lambda: 1 // 0


def test_memory_may_be_required_too() -> None:
    peaks = (10, 20)
    assert replace(result(), peaks=peaks, thrift=2.0).holds and not replace(result(), peaks=peaks, thrift=2.1).holds


@pytest.mark.realdata
def test_choices_are_questions_of_about_the_length_asked_for() -> None:
    if not (Path(os.environ.get("UNSEEN_DATA", "")) / "gsm8k" / "test.jsonl").is_file():
        pytest.skip("UNSEEN_DATA names no folder with gsm8k/test.jsonl")
    mine = tiny_model()
    for length in (256, 1024):  # bytes
        pairs = scoring.choices(mine, length, 5)
        contexts = [c for c, _ in pairs]
        assert len(pairs) == 20 and len(set(contexts)) == 5 and len(set(pairs)) == 20
        assert all(length * 7 / 8 <= len(mine.encoded(c)) <= length * 9 / 8 for c in contexts)
        assert all(c.startswith("Question: ") and c.endswith("\nAnswer:") for c in contexts)


def test_missing_data_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNSEEN_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="set UNSEEN_DATA"):
        scoring.choices(tiny_model(), 64, 1)


@pytest.mark.parametrize("losses", [trainer.losses, by_hand.losses])
def test_the_others_have_the_same_losses_step_by_step(losses: Any) -> None:
    task = echo.Echo(5)
    ours, theirs = training.our_losses(task, 16), losses(task, 16)
    assert ours.shape == theirs.shape == (echo.SAME_STEPS,)
    assert float(np.abs(ours - theirs).max()) <= 1e-4
    assert ours[0] - ours[-1] > 0.01


def test_an_amount_may_be_required_too() -> None:
    assert replace(result(), least=12.0).holds and not replace(result(), least=12.1).holds  # 12 in a CPU second


def test_scan_by_hand() -> None:
    assert generators.plain_actions("turn opposite left") == "I_TURN_LEFT I_TURN_LEFT"
    assert generators.plain_actions("jump left twice after walk") == "I_WALK I_TURN_LEFT I_JUMP I_TURN_LEFT I_JUMP"
    around = "I_TURN_RIGHT I_LOOK " * 4
    assert generators.plain_actions("look around right and run thrice") == f"{around}I_RUN I_RUN I_RUN"


@pytest.mark.parametrize("make", [generators.scan_case, generators.graph_case, generators.rewriting_case])
def test_generators_draw_what_plain_python_does(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("ENTITIES", 40), ("RELATIONS", 12), ("DEGREE", 6), ("PHI", 2.0), ("ITEMS", 2_000)):
        monkeypatch.setattr(generators, name, small)
    case = make()
    assert case.differing() == 0
    assert case.ours() is not None and case.theirs() is not None


def test_stacked_seeds_learn_what_single_ones_do() -> None:
    assert seeds.difference(echo.Echo(5), 16, "cpu") <= 1e-4
    take = seeds.turns(echo.Echo(5), 16, [(0,), (1,)], 2, "cpu")
    assert take() != take()  # every turn trains on


def test_a_side_works_in_a_process_of_its_own() -> None:
    side = sides.Side(waiting, 0.2)
    assert side.turn().wall >= 0.2 and side.turn().cpu < 0.15
    side.stop()
    assert not side.process.is_alive()
    with pytest.raises(RuntimeError, match="below nothing"):
        sides.Side(waiting, -1.0)


def waiting(seconds: float) -> Any:
    import time

    if seconds < 0:
        raise ValueError(f"{seconds} is below nothing")
    return lambda: time.sleep(seconds)


def test_operations_are_counted_by_the_textbook() -> None:
    """One layer's products: 12 width² weights; two layers and the head, 6 for each; two of attention, 12 for each."""
    assert training.operations(echo.Echo(5), 10) == 6 * (2 * 1_200 + 400) + 12 * 2 * 10 * 4


def test_a_paused_trainer_takes_the_steps_it_is_asked_for() -> None:
    one = trainer.Paused(echo.Echo(5), 16, bf16=False, compiled=False)
    for steps in (2, 3):
        one.turn(steps)()
    assert one.trainer.state.global_step == 5
    one.stop()
    assert not one.thread.is_alive()


def test_an_echo_repeats_itself() -> None:
    batch = echo.Echo(5).batch("train", 50, np.random.default_rng(0))
    assert (batch.tokens[:, 3:] == batch.tokens[:, :2]).all()
    assert batch.answer.tolist() == [[False, False, False, True, True]] * 50


def test_a_short_turn_costs_something() -> None:
    cost = timing.spent(lambda: sum(range(1_000)))
    assert 0 < cost.cpu < 0.1 and cost.wall > 0


@pytest.mark.skipif(find_spec("wordfreq") is None, reason="wordfreq comes with the extra text")
def test_rows_with_copies_planted_among_them() -> None:
    from unseen.tasks.overlap import overlap as audit

    rng = np.random.default_rng(0)
    train, test = (overlap.drawn(n, side, rng) for side, n in (("train", 600), ("test", 200)))
    planted = overlap.plant(train, test, rng)
    assert len(planted.same) == len(planted.near) == 10 and not planted.same & planted.near
    known = {p.prompt for p in train}
    assert {p.id for p in planted.test if p.prompt in known} == planted.same
    assert overlap.found(planted, audit(train, planted.test)) == {"same": 1, "near": 1, "false": 0}
    if find_spec("rensa") is not None:
        assert overlap.by_rensa_shares(train, planted) == {"same": 1, "near": 1, "false": 0}


def test_the_other_side_of_pathways_is_the_same_distance() -> None:
    from unseen.measures.pathways import distances

    ways = pathways.drawn(7, 2, 12, 0.5, np.random.default_rng(3))
    first, second = np.triu_indices(7, 1)
    assert pathways.by_table(ways, first, second).tolist() == distances(ways)[first, second].tolist()
