"""What did a name mean when the run began? A pin ends in a digest of what it meant, and never comes to mean anything else.

replay:answers.jsonl  ->  replay:answers.jsonl#8c1f0e5ab3d29f47
"""

from __future__ import annotations

import re
from pathlib import Path

from unseen.core.disk import digest_of_file
from unseen.core.errors import Damaged, Missing

_DIGEST = re.compile(r"#([0-9a-f]{16})$")


def split(rest: str) -> tuple[str, str | None]:
    """(the name, the digest it is pinned to or None)."""
    found = _DIGEST.search(rest)
    return (rest[: found.start()], found[1]) if found else (rest, None)


def kept(kind: str, rest: str, now: str) -> str:
    """The pin `kind:name#now`. Raises Damaged where `rest` is pinned to other contents than those of now."""
    name, before = split(rest)
    if before not in (None, now):
        raise Damaged(
            f"{kind}:{name} was pinned to contents with the digest {before}, and it is {now} now: it changed while it was in use. Put the old contents back, or run again to measure what is there now."
        )
    return f"{kind}:{name}#{now}"


def path_of(kind: str, rest: str) -> Path:
    """The file a name stands for. Raises Missing where there is none."""
    path = Path(split(rest)[0]).expanduser()
    if not path.is_file():
        raise Missing(f"--model {kind}:{rest}: there is no such file; a relative path begins at {Path.cwd()}.")
    return path


def of_file(kind: str, rest: str) -> str:
    """The pin of a name that stands for a file."""
    return kept(kind, rest, digest_of_file(path_of(kind, rest))[:16])
