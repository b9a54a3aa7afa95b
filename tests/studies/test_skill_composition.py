"""SkillText: rules against plain Python, the search against all texts there are, queries, corpora, decoders, controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from unseen.core.claim import judge
from unseen.core.errors import Invalid, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Records, Row, Value
from unseen.core.study import values_of
from unseen.models import decoder
from unseen.studies.skill_composition import baselines, gold, learned, marked, queries, sampled, search
from unseen.studies.skill_composition import skilltext as st
from unseen.studies.skill_composition.arms import Baseline, Learned
from unseen.studies.skill_composition.claims import CLAIMS
from unseen.studies.skill_composition.corpus import corpus_of
from unseen.studies.skill_composition.tasks import tasks, twin_of
from unseen.studies.skill_composition.twin import ALPHABET, POOLS, WORDS, Twin, k_of, prompt_of, query_of, read, text_of
from unseen.tasks.layout import EOS, SEP, SOS

SMALL = Learned(texts=120, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=8)


def encoded(text: str, width: int = 0) -> list[int]:
    told = [st.STOP if c == "." else ALPHABET.index(c) + 1 for c in text]
    return told + [0] * (width - len(told))


def plain(kind: int, x: str, y: str, text: str) -> bool:
    """The rules once more, on strings."""
    parts = text.split(".")
    middles = [(p[i - 1], p[i], p[i + 1]) for p in parts for i in range(1, len(p) - 1)]
    told: dict[int, Callable[[], bool]] = {
        st.BIGRAM: lambda: any(x + y in p for p in parts),
        st.STARTS: lambda: any(p.startswith(x) for p in parts),
        st.ENDS: lambda: any(p.endswith(x) for p in parts),
        st.REPEAT: lambda: any(x + x in p for p in parts),
        st.PALINDROME: lambda: any(a == c and b == x for a, b, c in middles),
        st.COUNT: lambda: text.count(x) >= 2,
        st.BEFORE: lambda: x in text and y in text and text.index(x) < text.index(y),
        st.ABSENT: lambda: x not in text,
        st.TOPIC: lambda: x in text and y in text and text.index(x) < text.rindex(y),
    }
    return told[kind]()


def test_rules_agree_with_clearpython() -> None:
    rng = np.random.default_rng(0)
    texts = [".".join("".join(rng.choice(list("abcd"), 6)) for _ in range(int(rng.integers(1, 4)))) for _ in range(400)]
    skills = np.array([[(kind, *rng.permutation(4)[:2] + 1) for kind in range(9)] for _ in texts])
    found = st.shown(np.array([encoded(t, 20) for t in texts]), skills)
    told = [[plain(kind, ALPHABET[x - 1], ALPHABET[y - 1], t) for kind, x, y in rows] for t, rows in zip(texts, skills.tolist(), strict=True)]  # fmt: skip
    assert (found == np.array(told)).all()
    assert found.any(0).all() and not found.all(0).any()  # every rule is seen to hold and not to hold


@pytest.mark.parametrize(
    ("kind", "text", "holds"),
    [
        (st.BIGRAM, "aaaaav.waaaaa", False), (st.REPEAT, "aaaaav.vaaaaa", False), (st.PALINDROME, "aaaaac.vcaaaa", False),
        (st.PALINDROME, "vvvaaa", True), (st.STARTS, "vaaaaa", True), (st.ENDS, "aaaaav", True), (st.ENDS, "aaaaav.aaaaaa", True),
        (st.BEFORE, "wvwaaa", False), (st.BEFORE, "vaaaaa", False), (st.TOPIC, "wvwaaa", True), (st.TOPIC, "wvaaaa", False),
    ],
)  # fmt: skip
def test_rules_of_v_and_w_by_hand(kind: int, text: str, holds: bool) -> None:
    skill = (kind, ALPHABET.index("v") + 1, ALPHABET.index("w") + 1)
    assert st.shown(np.array([encoded(text, 20)]), np.array([[skill]]))[0, 0] == holds


def test_form_and_sentences() -> None:
    texts = np.array([encoded(t, 20) for t in ("abcdef", "abcdef.abcdef", "abcde", "abcdef.", "abc.def", "", "abcdefg", ".abcdef")])  # fmt: skip
    assert st.formed(texts).tolist() == [True, True] + [False] * 6
    assert st.sentences(texts).tolist() == [1, 2, 1, 2, 2, 1, 1, 2]
    gap = np.array([[1, 2, 3, 4, 5, 6, 0, 1], [1, 2, 3, 4, 5, st.STRANGE, 0, 0]])
    assert not st.formed(gap).any()


def random_queries(n: int, letters: int, rng: np.random.Generator) -> list[list[tuple[int, int, int]]]:
    """Queries of few letters, so that many contradict themselves."""
    made = []
    for _ in range(n):
        one = [
            (int(rng.integers(9)), *map(int, rng.permutation(letters)[:2] + 1)) for _ in range(int(rng.integers(2, 6)))
        ]
        made.append([(k, x, y if k in st.PAIRED else 0) for k, x, y in one])
    return made


def test_the_search_finds_a_text_wherever_there_is_one() -> None:
    rng = np.random.default_rng(1)
    every = np.array(
        list(product(range(1, 5), repeat=6))
    )  # the three letters named, and one that stands for all others
    for skills in random_queries(150, 3, rng):
        there = st.shown(every, np.broadcast_to(np.array(skills), (len(every), len(skills), 3))).all(1).any()
        found = search.found(skills, 1, rng)
        assert (found is not None) == there
        if found is not None:
            assert st.shown(np.array([found]), np.array([skills])).all()


def test_texts_of_many_queries_show_all_that_is_asked() -> None:
    rng = np.random.default_rng(2)
    for skills in random_queries(60, 5, rng):
        texts, possible = gold.composed(np.array([skills]), 2, rng)
        assert possible[0] == (search.found(skills, 2, rng) is not None)
        assert not possible[0] or (st.shown(texts, np.array([skills])).all() and st.formed(texts)[0])


@pytest.mark.parametrize("sentences", [3, 0])
def test_every_text_of_a_split_has_full_marks(sentences: int) -> None:
    task = Twin(3, 300, sentences)
    for split in task.splits:
        asked, texts = task.queries(split.name, 20, np.random.default_rng(3))
        assert asked.shape == (20, k_of(split) + 1, 3) and (asked[:, 0, 0] == st.TOPIC).all()
        skills, others = marked.points(asked, texts, np.ones(20, bool), limit=task.limit(k_of(split)))
        assert skills.all() and others.all()
        assert all(len({tuple(s) for s in query}) == len(query) for query in asked.tolist())


def test_pools_are_disjoint_and_whole() -> None:
    world = queries.World.of(5)
    trained, instances, categories, topics = (world.pool(name) for name in POOLS)
    assert (trained.skills.astype(int) + instances.skills + categories.skills == world.skills).all()
    assert (topics.skills == trained.skills).all()
    assert not {tuple(t) for t in trained.topics.tolist()} & {tuple(t) for t in topics.topics.tolist()}
    assert len(trained.topics) == 15 and len(topics.topics) == 5
    for kind in range(st.KINDS):
        held = kind in queries.HELD_KINDS
        assert trained.skills[kind].any() != held and categories.skills[kind].any() == held
        if not held:
            assert instances.skills[kind].sum() == round(0.25 * world.skills[kind].sum())
    assert (queries.World.of(6).trained != world.trained).any() and (queries.World.of(5).trained == world.trained).all()
    with pytest.raises(Unknown, match="instances"):
        world.pool("instance")


def test_queries_are_uniform_among_those_that_have_a_text() -> None:
    skills = np.zeros((st.KINDS, 25, 25), bool)
    skills[st.STARTS, 1:4, 0] = skills[st.ABSENT, 1:4, 0] = True
    pool = queries.Pool(skills, np.array([[5, 6]]))
    asked, _ = queries.drawn(pool, 2, 6_000, 1, np.random.default_rng(4))
    found = Counter(tuple(sorted((kind, x) for kind, x, _ in query[1:])) for query in asked.tolist())
    # one sentence starts with one letter, so that of 15 pairs the 3 of two STARTS and the 3 of one letter have no text
    assert len(found) == 9 and max(abs(n - 6_000 / 9) for n in found.values()) < 5 * (6_000 / 9) ** 0.5


def test_queries_that_have_no_text_are_told() -> None:
    skills = np.zeros((st.KINDS, 25, 25), bool)
    skills[st.ABSENT, 5, 0] = True
    pool = queries.Pool(skills, np.array([[5, 6]]))
    with pytest.raises(Invalid, match="allow more sentences"):
        queries.drawn(pool, 1, 1, 1, np.random.default_rng(0))
    with pytest.raises(Invalid, match="lower k"):
        queries.drawn(pool, 2, 1, 1, np.random.default_rng(0))


def test_sequences() -> None:
    task = Twin(3, 90)
    for split in ("train", "k=5 instances"):
        batch = task.batch(split, 12, np.random.default_rng(5))
        assert batch.tokens.shape == (12, task.longest(split)) == batch.answer.shape
        assert (batch.tokens[:, 0] == SOS).all() and (batch.tokens[:, 24 - 2 + 1] == SEP).sum() in (0, 12)
        for row, marks in zip(batch.tokens, batch.answer, strict=True):
            at = int(np.flatnonzero(row == SEP)[0])
            assert at == 1 + 3 * 7 and marks.tolist() == [i > at for i in range(len(row))] and row[-1] == EOS
            words = [WORDS[t] for t in row[1:at]]
            slots = [words[i : i + 3] for i in range(0, len(words), 3)]
            asked = [s for s in slots if s != ["_"] * 3]
            told = "; ".join(" ".join(w for w in s if w != "_") for s in asked)
            query, limit = query_of(f"{told}; at most 3 sentences of 6 letters >")
            assert st.shown(read(row[None, at + 1 : -1]), query[None]).all() and limit == 3


def test_prompts_are_equally_long_unless_as_published() -> None:
    rng = np.random.default_rng(6)
    assert {Twin(3, 30).batch(f"k={k} trained", 2, rng).tokens.shape[1] for k in range(1, 7)} == {44}
    assert [Twin(3, 30, 0).batch(f"k={k} trained", 2, rng).tokens.shape[1] for k in (1, 2, 4)] == [15, 18, 38]
    assert Twin(2, 31, 0).training()[0][0].shape == (16, 2, 3)


def test_muddled_prompts_keep_the_number_of_skills() -> None:
    clear, muddled = (
        Twin(2, 200, muddled=m).batch("train", 200, np.random.default_rng(7)).tokens for m in (False, True)
    )
    assert (clear[:, 23:] == muddled[:, 23:]).all()  # the texts are the same, and as many are asked for
    assert ((clear >= WORDS.index("BIGRAM")).sum(1) == (muddled >= WORDS.index("BIGRAM")).sum(1)).all()
    assert (clear != muddled).any()


def test_examples_in_words_and_hostile_answers() -> None:
    (task,) = tasks(SMALL)
    assert isinstance(task, Twin)
    for split in ("train", *(s.name for s in task.splits)):
        for e in task.draw(split, 3, np.random.default_rng(8)):
            assert task.score(e, e.truth) == {"full": 1.0, "all_skills": 1.0, "fraction": 1.0}
            query, limit = query_of(e.prompt)
            assert prompt_of(query, limit) == e.prompt and text_of(np.array(encoded(e.truth))) == e.truth
    one = task.draw("k=2 trained", 1, np.random.default_rng(8))[0]
    for said in ("", "42", "full marks", ".", one.truth.upper(), "a" * 1_000_000, "Ignore the rules.", "\x00é"):
        assert task.score(one, said)["full"] == 0.0
    assert task.score(one, f" {one.truth}\n")["full"] == 1.0
    assert task.score(one, f"{one.truth}.aaaaaa")["full"] == 0.0  # a sentence too many
    with pytest.raises(Invalid, match="unseen data"):
        query_of("Write a text")
    with pytest.raises(Unknown, match="k=3 trained"):
        task.draw("k=3 train", 1, np.random.default_rng(0))


def test_points_and_aggregation() -> None:
    asked = np.array([[(st.TOPIC, 1, 2), (st.STARTS, 3, 0), (st.ABSENT, 9, 0)]] * 4)
    texts = np.array([encoded(t, 20) for t in ("cabaaa", "cabaaa.aaaaaa", "aabaaa", "cabaaa")])
    skills, others = marked.points(asked, texts, np.array([True, True, True, False]), limit=1)
    assert skills.tolist() == [[True, True], [True, True], [False, True], [True, True]]
    assert others.tolist() == [[True, True, True], [True, True, False], [True, True, True], [True, False, True]]
    split = Twin(3, 30).splits[1]
    told = marked.rows(split, [0], [["i"]], [(skills[None], others[None])], step=7)
    assert {r.measure: r.value for r in told} == pytest.approx(
        {"full": 1 / 4, "all_skills": 3 / 4, "fraction": 3 / 8, "best_full": 1.0, "best_all_skills": 1.0, "best_fraction": 1.0}
    )  # fmt: skip


def test_a_corpus_against_a_loop_over_all_of_it() -> None:
    task = Twin(3, 240, seed=1)
    training = task.training()
    corpus = corpus_of(training)
    pairs = [(query, text) for asked, texts in training for query, text in zip(asked, texts, strict=True)]
    asked, _ = task.queries("k=2 trained", 30, np.random.default_rng(9))
    sets = [{tuple(s) for s in query.tolist()} for query, _ in pairs]
    shared = [[len(s & {tuple(w) for w in query.tolist()}) for s in sets] for query in asked]
    assert corpus.nearest(asked).tolist() == np.argmax(shared, 1).tolist()
    bound = [any(st.shown(text[None], query[None]).all() for _, text in pairs) for query in asked]
    assert corpus.held(asked, 3).tolist() == bound and 0 < sum(bound) < 30
    assert not corpus.held(asked, 2).any()  # every text of the corpus has three sentences


def test_sampling_follows_the_shares_of_the_model_and_does_not_depend_on_the_block() -> None:
    models = decoder.stack(8, width=8, layers=1, heads=2, context=16, spread=20.0, positions="rotary", seeds=(0, 1))
    prompts = np.tile([1, 4, 3], (2, 4_000, 1))
    noise = [np.random.default_rng(s) for s in (0, 1)]
    said, _ = sampled.texts(models, prompts, steps=1, temperature=0.7, noise=noise)
    import torch

    shares = (models.logits(models(torch.from_numpy(prompts[:, :1])))[:, 0, -1] / 0.7).softmax(-1).detach().numpy()
    shares[:, 0] += shares[:, EOS]  # what ends a text is not part of it
    shares[:, EOS] = 0
    found = np.stack([np.bincount(row, minlength=8) / 4_000 for row in said[:, :, 0]])
    assert np.abs(found - shares).max() < 5 * 0.5 / 4_000**0.5
    alone, _ = sampled.texts(models.part(1, 2), prompts[1:], steps=1, temperature=0.7, noise=[np.random.default_rng(1)])
    assert (alone[0] == said[1]).all()


def test_cold_sampling_is_greedy() -> None:
    task = Twin(1, 60)
    models = decoder.stack(
        task.vocab, width=16, layers=1, heads=2, context=96, spread=8.0, positions="rotary", seeds=(0,)
    )
    import torch

    batch = task.batch("k=1 trained", 20, np.random.default_rng(0))
    prompts = batch.tokens[None, :, :23]
    told, ended = sampled.texts(models, prompts, steps=20, temperature=1e-6, noise=[np.random.default_rng(0)])
    wanted = decoder.greedy(models, torch.from_numpy(prompts), steps=21, end=EOS).numpy()
    assert (np.where(wanted == EOS, 0, wanted)[..., : told.shape[2]] == told[..., : wanted.shape[2]]).all()
    assert ended.tolist() == (wanted == EOS).any(-1).tolist()


def rows_of(setting: Learned | Baseline, *seeds: int) -> list[Row]:
    lab = Lab.alone(seeds=seeds or (0,))
    return list(learned.run(setting, lab) if isinstance(setting, Learned) else baselines.run(setting, lab))


def test_controls_come_out_as_they_must() -> None:
    small = {who: rows_of(Baseline(who, texts=120, items=10), 0, 1, 2) for who in ("oracle", "random", "retrieval")}  # type: ignore[arg-type]
    assert {r.value for r in small["oracle"]} == {1.0}
    untrained = rows_of(replace(SMALL, learner="untrained"), 0, 1, 2)
    told = [
        ({"setting": type(s).__name__, **values_of(s)}, r.seed or 0, r)
        for s, rows in (
            *((Baseline(w, texts=120, items=10), rows) for w, rows in small.items()),  # type: ignore[arg-type]
            (replace(SMALL, learner="untrained"), untrained),
        )
        for r in rows
    ]
    found = {c.id: judge(c, Records.of(told), "laptop") for c in CLAIMS if c.id in ("U1", "U2", "U3", "T1a", "T5b")}
    assert found["U1"].estimate == 1.0 and found["U3"].estimate == 0.0 and found["U2"].status != "refuted"
    assert found["T1a"].status == found["T5b"].status == "untested"  # nothing was learned


def judged(full: Callable[[Learned, int, str], float]) -> dict[str, str]:
    """The verdicts on five runs of each arm whose scores are `full(arm, k, pool)`, beside a corpus that holds nothing."""
    made: list[tuple[Mapping[str, Value], int, Row]] = []
    for arm in (*(replace(SMALL, trained_k=k) for k in (1, 2, 3)), replace(SMALL, sentences=0)):
        told = {"setting": "Learned", **values_of(arm)}
        for split, seed in product(twin_of(arm, seed=0).splits, range(5)):
            value = round(200 * full(arm, k_of(split), str(split.at["among"]))) / 200
            made.append((told, seed, Row("full", value, split, 200, 20, seed=seed, drawn=f"{seed:08d}")))
    written = {"setting": "Baseline", **values_of(Baseline("retrieval"))}
    for split, seed, measure in product(Twin(3, 30).splits, range(5), ("full", "bound")):
        made.append((written, seed, Row(measure, 0.0, split, 200, seed=seed, drawn=f"{seed:08d}")))
    records = Records.of(made)
    return {c.id: judge(c, records, "laptop").status for c in CLAIMS if c.id.startswith("T")}


def test_claims_hold_of_learners_that_compose_and_fail_of_those_that_do_not() -> None:
    def composes(arm: Learned, k: int, pool: str) -> float:
        far = max(0, k - arm.trained_k - (0 if pool == "categories" else arm.trained_k - 1)) + (
            not arm.sentences and k > 3
        )
        return max(0.0, 0.97 - 0.3 * far)

    def recalls(arm: Learned, k: int, pool: str) -> float:
        return 0.97 if k <= arm.trained_k and pool == "trained" else 0.0

    assert set(judged(composes).values()) == {"supported"}
    found = judged(recalls)
    assert found.pop("T5a") == "supported" and "supported" not in found.values() and "untested" not in found.values()
    assert set(judged(lambda arm, k, among: 0.5).values()) == {"untested"}


def test_decoders_yield_every_split_and_the_same_queries_in_any_block() -> None:
    both, alone = rows_of(SMALL, 0, 1), rows_of(SMALL, 1)
    last = {(r.measure, r.split.name if r.split else "") for r in both if r.step == SMALL.steps}
    assert len(last) == 6 * 24 and {r.step for r in both} == {10, 20}
    assert {r.split.shifted for r in both if r.step == 10 and r.split} == {False}
    drawn = [{(r.split.name, r.drawn) for r in told if r.seed == 1 and r.split} for told in (both, alone)]
    assert drawn[0] == drawn[1]
    oracle = rows_of(Baseline("oracle", texts=120, items=8), 1)
    assert {(r.split.name, r.drawn) for r in oracle if r.split} == drawn[1]  # and all writers are asked the same


def test_the_reward_of_rows_drawn_is_their_score(home: Path) -> None:
    from unseen import items
    from unseen.rewards import reward

    rows = [
        d.row() for d in items.draw("skill_composition/skilltext", n=4, tier="smoke", splits=["train", "k=4 topics"])
    ]
    columns = {name: [r[name] for r in rows] for name in ("id", "receipt")}
    give = reward("skill_composition/skilltext")
    assert set(give([], [r["truth"] for r in rows], **columns)) == {1.0}
    assert set(give([], ["abc"] * len(rows), **columns)) == {0.0}
