"""How long does the server need for a page? A planted store of 42 studies and 10,000 trials, and one study of 1,000.

python -m bench.pages

Prints, for each page, the least and the median of some rounds: seconds, CPU seconds (of this process), bytes; and
the first request: once by calling what makes the page, once over HTTP from `unseen view`. Exit code 1 where a page is slower or larger than it may be.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

FIRST, STUDY, HEAVIEST = 0.300, 0.500, 2_000_000  # seconds, seconds, bytes
STUDIES, TRIALS, MANY = 42, 10_000, 1_000
ROUNDS = 5


def main() -> int:
    """Plant, ask, print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["UNSEEN_HOME"] = folder
        slug = planted(home)
        from unseen.news.changes import shipped
        from unseen.pages import app, papers, runs, study_page
        from unseen.pages.source import Source, listed

        source = Source.of(home, shipped())
        began = time.perf_counter()
        app.warm(source)
        print(f"before it serves: {time.perf_counter() - began:.3f} s")
        seen = runs.Seen()

        def study() -> str:
            found = listed(source, slug)
            assert found is not None
            return study_page.page(source, found, app.near(source, slug))

        asked: dict[str, tuple[Callable[[], str], float]] = {
            "papers": (lambda: papers.page(source.catalogue()), FIRST),
            f"{slug} ({len(source.trials(slug))} trials)": (study, STUDY),
            "runs": (lambda: runs.page(runs.look(source, seen)), STUDY),
        }
        print("in this process:")
        made = [timed(name, make, most) for name, (make, most) in asked.items()]
        print("over HTTP, from a server of its own:")
        return max([*made, *over_http({"index.html": FIRST, f"studies/{slug}.html": STUDY, "runs.html": STUDY})])


def over_http(most: dict[str, float]) -> list[int]:
    """Ask `unseen view` for these pages, as a browser does."""
    words = [sys.executable, "-m", "unseen", "view", "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            told = ""
            while "}" not in told and (line := server.stdout.readline() if server.stdout else ""):
                told += line
            url = json.loads(told)["url"]
            return [timed(path, lambda at=path: _read(url + at), n) for path, n in most.items()]
        finally:
            server.terminate()


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def timed(name: str, make: Callable[[], str], most: float) -> int:
    """Print what a page costs; 1 where it is more than it may be."""
    told: list[tuple[float, float]] = []
    size = 0
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        size = len(make().encode())
        told.append((time.perf_counter() - wall, time.process_time() - cpu))
    first, rest = told[0], told[1:]
    least = min(rest)
    print(f"{name:<40} first {first[0]:.3f} s (CPU {first[1]:.3f}), then least {least[0]:.3f} s (CPU {least[1]:.3f}), median {median(w for w, _ in rest):.3f} s, {size:,} bytes; at most {most} s")  # fmt: skip
    return int(least[0] > most or size > HEAVIEST)


def planted(home: Path) -> str:
    """Trials with manifests as the store writes them; the slug of the study that has a thousand."""
    from unseen.core import find
    from unseen.pages.papers import known

    slugs = [p.slug for p in known()][:STUDIES]
    many = "length_generalization" if "length_generalization" in find.slugs() else slugs[0]
    each = (TRIALS - MANY) // (len(slugs) - 1)
    for slug in slugs:
        for i in range(MANY if slug == many else each):
            key = hashlib.sha256(f"{slug} {i}".encode()).hexdigest()[:16]
            folder = home / "trials" / slug / key
            folder.mkdir(parents=True)
            (folder / "records.parquet").write_bytes(b"PAR1")
            (folder / "trial.json").write_text(json.dumps(manifest(slug, key, i)), encoding="utf-8")
    return many


def manifest(slug: str, key: str, i: int) -> dict[str, object]:
    """A trial.json of some two kilobytes."""
    setting = {"setting": "Setting", "task": f"task {i % 9}", "width": 96, "steps": 1_000 + i, "digits": [5, 6, 7]}
    files = {"records.parquet": {"bytes": 4, "sha256": "0" * 64}}
    host = {"name": "host", "machine": "x86_64", "system": "Linux", "processor": "a processor of some kind"}
    versions = {name: "1.2.3" for name in ("unseen", "numpy", "scipy", "torch", "transformers", "polars")}
    return {
        "key": key, "study": slug, "version": 1, "setting": setting, "seeds": [i % 5], "pins": {}, "evidence": "twin", "rows": 120,
        "files": files, "host": host, "versions": versions, "minutes": 1.5, "code": "1f0c22d69a3b4e57", "device": "cpu",
        "finished": "2026-11-26T01:02:03+00:00",
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
