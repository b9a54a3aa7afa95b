"""Do examples that are learned early generalize better among themselves than those learned late?

A few networks learn all images; the first point from which on an image stays right orders them. The easiest and the
hardest become data sets of their own, and so do two random parts. New networks learn some images of a stratum and are
tested on its others.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log2, nan

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.tasks.labelled_images import Images, scaled

from . import curves, seen
from .arms import Strata
from .nets import How, Nets, Taught, trained

STRATA = ("easy", "hard", "random 1", "random 2")


def run(setting: Strata, lab: Lab) -> Iterator[Row]:
    """Rows of every stratum: `accuracy` on examples trained on and new ones of it, loss and coherence through training."""
    whole = seen.images(setting.data, 60_000)
    size = setting.train + setting.held
    if 2 * size > len(whole):
        raise Invalid(
            f"two strata of {size} images are more than the {len(whole)} of {setting.data}; lower train or held."
        )
    order = ordered(setting, whole, lab)
    for name in STRATA:
        yield from _stratum(setting, whole, name, parted(order, size, name, lab), lab)


def ordered(setting: Strata, whole: Images, lab: Lab) -> NDArray[np.int64]:
    """For each seed all images from the easiest to the hardest [seed image], by the mean point from which on its judges
    are right to the end; equally easy ones in random order."""
    x = torch.from_numpy(scaled(whole.pixels)[0].reshape(len(whole), -1)).to(lab.device)
    y = torch.from_numpy(whole.labels).to(lab.device)
    taught = Taught(x.expand(len(lab.seeds), *x.shape), y.expand(len(lab.seeds), len(y)))
    learned = np.zeros((len(lab.seeds), len(whole)))
    for judge in range(setting.judges):
        name = f"judge {judge}"
        nets = Nets(x.shape[1], whole.classes, width=setting.width, layers=setting.layers, seeds=lab.seeds, lab=lab, name=name)  # fmt: skip
        how = How(setting.steps, setting.batch, setting.lr)
        at = curves.measured_at(setting.steps, 3 * setting.points)
        right = [seen.answered(nets, taught)[1] for _ in trained(nets, taught, how, at=at, lab=lab, name=name)]
        learned += np.stack([curves.learned_at(np.stack(right)[:, i]) for i in range(len(lab.seeds))])
    ties = np.stack([lab.rng("ties", seed=s).random(len(whole)) for s in lab.seeds])
    return np.lexsort((ties, learned), axis=1)


def parted(order: NDArray[np.int64], size: int, name: str, lab: Lab) -> NDArray[np.int64]:
    """The images of a stratum [seed image], in random order: the first are trained on, the others tested."""
    found: list[NDArray[np.int64]] = []
    for mine, seed in zip(order, lab.seeds, strict=True):
        mixed = lab.rng("parts", seed=seed).permutation(mine)
        chosen = {"easy": mine[:size], "hard": mine[-size:], "random 1": mixed[:size], "random 2": mixed[-size:]}[name]
        found.append(lab.rng("stratum", name, seed=seed).permutation(chosen))
    return np.stack(found)


def _stratum(setting: Strata, whole: Images, name: str, which: NDArray[np.int64], lab: Lab) -> Iterator[Row]:
    n = setting.train
    pixels = [scaled(p[:n], p[n:]) for p in whole.pixels[which]]
    x = torch.from_numpy(np.stack([np.concatenate(parts).reshape(which.shape[1], -1) for parts in pixels])).to(
        lab.device
    )
    y = torch.from_numpy(whole.labels[which]).to(lab.device)
    taught, new = Taught(x[:, :n], y[:, :n]), Taught(x[:, n:], y[:, n:])
    nets = Nets(x.shape[2], whole.classes, width=setting.width, layers=setting.layers, seeds=lab.seeds, lab=lab, name=name)  # fmt: skip
    samples = seen.sampled(n, setting.sample, 1, lab)
    at = curves.measured_at(setting.steps, setting.points)
    where = {"stratum": name}
    splits = Split(f"{name}, trained on", at=where), Split(f"{name}, new", axis="example", at=where, shifted=True)
    first: NDArray[np.float64] | None = None
    for step in trained(nets, taught, How(setting.steps, setting.batch, setting.lr), at=at, lab=lab, name=name):
        loss, right = seen.answered(nets, taught)
        _, beyond = seen.answered(nets, new)
        first = loss if first is None else first
        found = seen.coherences(nets, taught, samples)
        for i, seed in enumerate(lab.seeds):
            for split, got, names in ((splits[0], right[i], which[i, :n]), (splits[1], beyond[i], which[i, n:])):
                yield from Row.each("accuracy", Scored([seed], [[str(k) for k in names]], got[None].astype(float)), split, step=step)  # fmt: skip
            m = found[i][0].m_coherence
            yield Row("loss_share", float(loss[i] / first[i]), step=step, seed=seed, at=where)
            yield Row("log2_m_coherence", log2(m) if m > 0 else nan, step=step, seed=seed, at=where)
