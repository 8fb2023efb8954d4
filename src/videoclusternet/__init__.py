"""Who is on screen, when, in any film: self-supervised, adaptive face clustering.

>>> from videoclusternet import cluster_film
>>> result = cluster_film("film.mp4")  # doctest: +SKIP
>>> result.cast.characters  # doctest: +SKIP
12
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videoclusternet.config import Config
    from videoclusternet.doors import cluster_boxes, cluster_film, cluster_tracks
    from videoclusternet.errors import VcnError
    from videoclusternet.events import Event
    from videoclusternet.export.door import export_run
    from videoclusternet.library.door import Library, open_library
    from videoclusternet.pipeline import adapt_run, cluster
    from videoclusternet.result.characters import Character, characters
    from videoclusternet.result.pictures import Picture
    from videoclusternet.result.result import Result, open_run
    from videoclusternet.types.span import Span

_HOMES = {
    "Character": "result.characters",
    "Config": "config",
    "Event": "events",
    "Library": "library.door",
    "Picture": "result.pictures",
    "Result": "result.result",
    "Span": "types.span",
    "VcnError": "errors",
    "adapt_run": "pipeline",
    "characters": "result.characters",
    "cluster": "pipeline",
    "cluster_boxes": "doors",
    "cluster_film": "doors",
    "cluster_tracks": "doors",
    "export_run": "export.door",
    "open_library": "library.door",
    "open_run": "result.result",
}

__all__ = [
    "Character",
    "Config",
    "Event",
    "Library",
    "Picture",
    "Result",
    "Span",
    "VcnError",
    "adapt_run",
    "characters",
    "cluster",
    "cluster_boxes",
    "cluster_film",
    "cluster_tracks",
    "export_run",
    "open_library",
    "open_run",
]


def __getattr__(name: str) -> Any:
    # Loaded on first use: `import videoclusternet` brings in neither torch nor OpenCV.
    if name in _HOMES:
        return getattr(importlib.import_module(f"videoclusternet.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'videoclusternet' has no attribute {name!r}")
