"""Which training documents made a model answer as it does? EK-FAC influence on the log-probability of what it says.

    factors = fit(model, next_token, batches(train), layers="*.mlp.*")
    scores(factors, batches(queries, answers=lengths), batches(documents))    ->  float32[query document]
    influence(model, loss, measurement, train, query)                         the same at once, for a model and loss of your own

A score is ∇m(query)ᵀ (G + λ)⁻¹ ∇l(document), summed over layers, where m is the query's loss and l the document's (Grosse et al. 2023,
eq. 5 and 19; m = −log p, so positive is helpful: training more on the document lowers the query's loss). It counts the whole
of a document: longer ones have larger gradients. 1,000 documents of 32 tokens beside 20 queries take a decoder of four layers
of width 128 some fifteen seconds on one core.
"""

from .factors import Factor, Factors, Recipe, fit
from .layers import Told, chosen
from .losses import IGNORED, Loss, Predicted, batches, next_token
from .scored import influence, read, scores, write

__all__ = [
    "IGNORED", "Factor", "Factors", "Loss", "Predicted", "Recipe", "Told", "batches", "chosen", "fit", "influence",
    "next_token", "read", "scores", "write",
]  # fmt: skip
