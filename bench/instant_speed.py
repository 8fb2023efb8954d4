"""How fast crops are described and named without training: the `instant` profile.

    python bench/instant_speed.py [--network r100|edgeface-xs|dlib] [--crops 10000]

Weights and pictures are random: they do not change the speed.  Each track has eight crops.
The cast is found in embeddings of forty made-up people.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch
from adapt_speed import CROPS_OF_A_TRACK, network, now
from rich.console import Console
from rich.table import Table

from videoclusternet.clustering.coarse_matching import find_links
from videoclusternet.clustering.find_cast import find_cast
from videoclusternet.config import Config
from videoclusternet.embed.embed import embed_crops, embed_views
from videoclusternet.models.load import pick_device
from videoclusternet.types import Crops, CropWeights, Embeddings, Tracks, Views
from videoclusternet.types.canvas import CANVAS

PEOPLE = 40
PICTURES = 64


def tables(crops: int) -> tuple[Tracks, Crops]:
    """Return tracks of eight crops each, a shot apart."""
    count = crops // CROPS_OF_A_TRACK
    first = np.arange(count, dtype=np.int32) * CROPS_OF_A_TRACK * 12
    tracks = Tracks(
        film=np.zeros(count, dtype=np.int32),
        shot=np.arange(count, dtype=np.int32),
        first=first,
        last=first + CROPS_OF_A_TRACK * 12 - 1,
        start=np.zeros(count + 1, dtype=np.int64),
        face=np.empty(0, dtype=np.int32),
        flaw=np.zeros(count, dtype=np.uint8),
    )
    track = np.repeat(np.arange(count, dtype=np.int32), CROPS_OF_A_TRACK)
    rows = len(track)
    return tracks, Crops(
        track=track,
        frame=np.arange(rows, dtype=np.int32) * 12,
        face=np.full(rows, -1, dtype=np.int32),
        checksum=np.zeros(rows, dtype=np.int64),
        tracks=count,
    )


class Noise:
    """Pictures of nobody."""

    def __init__(self) -> None:
        shape = (PICTURES, CANVAS, CANVAS, 3)
        self._pool = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        """Return canvases, uint8 (n, 144, 144, 3)."""
        return self._pool[np.asarray(rows) % PICTURES]


def people(embeddings: Embeddings, views: Views) -> tuple[Embeddings, Views]:
    """Put made-up people in the place of what random weights saw."""
    rng = np.random.default_rng(0)
    _, each, width = views.base.shape
    person = rng.normal(size=(PEOPLE, width))[rng.integers(PEOPLE, size=embeddings.tracks)]
    track = person + 0.6 * rng.normal(size=person.shape)
    base = track[embeddings.track] + 0.5 * rng.normal(size=embeddings.base.shape)
    seen = base[:, None] + 0.6 * rng.normal(size=(len(base), each, width))
    return (
        replace(embeddings, base=base.astype(np.float32)),
        replace(views, base=seen.astype(np.float32)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="r100")
    parser.add_argument("--crops", type=int, default=10_000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], help="e.g. embed.batch=1024")
    options = parser.parse_args()
    device = pick_device(options.device)
    config = Config.load("instant", settings=options.set)
    model = network(options.network).to(device).eval().to(memory_format=torch.channels_last)
    tracks, crops = tables(options.crops)
    seconds, started = [], now(device)
    given = (crops, tracks, Noise(), lambda: model, config.embed)
    found = embed_crops(*given), embed_views(*given, config.seed)
    seconds.append(now(device) - started)
    made_up, started = people(*found), now(device)
    find_links(*made_up, config.matching)
    seconds.append(now(device) - started)
    started = now(device)
    cast, *_ = find_cast(
        tracks, *made_up, CropWeights.even(len(made_up[0])), config.cluster, config.track_quality, 0
    )
    seconds.append(now(device) - started)
    table = Table("network", "crops", "tracks", "embed s", "links s", "cast s", "people")
    table.add_row(
        options.network, str(len(crops)), str(len(tracks)), *(f"{s:.1f}" for s in seconds),
        str(cast.character.max() + 1),
    )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
