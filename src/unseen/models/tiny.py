"""tiny:decoder and tiny:ARCH: untrained models, the null control of every study that takes a model.

`tiny:decoder` is our own decoder over bytes; `tiny:llama` (gpt2, qwen3, …) is that class of transformers, two layers of
random weights over a byte tokenizer, so that the code path of a real checkpoint runs anywhere.
tiny:decoder  ->  pinned: tiny:decoder@1
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Unknown, nearest
from unseen.core.model import Answer, Prompt

VERSION = 1  # raise it when any of these models comes to answer otherwise
CONTEXT = 512
END = 1
ARCHITECTURES = ("gpt2", "gpt_neox", "llama", "mistral", "olmo2", "phi", "qwen2", "qwen3", "smollm3")


def probe(rest: str) -> None:
    """Raise Unknown for an architecture that is not kept, or another version of it."""
    resolve(rest)


def resolve(rest: str) -> str:
    """The name and our version of it. Raises Unknown for an architecture or a version that is not kept."""
    name, _, before = rest.partition("@")
    if name != "decoder" and name not in ARCHITECTURES:
        raise Unknown(
            f"--model tiny:{rest}: no such architecture{nearest(name, ARCHITECTURES)}. There are decoder, {', '.join(ARCHITECTURES)}."
        )
    if before not in ("", str(VERSION)):
        raise Unknown(
            f"--model tiny:{rest}: this is version {VERSION} of tiny:{name}; leave the version out to take it."
        )
    return f"tiny:{name}@{VERSION}"


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The untrained model, the same in every process. `tiny:decoder` computes in float32 whatever the dtype."""
    from . import hub

    name = resolve(rest).removeprefix("tiny:").partition("@")[0]
    hub.torch_dtype(dtype)
    if name == "decoder":
        return Bytes(device)
    return hub.local(made(name, dtype), byte_tokenizer(), device, batch_size)


class Bytes:
    """Our decoder over bytes: token 0 is padding, 1 ends, byte b is b + 2. Greedy whatever the temperature."""

    def __init__(self, device: str) -> None:
        from unseen.core.lab import Lab

        from .decoder import stack

        lab = Lab.alone((0,), device=device)
        self.model = stack(258, width=32, layers=1, heads=2, context=CONTEXT, positions="rotary", seeds=(0,), lab=lab)

    def stream(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt; a long prompt is read from its end, an answer has at most CONTEXT / 2 tokens."""
        import torch

        from .decoder import greedy

        most = min(max_new_tokens, CONTEXT // 2)
        by_length: dict[int, list[int]] = {}
        read = [self._bytes(p)[-(CONTEXT // 2) :] for p in prompts]
        for i, one in enumerate(read):
            by_length.setdefault(len(one), []).append(i)
        for part in by_length.values():
            tokens = torch.tensor([[read[i] for i in part]], device=self.model.flat.device)
            for i, row in zip(part, greedy(self.model, tokens, steps=most, end=END)[0].tolist(), strict=True):
                yield i, _answer(row, stop)

    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The log-probability of each answer's bytes (nats) [prompt]; of an empty answer, that it ends there."""
        import torch

        found: list[float] = []
        for prompt, answer in zip(prompts, answers, strict=True):
            added = [b + 2 for b in answer.encode()] or [END]
            read = [*self._bytes(prompt), *added][-CONTEXT:]
            with torch.inference_mode():
                hidden = self.model(torch.tensor([[read[:-1]]], device=self.model.flat.device))
                logits = self.model.logits(hidden)[0, 0].log_softmax(-1)
            n = min(len(added), len(read) - 1)
            found.append(float(logits[-n:].gather(1, torch.tensor(read[-n:], device=logits.device)[:, None]).sum()))
        return np.array(found)

    def _bytes(self, prompt: Prompt) -> list[int]:
        text = prompt if isinstance(prompt, str) else "\n".join(turn["content"] for turn in prompt)
        return [b + 2 for b in text.encode()] or [END]


def made(name: str, dtype: str = "float32") -> Any:
    """A model of transformers of that architecture, its random weights a function of the name alone."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from .hub import torch_dtype

    sizes = {
        "vocab_size": 257,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 4096,
        "eos_token_id": 0,
        "bos_token_id": 0,
        "pad_token_id": 0,
    }
    if name == "gpt2":
        sizes |= {"n_positions": 4096, "n_embd": 32, "n_layer": 2, "n_head": 4}
    if name in ("llama", "mistral", "qwen2", "qwen3", "olmo2", "smollm3"):
        sizes |= {"num_key_value_heads": 2, "head_dim": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int.from_bytes(hashlib.sha256(f"{name}{VERSION}".encode()).digest()[:4], "big"))
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(name, **sizes), dtype=torch.float32)
    return model if dtype == "auto" else model.to(torch_dtype(dtype))


def byte_tokenizer() -> Any:
    """A tokenizer of transformers whose tokens are bytes; `</s>` ends."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({"</s>": 0, **{c: i + 1 for i, c in enumerate(letters)}}, merges=[]))
    inner.pre_tokenizer, inner.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>", pad_token="</s>")


def _answer(row: Sequence[int], stop: Sequence[str]) -> Answer:
    """The tokens a decoder continued with, as text up to its end or the first stop string."""
    ended = END in row
    said = [t for t in (row[: row.index(END)] if ended else row) if t > END]
    text = bytes(t - 2 for t in said).decode("utf-8", "replace")
    cut = min((at for s in stop if s and (at := text.find(s)) >= 0), default=None)
    if cut is not None:
        return Answer(text[:cut], "stop", len(said))
    return Answer(text, "stop" if ended else "length", len(said))
