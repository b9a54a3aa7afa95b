"""The verb that serves the pages: papers, studies, cards, and what is being measured now.

unseen view                          http://127.0.0.1:8765/
unseen view --host 0.0.0.0           http://…:8765/t/<token>/    others need the token that is printed
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import words

if TYPE_CHECKING:
    from .pages.app import Live

SHORTEST = 16  # letters of a token


def view(
    host: Annotated[
        str, typer.Option("--host", help="The address to serve; only this machine, if left out.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes any that is free.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option("--token", help="What visitors from elsewhere need; UNSEEN_VIEW_TOKEN, or one is made."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--results", metavar="DIR", help="The ledger; the one that came with this package.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    json: words.Json = False,
) -> None:
    """Serve the papers, studies, cards and runs as pages."""
    from . import driver, terminal
    from .core.errors import Missing
    from .core.ledger import shipped
    from .pages import app, guard, source

    if results is not None and not results.is_dir():
        raise Missing(f"--results {results}: there is no such folder; it is where `judge --record` writes.")
    needed = _token(host, token)
    with _bound(host, port) as taken:
        at = taken.getsockname()[1]
        base = (
            f"http://{f'[{host}]' if ':' in host else host}:{at}" + (f"{guard.BELOW}{needed}" if needed else "") + "/"
        )
        live = app.Live(source.Source.of(driver.home(), results or shipped()), base=base)
        gallery = app.gallery(live)
        hosts = () if needed else guard.hosts_of(host, at)
        app.warm(live.source)
        if json:
            terminal.show_json({"url": base, "port": at})
        else:
            print(f"{base}  (Ctrl-C ends it)", flush=True)
        if open_:
            import webbrowser

            webbrowser.open(base)
        _serve(guard.guarded(gallery, hosts=hosts, token=needed), live, taken)


def _token(host: str, given: str | None) -> str:
    """What visitors need: nothing on this machine's own addresses, else the token that was given, or a new one.

    Raises Invalid for a token that could be guessed, or that an address cannot hold.
    """
    from .core.errors import Invalid
    from .pages.guard import loopback

    named = given if given is not None else os.environ.get("UNSEEN_VIEW_TOKEN") or None
    if named is not None and (
        len(named) < SHORTEST or not all(c.isascii() and (c.isalnum() or c in "-_") for c in named)
    ):
        raise Invalid(
            f"the token has {len(named)} letters or signs that an address cannot hold; give at least {SHORTEST} of A–Z, a–z, 0–9, - and _, or none, and one is made."
        )
    if named is None and not loopback(host):
        import secrets

        return secrets.token_urlsafe(24)
    return named or ""


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises Mistake where it cannot."""
    from .core.errors import Mistake

    try:
        family, kind, _, _, at = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        taken = socket.socket(family, kind)
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(at)
            taken.listen(128)
            return taken
        except BaseException:
            taken.close()
            raise
    except OSError as error:
        raise Mistake(
            f"--host {host} --port {port} cannot be served ({error.strerror or error}); --port 0 takes a port that is free."
        ) from None


def _serve(app: Any, live: Live, taken: socket.socket) -> None:
    """Serve until Ctrl-C, which ends it at once."""
    import asyncio
    import threading

    import uvicorn

    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1, timeout_keep_alive=5)  # fmt: skip
    server = uvicorn.Server(config)
    live.stopping = lambda: server.should_exit
    threading.Thread(target=live.vega, daemon=True).start()  # seconds of work that the first figure would wait for
    with suppress(KeyboardInterrupt):
        asyncio.run(server.serve(sockets=[taken]))
