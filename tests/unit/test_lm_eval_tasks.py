"""Our tasks inside lm-evaluation-harness: written, loaded and run by it, scored item by item as we score them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import unseen as library
from unseen import items
from unseen.core.errors import Unknown
from unseen.rewards import scorer

STUDIES = ("length_generalization/addition+hints", "omega/gcd", "derivational_morphology", "multimodal_reasoning/optree", "skills_in_context/last_letter", "skills_in_context/episodes", "childplay/lego_validity", "grokked_transformers/comparison")  # fmt: skip


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def run(folder: Path, tasks: list[str], lm: Any) -> dict[str, Any]:
    """The harness's results and samples of tasks of a folder."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(folder), include_defaults=False)
    told = lm_eval.simple_evaluate(model=lm, tasks=tasks, task_manager=manager, bootstrap_iters=0, log_samples=True)
    assert told is not None
    return dict(told)


def saying(answer: Any) -> Any:
    """A model of the harness that answers a prompt with `answer(prompt)`."""
    from lm_eval.api.model import LM

    class Saying(LM):
        def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
            return [answer(request.args[0]) for request in requests]

        def loglikelihood(self, requests: Any) -> Any:
            raise AssertionError

        loglikelihood_rolling = loglikelihood

    return Saying()


def test_what_is_written(unseen: Any, tmp_path: Path) -> None:
    said = unseen("export", "echo", "--to", "lm-eval-tasks", "--n", 5, "--out", tmp_path / "out")
    assert said.code == 0 and f"lm_eval run --include_path {tmp_path / 'out'} --tasks unseen_echo" in said.out
    names = {p.name for p in (tmp_path / "out").iterdir()}
    stems = {f"unseen_echo_words_{n}_letters" for n in (3, 5, 7)}
    assert names == {"unseen_echo.py", *(f"{s}.{e}" for s in stems for e in ("yaml", "jsonl"))}
    yaml = (tmp_path / "out" / "unseen_echo_words_7_letters.yaml").read_text()
    assert '"max_gen_toks": 23' in yaml and '"shifted": true' in yaml and 'tag: ["unseen_echo"]' in yaml
    rows = rows_of(tmp_path / "out" / "unseen_echo_words_7_letters.jsonl")
    drawn = items.draw("echo", n=5, splits=["7 letters"])
    assert [(r["id"], r["prompt"], r["truth"]) for r in rows] == [(d.example.id, d.example.prompt, d.example.truth) for d in drawn]  # fmt: skip
    score = scorer("echo/words")
    assert [score(r["id"], r["receipt"], r["truth"][0])["first"] for r in rows] == [1.0] * 5
    said = unseen("export", "echo/wrds", "--to", "lm-eval-tasks", "--out", tmp_path / "none")
    assert said.code == 2 and "nearest is words" in said.err


def test_settings_that_ask_differently_have_names_of_their_own(unseen: Any, tmp_path: Path) -> None:
    words = ("--n", 2, "--set", "lengths=3:5,3:5:7", "--out", tmp_path)
    assert unseen("export", "echo", "--to", "lm-eval-tasks", *words).code == 0
    names = [p.stem for p in tmp_path.glob("*.yaml")]
    assert len(names) == 5 and sum(n.startswith("unseen_echo_words_3_letters_") for n in names) == 2
    assert "unseen_echo_words_7_letters" in names, "one of a name keeps it plain"


def test_a_real_run_scores_as_we_do_whatever_is_said(unseen: Any, tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    unseen("export", "echo", "--to", "lm-eval-tasks", "--n", 12, "--out", tmp_path)

    def answer(prompt: str) -> str:
        word = prompt.removeprefix("Repeat: ").strip()
        return (word, word[:2], f" {word}\n", word[::-1], "\x1b[31m<b>")[ord(word[0]) % 5]

    told = run(tmp_path, ["unseen_echo"], saying(answer))
    assert len(told["samples"]) == 3
    for name, samples in told["samples"].items():
        rows = {r["id"]: r for r in rows_of(tmp_path / f"{name}.jsonl")}
        file = tmp_path / "answers.jsonl"
        file.write_text("".join(json.dumps({"id": s["doc"]["id"], "receipt": rows[s["doc"]["id"]]["receipt"], "answer": s["filtered_resps"][0]}) + "\n" for s in samples))  # fmt: skip
        ours, _ = items.score("echo", file)
        held = ours.records.items.where(measure="exact")
        exact = dict(zip(held.column("id"), held.value, strict=True))
        assert {s["doc"]["id"]: s["exact"] for s in samples} == exact and 0 < sum(exact.values()) < 12
        assert told["results"][name]["exact,none"] == pytest.approx(ours.records.mean("exact"))


def test_a_checkpoint_answers_there_as_here(unseen: Any, tmp_path: Path) -> None:
    """HFLM around the weights of tiny:gpt2: the harness asks our prompts as they are, and scores as we do."""
    pytest.importorskip("lm_eval")
    from lm_eval.models.huggingface import HFLM

    from unseen import models
    from unseen.models import tiny

    unseen("export", "echo", "--to", "lm-eval-tasks", "--n", 4, "--out", tmp_path)
    lm = HFLM(pretrained=tiny.made("gpt2", "float32"), tokenizer=tiny.byte_tokenizer(), batch_size=4)
    [samples] = run(tmp_path, ["unseen_echo_words_5_letters"], lm)["samples"].values()
    prompts = [s["doc"]["prompt"] for s in samples]
    assert [s["arguments"][0][0] for s in samples] == prompts
    answers = models.open("tiny:gpt2").generate(prompts, max_new_tokens=21)
    assert [s["resps"][0][0] for s in samples] == [a.text for a in answers]
    give = library.reward("echo")
    ids, receipts = ([s["doc"][k] for s in samples] for k in ("id", "receipt"))
    assert give(prompts, [a.text for a in answers], id=ids, receipt=receipts) == [s["exact"] for s in samples]


@pytest.mark.parametrize("name", STUDIES)
def test_tasks_of_real_studies_run_there(name: str, home: Path, tmp_path: Path) -> None:
    """Right answers score 1 there too, and every measure of a wrong one is ours."""
    pytest.importorskip("lm_eval")
    from unseen import lm_eval_tasks

    written = lm_eval_tasks.write(name, tmp_path, n=2, tier="smoke" if name == "derivational_morphology" else "laptop")
    tasks = [p.stem for p in written if p.suffix == ".yaml"][:3]
    rows = {r["prompt"]: r for t in tasks for r in rows_of(tmp_path / f"{t}.jsonl")}
    score = scorer(name)
    told = run(tmp_path, tasks, saying(lambda prompt: rows[prompt]["truth"]))
    for task in tasks:
        assert told["results"][task]["exact,none"] == 1.0, task
    told = run(tmp_path, tasks, saying(lambda prompt: rows[prompt]["familiar"] or "12 is my answer"))
    for sample in (s for each in told["samples"].values() for s in each):
        ours = score(sample["doc"]["id"], sample["doc"]["receipt"], sample["filtered_resps"][0])
        assert {m: sample[m] for m in ours} == dict(ours)


def test_a_task_that_is_not_there(home: Path, tmp_path: Path) -> None:
    from unseen import lm_eval_tasks

    with pytest.raises(Unknown, match="nearest"):
        lm_eval_tasks.write("omega/gdc", tmp_path, n=1)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.smollm2
@pytest.mark.skipif("UNSEEN_DATA" not in os.environ, reason="needs the released nonce adjectives: UNSEEN_DATA")
def test_smollm2_through_the_harness_and_compared(smollm2_home: Path, monkeypatch: Any, tmp_path: Path) -> None:
    """A real run of the harness on our tasks with real weights; two logs of it, compared."""
    pytest.importorskip("lm_eval")
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.models.huggingface import HFLM

    from unseen import lm_eval_tasks
    from unseen.models import smollm2

    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    lm_eval_tasks.write("derivational_morphology", tmp_path / "tasks", n=6)
    mine = smollm2.open("", device="cpu", dtype="float32", batch_size="auto")
    lm = HFLM(pretrained=mine.model, tokenizer=mine.tokenizer, batch_size=4)
    tasks = [p.stem for p in sorted((tmp_path / "tasks").glob("*.yaml"))][:2]
    for name, chat in (("plain", False), ("chat", True)):
        import lm_eval
        from lm_eval.tasks import TaskManager

        manager = TaskManager(include_path=str(tmp_path / "tasks"), include_defaults=False)
        told = dict(lm_eval.simple_evaluate(model=lm, tasks=tasks, task_manager=manager, apply_chat_template=chat) or {})  # fmt: skip
        samples = told.pop("samples")
        tracker = EvaluationTracker(output_path=str(tmp_path / name))
        tracker.general_config_tracker.model_name_sanitized = "smollm2"
        tracker.save_results_aggregated(results=told, samples=samples)
        for task, rows in samples.items():
            tracker.save_results_samples(task_name=task, samples=rows)
    compared = library.compare(str(tmp_path / "plain"), str(tmp_path / "chat"))
    assert {d.what.partition(":")[0] for d in compared.differences} == set(tasks)
    assert all(d.n == 6 and d.mcnemar is not None for d in compared.differences)
    assert any("prompts of 6 of 6 shared items are not the same" in note for note in compared.notes)
