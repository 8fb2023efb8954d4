"""``vcn review``: the page on the loopback address, until somebody stops it."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from videoclusternet.errors import ConfigError
from videoclusternet.review.web.desk import Desk
from videoclusternet.review.web.security import Guard
from videoclusternet.review.web.server import make_app
from videoclusternet.review.web.sheet import Sheet

LOOPBACK = "127.0.0.1"
PATIENCE = 2
"""Seconds that answers under way have at the end."""


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Whoever still waits for an answer is sent away: no error that anybody should read.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def review(
    folder: Path,
    port: int = 0,
    author: str = "",
    ready: Callable[[str], None] = print,
    log: Callable[[str], None] = print,
) -> None:
    """Serve the review page of a finished run until the process is interrupted.

    Parameters
    ----------
    folder : Path
        Run folder.
    port : int
        Of the loopback address; 0 for a free one.
    author : str
        Who decides; empty for the user's name.
    ready : callable
        Takes the address once the page can be opened.
    log : callable
        Takes a line for each request that is refused, and other troubles.

    Raises
    ------
    StoreError
        When the run cannot be read.
    ConfigError
        When the port is taken.
    """
    desk = Desk(folder, author)
    token = secrets.token_urlsafe(32)
    with _bound(port) as door:
        port = door.getsockname()[1]
        guard = Guard(make_app(desk), token, port, log)
        config = uvicorn.Config(
            guard,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        sheet = Sheet(desk, log)
        server = _Server(config, lambda: ready(f"http://{LOOPBACK}:{port}/{token}/"))
        sheet.start()
        try:
            with suppress(KeyboardInterrupt):  # the way to end it
                server.run(sockets=[door])
        finally:
            sheet.stop()


def opened(show: Callable[[str], object], address: str) -> None:
    """Show an address in a browser, which may take its time to come up."""
    threading.Thread(target=show, args=(address,), daemon=True).start()


def _bound(port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((LOOPBACK, port))
    except OSError as error:
        door.close()
        raise ConfigError(
            f"port {port} cannot be used: {error.strerror or error}", "choose another --port"
        ) from error
    return door
