"""Who may ask the page's server, and what a browser may do with its answers.

The server listens on the loopback address; other programs and other people of this machine
reach that too, and so does every web site that is open in a browser.  Hence:

- Every address begins with a random token.  It is no cookie: cookies go to all ports of a host.
- The name that the browser asked for is ours: a foreign name that points here (DNS rebinding)
  is refused.
- What changes something comes from our own page: Origin is checked, and the body is JSON.
- What another site asks a browser to fetch from here is refused.
- Bodies are small; answers may not be framed, guessed at, or run what is not ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from videoclusternet.outside.text import printable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 64 << 10
"""Bytes of a request."""
MOST_LOGGED = 200
"""Letters of a refused address in the log."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_READS = ("GET", "HEAD")


class Guard:
    """Lets through to an application what comes from its own page.

    Parameters
    ----------
    app : ASGI application
        Sees addresses without the token.
    token : str
    port : int
        That the server listens on.
    log : callable
        Takes a line for each request that is refused.
    """

    def __init__(self, app: App, token: str, port: int, log: Callable[[str], None]) -> None:
        self._app, self._token, self._log = app, token, log
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        said = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        answer = _with_headers(send)
        refusal = self._refusal(scope, said)
        if refusal:
            await self._refuse(scope, answer, *refusal)
            return
        body = await _body(receive)
        if body is None:
            await self._refuse(scope, answer, 413, "the request is too large")
            return
        path = scope["path"][len(self._token) + 1 :]
        inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        await self._app(inner, _replay(body, receive), answer)

    def _refusal(self, scope: Scope, said: dict[str, str]) -> tuple[int, str] | None:
        """Return status and reason of a request that is not answered."""
        if said.get("host") not in self._hosts:
            return 403, "a foreign host name"
        token = scope["path"][1:].partition("/")[0]
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return 403, "no token"
        site = said.get("sec-fetch-site", "none")
        opened = scope["method"] == "GET" and said.get("sec-fetch-dest") == "document"
        if site not in ("none", "same-origin") and not opened:
            return 403, "asked for by another site"
        if scope["method"] in _READS:
            return None
        if said.get("origin") != f"http://{said['host']}":
            return 403, "posted by another site"
        if said.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "not JSON"
        length = said.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY:
            return 413, "the request is too large"
        return None

    async def _refuse(self, scope: Scope, send: Send, status: int, why: str) -> None:
        path = scope["path"].replace(self._token, "…")[:MOST_LOGGED]
        self._log(f"refused: {printable(scope['method'])} {printable(path)}: {why}")
        body = f"{why}\n".encode()
        length = str(len(body)).encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes | None:
    """Read the body of a request; None for one that is too large, whatever it says of itself."""
    data, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return data  # whoever asked has gone
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > MOST_BODY:
            return None
    return data


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand a body that was read to the application, then what comes after it."""
    first = True

    async def read() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return read


def _with_headers(send: Send) -> Send:
    """Send what a browser must know with every answer; nothing is kept unless it says so."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *HEADERS]
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return answer
