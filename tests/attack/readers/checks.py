"""What a reader may return: each check says what is unsound, nothing where all is well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.annotations.boxes import EDGE, FilmFacts, LabelledBoxes
from videoclusternet.models.onnx.file import OnnxFile
from videoclusternet.models.onnx.sidecar import Feeding
from videoclusternet.sources.features import Features
from videoclusternet.sources.track_list import Listed
from videoclusternet.types import Table
from videoclusternet_bench.data.ids import TrackLabels
from videoclusternet_bench.data.truth import Labels

INT32 = 2**31


def text(*values: Any) -> str:
    """Every one is a text that UTF-8 can hold: it is written to files."""
    for value in values:
        if not isinstance(value, str):
            return f"{value!r} is no text"
        try:
            value.encode()
        except UnicodeEncodeError:
            return f"{value!a} is no text that can be written"
    return ""


def anything(value: Any) -> str:
    """Nothing is asked: what is returned is judged by who uses it."""
    return ""


def film_facts(facts: FilmFacts) -> str:
    """Sizes and rate are larger than 0 and no larger than files hold."""
    if said := text(facts.video):
        return said
    sizes = [facts.width, facts.height, *([] if facts.frames is None else [facts.frames])]
    if not all(type(size) is int and 0 < size < INT32 for size in sizes):
        return f"sizes are {sizes}"
    return "" if 0 < facts.fps < 10**9 else f"the rate is {facts.fps}"


def boxes(found: LabelledBoxes) -> str:
    """Boxes are in the frame, tracks in order, labels there."""
    if said := film_facts(found.film) or text(*found.tracks, *found.labels):
        return said
    x, y, w, h = found.box.T
    film = found.film
    if not (np.isfinite(found.box).all() and (w > 0).all() and (h > 0).all()):
        return "a box is not finite or empty"
    if x.min() < -EDGE or y.min() < -EDGE:
        return "a box leaves the frame"
    if (x + w).max() > film.width + EDGE or (y + h).max() > film.height + EDGE:
        return "a box leaves the frame"
    if found.frame.min() < 0 or (film.frames and found.frame.max() >= film.frames):
        return "a frame is outside the film"
    order = found.track.astype(np.int64) * INT32 + found.frame
    if (np.diff(order) <= 0).any():
        return "boxes are not in order"
    if not all(found.labels) or not all(found.tracks):
        return "a track has no name or no label"
    right = len(found.labels) == len(found.tracks) == found.track.max() + 1
    return "" if right and found.seconds.min() > 0 else "tracks and labels do not fit"


def features(found: Features) -> str:
    """Finite floats, tracks in order, numbers that int32 holds, a model that names a folder."""
    if found.features.dtype != np.float32 or found.features.ndim != 2 or not found.features.size:
        return f"features are {found.features.dtype} {found.features.shape}"
    if not np.isfinite(found.features).all():
        return "a feature is not finite"
    for numbers in (found.track, *([] if found.frame is None else [found.frame])):
        if numbers.dtype != np.int64 or numbers.shape != found.features.shape[:1]:
            return f"numbers are {numbers.dtype} {numbers.shape}"
        if numbers.min() < 0 or numbers.max() >= INT32:
            return f"numbers go from {numbers.min()} to {numbers.max()}"
    if (np.diff(found.track) < 0).any():
        return "tracks are not in order"
    if "/" in found.model or not 0 < len(found.model) <= 40:
        return f"the model is {found.model!r}"
    return text(found.model, found.digest)


def array(found: np.ndarray) -> str:
    """An array without objects."""
    if not isinstance(found, np.ndarray) or found.dtype.hasobject:
        return f"{type(found)} of objects"
    return ""


def arrays(found: Mapping[str, np.ndarray]) -> str:
    """Arrays without objects by names."""
    return next((said for one in found.values() if (said := array(one))), "")


def listed(found: Mapping[str, Listed]) -> str:
    """Shots and frames that int32 holds."""
    for one in found.values():
        numbers = [one.shot, *(one.reach or ())]
        if not all(type(n) is int and 0 <= n < INT32 for n in numbers):
            return f"{numbers}"
        if one.reach and one.reach[1] < one.reach[0]:
            return f"{one.reach}"
    return text(*found)


def labels(found: Labels) -> str:
    """Each track has a name or none, and lines of the truth show tracks that there are."""
    if not all(0 <= t < len(found.label) for line in found.lines for t in line):
        return f"{found.lines} of {len(found.label)} tracks"
    return text(*(one for one in found.label if one is not None))


def ids(found: TrackLabels) -> str:
    """Numbers and labels, each number once."""
    if len(found.ids) != len(found.labels) or len(set(found.ids.tolist())) != len(found.ids):
        return "numbers and labels do not fit"
    if len(found.ids) and found.ids.min() < 0:
        return "a number is less than 0"
    return text(*found.labels) or ("" if all(found.labels) else "a label is empty")


def table(found: Table) -> str:
    """Columns of the right type; a content hash can be taken."""
    for name, (dtype, shape) in found.COLUMNS.items():
        values = getattr(found, name)
        if values.dtype != np.dtype(dtype) or values.ndim != len(shape):
            return f"{name} is {values.dtype} {values.shape}"
    return "" if len(found.digest) == 64 else "no hash"


def feeding(found: Feeding) -> str:
    """Finite numbers, a scale that can be divided by."""
    numbers = [*found.mean, *found.scale]
    if len(numbers) != 6 or not all(type(n) is float and np.isfinite(n) for n in numbers):
        return f"{numbers}"
    if not all(found.scale):
        return "the scale is 0"
    if found.template is not None and not np.isfinite(found.template).all():
        return "the template is not finite"
    return "" if found.channels in ("RGB", "BGR") else found.channels


def onnx_file(found: OnnxFile) -> str:
    """Nodes, and at least one output."""
    return "" if found.nodes and found.outputs else "no nodes"


def tensors(found: Iterable[Any]) -> str:
    """Arrays of floats."""
    for one in found:
        if one.dtype not in (np.float32, np.float64, np.float16, np.int64, np.int32):
            return f"{one.dtype}"
    return ""


def state(found: Mapping[str, Any]) -> str:
    """Tensors by names."""
    for name, one in found.items():
        if not isinstance(name, str) or not hasattr(one, "is_floating_point"):
            return f"{name!r} is {type(one)}"
    return ""


def rows(found: Iterable[Any]) -> str:
    """Mappings by texts."""
    return next((f"{row!r}"[:99] for row in found if not isinstance(row, dict)), "")


def paths(found: Iterable[Any]) -> str:
    """Sets whose sources lie in the folder that was given."""
    for one in found:
        for source in one.sources:
            if not isinstance(source, Path) or not source.exists():
                return f"{source} is not there"
    return ""
