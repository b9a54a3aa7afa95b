"""The language models of only_if: mixtures, problems with tests, and a real tuning of a tiny checkpoint."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.studies.only_if import instructions, tool
from unseen.studies.only_if.arms import Tuned
from unseen.studies.only_if.checking import code_of, passes
from unseen.studies.only_if.instructions import Instruction, mixed, named
from unseen.studies.only_if.problems import STEPS, Problems, written
from unseen.studies.only_if.study import rehearse

CHECK = "def check(candidate):\n    assert candidate([1, 2]) == [2, 1]\n"


def test_code_passes_its_tests_or_does_not() -> None:
    assert passes("def solve(xs):\n    return xs[::-1]\n", CHECK, "solve")
    wrong = (
        "def solve(xs):\n    return xs\n",
        "def solve(xs):\n    return xs[::-1\n",  # does not parse
        "import os\nos._exit(0)\n",  # leaves early, as if all were well
        "def solve(xs):\n    raise SystemExit(0)\n",
        "def solve(xs):\n    return [0] * (1 << 33)\n",  # too much memory
        "def solve(xs):\n    return '\0'\n",
    )
    assert [passes(code, CHECK, "solve") for code in wrong] == [False] * len(wrong)


def test_code_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.studies.only_if import checking

    monkeypatch.setattr(checking, "LIMITS", "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\n")
    assert not passes("def solve(xs):\n    while True: pass\n", CHECK, "solve")


def test_the_function_in_an_answer_is_found() -> None:
    prompt, body = "def solve(xs):\n", "    return xs[::-1]\n"
    for answer in (
        body,
        prompt + body,
        f"```python\n{prompt}{body}```",
        f"Here it is.\n```\n{prompt}{body}```\nDone.",
        f"```py\n{prompt}{body}",
    ):
        assert passes(code_of(answer, prompt, "solve"), CHECK, "solve"), answer
    assert code_of(f"```python\n{body}```", prompt, "solve") == prompt + body


def test_every_problem_is_solved_by_its_own_body_and_by_no_other_step() -> None:
    task = Problems()
    for split in ("train", *(s.name for s in task.splits)):
        for e in task.draw(split, 6, np.random.default_rng(0)):
            assert task.score(e, e.truth) == {"passed": 1.0}
            assert task.score(e, "    return None\n") == {"passed": 0.0}
    made = written(400, (1, 2), np.random.default_rng(0))
    assert len({p.prompt for p in made}) == 400
    assert Counter(p.body.count("xs = ") for p in made).keys() == {1, 2}
    assert all(p.body.count("xs = ") == 3 for p in written(20, (3,), np.random.default_rng(0)))
    told = [p for p in made if p.prompt == 'def solve(xs):\n    """Add 3 to every number."""\n'] or written(
        1, (1,), np.random.default_rng(0)
    )
    assert len(STEPS) == 8 and told[0].test.count("assert") == 4
    with pytest.raises(Unknown, match="no split"):
        task.draw("four steps", 1, np.random.default_rng(0))


def test_a_file_in_humanevals_form_is_read(tmp_path: Path) -> None:
    row = {
        "prompt": "def solve(xs):\n",
        "canonical_solution": "    return xs[::-1]\n",
        "test": CHECK,
        "entry_point": "solve",
    }
    file = tmp_path / "problems.jsonl"
    file.write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    task = Problems(str(file))
    (one,) = task.draw("problems", 5, np.random.default_rng(0))
    assert task.score(one, one.truth)["passed"] == 1
    file.write_text(json.dumps({"prompt": "x"}) + "\n", encoding="utf-8")
    with pytest.raises(Invalid, match="row 1"):
        Problems(str(file)).draw("problems", 1, np.random.default_rng(0))
    file.write_text("{\n", encoding="utf-8")
    with pytest.raises(Invalid, match="line 1 is no JSON"):
        Problems(str(file)).draw("problems", 1, np.random.default_rng(0))
    with pytest.raises(Missing, match="there is no such file"):
        Problems(str(tmp_path / "none")).draw("problems", 1, np.random.default_rng(0))


def test_mixtures_keep_the_budget_and_the_share() -> None:
    code = [Instruction(f"c{i}", "x") for i in range(50)]
    general = [Instruction(f"g{i}", "x") for i in range(20)]
    for share, n in ((0.0, 0), (0.25, 10), (0.5, 20)):
        made = mixed(code, general, share=share, total=40, rng=np.random.default_rng(0))
        assert len(made) == len({m.asked for m in made}) == 40
        assert sum(m.asked[0] == "g" for m in made) == n
    few, many = (
        {m.asked for m in mixed(code, general, share=s, total=40, rng=np.random.default_rng(0))} for s in (0.1, 0.5)
    )
    assert {a for a in many if a[0] == "c"} <= few  # what is kept is kept of the same code
    with pytest.raises(Invalid, match="24 general instructions are asked for, there are 20"):
        mixed(code, general, share=0.6, total=40, rng=np.random.default_rng(0))
    with pytest.raises(Invalid, match="from 0 to 1"):
        mixed(code, general, share=1.5, total=4, rng=np.random.default_rng(0))


def test_instructions_in_every_form(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        {"instruction": "Say hi.", "input": "", "output": "hi"},
        {"problem": "Sort.", "solution": "sorted(xs)", "lang": "python"},
        {"prompt": "p", "response": "r"},
        {"prompt": "p", "completion": "c"},
    ]
    file = tmp_path / "some.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = named("code", str(file), 0, np.random.default_rng(0))
    assert [(i.asked, i.answer) for i in found] == [
        ("Add.\n\n1 2", "3"), ("Say hi.", "hi"), ("Sort.", "sorted(xs)"), ("p", "r"), ("p", "c"),
    ]  # fmt: skip
    file.write_text(json.dumps({"text": "x"}), encoding="utf-8")
    with pytest.raises(Invalid, match="the fields text are no instruction"):
        named("code", str(file), 0, np.random.default_rng(0))
    with pytest.raises(Missing, match="general="):
        named("general", str(tmp_path / "none"), 0, np.random.default_rng(0))


def test_the_twins_answers_are_right() -> None:
    for one in instructions.general_twin(200, np.random.default_rng(0)):
        words = one.asked.rstrip(".?").split()
        if one.asked.startswith("Replace"):
            assert one.answer == words[5].replace(words[3], words[7], 1)
        elif one.asked.startswith("Spell"):
            assert one.answer == words[1][::-1]
        elif one.asked.startswith("What"):
            assert one.answer == f"{int(words[2]) + int(words[4])}."
        else:
            listed = one.asked.rstrip(".").split(": ")[1].split(", ")
            assert one.answer.split(", ") == sorted(listed)
    code = instructions.code_twin(20, np.random.default_rng(0))
    assert all(c.asked.startswith("Complete") and "return xs" in c.answer for c in code)


def test_loss_is_on_the_answer_and_its_end_alone() -> None:
    from unseen.methods.trainer import IGNORED, collated
    from unseen.models.tiny import byte_tokenizer
    from unseen.studies.only_if.tuned import encoded

    tokenizer = byte_tokenizer()
    one, two = (encoded(Instruction("Say hi.", said), tokenizer, 400) for said in ("hi", "hello"))
    kept = [t for t, label in zip(one["input_ids"], one["labels"], strict=True) if label != IGNORED]
    assert tokenizer.decode(kept) == "hi</s>"
    assert tokenizer.decode(one["input_ids"]).startswith("### Instruction:\nSay hi.\n\n### Response:\nhi")
    assert len(encoded(Instruction("x" * 500, "y"), tokenizer, 400)["input_ids"]) == 400
    batch = collated([one, two])
    assert batch["attention_mask"].sum(1).tolist() == [len(one["input_ids"]), len(two["input_ids"])]
    assert (batch["labels"][0, len(one["input_ids"]) :] == IGNORED).all()


def checkpoint(folder: Path) -> str:
    """A checkpoint of transformers with random weights over bytes, saved as any other."""
    from unseen.models import tiny

    tiny.made("qwen3").save_pretrained(folder)
    tiny.byte_tokenizer().save_pretrained(folder)
    return f"hf:{folder}"


def test_a_checkpoint_is_tuned_for_twenty_steps_and_tested(tmp_path: Path) -> None:
    """The paper tier's path on local instruction files; the adapter it leaves opens beside its checkpoint and has learned."""
    import torch

    from unseen.models import hub
    from unseen.studies.only_if import tuned

    files: dict[str, str] = {}
    for kind in ("code", "general"):
        held = named(kind, "twin", 40, np.random.default_rng(0))
        files[kind] = str(tmp_path / f"{kind}.jsonl")
        lines = [json.dumps({"instruction": i.asked, "output": i.answer}) for i in held]
        Path(files[kind]).write_text("\n".join(lines), encoding="utf-8")
    name = checkpoint(tmp_path / "base")
    setting = Tuned(
        name,
        0.25,
        **files,
        total=40,
        steps=24,
        batch=4,
        at_once=2,
        longest=300,
        rank=4,
        lr=1e-2,
        items=2,
        room=8,
        dtype="float32",
    )  # type: ignore[arg-type]
    lab = Lab.alone(seeds=(3,))
    rows = list(tuned.run(setting, lab))
    assert [(r.measure, r.split.name if r.split else "") for r in rows] == [
        ("passed_untuned", "one or two steps"), ("passed_untuned", "three steps"), ("tuning_loss", ""),
        ("passed", "one or two steps"), ("passed", "three steps"),
    ]  # fmt: skip
    assert all(r.seed == 3 for r in rows) and rows[-1].step == 24
    loss = next(r.value for r in rows if r.measure == "tuning_loss")
    assert loss < np.log(257) - 0.05  # nats: below that of knowing nothing
    one = named("code", "twin", 1, np.random.default_rng(0))[0]
    scores = {}
    for model in (name, f"{name}+{lab.folder / 'adapter-3'}"):
        local = hub.open(model.removeprefix("hf:"), device="cpu", dtype="float32", batch_size="auto")
        with torch.inference_mode():
            scores[model] = float(local.scores([one.asked + "\n"], [one.answer])[0])
    assert scores[f"{name}+{lab.folder / 'adapter-3'}"] > scores[name] + 5


def test_mistakes_of_settings_are_told() -> None:
    from unseen.studies.only_if import tuned

    small = rehearse(Tuned("hf:some/model", 0.2))
    assert isinstance(small, Tuned) and small.checkpoint == "tiny:llama" and small.steps >= 20
    with pytest.raises(Invalid, match="so it cannot be trained"):
        tuned.opened("replay:said.jsonl", "float32", Lab.alone())


def test_the_tool_mixes_counts_and_applies(tmp_path: Path) -> None:
    run = CliRunner().invoke
    out = tmp_path / "mixed.jsonl"
    done = run(tool.app, ["mix", "twin", "twin", "--share", "0.25", "--total", "40", "--out", str(out)])
    assert done.exit_code == 0 and "40 instructions, 10 of them" in done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 40 and sum("def solve" in r["prompt"] for r in rows) == 30
    done = run(tool.app, ["variety", str(out), "--json"])
    told = json.loads(done.output)
    assert told["instructions"] == 40 and 2 < told["openings"] < 5.5
    assert "as varied as" in run(tool.app, ["variety", "twin"]).output
    assert run(tool.app, ["apply", "a b -> c d : e a b f"]).output == "e c d f\n"
    even = [Instruction(f"{w} it {i}", "x") for i in range(3) for w in ("do", "make", "say", "tell")]
    assert tool.variety(even)["openings"] == pytest.approx(4)
