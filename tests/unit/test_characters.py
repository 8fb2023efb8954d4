"""A cast in numbers: screen time, spans, telling pictures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from videoclusternet.config import Config
from videoclusternet.events import silent
from videoclusternet.result.characters import characters, track_span
from videoclusternet.result.pictures import telling_crops
from videoclusternet.result.result import Result
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.types import CropWeights, Embeddings, Judgement, Reason
from videoclusternet.types.span import Span, join_spans


def at(film: int, first: int, end: int) -> Span:
    """A span at 24 frames a second."""
    return Span(film, first, end, first / 24, end / 24)


def test_spans_that_overlap_or_touch_are_joined() -> None:
    spans = [at(0, 5, 6), at(0, 0, 1), at(0, 1, 2), at(0, 2, 3), at(0, 0, 2)]
    assert join_spans(spans) == [at(0, 0, 3), at(0, 5, 6)]
    assert join_spans([]) == []


def test_spans_of_two_films_stay_apart() -> None:
    assert join_spans([at(1, 0, 2), at(0, 1, 4), at(1, 1, 3)]) == [at(0, 1, 4), at(1, 0, 3)]


def test_a_short_gap_is_bridged() -> None:
    spans = [at(0, 0, 24), at(0, 48, 72), at(0, 97, 99)]
    assert join_spans(spans, 0.99) == spans
    assert join_spans(spans, 1.0) == [at(0, 0, 72), at(0, 97, 99)]


@pytest.mark.parametrize("seed", range(4))
def test_joined_spans_cover_the_same_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 80, 15)
    stop = start + rng.integers(1, 10, 15)
    joined = join_spans([at(0, int(a), int(b)) for a, b in zip(start, stop, strict=True)])
    frames = {f for a, b in zip(start, stop, strict=True) for f in range(a, b)}
    assert sum(s.frames for s in joined) == len(frames)
    assert {f for s in joined for f in range(s.first, s.end)} == frames
    assert all(a.end < b.first for a, b in pairwise(joined))
    assert all((s.start, s.stop) == (s.first / 24, s.end / 24) for s in joined)


def a_film(stride: int = 3) -> Result:
    """Ten seconds in two shots; character 0 twice at the same time, 1 once, one Unknown."""
    tracks = tables.tracks([(0, 0, 45), (0, 24, 69), (0, 120, 141), (1, 192, 237)])
    film = tables.film(
        tracks,
        with_video=tables.video(240),
        with_shots=tables.shots(0, 144, 240),
        with_faces=tables.faces([(0, 0, 0, 50, 60)], stride=stride),
    )
    return tables.result([film], tracks, tables.cast([0, 0, 1, -1], [0.9, 0.6, 0.5, 0.0]))


def test_screen_time_is_joined_time_and_doubts_add_up() -> None:
    first, second, unknown = characters(a_film())
    assert [c.name for c in (first, second, unknown)] == ["Character 1", "Character 2", "Unknown"]
    # Frames 0 to 45 and 24 to 69, each seen every third frame: 0 to 72.
    assert first.spans == (at(0, 0, 72),) and first.seconds == pytest.approx(3)
    assert first.tracks.tolist() == [0, 1]
    assert first.confidence == pytest.approx(0.75) and first.expected_wrong == pytest.approx(0.5)
    assert second.spans == (at(0, 120, 144),)
    assert np.isnan([unknown.confidence, unknown.expected_wrong]).all()
    assert unknown.tracks.tolist() == [3]


def test_a_span_bridges_the_stride_but_not_the_cut() -> None:
    assert track_span(a_film(stride=6), 0) == at(0, 0, 51)
    assert track_span(a_film(stride=6), 2) == at(0, 120, 144)
    assert track_span(a_film(stride=6), 3).stop == pytest.approx(10.0)


def test_length_of_a_film_with_and_without_pictures() -> None:
    assert a_film().films[0].duration == pytest.approx(10)
    assert tables.film(tables.tracks([(0, 0, 47)])).duration == pytest.approx(2)


def test_no_face_no_character() -> None:
    tracks = tables.tracks([])
    assert characters(tables.result([tables.film(tracks)], tracks, tables.cast([]))) == []


def pictured(
    folder: Path, directions: list[int], weight: list[float], track: list[int], more: int = 0
) -> Result:
    """A run whose crops point into these directions, in several tracks, and ``more`` tracks."""
    n = len(directions)
    count = max(track) + 1 + more
    embeddings = Embeddings(
        track=np.array(track),
        crop=np.arange(n),
        base=np.eye(max(directions) + 1)[directions] * 3,
        quality=np.full(n, 0.5),
        tracks=count,
        model="toy",
    )
    with Run.open(folder, Config(), silent) as run:
        run.do(Step("embeddings", lambda: embeddings, (Embeddings,)))
        judged = tables.judgement([Reason.OK] * count), CropWeights(np.array(weight))
        run.do(Step("judgement", lambda: judged, (Judgement, CropWeights)))
    tracks = tables.tracks([(t, 0, 9) for t in range(count)])
    film = tables.film(tracks, folder=folder, with_crops=tables.crops(track, count))
    film = replace(film, judgement=judged[0])
    return tables.result([film], tracks, tables.cast([0] * count))


def test_telling_crops_begin_with_the_best_and_go_on_with_what_differs(tmp_path: Path) -> None:
    # Three looks; the second-best crops look like the best one, and half a face like nothing.
    made = pictured(
        tmp_path, [0, 0, 0, 1, 2, 2], [0.9, 0.95, 0.85, 0.9, 0.8, 0.9], [0, 1, 2, 3, 4, 5]
    )
    assert telling_crops(made, np.arange(6), 1) == [1]
    assert telling_crops(made, np.arange(6), 3) == [1, 5, 3]
    everything = telling_crops(made, np.arange(6), 10)
    assert sorted(everything) == list(range(6))


def test_each_track_offers_its_best_crop_and_others_none(tmp_path: Path) -> None:
    made = pictured(
        tmp_path, [0, 1, 2, 0, 1, 2], [0.1, 0.8, 0.7, 0.6, 0.2, 0.9], [0, 0, 0, 1, 1, 2]
    )
    assert sorted(telling_crops(made, np.array([0, 1]), 6)) == [1, 3]
    assert telling_crops(made, np.array([2]), 6) == [5]


def test_large_faces_tell_more(tmp_path: Path) -> None:
    made = pictured(tmp_path, [0, 0, 0], [0.9, 0.9, 0.9], [0, 1, 2])
    sizes = (30, 80, 400)
    crops = replace(made.films[0].crops, face=np.arange(3))
    film = replace(made.films[0], crops=crops, faces=tables.faces([(0, 0, 0, s, s) for s in sizes]))
    made = replace(made, films=(film,))
    assert telling_crops(made, np.arange(3), 1) == [2]
    assert telling_crops(made, np.arange(2), 1) == [1]


def test_tracks_that_were_not_embedded_show_their_middle_crop(tmp_path: Path) -> None:
    made = pictured(tmp_path, [0], [0.5], [0], more=2)
    tracks = tables.tracks([(t, 0, 9) for t in range(3)])
    film = replace(made.films[0], tracks=tracks, crops=tables.crops([0, 1, 1, 1, 2], 3))
    made = tables.result([film], tracks, tables.cast([0, -1, -1]))
    assert telling_crops(made, np.array([1, 2]), 5) == [2, 4]
    assert telling_crops(made, np.array([1, 2]), 1) == [2]
