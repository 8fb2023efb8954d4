"""A drawn film with discs for faces, a detector that finds discs, a model that sees colour.

Everything around the networks can be tested with these in well under a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videoclusternet.annotations.boxes import BoxRow, FilmFacts, collect
from videoclusternet.cli.demo_film import write_film
from videoclusternet.config import Config
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.detectors.detector import Detections
from videoclusternet.result.result import open_run
from videoclusternet.types.canvas import ARCFACE_112
from videoclusternet_bench.data import export

Array = NDArray[Any]
WIDTH, HEIGHT, FPS, RADIUS = 192, 144, 24, 28
COLOURS = {"red": (230, 60, 40), "blue": (40, 80, 230), "green": (40, 200, 60)}
Scene = tuple[str, ...]
SCENES: tuple[Scene, ...] = (("red",), ("blue",), ("red", "blue"))
"""Who is seen in each shot of the usual film: three shots of one second, four tracks."""
EMPTY: tuple[Scene, ...] = ((), ())
PLAIN = ("cluster.choose=frozen/or", "track_quality.enabled=false")
"""Settings for tests that are not about the clustering: one reading, every track kept."""
QUICKLY = Config.load(settings=PLAIN)
FLAGS = tuple(part for setting in PLAIN for part in ("--set", setting))
"""The same for the command line."""


def draw(people: Scene, ground: int, when: float) -> Array:
    """Draw one frame: a grey wall with stripes, and one textured disc for each person."""
    picture = np.full((HEIGHT, WIDTH, 3), ground, dtype=np.uint8)
    picture[:, :: 8 + ground % 7] = ground // 2
    pattern = np.random.default_rng(7).uniform(0.45, 1.1, (2 * RADIUS, 2 * RADIUS, 1))
    y, x = np.mgrid[-RADIUS:RADIUS, -RADIUS:RADIUS]
    inside = x**2 + y**2 < RADIUS**2
    for place, name in enumerate(people, 1):
        middle = round(WIDTH * place / (len(people) + 1) + 8 * (when - 0.5))
        texture = np.clip(np.array(COLOURS[name]) * pattern, 0, 255).astype(np.uint8)
        top, left = HEIGHT // 2 - RADIUS, middle - RADIUS
        picture[top : top + 2 * RADIUS, left : left + 2 * RADIUS][inside] = texture[inside]
    return picture


def draw_film(path: Path, scenes: Sequence[Scene] = SCENES, seconds: float = 1.0) -> Path:
    """Write a film of shots of equal length."""
    count = round(seconds * FPS)

    def pictures() -> Iterator[Array]:
        for number, people in enumerate(scenes):
            for n in range(count):
                yield draw(people, 70 + 110 * (number % 2) + number, n / count)

    write_film(path, pictures(), FPS)
    return path


class DiscDetector:
    """Takes every patch of strong colour for a face."""

    name = "discs"

    def __init__(self) -> None:
        self.seen = 0

    def detect(self, pictures: Sequence[Array]) -> list[Detections]:
        """Find discs, from left to right."""
        self.seen += len(pictures)
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Array) -> Detections:
        red, green, blue = cv2.split(picture)
        most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
        coloured = (cv2.subtract(most, least) > 40).astype(np.uint8)
        solid = cv2.morphologyEx(coloured, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(solid)
        found = sorted(tuple(s[:4]) for s in stats[1:].tolist() if min(s[2], s[3]) >= 12)
        box = np.array([(x, y, x + w, y + h) for x, y, w, h in found], dtype=np.float32)
        box = box.reshape(-1, 4)
        size = (box[:, 2:] - box[:, :2])[:, None]
        landmarks = box[:, None, :2] + size * (ARCFACE_112 / 112)[None]
        return Detections(box, landmarks.astype(np.float32), np.full(len(box), 0.95, np.float32))


class ColourModel(FaceModel):
    """Tells discs apart by their colour."""

    name, dim, size, template = "colours", 16, 112, ARCFACE_112

    def __init__(self) -> None:
        super().__init__()
        self._pool = nn.AdaptiveAvgPool2d(3)
        self._last = nn.Linear(27, self.dim)
        values = np.random.default_rng(3).normal(size=(self.dim, 27)) / 5
        self._last.weight.data = torch.as_tensor(values, dtype=torch.float32)
        self._last.bias.data.zero_()

    def normalise(self, pixels: Tensor) -> Tensor:
        """Centre."""
        return (pixels - 127) / 64

    def early(self, x: Tensor) -> Tensor:
        """Colours without their grey."""
        return x - x.mean(dim=1, keepdim=True)

    def late(self, maps: Tensor) -> Tensor:
        """Mean colour of nine fields."""
        return torch.as_tensor(self._pool(maps).flatten(1))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Nothing to train before the last layer."""
        return ()

    @property
    def tail(self) -> nn.Linear:
        """The last layer."""
        return self._last


class FakeModels:
    """Stands in for the networks of a run, and counts what they are asked to do.

    Attributes
    ----------
    detector : DiscDetector
    loaded : list of str
        What was loaded: ``"detector"``, ``"backbone"``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.detector = DiscDetector()
        self.loaded: list[str] = []
        where = "videoclusternet.models.load"
        monkeypatch.setattr(
            f"{where}._backbone", self._loading("backbone", lambda: ColourModel().eval())
        )
        monkeypatch.setattr(f"{where}._detector", self._loading("detector", lambda: self.detector))
        monkeypatch.setattr("videoclusternet.pipeline.usable", lambda: 1)  # they live in here

    def _loading(self, what: str, make: Callable[[], Any]) -> Callable[[str, str, str], Any]:
        @cache
        def load(choice: str, device: str, digest: str) -> Any:
            self.loaded.append(what)
            return make()

        return load


def write_boxes(run: Path, folder: Path, labels: Sequence[str]) -> Path:
    """Write the tracks of a run over one film as labelled boxes, cut off at the frame."""
    result = open_run(run)
    (film,) = result.films
    assert film.video is not None and film.faces is not None
    edge = np.array([film.video.width, film.video.height] * 2)
    rows = [
        BoxRow(
            "", f"t{t}", int(film.faces.frame[face]), _x_y_w_h(film.faces.box[face], edge), label
        )
        for t, label in enumerate(labels)
        for face in film.tracks.faces_of(t)
    ]
    facts = FilmFacts(
        Path(film.video.path).name, film.video.fps, film.video.width, film.video.height
    )
    export.write_boxes(collect(folder, facts, rows), folder)
    return folder


def _x_y_w_h(corners: Array, edge: Array) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = np.clip(corners, 0, edge).astype(float).tolist()
    return x1, y1, x2 - x1, y2 - y1


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return every file of a folder with its bytes; folders count as None."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
