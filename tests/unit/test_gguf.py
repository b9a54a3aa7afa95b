"""GGUF files: read as what they stand for, converted once, and only once however many begin together."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from unseen import models
from unseen.core.errors import Damaged, Failed, Invalid, Missing
from unseen.core.model import Generates, Scores
from unseen.models import gguf, tiny

writer = pytest.importorskip("gguf")
HEADS, PAIRS, LAYERS = 4, 2, 2


def permuted(weight: torch.Tensor, heads: int) -> np.ndarray:
    """Query and key weights as llama.cpp lays them: the two halves of every head's rotation interleaved."""
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width).numpy()


def written(path: Path, model: torch.nn.Module) -> Path:
    """A tiny llama as a GGUF file in float32, with the byte tokenizer, as llama.cpp's converter names things."""
    out = writer.GGUFWriter(str(path), "llama")
    out.add_context_length(4096)
    out.add_embedding_length(32)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(64)
    out.add_head_count(HEADS)
    out.add_head_count_kv(PAIRS)
    out.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    out.add_rope_dimension_count(8)
    out.add_rope_freq_base(10_000.0)
    out.add_vocab_size(257)
    tokens = ["Āā" if t == "ÿ" else t for t in tiny.byte_tokenizer().convert_ids_to_tokens(range(257))]
    out.add_tokenizer_model("gpt2")
    out.add_token_list(tokens)
    out.add_token_types([3] + [1] * 256)
    out.add_token_merges(["Ā ā"])  # the format has no empty list; these two bytes are in no text of ours
    out.add_eos_token_id(0)
    out.add_bos_token_id(0)
    names = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
             "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output"}  # fmt: skip
    held = {k: v.detach().float() for k, v in model.state_dict().items()}
    for ours, theirs in (("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output")):
        out.add_tensor(f"{theirs}.weight", held[f"{ours}.weight"].numpy())
    for i in range(LAYERS):
        for ours, theirs in names.items():
            out.add_tensor(f"blk.{i}.{theirs}.weight", held[f"model.layers.{i}.{ours}.weight"].numpy())
        for ours, theirs, heads in (("q_proj", "attn_q", HEADS), ("k_proj", "attn_k", PAIRS)):
            out.add_tensor(
                f"blk.{i}.{theirs}.weight", permuted(held[f"model.layers.{i}.self_attn.{ours}.weight"], heads)
            )
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("gguf") / "tiny.gguf", tiny.made("llama"))


def test_it_is_the_model_that_was_written(file: Path, home: Path) -> None:
    model = models.open(f"gguf:{file}")
    assert isinstance(model, Generates) and isinstance(model, Scores)
    ids = torch.tensor([[5, 80, 33, 200, 1]])
    with torch.inference_mode():
        np.testing.assert_allclose(model.inner.model(ids).logits, tiny.made("llama")(ids).logits, atol=1e-5)
    want = models.open("tiny:llama").logprobs(["2 + 2 =", "a"], [" 4", "bc"])
    np.testing.assert_allclose(model.logprobs(["2 + 2 =", "a"], [" 4", "bc"]), want, atol=1e-4)


def test_it_is_converted_once(file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = models.resolve(f"gguf:{file}")
    first = models.open(pin)
    [folder] = (home / "cache" / "models").glob("gguf-*/")
    assert folder.name == f"gguf-{pin[-16:]}" and (folder / "model.safetensors").is_file()
    assert "quantization_config" not in (folder / "config.json").read_text()

    def never(*_: object) -> None:
        raise AssertionError("converted twice")

    monkeypatch.setattr(gguf, "_convert", never)
    again = models.open(f"gguf:{file}", dtype="bfloat16")
    assert again.inner.model.dtype == torch.bfloat16 and first.inner.model.dtype == torch.float32


CONVERT = "import sys; from unseen import models; print(models.open(sys.argv[1]).logprobs(['a'], ['b'])[0])"


def test_processes_that_begin_together_convert_it_once(file: Path, home: Path) -> None:
    left = home / "cache" / "models" / f".gguf-{models.resolve(f'gguf:{file}')[-16:]}.1"
    left.mkdir(parents=True)  # of a process that was killed while it converted
    words = [sys.executable, "-c", CONVERT, f"gguf:{file}"]
    both = [subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = {p.communicate(timeout=200)[0] for p in both}
    assert len(told) == 1 and float(told.pop()) < 0
    assert [p.returncode for p in both] == [0, 0]
    folders = [p.name for p in (home / "cache" / "models").iterdir() if p.is_dir()]
    assert len(folders) == 1 and not left.exists()


def test_files_that_are_none_are_named(tmp_path: Path, file: Path, home: Path) -> None:
    (tmp_path / "text.gguf").write_text("no GGUF")
    with pytest.raises(Missing, match=r"is no GGUF file \(it does not begin with GGUF\)"):
        models.probe(f"gguf:{tmp_path / 'text.gguf'}")
    (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:3000])
    models.probe(f"gguf:{tmp_path / 'cut.gguf'}")
    with pytest.raises(Missing, match="transformers cannot read it"):
        models.open(f"gguf:{tmp_path / 'cut.gguf'}")
    assert not list((home / "cache" / "models").glob("*gguf-*/"))
    with pytest.raises(Invalid, match="--dtype int4"):
        models.open(f"gguf:{file}", dtype="int4")


def test_a_file_is_pinned_by_its_content(file: Path, tmp_path: Path, home: Path) -> None:
    mine = tmp_path / "mine.gguf"
    shutil.copy(file, mine)
    pin = models.resolve(f"gguf:{mine}")
    assert pin.removeprefix(f"gguf:{mine}") == models.resolve(f"gguf:{file}").removeprefix(f"gguf:{file}")
    with mine.open("ab") as more:
        more.write(b" ")
    with pytest.raises(Damaged, match="changed while it was in use"):
        models.open(pin)


def test_a_converted_folder_that_is_damaged_is_named(file: Path, home: Path) -> None:
    models.open(f"gguf:{file}")
    [folder] = (home / "cache" / "models").glob("gguf-*/")
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(Damaged, match=f"{folder.name}.*Remove the folder and run again"):
        models.open(f"gguf:{file}")
    shutil.rmtree(folder)
    models.open(f"gguf:{file}")


def test_a_place_that_cannot_be_written_is_named(file: Path, home: Path) -> None:
    (home / "cache").mkdir(parents=True)
    (home / "cache" / "models").write_text("")
    with pytest.raises(Failed, match=f"cannot be converted into {home}.*UNSEEN_HOME"):
        models.open(f"gguf:{file}")
