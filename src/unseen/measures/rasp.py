"""How long is the program? RASP-L: sequences of small whole numbers, causal attention, no arithmetic on positions.

    x = tokens()
    sort = kqv(x, x, x, ">", default=EOS, reduction="min")      # the least earlier token above this one
    run(sort, [[3, 7, 2, 9, 4, 2, 7]])[0, 4:]  ->  [7, 2, 7]
    complexity(sort)                           ->  Complexity(kqv=1, nodes=2, depth=1)

A program is a graph of `Node`s over the input's tokens. What it says at a position is the next token there, so that a
decoder which computes it answers right at every length (Zhou et al. 2023, section 3 and appendix). Programs are graphs
rather than functions so that they can be measured, and checked for what RASP-L forbids (`breaches`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

Ints = NDArray[np.int64]
Predicate = Literal["==", "!=", "<", "<=", ">", ">=", "true"]
Reduction = Literal["mean", "max", "min"]
COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "true": lambda k, q: np.ones(np.broadcast_shapes(np.shape(k), np.shape(q)), bool),
}  # fmt: skip
LOGIC: Mapping[str, Callable[[Any, Any], Any]] = {"and": np.logical_and, "or": np.logical_or}
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "%": np.mod,
    "//": np.floor_divide,
}
ELEMENTWISE = {**COMPARE, **LOGIC, **ARITHMETIC}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation on sequences: its name, what it reads, and its constant (a number, a predicate, a reduction)."""

    op: str
    of: tuple[Node, ...] = ()
    constant: tuple[str | int, ...] = ()

    def __add__(self, other: Node | int) -> Node:
        return seq_map(self, other, "+")

    def __sub__(self, other: Node | int) -> Node:
        return seq_map(self, other, "-")

    def __mul__(self, other: Node | int) -> Node:
        return seq_map(self, other, "*")

    def __mod__(self, other: Node | int) -> Node:
        return seq_map(self, other, "%")

    def __lt__(self, other: Node | int) -> Node:
        return seq_map(self, other, "<")

    def __le__(self, other: Node | int) -> Node:
        return seq_map(self, other, "<=")

    def __gt__(self, other: Node | int) -> Node:
        return seq_map(self, other, ">")

    def __ge__(self, other: Node | int) -> Node:
        return seq_map(self, other, ">=")

    def __and__(self, other: Node) -> Node:
        return seq_map(self, other, "and")

    def __or__(self, other: Node) -> Node:
        return seq_map(self, other, "or")

    def __invert__(self) -> Node:
        return tok_map(self, "==", 0)

    def eq(self, other: Node | int) -> Node:
        """Where both are equal (a method, since == of nodes tells whether they are one node)."""
        return seq_map(self, other, "==")


@dataclass(frozen=True, slots=True)
class Complexity:
    """How much there is to a program: attention calls, nodes in all (constants and the input apart), and the longest
    chain of attention calls that read one another, which is the depth a transformer needs."""

    kqv: int
    nodes: int
    depth: int


def tokens() -> Node:
    """The input."""
    return Node("tokens")


def indices() -> Node:
    """Each position's index, from 0."""
    return Node("indices")


def full(value: int) -> Node:
    """The same number everywhere."""
    return Node("full", (), (int(value),))


def tok_map(x: Node, op: str, constant: int) -> Node:
    """`op` of every number and a constant: comparisons give 0 or 1."""
    _known(op, ELEMENTWISE, "operation")
    return Node("tok_map", (x,), (op, int(constant)))


def seq_map(x: Node, y: Node | int, op: str) -> Node:
    """`op` of two sequences, position by position (of one and a constant: `tok_map`)."""
    if not isinstance(y, Node):
        return tok_map(x, op, y)
    if y.op == "full":
        return tok_map(x, op, int(y.constant[0]))
    _known(op, ELEMENTWISE, "operation")
    return Node("seq_map", (x, y), (op,))


def where(condition: Node, yes: Node | int, no: Node | int) -> Node:
    """`yes` where the condition is not 0, `no` elsewhere."""
    return Node("where", (condition, _node(yes), _node(no)))


def select(k: Node | int, q: Node | int, predicate: Predicate) -> Node:
    """The causal matrix A[i, j] = (j <= i and predicate(k[j], q[i]))."""
    _known(predicate, COMPARE, "predicate")
    return Node("select", (_node(k), _node(q)), (predicate,))


def sel_width(selected: Node) -> Node:
    """How many positions each one selects."""
    return Node("sel_width", (selected,))


def aggr(selected: Node, v: Node, *, default: Node | int = 0, reduction: Reduction = "mean") -> Node:
    """The mean (rounded down), largest or smallest of the selected values; `default` where none is selected."""
    _known(reduction, ("mean", "max", "min"), "reduction")
    return Node("aggr", (selected, v, _node(default)), (reduction,))


def kqv(
    k: Node | int,
    q: Node | int,
    v: Node,
    predicate: Predicate,
    *,
    default: Node | int = 0,
    reduction: Reduction = "mean",
) -> Node:
    """One attention call: `aggr(select(k, q, predicate), v)`."""
    return aggr(select(k, q, predicate), v, default=default, reduction=reduction)


def run(program: Node, sequences: Sequence[Sequence[int]] | NDArray[np.integer]) -> Ints:
    """What a program says at every position [item length], given tokens [item length]."""
    x = np.asarray(sequences, np.int64)
    if x.ndim != 2:
        raise Invalid(f"a program runs on tokens [item length]; these have the shape {x.shape}.")
    values: list[NDArray[Any]] = []
    order, number = listed(program)
    for node in order:
        values.append(_value(node, [values[number[id(part)]] for part in node.of], x))
    return np.ascontiguousarray(np.broadcast_to(values[number[id(program)]], x.shape)).astype(np.int64)


def complexity(program: Node) -> Complexity:
    """The size of a program; equal parts count once, however often they are written."""
    order, number = listed(program)
    calls = [n for n in order if n.op in ("aggr", "sel_width")]
    inner = [n for n in order if n.op not in ("tokens", "full")]
    depth: list[int] = []
    for node in order:
        below = max((depth[number[id(part)]] for part in node.of), default=0)
        depth.append(below + (node.op in ("aggr", "sel_width")))
    return Complexity(len(calls), len(inner), depth[-1])


def listed(program: Node) -> tuple[list[Node], dict[int, int]]:
    """The distinct nodes of a program, each after what it reads, and every node's number among them by its `id`."""
    order: list[Node] = []
    number: dict[int, int] = {}
    alike: dict[tuple[object, ...], int] = {}
    waiting = [program]
    while waiting:
        node = waiting[-1]
        if id(node) in number:
            waiting.pop()
            continue
        if unread := [part for part in node.of if id(part) not in number]:
            waiting += unread
            continue
        waiting.pop()
        key = (node.op, node.constant, tuple(number[id(part)] for part in node.of))
        if key not in alike:
            alike[key] = len(order)
            order.append(node)
        number[id(node)] = alike[key]
    return order, number


def breaches(program: Node) -> list[str]:
    """What a program does that RASP-L forbids; empty for a RASP-L program.

    Positions and counts grow with the input. They may be ordered, stepped by a constant, carried along by attention,
    and matched with an extreme that attention found among them; positions may also be matched with positions a constant
    number of steps away. They may not be added, mapped or matched otherwise: that is arithmetic on positions. It is a
    discipline for writing programs, not a proof that nothing shorter exists.
    """
    order, number = listed(program)
    grows: list[bool] = []
    found: list[str] = []
    for node in order:
        reads = [grows[number[id(part)]] for part in node.of]
        if (why := _breach(node, reads)) is not None:
            found.append(why)
        grows.append(_grows(node, reads))
    return found


def _grows(node: Node, reads: Sequence[bool]) -> bool:
    """Whether a node's numbers grow with the length of the input."""
    if node.op in ("indices", "sel_width"):
        return True
    if node.op in ("tok_map", "seq_map"):
        return any(reads) and node.constant[0] in ARITHMETIC
    if node.op in ("where", "aggr"):
        return any(reads[1:])
    return False


def _breach(node: Node, reads: Sequence[bool]) -> str | None:
    if node.op == "tok_map" and reads[0] and node.constant[0] in ("*", "%", "//"):
        return f"{node.constant[0]} {node.constant[1]} of a position or count"
    if node.op == "seq_map" and any(reads) and node.constant[0] in ARITHMETIC:
        return f"{node.constant[0]} of positions or counts"
    matched = node.op in ("select", "seq_map") and node.constant[0] in ("==", "!=") and any(reads)
    if matched and not any(_extreme(part) for part in node.of) and not _steps(node.of):
        return "a match of positions or counts that were not found by attention"
    return None


def _extreme(node: Node) -> bool:
    """Whether a node is a constant, or what attention found to be the largest or smallest, give or take a constant."""
    node = _unstepped(node)
    if node.op == "where":
        return _extreme(node.of[1]) and _extreme(node.of[2])
    return node.op == "full" or (node.op == "aggr" and node.constant[0] in ("max", "min"))


def _steps(parts: Sequence[Node]) -> bool:
    return all(_unstepped(part).op == "indices" for part in parts)


def _unstepped(node: Node) -> Node:
    while node.op == "tok_map" and node.constant[0] in ("+", "-"):
        node = node.of[0]
    return node


def _value(node: Node, reads: Sequence[NDArray[Any]], x: Ints) -> NDArray[Any]:
    """A node's numbers, broadcastable to [item length] (a selector's: [item length length])."""
    match node.op:
        case "tokens":
            return x
        case "indices":
            return np.arange(x.shape[1])[None]
        case "full":
            return np.full((1, x.shape[1]), node.constant[0], np.int64)
        case "tok_map":
            return ELEMENTWISE[str(node.constant[0])](reads[0], node.constant[1]).astype(np.int64)
        case "seq_map":
            return ELEMENTWISE[str(node.constant[0])](reads[0], reads[1]).astype(np.int64)
        case "where":
            return np.where(reads[0] != 0, reads[1], reads[2])
        case "select":
            causal = np.tri(x.shape[1], dtype=bool)
            return COMPARE[str(node.constant[0])](reads[0][:, None, :], reads[1][:, :, None]) & causal
        case "sel_width":
            return reads[0].sum(-1)
        case "aggr":
            return _aggregated(reads[0], reads[1][:, None, :], reads[2], str(node.constant[0]))
    raise Invalid(f"no operation of RASP-L is called {node.op!r}.")


def _aggregated(selected: NDArray[np.bool_], v: Ints, default: Ints, reduction: str) -> Ints:
    """The reduction over the last axis of v [item 1 length] where selected [item length length]."""
    count = selected.sum(-1)
    if reduction == "mean":
        found = np.where(selected, v, 0).sum(-1) // np.maximum(count, 1)
    elif reduction == "max":
        found = np.where(selected, v, np.iinfo(np.int64).min).max(-1)
    else:
        found = np.where(selected, v, np.iinfo(np.int64).max).min(-1)
    return np.where(count > 0, found, default)


def _node(x: Node | int) -> Node:
    return x if isinstance(x, Node) else full(x)


def _known(word: str, words: Any, kind: str) -> None:
    if word not in words:
        raise Invalid(f"RASP-L has no {kind} {word!r}; it has {', '.join(words)}.")


def written(program: Node) -> str:
    """A program as Python text over this module and `x = tokens()`, `at = indices()`: one line for each attention call
    and each part that is used more than once; the last line is the next token."""
    order, number = listed(program)
    uses = [0] * len(order)
    for node in order:
        for part in node.of:
            uses[number[id(part)]] += 1
    words: list[str] = []
    lines: list[str] = []
    for node, used in zip(order, uses, strict=True):
        text = _words(node, [words[number[id(part)]] for part in node.of])
        if node is not order[-1] and (node.op in ("aggr", "sel_width") or (used > 1 and node.op not in _PLAIN)):
            lines.append(f"v{len(lines)} = {text}")
            text = f"v{len(lines) - 1}"
        words.append(text)
    return "\n".join([*lines, f"next = {words[-1]}"])


_PLAIN = ("tokens", "indices", "full", "select")
_SIGN = {"and": "&", "or": "|"}


def _words(node: Node, of: Sequence[str]) -> str:
    """One node as text, given the text of what it reads."""
    match node.op:
        case "tokens":
            return "x"
        case "indices":
            return "at"
        case "full":
            return f"full({node.constant[0]})"
        case "tok_map" | "seq_map":
            sign, other = str(node.constant[0]), of[1] if node.op == "seq_map" else str(node.constant[1])
            if sign == "==":
                return f"{of[0]}.eq({other})"
            if sign in ("!=", "//"):  # nodes have no sign for these
                return f'seq_map({of[0]}, {other}, "{sign}")'
            return f"({of[0]} {_SIGN.get(sign, sign)} {other})"
        case "where":
            return f"where({', '.join([of[0], *map(_bare, of[1:])])})"
        case "select":
            return f'{_bare(of[0])}, {_bare(of[1])}, "{node.constant[0]}"'
        case "sel_width":
            return f"sel_width(select({of[0]}))"
        case _:
            return f'aggr(select({of[0]}), {of[1]}, default={_bare(of[2])}, reduction="{node.constant[0]}")'


def _bare(text: str) -> str:
    """A constant sequence as its number, where a number will do."""
    return text[5:-1] if text.startswith("full(") else text
