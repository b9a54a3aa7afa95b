"""What does a residual stream hold, and how sure is the last layer? Linear probes, and margins between logits.

held = probe(x, y)              # x [place feature], y [place]: the token to be read off, here the next of an answer
held.score(x2, y2)              # fraction right on other places
margins(logits)                 # the best logit above the second best, over the last axis
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear reader of tokens off features."""

    said: Callable[[Values], NDArray[np.int64]]

    def score(self, x: Values, y: NDArray[np.int64]) -> float:
        """The fraction (0..1) of places x [place feature] whose token y [place] it tells."""
        return float(np.mean(self.said(x) == y))


def probe(x: Values, y: NDArray[np.int64], *, inverse_decay: float = 0.1, rounds: int = 300) -> Probe:
    """Multinomial logistic regression of y [place] on x [place feature], features scaled to unit variance.

    It stops after so many rounds whether or not it has converged: further ones change hardly any answer. Needs
    scikit-learn (the extra `data`). About a second for a thousand places of 64 features.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    reader = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_decay, max_iter=rounds))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = reader.fit(x, y)
    return Probe(lambda other: np.asarray(fitted.predict(other), np.int64))


def margins(logits: Values) -> NDArray[np.float64]:
    """How far the best logit lies above the second best [...] of logits [... vocab] (nats)."""
    best = np.partition(logits.astype(np.float64), -2, axis=-1)[..., -2:]
    return best[..., 1] - best[..., 0]
