"""The study of procedural knowledge: its world, what rankings say, claims on records made by hand, and its tool from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy.stats import pearsonr
from typer.testing import CliRunner

from unseen.core.claim import Verdict, judge_study
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Records, Row
from unseen.core.study import values_of
from unseen.measures import influence
from unseen.models import tiny
from unseen.studies.procedural_knowledge import corpus, learned, rankings, tasks, told, tool, traced
from unseen.studies.procedural_knowledge.arms import Learned, Traced
from unseen.studies.procedural_knowledge.opened import opened
from unseen.studies.procedural_knowledge.study import STUDY, settings
from unseen.studies.procedural_knowledge.tasks import FACTS, PROBLEMS

SMOKE = next(s for s in settings("smoke") if isinstance(s, Learned))
LAPTOP = next(s for s in settings("laptop") if isinstance(s, Learned))
SEEDS = (0, 1, 2, 3, 4)
World = Callable[[str], float]


@pytest.fixture(scope="module")
def world() -> tasks.Reading:
    return tasks.of(LAPTOP, Lab.alone(), 0)


def test_problems_that_are_asked_stand_in_no_document(world: tasks.Reading) -> None:
    told_problems = {" ".join(d.words[: d.words.index(":")]) for d in world.corpus.documents if d.kind == "worked"}
    asked = {" ".join(q.prompt[:-1]) for q in world.corpus.queries if q.type == "reasoning"}
    assert len(asked) == 3 * LAPTOP.reasoned and not asked & told_problems
    assert len(told_problems) == 3 * LAPTOP.worked


@pytest.mark.parametrize("p", [5, 7])
def test_steps_are_right_modulo_the_prime(p: int) -> None:
    assert [s[3] for s in corpus.steps("sum", (3, 5, 4), 7)] == [1, 4]
    assert [s[3] for s in corpus.steps("slope", (1, 2, 3, 6), 7)] == [4, 2, 2]
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b, c = (int(n) for n in rng.integers(1, p, 3))
        assert (a * corpus.steps("solve", (a, b, c), p)[-1][3] + b) % p == c % p


def test_facts_are_told_as_often_as_they_are_to_be(world: tasks.Reading) -> None:
    times = [sum(d.about == f"e{i}" for d in world.corpus.documents) for i in range(LAPTOP.facts)]
    assert times == [corpus.REPEATS[i % 4] for i in range(LAPTOP.facts)]
    for query in world.of("facts"):
        (fact,) = query.needs
        assert {fact} == set().union(*(d.states for d in world.corpus.documents if d.about == query.prompt[4]))


def test_worlds_differ_by_seed_and_shuffled_ones_state_other_results() -> None:
    lab = Lab.alone(seeds=(0, 1))
    one, again, other = (tasks.of(LAPTOP, lab, s).corpus for s in (0, 0, 1))
    assert one == again and one != other
    broken = tasks.of(replace(LAPTOP, arm="shuffled"), lab, 0).corpus
    right = set().union(*(d.states for d in one.documents if d.kind == "worked"))
    wrong = [s for d in broken.documents if d.kind == "worked" for s in d.states]
    assert np.mean([s in right for s in wrong]) < 0.4


def test_batches_leave_out_what_is_left_out(world: tasks.Reading) -> None:
    without = np.array([d.kind == "fact" for d in world.corpus.documents])
    fewer = tasks.reading(world.corpus, without)
    facts = {tuple(world.tokens(d.words)) for d in world.corpus.documents if d.kind == "fact"}
    rng, same = np.random.default_rng(0), np.random.default_rng(0)
    left, whole = fewer.batch("train", 400, rng), world.batch("train", 400, same)
    kept = [tuple(int(t) for t in row if t) for row in left.tokens]
    before = [tuple(int(t) for t in row if t) for row in whole.tokens]
    assert not facts & set(kept) and facts & set(before)
    assert all(a == b for a, b in zip(kept, before, strict=True) if b not in facts)
    with pytest.raises(Unknown, match="there are facts, problems"):
        world.batch("puzzles", 2, rng)


def test_correlations_are_scipys_and_the_gap_has_a_chance() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=200)
    scores = np.stack([*(common + 0.5 * rng.normal(size=200) for _ in range(6)), *rng.normal(size=(6, 200))])
    table = rankings.correlations(scores)
    assert table[0, 3] == pytest.approx(pearsonr(scores[0], scores[3]).statistic)
    types, about = ["reasoning"] * 6 + ["factual"] * 6, ["sum"] * 6 + ["facts"] * 6
    found = rankings.likeness(table, types, about)
    assert found["reasoning"] > 0.6 and abs(found["factual"]) < 0.1 and np.isnan(found["control"])
    assert rankings.chance_of_gap(table, types, about, rng) < 0.02
    assert rankings.chance_of_gap(rankings.correlations(rng.normal(size=(12, 200))), types, about, rng) > 0.02


def test_rankings_by_hand() -> None:
    scores = np.array([[4.0, 1.0, -2.0, 2.0], [0.0, 8.0, 8.0 / 2, 8.0 / 4]])
    assert rankings.top(scores, 2).tolist() == [[0, 3], [1, 2]]
    assert rankings.reliance(scores, np.array([2.0, 4.0]), 2).tolist() == [3.0, 3.0]
    assert rankings.share_of_top(scores, 1) == pytest.approx([4 / 7, 8 / 14])
    power = np.array([[n**-1.5 for n in range(1, 50)]])
    assert rankings.steepness(power) == pytest.approx([1.5]) and np.isnan(rankings.steepness(-power)).all()
    states = [frozenset({"a"}), frozenset({"b"}), frozenset[str](), frozenset({"a", "b"})]
    needs = [frozenset({"a", "b"}), frozenset({"b"})]
    assert rankings.found(rankings.top(scores, 2), needs, states).tolist() == [True, True]
    assert rankings.found(rankings.top(scores, 1), needs, states).tolist() == [False, True]
    over = rankings.shares(rankings.top(scores, 2), ["x", "y", "y", "y"])
    assert over["x"].tolist() == [2.0, 0.0] and over["y"] == pytest.approx([2 / 3, 4 / 3])


def test_words_shared_are_bm25(world: tasks.Reading) -> None:
    bm25s = pytest.importorskip("bm25s")
    small = tasks.of(SMOKE, Lab.alone(), 0)
    mine = told.overlap(small)
    model: Any = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    model.index(([small.tokens(d.words) for d in small.corpus.documents], {"": 0, **small.number}), show_progress=False)
    theirs = model.get_scores_from_ids(small.tokens((*small.corpus.queries[0].prompt, *small.corpus.queries[0].answer)))
    assert np.corrcoef(mine[0], theirs)[0, 1] > 0.999


def test_a_fact_that_was_learned_is_traced_to_the_documents_that_tell_it() -> None:
    """Facts alone, memorised: the best documents of a question are those of its fact."""
    setting = replace(SMOKE, worked=1, rules=0, said=0, noise=0, facts=8, steps=150, width=32, factual=8, left_out=0)
    lab = Lab.alone()
    one = tasks.of(setting, lab, 0)
    models = learned.trained(setting, [one], lab, "fit")
    scores, nats = learned.traced(models, one, lab, methods=("influence",))
    asked = [i for i, q in enumerate(one.corpus.queries) if q.type == "factual"]
    best = [one.corpus.documents[int(d)] for d in rankings.top(scores["influence"][asked], 1)[:, 0]]
    right = [one.corpus.queries[i].needs <= d.states for i, d in zip(asked, best, strict=True)]
    assert nats[asked].mean() < 1.5 and np.mean(right) >= 0.75


def as_the_paper_says(what: str) -> float:
    """A value in a world where every claim of the paper holds."""
    return {
        "exact": 0.98, "exact untrained": 0.02, "exact shuffled": 0.05, "likeness reasoning": 0.7, "likeness factual": 0.05,
        "likeness reasoning and its control": 0.2, "likeness other kinds": 0.2, "likeness words": 0.6, "likeness elsewhere": 0.05, "chance": 0.001,
        "shuffled": 0.0, "reliance factual": 2.0, "reliance reasoning": 0.5, "spread factual": 3.0, "spread reasoning": 0.5,
        "steepness factual": 0.4, "steepness reasoning": 0.8, "found factual": 0.95, "found reasoning": 0.1, "there": 0.95,
        "rules": 4.0, "over mathematics": 4.0, "over forum": 1.9, "over encyclopedia": 5.0, "rise top": 1.5, "rise random": 0.1,
        "nats": 3.0,
    }[what]  # fmt: skip


def turned_around(what: str) -> float:
    """A world where the opposite holds, though all is learned."""
    told_here = {
        "likeness reasoning": 0.1, "likeness factual": 0.3, "likeness reasoning and its control": 0.4, "likeness words": -0.5, "likeness elsewhere": 0.9,
        "chance": 0.9, "shuffled": 0.4, "reliance factual": 0.2, "spread factual": -2.0, "steepness factual": 1.5,
        "found factual": 0.1, "rules": 0.3, "over mathematics": 0.5, "over forum": 0.7, "over encyclopedia": 0.5,
        "rise top": -0.5, "exact untrained": 0.9, "exact shuffled": 0.9,
    }  # fmt: skip
    return told_here.get(what, as_the_paper_says(what))


def hardly_trained(what: str) -> float:
    """A world where nothing is learned."""
    return 0.1 if what.startswith("exact") else 30.0 if what == "nats" else as_the_paper_says(what)


def records(world: World) -> Records:
    """Records of five seeds in a world at the paper's tier."""
    found: list[tuple[dict[str, Any], int, Row]] = []
    for number, setting in enumerate(settings("laptop")):
        rng = np.random.default_rng(number)
        head = {"setting": type(setting).__name__, **values_of(setting)}
        for seed in SEEDS:
            found += [(head, seed, row) for row in _rows(setting, world, rng, seed)]
    return Records.of(found)


def _rows(setting: Learned | Traced, world: World, rng: np.random.Generator, seed: int) -> list[Row]:
    def row(measure: str, what: str, split: Any = None, n: int = 1, **at: Any) -> Row:
        return Row(measure, world(what) + 0.01 * rng.normal(), split, n, at=at, seed=seed)

    if isinstance(setting, Traced):
        pairs = [row("likeness", f"likeness {p}", pair=p, method="influence") for p in ("reasoning", "factual")]
        return [*pairs, row("nats", "nats", type="factual")]
    arm = "" if setting.arm == "main" else f" {setting.arm}"
    made = [
        Row("exact", rng.binomial(400, world(f"exact{arm}")) / 400, split, 400, seed=seed, drawn=f"{seed}")
        for split in (FACTS, PROBLEMS)
    ]
    learned_here = setting.arm == "main"
    for method in ("influence", "gradients", "words") if learned_here else ("influence",):
        for pair in ("reasoning", "factual", "reasoning and its control", "other kinds"):
            what = "likeness words" if method == "words" and pair == "factual" else f"likeness {pair}"
            what = what if learned_here else "likeness elsewhere"
            made.append(row("likeness", what, pair=pair, method=method))
        made += [
            Row("likeness_chance", world("chance") * rng.uniform(0.9, 1.1), at={"method": method}, seed=seed),
            row("likeness_shuffled", "shuffled", method=method),
        ]
        made.append(row("rules_over", "rules", method=method))
        for name in ("factual", "reasoning"):
            at = {"type": name, "method": method}
            made += [row("reliance", f"reliance {name}", **at), row("reliance_spread", f"spread {name}", **at)]
            made += [row("steepness", f"steepness {name}", **at), row("answer_there", "there", n=1, **at)]
            made.append(Row("answer_found", rng.binomial(40, world(f"found {name}")) / 40, None, 40, at=at, seed=seed))
            made += [row("over", f"over {s}", source=s, **at) for s in ("mathematics", "forum", "encyclopedia")]
    if setting.left_out:
        made += [
            row("rise", f"rise {left}", type=name, left=left)
            for name in ("factual", "reasoning")
            for left in ("top", "random")
        ]
    return made


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Verdict]]:
    """Claim id -> verdict, in each world."""
    return {
        w.__name__: {v.claim.id: v for v in judge_study(STUDY, records(w), "laptop")}
        for w in (as_the_paper_says, turned_around, hardly_trained)
    }


def test_every_claim_can_be_supported_refuted_and_left_untested(judged: dict[str, dict[str, Verdict]]) -> None:
    assert {k: v.status for k, v in judged["as_the_paper_says"].items() if v.status != "supported"} == {}
    assert {k: v.status for k, v in judged["turned_around"].items() if v.status != "refuted"} == {}
    bare = {"K1", "K2", "K3"}
    assert {k for k, v in judged["hardly_trained"].items() if v.status == "untested"} == set(
        judged["hardly_trained"]
    ) - bare


def corpus_file(folder: Path) -> Path:
    path = folder / "documents.jsonl"
    texts = ["the cat sat on the mat", "two and two make four", "the sky is blue today", "three plus four is seven"]
    path.write_text("\n".join(json.dumps({"id": f"d{i}", "text": t}) for i, t in enumerate(texts)), encoding="utf-8")
    return path


def run_outside(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    """`unseen use procedural_knowledge …` in a process of its own."""
    said = [sys.executable, "-m", "unseen", "use", "procedural_knowledge", *map(str, words)]
    return subprocess.run(
        said, capture_output=True, text=True, env={**os.environ, "UNSEEN_HOME": str(home)}, timeout=600
    )


def test_trace_from_outside_with_a_decoder_of_ours(tmp_path: Path) -> None:
    documents, out = corpus_file(tmp_path), tmp_path / "out"
    asked = ("--query", "three plus <b> four is", "--answer", " seven", "--documents", documents, "--out", out)
    done = run_outside("trace", "tiny:decoder", *asked, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    frame = pl.read_parquet(out / "scores.parquet")
    assert frame.columns == ["query", "document", "score", "rank"] and sorted(frame["document"]) == [
        "d0",
        "d1",
        "d2",
        "d3",
    ]
    assert frame["score"].is_sorted(descending=True) and frame["rank"].to_list() == [1, 2, 3, 4]
    page = (out / "page.html").read_text(encoding="utf-8")
    assert "three plus &lt;b&gt; four is" in page and "the cat sat" in page
    assert "query 0" in done.stdout


def checkpoint(folder: Path) -> Path:
    tiny.made("llama").save_pretrained(str(folder))
    tiny.byte_tokenizer().save_pretrained(str(folder))
    return folder


def test_trace_of_a_checkpoint_is_what_the_library_says(tmp_path: Path) -> None:
    name = f"hf:{checkpoint(tmp_path / 'llama')}"
    texts, names = tool.read_documents(corpus_file(tmp_path))
    asked = tool.Asked((("two and two make", " four"), ("three plus four is", " seven")), texts, names)
    how = tool.How(layers=("*.mlp.*",), batch=3, folder=tmp_path / "fit")
    mine = tool.trace(name, asked, how)
    assert mine.shape == (2, 4) and (tmp_path / "fit" / "fit.json").is_file()
    assert np.array_equal(mine, tool.trace(name, asked, how))
    one = opened(name, device="cpu", dtype="float32")
    rows, lengths = one.pairs(asked.queries)
    documents = influence.batches([one.encoded(t) for t in texts], size=4)
    factors = influence.fit(one.model, influence.next_token, documents, layers="*.mlp.*")
    whole = influence.scores(factors, influence.batches(rows, answers=lengths), documents)
    # labels are drawn batch by batch, so that other batches draw others; the documents' order stays
    assert np.corrcoef(mine.ravel(), whole.ravel())[0, 1] > 0.8
    assert one.last_mlps(1) == [f"model.layers.1.mlp.{n}_proj" for n in ("gate", "up", "down")]


@pytest.mark.smollm2
def test_a_real_model_is_helped_most_by_the_document_that_says_the_same(tmp_path: Path) -> None:
    texts = ("The capital of Wexland is Marrow.", "Bees make honey in the summer.", "Rivers of the north freeze early.")
    asked = tool.Asked((("The capital of Wexland is", " Marrow."), ("Bees make", " honey.")), texts, ("a", "b", "c"))
    found = tool.trace("smollm2", asked, tool.How(blocks=1, rank=8))
    assert found.argmax(1).tolist() == [0, 1]


def test_bad_input_of_the_tool_is_told(tmp_path: Path) -> None:
    name = f"hf:{checkpoint(tmp_path / 'llama')}"
    texts, names = tool.read_documents(corpus_file(tmp_path))
    asked = tool.Asked((("two", " four"),), texts, names)
    with pytest.raises(Unknown, match=r"matches no linear layer; there are model.layers.0.self_attn.q_proj"):
        tool.trace(name, asked, tool.How(layers=("*.ffn.*",)))
    with pytest.raises(Invalid, match="5000 tokens; the model's context takes 1 to 4095"):
        tool.trace(name, replace(asked, queries=(("two", "x" * 5000),)))
    with pytest.raises(Invalid, match="document d9 has fewer than two tokens"):
        tool.trace(name, replace(asked, documents=(*texts, "a"), names=(*names, "d9")))
    with pytest.raises(Invalid, match="float32 or bfloat16"):
        tool.trace(name, asked, tool.How(dtype="float16"))
    with pytest.raises(Missing, match="no such file"):
        tool.read_documents(tmp_path / "none.jsonl")
    bad = tmp_path / "bad.jsonl"
    for text, words in (
        ("", "no documents"),
        ('{"a": 1}', "line 1: it has no text"),
        ("{", "this is no JSON"),
        ("[1]", "an object"),
    ):
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(Invalid, match=words):
            tool.read_documents(bad)
    lines = tmp_path / "plain.txt"
    lines.write_text("one\n\ntwo\n", encoding="utf-8")
    assert tool.read_documents(lines) == (("one", "two"), (0, 1))
    words = ["trace", "api:x@http://localhost:9", "--query", "a", "--answer", "b", "--documents", str(lines)]
    assert isinstance(CliRunner().invoke(tool.app, words).exception, Invalid | Missing)


def test_queries_of_a_file_and_answers_that_the_model_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text('{"prompt": "a", "answer": " b"}\n{"question": "c"}\n', encoding="utf-8")
    monkeypatch.setattr(tool, "_written", lambda model, prompts, device, dtype: [f" said to {p}" for p in prompts])
    assert tool.read_queries(str(path), None, "tiny:llama", "cpu", "float32") == (("a", " b"), ("c", " said to c"))
    with pytest.raises(Missing):
        tool.read_queries(str(tmp_path / "none.jsonl"), None, "tiny:llama", "cpu", "float32")


def test_word_problems_and_facts_are_drawn_for_each_seed() -> None:
    setting = next(s for s in settings("smoke") if isinstance(s, Traced))
    lab = Lab.alone(seeds=(0, 1))
    documents, asked = traced.drawn(setting, lab, 0)
    assert len(documents) == setting.documents and len(asked) == setting.reasoned + setting.factual
    assert all(d.startswith("Question: ") and "The answer is" in d for d in documents)
    assert not {p for p, _ in asked} & {d.split("\nAnswer:")[0] + "\nAnswer:" for d in documents}
    assert traced.drawn(setting, lab, 1)[0] != documents


@pytest.mark.realdata
@pytest.mark.skipif("UNSEEN_DATA" not in os.environ, reason="needs GSM8K: UNSEEN_DATA")
def test_released_problems_are_read() -> None:
    setting = next(s for s in settings("laptop") if isinstance(s, Traced))
    documents, asked = traced.drawn(setting, Lab.alone(), 0)
    assert len(documents) == setting.documents and torch.tensor([len(d) for d in documents]).min() > 50
    assert asked[0][1].strip().splitlines()[-1].startswith("The answer is ")
