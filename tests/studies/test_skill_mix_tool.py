"""The study's tool as a stranger uses it: from the command line, with files of their own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from unseen import items
from unseen.core.errors import Invalid, Unknown
from unseen.rewards import reward
from unseen.studies.skill_composition import tool
from unseen.studies.skill_composition.speakers import oracle

RUN = CliRunner()


def lines(*words: str) -> list[str]:
    told = RUN.invoke(tool.app, list(words))
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    assert told.exit_code == 0, told.output
    return told.output.splitlines()


def written(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_prompts_are_answered_graded_and_compared(tmp_path: Path, home: Path) -> None:
    rows = [json.loads(line) for line in lines("prompts", "--k", "3", "--n", "4")]
    assert len(rows) == 4 and {len(r["skills"]) for r in rows} == {3}
    said = oracle([r["prompt"] for r in rows], max_new_tokens=9, temperature=0, seed=0, stop=())
    replies = written(tmp_path / "replies.jsonl", [{**r, "text": t} for r, t in zip(rows, said, strict=True)])
    second = [json.loads(line) for line in lines("again", replies)]
    assert all("look over your text" in r["prompt"] for r in second)
    graded = [json.loads(line) for line in lines("grade", replies)]
    assert {r["full"] for r in graded} == {1.0} and "Explanation" not in graded[0]["text"]
    reader = "py:unseen.studies.skill_composition.speakers:reader"
    other = [json.loads(line) for line in lines("grade", replies, "--grader", reader, "--gradings", "3")]
    assert {len(r["gradings"]) for r in other} == {3} and [r["points"] for r in other] == [r["points"] for r in graded]
    files = written(tmp_path / "a.jsonl", graded), written(tmp_path / "b.jsonl", other)
    assert lines("agreement", *files)[0].split() == [
        "skills",
        "agreed",
        "1.000",
        "kappa",
        "1.000",
        "of",
        "12",
        "points",
    ]


def test_the_reward_is_the_score_of_rows_to_train_on(home: Path) -> None:
    rows = [d.row() for d in items.draw("skill_composition/mix_own", n=6, tier="smoke", splits=["train"])]
    said = [f"Answer: {r['truth']}" if i % 2 else "Answer: Bread." for i, r in enumerate(rows)]
    columns = {name: [r[name] for r in rows] for name in ("id", "receipt")}
    assert reward("skill_composition/mix_own")(prompts=[""] * len(rows), completions=said, **columns) == [i % 2 for i in range(len(rows))]  # fmt: skip
    assert {r["at"]["k"] for r in rows} == {1, 2, 3} and not any(r["shifted"] for r in rows)


def test_skills_of_ones_own(tmp_path: Path) -> None:
    mine, topics = tmp_path / "mine.csv", tmp_path / "mine.txt"
    mine.write_text(
        "category,skill,definition,example\nwit,irony,Saying the contrary.,Fine weather.\nwit,pun,A play on words.,\n"
    )
    topics.write_text("Tea\nTrains\n")
    (row,) = (
        json.loads(line)
        for line in lines("prompts", "--k", "2", "--n", "1", "--skills", str(mine), "--topics", str(topics))
    )
    assert (
        row["skills"] == ["irony", "pun"] and "A play on words." in row["prompt"] and row["topic"] in ("Tea", "Trains")
    )
    assert [line.split()[2] for line in lines("skills", "--skills", str(mine))] == ["judged", "judged"]
    texts = written(tmp_path / "t.jsonl", [{**row, "text": "Tea."}])
    with pytest.raises(Invalid, match="name a model as the grader"):
        lines("grade", texts, "--skills", str(mine))


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="alliteration"):
        lines("grade", written(tmp_path / "a", [{"skills": ["aliteration"], "topic": "bread", "text": "x"}]))
    with pytest.raises(Invalid, match="line 1: a row needs"):
        lines("grade", written(tmp_path / "b", [{"skills": ["simile"]}]))
    with pytest.raises(Invalid, match="list of names"):
        lines("grade", written(tmp_path / "c", [{"skills": "simile", "topic": "x", "text": "y"}]))
    row = {"skills": ["simile"], "topic": "x", "text": "y", "points": [1, 1, 1, 1]}
    one, other, bad = (written(tmp_path / n, [r]) for n, r in (("d", row), ("e", {**row, "text": "z"}), ("f", {**row, "points": [1]})))  # fmt: skip
    with pytest.raises(Invalid, match="not of one text"):
        lines("agreement", one, other)
    with pytest.raises(Invalid, match="has 4, each 0 or 1"):
        lines("agreement", bad, bad)
    with pytest.raises(Invalid, match="two sets of skills"):
        tool.stock_of(Path("x.csv"), of_paper=True)
