"""Can facts be combined that were only ever learned alone? Knowledge graphs: two hops, and comparisons.

two hops      e4 r7 e9 | e9 r2 e1        ->  prompt 'e4 r7 r2', truth 'e1' (the bridge e9 stays unsaid)
comparison    e4 a3 v5 | e9 a3 v8        ->  prompt 'a3 <q> e4 <mask> e9', truth 'a3<'

Facts such as `e4 r7 e9` are atomic, those that follow from two of them composed. Atoms are used (they stand in composed
facts of training) or apart (trained on, but in no composed fact). Both atoms of a new composed fact are used ones on the
reference splits and apart ones on the shifted split; facts that mix them are left out. A task is drawn once and holds its
facts as tables of tokens: a batch only picks rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.record import Split, Value
from unseen.core.task import Batch, Example, example_id

from .drawn import split_named

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
ATOMIC, ATOMIC_APART, TRAINED, NEW, APART = (
    "atomic",
    "atomic apart",
    "composed trained",
    "composed new",
    "composed apart",
)
AXIS = "composition"
PAD, END, ASK, MASK, ASKED, SAY = range(6)
MARKS = ("", "</a>", "<q>", "<mask>", "</q>", "<a>")
SIGNS = ("<", "=", ">")


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts as tokens [fact place], right-padded with 0, how many tokens of each are asked [fact], which facts are
    composed [fact], and their factors [fact] each.

    The tokens after those asked are the answer: one word, and the mark of the end where the task has one.
    """

    tokens: Ints
    asked: Ints
    composed: Bools
    factors: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.tokens)

    def take(self, index: Ints) -> Facts:
        """The facts at these positions."""
        factors = {k: v[index] for k, v in self.factors.items()}
        return Facts(self.tokens[index], self.asked[index], self.composed[index], factors)

    @property
    def truth(self) -> Ints:
        """The token that is the answer [fact]."""
        return self.tokens[np.arange(len(self)), self.asked]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """A TokenTask whose items are the facts of one drawn world, trained on `tables["train"]`.

    words [vocab] are the tokens' texts; `world` is what was drawn: a `Graph`, or `Values` of `kg_comparison`.
    """

    name: str
    words: tuple[str, ...]
    splits: tuple[Split, ...]
    tables: Mapping[str, Facts]
    world: Any

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has."""
        return self._table(split).tokens.shape[1]

    def size(self, split: str) -> int:
        """The number of facts of a split."""
        return len(self._table(split))

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n facts of a split as tokens [n place], with the mask of their answers; of "train" each fact equally likely,
        of splits tested on n different ones. Raises Invalid where a split holds fewer."""
        return batch_of(self.facts(split, n, rng))

    def facts(self, split: str, n: int, rng: np.random.Generator) -> Facts:
        """The facts of `batch`, with their factors."""
        table = self._table(split)
        if not len(table):
            raise Invalid(f"{self.name} has no facts on {split!r}; raise the share of facts apart or the world's size.")
        if split == "train":
            return table.take(rng.integers(0, len(table), n))
        if n > len(table):
            raise Invalid(
                f"{self.name} has {len(table)} facts on {split!r}, fewer than the {n} asked for; ask for less."
            )
        return table.take(rng.choice(len(table), n, replace=False))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts and their factors; fewer where the split holds fewer facts."""
        table = self._table(split)
        rows = rng.permutation(len(table))
        _, first = np.unique(table.tokens[rows], axis=0, return_index=True)
        kept = table.take(rows[np.sort(first)[:n]])
        where = split_named(self, split, Split("train", AXIS))
        found: list[Example] = []
        for i, truth in enumerate(kept.truth.tolist()):
            prompt = self.text(kept.tokens[i, : kept.asked[i]])
            at = {k: _plain(v[i]) for k, v in kept.factors.items() if v[i] != ""}
            if split == "train":
                at["role"] = "composed" if kept.composed[i] else "component"
            found.append(Example(example_id(self.name, split, prompt), prompt, self.words[truth], where, None, at))
        return found

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the answer is the right word, whatever its white space and mark of the end, else 0."""
        return {"exact": float(answer.replace(MARKS[END], " ").split() == example.truth.split())}

    def text(self, tokens: Ints) -> str:
        """Tokens as words with spaces between, padding left out."""
        return " ".join(self.words[t] for t in tokens.tolist() if t != PAD)

    def tokens(self, text: str) -> list[int]:
        """The tokens of words with spaces between. Raises Unknown for a word that the world has not."""
        known = {word: i for i, word in enumerate(self.words) if word}
        words = text.split()
        if strange := [w for w in words if w not in known]:
            raise Unknown(f"{self.name} has no word {strange[0]!r}{nearest(strange[0], known)}.")
        return [known[w] for w in words]

    def _table(self, split: str) -> Facts:
        return self.tables[split_named(self, split).name]


def batch_of(facts: Facts) -> Batch:
    """Facts as a batch: tokens [fact place] and the mask of their answers."""
    place = np.arange(facts.tokens.shape[1])
    return Batch(facts.tokens, (place >= facts.asked[:, None]) & (facts.tokens != PAD))


def shuffled(task: Knowledge, rng: np.random.Generator) -> Knowledge:
    """The task with composed facts trained on each other's answers: a control in which nothing new can be inferred."""
    train = task.tables["train"]
    composed = np.flatnonzero(train.composed)
    tokens = train.tokens.copy()
    place = train.asked[composed]
    tokens[composed, place] = tokens[rng.permutation(composed), place]
    return replace(task, tables={**task.tables, "train": replace(train, tokens=tokens)})


def split_of(name: str, role: str, *, trained: bool = False, shifted: bool = False) -> Split:
    """A split by name; `role` is what its facts are (component or composed), `trained` whether they are trained on."""
    return Split(name, AXIS, {"role": role, "trained": trained}, shifted)


SPLITS = (
    split_of(ATOMIC, "component", trained=True),
    split_of(ATOMIC_APART, "component", trained=True),
    split_of(TRAINED, "composed", trained=True),
    split_of(NEW, "composed"),
    split_of(APART, "composed", shifted=True),
)


@dataclass(frozen=True, eq=False)
class Graph:
    """A directed graph with labelled edges: relations [head edge], tails [head edge], and whether an atom is apart
    [head edge]. `follow` [head relation] is the tail, −1 where there is no such edge."""

    relations: Ints
    tails: Ints
    apart: Bools
    follow: Ints


def composition(
    entities: int,
    relations: int,
    degree: int,
    phi: float,
    rng: np.random.Generator,
    *,
    apart: float = 0.05,
    held: float = 0.005,
    tested: int = 3000,
    closed: bool = True,
) -> Knowledge:
    """Two-hop composition over a random graph: `degree` edges leave each of `entities`, with different relations and
    tails drawn uniformly. A share `apart` of the atoms stands in no composed fact of training; of the composed facts
    over used atoms a share `held` is tested on (never trained), and `phi` for each used atom are trained on.

    `tested` bounds the facts of each split tested on; `closed` says whether facts end with `</a>`. 2,000 entities of
    degree 20 take a quarter of a second. Raises Invalid where the graph has fewer composed facts than `phi` asks for.
    """
    if not 1 <= degree <= relations or entities < 2:
        raise Invalid(f"degree={degree}, relations={relations}, entities={entities}: relations of one head differ.")
    graph = _graph(entities, relations, degree, apart, rng)
    first = np.repeat(np.arange(entities * degree), degree)
    second = (graph.tails.reshape(-1, 1) * degree + np.arange(degree)).ravel()
    loose = graph.apart.ravel()
    count = loose[first].astype(int) + loose[second]
    used = rng.permutation(np.flatnonzero(count == 0))
    tests, pool = np.split(used, [round(held * len(used))])
    wanted = round(phi * int((~loose).sum()))
    if wanted > len(pool):
        raise Invalid(
            f"phi={phi:g} asks for {wanted} composed facts; the graph has {len(pool)}: at most {len(pool) / (~loose).sum():.1f}."
        )
    words = (*MARKS, *(f"e{i}" for i in range(entities)), *(f"r{i}" for i in range(relations)))
    atoms, both = np.arange(entities * degree), np.flatnonzero(count == 2)

    def some(rows: Ints) -> Ints:
        return rng.permutation(rows)[:tested]

    def composed(rows: Ints) -> Facts:
        return _two_hops(graph, first[rows], second[rows], closed)

    trained = pool[:wanted]
    tables = {
        "train": joined(_one_hop(graph, atoms, closed), composed(trained)),
        ATOMIC: _one_hop(graph, some(atoms[~loose]), closed),
        ATOMIC_APART: _one_hop(graph, some(atoms[loose]), closed),
        TRAINED: composed(some(trained)),
        NEW: composed(tests[:tested]),
        APART: composed(some(both)),
    }
    return Knowledge("composition", words, SPLITS, tables, graph)


def _graph(entities: int, relations: int, degree: int, apart: float, rng: np.random.Generator) -> Graph:
    names = np.argsort(rng.random((entities, relations)), 1)[:, :degree]
    tails = rng.integers(0, entities, (entities, degree))
    follow = np.full((entities, relations), -1)
    np.put_along_axis(follow, names, tails, 1)
    return Graph(names, tails, _chosen(entities * degree, apart, rng).reshape(entities, degree), follow)


def _chosen(n: int, share: float, rng: np.random.Generator) -> Bools:
    """A mask [n] with that share of true places."""
    mask = np.zeros(n, bool)
    mask[rng.permutation(n)[: round(share * n)]] = True
    return mask


def entity(i: Any) -> Any:
    """The token of an entity, in every world."""
    return len(MARKS) + i


def relation(graph: Graph, i: Any) -> Any:
    """The token of a relation."""
    return len(MARKS) + len(graph.tails) + i


def _one_hop(graph: Graph, atoms: Ints, closed: bool) -> Facts:
    degree = graph.tails.shape[1]
    head, edge = np.divmod(atoms, degree)
    loose = graph.apart[head, edge]
    parts = (entity(head), relation(graph, graph.relations[head, edge]), entity(graph.tails[head, edge]))
    return facts_of(parts, False, {"apart": loose.astype(int), "bridge": np.full(len(atoms), "")}, closed)


def _two_hops(graph: Graph, first: Ints, second: Ints, closed: bool) -> Facts:
    """Composed facts over pairs of atoms; the tail of the first is the head of the second."""
    degree = graph.tails.shape[1]
    (head, edge), (bridge, onward) = np.divmod(first, degree), np.divmod(second, degree)
    parts = (
        entity(head),
        relation(graph, graph.relations[head, edge]),
        relation(graph, graph.relations[bridge, onward]),
        entity(graph.tails[bridge, onward]),
    )
    loose = graph.apart[head, edge].astype(int) + graph.apart[bridge, onward]
    return facts_of(parts, True, {"apart": loose, "bridge": np.char.add("e", bridge.astype(str))}, closed)


def facts_of(parts: Sequence[Any], composed: bool, factors: Mapping[str, NDArray[Any]], closed: bool) -> Facts:
    """Facts whose tokens at each place are `parts` (arrays [fact], or one token for all); the last part is the answer."""
    n = len(next(iter(factors.values())))
    columns = [*parts, *([END] if closed else [])]
    tokens = np.stack([np.broadcast_to(np.asarray(c, np.int32), n) for c in columns], 1)
    return Facts(tokens, np.full(n, len(parts) - 1), np.full(n, composed), factors)


def joined(*parts: Facts) -> Facts:
    """Facts of several kinds, which have the same factors, in one table."""
    width = max(p.tokens.shape[1] for p in parts)
    tokens = np.concatenate([np.pad(p.tokens, ((0, 0), (0, width - p.tokens.shape[1]))) for p in parts])
    factors = {k: np.concatenate([p.factors[k] for p in parts]) for k in parts[0].factors}
    asked, composed = (np.concatenate([getattr(p, name) for p in parts]) for name in ("asked", "composed"))
    return Facts(tokens, asked, composed, factors)


def _plain(value: Any) -> Value:
    return value.item() if isinstance(value, np.generic) else value
