"""A store as a stranger might send it: one real trial and all that stands around it, harmed in one of many ways.

python stranger.py STORE CANARY FIRST LAST REPORTS     harm a copy of STORE for every number, use it, print what was met

Every use must come to a result or to one of our errors, within bounds of time and memory; what lies in CANARY must not be
read, and no code must run. The process dies with the case it was at, so that even a crash names its number.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import rendered

SLUG, TIER = "kept_rows", "smoke"
SECONDS, MEGABYTES = 30.0, 1500.0  # of CPU, of one case (the first page loads what draws it); of the process


class Evil:
    """What runs code as soon as it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def main() -> None:
    """Harm and use, case by case."""
    store, canary = Path(sys.argv[1]), Path(sys.argv[2])
    first, last, reports = map(int, sys.argv[3:6])
    opened: list[str] = []
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if event == "open" and str(canary) in str(args[0]) else None
    )
    met = Counter[str]()
    home = store.parent / f"home-{first}"
    os.environ["UNSEEN_HOME"] = str(home)
    for number in range(first, last):
        (store.parent / f"at-{first}").write_text(str(number))
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(store, home)
        rng = random.Random(number)
        harms = [rng.choice(HARMS) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        for harm in harms:
            with suppress(IndexError):  # nothing of its kind is left
                harm(home, canary, rng)
        if rng.random() < 0.6:
            vouched(home)
        opened.clear()  # what was read so far, this file read
        began = time.process_time()
        said = f"after {[h.__name__ for h in harms]}"
        pages = list(rendered.USES.items())
        for name, use in [*USES.items(), pages[number % len(pages)]]:
            met[tried(use, f"{number} {name} {said}")] += 1
        if number % max(1, reports) == 0:
            for use in DRAWN:
                met[tried(use, f"{number} {use.__name__} {said}")] += 1
        took = time.process_time() - began
        assert took < SECONDS, f"case {number} took {took:.1f} s of CPU"
        assert not opened, f"case {number} opened {opened}"
        assert not (canary / "ran").exists(), f"case {number} ran code"
    used = peak()
    assert used < MEGABYTES, f"{used:.0f} MB were used"
    print(json.dumps({"met": dict(met), "megabytes": used}))


def peak() -> float:
    """The most memory that this program held (MB): getrusage would tell of the process that started it, too."""
    with suppress(OSError):
        told = Path("/proc/self/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in told.splitlines() if line.startswith("VmHWM"))) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tried(use: Callable[[], None], what: str) -> str:
    """`result`, or the name of our error that it came to. Any other exception goes on."""
    from unseen.core.errors import UnseenError

    try:
        use()
        return "result"
    except UnseenError as error:
        text = str(error)
        assert text.isprintable() and text.encode(), f"case {what}: {text!r}"
        return type(error).__name__
    except BaseException as error:
        raise AssertionError(f"case {what}: {type(error).__name__}: {error}") from error


# what is done with a store


def asked() -> Any:
    """A third of the plan: two trials are copied for every case, rather than six."""
    from unseen import driver

    return driver.ask(SLUG, TIER, sweep={"name": "a"})


def trials() -> list[Any]:
    from unseen import driver

    return driver.trials_of(asked())


def looked() -> None:
    from unseen import driver
    from unseen.core.store import Store

    store, there = Store(driver.home()), trials()
    [store.has(t) for t in there], [store.broken(t) for t in there]
    for manifest in store.manifests(SLUG):
        assert isinstance(manifest, dict)
    store.sound(there)
    driver.finished(asked())


def read() -> None:
    from unseen import driver
    from unseen.core.store import Store

    store, there = Store(driver.home()), trials()
    for trial in store.sound(there)[0]:
        assert "secret" not in store.records([trial]).columns["measure"].levels
        assert all(isinstance(item, dict) for item in store.items(trial))
        store.stale([trial])
    store.manifest(there[0])


def newest() -> None:
    from unseen import driver
    from unseen.core.store import Store

    driver.newest(Store(driver.home()), asked())


def unfinished() -> None:
    """The journal of an unfinished trial, as one who runs it again reads it."""
    from unseen import driver
    from unseen.core.journal import Journal
    from unseen.core.store import Store

    journal = Journal(Store(driver.home()).partial(trials()[0]), {"code": "x"})
    journal.close()


def judged() -> None:
    from unseen import driver

    json.dumps(driver.judge(asked()).to_json(), default=str)


def report() -> None:
    from unseen import driver
    from unseen.pages import report as page

    out = Path(os.environ["UNSEEN_HOME"]) / "page.html"
    page.write([driver.judge(asked(), items=True)], out, cards=[])
    text = out.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<img src=x" not in text


USES: dict[str, Callable[[], None]] = {
    "look": looked,
    "read": read,
    "newest": newest,
    "journal": unfinished,
    "judge": judged,
}
DRAWN = (report, rendered.figures)  # tenths of a second each: of a part of the cases


# how it is harmed

Harm = Callable[[Path, Path, random.Random], None]
WORDS = [
    None, True, -1, 0, 10**30, 1.5, "", "x" * 5000, "../../../canary/records.parquet", "/etc/passwd", "C:\\x", "a\0b",
    "\ud800", "\x1b[31mred", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "__import__('os')",
    [], {}, [[]], {"__class__": "x"}, float("nan"), float("inf"), 2**63, "\u202e", "trial.json", {"": {"": None}},
]  # fmt: skip


def vouched(home: Path) -> None:
    """The manifests say that all files are as they were written, as one who sends them would."""
    import hashlib

    for path in home.glob("trials/*/*/trial.json"):
        if not path.is_file():  # a pipe would wait for who writes
            continue
        try:
            told = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
            for name, kept in told["files"].items():
                at = path.parent / name
                if ".." not in name and not name.startswith("/") and at.is_file() and not at.is_symlink():
                    content = at.read_bytes()
                    kept.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            path.write_text(json.dumps(told), encoding="utf-8")
        except Exception:
            continue


def jsons(home: Path) -> list[Path]:
    return sorted(p for p in home.rglob("*.json") if p.is_file() and not p.is_symlink())


def files(home: Path, pattern: str = "*") -> list[Path]:
    return sorted(p for p in home.rglob(pattern) if p.is_file() and not p.is_symlink() and "page" not in p.name)


def places(told: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree of JSON."""
    yield at
    inner = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in inner:
        yield from places(value, (*at, key))


def changed(told: Any, rng: random.Random) -> Any:
    """A tree of JSON with another value, a name changed or a part gone, once or more."""
    for _ in range(rng.choice((1, 1, 3))):
        spots = [p for p in places(told) if p]
        if not spots:
            return rng.choice(WORDS)
        *above, last = rng.choice(spots)
        parent = told
        for key in above:
            parent = parent[key]
        way = rng.randrange(4)
        if way == 0 and isinstance(parent, dict):
            parent[str(rng.choice(WORDS))] = parent.pop(last)
        elif way == 1:
            del parent[last]
        else:
            parent[last] = rng.choice(WORDS)
    return told


def history(home: Path, canary: Path, rng: random.Random) -> None:
    """Another value, a name changed or a part gone in a line of a history, or a line again."""
    path = rng.choice(files(home, "*.jsonl"))
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    at = rng.randrange(len(lines))
    if rng.random() < 0.2:
        lines[at] = rng.choice((lines[0] * 2, "[" * 100_000, '{"when":' * 5000, "9" * 9999, "null", "\0", *lines))
    else:
        try:
            lines[at] = json.dumps(changed(json.loads(lines[at]), rng))
        except (ValueError, RecursionError):
            return
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")


def told_now(home: Path, canary: Path, rng: random.Random) -> None:
    """Another value in what tells of trials at work and of those that failed; or a pipe, a link or a folder there."""
    path = rng.choice([p for p in jsons(home) if p.parent.name in ("live", "failed", "leases", "plans")])
    if rng.random() < 0.15:
        path.unlink()
        rng.choice((path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(canary / "trial.json")))()
        return
    with suppress(ValueError, RecursionError):
        path.write_text(json.dumps(changed(json.loads(path.read_text(encoding="utf-8")), rng)), encoding="utf-8")


def structure(home: Path, canary: Path, rng: random.Random) -> None:
    """Another value, a name changed or a part gone, somewhere in a JSON file."""
    path = rng.choice(jsons(home))
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps(changed(told, rng))
    except (ValueError, RecursionError):  # another harm has made it too deep for this one
        return
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def depth(home: Path, canary: Path, rng: random.Random) -> None:
    path = rng.choice(jsons(home))
    n = rng.choice((1000, 100_000))
    path.write_text(rng.choice(("[" * n, '{"a":' * n, "[" * n + "]" * n, "9" * n)))


def bytes_changed(home: Path, canary: Path, rng: random.Random) -> None:
    path = rng.choice(files(home))
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 4, 40))):
        if content:
            content[rng.randrange(len(content))] = rng.choice((0, 255, rng.randrange(256)))
    path.write_bytes(bytes(content))


def cut(home: Path, canary: Path, rng: random.Random) -> None:
    path = rng.choice(files(home))
    content = path.read_bytes()
    a, b = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    path.write_bytes(rng.choice((content[:a], content[a:], content[:a] + content[b:], content + content[a:b])))


def other_bytes(home: Path, canary: Path, rng: random.Random) -> None:
    """A pickle that runs code, or nothing, or noise, where a file was."""
    evil = pickle.dumps(Evil(canary / "ran"))
    rng.choice(files(home)).write_bytes(
        rng.choice((evil, b"", rng.randbytes(500), b"PAR1" + evil + b"PAR1", b"\x93NUMPY" + evil))
    )


def footer(home: Path, canary: Path, rng: random.Random) -> None:
    """A table whose footer is as long as it says, or whose footer's numbers are huge."""
    path = rng.choice(files(home, "*.parquet"))
    content = bytearray(path.read_bytes())
    if len(content) < 64:
        return
    size = int.from_bytes(content[-8:-4], "little")
    if rng.random() < 0.3:
        content[-8:-4] = rng.choice((0, 1, 2**31 - 1, 2**32 - 1, size * 2)).to_bytes(4, "little")
    else:  # varints of counts and sizes stand in the footer: set their high bits, so that they say gigabytes
        begin = max(0, len(content) - 8 - size)
        at = rng.randrange(begin, max(begin + 1, len(content) - 16))
        content[at : at + 5] = b"\xff\xff\xff\xff\x0f"[: rng.choice((2, 3, 5))]
    path.write_bytes(bytes(content))


def table(home: Path, canary: Path, rng: random.Random) -> None:
    """A sound table of other columns."""
    import polars as pl

    path = rng.choice(files(home, "*.parquet"))
    try:
        frame = pl.read_parquet(path)
    except Exception:
        return
    name = rng.choice(frame.columns) if frame.columns else "x"
    odd = rng.choice(
        [
            None,
            1,
            -1.5,
            float("nan"),
            float("inf"),
            True,
            "x",
            "\x1f[1",
            "\x1f{",
            "<script>alert(1)</script>",
            "[" * 9,
            2**62,
        ]
    )
    way = rng.randrange(7)
    if way == 0:
        frame = frame.drop(name)
    elif way == 1:
        other = rng.choice(("at.x", "setting.y", "id", "", "<script>alert(1)</script>"))
        frame = frame.drop(other, strict=False).rename({name: other}, strict=False)
    elif way == 2:
        frame = frame.with_columns(pl.lit(odd).alias(name))
    elif way == 3:
        frame = frame.with_columns(pl.lit(odd).alias(rng.choice(("at.new", "setting.new", "new", "n", "value"))))
    elif way == 4:
        frame = frame.with_columns(pl.struct(a=1, b=pl.lit("x")).alias(name))
    elif way == 5:
        frame = pl.concat([frame, frame]) if rng.random() < 0.5 else frame.clear()
    else:
        frame = frame.with_columns(pl.Series(name, [[1, 2]] * len(frame)))
    held = io.BytesIO()
    frame.write_parquet(held)
    path.write_bytes(held.getvalue())


def link(home: Path, canary: Path, rng: random.Random) -> None:
    """A link that leads out of the store, in a file's or a folder's place."""
    path = rng.choice([*files(home), *(p for p in sorted(home.glob("trials/*/*")) if not p.is_symlink())])
    if path.is_dir():
        shutil.rmtree(path)
        path.symlink_to(canary)
    else:
        path.unlink()
        path.symlink_to(canary / ("records.parquet" if path.suffix == ".parquet" else "trial.json"))


def no_file(home: Path, canary: Path, rng: random.Random) -> None:
    """A folder, a pipe, or nothing, in a file's place."""
    path = rng.choice(files(home))
    path.unlink()
    way = rng.randrange(3)
    if way == 0:
        path.mkdir()
    elif way == 1:
        os.mkfifo(path)


def outside(home: Path, canary: Path, rng: random.Random) -> None:
    """A manifest that names files elsewhere."""
    path = rng.choice(sorted(p for p in home.glob("trials/*/*/trial.json") if p.is_file()))
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        kept = {"bytes": 1, "sha256": "0" * 64}
        up = "/".join([".."] * rng.randrange(1, 8))
        name = rng.choice(
            (f"{up}/canary/records.parquet", str(canary / "records.parquet"), f"files/{up}/x", "files//x", "\\\\x\\y")
        )
        told["files"][name] = kept
        path.write_text(json.dumps(told), encoding="utf-8")
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return


HARMS: list[Harm] = [
    structure, structure, structure, depth, bytes_changed, bytes_changed, cut, other_bytes, footer, footer, table, table,
    table, link, no_file, outside, history, history, told_now, told_now,
]  # fmt: skip


if __name__ == "__main__":
    main()
