"""What a labelled set of crops or features holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from videoclusternet.annotations.fields import column, read_csv
from videoclusternet.errors import DataError
from videoclusternet.sources.crops import list_crops
from videoclusternet.sources.features import read_features
from videoclusternet.sources.track_list import plain
from videoclusternet_bench.data.sets import labelled_sets

Facts = list[tuple[str, str]]


def facts(path: Path) -> Facts:
    """Say what a set of crops or features holds, in lines of two columns.

    Parameters
    ----------
    path : Path
        ``NAME.zip`` or ``NAME.npz``.

    Raises
    ------
    DataError
        When a file is malformed, or no track has a label.
    """
    (labelled,) = labelled_sets(path)
    (source,), (truth,) = labelled.sources, labelled.truths
    if labelled.form == "features":
        features = read_features(source)
        rows, width = features.features.shape
        about = [("form", "features (npz)"), ("file", str(source)), ("model", features.model)]
        return [
            *about,
            *_labels(truth, features.names),
            ("features", f"{rows} of {width} values"),
        ]
    crops = list_crops(source)
    tracks = dict.fromkeys(track for track, _, _ in crops)
    about = [("form", "aligned crops (zip)"), ("file", str(source))]
    return [*about, *_labels(truth, tracks), ("crops", str(len(crops)))]


def _labels(path: Path, tracks: Iterable[str]) -> Facts:
    labels: dict[str, str] = {}
    for place, fields in read_csv(path):
        name, label = plain(column(fields, "track_id", place)), column(fields, "label", place)
        if name in labels:
            raise DataError(f"{place}: track {name} appears twice")
        if not label:
            raise DataError(f"{place}: track {name} has no label", "leave out such tracks")
        labels[name] = label
    names = {plain(name) for name in tracks}
    known = names & labels.keys()
    if not known:
        raise DataError(f"{path} knows none of the tracks", "check that they belong together")
    lines = [("tracks", str(len(known))), ("people", str(len({labels[n] for n in known})))]
    for count, what in (
        (len(names) - len(known), "tracks without a label"),
        (len(labels) - len(known), "labels without a track"),
    ):
        lines += [(what, str(count))] * (count > 0)
    return lines
