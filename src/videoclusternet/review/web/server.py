"""The page's server: its addresses, and what each of them answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse

from videoclusternet.errors import ConfigError, ConflictError, StoreError, VcnError
from videoclusternet.review.web.changed import AnotherRun
from videoclusternet.review.web.desk import Desk
from videoclusternet.review.web.media import Media
from videoclusternet.review.web.questions import Asker
from videoclusternet.review.web.regrouping import Regrouping
from videoclusternet.review.web.requests import OfFilm, OnState, Said, Skipped

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
KEPT = {"cache-control": "private, max-age=31536000, immutable"}
"""Of pictures: one of a number is always the same."""


def make_app(desk: Desk) -> FastAPI:
    """Return the application of one run; it trusts whoever asks, see ``security.Guard``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(VcnError, _failed)
    for kind in (RequestValidationError, 400):
        app.add_exception_handler(kind, _malformed)
    _add_page(app)

    async def same() -> None:
        desk.opened.check()

    of_run = APIRouter(dependencies=[Depends(same)])
    _add_cast(of_run, desk)
    _add_films(of_run, desk, Media(desk.result))
    _add_regrouping(of_run, Regrouping(desk))
    app.include_router(of_run)
    return app


def _answer(value: Any, status: int = 200) -> Response:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Names may hold halves of characters: escaped, they come back as they were.
    return Response(data.encode("utf-8", "backslashreplace"), status, media_type="application/json")


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, VcnError)
    kinds = ((AnotherRun, 410), (ConflictError, 409), (StoreError, 503), (ConfigError, 422))
    status = next((code for kind, code in kinds if isinstance(error, kind)), 500)
    return _answer({"error": error.message, "advice": error.advice}, status)


async def _malformed(request: Request, error: Exception) -> Response:
    return _answer({"error": "this is no request of the page", "advice": "reload it"}, 422)


def _add_page(app: FastAPI) -> None:
    """Serve the files of the page, which are read once: no address leads to the disk."""
    folder = files("videoclusternet.review").joinpath("page")
    page = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    def serve(name: str) -> Response:
        if name not in page:
            raise HTTPException(404)
        return Response(page[name], media_type=KINDS[f".{name.rpartition('.')[2]}"])

    @app.get("/")
    def index() -> Response:
        return serve("index.html")

    @app.get("/page/{name}")
    def file(name: str) -> Response:
        return serve(name)


def _add_cast(app: APIRouter, desk: Desk) -> None:
    asker = Asker(desk)

    @app.get("/api/run")
    def run() -> Response:
        return _answer(desk.run())

    @app.get("/api/state")
    def state(revision: int = -1) -> Response:
        if revision == desk.revision():
            return Response(status_code=204)
        return _answer(desk.state())

    @app.post("/api/edit")
    def edit(said: Said) -> Response:
        return _answer(desk.say(said))

    @app.get("/api/splits")
    def splits(character: int) -> Response:
        return _answer([vars(split) for split in desk.splits(character)])

    @app.post("/api/queue")
    def queue(but: Skipped) -> Response:
        return _answer(asker.describe(but.skipped))

    @app.get("/api/why")
    def why(one: int, other: int) -> Response:
        return _answer(asker.why(one, other))

    @app.get("/crop/{row}.jpg")
    def crop(row: int) -> Response:
        return Response(desk.picture(row), media_type="image/jpeg", headers=KEPT)


def _add_films(app: APIRouter, desk: Desk, media: Media) -> None:
    @app.get("/api/boxes")
    def boxes(film: int, start: float, stop: float) -> Response:
        return _answer(desk.boxes(film, start, stop))

    @app.get("/api/media")
    def describe(film: int) -> Response:
        return _answer(media.describe(film))

    @app.post("/api/preview")
    def preview(of: OfFilm) -> Response:
        media.make(of.film)
        return _answer(media.describe(of.film))

    @app.get("/film/{number}")
    def film(number: int) -> Response:
        path, kind = media.file(number)
        return FileResponse(path, media_type=kind)


def _add_regrouping(app: APIRouter, regrouping: Regrouping) -> None:
    def describe(do: Callable[[], None] | None = None) -> Response:
        if do:
            do()
        return _answer(regrouping.describe())

    @app.get("/api/recluster")
    def look() -> Response:
        return describe()

    @app.post("/api/recluster/start")
    def start(on: OnState) -> Response:
        return describe(regrouping.start)

    @app.post("/api/recluster/drop")
    def drop(on: OnState) -> Response:
        return describe(regrouping.drop)

    @app.post("/api/recluster/keep")
    def keep(on: OnState) -> Response:
        return _answer(regrouping.keep(on.revision))
