"""What if the store is not a folder here? Objects under a root such as `s3://bucket/unseen`, reached through fsspec.

    far = Far("s3://bucket/unseen")
    far.write("plans/09c4.json", b"…")      one object, whole or not at all
    far.create("leases/09c4/000001", b"…")  True for one of all who try
    far.listing("trials/resa")              {"09c4…/trial.json": Seen("etag…", 1532, 1764251000.0)}

What passes (a server that is busy, slow or cuts a reply off) is tried again for two minutes, or for as many seconds as
UNSEEN_STORE_PATIENCE says; what does not is one paragraph at once. No message holds a credential.
"""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ..disk import full_disk, is_full
from ..errors import Failed, Invalid, Missing, Mistake, UnseenError

T = TypeVar("T")
AT_ONCE = 16  # requests under way when many objects are read
PATIENCE = 120.0  # seconds for which what may pass is tried again
LONGEST = 10.0  # seconds between two tries, at most
RENAMED = ("file", "local", "sftp", "ssh", "smb", "hdfs", "arrow_hdfs")  # an object is no object there, but a file
NEVER = ("NoCredentials", "PartialCredentials", "ProfileNotFound", "ParamValidation", "TokenRetrieval", "SSOToken", "DefaultCredentials")  # fmt: skip
SECRET = ("key", "secret", "token", "password", "passwd", "passphrase", "credential", "connection_string", "user")


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as a listing tells of it: `stamp` changes with its content, `modified` is the store's own clock (s)."""

    stamp: str
    size: int
    modified: float


class Far:
    """The objects behind an fsspec URL, by their names below it."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url, self.shown = url, shown(url)
        try:
            fresh = {} if "::" in url else {"use_listings_cache": False}  # others write there, too
            self.fs, self.root = fsspec.core.url_to_fs(url, **fresh)
        except ImportError as error:
            raise self._told(error) from None
        except ValueError as error:
            raise Mistake(
                f"the store {self.shown} cannot be reached: {self._scrubbed(error)}. Name another with UNSEEN_HOME."
            ) from None
        protocol = self.fs.protocol
        self._renames = any(p in RENAMED for p in ((protocol,) if isinstance(protocol, str) else protocol))
        self._exclusive = self._renames or _creates(self.fs)

    def read(self, name: str) -> bytes | None:
        """An object's content, None where there is none of that name."""
        return self._tried(lambda: bytes(self.fs.cat_file(self._at(name))), None)

    def read_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """The contents of those objects that are there, many read at once."""
        names = list(names)
        if len(names) < 2:
            found = [self.read(n) for n in names]
        else:
            with ThreadPoolExecutor(AT_ONCE) as crew:
                found = list(crew.map(self.read, names))
        return {n: content for n, content in zip(names, found, strict=True) if content is not None}

    def write(self, name: str, content: bytes) -> None:
        """Make an object, whole, or put another content in its place."""

        def put() -> None:
            if self._renames:
                self._by_renaming(name, lambda spare: self.fs.pipe_file(spare, content))
            else:
                self.fs.pipe_file(self._at(name), content)

        self._writing(name, put)

    def create(self, name: str, content: bytes) -> bool:
        """Whether an object of that name was not there and is now, with this content.

        After a try whose reply was lost the answer is found by looking: contents must differ between those who try.
        Raises NotImplementedError where the file system cannot say.
        """

        if not self._exclusive:
            raise NotImplementedError(self.shown)

        def put() -> bool:
            try:
                if self._renames:
                    with self.fs.open(self._at(name), "xb") as file:
                        file.write(content)
                else:
                    self.fs.pipe_file(self._at(name), content, mode="create")
                return True
            except OSError as error:
                if not isinstance(error, FileExistsError) and not _refused(error):
                    raise
                return self.read(name) == content

        return bool(self._writing(name, put))

    def put_file(self, path: Path, name: str) -> None:
        """Copy a file there."""

        def put() -> None:
            if self._renames:
                self._by_renaming(name, lambda spare: self.fs.put_file(str(path), spare))
            else:
                self.fs.put_file(str(path), self._at(name))

        self._writing(name, put)

    def get_file(self, name: str, path: Path) -> bool:
        """Whether there is such an object; it is copied to a file here. Raises Full where there is no room for it."""
        path.parent.mkdir(parents=True, exist_ok=True)

        def get() -> bool:
            self.fs.get_file(self._at(name), str(path))
            return True

        with full_disk(f"fetching {name}"):
            return bool(self._tried(get, False))

    def listing(self, folder: str) -> dict[str, Seen]:
        """All objects below a folder by their names in it: one request for a thousand."""
        at = self._at(folder).rstrip("/")

        def found() -> dict[str, Seen]:
            told: Mapping[str, Any] = self.fs.find(at, detail=True)
            return {str(p)[len(at) + 1 :]: _seen(info) for p, info in told.items() if str(p).startswith(f"{at}/")}

        return self._tried(found, None) or {}

    def seen(self, name: str) -> Seen | None:
        """One object as the store tells of it now, None where there is none."""
        return self._tried(lambda: _seen(self.fs.info(self._at(name))), None)

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; those that are not there are none to remove."""
        for name in names:
            self._tried(lambda name=name: self.fs.rm_file(self._at(name)), None)

    def _at(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def _by_renaming(self, name: str, write: Callable[[str], Any]) -> None:
        spare = f"{self._at(name)}.{os.getpid()}-{time.time_ns()}.spare"
        write(spare)
        self.fs.mv(spare, self._at(name))

    def _writing(self, name: str, put: Callable[[], T]) -> T | None:
        """Write, making the folder where the file system knows folders. Raises Missing where the bucket is not there."""
        try:
            return self._tried(put)
        except FileNotFoundError as error:
            if "bucket" in str(error).lower():
                raise Missing(
                    f"the store {self.shown} has no bucket of that name ({self._scrubbed(error)}); make it, or name another with UNSEEN_HOME."
                ) from None
            self._tried(lambda: self.fs.makedirs(self._at(name).rsplit("/", 1)[0], exist_ok=True))
            return self._tried(put)

    def _tried(self, act: Callable[[], T], *gone: Any) -> Any:
        """What `act` returns, tried again while it may pass; `gone`, where given, for what is not there.

        Raises FileNotFoundError where `gone` is not given, else what `_told` says.
        """
        until, tries = time.monotonic() + patience(), 0
        while True:
            try:
                return act()
            except FileNotFoundError:
                if gone:
                    return gone[0]
                raise
            except (UnseenError, NotImplementedError):
                raise
            except Exception as error:  # every file system has errors of its own
                if is_full(error):
                    raise
                wait = random.uniform(0.5, 1) * min(LONGEST, 0.2 * 2**tries)
                if not _may_pass(error, tries) or time.monotonic() + wait > until:
                    raise self._told(error) from None
                tries += 1
                time.sleep(wait)

    def _told(self, error: Exception) -> UnseenError:
        said = self._scrubbed(error)
        if isinstance(error, ImportError):
            return Missing(f"the store {self.shown} needs a package that is not installed: {said}.")
        if isinstance(error, PermissionError) or any(n in type(error).__name__ for n in NEVER):
            return Mistake(
                f"the store {self.shown} refuses us ({said}); give credentials that may list, read, write and delete there, or name another with UNSEEN_HOME."
            )
        return Failed(
            f"the store {self.shown} does not answer ({said}); what is here is kept. Run the same command again when it does."
        )

    def _scrubbed(self, error: BaseException) -> str:
        said = " ".join(str(error).split()) or type(error).__name__
        for secret in secrets(self.url, getattr(getattr(self, "fs", None), "storage_options", {})):
            said = said.replace(secret, "***")
        return shown(said)[:200]


def patience() -> float:
    """For how long what may pass is tried again (seconds). Raises Invalid where UNSEEN_STORE_PATIENCE is no number."""
    named = os.environ.get("UNSEEN_STORE_PATIENCE", "")
    try:
        return float(named) if named else PATIENCE
    except ValueError:
        raise Invalid(f"UNSEEN_STORE_PATIENCE={named} is no number of seconds; try 120.") from None


def shown(text: str) -> str:
    """A URL, or words with URLs in them, without the credentials that a URL may hold."""
    text = re.sub(r"(://)[^/\s@]*@", r"\1***@", text)
    return re.sub(r"(://[^\s?]*)\?[^\s)]+", r"\1?***", text)


def secrets(url: str, options: Mapping[str, Any]) -> list[str]:
    """The texts that no message may hold: credentials of a URL, of storage options and of the environment."""
    found = [part for told in re.findall(r"://([^/\s@]*)@", url) for part in (told, *told.split(":"))]
    found += [v for told in re.findall(r"\?(\S+)", url) for v in (told, *re.findall(r"=([^&]+)", told))]
    held: list[tuple[str, Any]] = [*options.items(), *os.environ.items()]
    while held:
        name, value = held.pop()
        if isinstance(value, Mapping):
            held += [(str(k), v) for k, v in value.items()]
        elif isinstance(value, str) and any(s in name.lower() for s in SECRET) and name not in ("USER", "USERNAME"):
            found.append(value)
    return sorted({f for f in found if len(f) > 5}, key=len, reverse=True)


def _creates(fs: Any) -> bool:
    """Whether a file system asks its server to create an object only where there is none; fsspec's own way looks first."""
    import inspect

    from fsspec import AbstractFileSystem

    kind: Any = type(fs)
    own = kind.pipe_file is not AbstractFileSystem.pipe_file
    put = getattr(kind, "_pipe_file", None) or (kind.pipe_file if own else None)
    return put is not None and "mode" in inspect.signature(put).parameters


def _may_pass(error: Exception, tries: int) -> bool:
    """Whether a failure may be gone at another try; a refusal that a cut request can cause, too, gets two more."""
    if isinstance(error, ImportError | PermissionError | TypeError | AttributeError | KeyError | FileExistsError):
        return False
    if any(n in type(error).__name__ for n in NEVER):
        return False
    return tries < 2 or not (isinstance(error, ValueError) or getattr(error, "errno", 0) == errno.EINVAL)


def _refused(error: OSError) -> bool:
    """Whether a conditional write met an object (412), or another write of it under way (409)."""
    told = f"{error!r} {error.__cause__!r}"
    return any(w in told for w in ("PreconditionFailed", "pre-condition", "412", "ConditionalRequestConflict", "409"))


def _seen(info: Mapping[str, Any]) -> Seen:
    when = next((info[k] for k in ("LastModified", "last_modified", "updated", "mtime", "created") if info.get(k)), 0.0)
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    modified = when.timestamp() if isinstance(when, datetime) else float(when)
    size = int(info.get("size") or 0)
    stamp = next((str(info[k]) for k in ("ETag", "etag", "md5Hash") if info.get(k)), f"{size}-{modified}")
    return Seen(stamp, size, modified)
