"""How do machines that share a far store share what models answered? In segments, many answers to an object.

answers/3f0c5b7a9d1e2846/generation                    a new word whenever all answers of this pin are dropped
answers/3f0c5b7a9d1e2846/<generation>/<sha256>.jsonl   ["<key>", "<value>"], one a line: 256 answers, or what half a minute gave

The sqlite file here stays what is asked. Segments of others are read into it as it is opened; answers that came here are
sent when there are enough of them, when a trial ends, and, after a kill, by the next who opens the file.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress

from unseen.core.errors import UnseenError
from unseen.core.far.objects import Far

ENOUGH = 256  # answers in a segment
OFTEN = 30.0  # seconds after which fewer are sent
MARKED = (
    "CREATE TEMP TRIGGER marked AFTER INSERT ON main.answers BEGIN INSERT OR IGNORE INTO unsent VALUES (new.key); END"
)


class Segments:
    """The answers of one pin, between a sqlite file (which its owner locks) and a far store.

    A store that does not answer costs no answer: what is not sent is sent later.
    """

    def __init__(self, far: Far, at: str, file: sqlite3.Connection, lock: threading.Lock) -> None:
        self.far, self.at, self._file, self._lock = far, at, file, lock
        self._sent = time.monotonic()
        with lock:
            file.execute("CREATE TABLE IF NOT EXISTS unsent (key TEXT PRIMARY KEY)")
            file.execute("CREATE TABLE IF NOT EXISTS segments (name TEXT PRIMARY KEY)")
            file.execute(MARKED)
        self.generation = "0"
        try:
            self._begin()
        except (UnseenError, sqlite3.Error) as error:
            warnings.warn(f"answers are kept here only, for now: {error}", stacklevel=2)

    def send_enough(self) -> None:
        """Send the answers that were not sent yet, if there are enough, or the last were sent long ago."""
        with self._lock:
            (n,) = self._file.execute("SELECT COUNT(*) FROM unsent").fetchone()
        if n >= ENOUGH or time.monotonic() - self._sent > OFTEN:
            self.send()

    def send(self) -> None:
        """Send what was not sent yet, if the store answers."""
        self._sent = time.monotonic()
        with suppress(UnseenError, sqlite3.Error):
            self._send()

    def _send(self) -> None:
        with self._lock:
            rows = self._file.execute(
                "SELECT answers.key, value FROM answers JOIN unsent USING (key) ORDER BY answers.key"
            ).fetchall()
        if not rows:
            return
        content = "".join(json.dumps([key, value]) + "\n" for key, value in rows).encode()
        name = f"{self.generation}/{hashlib.sha256(content).hexdigest()}.jsonl"
        self.far.write(f"{self.at}/{name}", content)
        with self._at_once():
            self._file.executemany("DELETE FROM unsent WHERE key = ?", [(key,) for key, _ in rows])
            self._file.execute("INSERT OR IGNORE INTO segments VALUES (?)", (name,))

    def _begin(self) -> None:
        """Drop what was dropped elsewhere, read what is new, send what a killed process left."""
        self.generation = (self.far.read(f"{self.at}/generation") or b"0").decode("utf-8", errors="replace")
        mark = f"generation {self.generation}"
        with self._lock:
            marks = self._file.execute("SELECT name FROM segments WHERE name LIKE 'generation %'").fetchall()
            if marks and marks != [(mark,)]:
                for table in ("answers", "unsent", "segments"):
                    self._file.execute(f"DELETE FROM {table}")
            self._file.execute("INSERT OR IGNORE INTO segments VALUES (?)", (mark,))
            known = {name for (name,) in self._file.execute("SELECT name FROM segments")}
        listed = (f"{self.generation}/{n}" for n in self.far.listing(f"{self.at}/{self.generation}"))
        new = [n for n in listed if n not in known]
        for name, content in self.far.read_many(f"{self.at}/{n}" for n in new).items():
            self._take(name.removeprefix(f"{self.at}/"), content)
        self.send()

    def _take(self, name: str, content: bytes) -> None:
        """Read a segment in; one that is not what was written is left out, and told."""
        try:
            if hashlib.sha256(content).hexdigest() != name.rpartition("/")[2].removesuffix(".jsonl"):
                raise ValueError("its sha256 changed")
            rows = [(str(key), str(value)) for key, value in map(json.loads, content.decode().splitlines())]
        except (ValueError, TypeError) as error:
            warnings.warn(f"{self.far.shown}/{self.at}/{name} is damaged ({error}); it is left out.", stacklevel=2)
            return
        with self._at_once():
            self._file.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)
            self._file.executemany("DELETE FROM unsent WHERE key = ?", [(key,) for key, _ in rows])
            self._file.execute("INSERT OR IGNORE INTO segments VALUES (?)", (name,))

    @contextmanager
    def _at_once(self) -> Generator[None]:
        """A context whose changes of the file are made together or not at all."""
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise


def drop(far: Far, at: str) -> None:
    """Have every machine drop the answers of a pin; raises what `Far` raises."""
    gone = [f"{at}/{n}" for n in far.listing(at) if n != "generation"]
    far.write(f"{at}/generation", str(time.time_ns()).encode())
    far.remove(gone)
