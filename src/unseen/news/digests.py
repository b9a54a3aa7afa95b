"""How is a digest put together, and to whom does it go? What `unseen digest` does, for Python too.

    composed(Wanted("7d", papers=("https://rss.arxiv.org/rss/cs.LG",)))      ->  News
    delivered(Wanted("last"), targets)                                       ->  [Delivery("me (mailto://…)", "sent"), …]

Every target has a memory of its own: one that could not be reached is told the next time what it missed.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from .. import driver
from ..core.disk import writing
from ..core.errors import Mistake, Unknown, UnseenError, nearest
from ..core.lease import lease
from ..core.ledger import shipped
from ..core.store import Store
from ..pages import digest
from . import changes as news
from . import nearness, reading, targets
from .changes import News
from .listing import Entry, Listing, number_of, paper, read
from .nearness import Known, Near
from .reading import Sent, Star

LAST = "last"
USUAL = timedelta(days=7)  # where nothing was ever sent
PAPERS = 10  # of a listing, in one digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a digest is to tell: since when (`7d`, a date, `last`), and the nearest `n` papers of these listings."""

    since: str = "7d"
    papers: tuple[str, ...] = ()
    n: int = PAPERS


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a digest for one target; `why` says what stood in the way, or why there was nothing to send."""

    target: str
    status: Literal["sent", "empty", "failed"]
    why: str = ""


def composed(wanted: Wanted) -> News:
    """The digest, to be read here: papers that some target was sent before are left out. Raises Mistake or Failed."""
    root = Store(driver.home()).root
    before = reading.sent(root)
    newest = max(before.values(), key=lambda s: s.when, default=None)
    every = {number for s in before.values() for number in s.papers}
    return _news(root, wanted, newest, _ranked(wanted), every)


def delivered(wanted: Wanted, to: Sequence[targets.Target], where: str, *, even_empty: bool = False) -> list[Delivery]:
    """The digest sent to every target, each told what it was not yet; one that fails stops no other.

    `where` is what named the targets: with a target's own name it is what is remembered. An empty digest is sent only
    with `even_empty`. Raises Mistake or Failed before anything is sent.
    """
    root = Store(driver.home()).root
    with _alone(root):
        before, near = reading.sent(root), _ranked(wanted)
        made: dict[str, News] = {}
        for t in to:
            last = before.get(f"{where} {t.name}")
            made[t.name] = _news(root, wanted, last, near, last.papers if last else ())
        return [_delivered(root, t, made[t.name], f"{where} {t.name}", even_empty) for t in to]


def starred(names: Sequence[str], path: Path, listings: Sequence[Listing] = ()) -> list[Star]:
    """All the stars, those named added: slugs of ours, or numbers at arXiv (with the title, where it is known).

    Raises Unknown for what is neither.
    """
    known = {k.name: k for k in nearness.ours()}
    numbers = {k.arxiv: k for k in known.values() if k.arxiv}
    titles = {e.arxiv: e.title for listing in listings for e in listing.entries}
    new: list[Star] = []
    for name in names:
        if name in known:
            new.append(Star(name, known[name].title))
            continue
        try:
            number = number_of(name)
        except Mistake:
            raise Unknown(f"--star {name}: no paper of ours is called so{nearest(name, known)}; give a slug, or a number of arXiv's such as 2405.15071.") from None  # fmt: skip
        one = numbers.get(number)
        new.append(Star(one.name, one.title) if one else Star(number, titles.get(number) or _title(number)))
    return reading.star(path, new)


def stars_file() -> Path:
    """Where a reader's stars are kept."""
    return targets.folder() / "stars.toml"


@contextmanager
def _alone(root: Path) -> Generator[None]:
    """Only one process sends at a time, and only where what was sent can be remembered. Raises Mistake before it is sent."""
    with ExitStack() as held:
        with writing("making ready to send"):
            mine = held.enter_context(lease(root / "digest" / "sending.lease"))
        if not mine:
            raise Mistake(
                "another process is sending a digest just now; nothing is sent twice. Try again when it is done."
            )
        yield


def _title(number: str) -> str:
    """The title of a paper of that number, asked of arXiv; empty where it cannot be had: the star is kept all the same."""
    try:
        return paper(number).title
    except UnseenError:
        return ""


def _ranked(wanted: Wanted) -> tuple[list[Near], list[str]]:
    """The papers of the listings, the nearest first, and what is to be noted of them."""
    if not wanted.papers:
        return [], []
    listings = [read(source) for source in wanted.papers]
    entries: dict[str, Entry] = {e.arxiv: e for listing in listings for e in listing.entries}
    stars = reading.stars(stars_file())
    ours = nearness.ours()
    names = {k.name for k in ours}
    known = [*ours, *(_known(s, entries.get(s.name)) for s in stars if s.name not in names)]
    found = nearness.ranked(list(entries.values()), known, {s.name for s in stars})
    mute = [k.name for k in known[len(ours) :] if not k.text]
    replaced = sum(listing.replaced for listing in listings)
    notes = [f"Papers looked at: {len(entries)}" + (f"; announcements of new versions, left out: {replaced}." if replaced else ".")]  # fmt: skip
    if mute:
        notes.append(f"Of {', '.join(mute)}, starred, nothing is known but the number, so papers are not held against it; star it again with a listing that holds it, or with a network.")  # fmt: skip
    return found, notes


def _known(star: Star, entry: Entry | None) -> Known:
    """A starred paper that is none of ours, with all that is known of it."""
    title = star.title or (entry.title if entry else "")
    return Known(star.name, title, f"{title} {entry.summary if entry else ''}".strip(), (), star.name)


def _news(root: Path, wanted: Wanted, before: Sent | None, near: tuple[list[Near], list[str]], seen: Collection[str]) -> News:  # fmt: skip
    """What changed since what was asked for, with the nearest papers that were not seen."""
    now = datetime.now(UTC)
    notes: list[str] = []
    if wanted.since == LAST:
        since = before.when if before else now - USUAL
        notes += [] if before else [f"Nothing was sent before, so this tells of the last {USUAL.days} days."]
        told = before.ledger if before else None
    else:
        since, told = news.since_of(wanted.since, now), None
    found = news.gather(root, since, ledger=shipped(), told=told)
    papers, of_papers = near
    new = [n for n in papers if n.entry.arxiv not in seen]
    again = len(papers) - len(new)
    notes += [
        *of_papers,
        *(
            [f"{again} {'paper was' if again == 1 else 'papers were'} told of in a digest before, and not again here."]
            if again
            else []
        ),
    ]
    return replace(found, papers=new[: wanted.n], notes=notes)


def _delivered(root: Path, target: targets.Target, told: News, name: str, even_empty: bool) -> Delivery:
    """What becomes of one digest; it is remembered once it was really sent."""
    if told.empty and not even_empty:
        return Delivery(
            str(target), "empty", "nothing changed, so nothing was sent; --even-empty sends it all the same"
        )
    message = targets.Message(f"Unseen: {digest.subject(told)}", digest.html(told), digest.markdown(told))
    if why := targets.send(target, message):
        return Delivery(str(target), "failed", why)
    papers = tuple(n.entry.arxiv for n in told.papers)
    try:
        reading.remember(root, name, Sent(told.until, papers, tuple(m.key for m in news.recorded(shipped()))))
    except UnseenError as error:
        return Delivery(str(target), "failed", f"{target}: it was sent, but that cannot be remembered, so it will be sent again: {error}")  # fmt: skip
    return Delivery(str(target), "sent")


def counted(deliveries: Sequence[Delivery]) -> Mapping[str, int]:
    """How many digests came to what."""
    return {s: sum(d.status == s for d in deliveries) for s in ("sent", "empty", "failed")}
