"""A task as a reward in a real run of TRL's GRPO: two steps of a tiny untrained GPT-2 on items that `unseen data` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")


def test_grpo_trains_on_items_and_their_reward(unseen: Any, tmp_path: Path) -> None:
    from datasets import load_from_disk
    from trl import GRPOConfig, GRPOTrainer  # type: ignore[attr-defined]

    import unseen as library
    from unseen.models import tiny

    name = "echo/words"
    unseen("data", name, "--n", "8", "--split", "train", "--to", "hf", "--out", tmp_path / "items")
    given: list[list[float]] = []
    give = library.reward(name)

    def watched(**told: Any) -> list[float]:
        given.append(give(**told))
        return given[-1]

    how = GRPOConfig(
        output_dir=str(tmp_path / "run"),
        max_steps=2,
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=8,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
    )
    trainer = GRPOTrainer(
        model=tiny.made("gpt2", "float32"),
        reward_funcs=watched,
        args=how,
        train_dataset=load_from_disk(str(tmp_path / "items"))["train"],
        processing_class=tiny.byte_tokenizer(),
    )
    assert trainer.train().global_step == 2
    assert len(given) == 2 and all(len(rewards) == 4 and set(rewards) <= {0.0, 1.0} for rewards in given)
