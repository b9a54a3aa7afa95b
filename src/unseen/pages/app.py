"""How are the pages served while one works? A Starlette app over the same functions that write the static site.

    app = gallery(Source.of(home(), shipped()), Stopping())
    uvicorn.Server(uvicorn.Config(guarded(app, hosts=…)))

Everything is read and nothing is written. Pages are made in threads; the events of the page of runs are one slow loop for
each listener, which ends when the listener goes or the server stops.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unseen.core.errors import UnseenError
from unseen.core.study import TIERS

from . import cards_page, examples, layout, papers, runs, search, study_page
from .source import Source, listed

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LOOK = 0.7  # seconds between two looks at the store for a listener
WORD = 15.0  # seconds after which a listener hears that the server is still there
LISTENERS = 64  # at once, at most
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "json": "application/json"}


@dataclass
class Live:
    """What a server holds while it runs: its source, what it has seen, who listens, whether it stops, and where it lies."""

    source: Source
    stopping: Callable[[], bool] = lambda: False
    base: str = ""
    seen: runs.Seen = field(default_factory=runs.Seen)
    listeners: int = 0
    learning: tuple[object, ...] = ()  # the papers that are being embedded, or were
    assets: dict[str, bytes] = field(default_factory=dict)
    making: threading.Lock = field(default_factory=threading.Lock)

    def vega(self) -> bytes:
        """Vega's script, made once."""
        with self.making:
            if "assets/vega.js" not in self.assets:
                self.assets["assets/vega.js"] = layout.vega()
            return self.assets["assets/vega.js"]


def gallery(live: Live) -> Starlette:
    """The app. Raises Missing without the extra view."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ModuleNotFoundError as error:
        from unseen.core.errors import missing_extra

        raise missing_extra("view", error, "view") from None
    source = live.source
    pages: dict[str, Callable[[Request], str | None]] = {
        "/": lambda r: papers.page(source.catalogue()),
        "/index.html": lambda r: papers.page(source.catalogue()),
        "/studies/{slug}.html": lambda r: _study(source, r),
        "/own/{slug}/{tier}.html": lambda r: _own(source, r),
        "/examples/{slug}/{tier}.html": lambda r: _examples(source, r),
        "/cards/index.html": lambda r: cards_page.index(source),
        "/cards/compare.html": lambda r: cards_page.compare(source, r.query_params.get("a", ""), r.query_params.get("b", "")),
        "/cards/{name}.html": lambda r: cards_page.page(source, r.path_params["name"]),
        "/runs.html": lambda r: runs.page(runs.look(source, live.seen)),
    }  # fmt: skip
    others: dict[str, Callable[[Request], Response | None]] = {
        "/charts/{slug}/{of}.js": lambda r: _charts(source, r),
        "/assets/{name}": lambda r: _asset(live, r),
        "/search": lambda r: _search(live, r),
        "/feed.xml": lambda r: _feed(live),
    }
    routes = [Route(at, _page(make), methods=["GET"]) for at, make in pages.items()]
    routes += [Route(at, _other(make), methods=["GET"]) for at, make in others.items()]

    async def events(request: Request) -> Response:
        return _events(live, request)

    return Starlette(routes=[*routes, Route("/events", events, methods=["GET"])], exception_handlers={404: _absent, 500: _broken})  # fmt: skip


def warm(source: Source) -> None:
    """Read what the first pages need, before anybody asks."""
    papers.page(source.catalogue())
    index(source)
    for paper in source.catalogue():
        if paper.strips:  # one is enough to import what draws, and to compile the templates
            study_page.page(source, paper)
            break


def index(source: Source) -> search.Index:
    """The index of all papers, kept while they stay as they are: by words, and by meaning once that has been learned."""
    found, stamp = source.catalogue(), _papers(source)
    return source.kept.peek("meaning", stamp) or source.kept.get("index", stamp, lambda: search.index(found))


def learn(source: Source) -> None:
    """Embed all papers, so that search goes by meaning from now on; ten seconds, where the embedding is here at all."""
    found, name = source.catalogue(), search.embedding()
    with suppress(UnseenError):  # it is searched by words then, as before
        if name is not None:
            source.kept.get("meaning", _papers(source), lambda: search.index(found, embedding=name))


def _papers(source: Source) -> tuple[object, ...]:
    """What the index is made of; not how many trials there are, which changes all the time."""
    return tuple((p.slug, p.title, p.question, p.answer, p.built, p.claims) for p in source.catalogue())


def near(source: Source, slug: str) -> list[papers.Listed]:
    """The papers like this one; none without the extra that searches."""
    try:
        names = search.like(index(source), slug)
    except (UnseenError, ValueError):
        return []
    by_slug = {p.slug: p for p in source.catalogue()}
    return [by_slug[n] for n in names]


def _study(source: Source, request: Request) -> str | None:
    paper = listed(source, request.path_params["slug"])
    of, _, to = request.query_params.get("trials", "").rpartition(".")
    turned = (of, int(to)) if to.isascii() and to.isdigit() and len(to) < 10 else ("", 1)
    return None if paper is None else study_page.page(source, paper, near(source, paper.slug), turned=turned)


def _own(source: Source, request: Request) -> str | None:
    paper = listed(source, request.path_params["slug"])
    tier = request.path_params["tier"]
    return None if paper is None or tier not in TIERS else study_page.own_page(source, paper, tier)


def _examples(source: Source, request: Request) -> str | None:
    paper = listed(source, request.path_params["slug"])
    tier = request.path_params["tier"]
    if paper is None or tier not in (*TIERS, "changed"):
        return None
    return examples.page(source, paper, tier, examples.Asked.of(dict(request.query_params)))


def _charts(source: Source, request: Request) -> Response | None:
    slug, of = request.path_params["slug"], request.path_params["of"]
    script = study_page.charts(source, slug, of) if listed(source, slug) else None
    return None if script is None else _cached(request, script.encode(), "js")


def _asset(live: Live, request: Request) -> Response | None:
    name = f"assets/{request.path_params['name']}"
    if "assets/page.css" not in live.assets:
        live.assets.update(layout.assets())
    content = live.vega() if name == "assets/vega.js" else live.assets.get(name)
    return None if content is None else _cached(request, content, name.rsplit(".", 1)[-1])


def _search(live: Live, request: Request) -> Response:
    """The slugs that answer a query. The first one is answered by words while the embedding is opened for those after it."""
    from starlette.responses import JSONResponse

    if live.learning != (stamp := _papers(live.source)):
        live.learning = stamp
        threading.Thread(target=learn, args=(live.source,), daemon=True).start()
    query = request.query_params.get("q", "")[:200]
    try:
        return JSONResponse([slug for slug, _ in search.answer(index(live.source), query)], headers=_fresh())
    except UnseenError as error:
        return JSONResponse({"error": str(error)}, 503)


def _feed(live: Live) -> Response:
    from starlette.responses import Response

    from unseen.news import changes as news

    from . import feed

    told = feed.feed(news.all_changes(live.source.home, live.source.results), live.base)
    return Response(told, media_type="application/atom+xml", headers=_fresh())


def _events(live: Live, request: Request) -> Response:
    from starlette.responses import PlainTextResponse, StreamingResponse

    if live.listeners >= LISTENERS:
        return PlainTextResponse("Too many listen already.", 503)
    headers = {**_fresh(), "x-accel-buffering": "no"}
    return StreamingResponse(_told(live, request), media_type="text/event-stream", headers=headers)


async def _told(live: Live, request: Request) -> AsyncIterator[str]:
    """The page's changing part whenever it changes, and a word now and then in between."""
    live.listeners += 1
    last, quiet = "", 0.0
    try:
        yield "retry: 2000\n\n"
        while not live.stopping() and not await request.is_disconnected():
            made = await asyncio.to_thread(lambda: runs.fragment(runs.look(live.source, live.seen)))
            if made != last:
                last, quiet = made, 0.0
                yield f"event: now\ndata: {json.dumps(made)}\n\n"
            elif quiet >= WORD:
                quiet = 0.0
                yield ": still here\n\n"
            for _ in range(int(LOOK / 0.1)):
                if live.stopping():
                    return
                await asyncio.sleep(0.1)
            quiet += LOOK
    finally:
        live.listeners -= 1


def _page(make: Callable[[Request], str | None]) -> Callable[[Request], Any]:
    """The endpoint of a page; what makes it says None where there is none."""

    async def endpoint(request: Request) -> Response:
        from starlette.responses import HTMLResponse

        def made() -> tuple[str | None, int]:
            try:
                return make(request), 200
            except UnseenError as error:
                return _words(request.url.path, "This page cannot be made", str(error)), 500

        page, status = await asyncio.to_thread(made)
        if page is None:
            return await _absent(request, None)
        return HTMLResponse(layout.THERE.sub(r"\2", layout.STILL.sub("", page)), status, headers=_fresh())

    return endpoint


def _other(make: Callable[[Request], Response | None]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        found = await asyncio.to_thread(make, request)
        return await _absent(request, None) if found is None else found

    return endpoint


async def _absent(request: Request, error: object) -> Response:
    from starlette.responses import HTMLResponse

    words = "No page has this address. The papers' page leads to all there are."
    return HTMLResponse(_words(request.url.path, "Not here", words), 404, headers=_fresh())


async def _broken(request: Request, error: object) -> Response:
    from starlette.responses import HTMLResponse

    words = f"{type(error).__name__}: {error}. This should not happen; please report it."
    return HTMLResponse(_words(request.url.path, "This page cannot be made", words), 500, headers=_fresh())


def _words(path: str, title: str, words: str) -> str:
    return layout.render("words.html", path.lstrip("/"), title=title, words=words)


def _cached(request: Request, content: bytes, ending: str) -> Response:
    """Content that a browser keeps and asks about again; nothing is sent where it has it."""
    from starlette.responses import Response

    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    kind = TYPES.get(ending, "application/octet-stream")
    return Response(content, media_type=f"{kind}; charset=utf-8" if kind.startswith("text") else kind, headers=headers)


def _fresh() -> Mapping[str, str]:
    return {"cache-control": "no-store"}
