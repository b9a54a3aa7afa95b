"""Skills, topics and combinations: what files hold, what pools hold, and that draws are uniform and repeat."""

import json
import os
from collections import Counter
from math import comb
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.studies.skill_composition import skills
from unseen.studies.skill_composition.combined import Combination, count, drawn
from unseen.studies.skill_composition.composed import WRITERS, written
from unseen.studies.skill_composition.grading import by_program_alone
from unseen.studies.skill_composition.posed import MOST_TRAINED, Mix
from unseen.studies.skill_composition.skills import Stock, Topic, own, read_skills, read_topics
from unseen.tasks.drawn import own as own_items

HEAD = "category,skill,definition,example\n"


def test_a_csv_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEAD.strip() + ",status\nrhetorical,irony,Saying the contrary.,\"Fine weather, he said.\",keep\nlogical,proof,From premises.,,remove\n", encoding="utf-8-sig")  # fmt: skip
    (one,) = read_skills(path)
    assert (one.category, one.name, one.example) == ("rhetorical", "irony", "Fine weather, he said.")
    assert one.source == str(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("category,skill,definition\na,b,c\n", "no column 'example'"),
        ("", "no column 'category'"),
        (HEAD, "holds no skills"),
        (HEAD + "a,b,,d\n", "line 2: the column 'definition' is empty"),
        (HEAD + "a,b,c,d\na,B,c,d\n", "line 3: the skill 'B' stands twice"),
        (HEAD + "a\n", "column 'skill' is empty"),
    ],
)
def test_files_that_are_wrong_are_told_by_file_line_and_column(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match=told) as error:
        read_skills(path)
    assert "bad.csv" in str(error.value)


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no file"):
        read_skills(tmp_path / "none.csv")
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="UTF-8"):
        read_topics(tmp_path / "x")
    (tmp_path / "y").write_text("\n\n", encoding="utf-8")
    with pytest.raises(Invalid, match="no topics"):
        read_topics(tmp_path / "y")


@pytest.mark.realdata
def test_the_published_skills() -> None:
    if not os.environ.get("UNSEEN_DATA"):
        pytest.skip("UNSEEN_DATA is not set; it holds skill_mix/")
    stock = skills.published()
    assert len(stock.skills) == len(stock.topics) == 10 and {s.source for s in stock.skills} == {"published"}
    assert {s.category for s in stock.pool("train").skills} == {"literary", "rhetorical"}
    assert not {s.name for s in stock.pool("train").skills} & {s.name for s in stock.pool("held out").skills}


def test_the_published_skills_are_never_silently_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSEEN_DATA", raising=False)
    monkeypatch.setenv("UNSEEN_OFFLINE", "1")
    with pytest.raises(Missing, match="UNSEEN_DATA"):
        skills.published()


def test_pools_part_skills_by_category_and_topics_by_halves() -> None:
    train, held = own().pool("train"), own().pool("held out")
    assert not {s.category for s in train.skills} & {s.category for s in held.skills}
    assert len(train.skills) == len(held.skills) == 12 and not set(train.topics) & set(held.topics)
    assert set(train.topics) | set(held.topics) == set(own().topics)
    with pytest.raises(Unknown, match="held out"):
        own().pool("heldout")
    with pytest.raises(Unknown, match="alliteration"):
        own().named(["aliteration"])


def test_a_topic_known_by_its_name_alone() -> None:
    assert Topic.of("Beekeeping").stems == ("beekeep",) and Topic.of("The Ottoman Empire").stems == (
        "ottoman",
        "empire",
    )
    assert Topic.of("Go").stems == ("go",) and own().topic("Tea").name == "Tea"


def test_combinations_are_uniform_distinct_and_begin_alike() -> None:
    stock = Stock(own().skills[:5], own().topics[:2])
    every = drawn(stock, 2, 1_000, np.random.default_rng(0))
    assert len(every) == len(set(every)) == count(stock, 2) == comb(5, 2) * 2
    firsts = Counter(drawn(stock, 2, 1, np.random.default_rng(seed))[0] for seed in range(4_000))
    assert len(firsts) == 20 and max(abs(n - 200) for n in firsts.values()) < 4 * np.sqrt(200)
    for k in (2, 6):  # listed, and drawn by place
        few, many = (drawn(own(), k, n, np.random.default_rng(1)) for n in (5, 50))
        assert many[:5] == few and len(set(many)) == 50 and all(len(set(c.skills)) == k for c in many)
    pooled = Counter(s.name for c in drawn(own(), 6, 4_000, np.random.default_rng(2)) for s in c.skills)
    assert len(pooled) == 24 and max(abs(n - 1_000) for n in pooled.values()) < 4 * np.sqrt(1_000)
    with pytest.raises(Invalid, match="choose k from 1 to 5"):
        drawn(stock, 6, 1, np.random.default_rng(0))


@pytest.mark.parametrize("k", [1, 2, 3, 5, 8])
def test_writers_by_rule_have_the_scores_they_must(k: int) -> None:
    rng = np.random.default_rng(k)
    combinations = drawn(own(), k, 480 if k == 1 else 600, rng)
    full = {}
    for who in WRITERS:
        graded = by_program_alone([(c, written(who, c, rng)) for c in combinations])
        full[who] = np.mean([graded.scored(i).full for i in range(len(combinations))])
    assert full["oracle"] == 1 and full["half"] < 0.05 and full["namer"] == full["words"] == 0


def test_only_skills_of_our_own_have_a_writer() -> None:
    strange = Combination((skills.Skill("x", "irony", "d", "e"),), Topic.of("Bread"))
    with pytest.raises(Invalid, match="no fragment"):
        written("oracle", strange, np.random.default_rng(0))


@pytest.mark.parametrize("pools", [("all",), ("train", "held out")])
def test_nothing_that_may_be_trained_on_is_asked(pools: tuple[str, ...]) -> None:
    task = Mix("own", (1, 2, 3, 4), pools, 3, (1, 2, 3))
    trained = task.draw("train", 900, np.random.default_rng(0))
    assert {e.combination.k for e in trained} == {1, 2, 3} and all(task.trainable(e.combination) for e in trained)
    assert len(trained) == 900  # one skill alone has fewer combinations than its share
    prompts = {e.prompt for e in trained}
    for split in task.splits:
        found = task.draw(split.name, 200, np.random.default_rng(1))
        assert found and not prompts & {e.prompt for e in found}
        assert len({e.id for e in found}) == len(found) and all(e.split == split for e in found)
        assert all(min(task.score(e, f"Answer: {e.truth}").values()) == 1 for e in found)
        assert split.shifted == (split.at["among"] == "held out" or int(str(split.at["k"])) > MOST_TRAINED)


def test_items_of_seeds_differ() -> None:
    task = Mix("own", (1, 2))
    ids = [{e.id for e in own_items(task, "1 skill", 15, seed=s, rng=np.random.default_rng(3))} for s in range(5)]
    assert len(set.union(*ids)) == 75


def test_the_file_of_our_own_skills_is_whole() -> None:
    told = json.loads(Path(skills.__file__).with_name("own.json").read_text(encoding="utf-8"))
    asked = {s["name"] for s in told["skills"]}
    assert not asked & {s["name"] for row in told["shown"] for s in row["skills"]}
    assert not {t["name"] for t in told["topics"]} & {row["topic"] for row in told["shown"]}
    assert all("{t}" in s["fragment"] for s in told["skills"])
