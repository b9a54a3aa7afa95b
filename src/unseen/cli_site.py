"""The verb for those who publish: the gallery as files.

unseen site --out public
unseen site --out public --title "What our models do" --base-url https://example.org/unseen/
unseen site --out public --own                what your own store holds is in it, too
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from . import words


def site(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="The folder of the site; an earlier one is replaced.")
    ],
    title: Annotated[str, typer.Option("--title", help="The front page's title.")] = "",
    base_url: Annotated[
        str, typer.Option("--base-url", metavar="URL", help="Where the site will lie; the feed's links begin with it.")
    ] = "",
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="DIR", help="The ledger to show; Unseen's own if left out.")
    ] = None,
    own: Annotated[
        bool, typer.Option("--own/--no-own", help="Show what your store holds, too: trials, prompts, answers, cards.")
    ] = False,
    json: words.Json = False,
) -> None:
    """Write every page of the gallery as files that open anywhere; of your own store only what you ask for."""
    from . import driver, terminal
    from .core.errors import Mistake
    from .core.ledger import shipped
    from .pages import search
    from .pages import site as pages
    from .pages.source import Source

    if base_url and not base_url.startswith(("https://", "http://")):
        raise Mistake(
            f"--base-url {base_url}: it must begin with https:// or http://, such as https://example.org/unseen/."
        )
    results = ledger or shipped()
    if results is None or not results.is_dir():
        raise Mistake(f"--ledger {ledger}: there is no such folder; `unseen judge STUDY --record DIR` writes one.")
    files = pages.everything(
        Source.of(driver.home(), results), own=own, title=title, base_url=base_url, embedding=search.embedding()
    )
    written = pages.write(out, files)
    for path, n in written.heavy:
        print(f"unseen: {path} has {n:,} bytes, which is slow to load on a phone.", file=sys.stderr)
    if json:
        terminal.show_json(
            {"folder": str(out), "files": written.files, "bytes": written.bytes, "heavy": dict(written.heavy)}
        )
    else:
        print(f"{out / 'index.html'} ({written.files} files, {written.bytes / 1e6:.1f} MB)")
