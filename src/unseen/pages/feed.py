"""How does a reader subscribe? By an Atom feed (RFC 4287) of what changed, one entry a change.

    feed(gather(store.root, since).changes, "https://example.org/unseen/")  ->  b"<?xml version='1.0' …"

The names of entries are tag: URIs (RFC 4151) made of what changed and when, so they never change: not with the address
of the feed, and not with the words of an entry. The feed itself is named after its address, as two laboratories' feeds
are two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as tree

from unseen.news.changes import Change
from unseen.news.nearness import Near

from . import digest

ATOM = "http://www.w3.org/2005/Atom"
TAG = "tag:unseen,2026:"  # the authority of an entry's name: no server needs to know it
MOST = 200  # entries; a reader that asks once a month misses nothing of a lively laboratory
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def feed(changes: Sequence[Change | Near], base_url: str) -> bytes:
    """The Atom feed of these changes (newest first) for a gallery at `base_url`: `feed.xml` lies below it.

    An empty feed is valid, too; it is then as old as the laboratory's first day.
    """
    base = base_url.rstrip("/") + "/" if base_url else ""
    at = urlsplit(base)
    newest = max((c.when for c in changes), default=datetime(2026, 1, 1, tzinfo=UTC))
    root = tree.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _text(root, "title", "Unseen: what changed")
    _text(root, "subtitle", "New studies, verdicts that flipped, cards that moved")
    _text(root, "id", f"tag:{at.hostname or 'unseen'},2026:{quote(at.path or '/', safe='/%')}feed")
    _text(root, "updated", _time(newest))
    _text(tree.SubElement(root, "author"), "name", "Unseen")
    tree.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": _plain(f"{base}feed.xml")})
    tree.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": _plain(f"{base}index.html")})
    for change in list(changes)[:MOST]:
        root.append(_entry(change, base))
    tree.indent(root)
    return tree.tostring(root, encoding="utf-8", xml_declaration=True)


def _entry(change: Change | Near, base: str) -> tree.Element:
    """One change, or paper; its content is a fragment of HTML, escaped as the RFC wants it."""
    entry = tree.Element("entry")
    _text(entry, "title", " ".join(digest.headline(change).split()))
    _text(entry, "id", TAG + quote(change.key, safe="/._-~"))
    _text(entry, "published", _time(change.when))
    _text(entry, "updated", _time(change.when))
    href = _plain(digest.address(change, base))
    tree.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": href})
    tree.SubElement(entry, "category", {"term": type(change).__name__.lower()})
    _text(entry, "summary", " ".join(digest.lines(change)))
    content = _text(entry, "content", digest.fragment(change))
    content.set("type", "html")
    return entry


def _text(parent: tree.Element, name: str, text: str) -> tree.Element:
    element = tree.SubElement(parent, name)
    element.text = _plain(text)
    return element


def _plain(text: str) -> str:
    """A text without what XML cannot hold, escaped or not."""
    return ILLEGAL.sub("\ufffd", text)


def _time(when: datetime) -> str:
    """A time as RFC 3339 wants it: 2026-11-27T09:12:44Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
