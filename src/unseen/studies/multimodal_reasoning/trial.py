"""How is it measured? Networks are trained, models asked, splits counted, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Item, Row, Scored, Split

from . import tasks
from .arms import Asked, Audited, Control, Designed, Learned, Setting
from .evaluator import answer, question_of, scene_of
from .families import ALL, FIRST, every, halves
from .scenes import Items
from .world import CONDITIONS, OPERATORS, World


def run(setting: Setting, lab: Lab) -> Iterator[Row | Item]:
    """Yield rows of networks (`accuracy`, `kappa`, …), of what answers by design and of audits; items of models asked."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    if isinstance(setting, Asked | Control):
        from . import asked

        return asked.run(setting, lab)
    return _audited(setting, lab) if isinstance(setting, Audited) else _designed(setting, lab)


def _designed(setting: Designed, lab: Lab) -> Iterator[Row]:
    """`accuracy` and `kappa` of what answers without learning, per split."""
    family = tasks.family_of(setting)
    guess = family.world.guess()
    for split in family.splits:
        hits: list[list[float]] = []
        kappa: list[list[float]] = []
        for seed in lab.seeds:
            drawn = family.draw(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            hits.append([h for items in drawn for h in _hits(setting.method, items, family.world)])
            share = guess[np.concatenate([items.operator for items in drawn])]
            kappa.append(((np.array(hits[-1]) - share) / (1 - share)).tolist())
        ids = [[f"{seed} {i}" for i in range(len(h))] for seed, h in zip(lab.seeds, hits, strict=True)]
        yield from Row.each("accuracy", Scored(lab.seeds, ids, hits), split)
        yield from Row.each("kappa", Scored(lab.seeds, ids, kappa), split)


def _hits(method: str, items: Items, world: World) -> list[float]:
    """Which items (0 or 1) are answered right."""
    if method == "evaluator":
        told = (answer(question_of(items, i), scene_of(items, i)) for i in range(len(items)))
        return [float(a == world.answer(int(right))) for a, right in zip(told, items.answer, strict=True)]
    first = {op: 0 for op in CONDITIONS}  # true, cell 0, the first letter, the first colour
    first |= {OPERATORS.index("go"): 2, OPERATORS.index("getshape"): 2 + world.cells}
    first |= {OPERATORS.index("getcolor"): 2 + world.cells + world.shapes}
    return [float(first[op] == right) for op, right in zip(items.operator.tolist(), items.answer.tolist(), strict=True)]


def _audited(setting: Audited, lab: Lab) -> Iterator[Row]:
    """`leaked`, the share of tested (operator, object) pairs that are trained on too; `unasked`, the share of objects that
    neither split asks about. Both are exact."""
    world = World(queried=setting.queried)
    half = [set(map(tuple, h.tolist())) for h in halves(world, setting.fidelity)]
    pairs = [(op, o, op in FIRST) for op in ALL for o in half[op in FIRST]]  # the test's: each operator's other half
    trained = {(op, o) for op in ALL for o in half[op not in FIRST]}
    leaked = [float((op, o) in trained) for op, o, _ in pairs]
    unasked = [float(o not in half[0] | half[1]) for o in map(tuple, every(world).tolist())]
    split = Split("new pairs", "composition", shifted=True)
    for name, values in (("leaked", leaked), ("unasked", unasked)):
        ids = [[f"{name} {i}" for i in range(len(values))]] * len(lab.seeds)
        yield from Row.each(name, Scored(lab.seeds, ids, [values] * len(lab.seeds)), split)
