"""The study of data factors: its data against closed forms and brute force, its claims on records made by hand, its
tool, and one tiny trial from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner

from unseen import cli
from unseen.core.claim import Verdict, judge_study
from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab
from unseen.core.record import Item, Records, Row, Scored, Split
from unseen.core.study import Tier, values_of
from unseen.studies.data_factors import augment, corpora, prototypes, sampling, tasks, tool, trial
from unseen.studies.data_factors.arms import Interpreted, Real, Scanned, Setting
from unseen.studies.data_factors.study import STUDY, rehearse, settings
from unseen.tasks import scan

SEEDS = (0, 1, 2, 3, 4)
SMALL = Scanned("jump", 8, 16, 1, 2, 20, 8, 3e-3, 5, 4.0, 50)
Chance = Callable[[Setting, str], float]


# What is sampled, and when


def test_zipfs_law_by_hand() -> None:
    assert sampling.zipf(np.array([2, 1, 3, 4]), 1.0) == pytest.approx(np.array([6, 12, 4, 3]) / 25)
    assert sampling.zipf(np.array([1, 2, 2, 2]), 2.0) == pytest.approx([0.8, 0.2 / 3, 0.2 / 3, 0.2 / 3])
    assert sampling.zipf(np.array([3, 1, 2]), 0.0) == pytest.approx([1 / 3] * 3)
    with pytest.raises(Invalid, match="exponent"):
        sampling.zipf(np.array([1]), -1.0)


def test_buckets_are_random_or_by_a_count() -> None:
    pairs = [("walk and run", "W R"), ("walk", "W"), ("run twice", "R R"), ("run", "R")]
    rng = np.random.default_rng(0)
    assert sorted(sampling.buckets(pairs, "random", rng)) == [1, 2, 3, 4]
    assert sampling.buckets(pairs, "source length", rng).tolist() == [3, 1, 2, 1]
    assert sampling.buckets(pairs, "target length", rng).tolist() == [2, 1, 2, 1]
    assert sampling.buckets(pairs, "connectives", rng).tolist() == [2, 1, 1, 1]


def test_something_new_comes_until_four_fifths() -> None:
    assert sampling.entering(np.arange(5)) == pytest.approx([0, 0.32, 0.48, 0.64, 0.8])
    enters = sampling.entering(np.random.default_rng(0).permutation(1_000))
    for done in (0.0, 0.1, 0.3, 0.5, 0.79, 0.81):
        assert np.mean(enters <= done) == pytest.approx(min(1.0, max(0.2, done / 0.8)), abs=0.002)
    few = sampling.entering(np.array([0, 1, 1, 2]))
    assert few == pytest.approx([0, 1.6 / 3, 1.6 / 3, 0.8])  # the first place is there from the start


def test_a_command_comes_with_its_last_primitive() -> None:
    pairs = [(c, "") for c in ("turn left", "walk", "run and walk", "run", "look and run")]
    places = sampling.by_primitive(pairs, scan.primitives_of, np.random.default_rng(0))
    where = dict(zip(("walk", "run"), (places[1], places[3]), strict=True))
    assert places[0] == 0 and places[2] == max(where.values()) and places[4] >= where["run"]
    assert set(where.values()) | {places[4]} <= {0, 1, 2}


# Copies


def test_copying_every_primitive_of_one_clause_is_the_grammar_with_more_of_them() -> None:
    made = augment.copied(scan.clauses(), augment.aligned(scan.clauses()), 3, rng=np.random.default_rng(0))
    words = {w for c, _ in made for w in c.split()}
    assert {"walk3", "left3"} <= words  # a direction always comes with its turn, so it is copied too
    only = {u: scan.action(u) for u in scan.PRIMITIVES}
    assert only.items() <= augment.aligned(scan.clauses()).items()
    made = augment.copied(scan.clauses(), only, 3, rng=np.random.default_rng(0))
    every = [u + i for u in scan.PRIMITIVES for i in ("", "1", "2", "3")]
    assert set(made) == set(scan.clauses(every)) and len(made) == 21 * 16 + 18


def test_some_copies_of_a_pair() -> None:
    only = {u: scan.action(u) for u in scan.PRIMITIVES}
    pairs = [("walk and run", "I_WALK I_RUN"), ("turn left", "I_TURN_LEFT")]
    every = augment.copied(pairs, only, 2, rng=np.random.default_rng(0))
    assert len(every) == 9 + 1 and all(scan.interpret(c) == said for c, said in every)
    some = augment.copied(pairs, only, 9, each=4, rng=np.random.default_rng(0))
    assert 3 <= len(some) <= 6 and set(pairs) <= set(some) and all(scan.interpret(c) == said for c, said in some)
    assert augment.copied(pairs, only, 0, each=2, rng=np.random.default_rng(0)) == pairs


def test_words_are_aligned_if_neither_stands_without_the_other() -> None:
    pairs = [("a dog", "DOG"), ("a cat", "CAT"), ("dog", "DOG"), ("two cat", "CAT CAT"), ("the hen", "HEN")]
    assert augment.aligned(pairs) == {"cat": "CAT", "dog": "DOG"}  # `the` and `hen` share HEN
    assert augment.aligned([*pairs, ("cat", "FELIX")], least=0.6) == {"cat": "CAT", "dog": "DOG"}
    assert augment.aligned([*pairs, ("cat", "FELIX")]) == {"dog": "DOG"}


def test_fresh_vocabularies() -> None:
    assert augment.aug_zero([("walk left", "L W")], 2) == [
        ("walk left", "L W"),
        ("walk#1 left#1", "L#1 W#1"),
        ("walk#2 left#2", "L#2 W#2"),
    ]
    with pytest.raises(Invalid, match="'#'"):
        augment.aug_zero([("walk#", "W")], 1)


# Prototypes


def test_distances_are_those_to_the_nearest_centre() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0]])
    points = np.concatenate([c + rng.normal(size=(50, 3)) for c in centres])
    means = points.reshape(3, 50, 3).mean(1)
    brute = np.sqrt(((points[:, None] - means) ** 2).sum(2)).min(1)
    assert prototypes.distances(points, centres=3) == pytest.approx(brute)
    with pytest.raises(Invalid, match="150 examples cannot have 151"):
        prototypes.distances(points, centres=151)


def test_odd_sentences_are_hard() -> None:
    plain = [f"the {a} saw the {b} ." for a in ("boy", "girl", "dog", "cat") for b in ("boy", "girl", "dog", "cat")] * 3
    odd = ["nobody ever jumped over seven green moons", "why not"]
    hard = prototypes.hardness([*plain, *odd], centres=2)
    assert hard.shape == (50,) and hard[-2:].min() > hard[:-2].max()
    assert np.array_equal(hard, prototypes.hardness([*plain, *odd], centres=2))
    assert np.linalg.norm(prototypes.vectors([*plain, *odd]), axis=1) == pytest.approx(1)


def test_quarters_by_hardness() -> None:
    hard, rng = np.random.default_rng(0).permutation(100).astype(float), np.random.default_rng(1)
    parts = [prototypes.subset(hard, which, rng) for which in prototypes.QUARTERS]
    assert [sorted(hard[p]) for p in parts] == [list(range(i, i + 25)) for i in (0, 25, 50, 75)]
    mixed = hard[prototypes.subset(hard, "mixed", rng)]
    assert (len(set(mixed)), sum(mixed < 25), sum(mixed >= 75)) == (25, 12, 13)
    assert len(set(prototypes.subset(hard, "random", rng))) == 25 and len(prototypes.subset(hard, "all", rng)) == 100


# The sets of every arm


def arms(tier: Tier) -> list[Scanned]:
    return [s for s in settings(tier) if isinstance(s, Scanned)]


@pytest.mark.parametrize("setting", [s for s in arms("laptop") if s.commands == "clauses"], ids=lambda s: f"{s.held} {s.primitives} {s.distinct} {s.skew} {s.pace} {s.copies} {s.labels} {s.most_actions}")  # fmt: skip
def test_what_is_held_out_is_not_trained_on(setting: Scanned) -> None:
    task = tasks.commands(setting, np.random.default_rng(0))
    known, test = (dict(task.pairs(s.name)) for s in task.splits)
    assert not known.keys() & test.keys() and all(scan.interpret(c) == a for c, a in {**known, **test}.items())
    trained = {c for c, _ in task.train}
    assert not trained & test.keys()
    if setting.held == "jump":
        assert {c for c in trained if "jump" in c} == {"jump", *(f"jump#{i}" for i in range(1, setting.copies + 1))}
        drawn = [task.text(r)[0] for r in task.batch("train", 4_000, np.random.default_rng(0)).tokens]
        assert np.mean([c.split("#")[0] == "jump" for c in drawn]) == pytest.approx(0.1, abs=0.02)
        assert len(test) == (14 if setting.tested_most == 8 else 20)
    else:
        assert not [c for c in trained if "around right" in c] and len(test) == 4 * 3
    if setting.labels == "true":
        assert all(scan.interpret(c) == a for c, a in task.train if "#" not in c)


def test_the_numbers_of_what_is_trained_on() -> None:
    jump = {s.primitives: tasks.commands(s, np.random.default_rng(0)) for s in arms("laptop")[:5]}
    assert {p: len(t.train) for p, t in jump.items()} == {p: 21 * (p - 1) + 18 + 1 for p in (4, 8, 20, 80, 200)}
    few = tasks.commands(replace(SMALL, distinct=30), np.random.default_rng(0))
    assert len(few.train) == 31 and len(set(few.train)) == 31
    copied = tasks.commands(replace(SMALL, copies=3), np.random.default_rng(0))
    assert len(copied.train) == 4 * len(tasks.commands(SMALL, np.random.default_rng(0)).train)


def test_each_seed_has_its_own_training_set_and_all_the_same_test() -> None:
    setting = replace(SMALL, distinct=40, skew=1.0, pace="novel examples")
    one, other = tasks.worlds(setting, Lab.alone(seeds=(0, 1)))
    assert one.train != other.train and one.pairs("jump") == other.pairs("jump")
    again = tasks.worlds(setting, Lab.alone(seeds=(1,)))[0]
    assert again.train == other.train and np.array_equal(again.weights, other.weights)  # type: ignore[arg-type]
    assert again.enters is not None and again.enters[-1] == 0 and len(again.enters) == len(again.train)


def test_longer_commands_are_longer_than_any_trained_on() -> None:
    for setting in (s for s in arms("laptop") if s.held == "longer"):
        task = tasks.commands(replace(setting, pool=300), np.random.default_rng(0))
        assert max(map(scan.actions, task.train)) == setting.most_actions
        assert {scan.actions(p) for p in task.pairs("longer")} == {13, 14, 15, 16}
    easy, hard = (s for s in arms("laptop") if s.commands == "drawn" and s.held == "jump")
    made = [tasks.commands(replace(s, pool=300), np.random.default_rng(0)) for s in (easy, hard)]
    assert made[0].pairs("jump") == made[1].pairs("jump") and len(made[0].pairs("jump")) == 300
    assert [max(len(scan.primitives_of(c)) for c, _ in t.train) for t in made] == [1, 2]


def test_the_grammar_of_the_papers_tier() -> None:
    setting = replace(rehearse(arms("paper")[0]), pool=0)
    train, test = scan.split("addprim_jump")
    task = tasks.commands(cast(Scanned, setting), np.random.default_rng(0))
    assert set(task.train) == set(train) and list(task.pairs("jump")) == test


def test_shuffled_labels_are_others() -> None:
    task = tasks.commands(replace(SMALL, labels="shuffled"), np.random.default_rng(0))
    assert np.mean([scan.interpret(c) == a for c, a in task.train[:-1]]) < 0.1
    assert all(scan.interpret(c) == a for c, a in task.pairs("known"))


def test_quarters_of_a_twin_of_cogs() -> None:
    real = Real("cogs-twin", "mixed", 16, 1, 2, 20, 8, 3e-3, 5, 4.0, 20, longest=32)
    mixed, more = (tasks.worlds(s, Lab.alone(seeds=(0,)))[0] for s in (real, replace(real, subset="all", times=3)))
    assert set(mixed.train) < set(more.pairs("known")) and len(mixed.train) == len(more.pairs("known")) // 4
    assert len(more.train) > 2 * len(more.pairs("known"))
    assert not set(mixed.train) & {*mixed.pairs("test"), *mixed.pairs("gen")}
    assert all(len(s.split()) + len(t.split()) <= 32 for s, t in mixed.pairs("gen"))


def test_a_users_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_DATA", str(tmp_path))
    with pytest.raises(Missing, match=r"atis/train\.tsv"):
        corpora.pairs("atis", "train")
    (tmp_path / "atis").mkdir()
    path = tmp_path / "atis" / "train.tsv"
    path.write_text("show  flights\tflight\nshow flights\tflight\tx\n", encoding="utf-8")
    assert corpora.pairs("atis", "train") == [("show flights", "flight")]
    path.write_text("no tab here\n", encoding="utf-8")
    with pytest.raises(Invalid, match="line 1"):
        corpora.pairs("atis", "train")


# Claims


def as_the_paper_says(setting: Setting, split: str) -> float:
    """The probability of a right answer in a world where every claim holds."""
    if isinstance(setting, Real):
        by_part = {"easy": 0.4, "easier": 0.4, "harder": 0.4, "hard": 0.4, "mixed": 0.6, "random": 0.5, "all": 0.5}
        return 0.99 if split == "known" else by_part[setting.subset] + 0.1 * (setting.times >= 20)
    assert isinstance(setting, Scanned)
    if setting.labels == "shuffled":
        return 0.0
    if split == "known":
        return 0.99
    if setting.held == "longer":
        return 0.1 + 0.2 * log(setting.most_actions / 4, 3 if setting.most_actions < 20 else 6)
    hard = setting.most_primitives in (0, 32, 128) and setting.most_actions != 62
    if setting.commands == "drawn":
        return 0.5 if hard else 0.8
    right = 0.05 + 0.18 * log(setting.primitives / 4, 3)
    right += 0.15 * (setting.pace != "at once") + 0.2 * (setting.copies > 0) + 0.2 * (setting.most_actions == 8)
    if setting.distinct:
        right = 0.05 * log(setting.distinct, 2) - 0.2
    return min(0.99, right * (1 - 0.4 * setting.skew))


def turned_around(setting: Setting, split: str) -> float:
    """A world where every factor works the other way."""
    found = as_the_paper_says(setting, split)
    shuffled = isinstance(setting, Scanned) and setting.labels == "shuffled"
    return found if split == "known" or shuffled else 1 - found


def hardly_trained(setting: Setting, split: str) -> float:
    """A world where nothing is learned."""
    return 0.05


def told(chance: Chance, tier: Tier) -> list[tuple[dict[str, Any], int, Row]]:
    """Records of every setting of a tier by this chance, 500 own items each."""
    found: list[tuple[dict[str, Any], int, Row]] = []
    rng = np.random.default_rng(0)
    for number, setting in enumerate(settings(tier)):
        head = {"setting": type(setting).__name__, **values_of(setting)}
        if isinstance(setting, Interpreted):
            rows = list(trial.run(replace(setting, items=300), Lab.alone(seeds=SEEDS))) if number % 3 == 0 else []
        elif isinstance(setting, Real):
            names = [Split("known"), Split("test", "difficulty", shifted=True)]
            names += [Split("gen", "composition", shifted=True)] if setting.corpus == "cogs" else []
            rows = drawn(chance, setting, names, rng)
        else:
            rows = drawn(chance, setting, [Split("known"), Split(setting.held, "composition", shifted=True)], rng)
        found += [(head, cast(int, row.seed), cast(Row, row)) for row in rows]
    return found


def drawn(chance: Chance, setting: Setting, splits: list[Split], rng: np.random.Generator) -> list[Row]:
    rows: list[Row] = []
    for split in splits:
        values = (rng.random((5, 500)) < chance(setting, split.name)).astype(float)
        ids = [[f"{split.name} {s} {i}" for i in range(500)] for s in SEEDS]
        rows += Row.each("exact", Scored(SEEDS, ids, values), split, step=9)
        rows += Row.each("exact_untrained", Scored(SEEDS, ids, values * 0), split)
    return rows


def judged(chance: Chance, tier: Tier) -> dict[str, Verdict]:
    """Claim id -> verdict, of the claims of a tier."""
    verdicts = judge_study(STUDY, Records.of(told(chance, tier)), tier)
    return {v.claim.id: v for v in verdicts if tier in v.claim.tiers}


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_as_the_paper_says_supports_every_claim(tier: Tier) -> None:
    found = judged(as_the_paper_says, tier)
    assert not {i: (v.status, v.why) for i, v in found.items() if v.status != "supported"}
    assert set(found) >= {"C1a", "C2a", "C3a", "C4d", "C5", "C7d", "K3"}


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_turned_around_refutes_every_finding(tier: Tier) -> None:
    found = judged(turned_around, tier)
    assert {i for i, v in found.items() if v.status != "refuted"} == {"K1", "K2", "K3"}


def test_models_that_learned_nothing_decide_nothing() -> None:
    found = judged(hardly_trained, "laptop")
    assert {i for i, v in found.items() if v.status != "untested"} == {"K1", "K2"}


# From end to end


def test_a_trial_yields_rows_of_what_is_known_and_items_of_what_is_held_out() -> None:
    told = list(trial.run(replace(SMALL, steps=8), Lab.alone(seeds=(0, 1))))
    items = [r for r in told if isinstance(r, Item)]
    assert len(items) == 2 * 20 and {r.step for r in items} == {8} and len({r.id for r in items}) == 20
    assert all(r.truth == scan.interpret(r.prompt) and (r.answer == r.truth) == bool(r.scores["exact"]) for r in items)
    rows = [r for r in told if isinstance(r, Row)]
    assert {(r.measure, r.split.name, r.step) for r in rows if r.split} == {
        *(("exact_untrained", name, None) for name in ("known", "jump")),
        *(("exact", name, step) for name in ("known", "jump") for step in (2, 4, 6)),
        ("exact", "known", 8),
    }
    Records.of([({"setting": "Scanned", **values_of(SMALL)}, cast(int, r.seed), r) for r in told])


@pytest.mark.parametrize("to", ["jsonl", "parquet", "hf"])
def test_published_splits_are_written_for_use_elsewhere(to: str, tmp_path: Path) -> None:
    out = tmp_path / f"items.{to}"
    words = ["data", "data_factors/scan-addprim_jump", "--n", "30", "--split", "train", "--split", "test"]
    found = CliRunner().invoke(cli.app, [*words, "--tier", "smoke", "--to", to, "--out", str(out)])
    assert found.exit_code == 0, found.output
    rows = written(to, out)
    assert {r["split"] for r in rows} == {"train", "test"}
    assert all(scan.interpret(r["prompt"]) == r["truth"] for r in rows)
    assert len([r for r in rows if r["split"] == "test" and "jump" in r["prompt"]]) == 30


def written(to: str, out: Path) -> list[dict[str, Any]]:
    """The rows of a file or folder, as its own library reads them."""
    if to == "jsonl":
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    if to == "parquet":
        return pytest.importorskip("polars").read_parquet(out).to_dicts()
    found = pytest.importorskip("datasets").load_from_disk(str(out))
    return [row for part in found.values() for row in part]


def use(*words: str) -> str:
    found = CliRunner().invoke(tool.app, list(words))
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output


def test_the_tool(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    made = use("commands", "--n", "60", "--primitives", "6", "--out", str(file))
    assert made == "" and len(corpora.read(file)) == 60
    assert use("interpret", *["walk", "after", "run", "and", "look", "left"]) == "I_RUN I_TURN_LEFT I_LOOK I_WALK\n"
    assert "walk\tI_WALK" in use("aligned", str(file)).splitlines()
    copied = [line.split("\t") for line in use("copies", str(file), "--word", "walk", "--times", "3").splitlines()]
    assert ["walk2"] in [[w for w in c.split() if w == "walk2"] for c, _ in copied] and len(copied) > 60
    more = tmp_path / "more.jsonl"
    use("vocabularies", str(file), "--copies", "2", "--out", str(more))
    assert len(corpora.read(more)) == 180
    assert len(use("quarter", str(file), "--which", "hard", "--centres", "5").splitlines()) == 15
    rows = [json.loads(line) for line in use("hard", str(file), "--centres", "5").splitlines()]
    assert [r["quarter"] for r in rows] == [q for q in prototypes.QUARTERS for _ in range(15)]
    assert [r["distance"] for r in rows] == sorted(r["distance"] for r in rows)
    with pytest.raises(Invalid, match="--word hop"):
        use("copies", str(file), "--word", "hop")
    with pytest.raises(Invalid, match="--which soft"):
        use("quarter", str(file), "--which", "soft")
