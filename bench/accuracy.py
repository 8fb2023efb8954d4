"""How good: B-cubed F of VideoClusterNet beside HAC with an oracle threshold.

    python bench/accuracy.py DATA [--weights FOLDER] [--keep FOLDER] [--profile vcn]

``DATA`` holds sets of aligned crops as ``NAME.zip`` with ``NAME_tracks.csv`` beside it.  Both
methods get the same embeddings of the same tracks.  Ours is told nothing; HAC (average
linkage, cosine) is told the best threshold of a grid in hindsight, with the labels.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from videoclusternet import Config, cluster_tracks
from videoclusternet.result.result import Result
from videoclusternet_bench.data.truth import read_truth
from videoclusternet_bench.methods.hac import oracle_hac
from videoclusternet_bench.metrics.scores import score

BACKBONES = ("edgeface-xs", "dlib")


def compare(result: Result, truth: Path) -> tuple[float, float, float, float]:
    """Return B-cubed F and PCR of ours, then of HAC, both without the Unknown tracks."""
    labels = np.array(read_truth(truth, result).label, dtype=object)
    kept = (result.cast.character >= 0) & np.array([label is not None for label in labels])
    embeddings = result.embeddings
    rows = kept[embeddings.track]
    track = np.searchsorted(np.flatnonzero(kept), embeddings.track[rows])
    mine = score(labels[kept], result.cast.character[kept])
    _, cut = oracle_hac(embeddings.base[rows], track, labels[kept])
    other = score(labels[kept], cut)
    return mine.bcubed_f, mine.pcr, other.bcubed_f, other.pcr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with edgeface_xs_q.pt")
    parser.add_argument("--keep", type=Path, help="run folders; reused when they are there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", default="instant", help="instant, vcn or paper")
    options = parser.parse_args()
    if options.weights:
        os.environ["VCN_CACHE"] = str(options.weights.resolve())
    folder = options.keep or Path(tempfile.mkdtemp(prefix="vcn-"))
    table = Table(
        "set", "backbone", "tracks", "ours F", "PCR", "oracle HAC F", "PCR", "ours - oracle"
    )
    rows = []
    for crops in sorted(options.data.glob("*.zip"), key=lambda path: path.stat().st_size):
        truth = crops.with_name(f"{crops.stem}_tracks.csv")
        for backbone in BACKBONES:
            # Nothing is set aside as hard to tell: both methods are judged on all tracks.
            settings = [
                f"embed.backbone={backbone}",
                f"seed={options.seed}",
                "cluster.unsure=false",
            ]
            config = Config.load(options.profile, settings=settings)
            run = folder / f"{crops.stem}-{backbone}.vcn"
            result = cluster_tracks(crops, run, config)
            row = compare(result, truth)
            rows.append(row)
            table.add_row(crops.stem, backbone, str(len(result.tracks)), *_cells(row))
    if not rows:
        parser.error(f"no NAME.zip in {options.data}")
    table.add_section()
    table.add_row("mean", "", "", *_cells(np.mean(rows, axis=0)))
    Console(width=100).print(table)


def _cells(row: tuple[float, ...] | np.ndarray) -> list[str]:
    return [f"{value:.3f}" for value in row] + [f"{row[0] - row[2]:+.3f}"]


if __name__ == "__main__":
    main()
