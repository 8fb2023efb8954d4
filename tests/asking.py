"""Asks the review page's server, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from videoclusternet.review.web.desk import Desk
from videoclusternet.review.web.security import Guard
from videoclusternet.review.web.server import make_app

TOKEN, PORT = "T0ken", 8321
HOST = f"127.0.0.1:{PORT}"
OWN = {"host": HOST, "origin": f"http://{HOST}", "content-type": "application/json"}


class Page:
    """A page of a run: what it asks, and the lines that the server logs."""

    def __init__(self, run: Path, author: str = "Ann") -> None:
        self.desk = Desk(run, author)
        self.logged: list[str] = []
        self._app = Guard(make_app(self.desk), TOKEN, PORT, self.logged.append)

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str = f"/{TOKEN}",
    ) -> httpx.Response:
        """Send one request; ``path`` comes after the token."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                said = OWN if headers is None else headers
                return await client.request(method, f"{token}{path}", headers=said, content=body)

        return asyncio.run(send())

    def get(self, path: str) -> Any:
        """Return what an address of the API answers."""
        answer = self.ask(f"/api/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, values: Any, status: int = 200) -> Any:
        """Send values and return the answer, which has this status."""
        answer = self.ask(f"/api/{path}", "POST", body=json.dumps(values).encode())
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def say(self, verb: str, status: int = 200, **values: Any) -> Any:
        """Decide something on the present state."""
        revision = values.pop("revision", self.desk.revision())
        return self.post("edit", {"revision": revision, "verb": verb, **values}, status)
