"""Why two tracks are one person, or two, as a page with pictures and as JSON."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.outside.text import printable
from videoclusternet.result.pictures import telling_crops
from videoclusternet.result.result import Result
from videoclusternet.review.why import Why
from videoclusternet.review.why_words import merge, sentences
from videoclusternet.runfolder.files import replacing
from videoclusternet.show.template import template_of

PICTURES = 3
"""Of each track."""


def write_why(result: Result, why: Why, path: Path) -> Path:
    """Write a page without scripts or links: the two tracks, then the merges between them.

    Raises
    ------
    StoreError
        When it cannot be written.
    """
    steps = [
        {
            "words": merge(link),
            "weakest": link is why.weakest,
            "sides": [_side(result, track) for track in link.nearest or ()],
        }
        for link in sorted(why.links, key=lambda link: -link.strain)
    ]
    page = template_of("videoclusternet.review", "why.html.j2").render(
        title=f"Tracks {why.tracks[0]} and {why.tracks[1]}",
        said=[printable(line.strip()) for line in sentences(result, why)],
        sides=[_side(result, track) for track in why.tracks],
        steps=steps,
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _side(result: Result, track: int) -> dict[str, Any]:
    """Return what is shown of a track: its name, pictures, own threshold."""
    rows = telling_crops(result, np.array([track]), 1) if result.has_pictures else []
    every = np.flatnonzero(result.crop_track == track) if result.has_pictures else np.empty(0)
    spread = every[np.linspace(0, len(every) - 1, min(PICTURES, len(every))).round().astype(int)]
    shown = list(dict.fromkeys([*rows, *(int(row) for row in spread)]))[:PICTURES]
    own = float(result.cast.threshold[track])
    return {
        "track": track,
        "who": printable(result.called(int(result.cast.character[track]))),
        "own": "" if own != own else f"{own:.2f}",
        "pictures": [base64.b64encode(result.pictures.jpeg(row)).decode() for row in shown],
    }


def as_dict(why: Why) -> dict[str, Any]:
    """Return it as JSON-able values; null where nothing is known."""

    def number(value: float) -> float | None:
        return round(float(value), 4) if np.isfinite(value) else None

    return {
        "tracks": list(why.tracks),
        "characters": list(why.names),
        "thresholds": [number(value) for value in why.own],
        "distance": number(why.distance),
        "between": number(why.between),
        "edits": list(why.edits),
        "met": [list(pair) for pair in why.met],
        "merges": [
            {
                "round": link.round,
                "one": link.one.tolist(),
                "other": link.other.tolist(),
                "distance": number(link.distance),
                "threshold": number(link.threshold),
                "nearest": None if link.nearest is None else list(link.nearest),
                "weakest": link is why.weakest,
            }
            for link in why.links
        ],
    }
