"""Boxes of faces as trackers and annotation tools take them, against loops over the tables."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from tests.conftest import Vcn
from tests.readback.boxes import Row, drawn_by_cvat, read_coco, read_cvat, read_mot
from videoclusternet.errors import ConfigError
from videoclusternet.export.sheet import BOXES, Choice, Player, Sheet, cast_sheet, make_sheet
from videoclusternet.export.write import export
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result, open_run
from videoclusternet.types import Tracks

FRAMES, STRIDE, WIDTH, HEIGHT = 120, 3, 640, 360


def a_film(seed: int, number: int) -> Film:
    """Eight tracks with boxes in most of the frames that were looked at, some cut by the edge."""
    rng = np.random.default_rng((seed, number))
    rows: list[tuple[int, ...]] = []
    for track in range(8):
        first = int(rng.integers(0, 20)) * STRIDE
        seen = [first, *(first + STRIDE * n for n in range(1, 12) if rng.random() < 0.7)]
        x, y, w, h = rng.uniform((-20, -20, 40, 40), (560, 300, 80, 80))
        for frame in seen:
            dx, dy = rng.uniform(-3, 3, 2)
            rows.append((frame, track, x + dx, y + dy, x + dx + w, y + dy + h))
    rows.sort()
    of = [[row for row, one in enumerate(rows) if one[1] == track] for track in range(8)]
    ends = [(0, rows[mine[0]][0], rows[mine[-1]][0]) for mine in of]
    faces = tables.faces(
        [(row[0], *row[2:]) for row in rows],  # type: ignore[misc]
        stride=STRIDE,
        score=rng.uniform(0.5, 1, len(rows)).tolist(),
    )
    order = sorted(range(8), key=lambda track: ends[track])
    tracks = tables.tracks([ends[t] for t in order], [of[t] for t in order], film=number)
    made = tables.film(
        tracks,
        with_video=tables.video(FRAMES, "24000/1001", WIDTH, HEIGHT),
        with_shots=tables.shots(0, FRAMES),
        with_faces=faces,
    )
    return replace(made, name=f"film {number}")


def a_run(seed: int, films: int = 1) -> Result:
    """Three characters and Unknown tracks, at random."""
    some = [a_film(seed, number) for number in range(films)]
    rng = np.random.default_rng(seed)
    character = np.concatenate([[0, 1, 2, -1], rng.integers(-1, 3, 8 * films - 4)])
    return tables.result(some, joined([film.tracks for film in some]), tables.cast(character))


def joined(some: list[Tracks]) -> Tracks:
    """Tracks of all films, end to end."""
    starts = np.cumsum([0, *(len(one.face) for one in some)])
    return Tracks(
        *(np.concatenate([getattr(t, n) for t in some]) for n in ("film", "shot", "first", "last")),
        start=np.append(
            np.concatenate([t.start[:-1] + s for t, s in zip(some, starts, strict=False)]),
            starts[-1],
        ),
        face=np.concatenate([t.face for t in some]),
        flaw=np.concatenate([t.flaw for t in some]),
    )


def obvious(sheet: Sheet) -> list[tuple[Row, float]]:
    """Every box that belongs to a sheet, with its score, frame by frame by the definition."""
    run, found = sheet.run, []
    for track in range(len(run.tracks)):
        film = int(run.tracks.film[track])
        name = run.called(int(run.cast.character[track]))
        faces, own = run.films[film].faces, run.films[film].tracks
        assert faces is not None
        rows = own.faces_of(track - 8 * film)
        at = {int(faces.frame[row]): row for row in rows}
        for frame in range(FRAMES):
            there = [
                one
                for one in sheet.appearances
                if one.reel.number == film and one.player.name in (name, "somebody")
                if one.span.first <= frame < one.span.end
            ]
            earlier = [f for f in at if f <= frame]
            later = [f for f in at if f >= frame]
            if not there or not (earlier and later):
                continue
            if sheet.boxes == "detections" and frame not in at:
                continue
            a, b = max(earlier), min(later)
            share = Fraction(frame - a, b - a) if b > a else Fraction(0)
            corners = [between(faces.box[at[a], i], faces.box[at[b], i], share) for i in range(4)]
            score = float(between(faces.score[at[a]], faces.score[at[b]], share))
            found.append(((film, track, name, frame, cut_off(corners)), score))
    return found


def between(a: float, b: float, share: Fraction) -> Fraction:
    return (1 - share) * Fraction(float(a)) + share * Fraction(float(b))


def cut_off(corners: list[Fraction]) -> tuple[float, ...]:
    limits = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    x1, y1, x2, y2 = (
        min(max(c, Fraction(0)), Fraction(limit)) for c, limit in zip(corners, limits, strict=True)
    )
    return tuple(map(float, (x1, y1, x2 - x1, y2 - y1)))


def same(found: list[Row], wanted: list[Row]) -> None:
    """Alike row by row, boxes to a millionth of a px, as the formats round."""
    assert [row[:4] for row in sorted(found)] == [row[:4] for row in sorted(wanted)]
    boxes = [np.array([row[4] for row in sorted(rows)]) for rows in (found, wanted)]
    np.testing.assert_allclose(boxes[0], boxes[1], rtol=0, atol=2.5e-6)


READERS: dict[str, tuple[str, Callable[[list[Path]], list[Row]], int]] = {
    "mot-tracks": ("sequence", read_mot, 1),
    "coco": ("boxes.json", read_coco, 0),
    "cvat": ("boxes.xml", read_cvat, 0),
}
"""File, reader, and what is added to the number of a track."""


@pytest.mark.parametrize("boxes", BOXES)
@pytest.mark.parametrize("films", [1, 2])
@pytest.mark.parametrize("format", READERS)
def test_every_box_is_read_back(format: str, films: int, boxes: str, tmp_path: Path) -> None:
    name, read, more = READERS[format]
    for seed in range(3):
        choice = Choice(unknown=seed > 0, gap=0.2, min_seconds=0.4 * seed, boxes=boxes)
        sheet = cast_sheet(a_run(seed, films), choice)
        wanted = [(film, track + more, *rest) for (film, track, *rest), _ in obvious(sheet)]
        assert wanted
        same(read(export(sheet, tmp_path / str(seed) / name, format)), wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("boxes", BOXES)
def test_an_id_of_a_character_stands_once_in_a_frame(boxes: str, tmp_path: Path) -> None:
    shared = 0
    for seed in range(4):
        sheet = cast_sheet(a_run(seed), Choice(unknown=True, boxes=boxes))
        best: dict[tuple[int, int], tuple[Row, float]] = {}
        for (film, track, name, frame, box), score in obvious(sheet):
            who = sheet.run.cast.character[track] + 1 or 3 + track + 1
            row = film, int(who), name, frame, box
            kept = best.get((int(who), frame))
            shared += kept is not None
            if kept is None or score > kept[1]:
                best[int(who), frame] = row, score
        paths = export(sheet, tmp_path / str(seed), "mot")
        same(read_mot(paths), [row for row, _ in best.values()])
    assert shared


def test_cvat_draws_the_boxes_between_by_itself(tmp_path: Path) -> None:
    for seed in range(3):
        run = a_run(seed)
        files = [
            export(cast_sheet(run, Choice(boxes=boxes)), tmp_path / f"{boxes}{seed}.xml", "cvat")[0]
            for boxes in BOXES
        ]
        few, many = (drawn_by_cvat(file, FRAMES) for file in files)
        assert few.keys() == many.keys()
        for track in {track for track, _ in few}:
            last = int(run.tracks.last[track])
            frames = sorted(frame for one, frame in few if one == track)
            # Up to where the detector looked next: the stride is bridged, as time on screen is.
            end = min(last + STRIDE, FRAMES)
            assert frames == list(range(int(run.tracks.first[track]), end))
        for (film, track, _, frame, box), _ in obvious(cast_sheet(run, Choice(boxes="frames"))):
            x, y, w, h = box
            assert film == 0
            # A box that the edge cuts moves along a straight line no more.
            if min(x, y) > 0 and x + w < WIDTH and y + h < HEIGHT:
                np.testing.assert_allclose(few[track, frame], (x, y, x + w, y + h), atol=2.5e-6)


def test_answers_to_questions_have_the_boxes_of_all_who_are_there(tmp_path: Path) -> None:
    run = a_run(1)
    spans = [run.films[0].span(0, first, first + 7) for first in (10, 31, 52)]
    sheet = make_sheet(run, [(Player(1, "somebody"), spans)], Choice(boxes="frames"))
    wanted = [row for row, _ in obvious(sheet) if row[2] != "Unknown"]
    assert wanted
    same(read_coco(export(sheet, tmp_path / "a.json", "coco")), wanted)
    same(read_cvat(export(sheet, tmp_path / "a.xml", "cvat")), wanted)
    shown = drawn_by_cvat(tmp_path / "a.xml", FRAMES)
    assert {frame for _, frame in shown} <= {f for s in spans for f in range(s.first, s.end)}
    assert {row[1::2][:2] for row in wanted} <= shown.keys()
    for _, track, _, frame, (x, y, w, h) in wanted:
        if min(x, y) > 0 and x + w < WIDTH and y + h < HEIGHT:
            np.testing.assert_allclose(shown[track, frame], (x, y, x + w, y + h), atol=2.5e-6)


def test_a_run_without_boxes_is_refused(tmp_path: Path) -> None:
    of = tables.tracks([(0, 0, 5)])
    run = tables.result([tables.film(of)], of, tables.cast([0]))
    for format in ("mot", "mot-tracks", "coco", "cvat"):
        with pytest.raises(ConfigError, match="film has no boxes: its run began with cut faces"):
            export(cast_sheet(run), tmp_path / "x", format)
    with pytest.raises(ConfigError, match="no boxes 'every'"):
        cast_sheet(run, Choice(boxes="every"))
    assert not list(tmp_path.iterdir())


def test_nobody_has_no_boxes(tmp_path: Path) -> None:
    sheet = make_sheet(a_run(0), [])
    for format in ("mot", "coco", "cvat"):
        export(sheet, tmp_path / format, format)
    assert (tmp_path / "mot/gt/gt.txt").read_text() == ""
    assert read_coco([tmp_path / "coco"]) == []
    assert "<track" not in (tmp_path / "cvat").read_text()


def test_boxes_of_a_film_on_the_command_line(drawn_run: Path, vcn: Vcn, tmp_path: Path) -> None:
    run = Path(shutil.copytree(drawn_run, tmp_path / "film.vcn"))
    assert vcn("edit", run, "name", "1", "Anna").code == 0
    assert vcn("edit", run, "hide", "2").code == 0
    assert vcn("export", run, "--to", tmp_path / "anna.xml", "--format", "cvat").code == 0
    result = open_run(run)
    (film,) = result.films
    faces = film.faces
    assert faces is not None and film.video is not None
    wanted = []
    for track in np.flatnonzero(result.cast.character == result.index_of("Anna")).tolist():
        for row in film.tracks.faces_of(track):
            x1, y1, x2, y2 = (float(value) for value in faces.box[row])
            place = (x1, y1, x2 - x1, y2 - y1)
            wanted.append((0, track, "Anna", int(faces.frame[row]), place))
    same(read_cvat([tmp_path / "anna.xml"]), wanted)
    every = vcn("export", run, "--to", tmp_path / "all", "--format", "mot", "--character", "2")
    assert every.code == 0
    assert {row[1:3] for row in read_mot([tmp_path / "all"])} == {(2, "Character 2")}
    checked = vcn("dataset", "check", tmp_path / "all")
    assert checked.code == 0 and "MOTChallenge" in checked.out


@pytest.mark.slow
@pytest.mark.parametrize("format", ["mot", "mot-tracks", "coco", "cvat"])
def test_ten_thousand_tracks_take_seconds(format: str, tmp_path: Path) -> None:
    count, frames = 10_000, 170_000
    rng = np.random.default_rng(0)
    first = np.sort(rng.integers(0, frames - 48, count))
    frame = (first[:, None] + np.arange(0, 48, 6)).ravel()
    order = np.argsort(frame, kind="stable")
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    rows = [(int(f), 10.0, 10.0, 60.0, 70.0) for f in frame[order]]
    tracks = tables.tracks([(0, f, f + 42) for f in first.tolist()], place.reshape(count, 8))
    film = tables.film(
        tracks,
        with_video=tables.video(frames),
        with_shots=tables.shots(0, frames),
        with_faces=tables.faces(rows, stride=6),
    )
    run = tables.result([film], tracks, tables.cast((np.arange(count) % 80).tolist()))
    sheet = cast_sheet(run)
    assert len(sheet.appearances) > 9000
    before = time.process_time()
    export(sheet, tmp_path / "out", format)
    assert time.process_time() - before <= 5
