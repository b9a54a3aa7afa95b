"""A model's name: what it stands for, what it pins to, and what is said of a bad one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unseen import models
from unseen.core.errors import Damaged, Invalid, Missing, Mistake, Unknown
from unseen.core.lab import Lab
from unseen.core.model import Generates, Scores
from unseen.models import names


def paragraph(error: BaseException) -> str:
    """The error's text, which is one paragraph."""
    text = str(error)
    assert text and "\n" not in text
    return text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "no kind of model is named so"),
        ("gpt2", "no kind of model"),
        ("hg:gpt2", "the nearest is"),
        ("hf:", "no kind of model"),
        ("hf", "no kind of model"),
        ("smollm3", "the nearest is smollm2"),
        ("hf:/no/such/folder", "there is no folder"),
        ("hf:../nowhere+x", "there is no folder"),
        ("hf:a b c", "no name of the hub"),
        ("gguf:/no/such.gguf", "there is no such file"),
        ("replay:/no/such.jsonl", "there is no such file"),
        ("api:name", "write api:NAME@BASE_URL"),
        ("api:name@localhost:8000", "write api:NAME@BASE_URL"),
        ("api:@http://localhost", "write api:NAME@BASE_URL"),
        ("api:name@http://me:secret@localhost/v1", "put the key in OPENAI_API_KEY"),
        ("py:json", "write py:module:function"),
        ("py:no_such_module_at_all:f", "cannot be imported"),
        ("py:json:nothing", "has no function"),
        ("tiny:lama", "the nearest are llama"),
        ("tiny:llama@7", "this is version"),
    ],
)
def test_a_bad_name_is_one_paragraph_and_a_mistake(name: str, told: str, home: Path) -> None:
    for verb in (models.probe, models.resolve, models.open):
        with pytest.raises(Mistake) as caught:
            verb(name)
        assert told in paragraph(caught.value)


def test_a_folder_without_its_kind_is_told_how_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match=f"is hf:{tmp_path}"):
        models.probe(str(tmp_path))


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(Invalid) as caught:
        models.resolve("api:name@http://me:topsecret@localhost/v1")
    assert "topsecret" not in str(caught.value)


def test_pins_resolve_to_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_pins.py").write_text("def f(prompts, **words): return ['x' for _ in prompts]\n")
    (tmp_path / "said.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    (tmp_path / "x.gguf").write_bytes(b"GGUFxxxx")
    for name in (
        "py:mine_pins:f",
        "replay:said.jsonl",
        "gguf:x.gguf",
        "tiny:gpt2",
        "api:a/b@c@http://localhost:1/v1/",
        f"hf:org/name@{'a1' * 20}",
    ):
        pin = models.resolve(name)
        assert models.resolve(pin) == pin
    assert models.resolve("api:m@http://localhost:1/v1/") == "api:m@http://localhost:1/v1"
    assert models.resolve("tiny:gpt2") == "tiny:gpt2@1"
    assert models.resolve("replay:said.jsonl").startswith("replay:said.jsonl#")


def test_a_pin_whose_contents_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "said.jsonl"
    path.write_text('{"prompt": "a", "answer": "b"}\n')
    pin = models.resolve("replay:said.jsonl")
    lab = Lab.alone(pins={"replay:said.jsonl": pin})
    opened = models.open(lab.pinned("replay:said.jsonl"))
    assert opened.generate(["a"], max_new_tokens=3)[0].text == "b"
    path.write_text('{"prompt": "a", "answer": "c"}\n')
    for verb in (models.resolve, models.open):
        with pytest.raises(Damaged) as caught:
            verb(pin)
        assert "changed while it was in use" in paragraph(caught.value)
    assert models.open("replay:said.jsonl").generate(["a"], max_new_tokens=3)[0].text == "c"


def test_options_belong_to_kinds(home: Path) -> None:
    with pytest.raises(Invalid, match="concurrency=2 is no option of tiny:gpt2; it has none"):
        models.open("tiny:gpt2", concurrency=2)
    with pytest.raises(Invalid, match="its options are chat, concurrency"):
        models.open("api:m@http://localhost:1/v1", peft="x")
    for size in ("many", 0, "-1"):
        with pytest.raises(Invalid, match="--batch-size"):
            models.open("tiny:gpt2", batch_size=size or "0")
    with pytest.raises(Invalid, match="--dtype int8"):
        models.open("tiny:gpt2", dtype="int8")
    with pytest.raises(Invalid, match="--device nowhere"):
        models.open("tiny:gpt2", device="nowhere")


def test_what_only_generates_does_not_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_kinds.py").write_text(
        "def f(prompts, **words): return ['x' for _ in prompts]\n"
        "def g(prompts, **words): return ['x' for _ in prompts]\n"
        "g.logprobs = lambda prompts, answers: [-1.0 for _ in prompts]\n"
    )
    (tmp_path / "said.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    (tmp_path / "scored.jsonl").write_text('{"prompt": "a", "answer": "b", "logprob": -2}\n')
    scoring = {
        "py:mine_kinds:f": False,
        "py:mine_kinds:g": True,
        "replay:said.jsonl": False,
        "replay:scored.jsonl": True,
        "tiny:decoder": True,
        "tiny:llama": True,
        "api:m@http://localhost:1/v1": True,
    }
    for name, scores in scoring.items():
        opened = models.open(name)
        assert isinstance(opened, Generates), name
        assert isinstance(opened, Scores) is scores, name


def test_a_missing_extra_says_how_to_install_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    for verb in (models.probe, models.open):
        with pytest.raises(Missing, match=r"needs openai.*pip install 'unseen\[server\]'"):
            verb("api:m@http://localhost:1/v1")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(Missing, match=r"needs transformers.*pip install 'unseen\[hub\]'"):
        models.open("tiny:llama")


def test_resolving_and_probing_import_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "said.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    code = (
        "import sys, json\nfrom unseen import models\n"
        "for n in ('replay:said.jsonl', 'tiny:decoder', 'api:m@http://localhost:1/v1'): models.resolve(n)\n"
        "models.probe('replay:said.jsonl'); models.probe('tiny:decoder')\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'polars', 'scipy', 'openai') if m in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(told.stdout) == []


def test_forgetting_makes_a_model_be_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_counts.py").write_text(
        "asked = []\ndef f(prompts, **words):\n    asked.extend(prompts)\n    return [str(len(asked))] * len(prompts)\n"
    )
    name = "py:mine_counts:f"
    first = models.open(name).generate(["a"], max_new_tokens=2)[0].text
    assert models.open(name).generate(["a"], max_new_tokens=2)[0].text == first
    models.forget(name)
    assert models.open(name).generate(["a"], max_new_tokens=2)[0].text != first


def test_every_kind_has_its_module() -> None:
    for kind in names.KINDS:
        _, module, _ = names._home(kind if kind == "smollm2" else f"{kind}:x")
        assert all(callable(getattr(module, verb)) for verb in ("probe", "resolve", "open"))
