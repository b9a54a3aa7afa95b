"""Checkpoints of the hub and local folders: read as they are, pinned by what they hold, adapters as peft has them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch

from unseen import devices, models
from unseen.core.errors import Damaged, Invalid, Missing, Mistake, Unknown
from unseen.core.model import Generates, Scores
from unseen.models import hub, tiny

PROMPTS, ANSWERS = ["2 + 2 =", "a longer prompt than that, of several words", "b"], [" 4", " and so on", "cd"]
TURNS = [{"role": "user", "content": "hi"}]
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}<answer>{% endif %}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def saved(folder: Path, name: str = "llama", template: str | None = None) -> Path:
    """A checkpoint as `save_pretrained` writes it."""
    tokenizer = tiny.byte_tokenizer()
    tokenizer.chat_template = template
    tiny.made(name).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def adapted(base: Path, folder: Path, **words: Any) -> Path:
    """A LoRA adapter of a checkpoint whose update is not zero."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    given = {"r": 4, "target_modules": ["q_proj", "v_proj"], "init_lora_weights": False, "task_type": "CAUSAL_LM"}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(str(base)), LoraConfig(**{**given, **words}))
    model.save_pretrained(str(folder))
    return folder


def direct(model: Any, prompt: str, answer: str) -> float:
    """log p(answer | prompt) in nats by one plain forward pass of transformers."""
    ids = [b for text in (prompt, answer) for b in tiny.byte_tokenizer()(text)["input_ids"]]
    n = len(tiny.byte_tokenizer()(answer)["input_ids"])
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return float(sum(logits[len(ids) - n - 1 + i, ids[len(ids) - n + i]] for i in range(n)))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("made") / "base", template=TEMPLATE)


@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3"])
def test_a_folder_says_what_transformers_says(name: str, tmp_path: Path, home: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = saved(tmp_path / "with+plus@and#marks", name)
    model = models.open(f"hf:{folder}")
    assert isinstance(model, Generates) and isinstance(model, Scores)
    plain = AutoModelForCausalLM.from_pretrained(str(folder))
    want = [direct(plain, p, a) for p, a in zip(PROMPTS, ANSWERS, strict=True)]
    np.testing.assert_allclose(model.logprobs(PROMPTS, ANSWERS), want, atol=1e-4)
    for prompt, told in zip(PROMPTS, model.generate(PROMPTS, max_new_tokens=6), strict=True):
        ids = tiny.byte_tokenizer()(prompt, return_tensors="pt")
        out = plain.generate(**ids, max_new_tokens=6, do_sample=False)[0, ids["input_ids"].shape[1] :]
        assert told.text == tiny.byte_tokenizer().decode(out, skip_special_tokens=True)


def test_chat_turns_go_through_the_template(base: Path, tmp_path: Path, home: Path) -> None:
    chat, plain = models.open(f"hf:{base}"), models.open(f"hf:{saved(tmp_path / 'plain')}")
    as_text = chat.generate(["<user>hi<answer>"], max_new_tokens=6)
    assert chat.generate([TURNS], max_new_tokens=6) == as_text
    assert plain.generate([TURNS], max_new_tokens=6) == plain.generate(["hi"], max_new_tokens=6)
    scores = chat.logprobs([TURNS, "<user>hi<answer>"], ["yes", "yes"])
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


def test_dtypes_are_computed_in_and_kept_apart(base: Path, tmp_path: Path, home: Path) -> None:
    told = {d: models.open(f"hf:{base}", dtype=d) for d in ("float32", "bfloat16", "float64", "auto")}
    for name, model in told.items():
        want = torch.float32 if name == "auto" else getattr(torch, name)
        assert model.inner.model.dtype == want
    exact = told["float64"].logprobs(PROMPTS, ANSWERS)
    assert abs(told["float32"].logprobs(PROMPTS, ANSWERS) - exact).max() < 1e-4
    off = abs(told["bfloat16"].logprobs(PROMPTS, ANSWERS) - exact).max()
    assert 1e-5 < off < 0.5
    with pytest.raises(Invalid, match="--dtype float8: models compute in"):
        models.open(f"hf:{base}", dtype="float8")


def test_weights_in_eight_bits_say_nearly_the_same(base: Path, home: Path) -> None:
    pytest.importorskip("bitsandbytes")
    whole = models.open(f"hf:{base}").logprobs(PROMPTS, ANSWERS)
    rounded = models.open(f"hf:{base}", dtype="int8")
    assert rounded.inner.model.is_loaded_in_8bit
    told = rounded.logprobs(PROMPTS, ANSWERS)
    np.testing.assert_allclose(told, whole, rtol=0.05, atol=0.5)
    assert not np.allclose(told, whole, atol=1e-5), "weights were rounded"
    again = models.open(f"hf:{base}", dtype="int8", cache=home / "other").logprobs(PROMPTS, ANSWERS)
    np.testing.assert_array_equal(again, told)


def test_eight_bits_need_their_library(base: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "bitsandbytes" else find(name, *a)
    )
    with pytest.raises(Missing, match=r"needs bitsandbytes. Install it: pip install 'unseen\[quantized\]'"):
        models.open(f"hf:{base}", dtype="int8")
    with pytest.raises(Invalid, match="or auto, as the checkpoint was saved"):
        models.open("tiny:llama", dtype="int8")


def test_a_device_map_from_the_command_line(base: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, loaded = list[object](), hub.loaded
    monkeypatch.setattr(hub, "loaded", lambda *a, **words: told.append(words["device_map"]) or loaded(*a, **words))
    devices.choose(device_map="auto")
    assert models.open(f"hf:{base}").logprobs(PROMPTS, ANSWERS).shape == (len(PROMPTS),) and told == ["auto"]
    with pytest.raises(Invalid, match="--device-map mine: write auto, balanced"):
        devices.choose(device_map="mine")


def test_a_device_map_places_the_model(base: Path, home: Path) -> None:
    placed = models.open(f"hf:{base}", device_map="cpu")
    want = models.open(f"hf:{base}").logprobs(PROMPTS, ANSWERS)
    np.testing.assert_array_equal(placed.logprobs(PROMPTS, ANSWERS), want)
    with pytest.raises(Mistake):
        models.open(f"hf:{base}", device_map="nowhere")
    with pytest.raises(Invalid, match="--device cuda:7"):
        models.open(f"hf:{base}", device="cuda:7")


@pytest.mark.parametrize("how", ["plus", "option"])
def test_an_adapter_changes_the_model_as_peft_has_it(how: str, base: Path, tmp_path: Path, home: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = adapted(base, tmp_path / "adapter")
    ours = models.open(f"hf:{base}+{adapter}") if how == "plus" else models.open(f"hf:{base}", peft=str(adapter))
    plain = AutoModelForCausalLM.from_pretrained(str(base))
    without = models.open(f"hf:{base}").logprobs(PROMPTS, ANSWERS)
    theirs = PeftModel.from_pretrained(plain, str(adapter)).eval()
    want = np.array([direct(theirs, p, a) for p, a in zip(PROMPTS, ANSWERS, strict=True)])
    told = ours.logprobs(PROMPTS, ANSWERS)
    np.testing.assert_allclose(told, want, atol=1e-4)
    assert abs(told - without).max() > 1e-2
    ids = torch.tensor([tiny.byte_tokenizer()("some text")["input_ids"]])
    with torch.inference_mode():
        np.testing.assert_allclose(ours.inner.model(ids).logits, theirs(ids).logits, atol=1e-5)


def test_an_adapters_own_tokenizer_and_template_are_used(base: Path, tmp_path: Path, home: Path) -> None:
    adapter = adapted(base, tmp_path / "adapter")
    tokenizer = tiny.byte_tokenizer()
    tokenizer.chat_template = "{{ messages[0]['content'] }}!"
    tokenizer.save_pretrained(str(adapter))
    model = models.open(f"hf:{base}+{adapter}")
    assert model.generate([TURNS], max_new_tokens=6) == model.generate(["hi!"], max_new_tokens=6)


def test_adapters_that_do_not_fit_are_named(base: Path, tmp_path: Path, home: Path) -> None:
    other = adapted(saved(tmp_path / "gpt2", "gpt2"), tmp_path / "alien", target_modules=["c_attn"])
    with pytest.raises(Missing, match=r"the adapter .*alien cannot be merged into"):
        models.open(f"hf:{base}+{other}")
    with pytest.raises(Missing, match=r"holds no adapter_config.json, so it is no PEFT adapter"):
        models.probe(f"hf:{base}+{base}")
    with pytest.raises(Missing, match="there is no folder"):
        models.probe(f"hf:{base}+/no/such/adapter")
    alone = adapted(base, tmp_path / "alone")
    with pytest.raises(Missing, match=f"name its base too: hf:{base}\\+{alone}"):
        models.probe(f"hf:{alone}")


def test_soft_prompts_are_refused(base: Path, tmp_path: Path, home: Path) -> None:
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    given = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    get_peft_model(AutoModelForCausalLM.from_pretrained(str(base)), given).save_pretrained(str(tmp_path / "soft"))
    with pytest.raises(Missing, match="of a kind that changes weights, such as LoRA"):
        models.open(f"hf:{base}+{tmp_path / 'soft'}")


def test_a_folder_is_pinned_by_what_it_holds(base: Path, tmp_path: Path, home: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    shutil.copytree(base, one)
    shutil.copytree(base, two)
    adapter = adapted(base, tmp_path / "adapter")
    pin = models.resolve(f"hf:{one}+{adapter}")
    assert pin == f"hf:{one}#{hub.folder_digest(one)}+{adapter}#{hub.folder_digest(adapter)}"
    assert models.resolve(pin) == pin
    models.probe(pin)
    assert hub.folder_digest(one) == hub.folder_digest(two)
    (two / "README.md").write_text("prose")
    assert hub.folder_digest(one) == hub.folder_digest(two)
    for name in ("chat_template.jinja", "config.json", "generation_config.json", "tokenizer.json", "model.safetensors"):
        held = (two / name).read_bytes()
        (two / name).write_bytes(held + b" ")
        assert hub.folder_digest(one) != hub.folder_digest(two), name
        (two / name).write_bytes(held)


def test_a_pinned_folder_that_changed_or_went_is_refused(base: Path, tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(base, folder)
    pin = models.resolve(f"hf:{folder}")
    before = models.open(pin).generate(["a"], max_new_tokens=4)
    saved(folder, "gpt2")
    for verb in (models.resolve, models.open):
        with pytest.raises(Damaged, match="it changed while it was in use"):
            verb(pin)
    assert models.open(f"hf:{folder}").generate(["a"], max_new_tokens=4) != before  # nothing mixed up in the cache
    shutil.rmtree(folder)
    with pytest.raises(Missing, match="there is no folder"):
        models.resolve(pin)


def test_broken_folders_are_named(base: Path, tmp_path: Path, home: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Missing, match=r"holds no config.json, so it is no checkpoint; `save_pretrained` writes one"):
        models.probe(f"hf:{tmp_path / 'empty'}")

    def broken(name: str, file: str, content: bytes | None) -> str:
        shutil.copytree(base, tmp_path / name)
        (tmp_path / name / file).unlink() if content is None else (tmp_path / name / file).write_bytes(content)
        return f"hf:{tmp_path / name}"

    for name in (
        broken("truncated", "model.safetensors", (base / "model.safetensors").read_bytes()[:5000]),
        broken("weightless", "model.safetensors", None),
        broken("unread", "config.json", b"{"),
        broken("strange", "config.json", b'{"model_type": "nonesuch"}'),
        broken("wordless", "tokenizer.json", None),
    ):
        with pytest.raises(Missing) as caught:
            models.open(name)
        assert "transformers cannot load it" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_left_out_are_not_made_up(base: Path, tmp_path: Path, home: Path) -> None:
    """Transformers would fill them with random numbers, and we would judge those."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(base, tmp_path / "part")
    weights = load_file(str(base / "model.safetensors"))
    del weights["model.layers.1.self_attn.q_proj.weight"]
    save_file(weights, str(tmp_path / "part" / "model.safetensors"), {"format": "pt"})
    with pytest.raises(Missing, match=r"lacks 1 weights of LlamaForCausalLM, the first being model.layers.1"):
        models.open(f"hf:{tmp_path / 'part'}")


# names of the hub, against a cache as the hub's own client lays it out


@pytest.fixture
def cached(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds org/name at one commit, which main and v1 mean."""
    place = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(place))
    monkeypatch.setenv("HF_HUB_CACHE", str(place))
    repo = place / "models--org--name"
    (repo / "refs").mkdir(parents=True)
    for ref in ("main", "v1"):
        (repo / "refs" / ref).write_text(COMMIT)
    (repo / "blobs").mkdir()
    snapshot = repo / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for i, path in enumerate(sorted(base.iterdir())):
        shutil.copy(path, repo / "blobs" / f"blob{i}")
        (snapshot / path.name).symlink_to(f"../../blobs/blob{i}")
    return place


@pytest.fixture
def offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_OFFLINE", "1")


@pytest.mark.usefixtures("offline")
def test_offline_the_cache_is_read(cached: Path, base: Path, home: Path) -> None:
    for name in (
        "hf:org/name",
        "hf:org/name@main",
        "hf:org/name@v1",
        f"hf:org/name@{COMMIT}",
        f"hf:org/name@{COMMIT[:9]}",
    ):
        models.probe(name)
        assert models.resolve(name) == f"hf:org/name@{COMMIT}"
    told = models.open("hf:org/name@v1").logprobs(PROMPTS, ANSWERS)
    np.testing.assert_array_equal(told, models.open(f"hf:{base}").logprobs(PROMPTS, ANSWERS))


@pytest.mark.usefixtures("offline")
def test_offline_what_is_not_there_is_missing(cached: Path, home: Path) -> None:
    for name in ("hf:org/other", "hf:org/name@v2", "hf:org/name@ffffffff", "hf:org/name@01234", "hf:other"):
        for verb in (models.probe, models.open):
            with pytest.raises(Missing) as caught:
                verb(name)
            assert "nothing may be fetched (offline)" in str(caught.value) and str(cached) in str(caught.value)
    for path in (cached / "models--org--name" / "snapshots" / COMMIT).glob("*config.json"):
        path.unlink()
    with pytest.raises(Missing, match="is not in the cache"):
        models.probe("hf:org/name")


def test_an_adapter_of_the_hub_has_its_own_revision(
    cached: Path, base: Path, tmp_path: Path, home: Path, offline: None
) -> None:
    adapter = adapted(base, tmp_path / "adapter")
    repo = cached / "models--me--adapter"
    shutil.copytree(adapter, repo / "snapshots" / ("b" * 40))
    (repo / "refs").mkdir()
    (repo / "refs" / "v3").write_text("b" * 40)
    name = "hf:org/name+me/adapter@v3"
    pin = models.resolve(name)
    assert pin == f"hf:org/name@{COMMIT}+me/adapter@{'b' * 40}"
    assert models.resolve(pin) == pin
    told = models.open(pin).logprobs(PROMPTS, ANSWERS)
    np.testing.assert_allclose(told, models.open(f"hf:{base}+{adapter}").logprobs(PROMPTS, ANSWERS), atol=1e-6)


def hub_says(monkeypatch: pytest.MonkeyPatch, said: Any) -> list[tuple[str, str | None]]:
    """Let the hub's client say or raise something; returns what it is asked."""
    asked: list[tuple[str, str | None]] = []

    def model_info(self: Any, name: str, *, revision: str | None = None, timeout: float | None = None) -> Any:
        asked.append((name, revision))
        assert timeout == 5
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return asked


def test_online_the_hub_is_asked_once_and_a_pin_never(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.hf_api import ModelInfo

    asked = hub_says(monkeypatch, ModelInfo(id="org/name", sha="c" * 40))
    assert models.resolve("hf:org/name@v2") == f"hf:org/name@{'c' * 40}"
    assert asked == [("org/name", "v2")]
    assert models.resolve(f"hf:org/name@{'c' * 40}") == f"hf:org/name@{'c' * 40}"
    assert len(asked) == 1
    models.probe(f"hf:org/name@{'c' * 40}")  # a commit that someone typed is looked up
    assert asked[1:] == [("org/name", "c" * 40)]


def test_online_what_the_hub_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2 as httpx
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    reply = httpx.Response(404, request=httpx.Request("GET", "https://huggingface.co/api/models/org/none"))
    hub_says(monkeypatch, RepositoryNotFoundError("404", response=reply))
    with pytest.raises(Unknown, match=r"the hub has no such model, or it is private or gated \(set HF_TOKEN\)"):
        models.probe("hf:org/none")
    hub_says(monkeypatch, RevisionNotFoundError("404", response=reply))
    with pytest.raises(Unknown, match="no such model at revision v9"):
        models.resolve("hf:org/none@v9")


def test_without_a_network_the_cache_is_read_or_said_to_lack_it(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_says(monkeypatch, ConnectionError("Name or service not known"))
    assert models.resolve("hf:org/name") == f"hf:org/name@{COMMIT}"
    with pytest.raises(Missing, match=r"the hub does not answer \(ConnectionError\), and it is not in the cache"):
        models.probe("hf:org/other")


def test_a_snapshot_is_whole_or_fetched_again(cached: Path, home: Path, offline: None) -> None:
    """A download that was cut off lacks files; what is whole is read without asking anyone."""
    snapshot = cached / "models--org--name" / "snapshots" / COMMIT
    assert hub._whole(snapshot)
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    assert not hub._whole(snapshot)
    (snapshot / "model-2.safetensors").write_text("")
    assert hub._whole(snapshot)
    for path in [*snapshot.glob("tokenizer*")]:
        path.unlink()
    assert not hub._whole(snapshot)
    with pytest.raises(Missing, match="cannot load it"):
        models.open("hf:org/name")


def test_names_are_taken_apart(base: Path, tmp_path: Path) -> None:
    assert hub.parts("a/b") == (hub.Part("a/b"), None)
    assert hub.parts("a/b@r+c/d@s") == (hub.Part("a/b", "r"), hub.Part("c/d", "s"))
    strange = tmp_path / "x+y"
    shutil.copytree(base, strange)
    assert hub.parts(f"{strange}+a/b") == (hub.Part(str(strange)), hub.Part("a/b"))
    assert hub.parts(f"{strange}#{'0' * 16}") == (hub.Part(str(strange), None, "0" * 16), None)
    assert json.loads((strange / "config.json").read_text())["model_type"] == "llama"
