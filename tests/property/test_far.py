"""Two who publish one trial and one who reads, in any order, killed at any step: what is read is what one of them wrote."""

from __future__ import annotations

import itertools
import json
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.far.objects import Far
from unseen.core.far.published import digests
from unseen.core.far.trials import FarTrials

NUMBERS = itertools.count()


class Killed(BaseException):
    """The process of an actor was killed."""


class Stepwise:
    """A far store that one actor uses: before each request it waits for its turn, and may die there."""

    def __init__(self, far: Far) -> None:
        self.far, self.shown = far, far.shown
        self.go, self.back = threading.Semaphore(0), threading.Semaphore(0)
        self.killed = self.over = False

    def __getattr__(self, name: str) -> Any:
        act = getattr(self.far, name)

        def step(*told: Any) -> Any:
            self.back.release()
            self.go.acquire()
            if self.killed:
                raise Killed
            return act(*told)

        return step

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        found = {n: self.read(n) for n in names}
        return {n: content for n, content in found.items() if content is not None}


class Actor:
    """What runs in steps: each turn goes on to its next request, or to its end."""

    def __init__(self, far: Far, act: Callable[[Any], None]) -> None:
        self.far = Stepwise(far)
        self.thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self.error: BaseException | None = None
        self.thread.start()
        self.far.back.acquire()

    def _run(self, act: Callable[[Any], None]) -> None:
        try:
            act(self.far)
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        self.far.over = True
        self.far.back.release()

    def turn(self, *, kill: bool = False) -> None:
        if not self.far.over:
            self.far.killed = self.far.killed or kill
            self.far.go.release()
            self.far.back.acquire()


def ready(place: Path, content: str) -> tuple[Path, dict[str, bytes]]:
    """A finished folder with this content, and what it holds."""
    (place / "files").mkdir(parents=True)
    for name in ("records.parquet", "scores.parquet", "files/weights"):
        (place / name).write_text(f"{content} {name}")
    (place / "trial.json").write_text(json.dumps({"key": "k", "of": content, "files": digests(place)}))
    return place, held(place)


def held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), max_size=40),
    st.booleans(),
    st.tuples(*[st.none() | st.integers(0, 8)] * 2),
)
def test_a_reader_sees_one_whole_trial_or_none(
    order: list[int], equal: bool, deaths: tuple[int | None, int | None]
) -> None:
    far = Far(f"memory://property-{next(NUMBERS)}/unseen")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        made = [ready(root / name, "same" if equal else name) for name in ("one", "two")]
        whole = [h for _, h in made]
        seen: list[dict[str, bytes]] = []

        def read(store: Any) -> None:
            for k in range(4):
                there = FarTrials(store, root / f"reader {k % 2}")
                if not there.has("s", "k"):
                    seen.append({})
                    continue
                assert there.bring("s", ["k"]) == {}, "no one is told of damage, as there is none"
                there.file("s", "k", ["files/weights"])
                seen.append(held(root / f"reader {k % 2}" / "trials" / "s" / "k"))

        def publish(k: int) -> Callable[[Any], None]:
            return lambda store: FarTrials(store, root / f"p{k}").publish("s", "k", made[k][0])

        actors = [Actor(far, publish(0)), Actor(far, publish(1)), Actor(far, read)]
        taken = [0, 0, 0]
        for who in [*order, *[0, 1, 2] * 60]:
            actors[who].turn(kill=who < 2 and deaths[who] == taken[who])
            taken[who] += 1
        assert all(a.far.over for a in actors) and [a.error for a in actors] == [None] * 3
        assert all(found == {} or found in whole for found in seen), "nothing is a mixture"
        if deaths == (None, None):
            last = FarTrials(far, root / "last")
            assert last.bring("s", ["k"]) == {}
            last.file("s", "k", ["files/weights"])
            assert held(root / "last" / "trials" / "s" / "k") in whole
