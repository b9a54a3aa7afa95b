"""Where is a fact put together? Prompts for the lens and for tracing: what is sought at which place, and replaced by what.

composition 'e4 r7 r2' with the bridge e9    the lens seeks e9 at place 1 and r2 at place 2; tracing replaces one of the
                                             three tokens by another one of its kind that leads to another answer
comparison 'a3 <q> e4 <mask> e9'             the lens seeks v(e4) at place 2, v(e9) at place 4, a3's labels at place 0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.tasks import kg
from unseen.tasks.kg import TRAINED, Facts, Graph, Ints, Knowledge
from unseen.tasks.kg_comparison import Values


@dataclass(frozen=True, eq=False)
class Probes:
    """Prompts [item place] of trained composed facts.

    `sought`: name -> (place, tokens wanted there [item wanted]); `others`: place -> prompts whose states are put there.
    """

    prompts: Ints
    sought: Mapping[str, tuple[int, Ints]]
    others: Mapping[int, Ints]

    def first(self, n: int) -> Probes:
        """The first n prompts."""
        sought = {name: (place, wanted[:n]) for name, (place, wanted) in self.sought.items()}
        return Probes(self.prompts[:n], sought, {place: rows[:n] for place, rows in self.others.items()})


def of(task: Knowledge, n: int, rng: np.random.Generator) -> Probes:
    """Probes of at most n trained composed facts of a world; facts for which no token can be replaced are left out."""
    facts = task.facts(TRAINED, min(2 * n, task.size(TRAINED)), rng)
    world: Any = task.world
    found = _of_graph(world, facts, rng) if isinstance(world, Graph) else _of_values(world, facts, rng)
    if not len(found.prompts):
        raise Invalid(
            f"no composed fact of {task.name} has a token that another one could replace; make the world larger."
        )
    return found.first(n)


def _of_graph(graph: Graph, facts: Facts, rng: np.random.Generator) -> Probes:
    """Probes of two hops: another head that does not lead to the answer by these relations, another first relation of
    this head that does not, another second relation of the bridge that does not."""
    asked = facts.tokens[:, :3]
    head, first, second = asked[:, 0] - kg.entity(0), *(asked[:, i] - kg.relation(graph, 0) for i in (1, 2))
    answer, bridge = facts.truth - kg.entity(0), graph.follow[head, first]
    heads = _two(graph, graph.follow[:, first].T, second) != answer[:, None]  # [item head]
    firsts = (graph.follow[head] >= 0) & (_two(graph, graph.follow[head], second) != answer[:, None])
    seconds = (graph.follow[bridge] >= 0) & (graph.follow[bridge] != answer[:, None])
    fine = heads.any(1) & firsts.any(1) & seconds.any(1)
    kinds = {0: (heads, kg.entity(0)), 1: (firsts, kg.relation(graph, 0)), 2: (seconds, kg.relation(graph, 0))}
    others = {place: _replaced(asked, place, _pick(mask, rng) + base)[fine] for place, (mask, base) in kinds.items()}
    sought = {"bridge": (1, kg.entity(bridge)[fine, None]), "relation": (2, asked[fine, 2:3])}
    return Probes(asked[fine], sought, others)


def _two(graph: Graph, bridges: Ints, second: Ints) -> Ints:
    """The tail [item choice] that the second relation [item] leads to from bridges [item choice]; −1 where none."""
    return np.where(bridges >= 0, graph.follow[bridges, second[:, None]], -1)


def _of_values(world: Values, facts: Facts, rng: np.random.Generator) -> Probes:
    """Probes of comparisons: another attribute; another first or second entity whose value equals the other's, or, of
    equals, lies one beside it. The marks between are replaced with what stands before them."""
    # DEPARTS: the paper says that separators are patched together with a neighbour, not with which one
    asked = facts.tokens[:, :5]
    attribute = asked[:, 0] - world.attribute(0)
    one, other = asked[:, 2] - world.entity(0), asked[:, 4] - world.entity(0)
    value = world.value[:, attribute].T  # [item entity]
    mine, theirs = (world.value[e, attribute] for e in (one, other))
    firsts, seconds = _turning(value, theirs, mine), _turning(value, mine, theirs)
    others_a = np.arange(world.value.shape[1]) != attribute[:, None]
    fine = firsts.any(1) & seconds.any(1) & others_a.any(1)
    changed = {
        0: _replaced(asked, 0, world.attribute(_pick(others_a, rng))),
        2: _replaced(asked, 2, world.entity(_pick(firsts, rng))),
        4: _replaced(asked, 4, world.entity(_pick(seconds, rng))),
    }
    changed |= {1: changed[0], 3: changed[2]}
    labels = world.label(attribute[:, None], np.arange(3))
    sought = {
        "first": (2, world.number(mine)[fine, None]),
        "second": (4, world.number(theirs)[fine, None]),
        "labels": (0, labels[fine]),
    }
    return Probes(asked[fine], sought, {place: changed[place][fine] for place in sorted(changed)})


def _turning(value: Ints, fixed: Ints, before: Ints) -> NDArray[np.bool_]:
    """Which entities [item entity] would turn the label: of a value equal to the fixed one, or next to it if it was equal."""
    beside = np.abs(value - fixed[:, None])
    return np.where((before == fixed)[:, None], beside == 1, beside == 0)


def _pick(mask: NDArray[np.bool_], rng: np.random.Generator) -> Any:
    """One of the choices [item] that the mask [item choice] allows, each equally likely."""
    return np.argmax(mask * (1 + rng.random(mask.shape)), 1)


def _replaced(prompts: Ints, place: int, tokens: Ints) -> Ints:
    found = prompts.copy()
    found[:, place] = tokens
    return found
