"""What does a file of JSON rows hold? One value a line, each with the number of its line for errors to name.

list(json_rows(Path("answers.jsonl"), "each line is an object"))   ->  [(1, {"id": "6f1c…", …}), (3, {…})]
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid, Missing


def json_rows(path: Path, holds: str) -> Iterator[tuple[int, Any]]:
    """(line, value) of every line that is not empty, read as it is asked for. `holds` says what a line is to be.

    Raises Missing where there is no file, Invalid, naming the line, for what is no UTF-8 or no JSON.
    """
    if not path.is_file():
        raise Missing(f"there is no file {path}; {holds}.")
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, json.loads(line)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8.") from None
    except ValueError as error:
        raise Invalid(f"{path}, line {number} is no JSON ({error}); {holds}.") from None
