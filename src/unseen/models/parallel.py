"""How do several accelerators answer together? Each holds the whole model and answers a part of the prompts.

over(model, tokenizer, ["cuda:0", "cuda:1"])     what `--device-map replicas` makes of a checkpoint
"""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Missing
from unseen.core.model import Answer, Prompt

from .engine import Local
from .hub import REPLICAS


class Parallel:
    """Copies of one model, each on a device of its own; prompts are dealt out in turn, so that all have as much to do."""

    def __init__(self, copies: Sequence[Local]) -> None:
        self.copies, self.tokenizer, self.model = list(copies), copies[0].tokenizer, copies[0].model

    def stream(self, prompts: Sequence[Prompt], **words: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt, as they end on any device."""
        told: queue.Queue[tuple[int, Answer] | BaseException | None] = queue.Queue()
        over = threading.Event()

        def work(one: Local, part: Sequence[int]) -> None:
            try:
                for i, answer in one.stream([prompts[p] for p in part], **words):
                    told.put((part[i], answer))
                    if over.is_set():
                        break
            except BaseException as error:  # told to whoever reads
                told.put(error)
            finally:
                told.put(None)

        at_work = self._begin(work, len(prompts))
        try:
            while at_work:
                said = told.get()
                if isinstance(said, BaseException):
                    raise said
                if said is None:
                    at_work -= 1
                else:
                    yield said
        finally:
            over.set()  # the others stop at their next answer

    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The log-probability of each answer after its prompt (nats) [prompt]."""
        found = np.zeros(len(prompts))

        def work(one: Local, part: Sequence[int]) -> None:
            found[list(part)] = one.scores([prompts[p] for p in part], [answers[p] for p in part])

        with ThreadPoolExecutor(len(self.copies)) as pool:
            for done in [pool.submit(work, one, part) for one, part in self._dealt(len(prompts))]:
                done.result()
        return found

    def _begin(self, work: Callable[[Local, Sequence[int]], None], n: int) -> int:
        dealt = self._dealt(n)
        for one, part in dealt:
            threading.Thread(target=work, args=(one, part), daemon=True).start()
        return len(dealt)

    def _dealt(self, n: int) -> list[tuple[Local, range]]:
        """Each copy with the places of its prompts; copies that would have none are left out."""
        k = len(self.copies)
        return [(one, range(i, n, k)) for i, one in enumerate(self.copies) if i < n]


def over(model: Any, tokenizer: Any, devices: Sequence[str], batch_size: str | int = "auto") -> Parallel:
    """A model copied to every device."""
    copies = [model, *(copy.deepcopy(model) for _ in devices[1:])]
    return Parallel([Local(m.to(d), tokenizer, batch_size=batch_size) for m, d in zip(copies, devices, strict=True)])


def accelerators(who: str) -> list[str]:
    """Every accelerator of this machine. Raises Missing where there is none."""
    import torch

    if n := torch.cuda.device_count():
        return [f"cuda:{i}" for i in range(n)]
    raise Missing(
        f"{who}: --device-map {REPLICAS} puts a copy on every accelerator, and this machine has none; leave it out."
    )
