"""Where does a digest go? To the targets that its reader names, by apprise, and nowhere else.

    $XDG_CONFIG_HOME/unseen/digest.toml          [targets]
                                                 me = "mailto://me:word@example.org"
                                                 team = "slack://TokenA/TokenB/TokenC/#evals"
    UNSEEN_DIGEST_TO                             the same addresses, parted by spaces; then no file is read

    [send(t, message) for t in named(None)]      ->  ["", "team (slack://…): it says 403 Forbidden"]

An address holds secrets. It is read, handed to apprise, and forgotten: what is told of a target, in errors too, is its
name and its kind.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..core.errors import Invalid, Missing, missing_extra
from ..core.inert import label

WORD = "UNSEEN_DIGEST_TO"
EXAMPLE = '[targets]\nme = "mailto://user:password@example.org"'
PUBLIC = ("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms")  # whose host is no secret


@dataclass(frozen=True, slots=True)
class Target:
    """One place that a digest goes to. `name` is what it is called; its address never shows."""

    name: str
    address: str = field(repr=False)

    @property
    def kind(self) -> str:
        """What it is: mailto, slack, json, …"""
        return self.address.partition(":")[0].lower()

    def __str__(self) -> str:
        return f"{label(self.name)} ({label(self.kind, 20)}://…)"


@dataclass(frozen=True, slots=True)
class Message:
    """A digest as it is sent: mail takes the HTML, all else the Markdown."""

    subject: str
    html: str
    markdown: str


def folder() -> Path:
    """Where a reader's own choices are kept: $XDG_CONFIG_HOME/unseen, or the platform's folder for them."""
    if named := os.environ.get("XDG_CONFIG_HOME"):
        return Path(named) / "unseen"
    from platformdirs import user_config_path

    return user_config_path("unseen", appauthor=False)


def named(path: Path | None) -> list[Target]:
    """The targets in that file, else in UNSEEN_DIGEST_TO, else in the usual file; none where nobody named any.

    Raises Missing for a file that was named and is not there, Invalid for one that is not understood. No error shows
    what stands in the file.
    """
    words = os.environ.get(WORD, "").split()
    if path is None and words:
        return [_checked(Target(f"{WORD} {i}" if len(words) > 1 else WORD, w)) for i, w in enumerate(words, 1)]
    at = path or folder() / "digest.toml"
    try:
        told = tomllib.loads(at.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path is None:
            return []
        raise Missing(f"--targets {label(at)}: there is no such file; write one like this:\n{EXAMPLE}") from None
    except OSError as error:
        raise Missing(f"--targets {label(at)}: it cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Invalid(f"{label(at)} is no TOML; write it like this:\n{EXAMPLE}") from None
    found = told.get("targets")
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise Invalid(f"{label(at)} names no targets; write it like this:\n{EXAMPLE}")
    return [_checked(Target(name, address)) for name, address in found.items()]


def source(path: Path | None) -> str:
    """What names the targets: the file, or the variable."""
    if path is None and os.environ.get(WORD, "").split():
        return WORD
    return str((path or folder() / "digest.toml").resolve())


def send(target: Target, message: Message) -> str:
    """Send a digest to one target; empty where it went, else what stood in the way, without the address's secrets."""
    import apprise

    asset = apprise.AppriseAsset(app_id="Unseen", app_desc="A laboratory for generalization", app_url="")
    with _heard() as heard:
        service = _service(target, asset)
        if service is None:
            return f"{target}: apprise does not understand the address"
        mail = service.__class__.__module__.startswith("apprise.plugins.email")
        body, form = (message.html, "html") if mail else (message.markdown, "markdown")
        sent = apprise.Apprise(asset=asset)
        sent.add(service)
        try:
            if sent.notify(body=body, title=message.subject, body_format=form):
                return ""
        except Exception as error:  # one plugin of a hundred may raise anything; the other targets still go
            heard.append(f"{type(error).__name__}: {error}")
    return f"{target}: {_reason(target, heard) or 'it was not taken'}"


def _checked(target: Target) -> Target:
    """The target, if apprise understands its address. Raises Missing or Invalid, without the address."""
    try:
        import apprise
    except ModuleNotFoundError as error:
        raise missing_extra("sending a digest", error, "digest") from None
    with _heard():
        if _service(target, apprise.AppriseAsset()) is None:
            raise Invalid(f"the target {target} has an address that apprise does not understand; see https://appriseit.com for how each kind is written. The address itself is not shown, as it may hold a password.")  # fmt: skip
    return target


def _service(target: Target, asset: Any) -> Any:
    """apprise's service for an address; None for one that it does not understand."""
    import apprise

    try:
        return apprise.Apprise.instantiate(target.address, asset=asset, suppress_exceptions=True)
    except Exception:  # whatever a plugin makes of a strange address
        return None


@contextmanager
def _heard() -> Generator[list[str]]:
    """What apprise says meanwhile, in a list and nowhere else: its words may hold addresses and whole messages."""
    import apprise

    log = logging.getLogger("apprise")
    before, log.propagate = log.propagate, False
    handlers, log.handlers = log.handlers, []
    heard: list[str] = []
    try:
        with apprise.LogCapture(level=logging.DEBUG, fmt="%(levelname)s %(message)s") as captured:
            yield heard
            heard += captured.getvalue().splitlines()
    finally:
        log.propagate, log.handlers = before, handlers


def _reason(target: Target, heard: Sequence[str]) -> str:
    """Why it was not taken: apprise's warnings and the errors of sockets, with every part of the address struck out."""
    told = [
        re.sub(r"^\w+ ", "", line)
        for line in heard
        if line.startswith(("WARNING", "ERROR")) or "Exception" in line or "rror:" in line
    ]
    text = " ".join(dict.fromkeys(told))
    for secret in sorted(_secrets(target.address), key=len, reverse=True):
        text = re.sub(re.escape(secret), "…", text, flags=re.IGNORECASE)
    return label(text, 300)


def _secrets(address: str) -> set[str]:
    """Every part of an address that may be secret, as it is written and as it is meant."""
    found: set[str] = {address}
    try:
        parts = urlsplit(address)
        pieces = [*parts.path.split("/"), parts.fragment, *(v for _, v in parse_qsl(parts.query)), parts.query]
        login, _, host = parts.netloc.rpartition("@")
        pieces += [login, *login.split(":"), *([] if parts.scheme.lower() in PUBLIC else [host, host.split(":")[0]])]
    except ValueError:
        pieces = re.split(r"[/:@?&=#]+", address)
    for piece in pieces:
        found |= {piece, unquote(piece)}
        found |= set(re.split(r"[:/=,]", unquote(piece)))
    return {f for f in found if len(f) > 2}
