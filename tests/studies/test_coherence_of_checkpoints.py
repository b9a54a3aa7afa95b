"""`unseen use generalization_mystery checkpoints`: on tiny Trainer runs, against coherence of the same models by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.measures.coherence import of_own_loss
from unseen.studies.generalization_mystery import columns, tool

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "one", "red", "dog", "run", "far"]


def tokenizer(folder: Path) -> Any:
    """A word-level tokenizer, saved and read again."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["<unk>", "<pad>", *WORDS])}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    made = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>")
    made.save_pretrained(str(folder))
    return made


def texts(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, int(rng.integers(3, 9)))) for _ in range(n)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a tiny Trainer run with three checkpoints, and a file of texts."""
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=15, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    words = tokenizer(folder / "words")
    ids = [words(t)["input_ids"][:3] for t in texts(16)]
    rows = [{"input_ids": i, "labels": i} for i in ids]
    args = TrainingArguments(
        str(folder), max_steps=6, per_device_train_batch_size=4, report_to=[], use_cpu=True, save_steps=2,
        disable_tqdm=True, logging_strategy="no", learning_rate=1e-2,
    )  # fmt: skip
    Trainer(model=model, args=args, train_dataset=rows, processing_class=words).train()
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts(12)))
    return folder, data


def test_every_checkpoint_is_measured_on_one_sample(trained: tuple[Path, Path]) -> None:
    from transformers import GPT2LMHeadModel

    folder, data = trained
    found = CliRunner().invoke(tool.app, ["checkpoints", str(folder), "--data", str(data), "--json", "--layers"])
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)
    assert [r["step"] for r in rows] == [2, 4, 6]
    words = tokenizer(folder / "again")
    for row in rows:
        model = GPT2LMHeadModel.from_pretrained(folder / f"checkpoint-{row['step']}").eval()
        sums, squares, losses = 0.0, 0.0, []
        for text in texts(12):  # each text alone, without padding
            ids = torch.tensor([words(text)["input_ids"]])
            model.zero_grad()
            loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            g = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).double()
            sums, squares = sums + g, squares + float(g @ g)
            losses.append(float(loss))
        assert row["m_coherence"] == pytest.approx(float(sums @ sums) / squares, rel=1e-3)  # type: ignore[operator]
        assert row["loss"] == pytest.approx(np.mean(losses), rel=1e-4)
        assert row["alpha"] == pytest.approx(row["m_coherence"] / 12) and row["m"] == 12
        assert "transformer.h.0.mlp.c_fc" in row["layers"]


def test_it_prints_a_table_and_writes_files(trained: tuple[Path, Path], tmp_path: Path) -> None:
    import polars as pl

    folder, data = trained
    base = ["checkpoints", str(folder), "--data", str(data), "--limit", "5", "--chunk", "2"]
    said = CliRunner().invoke(tool.app, [*base, "--output-path", str(tmp_path / "a/found.csv")])
    assert said.exit_code == 0 and "of 5 examples" in said.stdout and len(said.stdout.splitlines()) == 4
    assert pl.read_csv(tmp_path / "a/found.csv")["step"].to_list() == [2, 4, 6]
    for name in ("found.parquet", "found.json"):
        assert CliRunner().invoke(tool.app, [*base, "--layers", "--output-path", str(tmp_path / name)]).exit_code == 0
    assert pl.read_parquet(tmp_path / "found.parquet").width == 6 + len(json.loads((tmp_path / "found.json").read_text())[0]["layers"])  # fmt: skip
    wrong = CliRunner().invoke(tool.app, [*base, "--output-path", str(tmp_path / "found.xls")])
    assert isinstance(wrong.exception, Invalid)


def test_one_checkpoint_is_a_folder_too(trained: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = trained
    assert tool.checkpoints(folder / "checkpoint-4") == [(4, folder / "checkpoint-4")]
    with pytest.raises(Missing, match="no checkpoint"):
        tool.checkpoints(tmp_path)
    with pytest.raises(Missing, match="no folder"):
        tool.checkpoints(tmp_path / "none")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "architectures": ["MyOwnModel"]}')
    with pytest.raises(Unknown, match="MyOwnModel"):
        tool.loaded(tmp_path, "cpu")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
    with pytest.raises(Missing, match="cannot be loaded"):
        tool.loaded(tmp_path, "cpu")


def test_prompts_carry_no_loss(trained: tuple[Path, Path]) -> None:
    path = trained[0] / "checkpoint-2"
    rows = {"prompt": ["the cat", "one red dog run"], "answer": ["sat", "far"]}
    made = columns.batch(rows, None, path, max_length=16)
    assert made["attention_mask"].sum(1).tolist() == [3, 5]
    assert [(row != columns.IGNORED).sum().item() for row in made["labels"]] == [1, 1]
    assert made["labels"][0, 2] == made["input_ids"][0, 2] and made["labels"][1, 4] == made["input_ids"][1, 4]
    short = columns.batch(rows, None, path, max_length=3)
    assert short["attention_mask"].sum(1).tolist() == [3, 3]
    assert short["input_ids"][1, 2] == made["input_ids"][1, 4]  # the beginning of the prompt is left out
    with pytest.raises(Invalid, match="need"):
        columns.batch({"prompt": ["a"]}, None, path, max_length=8)
    with pytest.raises(Invalid, match="example 2 has no token"):
        columns.batch({"text": ["the cat", "the"]}, None, path, max_length=8)


def test_classifiers_and_pictures(tmp_path: Path) -> None:
    from transformers import (
        GPT2Config,
        GPT2ForSequenceClassification,
        ResNetConfig,
        ResNetForImageClassification,
    )  # fmt: skip

    torch.manual_seed(0)
    text = GPT2ForSequenceClassification(GPT2Config(vocab_size=15, n_positions=16, n_embd=16, n_layer=1, n_head=2, num_labels=3, pad_token_id=1))  # fmt: skip
    text.save_pretrained(tmp_path / "text/checkpoint-10")
    tokenizer(tmp_path / "text/checkpoint-10")
    rows = {"text": texts(6), "label": [0, 1, 2, 0, 1, 2]}
    (found,) = tool.along(tmp_path / "text", rows)
    batch = columns.batch(rows, text, tmp_path / "text/checkpoint-10", max_length=32)
    assert batch["labels"].tolist() == rows["label"]
    assert found["m_coherence"] == pytest.approx(of_own_loss(text, batch).m_coherence, rel=1e-4)

    seen = ResNetForImageClassification(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=4))  # fmt: skip
    seen.save_pretrained(tmp_path / "seen/checkpoint-3")
    rng = np.random.default_rng(0)
    arrays = {"pixel_values": rng.normal(size=(7, 3, 16, 16)).astype(np.float32), "labels": rng.integers(0, 4, 7)}
    np.savez(tmp_path / "pictures.npz", **arrays)
    read = columns.read(tmp_path / "pictures.npz", limit=5, seed=1)
    (found,) = tool.along(tmp_path / "seen", read)
    batch = {k: torch.from_numpy(v) for k, v in read.items()}
    assert found["m"] == 5
    assert found["m_coherence"] == pytest.approx(of_own_loss(seen, batch).m_coherence, rel=1e-4)


def test_an_adapter_is_measured_by_what_it_trains(trained: tuple[Path, Path], tmp_path: Path) -> None:
    import peft
    from transformers import GPT2LMHeadModel

    folder, data = trained
    base = GPT2LMHeadModel.from_pretrained(folder / "checkpoint-6")
    adapted = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["c_attn"], fan_in_fan_out=True, init_lora_weights=False))  # fmt: skip
    adapted.save_pretrained(str(tmp_path / "checkpoint-5"))
    tokenizer(tmp_path / "checkpoint-5")
    rows = columns.read(data, limit=6, seed=0)
    (found,) = tool.along(tmp_path, rows, layers=True)
    assert found["step"] == 5 and all("lora" in name for name in found["layers"])
    batch = columns.batch(rows, adapted, tmp_path / "checkpoint-5", max_length=32)
    assert found["m_coherence"] == pytest.approx(of_own_loss(adapted, batch).m_coherence, rel=1e-3)


def test_files_are_read_and_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nthe cat,1\na dog,0\nred,1\n")
    assert columns.read(tmp_path / "a.csv", limit=9, seed=0) == {
        "text": ["the cat", "a dog", "red"],
        "label": [1, 0, 1],
    }
    two = columns.read(tmp_path / "a.csv", limit=2, seed=0)
    assert len(two["text"]) == 2 and two == columns.read(tmp_path / "a.csv", limit=2, seed=0)
    (tmp_path / "b.json").write_text('[{"input_ids": [1, 2]}, {"input_ids": [3, 4, 5]}]')
    made = columns.batch(columns.read(tmp_path / "b.json", limit=9, seed=0), None, tmp_path, max_length=8)
    assert made["labels"].tolist() == [[1, 2, -100], [3, 4, 5]]
    for name, text, why in (
        ("c.txt", "x", "the ending '.txt'"),
        ("d.jsonl", '{"a": 1}\n{"b": 2}\n', "row 2 has other fields"),
        ("e.jsonl", "{", "cannot be read"),
        ("f.jsonl", "", "columns of no examples"),
        ("g.csv", "", "cannot be read"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(Invalid, match=why):
            columns.read(tmp_path / name, limit=9, seed=0)
    with pytest.raises(Missing, match="no file"):
        columns.read(tmp_path / "none", limit=9, seed=0)
    with pytest.raises(Invalid, match="needed are `text`"):
        columns.batch({"sound": [1.0]}, None, tmp_path, max_length=8)
    with pytest.raises(Invalid, match="'x' holds no numbers"):
        columns.batch({"x": [[1], [1, 2]], "labels": [0, 1]}, None, tmp_path, max_length=8)
