"""What is looked at while small networks learn: their data, their accuracy on every split, and their coherence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.measures.coherence import Coherence, coherence
from unseen.tasks import pictures
from unseen.tasks.labelled_images import CORRUPTED, PRISTINE, TEST, Images, digits, random_pixels, relabelled, scaled

from .nets import Nets, Taught

SIDES = {"ylecun/mnist": 28, "zalando-datasets/fashion_mnist": 28, "uoft-cs/cifar10": 32}
Bits = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Data:
    """Images of every seed: those trained on with the labels they are given, and held out ones.

    right: which given labels are the right ones [seed n]; names: which image of the data set each is, trained on and
    held out [seed n], [seed h].
    """

    taught: Taught
    right: Bits
    held: Taught
    names: tuple[NDArray[np.int64], NDArray[np.int64]]
    classes: int


def images(data: str, most: int) -> Images:
    """The images of a data set in memory: scikit-learn's digits, or the first `most` pictures, in gray."""
    if data == "digits":
        return digits()
    train, _ = pictures.released(data, side=SIDES.get(data, 28))
    return pictures.gray(train, most)


def prepared(data: str, sizes: tuple[int, int], noise: float, pixels: Literal["real", "random"], lab: Lab) -> Data:
    """Each seed's own images of a data set: sizes[0] trained on, sizes[1] held out, scaled by those trained on.

    Raises Invalid where the data set holds fewer.
    """
    n, held = sizes
    whole = images(data, n + held)
    if n + held > len(whole):
        raise Invalid(f"train={n} and held={held} are more than the {len(whole)} images of {data}; lower one of them.")
    found: list[tuple[NDArray[Any], ...]] = []
    for seed in lab.seeds:
        names = lab.rng("images", seed=seed).permutation(len(whole))[: n + held]
        mine = whole.take(names)
        x = random_pixels(mine.pixels, lab.rng("pixels", seed=seed)) if pixels == "random" else mine.pixels
        given, right = relabelled(mine.labels[:n], noise, whole.classes, lab.rng("noise", seed=seed))
        a, b = (part.reshape(len(part), -1) for part in scaled(x[:n], x[n:]))
        found.append((a, given, right, b, mine.labels[n:], names[:n], names[n:]))
    a, given, right, b, true, mine, others = map(np.stack, zip(*found, strict=True))
    taught, kept = (Taught(*(torch.from_numpy(v).to(lab.device) for v in pair)) for pair in ((a, given), (b, true)))
    return Data(taught, right, kept, (mine, others), whole.classes)


@torch.no_grad()
def answered(nets: Nets, asked: Taught) -> tuple[NDArray[np.float64], Bits]:
    """The mean loss of each seed [seed] (nats), and which examples are answered with their given label [seed n]."""
    logits = nets.logits(asked.x)
    each = F.cross_entropy(logits.flatten(0, 1), asked.y.flatten(), reduction="none").view_as(asked.y)
    return each.double().mean(1).cpu().numpy(), (logits.argmax(-1) == asked.y).cpu().numpy()


def by_split(data: Data, taught: Bits, held: Bits) -> Iterator[tuple[Split, int, Bits, NDArray[np.int64]]]:
    """(split, place of the seed, right answers, names of their images) of what was answered. The first third of the held
    out examples is left out: it chooses when to stop."""
    for i in range(len(taught)):
        for split, which in ((PRISTINE, data.right[i]), (CORRUPTED, ~data.right[i])):
            if which.any():
                yield split, i, taught[i, which], data.names[0][i, which]
        tested = slice(held.shape[1] // 3, None)
        yield TEST, i, held[i, tested], data.names[1][i, tested]


def accuracy(data: Data, seeds: Sequence[int], taught: Bits, held: Bits, *, measure: str, step: int | None) -> Iterator[Row]:  # fmt: skip
    """A row of accuracy (fraction 0..1 of given labels answered) for every seed and split."""
    for split, i, right, names in by_split(data, taught, held):
        scored = Scored([seeds[i]], [[str(k) for k in names]], right[None].astype(float))
        yield from Row.each(measure, scored, split, step=step)


def sampled(n: int, sample: int, samples: int, lab: Lab) -> NDArray[np.int64]:
    """Each seed's samples of examples that coherence is measured on [seed sample example], disjoint where n allows."""
    m = min(sample, n)
    rounds = -(-m * samples // (n - n % m))  # m examples a sample, as many samples as fit in one order of all
    fit = n // m * m
    found = [
        np.concatenate([lab.rng("sample", k, seed=s).permutation(n)[:fit] for k in range(rounds)])[: m * samples]
        for s in lab.seeds
    ]
    return np.stack(found).reshape(len(lab.seeds), samples, m)


def coherences(nets: Nets, taught: Taught, samples: NDArray[np.int64]) -> list[list[Coherence]]:
    """The coherence of each seed's network on each of its samples. NaN where a network has diverged."""
    found: list[list[Coherence]] = []
    for i in range(len(nets.seeds)):
        x, y, member = taught.x[i], taught.y[i], nets.member(i)
        fine = bool(torch.isfinite(nll(member(x), y)).all())
        layers = {name.rpartition(".")[0]: lost() for name in nets.weights}
        found.append([coherence(member, nll, (x[s], y[s])) if fine else lost(layers) for s in map(torch.from_numpy, samples[i])])  # fmt: skip
    return found


def nll(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each example [n] (nats)."""
    return F.cross_entropy(logits, labels, reduction="none")


def lost(layers: dict[str, Coherence] | None = None) -> Coherence:
    """The coherence of a network that has none any more."""
    return Coherence(float("nan"), float("nan"), 0, layers or {})


def gram_error(nets: Nets, taught: Taught, *, n: int = 24) -> list[float]:
    """By how much, relatively, each seed's coherence differs from its definition: the sum of the Gram matrix of
    per-example gradients over its trace, from plain backward passes of n examples in double precision."""
    found: list[float] = []
    for i in range(len(nets.seeds)):
        member, x, y = nets.member(i), taught.x[i, :n], taught.y[i, :n]
        wanted = coherence(member, nll, (x, y)).m_coherence
        rows = [torch.autograd.grad(nll(member(x[j : j + 1]), y[j : j + 1]).sum(), list(member.parameters())) for j in range(len(x))]  # fmt: skip
        g = torch.stack([torch.cat([p.flatten() for p in row]) for row in rows]).double()
        gram = g @ g.T
        found.append(abs(wanted / float(gram.sum() / gram.trace()) - 1))
    return found
