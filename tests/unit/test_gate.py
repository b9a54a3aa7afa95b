"""The limit on requests under way grows by one a round, is halved once a crowd, and is never broken."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from unseen.models.gate import Gate

GOING_ON = threading.Event()


def test_a_round_of_answers_lets_in_one_more() -> None:
    gate = Gate(4, 6)
    for _ in range(4):
        gate.well()
    assert 4.9 < gate.limit <= 5.0
    for _ in range(100):
        gate.well()
    assert gate.limit == 6


def test_a_crowd_that_was_refused_halves_it_once() -> None:
    gate = Gate(8, 8)
    crowd = [gate.enter(GOING_ON) for _ in range(8)]
    for entered in crowd:
        gate.busier(entered)
        gate.leave()
    assert gate.limit == 4
    for _ in range(10):
        time.sleep(0.001)
        gate.busier(gate.enter(GOING_ON))
        gate.leave()
    assert gate.limit == 1  # never none


def test_no_more_are_inside_than_may_be() -> None:
    gate, over, most = Gate(3, 5), threading.Event(), [0]

    def pass_through(_: int) -> None:
        gate.enter(over)
        most[0] = max(most[0], gate.inside)
        time.sleep(0.001)
        gate.leave()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(pass_through, range(200)))
    assert most[0] == 3 and gate.inside == 0


def test_nobody_waits_once_all_is_over() -> None:
    gate, over = Gate(1, 1), threading.Event()
    gate.enter(over)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(gate.enter, over) for _ in range(4)]
        time.sleep(0.05)
        assert not any(w.done() for w in waiting)
        over.set()
        assert all(w.result() for w in waiting)
