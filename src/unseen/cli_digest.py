"""The verb for those who want to be told: what changed, and which new papers are near.

unseen digest --since 7d
unseen digest --papers https://rss.arxiv.org/rss/cs.LG --star omega
unseen digest --send                                   to the targets in digest.toml, what they were not yet told
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import words

if TYPE_CHECKING:
    from .news.changes import News
    from .news.digests import Wanted

FORMS = ("markdown", "html", "atom", "json")
ENDINGS = {".md": "markdown", ".html": "html", ".htm": "html", ".xml": "atom", ".atom": "atom", ".json": "json"}


def digest(
    since: Annotated[
        str | None,
        typer.Option("--since", help="12h, 7d, 2w, a date, or `last` (sent); 7d if left out, `last` with --send."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="markdown, html, atom or json; markdown, or what --out ends in.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; the terminal if left out.")
    ] = None,
    papers: Annotated[
        list[str] | None,
        typer.Option("--papers", metavar="FILE|URL", help="A listing of arXiv's, Atom or RSS; the nearest are told."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many papers, at most.")] = 10,
    star: Annotated[
        list[str] | None, typer.Option("--star", metavar="ID", help="Star a paper: papers near to it count more.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to your targets.")] = False,
    targets: Annotated[
        Path | None,
        typer.Option("--targets", help="The file that names them, instead of UNSEEN_DIGEST_TO or digest.toml."),
    ] = None,
    even_empty: Annotated[bool, typer.Option("--even-empty", help="Send it even if nothing changed.")] = False,
    base_url: Annotated[str, typer.Option("--base-url", help="Where your gallery lies, for the links of atom.")] = "",
    json: words.Json = False,
) -> None:
    """Tell what changed; as mail and feed, too."""
    from . import terminal
    from .news import digests

    form = _form(to, out, json)
    _check(send, targets, even_empty)
    if star:
        _star(star, papers or [])
        if not (papers or send or since or out or to or json):
            return
    wanted = digests.Wanted(since or (digests.LAST if send else "7d"), tuple(papers or ()), n)
    if send and out is None:
        raise typer.Exit(_send(wanted, targets, even_empty, as_json=json))
    told = _told(digests.composed(wanted), form, base_url)
    if out is None:
        return typer.echo(told, nl=False)
    written = _written(out, told)
    if send:
        raise typer.Exit(_send(wanted, targets, even_empty, as_json=json))
    terminal.wrote([written], as_json=json)


def _send(wanted: Wanted, path: Path | None, even_empty: bool, *, as_json: bool) -> int:
    """Send the digest to every target; the exit code: 1 where one of them failed."""
    from . import terminal
    from .core.errors import Missing
    from .news import digests, targets

    to = targets.named(path)
    if not to:
        raise Missing(f"--send: nobody is named to send to. Name targets in {targets.folder() / 'digest.toml'} (or another file with --targets):\n{targets.EXAMPLE}\nor set {targets.WORD} to their addresses.")  # fmt: skip
    made = digests.delivered(wanted, to, targets.source(path), even_empty=even_empty)
    if as_json:
        terminal.show_json({"deliveries": [{"target": d.target, "status": d.status, "why": d.why} for d in made]})
    for d in made:
        if d.status == "failed":
            typer.echo(f"unseen: not sent: {d.why}", err=True)
        elif not as_json:
            typer.echo(f"sent to {d.target}" if d.status == "sent" else f"{d.target}: {d.why}")
    return 1 if digests.counted(made)["failed"] else 0


def _star(names: list[str], papers: list[str]) -> None:
    from .core.inert import label
    from .news import digests, listing

    kept = digests.starred(names, digests.stars_file(), [listing.read(source) for source in papers])
    told = "".join(f"\n  {label(s.name)}  {label(s.title)}".rstrip() for s in kept)
    typer.echo(f"starred, in {digests.stars_file()}:{told}", err=True)


def _check(send: bool, targets: Path | None, even_empty: bool) -> None:
    """Raise Invalid for words that only mean something with --send: nothing is sent that was not asked for."""
    from .core.errors import Invalid

    if not send and (targets is not None or even_empty):
        raise Invalid(f"{'--targets' if targets is not None else '--even-empty'} speaks of sending; add --send.")


def _form(to: str | None, out: Path | None, json: bool) -> str:
    """In which form the digest is wanted. Raises Unknown."""
    from .core.errors import Unknown, nearest

    form = to or (ENDINGS.get(out.suffix.lower(), "markdown") if out else "json" if json else "markdown")
    if form not in FORMS:
        raise Unknown(f"--to {form}: there is no such form{nearest(form, FORMS)}; use {', '.join(FORMS)}.")
    return form


def _told(news: News, form: str, base_url: str) -> str:
    """The digest in that form."""
    import json

    from .pages import digest, feed

    if form == "atom":
        return feed.feed([*news.changes, *news.papers], base_url).decode() + "\n"
    if form == "json":
        return json.dumps(digest.to_json(news), indent=1, ensure_ascii=False) + "\n"
    return digest.html(news) if form == "html" else digest.markdown(news)


def _written(out: Path, text: str) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return out
