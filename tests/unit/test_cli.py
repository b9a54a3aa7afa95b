"""Every verb, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHORT, RIGHT = "py:answering:short", "py:answering:right"


def told(said: Any) -> Any:
    """The JSON that a command printed."""
    assert said.code == 0, said.err
    return json.loads(said.out)


def mistake(said: Any) -> str:
    """The one paragraph of a user's mistake."""
    assert said.code == 2, (said.code, said.out, said.err)
    assert "Traceback" not in said.err
    assert said.err.strip(), "a mistake says what it is"
    return said.err


# list, show, plan


def test_list_names_studies_and_axes(unseen: Any) -> None:
    assert {"echo", "brief_training"} <= {s["slug"] for s in told(unseen("list", "--json"))}
    line = next(line for line in unseen("list").out.splitlines() if line.startswith("echo"))
    assert "2024" in line and "length" in line and "3 claims" in line and "takes a model" in line
    assert "echo" in unseen("list", "--axis", "length").out
    assert "the nearest is length" in mistake(unseen("list", "--axis", "lenght"))


def test_show_prints_sheet_claims_and_departures(unseen: Any) -> None:
    said = unseen("show", "echo")
    assert "below -0.1" in said.out and "the paper asks in Esperanto; we ask in English." in said.out
    found = told(unseen("show", "echo", "--json"))
    assert [c["id"] for c in found["claims"]] == ["C1", "C2", "C3"]
    (departure,) = found["departures"]
    assert departure.startswith("trial.py:") and departure.endswith(": the paper asks in Esperanto; we ask in English.")


def test_plan_prices_trials_without_measuring(unseen: Any, home: Path) -> None:
    found = told(unseen("plan", "brief_training", "--tier", "smoke", "--set", "width=16,32", "--json"))
    assert len(found["trials"]) == 4 and found["minutes"] == pytest.approx(4 * 20 / 2_000)
    assert not any(t["measured"] for t in found["trials"]) and not (home / "trials").exists()
    assert "4 trials" in unseen("plan", "brief_training", "--tier", "smoke", "--set", "width=16,32").out


# run


def test_run_measures_once_and_says_what_is_kept(unseen: Any) -> None:
    words = ("run", "echo", "--tier", "laptop", "--model", SHORT, "--json")
    first = unseen(*words)
    assert {v["id"]: v["status"] for v in told(first)["verdicts"]} == {
        "C1": "supported",
        "C2": "supported",
        "C3": "untested",  # no untrained model was asked
    }
    assert "5 of 5 trials to measure" not in first.err, "with --json nothing but errors is said beside it"
    again = unseen("run", "echo", "--tier", "laptop", "--model", SHORT)
    assert "0 of 5 trials to measure" in again.err and "exploratory" in again.out
    assert all(t["measured"] for t in told(unseen("plan", "echo", "--model", SHORT, "--json"))["trials"])


def test_run_takes_the_flags_of_the_ecosystem_however_they_are_spelled(unseen: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("--num_fewshot=2", "--limit", "6", "--output_path", out, "--log-samples", "--batch-size", "auto")
    found = told(unseen("run", "echo", "--tier", "smoke", "--model", RIGHT, *flags, "--json"))
    assert sorted(Path(p).name for p in found["written"]) == [
        "items.parquet",
        "results.json",
        "rows.parquet",
        "samples_echo.jsonl",
    ]
    samples = [json.loads(line) for line in (out / "samples_echo.jsonl").read_text().splitlines()]
    assert len(samples) == 3 * 6 and samples[0]["prompt"].count("Repeat:") == 3
    assert samples[0]["setting"]["num_fewshot"] == 2
    assert json.loads((out / "results.json").read_text())["exploratory"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "brief_training", "--limit", "5"), "no setting of brief_training has a field 'limit'"),
        (("run", "echo", "--dtype", "bfloat16"), "no setting of echo has a field 'dtype'"),
        (("run", "echo", "--apply_chat_template"), "no setting of echo has a field 'apply_chat_template'"),
        (("run", "echo", "--set", "limit=wide"), "--set limit=wide: limit takes a whole number"),
        (("run", "echo", "--set", "limt=3"), "the nearest is limit"),
        (("run", "echo", "--set", "limit"), "write FIELD=VALUE"),
        (("run", "brief_training", "--set", "symbols=unike"), "one of unique, repeat"),
        (("run", "echo", "--seeds", "0"), "from 1 to 100,000 seeds"),
        (("run", "echo", "--seeds", "many"), "valid integer"),
        (("run", "echoes"), "no study is called 'echoes'; the nearest is echo"),
        (("run", "echo", "--tier", "giant"), "the tiers are smoke, laptop, paper"),
        (("run", "echo", "--on", "nowhere"), "use here, procs:N with N processes"),
        (("run", "echo", "--on", "procs:0"), "use here, procs:N with N processes"),
        (("run", "echo", "--batch-size", "0"), "write auto, or a whole number from 1"),
        (("run", "echo", "--device", "tpu"), "write cpu, cuda, cuda:1 or mps"),
        (("run", "echo", "--log-samples"), "--output-path"),
        (("run", "echo", "--shots", "3"), "No such option"),
        (("run", "echo", "--model", "gpt"), "no kind of model is named so"),
        (("run", "echo", "--model", "py:nowhere:f"), "the module nowhere cannot be imported"),
        (("run", "echo", "--model", "py:answering:f"), "answering has no function f"),
        (("run", "echo", "--model", "replay:none.jsonl"), "there is no such file"),
        (("run", "brief_training", "--model", SHORT), "takes no model"),
        (("judge", "echo"), "nothing of this plan is measured yet; `unseen run echo --tier laptop` measures it"),
        (("report",), "nothing is measured yet"),
        (("card", SHORT, "--out", "card.pdf"), "a card is written as .html, .md, .json"),
        (("card", SHORT, "--set", "limt=3"), "no study that takes a model has a field 'limt'; the nearest is limit"),
        (("compare", SHORT, RIGHT, "--study", "ech"), "the nearest is echo"),
        (("data", "echo/wrds"), "echo has no task 'wrds'; the nearest is words"),
        (("data", "echo", "--split", "4 letters"), "no such split"),
        (("data", "brief_training"), "draws no items of its own"),
        (("data", "echo", "--to", "xml"), "the formats are jsonl, parquet, hf"),
        (("data", "echo", "--to", "hf"), "say where with --out"),
        (("score", "echo", "none.jsonl"), "there is no file none.jsonl"),
        (("use", "brief_training"), "brief_training has no tool.py"),
        (("use", "echo", "a1"), "'a1' is no word"),
        (("export", "echo", "--to", "pdf"), "the formats are csv, parquet, lm-eval, checkpoints"),
        (("export", "echo", "--to", "csv"), "nothing of this plan is measured yet"),
        (("export", "echo", "--to", "checkpoints"), "no trained model is kept"),
        (("new", "My Study"), "'My Study' is no slug"),
        (("new", "echo"), "there is a study called echo already"),
        (("new", "mine", "--from", "ecko"), "the nearest is echo"),
        (("validate", "ecko"), "the nearest is echo"),
    ],
)  # fmt: skip
def test_mistakes_get_one_paragraph_and_exit_2(unseen: Any, words: tuple[str, ...], says: str) -> None:
    assert says in " ".join(mistake(unseen(*words)).split())


def test_a_store_that_is_a_file_is_a_mistake(unseen: Any, home: Path) -> None:
    home.write_text("no folder")
    assert "is a file, not a folder" in mistake(unseen("run", "echo", "--tier", "smoke", "--model", SHORT))


def test_sweeps_are_judged_once_for_each_combination(unseen: Any) -> None:
    found = told(unseen("run", "echo", "--model", SHORT, "--set", "limit=20,30", "--seeds", "3", "--json"))
    assert found["exploratory"] is True
    assert [(v["id"], v["why"].split("]")[0]) for v in found["verdicts"]] == [
        (c, f"[limit={n}") for n in (20, 30) for c in ("C1", "C2", "C3")
    ]


def test_the_own_plan_stands_beside_a_changed_one(unseen: Any) -> None:
    assert unseen("run", "brief_training", "--tier", "smoke").code == 0
    changed = told(unseen("run", "brief_training", "--tier", "smoke", "--set", "width=32", "--json"))
    assert [v["id"] for v in changed["own_plan"]] == ["C1", "C2"]
    assert "own plan" in unseen("judge", "brief_training", "--tier", "smoke", "--set", "width=32").out


def test_two_processes_find_what_one_finds(unseen: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("run", "brief_training", "--tier", "smoke", "--json")
    here = told(unseen(*words))
    monkeypatch.setenv("UNSEEN_HOME", str(home) + "-procs")
    there = told(unseen(*words, "--on", "procs:2"))
    assert here["verdicts"] == there["verdicts"]
    assert [t["key"] for t in here["trials"]] == [t["key"] for t in there["trials"]]


def test_a_failed_trial_stops_only_itself(unseen: Any) -> None:
    said = unseen("run", "brief_training", "--tier", "smoke", "--set", "width=15,16", "--seeds", "2", "--json")
    assert said.code == 2 and "Traceback" not in said.err, "a width that heads do not divide is the user's to mend"
    found = json.loads(said.out)
    assert len(found["failed"]) == 2 and len(found["absent"]) == 2
    assert "Try them again: unseen run brief_training --tier smoke --set width=15,16 --seeds 2" in said.err


def test_a_model_that_falls_over_is_a_failure_with_its_words(unseen: Any) -> None:
    said = unseen("run", "echo", "--tier", "smoke", "--model", "py:answering:broken")
    assert said.code == 1 and "the model fell over" in said.err and "Traceback" not in said.err
    card = unseen("card", "py:answering:broken", "--tier", "smoke")
    assert card.code == 1 and "the model fell over" in card.out


def test_several_studies_are_one_json_array(unseen: Any) -> None:
    found = told(unseen("run", "echo", "brief_training", "--tier", "smoke", "--seeds", "1", "--json"))
    assert [f["study"] for f in found] == ["echo", "brief_training"]


def test_all_with_a_model_means_the_studies_that_take_one(unseen: Any) -> None:
    found = told(unseen("run", "all", "--tier", "smoke", "--model", "py:answering:right", "--set", "limit=3", "--json"))
    assert "brief_training" not in [f["study"] for f in (found if isinstance(found, list) else [found])]


def test_ctrl_c_prints_the_command_that_goes_on(unseen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen import driver

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(driver, "measure", stopped)
    said = unseen("run", "echo", "--tier", "smoke", "--fresh", "--set", "limit=5")
    assert said.code == 130
    assert said.err.strip().endswith("Go on with: unseen run echo --tier smoke --set limit=5")
    assert unseen("card", SHORT).code == 130


def test_what_nobody_foresaw_is_kept_in_a_file(unseen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.core import find

    monkeypatch.setattr(find, "slugs", lambda: 1 / 0)
    said = unseen("list")
    assert said.code == 1 and "Traceback" not in said.err and "ZeroDivisionError" in said.err
    kept = Path(said.err.split("report it with ")[1].strip().rstrip("."))
    assert "Traceback" in kept.read_text()
    kept.unlink()


# judge, report


def test_judge_records_only_the_own_plan(unseen: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "results"
    assert unseen("run", "brief_training", "--tier", "smoke").code == 0
    found = told(unseen("judge", "brief_training", "--tier", "smoke", "--record", ledger, "--json"))
    names = sorted(Path(p).name for p in found["written"])
    assert names == ["smoke.json", "smoke.parquet", "smoke.svg"] and all(Path(p).is_file() for p in found["written"])
    kept = json.loads((ledger / "brief_training" / "smoke.json").read_text())
    assert [v["status"] for v in kept["verdicts"]] == [v["status"] for v in found["verdicts"]]
    assert unseen("run", "brief_training", "--tier", "smoke", "--seeds", "2").code == 0
    changed = unseen("judge", "brief_training", "--tier", "smoke", "--seeds", "2", "--record", ledger)
    assert "never enter the ledger" in mistake(changed)


def test_report_is_one_file_with_card(unseen: Any, tmp_path: Path) -> None:
    unseen("run", "echo", "--tier", "smoke", "--model", SHORT)
    unseen("card", SHORT, "--tier", "smoke")
    out = tmp_path / "deep" / "report.html"
    said = unseen("report", "echo", "--tier", "smoke", "--model", SHORT, "--card", SHORT, "--out", out)
    assert said.code == 0 and str(out) in said.out
    page = out.read_text()
    assert "exploratory" in page and "model card" in page and "Echo: Can Models Repeat &lt;Long&gt;" in page
    assert told(unseen("report", "--tier", "smoke", "--model", SHORT, "--out", out, "--json")) == {
        "written": [str(out)]
    }


# card, compare


def test_card_has_the_promised_shape(unseen: Any, tmp_path: Path) -> None:
    found = told(unseen("card", SHORT, "--json"))
    assert {"model", "tier", "axes"} <= set(found) and found["model"] == SHORT and found["tier"] == "laptop"
    (profile,) = found["axes"]["length"]
    assert {"study", "reference", "shifted", "gap", "n", "evidence", "curve"} <= set(profile)
    assert set(profile["gap"]) == {"estimate", "low", "high"}
    assert profile["gap"]["estimate"] == -1.0 and profile["reference"]["estimate"] == 1.0 and profile["n"] == 80
    assert profile["gap"]["low"] <= -1 + 1e-9 and -1 < profile["gap"]["high"] < -0.8
    for name, words in (("c.html", "<h1>"), ("c.md", "| echo: exact |"), ("c.json", '"axes"')):
        assert unseen("card", SHORT, "--out", tmp_path / name).code == 0
        assert words in (tmp_path / name).read_text()


def test_a_model_that_cannot_be_had_is_refused_before_the_other_is_measured(unseen: Any, home: Path) -> None:
    assert "--model '': no kind of model" in mistake(unseen("card", SHORT, "--against", ""))
    assert "nowhere" in mistake(unseen("compare", SHORT, "py:nowhere:f"))
    assert not (home / "trials").exists()


def test_card_against_another_model_is_paired(unseen: Any) -> None:
    (profile,) = told(unseen("card", SHORT, "--against", RIGHT, "--json"))["axes"]["length"]
    assert profile["change"]["shifted"]["estimate"] == -1.0 and profile["change"]["reference"]["estimate"] == 0.0
    assert profile["change"]["p"] < 1e-6
    assert "against py:answering:right" in unseen("card", SHORT, "--against", RIGHT).out


def test_card_flags_reach_settings(unseen: Any) -> None:
    (profile,) = told(unseen("card", SHORT, "--limit", "7", "--num-fewshot", "1", "--json"))["axes"]["length"]
    assert profile["n"] == 14


def test_compare_models_and_folders(unseen: Any, tmp_path: Path) -> None:
    found = told(unseen("compare", SHORT, RIGHT, "--tier", "smoke", "--json"))
    long = [d for d in found["differences"] if "exact" in d["what"] and d["split"] == "7 letters"]
    assert long[0]["estimate"] == 1.0 and long[0]["n"] == 16 and long[0]["p"] == pytest.approx(2 * 0.5**16)
    for name, model in (("a", SHORT), ("b", RIGHT)):
        unseen("run", "echo", "--tier", "smoke", "--model", model, "--output-path", tmp_path / name)
    folders = told(unseen("compare", tmp_path / "a", tmp_path / "b", "--json"))
    assert [d["estimate"] for d in folders["differences"]] == [d["estimate"] for d in found["differences"]]
    assert "there is no file or folder b" in mistake(unseen("compare", tmp_path / "a", "b"))
    unseen("run", "brief_training", "--tier", "smoke", "--seeds", "1", "--output-path", tmp_path / "c")
    assert "two runs of one study" in mistake(unseen("compare", tmp_path / "a", tmp_path / "c"))
    (tmp_path / "a" / "results.json").write_text("{")
    assert unseen("compare", tmp_path / "a", tmp_path / "b").code == 1


# data, score, use


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a jsonl file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_data_carries_receipts_and_score_judges_answers(unseen: Any, tmp_path: Path) -> None:
    items, answers = tmp_path / "items.jsonl", tmp_path / "answers.jsonl"
    assert unseen("data", "echo/words", "--n", "12", "--out", items).code == 0
    rows = rows_of(items)
    assert len(rows) == 36 and len({r["id"] for r in rows}) == 36
    assert set(rows[0]["receipt"]) == {"study", "version", "setting", "task", "split", "n", "seed"}
    assert {r["split"]: r["shifted"] for r in rows} == {"3 letters": False, "5 letters": True, "7 letters": True}
    assert rows == [json.loads(line) for line in unseen("data", "echo", "--n", "12").out.splitlines()]
    answers.write_text("".join(json.dumps({**r, "answer": r["truth"][:4]}) + "\n" for r in rows))
    found = told(unseen("score", "echo", answers, "--json"))
    means = {(s["measure"], s["split"]): s["value"] for s in found["scores"]}
    assert means[("exact", "3 letters")] == 1.0 and means[("exact", "7 letters")] == 0.0
    assert means[("first", "7 letters")] == 1.0 and found["notes"] == []
    answers.write_text("".join(json.dumps({**r, "answer": r["truth"]}) + "\n" for r in rows[:30]))
    said = unseen("score", "echo", answers)
    assert said.code == 0 and "7 letters: 6 of 12 items have an answer" in said.out


def test_data_as_parquet_and_datasets(unseen: Any, tmp_path: Path) -> None:
    import polars as pl

    assert unseen("data", "echo", "--n", "5", "--to", "parquet", "--out", tmp_path / "i.parquet").code == 0
    frame = pl.read_parquet(tmp_path / "i.parquet")
    assert frame.height == 15
    frame.with_columns(pl.col("truth").alias("answer")).write_parquet(tmp_path / "a.parquet")
    found = told(unseen("score", "echo", tmp_path / "a.parquet", "--json"))
    assert {s["value"] for s in found["scores"]} == {1.0}
    datasets = pytest.importorskip("datasets")
    assert unseen("data", "echo", "--n", "4", "--split", "train", "--to", "hf", "--out", tmp_path / "hf").code == 0
    kept = datasets.load_from_disk(str(tmp_path / "hf"))
    assert kept["train"].num_rows == 4 and json.loads(kept["train"][0]["receipt"])["split"] == "train"


def test_the_training_split_is_neither_reference_nor_shifted(unseen: Any) -> None:
    rows = [json.loads(line) for line in unseen("data", "echo", "--n", "3", "--split", "train").out.splitlines()]
    assert len(rows) == 3 and all(len(r["truth"]) == 2 and not r["shifted"] for r in rows)
    assert rows != [
        json.loads(line)
        for line in unseen("data", "echo", "--n", "3", "--split", "train", "--seed", "1").out.splitlines()
    ]


def test_bad_predictions_are_named_by_line(unseen: Any, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in unseen("data", "echo", "--n", "2", "--split", "3 letters").out.splitlines()]
    good = {**rows[0], "answer": "abc"}
    receipt = good["receipt"]

    def said(*lines: object, raw: bytes | None = None) -> str:
        path = tmp_path / "p.jsonl"
        path.write_bytes(raw if raw is not None else "".join(json.dumps(line) + "\n" for line in lines).encode())
        return mistake(unseen("score", "echo", path))

    assert "holds no rows" in said()
    assert "line 1 is no JSON" in said(raw=b"{\n")
    assert "not UTF-8" in said(raw=b"\xff\xfe\n")
    assert "line 2 holds id" in said(good, {"id": "a"})
    assert "line 1 holds list" in said([1])
    assert "answer int" in said({**good, "answer": 3})
    assert "no item 'zz' is drawn by its receipt" in said({**good, "id": "zz"})
    assert "was answered on line 1 already" in said(good, good)
    assert "n='many'" in said({**good, "receipt": {**receipt, "n": "many"}})
    assert "n=-1" in said({**good, "receipt": {**receipt, "n": -1}})
    assert "lacks or misspells 'seed'" in said({**good, "receipt": {k: v for k, v in receipt.items() if k != "seed"}})
    assert "version 7" in said({**good, "receipt": {**receipt, "version": 7}})
    assert "is none of words" in said({**good, "receipt": {**receipt, "task": "wrds"}})
    assert "split '9 letters' is none of" in said({**good, "receipt": {**receipt, "split": "9 letters"}})
    assert "names the setting 'Other'" in said({**good, "receipt": {**receipt, "setting": {"setting": "Other"}}})
    (tmp_path / "p.parquet").write_bytes(b"no parquet")
    assert "cannot be read as parquet" in mistake(unseen("score", "echo", tmp_path / "p.parquet"))


def test_use_runs_the_tool_of_a_study(unseen: Any) -> None:
    assert unseen("use", "echo", "abc", "--upper_case").out == "ABC 3\n"
    assert "how many letters" in unseen("use", "echo", "--help").out


# export, new, validate, doctor


def test_export_tables(unseen: Any, tmp_path: Path) -> None:
    import polars as pl

    unseen("run", "echo", "--tier", "smoke", "--model", SHORT)
    for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet)):
        words = (
            "export",
            "echo",
            "--tier",
            "smoke",
            "--model",
            SHORT,
            "--to",
            kind,
            "--out",
            tmp_path / kind,
            "--json",
        )
        written = told(unseen(*words))["written"]
        assert sorted(Path(p).name for p in written) == [f"items.{kind}", f"rows.{kind}"]
        assert (
            read(tmp_path / kind / f"rows.{kind}").height == 6 and read(tmp_path / kind / f"items.{kind}").height == 96
        )


def test_export_checkpoints_that_transformers_opens(unseen: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    unseen("run", "brief_training", "--tier", "smoke", "--seeds", "2")
    words = ("--tier", "smoke", "--seeds", "2", "--to", "checkpoints", "--out", tmp_path / "kept", "--json")
    written = told(unseen("export", "brief_training", *words))["written"]
    assert len(written) == 4 and {Path(p).name for p in written} == {"seed-0", "seed-1"}
    opened = transformers.AutoModelForCausalLM.from_pretrained(written[0])
    assert opened.config.n_embd == 16


def test_new_studies_pass_from_the_start(unseen: Any) -> None:
    said = unseen("new", "straight_lines")
    assert said.code == 0 and "unseen validate straight_lines" in said.out
    found = told(unseen("validate", "straight_lines", "--json"))
    assert found["passed"], [c for c in found["checks"] if not c["passed"]]
    assert unseen("new", "my_echo", "--from", "echo").code == 0
    copied = told(unseen("validate", "my_echo", "--json"))
    assert copied["passed"], [c for c in copied["checks"] if not c["passed"]]
    assert "My echo, after: Echo" in unseen("list").out
    assert unseen("run", "straight_lines", "--tier", "smoke").code == 0


def test_validate_finds_what_is_wrong(unseen: Any) -> None:
    unseen("new", "straight_lines")
    sheet = Path("studies/straight_lines/sheet.md")
    sheet.write_text("# Nothing\n")
    said = unseen("validate", "straight_lines")
    assert said.code == 1 and "FAIL the sheet says question, method, departures, sources" in said.out


def test_doctor_tells_versions_folders_and_what_is_missing(unseen: Any, home: Path) -> None:
    found = told(unseen("doctor", "--json"))
    assert found["this machine"]["python"] == sys.version.split()[0]
    assert str(home) in found["folders"]["UNSEEN_HOME"] and found["packages"]["numpy"]
    assert "UNSEEN_STUDIES" in unseen("doctor").out


def test_version_and_module() -> None:
    done = subprocess.run([sys.executable, "-m", "unseen", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("unseen ")


# any words at all

WORD = st.one_of(
    st.sampled_from(["echo", "brief_training", "all", "--set", "--seeds", "limit=3", "--json", "--tier", "smoke", "--n", "1", "--axis", "-"]),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verb=st.sampled_from(["list", "show", "plan", "judge", "report", "data", "score", "export"]),
    words=st.lists(WORD, max_size=4),
)
def test_no_words_print_a_traceback(unseen: Any, verb: str, words: list[str]) -> None:
    said = unseen(verb, *words)
    assert said.code in (0, 2), (verb, words, said)
    assert "Traceback" not in said.out + said.err and "This should not happen" not in said.err


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["limit", "num_fewshot", "lengths", "model", "width"]), value=st.text(max_size=16))
def test_no_swept_value_prints_a_traceback(unseen: Any, field: str, value: str) -> None:
    said = unseen("plan", "echo", "--tier", "smoke", "--set", f"{field}={value}", "--json")
    assert said.code in (0, 2) and "Traceback" not in said.err and "This should not happen" not in said.err, said
