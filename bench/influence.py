"""Influence of training documents: unseen's EK-FAC beside kronfluence 1.0.1 (`Analyzer`), at equal settings.

    1,000 documents of 32 tokens, 20 queries of 32    a Llama of four layers of width 128, 28 linear layers

Both fit EK-FAC of the same layers of the same weights in float32 on the same documents with the labels given (drawn ones differ
by chance), damping 0.1 of the mean eigenvalue, and score every query with every document. Kronfluence takes all queries in one
pass over the documents, at the batch size that is fastest for it here. Documents of another length: UNSEEN_BENCH_TOKENS.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .sides import Side
from .timing import Result, spent, take_turns

DOCUMENTS, QUERIES, ASKED = 1000, 20, 32  # rows, and the tokens of a query
LENGTH = int(os.environ.get("UNSEEN_BENCH_TOKENS", "32"))  # of a document
VOCAB, WIDTH, LAYERS = 512, 128, 4
OUR_SIZE, THEIR_SIZES = 32, (16, 32, 64)
PEERS = Path("build/peers").resolve()  # where `make bench` puts it
WITHIN, REQUIRED, THRIFT = 0.01, 1.5, 1.0  # 1 − Spearman's correlation, CPU time, memory


def compare(rounds: int) -> Iterator[Result]:
    """One result. Needs kronfluence; about ten minutes."""
    from scipy.stats import spearmanr

    ours = our_turns()()
    costs: dict[int, float] = {}
    told: dict[int, NDArray[np.float32]] = {}
    for size in THEIR_SIZES:
        turn = their_turns(size)
        costs[size] = spent(lambda t=turn, s=size: told.update({s: t()})).cpu
    best = min(costs, key=lambda size: costs[size])
    alike = [float(spearmanr(a, b).statistic) for a, b in zip(ours, told[best], strict=True)]
    sides = Side(our_turns), Side(their_turns, best)
    for side in sides:
        side.turn()
    turns = take_turns(sides[0].turn, sides[1].turn, rounds)
    peaks = sides[0].peak(), sides[1].peak()
    for side in sides:
        side.stop()
    yield Result(
        "influence", f"{LAYERS} layers of {WIDTH}, {LENGTH} tokens", f"kronfluence 1.0.1, batches of {best}",
        1 - min(alike), WITHIN, turns, REQUIRED, DOCUMENTS * QUERIES, "scores",
        {f"batches of {size}": DOCUMENTS * QUERIES / cost for size, cost in costs.items()},
        {"Spearman by query, least": min(alike), "largest difference of scores": float(np.abs(ours - told[best]).max() / np.abs(told[best]).max())},
        peaks=peaks, thrift=THRIFT,
    )  # fmt: skip


def made() -> tuple[Any, torch.Tensor, torch.Tensor]:
    """(model, documents [row token], queries [row token]): random weights grown apart by some training, tokens of a chain."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCAB, hidden_size=WIDTH, intermediate_size=344, num_hidden_layers=LAYERS, num_attention_heads=4,
            num_key_value_heads=4, max_position_embeddings=128, tie_word_embeddings=False,
        )
    )  # fmt: skip
    follows = torch.randint(VOCAB, (VOCAB, 4))
    rows = [torch.randint(VOCAB, (DOCUMENTS + QUERIES,))]
    for _ in range(LENGTH - 1):
        rows.append(follows[rows[-1], torch.randint(4, rows[-1].shape)])
    tokens = torch.stack(rows, 1)
    adam = torch.optim.AdamW(model.parameters(), 3e-3)
    for at in range(0, 320, 32):
        loss = model(tokens[at : at + 32], labels=tokens[at : at + 32]).loss
        adam.zero_grad()
        loss.backward()
        adam.step()
    return model.eval(), tokens[:DOCUMENTS], tokens[DOCUMENTS:, :ASKED]


def our_turns() -> Callable[[], NDArray[np.float32]]:
    """Fitting and scoring by ours."""
    from unseen.measures import influence

    model, documents, queries = made()
    train = list(documents.split(OUR_SIZE))
    recipe = influence.Recipe(labels="given")

    def turn() -> NDArray[np.float32]:
        factors = influence.fit(model, influence.next_token, train, recipe=recipe)
        return influence.scores(factors, [queries], train)

    return turn


def their_turns(size: int) -> Callable[[], NDArray[np.float32]]:
    """Fitting and scoring by kronfluence, its files in a folder that is thrown away."""
    opened()
    from kronfluence.analyzer import Analyzer, prepare_model
    from kronfluence.arguments import FactorArguments, ScoreArguments

    model, documents, queries = made()
    task = their_task(
        [name for name, one in model.named_modules() if isinstance(one, torch.nn.Linear) and name != "lm_head"]
    )
    model = prepare_model(model, task)
    fitted = FactorArguments(strategy="ekfac", use_empirical_fisher=True)
    scored = ScoreArguments(damping_factor=None)  # 0.1 of the mean eigenvalue
    train, asked = (torch.utils.data.TensorDataset(x) for x in (documents, queries))

    def turn() -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            analyzer = Analyzer(
                "bench", model, task, cpu=True, output_dir=folder, disable_tqdm=True, disable_model_save=True
            )
            analyzer.fit_all_factors(
                "f", train, per_device_batch_size=size, factor_args=fitted, overwrite_output_dir=True
            )
            analyzer.compute_pairwise_scores(
                "s", "f", asked, train, per_device_query_batch_size=QUERIES, per_device_train_batch_size=size,
                score_args=scored, overwrite_output_dir=True,
            )  # fmt: skip
            return analyzer.load_pairwise_scores("s")["all_modules"].float().numpy()

    return turn


def their_task(layers: list[str]) -> Any:
    """Next-token cross-entropy as kronfluence asks for it."""
    from kronfluence.task import Task

    class NextToken(Task):
        def compute_train_loss(self, batch: Any, model: Any, sample: bool = False) -> torch.Tensor:
            tokens = batch[0]
            logits = model(tokens).logits[:, :-1].float().flatten(0, 1)
            labels = tokens[:, 1:].flatten()
            return torch.nn.functional.cross_entropy(logits, labels, reduction="sum")

        def compute_measurement(self, batch: Any, model: Any) -> torch.Tensor:
            return self.compute_train_loss(batch, model)

        def get_influence_tracked_modules(self) -> list[str]:
            return layers

    return NextToken()


def opened() -> None:
    """Make kronfluence importable here, where it lies apart (it brings a package `tests` that would hide ours), and quiet."""
    if PEERS.is_dir() and str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
