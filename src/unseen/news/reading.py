"""What does a reader keep of digests? The papers starred, and what was sent to whom and when.

    $XDG_CONFIG_HOME/unseen/stars.toml     [[stars]]
                                           name = "omega"
                                           title = "OMEGA: Can LLMs Reason Outside the Box in Math? …"
    $UNSEEN_HOME/digest/sent.json          {"/home/ana/.config/unseen/digest.toml me": {"sent": "2026-11-27T…", "papers": ["2511.00123"]}}

What was sent is kept by where a target was named and what it is called there, never by its address.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.disk import content, whole, writing
from ..core.errors import Damaged
from ..core.inert import label
from ..core.lease import lease

KEPT = 5_000  # numbers of papers that are remembered of one target


@dataclass(frozen=True, slots=True)
class Star:
    """A paper that a reader starred: one of ours by its slug, or any by its number at arXiv; its title where it is known."""

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """When a target was last sent a digest, which papers it was told of, and the keys of what the ledger held then."""

    when: datetime
    papers: tuple[str, ...] = ()
    ledger: tuple[str, ...] = ()


def stars(path: Path) -> list[Star]:
    """The papers in that file; none where there is no file. Raises Damaged for a file that is not understood."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))["stars"]
        return [Star(str(s["name"]), str(s.get("title", ""))) for s in told]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        raise Damaged(f"{label(path)} holds no stars that can be read; mend it, or move it away and star papers again.") from None  # fmt: skip


def star(path: Path, new: Iterable[Star]) -> list[Star]:
    """All the stars, the new ones added and kept in the file. Raises Damaged, Mistake."""
    found = {s.name: s for s in stars(path)}
    for one in new:
        if one.name not in found or one.title:
            found[one.name] = one
    text = "".join(f"[[stars]]\nname = {_quoted(s.name)}\ntitle = {_quoted(s.title)}\n\n" for s in found.values())
    with writing("keeping a star"):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole(path, text.encode())
    return list(found.values())


def sent(root: Path) -> dict[str, Sent]:
    """What was sent: target -> Sent. Where the file cannot be read nothing is known of it."""
    found: dict[str, Sent] = {}
    for name, told in _told(root).items():
        try:
            found[name] = Sent(
                datetime.fromisoformat(told["sent"]).astimezone(UTC),
                tuple(map(str, told["papers"])),
                tuple(map(str, told["ledger"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return found


def remember(root: Path, name: str, new: Sent) -> None:
    """Note that a target was sent a digest that reaches to `new.when`, with these papers. Raises Mistake."""
    path = root / "digest" / "sent.json"
    with writing("remembering what was sent"), lease(path.with_suffix(".lease"), wait=None):
        before = sent(root).get(name)
        papers = list(dict.fromkeys([*(before.papers if before else ()), *new.papers]))[-KEPT:]
        kept = {**_told(root), name: {"sent": new.when.isoformat(), "papers": papers, "ledger": list(new.ledger)}}
        whole(path, json.dumps(kept, indent=1).encode())


def _told(root: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(content(root / "digest" / "sent.json"))
        return told if isinstance(told, dict) else {}
    except (OSError, ValueError):
        return {}


def _quoted(text: str) -> str:
    """A text as TOML writes it: what JSON says, with everything but plain letters and signs named by its code."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text) + '"'
