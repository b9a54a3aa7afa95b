"""What went wrong, for whom, and what to do about it.

    UnseenError                    everything this package raises on purpose
    ├── Mistake                    the caller's to mend: one paragraph, no traceback, exit code 2
    │   ├── Unknown                a name that nothing answers to (study, field, measure, model)
    │   ├── Invalid                a value of the wrong kind or outside its range
    │   └── Missing                an extra, a file, data or a server that is not there
    ├── Damaged                    something stored is not what was written (digest, truncated file)
    └── Failed                     the world failed while we worked (server gone, out of memory): exit code 1
        └── Full                   a disk has no room left: the caller frees some, so exit code 2

Every message is one paragraph that names the value, the reason and the remedy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UnseenError(Exception):
    """The root of every error raised on purpose; `str(error)` is a paragraph fit for a person."""

    code = 1  # the exit code of the command line


class Mistake(UnseenError):
    """Something the caller can mend; the command line prints it without a traceback."""

    code = 2


class Unknown(Mistake):
    """A name that nothing answers to."""


class Invalid(Mistake):
    """A value of the wrong kind or outside its range."""


class Missing(Mistake):
    """An extra, a file, data or a server that is not there."""


class Damaged(UnseenError):
    """Something stored is not what was written."""


class Failed(UnseenError):
    """The world failed while we worked."""


class Full(Failed):
    """A disk has no room left; what was finished is intact."""

    code = 2


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """The known names closest to `name`, as `; the nearest are a, b` (empty when none is near)."""
    found = difflib.get_close_matches(name, sorted(known), n=most, cutoff=0.4)
    if not found:
        return ""
    return f"; the nearest {'is' if len(found) == 1 else 'are'} {', '.join(found)}"


def missing_extra(who: str, error: ModuleNotFoundError, extra: str) -> Missing:
    """The error for a module of an extra that is not installed, with the command that installs it."""
    module = (error.name or str(error)).split(".")[0]
    return Missing(f"{who} needs {module}. Install it: pip install 'unseen[{extra}]'")
