"""`unseen use inductive_bias` from outside: data of one's own, losses of one's own, and what is wrong with them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from unseen.core.errors import Invalid, Missing, Unknown, UnseenError
from unseen.measures.bias import bits, exact
from unseen.measures.kernels import named
from unseen.measures.posterior import law
from unseen.studies.inductive_bias import reading, tool


def data(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, np.sin(2 * x[:, 0]) + 0.3 * x[:, 1] * x[:, 2]


def npz(folder: Path, **changed: Any) -> Path:
    x, y = data()
    path = folder / "data.npz"
    np.savez(path, **({"x": x, "y": y} | changed))
    return path


def asked(*words: str) -> Any:
    """What the command prints, as JSON. Raises what it raises."""
    done = CliRunner().invoke(tool.app, [*words, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_bits_are_those_of_the_library(tmp_path: Path) -> None:
    found = asked("bits", str(npz(tmp_path)), "--tested", "30", "--scale", "1.5", "--eps", "0.5,0.1", "--seed", "4")
    x, y = data()
    order = np.random.default_rng((4, 0, 0)).permutation(120)
    test, train = order[:30], order[30:]
    middle = y[train].mean()
    wanted = law(named("rbf", scale=1.5), (x[train], y[train] - middle), (x[test], y[test] - middle))
    assert [r["bits"] for r in found] == pytest.approx([exact(wanted, e).bits for e in (0.5, 0.1)])
    assert [r["eps"] for r in found] == [0.5, 0.1]
    assert found[1]["low"] <= found[1]["estimate"] <= found[1]["high"]
    assert found[0]["trained"] == 90


def test_csv_parquet_and_npz_agree(tmp_path: Path) -> None:
    import polars as pl

    x, y = data()
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": y, "c": x[:, 2]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    wanted = asked("bits", str(npz(tmp_path)), "--tested", "20", "--samples", "100")
    for name in ("t.csv", "t.parquet"):
        found = asked("bits", str(tmp_path / name), "--target", "price", "--tested", "20", "--samples", "100")
        assert [r["bits"] for r in found] == pytest.approx([r["bits"] for r in wanted])


def test_words_are_classes_and_draws_have_limits(tmp_path: Path) -> None:
    x, _ = data(200)
    words = np.where(x[:, 0] > 0, "up", "down")
    path = npz(tmp_path, x=x, y=words)
    found = asked("bits", str(path), "--draws", "4", "--tested", "50", "--kernel", "ntk", "--samples", "50")
    assert found[0]["constant"] == pytest.approx(0.25, abs=0.01)
    assert all(r["draws_low"] <= r["bits"] <= r["draws_high"] for r in found)
    assert [r["bits"] for r in found] == sorted(r["bits"] for r in found)
    table = reading.dataset(path, "y")
    assert table.classes == ("down", "up")
    assert (table.y.argmax(1) == (words == "up")).all()
    numbers = reading.dataset(npz(tmp_path, y=np.arange(120) % 3), "y", kind="classes")
    assert numbers.y.shape == (120, 3)


def test_an_error_out_of_reach_says_so(tmp_path: Path) -> None:
    found = asked("bits", str(npz(tmp_path)), "--eps", "1e-30", "--tested", "60", "--limit", "10")
    assert found[0]["state"] == "unreachable"
    assert found[0]["bits"] > 1000
    done = CliRunner().invoke(tool.app, ["bits", str(npz(tmp_path)), "--eps", "1e-30,0.2", "--tested", "60", "--limit", "10", "--draws", "3"])  # fmt: skip
    assert "unreachable" in done.stdout
    assert "10 rows of 3 inputs trained on, 60 tested" in done.stdout
    assert "over draws" in done.stdout


def test_losses_of_ones_own(tmp_path: Path) -> None:
    held = np.random.default_rng(1).gamma(40, 1 / 40, 64)
    (tmp_path / "l.txt").write_text("\n".join(map(str, held)))
    np.savez(tmp_path / "l.npz", loss=held)
    found = asked("losses", str(tmp_path / "l.txt"), "--eps", "0.9,0.4")
    assert found == asked("losses", str(tmp_path / "l.npz"), "--eps", "0.9,0.4")
    assert found[1]["estimate"] == pytest.approx(bits(held, 0.4).bits)
    assert [r["extrapolated"] for r in found] == [False, True]
    done = CliRunner().invoke(tool.app, ["losses", str(tmp_path / "l.txt"), "--fit", "empirical"])
    assert "saturated" in done.stdout
    assert "64 losses" in done.stdout


BAD: list[tuple[dict[str, Any], list[str], type[UnseenError], str]] = [
    ({"x": np.where(np.eye(120, 3) == 1, np.nan, 1.0)}, [], Invalid, "row 0 of the inputs"),
    ({"y": np.append(np.zeros(119), np.inf)}, [], Invalid, "row 119 of the targets"),
    ({"y": np.ones(120)}, [], Invalid, "the same target"),
    ({"y": np.full(120, "a")}, [], Invalid, "the same target"),
    ({"y": np.ones(7)}, [], Invalid, "as many"),
    ({"x": np.array([["a"] * 3] * 120)}, [], Invalid, "no numbers"),
    ({}, ["--eps", "0"], Invalid, "--eps 0"),
    ({}, ["--eps", "-1,0.1"], Invalid, "--eps -1"),
    ({}, ["--eps", "nan"], Invalid, "--eps nan"),
    ({}, ["--eps", "some"], Invalid, "--eps some"),
    ({}, ["--tested", "119"], Invalid, "1 are left"),
    ({}, ["--kernel", "rbd"], Invalid, "rbf, matern"),
    ({}, ["--scale", "wide"], Invalid, "--scale wide"),
    ({}, ["--scale", "-1"], Invalid, "above 0"),
    ({}, ["--kind", "words"], Invalid, "classes, values or auto"),
]


@pytest.mark.parametrize(("changed", "words", "kind", "said"), BAD)
def test_what_is_wrong_is_named(
    tmp_path: Path, changed: dict[str, Any], words: list[str], kind: type[UnseenError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        asked("bits", str(npz(tmp_path, **changed)), *words)


def test_more_rows_than_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "memory_gb", lambda: 2e-4)
    with pytest.raises(Invalid, match="draw fewer with --limit"):
        asked("bits", str(npz(tmp_path)), "--tested", "10")
    assert asked("bits", str(npz(tmp_path)), "--tested", "10", "--limit", "40")[0]["trained"] == 40
    monkeypatch.undo()
    assert 0 < tool.memory_gb() < math.inf


def test_files_that_are_no_data_are_refused(tmp_path: Path) -> None:
    (tmp_path / "gap.csv").write_text("a,y\n1,1\n2,2\n")
    with pytest.raises(Unknown, match=r"no column 'prize'.*--target"):
        asked("bits", str(tmp_path / "gap.csv"), "--target", "prize")
    with pytest.raises(Missing, match="there is no file"):
        asked("losses", str(tmp_path / "none.txt"))
    (tmp_path / "l.txt").write_text("1.0\nx\n")
    with pytest.raises(Invalid, match="no number"):
        asked("losses", str(tmp_path / "l.txt"))
    (tmp_path / "few.txt").write_text("1.0\n2.0\n")
    with pytest.raises(Invalid, match="at least 8"):
        asked("losses", str(tmp_path / "few.txt"))
    with pytest.raises(Unknown, match="name the losses'"):
        asked("losses", str(npz(tmp_path)))


def test_the_command_runs_by_itself(tmp_path: Path) -> None:
    """As a user would: a fresh process, a table, and an exit code of 2 for a mistake."""
    command = [sys.executable, "-m", "unseen", "use", "inductive_bias", "bits", str(npz(tmp_path)), "--tested", "20"]
    environment = {**os.environ, "UNSEEN_HOME": str(tmp_path / "home")}
    done = subprocess.run([*command, "--samples", "50"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "exact bits" in done.stdout
    wrong = subprocess.run([*command, "--eps", "0"], capture_output=True, text=True, env=environment)
    assert wrong.returncode == 2
    assert "--eps 0" in wrong.stderr + wrong.stdout
    assert "Traceback" not in wrong.stderr
