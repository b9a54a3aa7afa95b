"""How do batches of several members become one array, and where are their answers?

tokens, answer = padded([task.batch(…) for each seed], width)     # [seed batch width]
keep, weight = places(answer)                                      # [seed n]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.task import Batch, TokenTask

SHARES = 16  # answers are counted in sixteenths of all places, so that steps of many lengths have few shapes


def each_its(task: TokenTask | Sequence[TokenTask], members: int) -> list[TokenTask]:
    """The task of every member, of one task for all or of one for each. Raises Invalid for another number of tasks."""
    tasks = list(cast("Sequence[TokenTask]", task)) if isinstance(task, Sequence) else [task] * members
    if len(tasks) != members:
        raise Invalid(f"{len(tasks)} tasks for {members} members; give one, or one for each.")
    return tasks


def padded(drawn: Sequence[Batch], width: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Batches of one size stacked and padded: tokens int64[seed batch width], answer bool[seed batch width].

    Raises Invalid for a batch that is empty, has no answers or is wider than `width`.
    """
    n = len(drawn[0].tokens)
    tokens, answer = np.zeros((len(drawn), n, width), np.int64), np.zeros((len(drawn), n, width), bool)
    for i, batch in enumerate(drawn):
        if not batch.answer[:, 1:].any():
            raise Invalid(
                "a batch has no answer tokens, so there is nothing to learn; its split is empty or its marks are wrong."
            )
        length = batch.tokens.shape[1]
        if length > width:
            raise Invalid(f"a batch is {length} tokens wide, more than the {width} its task calls the longest.")
        tokens[i, :, :length], answer[i, :, :length] = batch.tokens, batch.answer
    return tokens, answer


def places(answer: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where the next token is an answer's, for marks [seed batch width]: places counted through batch and width − 1
    [seed n], and the weights that make the mean over them, 0 where a member has fewer than n."""
    found = [np.flatnonzero(marks[:, 1:]) for marks in answer]
    unit = max(1, answer[0, :, 1:].size // SHARES)
    n = -(-max(map(len, found)) // unit) * unit
    keep, weight = np.zeros((len(found), n), np.int64), np.zeros((len(found), n), np.float32)
    for i, one in enumerate(found):
        keep[i, : len(one)], weight[i, : len(one)] = one, 1 / max(1, len(one))
    return keep, weight


def prompts(answer: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many tokens stand before the first of the answer [seed batch]."""
    return answer.argmax(2)
