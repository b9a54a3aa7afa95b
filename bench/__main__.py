"""Run comparisons, print one table, write every timing as JSON. Exit code 1 where numbers differ or a ratio is missed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .timing import Result

COMPARISONS = (
    "scoring", "generation", "training", "seeds", "generators", "omega", "overlap", "pathways", "influence", "pools",
)  # fmt: skip
THREADS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
HEAD = (
    f"{'comparison':<11} {'case':<38} {'differ by':>10} {'ours/CPU s':>11} {'theirs/CPU s':>12} "
    f"{'less CPU time':>24} {'less wall time':>24} {'required':>8}"
)
PACKAGES = ("unseen", "torch", "transformers", "accelerate", "lm_eval", "numpy")


def main() -> int:
    """Parse the command line, run, print and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("comparisons", nargs="*", help=f"which: {', '.join(COMPARISONS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each side, at least 5 (default: 7)")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the timings go")
    asked = parser.parse_args()
    chosen = asked.comparisons or list(COMPARISONS)
    if strange := [name for name in chosen if name not in COMPARISONS]:
        parser.error(f"there is no comparison {strange[0]!r}; there are {', '.join(COMPARISONS)}")
    if asked.rounds < 5:
        parser.error(f"--rounds {asked.rounds}: a median over fewer than 5 rounds says little")
    os.environ.update(THREADS)  # before torch is imported, which reads them once
    machine = described()
    print("  ".join(f"{k} {v}" for k, v in machine.items()), flush=True)
    results: list[Result] = []
    print(HEAD, flush=True)
    for name in chosen:
        for result in import_module(f"bench.{name}").compare(asked.rounds):
            results.append(result)
            print(line(result), flush=True)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told(machine, results), indent=1), encoding="utf-8")
    print(f"all timings: {asked.out}")
    return 0 if all(r.holds for r in results) else 1


def described() -> dict[str, str]:
    """The processor, what it can do that matters here, and the versions."""
    import torch

    torch.set_num_threads(1)
    found = {"processor": _processor(), "cores": str(os.cpu_count()), "threads": str(torch.get_num_threads())}
    found["bfloat16"] = str(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    found["python"] = platform.python_version()
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def line(r: Result) -> str:
    """One result: sameness, amounts a CPU second of both sides, and the ratios; below it who the other side was."""
    from statistics import median

    ours, theirs = (r.amount / median(t.cpu for t in side) for side in (r.turns.ours, r.turns.theirs))
    memory = "" if r.peaks is None else " Peak memory: {:.2f} beside {:.2f} GiB.".format(*(p / 2**30 for p in r.peaks))
    return (
        f"{r.comparison:<11} {r.case:<38} {r.difference:>10.1e} {ours:>11,.1f} {theirs:>12,.1f} "
        f"{r.turns.cpu!s:>24} {r.turns.wall!s:>24} {r.required:>7}x {'' if r.holds else 'MISSED'}\n"
        f"{'':<11} {r.unit}; theirs: {r.theirs}. A CPU second: {', '.join(f'{k} {v:,.1f}' for k, v in r.tried.items())}.{memory}"
    )


def told(machine: dict[str, str], results: list[Result]) -> dict[str, object]:
    """All that was measured, for JSON."""
    return {
        "machine": machine,
        "environment": THREADS,
        "results": [
            {
                **asdict(r),
                "holds": r.holds,
                "cpu_ratio": asdict(r.turns.cpu),
                "wall_ratio": asdict(r.turns.wall),
            }
            for r in results
        ],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
