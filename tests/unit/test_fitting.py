"""`unseen fit`: a checkpoint tuned on rows of one's own, watched, saved, gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl")

import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from unseen import fitting, models
from unseen.cli import app
from unseen.core.errors import Failed, Invalid, Missing, Mistake
from unseen.core.lab import Lab
from unseen.measures.answered import Answered
from unseen.methods.tuning import Recipe, laid, tuned
from unseen.models import tiny
from unseen.tasks.owned import Pair

WORDS = ("red", "blue", "green", "black")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A checkpoint of random weights with a tokenizer of bytes."""
    place = tmp_path / "base"
    tiny.made("llama").save_pretrained(str(place))
    tiny.byte_tokenizer().save_pretrained(str(place))
    return place


def rows(path: Path, n: int, start: int = 0) -> Path:
    said = [{"prompt": f"{i}:", "completion": WORDS[i % 4]} for i in range(start, start + n)]
    path.write_text("".join(json.dumps(r) + "\n" for r in said))
    return path


def order(base: Path, tmp_path: Path, method: Any = "lora", **words: Any) -> fitting.Order:
    train, held = rows(tmp_path / "train.jsonl", 40), rows(tmp_path / "held.jsonl", 8, start=40)
    recipe = Recipe(method, steps=6, batch=4, lr=1e-2, rank=4)
    return fitting.ordered(recipe, f"hf:{base}", train, **{"shifted": held, "every": 2, "watched": 8, **words})


@pytest.mark.parametrize("method", ["lora", "full"])
def test_what_is_saved_is_what_was_looked_at(base: Path, tmp_path: Path, method: str) -> None:
    made = fitting.fit(order(base, tmp_path, method), tmp_path / "mine")
    assert [look.step for look in made.looks] == [0, 2, 4, 6] and made.rows == 36 and made.parting is not None
    assert made.name == (
        f"hf:{tmp_path / 'mine'}" if method == "full" else f"{models.resolve(f'hf:{base}')}+{tmp_path / 'mine'}"
    )
    opened = models.local(made.name, device="cpu", dtype="float32")
    held = [Pair("", f"{i}:", WORDS[i % 4]) for i in range(40, 48)]
    again = Answered(held, opened.tokenizer)
    assert again(opened.model)["surprise"] == pytest.approx(made.looks[-1].mean("shifted", "surprise"), abs=2e-3)
    before, after = (made.looks[k].mean("reference", "surprise") for k in (0, -1))
    assert after < before, "it learned something"
    assert not (tmp_path / "mine" / "training").exists()


def test_fields_of_unusual_names(base: Path, tmp_path: Path) -> None:
    asked = order(base, tmp_path)
    strange = tmp_path / "strange.jsonl"
    strange.write_text((tmp_path / "train.jsonl").read_text().replace("prompt", "ask").replace("completion", "tell"))
    with pytest.raises(Invalid, match="ask, tell"):
        fitting.ordered(asked.recipe, asked.model, strange)
    found = fitting.ordered(asked.recipe, asked.model, strange, fields=("ask", "tell"))
    assert len(fitting._rows(found)[0]) == 36 and fitting.steps_of(strange, 1, 10, ("ask", "tell")) == 4


def test_rows_held_out_are_not_trained_on(base: Path, tmp_path: Path) -> None:
    asked = order(base, tmp_path)
    twice = tmp_path / "twice.jsonl"
    twice.write_text((tmp_path / "train.jsonl").read_text() * 2)
    train, looked = fitting._rows(fitting.ordered(asked.recipe, asked.model, twice))
    assert not {r.prompt for r in train} & {r.prompt for r in looked["reference"]} and len(looked["reference"]) == 8
    assert len(train) >= 80 - 2 * 8


class Cut(Exception):
    """Stands for the end of the process."""


class Cutting:
    """A watcher that ends the training after its third step."""

    def begin(self, *_: Any) -> None: ...

    def tell(self, event: Any) -> None:
        if event.done >= 3:
            raise Cut


def test_an_interrupted_fit_goes_on(base: Path, tmp_path: Path) -> None:
    whole = fitting.fit(order(base, tmp_path), tmp_path / "whole")
    with pytest.raises(Cut):
        fitting.fit(order(base, tmp_path), tmp_path / "cut", watch=Cutting())
    made = fitting.fit(order(base, tmp_path), tmp_path / "cut")
    assert [k.step for k in made.looks] == [0, 2, 4, 6]
    for ours, theirs in zip(made.looks, whole.looks, strict=True):
        assert ours.mean("shifted", "surprise") == pytest.approx(theirs.mean("shifted", "surprise"), abs=1e-4)
    stamp = (tmp_path / "cut" / "adapter_model.safetensors").stat().st_mtime_ns
    assert fitting.fit(order(base, tmp_path), tmp_path / "cut").looks == made.looks
    assert (tmp_path / "cut" / "adapter_model.safetensors").stat().st_mtime_ns == stamp, "nothing was done twice"


def test_a_folder_of_another_fit_is_refused(base: Path, tmp_path: Path) -> None:
    asked = order(base, tmp_path)
    fitting.fit(asked, tmp_path / "mine")
    other = order(base, tmp_path, every=3)
    with pytest.raises(
        Invalid, match=r"holds another fit \(every 2 then, 3 now\); name another folder, or fit anew with"
    ):
        fitting.fit(other, tmp_path / "mine")
    assert [k.step for k in fitting.fit(other, tmp_path / "mine", fresh=True).looks] == [0, 3, 6]
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "notes.txt").write_text("mine")
    with pytest.raises(Invalid, match="holds other files and no fit"):
        fitting.fit(asked, tmp_path / "else")
    with pytest.raises(Invalid, match="is a file"):
        fitting.fit(asked, tmp_path / "else" / "notes.txt")


def test_mistakes_are_told_before_anything_is_loaded(base: Path, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no file"):
        fitting.ordered(Recipe("lora", 1), f"hf:{base}", tmp_path / "none.jsonl")
    with pytest.raises(Mistake, match="there is no folder"):
        fitting.ordered(Recipe("lora", 1), f"hf:{tmp_path / 'nobody'}", rows(tmp_path / "a.jsonl", 3))
    with pytest.raises(Invalid, match="its weights are random"):
        fitting.ordered(Recipe("lora", 1), "tiny:llama", rows(tmp_path / "a.jsonl", 3))
    with pytest.raises(Invalid, match="tuned by lora or full or resa"):
        Recipe("sft", 1)  # type: ignore[arg-type]
    for field in ("steps", "batch", "rank", "longest"):
        with pytest.raises(Invalid, match=f"{field}=0"):
            Recipe("lora", **{"steps": 1, field: 0})
    made = fitting.fit(order(base, tmp_path), tmp_path / "mine")
    with pytest.raises(Invalid, match="none can be named on top of it; merge it, or fit full"):
        fitting.ordered(Recipe("lora", 1), made.name, tmp_path / "train.jsonl")
    assert fitting.ordered(Recipe("full", 1), made.name, tmp_path / "train.jsonl").pin
    with pytest.raises(Invalid, match="asks one thing only"):
        fitting._rows(fitting.ordered(Recipe("lora", 1), f"hf:{base}", rows(tmp_path / "a.jsonl", 1)))


def test_rows_are_laid_out_as_trl_reads_them() -> None:
    pair = Pair("i", "is it warm", "weather")
    assert laid([pair], chat=False) == [{"prompt": "is it warm\n", "completion": "weather"}]
    turns = {"prompt": [{"role": "user", "content": "is it warm"}], "completion": [{"role": "assistant", "content": "weather"}]}  # fmt: skip
    assert laid([pair], chat=True) == [turns] and laid(
        [Pair("i", "is it warm", "weather", spoken=True)], chat=False
    ) == [turns]


def test_a_look_leaves_the_model_as_it_was() -> None:
    model, tokenizer = tiny.made("llama"), tiny.byte_tokenizer()
    model.train()
    look = Answered([Pair("i", "a", "b")], tokenizer)
    found = look(model)
    assert model.training and set(found) == {"exact", "surprise"} and look.each["surprise"].shape == (1,)
    assert all(np.isfinite(v) for v in found.values())
    with pytest.raises(Invalid, match="no rows to ask"):
        Answered([], tokenizer)


def test_the_command_writes_curves_and_says_what_to_do_next(base: Path, tmp_path: Path) -> None:
    train, held = rows(tmp_path / "train.jsonl", 40), rows(tmp_path / "held.jsonl", 8, start=40)
    words = ["fit", "lora", "--model", f"hf:{base}", "--train", str(train), "--shifted", str(held), "--steps", "2", "--batch", "4", "-o", str(tmp_path / "mine")]  # fmt: skip
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "step      2  reference" in told.output and f"next: unseen card hf:{base}" in told.output.replace("\n", "")
    page = (tmp_path / "mine" / "fit.html").read_text()
    assert "<svg" in page and "<script" not in page and "shifted, nats a token" in page
    told = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(told.stdout)["looks"][-1]["step"] == 2


@pytest.mark.parametrize("kind", ["qwen2", "llama"])
def test_resa_leaves_an_adapter_and_a_dictionary(kind: str, tmp_path: Path) -> None:
    """From outside: a local checkpoint of random weights, tuned through another one's activations."""
    pytest.importorskip("peft")
    import torch

    from unseen.measures import sae

    names = {"base": tmp_path / "base", "rl": tmp_path / "rl"}
    for path in names.values():
        model = tiny.made(kind)
        with torch.no_grad():
            model.model.layers[0].mlp.down_proj.weight.mul_(1.0 if path == names["base"] else 3.0)
        model.save_pretrained(str(path))
        tiny.byte_tokenizer().save_pretrained(str(path))
    train, held = rows(tmp_path / "train.jsonl", 40), rows(tmp_path / "held.jsonl", 8, start=40)
    words = ["fit", "resa", "--model", f"hf:{names['base']}", "--source", f"hf:{names['rl']}", "--train", str(train), "--shifted", str(held), "--steps", "4", "--batch", "4", "--lr", "1e-2", "--features", "48", "--k", "4", "-o", str(tmp_path / "mine")]  # fmt: skip
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    kept = sae.load(tmp_path / "mine" / "sae")
    assert (kept.width, kept.features, kept.k) == (32, 48, 4) and kept.report is not None and kept.report.fvu < 1
    cfg = json.loads((tmp_path / "mine" / "sae" / "cfg.json").read_text())
    assert cfg["metadata"]["hook_name"] == "model.layers.0" and cfg["metadata"]["model_name"] == f"hf:{names['rl']}"
    adapter = json.loads((tmp_path / "mine" / "adapter_config.json").read_text())
    assert adapter["layers_to_transform"] == [1], "the blocks after the first alone"
    name = json.loads((tmp_path / "mine" / "fit.json").read_text())["name"]
    opened = models.local(name, device="cpu", dtype="float32")
    assert not [n for n, _ in opened.model.named_parameters() if "lora" in n]
    with pytest.raises(Invalid, match="has an adapter, and none can be named on top"):
        fitting.ordered(Recipe("resa", 1), name, train, through=fitting.through(name, f"hf:{names['rl']}", 0, 8, 2))
    for asked, why in (
        ((None, 0, 0, 4), "name it with --source"),
        (("smollm2", 0, 0, 4), "reads activations inside a checkpoint"),
        ((f"hf:{names['rl']}", 2, 0, 4), "a layer from 1 to 1"),
        ((f"hf:{names['rl']}", 0, 8, 9), "1 or more are kept"),
    ):
        with pytest.raises(Invalid, match=why):
            fitting.through(f"hf:{names['base']}", *asked)
    with pytest.raises(Invalid, match="tuned through a dictionary"):
        tuned(None, None, [Pair("", "a", "b")], Recipe("resa", 1), Lab.alone())
    for method, through in (("resa", None), ("lora", fitting.Through("hf:x", "hf:x", 1, 8, 2))):
        with pytest.raises(Invalid, match="resa, and no other"):
            fitting.ordered(Recipe(method, 1), f"hf:{names['base']}", train, through=through)  # type: ignore[arg-type]
    wider = tiny.made("gpt2")
    wider.config.n_embd = 64
    wider.config.save_pretrained(str(tmp_path / "wide"))
    with pytest.raises(Invalid, match="is 64 wide"):
        fitting.through(f"hf:{names['base']}", f"hf:{tmp_path / 'wide'}", 0, 0, 4)


def test_an_interrupted_resa_learns_its_dictionary_once(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("peft")
    from unseen.measures import sae

    through = fitting.through(f"hf:{base}", f"hf:{base}", 1, 32, 4)
    whole = fitting.fit(order(base, tmp_path, "resa", through=through), tmp_path / "whole")
    with pytest.raises(Cut):
        fitting.fit(order(base, tmp_path, "resa", through=through), tmp_path / "cut", watch=Cutting())
    assert (tmp_path / "cut" / "sae" / sae.TOLD).is_file()
    monkeypatch.setattr(sae, "fit", lambda *_, **__: pytest.fail("it was learned already"))
    made = fitting.fit(order(base, tmp_path, "resa", through=through), tmp_path / "cut")
    assert [k.step for k in made.looks] == [0, 2, 4, 6]
    assert made.looks[-1].mean("shifted", "surprise") == pytest.approx(whole.looks[-1].mean("shifted", "surprise"), abs=1e-4)  # fmt: skip


# several ranks


class Heard:
    """A watch that keeps what it is told, and may kill a rank at a step."""

    def __init__(self, kill_at: float = float("inf")) -> None:
        self.kill_at, self.steps, self.losses = kill_at, list[int](), dict[int, float]()

    def begin(self, *_: Any) -> None: ...

    def tell(self, event: Any) -> None:
        self.steps.append(int(event.done))
        if "loss" in event.shown:
            self.losses[int(event.done)] = float(event.shown["loss"])
        if event.done >= self.kill_at:
            self.kill_at = float("inf")
            os.kill(ranks_of(os.getpid())[1], signal.SIGKILL)


def ranks_of(parent: int) -> list[int]:
    """The processes of ranks that a process started, by rank."""
    found: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_text().split("\0")
            if (
                int((place / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
                and "unseen.methods.rank" in words
            ):
                found[int(words[-2])] = int(place.name)
        except OSError:
            continue
    return [found[r] for r in sorted(found)]


def weights(folder: Path) -> dict[str, Any]:
    name = "adapter_model" if (folder / "adapter_model.safetensors").exists() else "model"
    return load_file(folder / f"{name}.safetensors")


def same(one: Path, other: Path, near: float) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype and torch.allclose(ours[name].float(), value.float(), atol=near), name


def long(base: Path, tmp_path: Path, method: Any, **words: Any) -> fitting.Order:
    """An order of twelve steps: 36 rows in parts of four, so that the last step of an epoch has half a batch."""
    asked = order(base, tmp_path, method)
    recipe = Recipe(**{**asdict(asked.recipe), "steps": 12, "batch": 8, "at_once": 4, **words})
    return replace(asked, recipe=recipe)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_ranks_find_what_one_process_finds(base: Path, tmp_path: Path, method: str) -> None:
    """The same losses, looks and weights to float32; that each holds a share of every weight is checked as it trains."""
    asked = long(base, tmp_path, method)
    one, two = Heard(), Heard()
    alone = fitting.fit(asked, tmp_path / "one", watch=one)  # type: ignore[arg-type]
    made = fitting.fit(asked, tmp_path / "two", processes=2, watch=two)  # type: ignore[arg-type]
    assert len(one.losses) == 12 and two.losses == pytest.approx(one.losses, abs=1e-5)
    assert [k.step for k in made.looks] == [k.step for k in alone.looks]
    for ours, theirs in zip(made.looks, alone.looks, strict=True):
        for side in ("reference", "shifted"):
            assert ours.each[side]["surprise"] == pytest.approx(theirs.each[side]["surprise"], abs=1e-4)
            assert ours.each[side]["exact"] == theirs.each[side]["exact"]
    same(tmp_path / "two", tmp_path / "one", 1e-5)
    assert {p.name for p in (tmp_path / "two").iterdir()} == {p.name for p in (tmp_path / "one").iterdir()}
    opened = models.local(made.name, device="cpu", dtype="float32")
    look = Answered([Pair("", f"{i}:", WORDS[i % 4]) for i in range(40, 48)], opened.tokenizer)
    assert look(opened.model)["surprise"] == pytest.approx(made.looks[-1].mean("shifted", "surprise"), abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "then"), [("full", 2), ("lora", 2), ("full", 1)])
def test_ranks_go_on_after_one_was_killed(base: Path, tmp_path: Path, method: str, then: int) -> None:
    """At most one interval of three steps is computed twice; checkpoints are whole, so that one process can go on, too."""
    asked = long(base, tmp_path, method)
    fitting.fit(asked, tmp_path / "whole")
    with pytest.raises(Failed, match="rank 1 of 2 was killed by signal 9"):
        fitting.fit(asked, tmp_path / "cut", processes=2, watch=Heard(kill_at=7))  # type: ignore[arg-type]
    kept = {p.suffix for p in (tmp_path / "cut" / "training").rglob("*") if p.is_file()}
    assert kept == {".safetensors", ".json"}
    heard = Heard()
    made = fitting.fit(asked, tmp_path / "cut", processes=then, watch=heard)  # type: ignore[arg-type]
    first = min(heard.losses)
    assert first > 7 - 3, "it went on from a checkpoint"
    assert [k.step for k in made.looks] == [0, 2, 4, 6, 8, 10, 12]
    same(tmp_path / "cut", tmp_path / "whole", 1e-5)


@pytest.mark.slow
def test_ranks_in_bfloat16(base: Path, tmp_path: Path) -> None:
    """An adapter of float32 on weights of bfloat16, and all weights of bfloat16."""
    for method in ("lora", "full"):
        asked = long(base, tmp_path, method, dtype="bfloat16")
        alone = fitting.fit(asked, tmp_path / f"{method}-one")
        made = fitting.fit(asked, tmp_path / f"{method}-two", processes=2)
        for side in ("reference", "shifted"):
            ours, theirs = (x.looks[-1].mean(side, "surprise") for x in (made, alone))
            assert ours == pytest.approx(theirs, abs=0.05) and theirs < alone.looks[0].mean(side, "surprise")
        same(tmp_path / f"{method}-two", tmp_path / f"{method}-one", 0.05)


@pytest.mark.slow
def test_more_ranks_than_rows(base: Path, tmp_path: Path) -> None:
    train, held = rows(tmp_path / "a.jsonl", 1), rows(tmp_path / "b.jsonl", 4, start=4)
    asked = fitting.ordered(Recipe("full", steps=3, batch=2, lr=1e-2), f"hf:{base}", train, reference=held)
    fitting.fit(asked, tmp_path / "one")
    fitting.fit(asked, tmp_path / "two", processes=2)
    same(tmp_path / "two", tmp_path / "one", 1e-5)


@pytest.mark.slow
def test_the_command_with_ranks_stops_and_goes_on(base: Path, tmp_path: Path) -> None:
    """SIGTERM ends command and ranks, and says how to go on; the same again ends with JSON and nothing else."""
    train = rows(tmp_path / "train.jsonl", 40)
    words = ["fit", "full", "--model", f"hf:{base}", "--train", str(train), "--steps", "80", "--batch", "4", "--num-processes", "2", "--device", "cpu", "--every", "40", "-o", str(tmp_path / "mine"), "--json"]  # fmt: skip
    command = [sys.executable, "-m", "unseen", *words]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    place, end = tmp_path / "mine" / "training" / "full-0", time.monotonic() + 120
    while not list(place.glob("checkpoint-*")):
        assert first.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    its = ranks_of(first.pid)
    first.terminate()
    out, err = first.communicate(timeout=60)
    assert first.returncode == 143 and out == "" and "Go on with: unseen fit full" in err, err
    assert len(its) == 2 and not any(Path(f"/proc/{pid}").exists() for pid in its)
    again = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["looks"][-1]["step"] == 80 and not place.exists()


def test_numbers_of_ranks_that_no_recipe_has_use_for(base: Path, tmp_path: Path) -> None:
    asked = order(base, tmp_path)
    with pytest.raises(
        Invalid, match=r"4 rows at once, 3 ranks: each takes as many rows .* make it 3, or another multiple of 3"
    ):
        fitting.fit(asked, tmp_path / "mine", processes=3)
    with pytest.raises(Invalid, match="--num-processes 0: at least one process trains"):
        fitting.fit(asked, tmp_path / "mine", processes=0)
    through = fitting.through(f"hf:{base}", f"hf:{base}", 1, 32, 4)
    with pytest.raises(Invalid, match="--num-processes 2: resa reads and replaces activations inside one process"):
        fitting.fit(order(base, tmp_path, "resa", through=through), tmp_path / "mine", processes=2)
    assert not (tmp_path / "mine").exists()
    for one in (asked, order(base, tmp_path, "resa", through=through, fields=("prompt", "completion"))):
        assert fitting.Order.of_json(json.loads(json.dumps(one.to_json()))) == one
