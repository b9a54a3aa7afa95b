"""How does a local language model answer many prompts fast? What prompts share is computed once.

A beginning that prompts share, such as worked examples, is read once for all of them. Scoring: a prompt and its answers
are one tree (`tree.py`), and the head is applied at answer positions only. Generation: a block of rows that is filled up
as rows end (`writing.py`). Prompts are padded on the left and positions count from the first real token.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Failed, Invalid
from unseen.core.model import Answer, Prompt

from . import cache as caches
from .names import has_template
from .tree import Tree, grown, laid
from .writing import Writing, written

SHARED_FROM = 16  # tokens; a shorter common beginning is not worth a cache of its own
ALIKE_FROM = 4  # prompts; fewer that begin alike are not worth a batch of their own
TOKENS_AT_ONCE = {"cpu": 2_048, "cuda": 65_536}
WRITTEN_AT_ONCE = {"cpu": 4_096, "cuda": 65_536}  # tokens of answers on their way; a step reads all weights for them
LOGITS_AT_ONCE = {"cpu": 1 << 26, "cuda": 1 << 30}  # rows × positions × vocabulary
WIDEST_TREE = 4_096  # tokens; the mask of a tree is square


class Local:
    """A causal language model of transformers with its tokenizer, as something that streams answers and scores."""

    def __init__(self, model: Any, tokenizer: Any, *, batch_size: str | int = "auto") -> None:
        whole = getattr(model, "get_base_model", lambda: model)()  # an adapter's wrapper hides what the model takes
        self.model, self.tokenizer = whole.eval(), tokenizer
        self.device = next(model.parameters()).device
        self.rows = None if batch_size == "auto" else int(batch_size)
        self.tokens = TOKENS_AT_ONCE.get(self.device.type, 16_384)
        self.writes = WRITTEN_AT_ONCE.get(self.device.type, 16_384)
        self.logits = LOGITS_AT_ONCE.get(self.device.type, 1 << 28) // int(getattr(model.config, "vocab_size", 1 << 16))
        self.takes = frozenset(inspect.signature(model.forward).parameters)
        self.branching: bool | None = None  # whether trees are scored right; found out on first use
        self.longest = int(getattr(model.config, "max_position_embeddings", 0) or 1 << 30)

    @torch.inference_mode()
    def stream(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt, as they end."""
        ids = [self.encoded(p)[-max(1, self.longest - max_new_tokens) :] for p in prompts]
        how = Writing(max_new_tokens, temperature, seed, tuple(stop))
        for part, shared in beginnings(ids):
            start = self._shared(ids[part[0]][:shared]) if shared else None
            for i, answer in written(self, [ids[i] for i in part], start, shared, how):
                yield part[i], answer

    @torch.inference_mode()
    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The log-probability of each answer after its prompt (nats) [prompt]; a prompt too long is read from its end."""
        pairs = [self._cut(*self.pair(p, a)) for p, a in zip(prompts, answers, strict=True)]
        by_context: dict[tuple[int, ...], list[int]] = {}
        for i, (context, _) in enumerate(pairs):
            by_context.setdefault(tuple(context), []).append(i)
        found = np.zeros(len(pairs))
        contexts = list(by_context)
        for part, shared in beginnings(contexts):
            answered = {contexts[c]: [pairs[i][1] for i in by_context[contexts[c]]] for c in part}
            found[[i for c in part for i in by_context[contexts[c]]]] = self._answered(answered, shared)
        return found

    def _answered(self, asked: Mapping[tuple[int, ...], Sequence[Sequence[int]]], shared: int) -> NDArray[np.float64]:
        """Log-probabilities of the answers to contexts that share a beginning of `shared` tokens, in order [answer]."""
        contexts, answers = list(asked), list(asked.values())
        start = self._shared(contexts[0][:shared]) if shared else None
        trees = [grown(c[shared:], its) for c, its in asked.items()]
        branching = self._branches(max(shared + len(t.tokens) for t in trees))
        found: list[Any] = [None] * len(trees)
        for part in self._batches([len(t.tokens) for t in trees], [t.heads for t in trees]):
            if branching:
                told = self._at_once([trees[c] for c in part], start, shared)
            else:
                told = self._scored([contexts[c][shared:] for c in part], [answers[c] for c in part], start, shared)
            ends = np.cumsum([len(answers[c]) for c in part])
            for c, its in zip(part, np.split(np.asarray(told), ends[:-1]), strict=True):
                found[c] = its
        return np.concatenate(found)

    def encoded(self, prompt: Prompt) -> list[int]:
        """A prompt's tokens: plain text as it is, chat turns through the tokenizer's template."""
        if isinstance(prompt, str):
            return self._plain(prompt) or [self._end()]
        if not has_template(self.tokenizer):
            return self._plain("\n\n".join(turn["content"] for turn in prompt)) or [self._end()]
        told = self.tokenizer.apply_chat_template([dict(t) for t in prompt], add_generation_prompt=True, tokenize=False)
        return self.tokenizer(told, add_special_tokens=False)["input_ids"]

    def pair(self, prompt: Prompt, answer: str) -> tuple[list[int], list[int]]:
        """Tokens of the prompt, and those that the answer adds; spaces at a prompt's end count as the answer's."""
        if isinstance(prompt, str):
            bare = prompt.rstrip()
            context = self._plain(bare) if bare else []
            added = self._plain(prompt + answer)[len(context) :]
        else:
            context = self.encoded(prompt)
            added = self.tokenizer(answer, add_special_tokens=False)["input_ids"]
        if not added:
            raise Invalid(f"the answer {answer!r} adds no token after its prompt, so it has no log-probability.")
        return context or [self._end()], added

    def _plain(self, text: str) -> list[int]:
        """Tokens of a text, begun as the tokenizer begins texts by itself."""
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        first = self.tokenizer.bos_token_id
        if first is None or not text or ids[:1] == [first]:
            return ids
        return [first, *ids] if self.tokenizer("a")["input_ids"][:1] == [first] else ids

    def _cut(self, context: list[int], answer: list[int]) -> tuple[list[int], list[int]]:
        """A pair that fits the model: the context loses its beginning. The answer's last token is never read."""
        room = self.longest + 1 - len(answer)
        if room < 1:
            raise Invalid(
                f"an answer of {len(answer)} tokens leaves no room for its prompt: the model reads {self.longest} at most; shorten it."
            )
        return context[-room:], answer

    def _end(self) -> int:
        found = self.tokenizer.eos_token_id if self.tokenizer.eos_token_id is not None else self.tokenizer.bos_token_id
        return int(found or 0)

    def _shared(self, ids: Sequence[int]) -> Any:
        """Keys and values of a beginning, for one row."""
        given = torch.tensor([list(ids)], device=self.device)
        return self.model(given, use_cache=True, logits_to_keep=1).past_key_values

    def _batches(self, sizes: Sequence[int], heads: Sequence[int] = ()) -> Iterator[list[int]]:
        """Indices in batches of like size, within the rows, or the tokens and logits, taken at once; longest first."""
        order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
        part: list[int] = []
        most = 0
        for i in order:
            most, n = max(most, heads[i] if heads else 1), len(part) + 1
            full = n > self.rows if self.rows else sizes[part[0] if part else i] * n > self.tokens
            if part and (full or most * n > self.logits):
                yield part
                part, most = [], heads[i] if heads else 1
            part.append(i)
        if part:
            yield part

    def left_padded(self, ids: Sequence[Sequence[int]], shared: int) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, attention mask (over the shared beginning too) and positions [row length]."""
        width = max(len(i) for i in ids)
        tokens = torch.zeros(len(ids), width, dtype=torch.long)
        mask = torch.zeros(len(ids), shared + width, dtype=torch.long)
        mask[:, :shared] = 1
        for row, one in enumerate(ids):
            tokens[row, width - len(one) :] = torch.tensor(list(one))
            mask[row, shared + width - len(one) :] = 1
        places = (mask.cumsum(1) - 1).clamp_min(0)[:, shared:]
        return tokens.to(self.device), mask.to(self.device), places.to(self.device)

    def forward(self, tokens: Tensor, mask: Tensor, places: Tensor, cache: Any, keep: int) -> Tensor:
        """Logits [row keep vocab] of the last columns; a cache is read and extended."""
        given = {"position_ids": places} if "position_ids" in self.takes else {}
        told = {"past_key_values": cache, "use_cache": cache is not None, "logits_to_keep": keep}
        try:
            return self.model(tokens, attention_mask=mask, **told, **given).logits[:, -keep:]
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise Failed(
                f"memory ran out on a batch of {tokens.shape[0]} prompts of {mask.shape[-1]} tokens; pass --batch-size with a lower number."
            ) from error

    def _branches(self, longest: int) -> bool:
        """Whether trees of so many tokens are scored right by this model; where not, answers go through a cache."""
        kind = getattr(self.model.config, "_attn_implementation", "")
        window = getattr(self.model.config, "sliding_window", None)
        if kind not in ("sdpa", "eager") or "position_ids" not in self.takes:
            return False
        if longest > min(WIDEST_TREE, window or WIDEST_TREE):
            return False
        if self.branching is None:
            self.branching = self._tried()
        return self.branching

    def _tried(self) -> bool:
        """Whether a small tree gets the log-probabilities that its answers get one by one.

        Not so where a model reads its tokens in order whatever the mask says, as recurrent ones do.
        """
        ids = [i % max(2, int(getattr(self.model.config, "vocab_size", 2))) for i in range(1, 9)]
        context, answers = ids[:3], [ids[3:6], ids[5:8], ids[3:5]]
        alone = self._scored([context] * 3, [[a] for a in answers], None, 0)
        rough = self.model.dtype != torch.float32 or getattr(self.model, "is_loaded_in_8bit", False)
        near = 0.3 if rough else 1e-3  # nats
        return bool(np.allclose(self._at_once([grown(context, answers)], None, 0), alone, rtol=0, atol=near))

    def _at_once(self, trees: Sequence[Tree], start: Any, shared: int) -> NDArray[np.float64]:
        """Log-probabilities of the answers of each tree, in order."""
        told = laid(trees, shared)
        sees = torch.from_numpy(told.sees)[:, None].to(self.device)
        if self.model.config._attn_implementation == "eager":  # which adds its mask
            kind = self.model.dtype
            sees = torch.zeros(sees.shape, dtype=kind, device=self.device).masked_fill(~sees, torch.finfo(kind).min)
        tokens, places = (torch.from_numpy(x).to(self.device) for x in (told.tokens, told.places))
        cache = caches.begun(self.model.config, start, len(trees)) if shared else None
        logits = self.forward(tokens, sees, places, cache, told.kept)
        row, column, goal = (torch.from_numpy(x).to(self.device) for x in (told.row, told.column, told.goal))
        each = logits.float().log_softmax(-1)[row, column, goal]  # as other harnesses do; its sum errs by 1e-5 a token
        return np.bincount(told.answer, each.double().cpu().numpy())

    def _scored(
        self, contexts: Sequence[Sequence[int]], answers: Sequence[Sequence[Sequence[int]]], start: Any, shared: int
    ) -> list[float]:
        """Log-probabilities of the answers of each context, in order."""
        tokens, mask, places = self.left_padded(contexts, shared)
        cache = caches.begun(self.model.config, start, len(contexts))
        first = self.forward(tokens, mask, places, cache, 1)[:, -1].float().log_softmax(-1)
        rows = [r for r, group in enumerate(answers) for _ in group]
        flat = [list(a) for group in answers for a in group]
        found = first[rows, [a[0] for a in flat]].double()
        rest = max(len(a) for a in flat) - 1
        if not rest:
            return found.tolist()
        pick = torch.tensor(rows, device=self.device)
        cache.batch_select_indices(pick)
        given, goal = torch.zeros(len(flat), rest, dtype=torch.long), torch.zeros(len(flat), rest, dtype=torch.long)
        counts = torch.zeros(len(flat), rest, dtype=torch.bool)
        for r, a in enumerate(flat):
            given[r, : len(a) - 1], goal[r, : len(a) - 1], counts[r, : len(a) - 1] = (
                torch.tensor(a[:-1]),
                torch.tensor(a[1:]),
                True,
            )
        whole = torch.cat([mask[pick], counts.to(self.device, torch.long)], 1)
        after = mask[pick].sum(1, keepdim=True) + torch.arange(rest, device=self.device)
        logits = self.forward(given.to(self.device), whole, after, cache, rest)
        each = torch.gather(logits.float().log_softmax(-1), 2, goal.to(self.device)[..., None])[..., 0]
        return (found + each.masked_fill(~counts.to(self.device), 0.0).double().sum(1)).tolist()

    def ended(self, said: Sequence[int], stop: Sequence[str]) -> Answer | None:
        """The answer where its last token ends it, or where a stop string stands in it."""
        if said[-1] in self._ends():
            return Answer(self.text(said[:-1]), "stop", len(said))
        text = _stopped(self.text(said), stop) if stop else None
        return None if text is None else Answer(text, "stop", len(said))

    def _ends(self) -> set[int]:
        told = getattr(self.model.generation_config, "eos_token_id", None)
        found = set(told if isinstance(told, list) else [told])
        return {int(t) for t in (*found, self.tokenizer.eos_token_id) if t is not None}

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as text, without special ones."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)


def quiet() -> None:
    """Keep transformers' own bars and advice off the screen; ours show the trial's progress."""
    import logging as plain

    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    plain.getLogger("bitsandbytes").setLevel(plain.ERROR)  # it tells what it does without, and of every layer it casts


def common_start(ids: Sequence[Sequence[int]]) -> int:
    """How many tokens all of several sequences begin with, leaving each at least one; 0 where it is not worth a cache."""
    if len(ids) < 2:
        return 0
    low, high = min(ids), max(ids)
    n = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    n = min(n, min(map(len, ids)) - 1)
    return n if n >= SHARED_FROM else 0


def beginnings(ids: Sequence[Sequence[int]]) -> list[tuple[list[int], int]]:
    """Sequences in groups that begin alike: the indices of each, and how many tokens all of them begin with.

    What begins as all others do, and goes on as too few do, is one group with the beginning of all.
    """
    if not ids:
        return []
    whole = common_start(ids)
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, one in enumerate(ids):
        alike.setdefault(tuple(one[whole : whole + SHARED_FROM]), []).append(i)
    found: list[tuple[list[int], int]] = []
    rest: list[int] = []
    for part in alike.values():
        n = common_start([ids[i] for i in part]) if len(part) >= ALIKE_FROM else 0
        if n >= whole + SHARED_FROM:
            found.append((part, n))
        else:
            rest += part
    return found + [(sorted(rest), whole)] * bool(rest)


def _stopped(text: str, stop: Sequence[str]) -> str | None:
    """The text before the first stop string, None where there is none."""
    at = [i for s in stop if s and (i := text.find(s)) >= 0]
    return text[: min(at)] if at else None
