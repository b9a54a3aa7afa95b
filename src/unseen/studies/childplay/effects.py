"""How many of the paper's seven tasks rank the models by size? One number a seed, from the released harness's scores.

str(Ordered(("small", "middle", "large")))  ->  "tasks of seven on which scores rise from small over middle to large"
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unseen.core.effect import Units, Untested
from unseen.core.record import Records

SCORES = (
    ("tictactoe", "win"), ("connectfour", "win"), ("battleship", "win"), ("shapes", "exact"), ("lego_validity", "exact"),
    ("lego_construction", "exact"), ("molecules", "exact"),
)  # fmt: skip


@dataclass(frozen=True)
class Ordered:
    """The number of tasks whose score rises strictly along a list of models."""

    models: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(sorted({measure for _, measure in SCORES}))

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        """A count (0..7) for each seed. Raises Untested where a model's score is missing, or the unit is no seed."""
        if unit != "seed":
            raise Untested("the order of models is counted for each seed, so the unit is the seed.")
        if records.resolve("model") is None:
            raise Untested("no language model was asked.")
        table = [[self._of(records, game, measure, model) for model in self.models] for game, measure in SCORES]
        seeds = sorted(set.intersection(*(set(cell) for row in table for cell in row)))
        if not seeds:
            raise Untested("no seed has the scores of all models on all tasks.")
        counts = [sum(_rising([cell[s] for cell in row]) for row in table) for s in seeds]
        values = np.array(counts, float)
        evidence = tuple(str(v) for v in records.columns["evidence"].present())
        return Units("mean", (values,), tuple(seeds), runs=values, evidence=evidence)

    def _of(self, records: Records, game: str, measure: str, model: str) -> dict[int, float]:
        """The mean score of each seed."""
        found = records.where(setting="Asked", harness="as_released", game=game, model=model, measure=measure).final
        if not len(found):
            raise Untested(f"no row of {measure} is there of {model} at {game}.")
        seeds = found.column("seed")
        return {int(s): float(np.mean(found.value[seeds == s])) for s in dict.fromkeys(seeds.tolist())}

    def __str__(self) -> str:
        return f"tasks of seven on which scores rise from {' over '.join(self.models)}"


def _rising(values: list[float]) -> bool:
    return all(a < b for a, b in pairwise(values))
