"""How are many answers written at once? In a block of rows: where some have ended, the next prompts take their places.

A block holds as many rows as its tokens allow. Rows that ended stay, unread, until they are a quarter of it: to take rows
out of a cache costs as much as to write them for a while. Which prompts are asked together decides the block, nothing
else does, so that the same prompts get the same answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unseen.core.model import Answer

from . import cache as caches

if TYPE_CHECKING:
    from .engine import Local

QUARTER = 4  # one in so many rows has to have ended before rows are taken out and others put in


@dataclass(frozen=True, slots=True)
class Writing:
    """How answers are written: the most tokens, the temperature (0: the likeliest token), its seed, and what ends them."""

    most: int
    temperature: float
    seed: int
    stop: tuple[str, ...]


@dataclass(slots=True)
class Row:
    """One answer on its way: which prompt it answers, its tokens so far, and its own random numbers if it is sampled."""

    prompt: int
    said: list[int]
    source: torch.Generator | None = None
    over: bool = False


@dataclass(slots=True)
class Block:
    """Rows side by side: their cache, which of its places count [row length], the tokens to read next and their places
    [row 1]."""

    rows: list[Row]
    cache: Any
    mask: Tensor
    tokens: Tensor
    places: Tensor

    @property
    def over(self) -> int:
        """How many rows have ended."""
        return sum(row.over for row in self.rows)


def written(
    one: Local, ids: Sequence[Sequence[int]], start: Any, shared: int, how: Writing
) -> Iterator[tuple[int, Answer]]:
    """(index, answer) for prompts given as tokens, whose first `shared` are in the cache `start`; as they end."""
    queue = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
    block: Block | None = None
    while queue or block is not None:
        room = _room(one, len(ids[queue[0]]) - shared + how.most, block) if queue else 0
        if room:
            part, queue = queue[:room], queue[room:]
            more = _begun(one, part, [ids[i] for i in part], start, shared, how)
            block = more if block is None else _joined(block, more)
        elif block is not None:
            _step(one, block, how)
        if block is not None:
            yield from _ended(one, block, how)
            block = _left(block)


def _room(one: Local, size: int, block: Block | None) -> int:
    """How many rows of so many tokens are put in now: all that fit, or none before they are enough to be worth it."""
    most = one.rows or max(1, min(one.logits, one.writes // size))
    if block is None:
        return most
    room = most - len(block.rows) + block.over
    return room if room * QUARTER >= len(block.rows) and room > 0 and caches.refillable(block.cache) else 0


def _begun(
    one: Local, prompts: Sequence[int], ids: Sequence[Sequence[int]], start: Any, shared: int, how: Writing
) -> Block:
    """Rows for these prompts, given as tokens and read to their ends, with the first token of each answer."""
    tokens, mask, places = one.left_padded([i[shared:] for i in ids], shared)
    cache = caches.begun(one.model.config, start, len(ids))
    logits = one.forward(tokens, mask, places, cache, 1)[:, -1]
    rows = [Row(p, [], _source(how.seed, i) if how.temperature else None) for p, i in zip(prompts, ids, strict=True)]
    return Block(rows, cache, mask, _say(rows, logits, how), places[:, -1:] + 1)


def _step(one: Local, block: Block, how: Writing) -> None:
    """Read each row's last token and say the next."""
    block.mask = torch.cat([block.mask, torch.ones_like(block.mask[:, :1])], 1)
    logits = one.forward(block.tokens, block.mask, block.places, block.cache, 1)[:, -1]
    block.tokens, block.places = _say(block.rows, logits, how), block.places + 1


def _say(rows: Sequence[Row], logits: Tensor, how: Writing) -> Tensor:
    """The next token of every row [row 1], appended to what those that go on have said."""
    if how.temperature:
        chances = (logits.float() / how.temperature).softmax(-1).cpu()
        drawn = [
            0 if row.over else int(torch.multinomial(p, 1, generator=row.source))
            for row, p in zip(rows, chances, strict=True)
        ]
        chosen = torch.tensor(drawn, device=logits.device)
    else:
        chosen = logits.argmax(-1)
    for row, token in zip(rows, chosen.tolist(), strict=True):
        if not row.over:
            row.said.append(token)
    return chosen[:, None]


def _ended(one: Local, block: Block, how: Writing) -> Iterator[tuple[int, Answer]]:
    """The answers that their last token ended."""
    for row in block.rows:
        if row.over:
            continue
        answer = one.ended(row.said, how.stop)
        if answer is None and len(row.said) == how.most:
            answer = Answer(one.text(row.said), "length", len(row.said))
        if answer is not None:
            row.over = True
            yield row.prompt, answer


def _left(block: Block) -> Block | None:
    """The block without the rows that ended, where they are many; None where all have."""
    if block.over == len(block.rows):
        return None
    if block.over * QUARTER < len(block.rows):
        return block
    keep = _going_on(block)
    block.cache.batch_select_indices(keep)
    return _selected(block, keep)


def _going_on(block: Block) -> Tensor:
    return torch.tensor([i for i, row in enumerate(block.rows) if not row.over], device=block.mask.device)


def _selected(block: Block, keep: Tensor) -> Block:
    """A block's rows [kept], whose cache holds these alone already."""
    rows = [block.rows[i] for i in keep.tolist()]
    return Block(rows, block.cache, block.mask[keep], block.tokens[keep], block.places[keep])


def _joined(block: Block, more: Block) -> Block:
    """The rows of a block that go on, and more; the shorter ones are moved right, and what no row reads is cut off."""
    keep = _going_on(block)
    length = max(block.mask.shape[1], more.mask.shape[1])
    left = (length - block.mask.shape[1], length - more.mask.shape[1])
    masks = [torch.nn.functional.pad(m, (n, 0)) for m, n in zip((block.mask[keep], more.mask), left, strict=True)]
    mask = torch.cat(masks)
    cut = int(mask.argmax(1).min())
    cache = caches.joined(block.cache, more.cache, keep, left, cut)
    ours = _selected(block, keep)
    tokens, places = torch.cat([ours.tokens, more.tokens]), torch.cat([ours.places, more.places])
    return Block([*ours.rows, *more.rows], cache, mask[:, cut:], tokens, places)


def _source(seed: int, ids: Sequence[int]) -> torch.Generator:
    """A prompt's own random numbers, whatever block it is in."""
    told = hashlib.blake2b(repr((seed, list(ids))).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(told, "big") >> 1)
