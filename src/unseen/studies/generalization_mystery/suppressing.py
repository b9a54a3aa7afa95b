"""Is less memorised where directions are suppressed that only few examples pull in?"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from . import curves, seen
from .arms import Suppressed
from .nets import How, Nets, trained


def run(setting: Suppressed, lab: Lab) -> Iterator[Row]:
    """Rows of training: `accuracy` on pristine, corrupted and test examples at every point, `halfway_accuracy` after half
    of the steps."""
    data = seen.prepared(setting.data, (setting.train, setting.held), setting.noise, "real", lab)
    nets = Nets(
        data.taught.x.shape[2], data.classes, width=setting.width, layers=setting.layers, seeds=lab.seeds, lab=lab
    )
    how = How(setting.steps, setting.batch, setting.lr, setting.method, setting.level)
    at = curves.measured_at(setting.steps, setting.points)
    for step in trained(nets, data.taught, how, at=at, lab=lab):
        loss, taught = seen.answered(nets, data.taught)
        _, held = seen.answered(nets, data.held)
        yield from seen.accuracy(data, lab.seeds, taught, held, measure="accuracy", step=step)
        if step == setting.steps // 2:
            yield from seen.accuracy(data, lab.seeds, taught, held, measure="halfway_accuracy", step=None)
        for i, seed in enumerate(lab.seeds):
            yield Row("train_loss", float(loss[i]), n=setting.train, step=step, seed=seed)
            yield Row("train_accuracy", float(taught[i].mean()), n=setting.train, step=step, seed=seed)
