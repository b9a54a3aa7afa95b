"""How is a meta-trained learner used on one's own arrays? As a classifier whose training is reading.

    InContextClassifier().fit(X, y).predict(X_new)        # scikit-learn's interface; nothing is optimized

`meta_train` makes such a learner: a transformer trained on sequences of labelled examples from handwritten digits and
from mixtures of Gaussians drawn anew, all seen through random projections and permuted labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.models import learner
from unseen.models.learner import Learner, Shape
from unseen.tasks import labelled
from unseen.tasks.labelled import Labelled, Part
from unseen.tasks.worlds import Worlds, drawn_views

from .training import Recipe, train

SHIPPED = Path(learner.__file__).with_name("general_learner")  # made by `meta_train` as its defaults say
GENERAL = Shape(features=16, classes=10, length=50, width=64, layers=2, heads=4)
AT_ONCE = 1 << 15  # tokens of one pass
Rows = NDArray[np.floating]


class InContextClassifier:
    """A classifier that reads labelled examples and answers: `fit` keeps them, `predict` shows them to a learner.

    A prediction is the mean over `views`, each with up to `length` − 1 of the kept examples (drawn without replacement,
    classes in turn), a random projection of features and a random naming of classes, as in meta-training. `learner` is
    a folder that `learner.save` wrote, a stack (its first member is used), or None for the one that is shipped.
    """

    _estimator_type = "classifier"

    def __init__(self, learner: str | Path | Learner | None = None, *, views: int = 16, seed: int = 0) -> None:
        self.learner, self.views, self.seed = learner, views, seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments it was made with, for scikit-learn's `clone`."""
        return {"learner": self.learner, "views": self.views, "seed": self.seed}

    def set_params(self, **params: Any) -> Self:
        """Change arguments by name. Raises Invalid for another name."""
        for name, value in params.items():
            if name not in self.get_params():
                raise Invalid(f"{name}={value!r}: the parameters are {', '.join(self.get_params())}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=ClassifierTags(),
        )

    def fit(self, X: Any, y: Any) -> Self:
        """Keep labelled examples X [example feature] and y [example].

        Raises Invalid for arrays that are not finite or do not fit together, and for more classes than the learner has.
        """
        x, names = _table(X), np.asarray(y)
        if names.ndim != 1 or len(names) != len(x):
            raise Invalid(f"X has {len(x)} examples and y the shape {names.shape}; y holds one label for each.")
        if self.views < 1:
            raise Invalid(f"views={self.views}: a prediction is the mean over at least one view.")
        self.models_ = _opened(self.learner)
        shape = self.models_.shape
        self.classes_, self.y_ = np.unique(names, return_inverse=True)
        if len(self.classes_) > shape.classes:
            raise Invalid(
                f"y has {len(self.classes_)} classes; this learner tells {shape.classes} apart. Meta-train one with more."
            )
        self.n_features_in_ = x.shape[1]
        self.mean_, spread = x.mean(0), x.std(0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        self.axes_ = _axes((x - self.mean_) / self.scale_, shape.features)
        told = self._seen(x)
        self.unit_ = max(float(np.sqrt(np.mean(told**2))), 1e-12)
        self.x_ = told / self.unit_
        return self

    def predict_proba(self, X: Any) -> Rows:
        """The shares [example class] given to each of `classes_`, the mean over views."""
        if not hasattr(self, "x_"):
            raise Invalid("this classifier has read no examples yet; call fit(X, y) first.")
        x = _table(X)
        if x.shape[1] != self.n_features_in_:
            raise Invalid(f"X has {x.shape[1]} features; the examples read by fit had {self.n_features_in_}.")
        x = self._seen(x) / self.unit_
        rng = np.random.default_rng(self.seed)
        return np.mean([self._view(x, rng) for _ in range(self.views)], axis=0)

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each example [example]."""
        return self.classes_[self.predict_proba(X).argmax(1)] if hasattr(self, "classes_") else self.predict_proba(X)

    def score(self, X: Any, y: Any) -> float:
        """The share of examples whose class is predicted right."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def _seen(self, x: Rows) -> Rows:
        """Examples in standard deviations, as principal components where there are more features than are read."""
        x = (x - self.mean_) / self.scale_
        return x if self.axes_ is None else x @ self.axes_

    def _view(self, x: Rows, rng: np.random.Generator) -> Rows:
        """The shares [example class] said in one view of the context and of the questions."""
        shape = self.models_.shape
        kept = in_turn(self.y_, shape.length - 1, rng)
        lens = rng.standard_normal((self.x_.shape[1], shape.features)) / np.sqrt(self.x_.shape[1])
        rho = rng.permutation(shape.classes)[: len(self.classes_)]
        context, labels = self.x_[kept] @ lens, rho[self.y_[kept]]
        asked, found = x @ lens, []
        size = max(1, AT_ONCE // (2 * (len(kept) + 1)))
        for i in range(0, len(asked), size):
            part = asked[i : i + size]
            whole = np.concatenate([np.broadcast_to(context, (len(part), *context.shape)), part[:, None]], 1)
            told = np.broadcast_to(np.append(labels, 0), (len(part), len(kept) + 1))
            with torch.inference_mode():
                given = torch.from_numpy(whole.astype(np.float32))[None], torch.from_numpy(told.copy())[None]
                logits = self.models_(*given)[0, :, -1].float()
            found.append(torch.softmax(logits[:, torch.from_numpy(rho)], -1).numpy())
        return np.concatenate(found) if found else np.zeros((0, len(self.classes_)))


def in_turn(y: NDArray[np.integer], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """At most so many examples [n], in random order: every class's first, then every class's second, and so on."""
    mixed = rng.permutation(len(y))
    rank = np.zeros(len(y), np.int64)
    for c in np.unique(y):
        its = np.flatnonzero(y[mixed] == c)
        rank[its] = np.arange(len(its))
    kept = mixed[np.argsort(rank + 0.5 * rng.random(len(y)), kind="stable")[:most]]
    return rng.permutation(kept)


def meta_train(
    shape: Shape = GENERAL, *, steps: int = 4800, batch: int = 32, lr: float = 3e-3, lab: Lab | None = None
) -> Iterator[tuple[int, Learner]]:
    """Train learners for use on anyone's arrays, one for each of the lab's seeds; yield (step, models) ten times.

    Sequences are of mixtures of Gaussians drawn for a step alone, of any number of features, and of two classes at first
    and of ever more until half of the training lies behind; from then on every other step reads digits of scikit-learn,
    where it is installed. (All classes at once leave the loss on its plateau for thousands of steps.) Five minutes.
    """
    lab = lab or Lab.alone()
    models = learner.stack(shape, seeds=lab.seeds, lab=lab)
    base = labelled.digits(shape.features) if shape.features <= 64 and shape.classes == 10 else None

    def draw(step: int) -> tuple[torch.Tensor, ...]:
        drawn = [
            general(
                shape,
                base if step % 2 and 2 * step > steps else None,
                batch,
                step / steps,
                lab.rng("batch", step, seed=s),
            )
            for s in models.seeds
        ]
        x, y = (np.stack(v) for v in zip(*drawn, strict=True))
        return torch.from_numpy(x).to(lab.device), torch.from_numpy(y).to(lab.device)

    recipe = Recipe(lr=lr, batch=batch, warmup=100)
    features = batch * shape.tokens * shape.width
    every = max(1, steps // 10)
    yield from train(
        models, draw, learner.losses, steps=steps, every=every, recipe=recipe, features=features, lab=lab, phase="meta"
    )


def general(
    shape: Shape, base: Labelled | None, n: int, done: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What a step of `meta_train` reads at `done`, the share of training behind it: x [n length feature] and y [n length]
    of the labelled set, or of a new mixture where there is none, the classes being any of the learner's."""
    if base is None:
        most = 2 + round((shape.classes - 2) * min(1.0, 2 * done))
        each = -(-5 * shape.length // 3)  # four fifths are for training, and a sequence may be of one class
        k, noise = int(rng.integers(2, most + 1)), float(rng.uniform(0.1, 1.0))
        base = _flat(labelled.gaussian(int(rng.integers(1, shape.features + 1)), k, rng, noise=noise, each=each), shape)
    told = Worlds(base, 0, shape.length, 0).sample("train", n, rng)
    _, rho = drawn_views(n, 1, shape.classes, rng)
    return told.x, np.take_along_axis(rho, told.y, 1)


def _flat(found: Labelled, shape: Shape) -> Labelled:
    """A set of few features as one of the learner's number of them, the others being 0, with a mean square of 1."""
    room, scale = shape.features - found.features, np.float32((shape.features / found.features) ** 0.5)
    parts = [Part(np.pad(scale * p.x, ((0, 0), (0, room))), p.y, p.classes) for p in (found.train, found.test)]
    return Labelled(found.name, *parts)


def _opened(source: str | Path | Learner | None) -> Learner:
    if isinstance(source, Learner):
        return source.part(0, 1)
    return learner.load(SHIPPED if source is None else Path(source)).part(0, 1)


def _table(x: Any) -> Rows:
    """An array [example feature] of finite floats. Raises Invalid for anything else."""
    found = np.asarray(x, dtype=np.float64)
    if found.ndim != 2 or found.shape[1] < 1:
        raise Invalid(f"X has the shape {found.shape}; it is a table, an example a row and a feature a column.")
    if not np.isfinite(found).all():
        raise Invalid("X holds NaN or infinity; fill in what is missing first.")
    return found


def _axes(x: Rows, most: int) -> Rows | None:
    """The first principal directions [feature most] of centred x; None where it has no more features than that."""
    if x.shape[1] <= most:
        return None
    _, _, axes = np.linalg.svd(x, full_matrices=False)
    return axes[:most].T
