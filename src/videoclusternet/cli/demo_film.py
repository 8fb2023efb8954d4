"""The embedded demo: a short film made of two public-domain portraits.

Grace Hopper (U.S. Navy, shipped with matplotlib) and Eileen Collins (NASA, shipped with
scikit-image): 14 shots in different light, size, tilt and movement, one with both of
them, one with nobody.  Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from videoclusternet.events import Event, Hook, silent
from videoclusternet.runfolder.files import replacing, writing
from videoclusternet.types.arrays import Array

WIDTH, HEIGHT, FPS = 640, 360, 24
FILM = "demo.mp4"


@dataclass(frozen=True)
class Portrait:
    """A picture and where its face is: centre and height in px."""

    pixels: Array
    x: float
    y: float
    face: float


@dataclass(frozen=True)
class DemoShot:
    """One shot: who stands where, how large, in what light, and how the camera moves.

    Attributes
    ----------
    people : tuple of (name, x, face)
        ``x`` in shares of the frame width, ``face`` is the face height in px.
    seconds : float
    gamma, warmth : float
        Light: gamma below 1 brightens, warmth above 0 reddens.
    tilt : float
        Degrees.
    mirror : bool
    pan : float
        Movement of the camera over the shot, px.
    zoom : float
        Enlargement over the shot.
    noise : float
        Standard deviation, grey levels.
    grey : bool
        Black and white.
    """

    people: tuple[tuple[str, float, float], ...]
    seconds: float = 2.0
    gamma: float = 1.0
    warmth: float = 0.0
    tilt: float = 0.0
    mirror: bool = False
    pan: float = 0.0
    zoom: float = 1.0
    noise: float = 0.0
    grey: bool = False


G, E = "Grace Hopper", "Eileen Collins"
SHOTS = (
    DemoShot(((G, 0.5, 150),), 2.5, zoom=1.15),
    DemoShot(((E, 0.4, 140),), 2.0, pan=40),
    DemoShot(((G, 0.6, 110),), 2.0, gamma=1.6, warmth=0.15, tilt=6, pan=-30),
    DemoShot(((E, 0.55, 180),), 2.5, gamma=0.7, tilt=-5),
    DemoShot(((G, 0.3, 130), (E, 0.72, 130)), 3.0, zoom=1.08),
    DemoShot(((E, 0.35, 95),), 2.0, gamma=1.4, warmth=-0.15, mirror=True),
    DemoShot(((G, 0.45, 190),), 2.0, grey=True, noise=6),
    DemoShot((), 2.0, pan=50),
    DemoShot(((E, 0.6, 160),), 2.0, grey=True, zoom=1.2),
    DemoShot(((G, 0.5, 85),), 2.0, mirror=True, warmth=0.2, pan=30),
    DemoShot(((E, 0.5, 120),), 1.5, gamma=1.7, noise=8, tilt=8),
    DemoShot(((G, 0.4, 140),), 2.0, gamma=0.6, tilt=-7, zoom=1.1),
    DemoShot(((E, 0.45, 200),), 2.0, mirror=True, pan=-25),
    DemoShot(((G, 0.55, 120),), 2.5, warmth=-0.2, noise=4, pan=-35),
)
"""Neighbouring shots differ in place, light and person, as cuts in a film do."""


def build_demo(folder: Path, hook: Hook = silent) -> Path:
    """Write the demo film into a folder and return its path; an existing one is kept."""
    path = folder / FILM
    if path.exists():
        return path
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    total = sum(round(shot.seconds * FPS) for shot in SHOTS)
    hook(Event("start", "demo", unit="frames"))

    def told() -> Iterator[Array]:
        for number, picture in enumerate(frames(SHOTS), 1):
            hook(Event("progress", "demo", number, total, "frames"))
            yield picture

    with replacing(path) as temporary:
        write_film(temporary, told())
    hook(Event("done", "demo", unit="frames"))
    return path


def portraits() -> dict[str, Portrait]:
    """Return the two portraits."""
    import matplotlib.cbook
    import skimage.data

    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return {
        G: Portrait(np.asarray(hopper), 263, 205, 230),
        E: Portrait(np.asarray(skimage.data.astronaut()), 224, 120, 130),
    }


def frames(shots: tuple[DemoShot, ...]) -> Iterator[Array]:
    """Draw the frames of some shots: uint8 (360, 640, 3), RGB."""
    import skimage.data

    people = portraits()
    backdrop = np.asarray(skimage.data.coffee())
    for number, shot in enumerate(shots):
        rng = np.random.default_rng(number)
        count = round(shot.seconds * FPS)
        stage = _stage(shot, people, backdrop, number)
        for n in range(count):
            yield _photograph(stage, shot, n / max(1, count - 1), rng)


def write_film(path: Path, pictures: Iterator[Array], fps: int = FPS) -> None:
    """Encode RGB pictures as H.264 in MP4."""
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=Fraction(fps))
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "18", "preset": "veryfast"}
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def _stage(shot: DemoShot, people: dict[str, Portrait], backdrop: Array, number: int) -> Array:
    """Compose the still picture that the camera then moves over, 1.5 frames wide."""
    width, height = WIDTH * 3 // 2, HEIGHT * 3 // 2
    turned = np.rot90(backdrop, number % 4)
    stage = cv2.GaussianBlur(cv2.resize(np.ascontiguousarray(turned), (width, height)), (0, 0), 9)
    if not shot.people:
        stage = cv2.resize(backdrop, (width, height))
    for name, x, face in shot.people:
        person = people[name]
        # Beside somebody else there is room for head and shoulders only.
        around = person.face if len(shot.people) > 1 else person.pixels.shape[1]
        low, high = max(0, int(person.x - around)), int(person.x + around)
        part = person.pixels[:, low:high]
        scale = face / person.face
        size = (int(part.shape[1] * scale), int(part.shape[0] * scale))
        left = WIDTH // 4 + x * WIDTH - (person.x - low) * scale
        top = HEIGHT // 4 + 0.42 * HEIGHT - person.y * scale
        _paste(stage, cv2.resize(part, size, interpolation=cv2.INTER_AREA), round(left), round(top))
    return np.asarray(stage)


def _paste(stage: Array, picture: Array, left: int, top: int) -> None:
    x0, y0 = max(0, left), max(0, top)
    x1 = min(stage.shape[1], left + picture.shape[1])
    y1 = min(stage.shape[0], top + picture.shape[0])
    stage[y0:y1, x0:x1] = picture[y0 - top : y1 - top, x0 - left : x1 - left]


def _photograph(stage: Array, shot: DemoShot, when: float, rng: np.random.Generator) -> Array:
    """Take one frame: ``when`` runs from 0 to 1 over the shot."""
    scale = 1 + (shot.zoom - 1) * when
    matrix = cv2.getRotationMatrix2D((stage.shape[1] / 2, stage.shape[0] / 2), shot.tilt, scale)
    matrix[0, 2] += (WIDTH - stage.shape[1]) / 2 - shot.pan * (when - 0.5)
    matrix[1, 2] += (HEIGHT - stage.shape[0]) / 2
    picture = cv2.warpAffine(
        stage, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if shot.mirror:
        picture = picture[:, ::-1]
    return _exposed(np.asarray(picture), shot, rng)


def _exposed(picture: Array, shot: DemoShot, rng: np.random.Generator) -> Array:
    """Put a frame into the light of its shot."""
    levels = ((np.arange(256) / 255.0) ** shot.gamma)[:, None]
    levels = levels * np.array([1 + shot.warmth, 1.0, 1 - shot.warmth])
    if not (shot.grey or shot.noise):
        return np.asarray(cv2.LUT(picture, np.clip(levels * 255, 0, 255).astype(np.uint8)[None]))
    light = np.asarray(cv2.LUT(picture, levels[None]))
    if shot.grey:
        mean = (light[..., 0] + light[..., 1] + light[..., 2]) / 3
        light = np.repeat(mean[..., None], 3, axis=2)
    light *= 255
    if shot.noise:
        light += rng.normal(0, shot.noise, light.shape)
    return np.asarray(np.clip(light, 0, 255, out=light), dtype=np.uint8)
