"""Where are the keys and values of rows kept while they are written? In place, with room for more tokens and other rows.

transformers' own cache is copied whole for every token that is written. Here a layer that holds all tokens of its rows
(`DynamicLayer`) is given room ahead; layers of another kind (sliding windows, recurrent states) stay transformers' own,
and `refillable` says whether rows may join others later.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64  # tokens that a layer makes room for at a time


class Roomy(DynamicLayer):
    """Keys and values [row head length feature] that grow in place; what selects or repeats rows makes them anew."""

    def __init__(self) -> None:
        super().__init__()
        self.held: tuple[Tensor, Tensor] | None = None  # the room, of which keys and values are the beginning
        self.shown: Tensor | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append keys and values [row head new feature]; return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        if not before:
            self.keys, self.values = key_states, value_states
            return self.keys, self.values
        after = before + key_states.shape[-2]
        if self.held is None or self.shown is not self.keys or after > self.held[0].shape[-2]:
            self.held = (_roomy(self.keys, after + ROOM), _roomy(self.values, after + ROOM))
        for room, new in zip(self.held, (key_states, value_states), strict=True):
            room[..., before:after, :] = new
        self.keys, self.values = (room[..., :after, :] for room in self.held)
        self.shown = self.keys
        return self.keys, self.values


def begun(config: Any, start: Any, rows: int) -> Any:
    """A cache for `rows` rows of a model with this config, which holds the beginning they share (one row's, or None)."""
    cache = DynamicCache(config=config) if start is None else deepcopy(start)
    if cache.layer_class_to_replicate is DynamicLayer:
        cache.layer_class_to_replicate = Roomy
    cache.layers = [_taken_over(layer) if type(layer) is DynamicLayer else layer for layer in cache.layers]
    if start is not None:
        cache.batch_repeat_interleave(rows)
    return cache


def refillable(cache: Any) -> bool:
    """Whether rows may be joined to those of a cache: it holds every token of every row, in order."""
    return bool(cache.layers) and all(type(layer) is Roomy for layer in cache.layers)


def joined(first: Any, second: Any, rows: Tensor, left: tuple[int, int], cut: int) -> Any:
    """The first cache's `rows` and after them all of the second's, each moved right by so many empty places on its
    `left`, without the first `cut` of all. The first cache is changed and returned."""
    for ours, theirs in zip(first.layers, second.layers, strict=True):
        for name in ("keys", "values"):
            parts = (getattr(ours, name)[rows], getattr(theirs, name))
            moved = [F.pad(x, (0, 0, n, 0)) if n else x for x, n in zip(parts, left, strict=True)]
            setattr(ours, name, torch.cat([x[..., cut:, :] for x in moved]))
    return first


def _taken_over(layer: Any) -> Roomy:
    found = Roomy()
    if layer.is_initialized:
        found.lazy_initialization(layer.keys, layer.values)
        found.keys, found.values = layer.keys, layer.values
    return found


def _roomy(held: Tensor, length: int) -> Tensor:
    room = held.new_empty(*held.shape[:-2], length, held.shape[-1])
    room[..., : held.shape[-2], :] = held
    return room
