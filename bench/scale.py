"""What does a study of 10^5 trials cost beside its measuring? Planning, "nothing to do", listing, judging, and memory.

python -m bench.scale                        10^3, 10^4 and 10^5 stored trials, 10^6 simulated ones; one table
python -m bench.scale --most 10000 --simulated 100000

Every number is of a process of its own: seconds on the wall and of CPU, the least of the rounds, and what the process
came to hold in memory (MB) beside the smallest. The exponent says how the cost grows: 1 is in proportion. Exits with 1
where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STUDY = '''"""How much does a trial cost that measures nothing?"""
import os
from dataclasses import dataclass
from unseen.core.claim import Claim, above, level, rank
from unseen.core.study import Needs, Paper, Study

@dataclass(frozen=True, slots=True)
class Setting:
    """One of many."""
    number: int
    width: int = 64
    name: str = "empty"

def claim(id, effect, least, over):
    return Claim(id, "It holds.", reported="none", source="recalled", effect=effect, expect=above(least), over=over, tiers=("smoke",))

STUDY = Study(paper=Paper("Empty Trials", None, 2026), axes=("length",),
    settings=lambda tier: [Setting(i) for i in range(int(os.environ["EMPTY_SETTINGS"]))],
    seeds={"smoke": 10, "laptop": 10, "paper": 10}, needs=lambda s: Needs(minutes=0.01), evidence=lambda s: "twin",
    claims=(claim("C1", level("exact"), 0.1, ("number",)), claim("C2", rank("exact", "number"), -0.5, ("width",))))
'''
TRIAL = """from unseen.core.record import Row, Split
def run(setting, lab):
    yield Row("exact", float(setting.number % 2), Split("near"))
"""
SEEDS = 10  # trials of a setting, as the study above has them
LIMITS = {  # (what, at how many): seconds on the wall at most
    ("plan and nothing to do, again", 100_000): 5.0,
    ("run again, judged", 100_000): 5.0,
    ("judge records", 1_000_000): 2.0,
}
AGAIN = (  # in this order: the first of a kind writes what those after it find
    "plan and nothing to do, again", "list manifests, at first", "list manifests, again",
    "read records, at first", "read records, again", "run again, judged",
)  # fmt: skip
FLAT_MB = 50.0  # what the driver may hold more for 100 times the trials


@dataclass(frozen=True)
class Cost:
    """What one piece of work took."""

    what: str
    n: int
    wall: float
    cpu: float
    memory_mb: float


def main() -> int:
    """Parse the command line, measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="stored trials (default: 100000)")
    parser.add_argument("--simulated", type=int, default=1_000_000, help="simulated trials and records")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/scale.json"))
    asked = parser.parse_args()
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="unseen-scale-") as folder:
        for cost in measured(Path(folder), asked.most, asked.simulated, asked.rounds):
            costs.append(cost)
            print(
                f"{cost.what:<34} {cost.n:>9,} {cost.wall:>9.3f} s {cost.cpu:>9.3f} CPU s {cost.memory_mb:>8.1f} MB",
                flush=True,
            )
    told = [*verdicts(costs)]
    print("\n".join(["", *growth(costs), "", *(line for _, line in told)]))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([vars(c) for c in costs], indent=1), encoding="utf-8")
    return 0 if all(holds for holds, _ in told) else 1


def measured(folder: Path, most: int, simulated: int, rounds: int) -> Iterator[Cost]:
    """Every cost, the smallest number of trials first."""
    sizes = [n for n in (1_000, 10_000, 100_000) if n <= most]
    for n in sizes:
        place = folder / str(n)
        _in_process("fill", n, place)
        time.sleep(2.5)  # stamps are noted of what was left alone for a while
        yield _in_process("plan and nothing to do, at first", n, place)
        for what in AGAIN:
            rounds_of = 1 if what.endswith("first") else rounds
            yield _least([_in_process(what, n, place) for _ in range(rounds_of)])
    for n in (simulated // 100, simulated // 10, simulated):
        for what in ("plan", "schedule", "label", "judge records"):
            yield _least([_in_process(what, n, folder / "none") for _ in range(rounds)])


def verdicts(costs: Sequence[Cost]) -> Iterator[tuple[bool, str]]:
    """Whether each limit holds, and a line that says so."""
    by = {(c.what, c.n): c for c in costs}
    for (what, n), most in LIMITS.items():
        if (found := by.get((what, n))) is not None:
            yield (
                found.wall <= most,
                f"{what}, {n:,}: {found.wall:.2f} s of {most} s {'' if found.wall <= most else 'MISSED'}",
            )
    again = sorted((c for c in costs if c.what == "plan and nothing to do, again"), key=lambda c: c.n)
    if len(again) > 1:
        more = again[-1].memory_mb - again[0].memory_mb
        yield (
            more <= FLAT_MB,
            f"memory of the driver from {again[0].n:,} to {again[-1].n:,} trials: {more:+.1f} MB of {FLAT_MB} MB {'' if more <= FLAT_MB else 'MISSED'}",
        )


def growth(costs: Sequence[Cost]) -> Iterator[str]:
    """For each piece of work the exponent of its CPU time in the number of trials, fitted on logarithms."""
    for what in dict.fromkeys(c.what for c in costs):
        points = [(math.log(c.n), math.log(max(c.cpu, 1e-4))) for c in costs if c.what == what]
        if len(points) > 1:
            mean = [sum(p[i] for p in points) / len(points) for i in (0, 1)]
            slope = sum((x - mean[0]) * (y - mean[1]) for x, y in points) / sum((x - mean[0]) ** 2 for x, _ in points)
            yield f"{what:<34} grows with the power {slope:.2f}"


def _least(costs: list[Cost]) -> Cost:
    return min(costs, key=lambda c: c.wall)


def _in_process(what: str, n: int, place: Path) -> Cost:
    """A piece of work in a process of its own."""
    env = {**os.environ, "UNSEEN_HOME": str(place / "home"), "UNSEEN_STUDIES": str(place.parent / "studies")}
    env["EMPTY_SETTINGS"] = str(max(1, n // SEEDS))
    env["XDG_STATE_HOME"] = str(place.parent / "state")  # where the key to bundles lies
    _studies(place.parent / "studies")
    told = subprocess.run(
        [sys.executable, "-m", "bench.scaled", what, str(n)], env=env, stdout=subprocess.PIPE, check=True
    )
    wall, cpu, memory = json.loads(told.stdout)
    return Cost(what, n, wall, cpu, memory)


def _studies(folder: Path) -> None:
    place = folder / "empty_trials"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in {"study.py": STUDY, "trial.py": TRIAL, "sheet.md": "# Empty trials\n"}.items():
        if not (place / name).exists():
            (place / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
