"""Serving a report on this machine alone, with byte ranges, so that a browser can seek in its clips.

It listens on 127.0.0.1, answers only requests that name this host (a page elsewhere that points its name here gets
nothing), and hands out nothing but files inside the one folder, read only.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
)


class _Headers:
    """Adds `HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


def report_app(folder: Path) -> Starlette:
    """The application: GET and HEAD of files inside `folder`, links that lead out of it excluded."""
    return Starlette(
        routes=[Mount("/", app=StaticFiles(directory=folder, html=True))],
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


def serve(folder: Path, *, port: int = 0, ready: Callable[[str], object] = lambda url: None) -> None:
    """Serve until Ctrl-C.

    Args:
        folder: of the report.
        port: 0 for any free one.
        ready: is told the address once it is open.

    Raises:
        OSError: the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
        ready(f"http://{HOST}:{listener.getsockname()[1]}/")
        server(folder).run(sockets=[listener])


def server(folder: Path) -> uvicorn.Server:
    """The server, quiet and without what it does not need."""
    config = uvicorn.Config(
        report_app(folder), ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False
    )
    return uvicorn.Server(config)
