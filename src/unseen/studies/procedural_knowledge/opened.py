"""How is a model opened so that its layers can be traced? Its torch module, its tokens, and the names of its last MLPs.

opened("smollm2@0.1.2", device="cpu", dtype="float32").last_mlps(2)  ->  ["model.layers.28.mlp.*", "model.layers.29.mlp.*"]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from unseen import models
from unseen.core.errors import Invalid

BLOCK = re.compile(r"^(.*?\.)(\d+)\.")  # transformer.h.11.mlp.c_fc
MLP = re.compile(r"mlp|dense_(?:h_to_4h|4h_to_h)|fc\d|feed_forward")


@dataclass(frozen=True, eq=False)
class Opened:
    """A causal language model and its tokens. `encoded` gives those of a text as it stands."""

    model: Any
    encoded: Callable[[str], list[int]]
    pair: Callable[[str, str], tuple[list[int], list[int]]]

    @property
    def context(self) -> int:
        """The most tokens that the model reads at once."""
        return int(getattr(self.model.config, "max_position_embeddings", 0) or self.model.config.n_positions)

    def pairs(self, asked: Sequence[tuple[str, str]]) -> tuple[list[list[int]], list[int]]:
        """(tokens of prompts with their completions, tokens of the completions alone); a prompt too long is read from its end.

        Raises Invalid for a completion that is empty, or leaves the prompt no place in the model's context.
        """
        found: list[list[int]] = []
        lengths: list[int] = []
        for prompt, answer in asked:
            given, added = self.pair(prompt, answer)
            if not added or len(added) >= self.context:
                raise Invalid(
                    f"the answer {answer[:60]!r} has {len(added)} tokens; the model's context takes 1 to {self.context - 1}."
                )
            found.append([*given, *added][-self.context :])
            lengths.append(min(len(added), len(found[-1]) - 1))
        return found, lengths

    def last_mlps(self, blocks: int) -> list[str]:
        """Patterns of the names of the MLPs' layers in the last blocks. Raises Invalid for a model that names no blocks."""
        from unseen.measures.influence import chosen

        named = [(found, name) for name in chosen(self.model) if (found := BLOCK.match(name)) and MLP.search(name)]
        if not named:
            raise Invalid(f"{type(self.model).__name__} names no MLPs in numbered blocks; give --layers PATTERN.")
        last = max(int(found[2]) for found, _ in named)
        return [name for found, name in named if int(found[2]) > last - blocks]


def opened(name: str, *, device: str, dtype: str) -> Opened:
    """A model by its name or pin. Raises Invalid for one that is not computed here, such as a server."""
    if name.partition("@")[0] == "tiny:decoder":
        from unseen.models.exporting import pretrained
        from unseen.models.tiny import Bytes

        def encoded(text: str) -> list[int]:
            return [b + 2 for b in text.encode()]

        made = pretrained(Bytes(device).model).to(device)
        return Opened(made, encoded, lambda prompt, answer: (encoded(prompt), encoded(answer)))
    local = models.local(name, device=device, dtype=dtype)
    return Opened(local.model, lambda text: list(local.encoded(text)), local.pair)
