"""Every rule of a study catches what breaks it: a copy of the template with one thing wrong fails just that rule."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest

from unseen import conformance
from unseen.core.record import Records, Row

LINE = Path("studies/straight_line")


@pytest.fixture
def line(unseen: Any) -> Path:
    """A study made from the template."""
    assert unseen("new", "straight_line").code == 0
    return LINE


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def why(name: str) -> str:
    """What a rule says of the study; "" where it is kept."""
    return conformance.one(name, "straight_line").why


BREAKS = [
    ("study.py imports nothing heavy", "study.py", "from dataclasses import", "import scipy.stats\nfrom dataclasses import", "scipy.stats"),
    ("study.py imports nothing heavy", "study.py", "from dataclasses import", "import nothing_there\nfrom dataclasses import", "nothing_there"),
    ("the slug comes from the title", "study.py", '"Straight line"', '"Curved lines"', "'straight' does not stand in the title"),
    ("claim ids are well formed", "study.py", '"C2"', '"second"', "second are not of the form C1"),
    ("there are controls, and preconditions where splits are shifted", "study.py", 'kind="control"', 'kind="audit"', "there is no control"),
    ("there are controls, and preconditions where splits are shifted", "study.py", "given=((", "where='', given=() and ((", "C1 speak of shifted splits"),
    ("every tier can be planned", "study.py", "minutes=0.05", "minutes=4", "needs 20 minutes at tier laptop; 15 are the most"),
    ("the sheet says question, method, departures, sources", "sheet.md", "Sources", "Origins", "says nothing of sources"),
    ("files are short", "study.py", "@dataclass", "\n" * 150 + "@dataclass", "150 at most"),
    ("only settings() knows tiers", "trial.py", "    rng = ", "    if tier == 'smoke':\n        return\n    rng = ", "trial.py asks for the tier"),
    ("modules and public functions have docstrings", "trial.py", '    """Yield', '    _ = """Yield', "run has no docstring"),
    ("the paper tier's code path runs", "study.py", "    rehearse=rehearse,\n", "", "there is no `rehearse`"),
    ("the paper tier's code path runs", "trial.py", "    rng = lab.rng", "    rng = lab.random", "no attribute 'random'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "says"), BREAKS, ids=[f"{n[0]}-{i}" for i, n in enumerate(BREAKS)]
)
def test_a_rule_finds_what_breaks_it(line: Path, name: str, file: str, old: str, new: str, says: str) -> None:
    change(line / file, old, new)
    assert says in why(name)


def test_the_template_keeps_every_rule(line: Path) -> None:
    made = conformance.checked("straight_line")
    assert [c.name for c in made if not c.passed] == []
    assert len(made) == len(conformance.STATIC) + 1 + len(conformance.MEASURED) + len(conformance.REHEARSED)


def test_smoke_rows_are_compared_by_identity_and_range(line: Path) -> None:
    records, ran = conformance.measured("straight_line")
    assert records is not None and ran.passed
    name = "the smoke tier measures what smoke.json says"
    kept = json.loads((line / "smoke.json").read_text())

    def says(told: dict[str, Any]) -> str:
        (line / "smoke.json").write_text(json.dumps(told))
        return conformance.one(name, "straight_line", records).why

    first, *rest = kept
    assert says(kept) == ""
    assert "a row that smoke.json does not know" in says({k: kept[k] for k in rest})
    assert "lies outside [9, 10]" in says({**kept, first: [9, 10]})
    assert "1 rows of smoke.json were not yielded" in says({**kept, "another": [0, 1]})
    (line / "smoke.json").unlink()
    assert "--write` makes it" in conformance.one(name, "straight_line", records).why


def test_another_machine_widens_the_ranges_it_does_not_fit(line: Path) -> None:
    records, _ = conformance.measured("straight_line")
    assert records is not None
    kept = json.loads((line / "smoke.json").read_text())
    first, second, *rest = kept
    known = {**kept, first: [kept[first][1] + 1, kept[first][1] + 2], second: [-1e9, 1e9], "gone": [0, 1]}
    told = json.loads(conformance.smoke_text(records, known))
    assert set(told) == set(kept)  # rows are those of the code that is here
    assert told[first] == [pytest.approx(kept[first][0]), kept[first][1] + 2]
    assert told[second] == [-1e9, 1e9]
    assert all(told[k] == kept[k] for k in rest)
    (line / "smoke.json").write_text(json.dumps(known))
    assert all(c.passed for c in conformance.checked("straight_line", keep="wider"))


def test_ranges_are_a_tenth_wider_than_what_was_seen(line: Path) -> None:
    records, _ = conformance.measured("straight_line")
    assert records is not None
    told = json.loads(conformance.smoke_text(records))
    frame = records.frame()
    for degree, labels, split, start in itertools.product(
        (1, 9), ("true", "shuffled"), ("inside", "outside"), (0.0, 1.0)
    ):
        same = frame.filter(
            (frame["split"] == split)
            & (frame["at.from"] == start)
            & (frame["setting.degree"] == degree)
            & (frame["setting.labels"] == labels)
        )
        key = f"Setting(degree={degree}, labels={labels}) log_error on {split}, from={start}"
        assert (key in told) == (same.height > 0)
        if same.height:
            low, high = told.pop(key)
            assert low < same["value"].min() and same["value"].max() < high and same.height == 2  # fmt: skip
    assert not told


def test_a_value_that_is_no_number_is_expected_to_be_none_again() -> None:
    def records(value: float) -> Records:
        return Records.of([({"setting": "One"}, 0, Row("delay", value))])

    told = conformance.smoke_text(records(math.nan))
    assert math.isnan(json.loads(told)["One() delay"][0])
    assert math.isfinite(json.loads(conformance.smoke_text(records(2.0)))["One() delay"][0])


def test_claims_must_read_what_is_yielded(line: Path) -> None:
    change(
        line / "study.py",
        'effect=level("log_error", shifted=False, **shuffled)',
        'effect=level("error", shifted=False, **shuffled)',
    )
    records, _ = conformance.measured("straight_line")
    check = conformance.one("claims read measures that the smoke tier yields", "straight_line", records)
    assert "C2 reads error, which no smoke row holds (there are log_error)" in check.why


def test_claims_that_pool_what_they_do_not_name_are_found(line: Path) -> None:
    change(
        line / "study.py",
        'effect=level("log_error", shifted=False, **shuffled)',
        'effect=level("log_error", shifted=False)',
    )
    records, _ = conformance.measured("straight_line")
    check = conformance.one("every claim can be judged on the smoke tier's records", "straight_line", records)
    assert "C2" in check.why and "degree" in check.why


def test_a_trial_that_fails_is_a_failed_check(line: Path) -> None:
    change(line / "trial.py", "    rng = lab.rng", "    raise OSError('no world')\n    rng = lab.rng")
    records, ran = conformance.measured("straight_line")
    assert records is None and not ran.passed and ran.why == "OSError: no world"
