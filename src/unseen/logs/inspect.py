"""What did inspect log? Its .eval archives and .json logs, one a task, or the folder that holds them.

logs/2026-08-01T12-00-00-00-00_gsm8k_8f2K….eval     a zip: header.json, summaries.json, samples/1_epoch_1.json, …
    {"id": 1, "epoch": 1, "input": "Janet's ducks …", "target": "18", "scores": {"match": {"value": "C", "answer": "18"}}}
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

from unseen.core.errors import Invalid, Missing
from unseen.core.inert import label
from unseen.core.record import Value

from .log import Columns, Items, Log, Logged, digest, mapping, newest, one_model, told_of

ZSTD = 93  # the compression of archives since 2026, which Python's own zipfile reads from 3.14 on
LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partial, incorrect, no answer
HEAD = 4096  # bytes of a JSON file that tell what it is
SHOWN = 400  # characters of an input that name it: archives list only the beginning of long ones
JOURNAL = re.compile(r"_journal/summaries/(\d+)\.json")


@dataclass(frozen=True)
class Opened:
    """A log's header, and its samples as objects."""

    path: Path
    header: Mapping[str, Any]
    samples: Sequence[Any]

    @property
    def spec(self) -> Mapping[str, Any]:
        """What was asked for: task, model, dataset."""
        return mapping(self.header.get("eval"))


def is_one(path: Path) -> bool:
    """Whether this is a log of inspect's, or a folder of them."""
    if path.is_dir():
        return any(is_one(p) for p in _files(path))
    if path.suffix != ".json":
        return path.suffix == ".eval"
    with path.open("rb") as file:
        head = file.read(HEAD)
    return b'"eval"' in head and b'"status"' in head


def read(path: Path) -> Log:
    """The log. Raises Missing where it holds no scores, Invalid for a file that was cut off or holds something else."""
    opened = [_opened(p) for p in (_files(path) if path.is_dir() else [path]) if is_one(p)]
    one_model(str(path), (str(o.spec.get("model")) for o in opened), "the files")
    told = ((str(o.spec.get("task") or o.path.stem), str(o.spec.get("created") or o.path.name), o) for o in opened)
    chosen, notes = newest(told, str(path))
    tasks = {label(task): _task(o) for task, o in sorted(chosen.items())}
    return Log("inspect", str(path), label(opened[0].spec.get("model") or ""), tasks, notes)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in (".eval", ".json") and p.is_file())


def _opened(path: Path) -> Opened:
    """The header and the samples of a file."""
    try:
        if path.suffix == ".json":
            header = mapping(json.loads(path.read_bytes()))
            samples = header.get("samples")
            return Opened(path, header, samples if isinstance(samples, list) else ())
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            head = next((n for n in ("header.json", "_journal/start.json") if n in names), None)
            if head is None:
                raise Invalid(f"{path} holds no header.json, so it is no log of inspect.")
            return Opened(path, mapping(_entry(archive, head)), list(_samples(archive, names)))
    except (
        OSError,
        ValueError,
        RecursionError,
        EOFError,
        struct.error,
        NotImplementedError,
        zipfile.BadZipFile,
    ) as error:
        raise Invalid(f"{path} cannot be read as a log of inspect's ({label(error)}); copy it again.") from None


def _samples(archive: zipfile.ZipFile, names: set[str]) -> Iterator[Any]:
    """What an archive says of its samples: the summaries of all, those of a run that was cut off, or the samples."""
    if "summaries.json" in names:
        yield from _entry(archive, "summaries.json")
        return
    parts = sorted((int(m[1]), n) for n in names if (m := JOURNAL.fullmatch(n)))
    for _, name in parts:
        yield from _entry(archive, name)
    if not parts:
        for name in sorted(n for n in names if n.startswith("samples/") and n.endswith(".json")):
            yield _entry(archive, name)


def _entry(archive: zipfile.ZipFile, name: str) -> Any:
    """One JSON file of an archive."""
    entry = archive.getinfo(name)
    if entry.compress_type != ZSTD:
        return json.loads(archive.read(name))
    text = _zstd(_raw(archive, entry))
    if crc32(text) != entry.CRC:
        raise zipfile.BadZipFile(f"{name} is not what was written")
    return json.loads(text)


def _raw(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry as they lie in the archive: after 30 bytes of head, its name and what else the head holds."""
    file: Any = archive.fp
    file.seek(entry.header_offset)
    name, more = struct.unpack("<HH", file.read(30)[26:])
    file.seek(name + more, 1)
    return file.read(entry.compress_size)


def _zstd(packed: bytes) -> bytes:
    """Bytes of JSON unpacked by polars' reader of compressed tables, the one zstd there is in the base install: lines are
    rows of one column, for JSON holds no bare control character that could part them."""
    import polars as pl

    try:
        lines = pl.read_csv(BytesIO(packed), separator="\x01", quote_char=None, has_header=False, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise zipfile.BadZipFile(str(error)) from None
    return "\n".join(line or "" for line in lines.to_series()).encode()


def _task(opened: Opened) -> Logged:
    """The samples of one log."""
    columns, places, asked = Columns(), dict[str, int](), 0
    unscored = 0
    for number, sample in enumerate(opened.samples, 1):
        told = mapping(sample)
        if "id" not in told:
            raise Invalid(f"{opened.path}, sample {number} has no id; samples of inspect hold id, epoch, input, target and scores.")  # fmt: skip
        scores = mapping(told.get("scores"))
        unscored, asked = unscored + (not scores), asked + 1
        prompt, truth = digest(_text(told.get("input"))), digest(_text(told.get("target")))
        name = digest(label(told["id"]), prompt)
        place = places[name] if name in places else places.setdefault(name, columns.place(name, prompt, truth))
        for measure, value in _values(scores):
            columns.add(place, measure, value)
    found = columns.scores()
    if not found:
        raise Missing(f"{opened.path} holds no score of any sample ({asked} samples, status {label(opened.header.get('status'))}); score it first with `inspect score`.")  # fmt: skip
    return Logged(Items(columns.ids, columns.prompts, columns.truths), found, _told(opened), [*_notes(opened, asked, unscored, len(places)), *columns.oddities()])  # fmt: skip


def _notes(opened: Opened, asked: int, unscored: int, items: int) -> list[str]:
    notes: list[str] = []
    if (status := opened.header.get("status", "started")) != "success":
        notes.append(f"the run ended as {label(status)}; what it logged is compared.")
    if unscored:
        notes.append(f"{unscored} of {asked} samples have no score and are left out.")
    if asked > items:
        notes.append(f"{asked} samples of {items} items: the mean over epochs is compared.")
    return notes


def _values(scores: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """(measure, value) of a sample's scores; a scorer that gives several values names each."""
    for scorer, score in scores.items():
        value = mapping(score).get("value")
        if isinstance(value, Mapping):
            yield from ((f"{scorer}/{name}", _number(v)) for name, v in value.items())
        else:
            yield scorer, _number(value)


def _number(value: Any) -> Any:
    return LETTERS.get(value, value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    """What an input or target says: its text, or that of its turns, as much as the summaries of archives keep."""
    if isinstance(value, str):
        return " ".join(value[: 2 * SHOWN].split())[:SHOWN]
    if isinstance(value, list):
        return "\n".join(_text(v) for v in value)
    told = mapping(value)
    return f"{told.get('role', '')} {_text(told.get('content') or told.get('text') or '')}" if told else str(value)


def _told(opened: Opened) -> dict[str, str]:
    """What must be the same for two logs of a task to be of the same questions."""
    spec = opened.spec
    data, how = mapping(spec.get("dataset")), mapping(spec.get("config"))
    version = spec.get("task_version")
    args = {k: v for k, v in sorted(mapping(spec.get("task_args")).items())}
    return told_of(version=version, dataset=data.get("name"), task_arguments=args, limit=how.get("limit"), epochs=how.get("epochs"))  # fmt: skip
