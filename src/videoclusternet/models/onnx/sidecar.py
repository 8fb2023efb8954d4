"""How to feed an ONNX model: a JSON file beside it says what the model itself cannot.

``{"channels": "BGR", "mean": 127.5, "scale": [128, 128, 128], "template": [[x, y], ...]}``;
every entry may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoclusternet.errors import ModelError
from videoclusternet.models.registry import sidecar_path
from videoclusternet.outside.files import exists, read_json
from videoclusternet.outside.text import shown

MOST_BYTES = 1 << 16
"""Of the file."""
LARGEST = 1e6
"""Of a mean, a scale or a point."""
LEAST = 1e-6
"""Of a scale: less makes values that are not finite."""
KEYS = ("channels", "mean", "scale", "template", "size")


@dataclass(frozen=True)
class Feeding:
    """What to do to a picture; the convention of ArcFace where nothing is said.

    Attributes
    ----------
    channels : {"RGB", "BGR"}
        Order of the network's input.
    mean : tuple of 3 floats
        Subtracted from values 0..255, in the order of ``channels``.
    scale : tuple of 3 floats
        Then divided by.
    template : float64, shape (5, 2), or None
        Landmarks on the input, px; None for ArcFace's, scaled.
    size : int or None
        Side of the input, px, where the graph leaves it open.
    """

    channels: str = "RGB"
    mean: tuple[float, ...] = (127.5, 127.5, 127.5)
    scale: tuple[float, ...] = (127.5, 127.5, 127.5)
    template: NDArray[np.float64] | None = None
    size: int | None = None


def read_sidecar(model: Path) -> Feeding:
    """Read the file beside a model, if there is one.

    Raises
    ------
    ModelError
        When it is no JSON object, or an entry is unknown or impossible.
    """
    path = sidecar_path(model)
    if not exists(path):
        return Feeding()
    try:
        given = read_json(path, ModelError, MOST_BYTES)
        if not isinstance(given, dict):
            raise ValueError("it should hold one object in braces")
        if unknown := sorted(set(given) - set(KEYS)):
            raise ValueError(f"unknown entry {shown(unknown[0])}; known: {', '.join(KEYS)}")
        return Feeding(**{key: _checked(key, value) for key, value in given.items()})
    except ValueError as error:
        raise ModelError(f"{path}: {error}", 'see "ONNX models" in docs/weights.md') from error


def _checked(key: str, value: Any) -> Any:
    if key == "channels":
        if value not in ("RGB", "BGR"):
            raise ValueError(f'"channels" should be "RGB" or "BGR", not {shown(value)}')
        return value
    if key == "size":
        if not isinstance(value, int) or isinstance(value, bool) or not 16 <= value <= 1024:
            raise ValueError(f'"size" should be a whole number of px, not {shown(value)}')
        return value
    if key == "template":
        rows = value if isinstance(value, list) else []
        if len(rows) != 5 or not all(_numbers(row, 2) for row in rows):
            raise ValueError('"template" should be five points [x, y]')
        points = np.array(rows, dtype=np.float64)
        if not np.ptp(points, axis=0).all():
            raise ValueError('"template" should be five points that lie apart')
        return points
    many = value if isinstance(value, list) else [value] * 3
    if not _numbers(many, 3) or (key == "scale" and min(map(abs, many)) < LEAST):
        rest = " other than 0" if key == "scale" else ""
        raise ValueError(f'"{key}" should be a number or three{rest}, not {shown(value)}')
    return tuple(map(float, many))


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(v) in (int, float) and abs(v) <= LARGEST for v in values)
    )
