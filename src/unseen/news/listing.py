"""Which papers does a listing of arXiv's hold? Atom (export.arxiv.org/api/query) or RSS (rss.arxiv.org), file or URL.

    read("https://rss.arxiv.org/rss/cs.LG").entries[0]
    ->  Entry("2511.00123", "Do Small Models Compose?", "We ask whether …", ("A. One", "B. Two"), 2025, "2025-11-03", …)

A listing is what strangers wrote. It is read as UTF-8 without a document type, so it has no entities of its own to
expand or to fetch; it is at most 10 MB, and from the network it comes by https alone, within half a minute.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from ..core.errors import Failed, Invalid, Missing, missing_extra
from ..core.inert import label
from ..core.lab import offline

LARGEST = 10_000_000  # bytes
SECONDS = 30.0  # for all of a listing
API = "https://export.arxiv.org/api/query?id_list="
NUMBER = re.compile(r"(?<![\w.])(\d{4}\.\d{4,5}|[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?![\w.])")
FORBIDDEN = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
DECLARED = re.compile(r"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
PREFIX = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*(\S+)\s*(?:Abstract:)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper of a listing; `published` is a day (ISO 8601), empty where the listing names none."""

    arxiv: str
    title: str
    summary: str
    authors: tuple[str, ...]
    year: int
    published: str
    categories: tuple[str, ...]

    @property
    def link(self) -> str:
        """Its page at arXiv: made of its number alone, so a listing cannot send a reader elsewhere."""
        return f"https://arxiv.org/abs/{self.arxiv}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The papers of a listing, each once, and how many of its entries only announce a new version."""

    entries: tuple[Entry, ...]
    replaced: int = 0


def read(source: str) -> Listing:
    """The listing in a file or behind an https URL. Raises Missing, Invalid or Failed."""
    return parsed(fetched(source) if "://" in source else _content(Path(source)), source)


def paper(number: str, source: str | None = None) -> Entry:
    """The paper of that number, from a listing or, without one, from arXiv. Raises Invalid, Missing or Failed."""
    wanted = number_of(number)
    if source is None and offline():
        raise Missing(f"arXiv:{wanted} would have to be asked for, and HF_HUB_OFFLINE says that there is no network; give a listing that holds it: --papers FILE.")  # fmt: skip
    listing = read(source or API + wanted)
    for entry in listing.entries:
        if entry.arxiv == wanted:
            return entry
    raise Missing(f"{label(source or 'arXiv')} holds no paper {wanted}; it holds {_few([e.arxiv for e in listing.entries])}.")  # fmt: skip


def number_of(text: str) -> str:
    """The number of a paper without its version, from `2405.15071v3`, `arXiv:…` or an address. Raises Invalid."""
    found = NUMBER.search(text.strip().removeprefix("arXiv:"))
    if found is None:
        raise Invalid(f"{label(text)!r} is no number of arXiv's; write one such as 2405.15071.")
    return found[1]


def parsed(content: bytes, name: str) -> Listing:
    """The listing in these bytes; `name` is how errors call it. Raises Invalid for what is none."""
    try:
        import feedparser
    except ModuleNotFoundError as error:
        raise missing_extra("a listing of papers", error, "digest") from None
    text = _plain(content, label(name))
    found = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
    )
    entries: dict[str, Entry] = {}
    replaced = 0
    for told in found.entries:
        if _announced(told).startswith("replace"):
            replaced += 1
        elif (entry := _entry(told)) is not None:
            entries.setdefault(entry.arxiv, entry)
    if not entries and not replaced and (found.entries or not found.get("version")):
        raise Invalid(f"{label(name)} holds no papers of arXiv's{_reason(found)}; give an Atom or RSS listing of arXiv's.")  # fmt: skip
    return Listing(tuple(entries.values()), replaced)


def fetched(url: str) -> bytes:
    """What lies behind an https URL: at most 10 MB within half a minute. Raises Invalid for another kind of URL, Failed."""
    if not url.lower().startswith("https://"):
        raise Invalid(f"--papers {label(url)}: listings are fetched by https only; give an https:// address, or a file.")  # fmt: skip
    until = time.monotonic() + SECONDS
    chunks: list[bytes] = []
    size = 0
    try:
        request = Request(url, headers={"User-Agent": "unseen (a reader of listings)"})
        with _opener().open(request, timeout=SECONDS / 3) as answer:
            while chunk := answer.read1(65536):
                size += len(chunk)
                if size > LARGEST:
                    raise Invalid(f"{label(url)} is larger than {LARGEST:,} bytes, the most that is read; ask for fewer papers.")  # fmt: skip
                if time.monotonic() > until:
                    raise TimeoutError(f"it took longer than {SECONDS:g} seconds")
                chunks.append(chunk)
    except (OSError, ValueError) as error:
        raise Failed(
            f"{label(url)} could not be fetched ({label(getattr(error, 'reason', None) or error)}). Try again with a network, or save the listing and give the file."
        ) from None
    return b"".join(chunks)


def _opener() -> OpenerDirector:
    """What opens https addresses and nothing else, wherever a server sends it on to."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPSHandler(),
        HTTPRedirectHandler(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
        UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Missing(f"--papers {label(path)}: the file cannot be read ({error.strerror or error}).") from None
    if len(content) > LARGEST:
        raise Invalid(f"{label(path)} is larger than {LARGEST:,} bytes, the most that is read; keep fewer papers in it.")  # fmt: skip
    return content


def _plain(content: bytes, name: str) -> str:
    """The text of a listing. Raises Invalid for what is no UTF-8, or has a document type."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{name} is no UTF-8 text; arXiv's listings are.") from None
    declared = DECLARED.match(text)
    if declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise Invalid(f"{name} says that it is written in {label(declared[1])}; only UTF-8 is read, as arXiv writes it.")  # fmt: skip
    if FORBIDDEN.search(text) or "\0" in text:
        raise Invalid(f"{name} declares a document type or entities, which can be made to fill the memory or to fetch files; arXiv's listings have none, so it is not read.")  # fmt: skip
    return text


def _announced(told: Mapping[str, Any]) -> str:
    """How RSS announces an entry: new, cross, replace, replace-cross; empty where it says nothing."""
    found = PREFIX.match(str(told.get("summary", "")))
    return str(told.get("arxiv_announce_type") or (found[1] if found else "")).lower()


def _entry(told: Mapping[str, Any]) -> Entry | None:
    """An entry of feedparser's as a paper; None for one that has no number or no title."""
    named = f"{told.get('id', '')} {told.get('link', '')}".replace("oai:arXiv.org:", " ").replace("/abs/", " ")
    number = NUMBER.search(named)
    title = _line(re.sub(r"\s*\(arXiv:[^)]*\)\s*$", "", str(told.get("title", ""))))
    if number is None or not title:
        return None
    when = told.get("published_parsed") or told.get("updated_parsed")
    return Entry(
        number[1],
        title,
        _line(PREFIX.sub("", str(told.get("summary", "")))),
        _authors(told),
        _year(number[1]),
        f"{when.tm_year:04d}-{when.tm_mon:02d}-{when.tm_mday:02d}" if when else "",
        tuple(_line(str(tag.get("term", ""))) for tag in told.get("tags", ())),
    )


def _authors(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The names: one element each in Atom, all in one in RSS."""
    names = [str(a.get("name", "")) for a in told.get("authors", ())] or [str(told.get("author", ""))]
    if len(names) == 1:
        names = names[0].split(",")
    return tuple(filter(None, map(_line, names)))


def _year(number: str) -> int:
    """The year in a paper's number: 2405.15071 is of 2024, math/9901001 of 1999."""
    two = int(number.rpartition("/")[2][:2])
    return 1900 + two if "/" in number and two > 90 else 2000 + two


def _line(text: str) -> str:
    return " ".join(text.split())


def _reason(found: Any) -> str:
    """What is wrong with a listing that holds no paper, as feedparser or arXiv say it."""
    if found.entries:
        return f" (it says: {label(found.entries[0].get('summary') or found.entries[0].get('title', ''))})"
    return f" ({label(found.get('bozo_exception', 'it is neither Atom nor RSS'))})"


def _few(names: list[str]) -> str:
    return f"{', '.join(names[:5])}{' …' if len(names) > 5 else ''}" if names else "none"
