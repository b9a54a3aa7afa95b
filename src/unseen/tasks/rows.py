"""What does a file of JSON rows hold? One value a line, each with the number of its line for errors to name.

list(json_rows(Path("answers.jsonl"), "each line is an object"))   ->  [(1, {"id": "6f1c…", …}), (3, {…})]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid, Missing


def json_rows(path: Path, holds: str) -> Iterator[tuple[int, Any]]:
    """(line, value) of every line of a file that is not empty, read as it is asked for. `holds` says what a line is to be.

    Raises Missing where there is no file, Invalid for one that holds no rows, and, naming the line, for what is no UTF-8
    or no JSON.
    """
    if not path.is_file():
        raise Missing(f"there is no file {path}; {holds}.")
    try:
        with path.open(encoding="utf-8") as file:
            yield from json_lines(file, str(path), holds)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8.") from None


def json_lines(lines: Iterable[str], where: str, holds: str) -> Iterator[tuple[int, Any]]:
    """The same of lines that come from elsewhere: `where` names them."""
    found = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{where}, line {number} is no JSON ({error}); {holds}.") from None
        found = True
        yield number, value
    if not found:
        raise Invalid(f"{where} holds no rows; {holds}.")
