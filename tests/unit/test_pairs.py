"""Two logs side by side: what is paired, what is said of the rest, and which pairs are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_logs import INSPECT, logged, sample
from scipy import stats as oracle

import unseen as library
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.logs.pairs import paired

A = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]
B = [1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]


def pair(folder: Path, a: list[Any], b: list[Any], **more: Any) -> tuple[str, str]:
    logged(folder / "a", a, **more)
    logged(folder / "b", b, **more)
    return str(folder / "a"), str(folder / "b")


def test_lm_eval_logs_by_hand(tmp_path: Path) -> None:
    """12 shared documents, 7 that B alone got right and 1 that A alone did: p = 2·(1 + 8)/2⁸, difference 6/12."""
    a = [sample(i, acc=float(v), metrics=["acc", "loss"], loss=0.1 * i) for i, v in enumerate(A)]
    b = [sample(i, acc=float(v), metrics=["acc", "loss"], loss=0.1 * i + 0.01 * i**1.5) for i, v in enumerate(B)]
    told = library.compare(*pair(tmp_path, a, list(reversed(b))))
    right, loss = told.differences
    assert (right.what, right.split, right.n, right.unit) == ("sums: acc", "all", 12, "item")
    assert (right.won, right.lost, right.mcnemar) == (7, 1, 2 * 9 / 256) and right.p >= 2 * 9 / 256
    assert right.estimate == pytest.approx(0.5) and right.low <= 0 < right.high
    d = [0.01 * i**1.5 for i in range(12)]
    t = oracle.ttest_1samp(d, 0)
    assert loss.estimate == pytest.approx(sum(d) / 12) and loss.mcnemar is None
    # the wider of Student's interval and Hall's, so no surer than the t test
    assert loss.p >= t.pvalue and loss.low <= t.confidence_interval(0.95).low and loss.p < 0.05
    assert right.holm == pytest.approx(max(right.p, 2 * loss.p)) and loss.holm == pytest.approx(2 * loss.p)
    assert not told.notes and told.first.endswith("(org/model)")


def test_lost_items_and_other_versions_are_said(tmp_path: Path) -> None:
    logged(tmp_path / "a", [sample(i) for i in range(6)])
    b = [sample(i, prompt_hash="f" * 64, target_hash="e" * 64 if i == 4 else f"{i:064x}") for i in range(2, 9)]
    logged(tmp_path / "b", b, versions={"sums": 2.0}, **{"n-shot": {"sums": 0}})
    told = library.compare(str(tmp_path / "a"), str(tmp_path / "b"))
    assert told.differences[0].n == 4
    assert told.notes == [
        "sums: not asked alike: version 1.0 in A, 2.0 in B.",
        "sums: not asked alike: shots 5 in A, 0 in B.",
        "sums: the prompts of 4 of 4 shared items are not the same in A and B.",
        "sums: the right answers of 1 of 4 shared items are not the same in A and B.",
        "sums: acc on lm-eval, all: 4 items are shared by A (6) and B (7); only shared ones are compared.",
    ]


def test_tasks_of_one_side_alone(tmp_path: Path) -> None:
    first, second = pair(tmp_path, [sample(0), sample(1)], [sample(0), sample(1)])
    logged(tmp_path / "a", [sample(0)], task="more")
    told = library.compare(first, second)
    assert [d.what for d in told.differences] == ["sums: acc"]
    assert "more: only A holds it, so nothing is compared." in told.notes
    with pytest.raises(Unknown, match=r"--study sum: the logs share no such task; the nearest is sums"):
        paired(first, second, ["sum"])


def test_one_task_of_each_under_two_names_is_paired_by_document(tmp_path: Path) -> None:
    logged(tmp_path / "a", [sample(0), sample(1)])
    logged(tmp_path / "b", [sample(0), sample(1)], task="sums_cot")
    told = library.compare(str(tmp_path / "a"), str(tmp_path / "b"))
    assert told.differences[0].what == "sums | sums_cot: acc" and "A is of the task sums and B of sums_cot" in told.notes[0]  # fmt: skip


def test_measures_of_one_side_alone(tmp_path: Path) -> None:
    told = library.compare(*pair(tmp_path, [sample(0), sample(1)], [sample(i, metrics=["acc", "f"], f=1) for i in (0, 1)]))  # fmt: skip
    assert told.notes == ["sums: f was measured of B alone."]


def test_no_shared_item_is_a_mistake(tmp_path: Path) -> None:
    first, second = pair(tmp_path, [sample(0)], [sample(1)])
    with pytest.raises(Invalid, match="share no item: not one question of A was asked of B"):
        paired(first, second)
    logged(tmp_path / "c", [sample(0)], task="other")
    logged(tmp_path / "c", [sample(0)], task="third")
    with pytest.raises(Invalid, match="share no task: A holds sums, B holds other, third"):
        paired(first, str(tmp_path / "c"))


def test_inspect_logs_by_hand() -> None:
    """A 1101001(1), B 1111011: B alone is right on two of seven, A alone on none, p = 2·(1/2)² = .5."""
    told = library.compare(str(INSPECT / "one"), str(INSPECT / "two"))
    by = {d.what: d for d in told.differences}
    match = by["sums: match"]
    assert (match.n, match.won, match.lost, match.mcnemar) == (7, 2, 0, 0.5) and match.estimate == pytest.approx(2 / 7)
    close = by["sums: parts/close"]
    t = oracle.ttest_1samp([0, 0, 0.75, 0, 0, 0.75, 0], 0)
    assert close.p == pytest.approx(t.pvalue) and close.low == pytest.approx(t.confidence_interval(0.95).low)
    assert close.mcnemar is None
    assert "sums: not asked alike: version 1 in A, 2 in B." in told.notes
    assert "chats: in B, 4 samples of 2 items: the mean over epochs is compared." in told.notes


def test_kinds_are_not_mixed(tmp_path: Path) -> None:
    logged(tmp_path / "a", [sample(0)])
    first = str(tmp_path / "a")
    for second, why in (
        (str(INSPECT / "one"), "is a log of lm-eval and .* is a log of inspect; two logs of one kind"),
        ("smollm2", "is a log of lm-eval and smollm2 is a model"),
    ):
        with pytest.raises(Invalid, match=why):
            paired(first, second)
    with pytest.raises(Missing, match=r"there is no file or folder nowhere, and no model is named so\. A log is"):
        paired(first, "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(Missing, match=r"empty is no log that can be compared\. A log is"):
        paired(first, str(tmp_path / "empty"))
    assert paired("smollm2", "hf:org/name") is None and paired("nowhere", "smollm2") is None


def test_the_command_line_shows_hostile_names_inert(unseen: Any, tmp_path: Path) -> None:
    rows = [[sample(i, metrics=["\x1b[31m<b>[red]"], **{"\x1b[31m<b>[red]": v}) for i, v in enumerate(x)] for x in (A, B)]  # fmt: skip
    first, second = pair(tmp_path, *rows)
    said = unseen("compare", first, second)
    assert said.code == 0 and "\x1b" not in said.out and "⟨001B⟩[31m<b>[red]" in said.out and "0.0703" in said.out
    told = json.loads(unseen("compare", first, second, "--json").out)
    assert told["differences"][0]["mcnemar"] == 2 * 9 / 256 and told["a"].endswith("(org/model)")
    (tmp_path / "b" / "org__model").joinpath("samples_sums_2026-08-01T12-00-00.123456.jsonl").write_text('{"doc_id": 0')
    said = unseen("compare", first, second)
    assert said.code == 2 and "line 1 is no JSON" in said.err
