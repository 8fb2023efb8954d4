"""Rendered films: who is named and who is blurred, where, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from tests.conftest import Vcn
from tests.drawn import Array
from tests.unit.test_render_copy import a_run, exact, planes
from tests.unit.test_render_paint import detail
from tests.unit.test_video import write
from videoclusternet.errors import Cancelled, ConfigError, VideoError
from videoclusternet.events import Event
from videoclusternet.export import palette
from videoclusternet.export.render import copy as film_copy
from videoclusternet.export.render.labels import NOBODY, Labels, colour_of
from videoclusternet.export.render.look import Look
from videoclusternet.export.render.marks import Mark, Sweep, marks_of
from videoclusternet.export.render.render import render
from videoclusternet.film.video import open_video
from videoclusternet.result.result import Result, open_run
from videoclusternet.result.trail import Trail

BOXES = Look()

PALETTE = [colour.rgb for colour in palette.PALETTE]


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Result:
    """The drawn film: red and blue, alone and together, as Anna and Ben."""
    made = open_run(Path(shutil.copytree(drawn_run, tmp_path / "drawn.vcn")))
    made.edits.name(1, "Anna")
    made.edits.name(2, "Ben")
    return made


def on_screen(run: Result, track: int, frame: int) -> Array | None:
    """The box of a track in a frame by the plain words of the documents."""
    (film,) = run.films
    assert film.faces is not None and film.shots is not None
    faces = film.tracks.faces_of(track)
    frames, boxes = film.faces.frame[faces], film.faces.box[faces].astype(float)
    end = min(int(frames[-1]) + film.faces.stride, int(film.shots.stop[film.tracks.shot[track]]))
    if not frames[0] <= frame < end:
        return None
    later = int(np.searchsorted(frames, frame, side="right"))
    if later == len(frames):
        return np.asarray(boxes[-1])
    share = (frame - frames[later - 1]) / (frames[later] - frames[later - 1])
    return np.asarray((1 - share) * boxes[later - 1] + share * boxes[later])


def boxes_in(marks: list[Mark], frames: int) -> Iterator[tuple[int, list[tuple[bool, int, Array]]]]:
    sweep = Sweep(marks)
    for frame in range(frames):
        here = sweep.at(frame)
        yield frame, [(m.blurred, m.character, m.trail.at(frame)) for m in here]


def test_boxes_lie_where_the_tracks_are(run: Result) -> None:
    seen = 0
    for frame, found in boxes_in(marks_of(run, 0, BOXES), run.films[0].frames):
        expected = [
            (False, int(run.cast.character[track]), box)
            for track in range(len(run.tracks))
            if (box := on_screen(run, track, frame)) is not None
        ]
        assert [one[:2] for one in found] == [one[:2] for one in expected]
        for (*_, box), (*_, other) in zip(found, expected, strict=True):
            np.testing.assert_allclose(box, other, atol=1e-4)
        seen += len(found)
    assert seen >= 4 * 20


def test_what_is_blurred_begins_earlier_and_ends_later(run: Result) -> None:
    film = run.films[0]
    assert film.faces is not None and film.faces.stride > 1
    more = film.faces.stride
    marks = marks_of(run, 0, Look(blur=("Anna",)))
    assert [mark.blurred for mark in marks] == [True, True, False, False]  # under all boxes
    anna = np.flatnonzero(run.cast.character == run.index_of("Anna"))
    for mark, track in zip(marks, anna, strict=False):
        first, last = int(run.tracks.first[track]), int(run.tracks.last[track])
        assert mark.trail.first == max(0, first - more)
        assert mark.trail.end >= last + 1 + more


@pytest.mark.parametrize(
    ("look", "blurred", "boxed"),
    [
        (BOXES, [], ["Anna", "Ben"]),
        (Look(blur=("2",)), ["Ben"], ["Anna"]),
        (Look(blur=("Ben", "1"), boxes=False), ["Anna", "Ben"], []),
        (Look(blur_others=True, keep=("Ben",)), ["Anna"], ["Ben"]),
        (Look(blur_others=True), ["Anna", "Ben"], []),
    ],
)
def test_who_is_named_and_who_is_blurred(
    look: Look, blurred: list[str], boxed: list[str], run: Result
) -> None:
    marks = marks_of(run, 0, look)
    assert sorted({run.called(mark.character) for mark in marks if not mark.blurred}) == boxed
    whose = {run.index_of(name) for name in blurred}
    tracks = np.flatnonzero(np.isin(run.cast.character, list(whose)))
    assert sum(mark.blurred for mark in marks) == len(tracks)


def crowd(*extra: tuple[int, float, float, float, float], score: float = 0.9) -> Result:
    """Anna on the left and somebody Unknown on the right of ten frames; faces of no track."""
    rows = [(n, 20.0, 20.0, 60.0, 70.0) for n in range(0, 10, 2)]
    rows += [(n, 120.0, 20.0, 160.0, 70.0) for n in range(0, 10, 2)]
    every = sorted([*rows, *extra])
    of = tables.tracks(
        [(0, 0, 8), (0, 0, 8)],
        [[every.index(row) for row in part] for part in (rows[:5], rows[5:])],
    )
    scores = [score if row in extra else 0.99 for row in every]
    film = tables.film(
        of,
        with_video=tables.video(24, width=192, height=144),
        with_shots=tables.shots(0, 24),
        with_faces=tables.faces(every, 2, scores),
    )
    return tables.result([film], of, tables.cast([0, -1]))


def test_the_unknown_have_a_box_only_when_asked_and_never_a_name() -> None:
    assert [mark.character for mark in marks_of(crowd(), 0, BOXES)] == [0]
    assert [mark.character for mark in marks_of(crowd(), 0, Look(unknown=True))] == [0, -1]
    assert colour_of(-1) == NOBODY and colour_of(0) == colour_of(len(PALETTE)) == PALETTE[0]


def test_the_hidden_are_as_unknown(run: Result) -> None:
    run.edits.hide("Ben")
    ben = run.index_of("Ben")
    assert {mark.character for mark in marks_of(run, 0, BOXES)} == {run.index_of("Anna")}
    assert ben not in {mark.character for mark in marks_of(run, 0, Look(unknown=True))}
    assert [m.blurred for m in marks_of(run, 0, Look(blur=("Ben",), boxes=False))] == [True] * 2


def test_faces_of_no_track_are_blurred_with_all_others() -> None:
    stray = (12, 80.0, 80.0, 100.0, 100.0)
    others = Look(blur_others=True, keep=("1",))
    marks = marks_of(crowd(stray), 0, others)
    assert [(m.blurred, m.trail.first, m.trail.end) for m in marks] == [
        (True, 0, 11), (True, 10, 15), (False, 0, 10),
    ]  # fmt: skip
    assert len(marks_of(crowd(stray), 0, Look(blur=("Unknown",)))) == 2
    assert len(marks_of(crowd(stray, score=0.4), 0, others)) == 2
    assert len(marks_of(crowd(stray, score=0.4), 0, replace(others, sure=0.4))) == 3


def test_a_stray_on_the_face_of_who_is_kept_is_theirs() -> None:
    others = Look(blur_others=True, keep=("1",))
    again = (4, 22.0, 22.0, 58.0, 72.0)
    assert sum(m.blurred for m in marks_of(crowd(again), 0, others)) == 1
    assert sum(m.blurred for m in marks_of(crowd(again), 0, Look(blur_others=True))) == 3
    later = (20, 22.0, 22.0, 58.0, 72.0)  # Anna has gone
    assert sum(m.blurred for m in marks_of(crowd(later), 0, others)) == 2


# --- films -----------------------------------------------------------------------------


def rectangles(run: Result, frame: int, size: tuple[int, int]) -> Array:
    """Where boxes and labels may be in a picture, bool (H, W), with two pixels for the codec."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    allowed = np.zeros(size, bool)
    labels = Labels(width, height)
    for track in range(len(run.tracks)):
        if (box := on_screen(run, track, frame)) is None:
            continue
        name = run.called(int(run.cast.character[track]))
        tall, wide = labels.draw(name, PALETTE[0]).shape[:2]
        x1, y1, x2, y2 = box
        line = (x > x1 - 6) & (x < x2 + 6) & (y > y1 - 6) & (y < y2 + 6)
        inner = (x > x1 + 8) & (x < x2 - 8) & (y > y1 + 8) & (y < y2 - 8)
        plate = (x > x1 - 4) & (x < x1 + wide + 4) & (y > y1 - tall - 4) & (y < y1 + 4)
        allowed |= (line & ~inner) | plate
    return allowed


def test_pixels_change_where_boxes_and_names_are_and_nowhere_else(
    run: Result, drawn_film: Path, tmp_path: Path
) -> None:
    assert render(run, tmp_path / "out.mp4") == [tmp_path / "out.mp4"]
    before, after = planes(drawn_film), planes(tmp_path / "out.mp4")
    assert len(before) == len(after) == 72
    for frame, (old, new) in enumerate(zip(before, after, strict=True)):
        allowed = rectangles(run, frame, old.shape)
        changed = np.abs(new - old) > 40
        assert (changed & ~allowed).sum() <= 4, frame
        assert changed.sum() > 300 * allowed.any(), frame
    assert exact(open_video(tmp_path / "out.mp4")) == exact(open_video(drawn_film))


def test_a_blurred_film_has_no_detail_where_the_face_was(
    run: Result, drawn_film: Path, tmp_path: Path
) -> None:
    render(run, tmp_path / "out.mkv", Look(blur=("Anna",), boxes=False))
    before, after = planes(drawn_film), planes(tmp_path / "out.mkv")
    blurred = 0
    for frame, (old, new) in enumerate(zip(before, after, strict=True)):
        for track, who in enumerate(run.cast.character.tolist()):
            if (box := on_screen(run, track, frame)) is None:
                continue
            x1, y1, x2, y2 = np.clip(np.rint(box), 0, [192, 144, 192, 144]).astype(int)
            share = detail(new[y1:y2, x1:x2]) / detail(old[y1:y2, x1:x2])
            if run.called(who) == "Anna":
                assert share < 0.1, frame
                blurred += 1
            elif 6 <= frame % 24 < 18:  # what is blurred before a cut is so for a while after it
                assert share > 0.6, frame
    assert blurred >= 40


def test_frames_that_cannot_be_read_are_passed_over_and_said(tmp_path: Path) -> None:
    film = write(tmp_path / "film.mp4", range(0, 4000, 40), g="10", crf="1", bf="0")
    data = bytearray(film.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    film.write_bytes(data)
    notes: list[str] = []

    def hook(event: Event) -> None:
        if event.kind == "note":
            notes.append(event.message)

    render(a_run(film, folder=tmp_path / "film.vcn"), tmp_path / "copy.mp4", hook=hook)
    copy, whole = open_video(tmp_path / "copy.mp4"), open_video(film)
    lost = whole.frames - copy.frames
    assert 0 < lost < whole.frames == 100
    assert set(exact(copy)) < set(exact(whole)) and exact(copy)[-1] == exact(whole)[-1] == 4
    assert len(notes) == 1
    assert notes[0].startswith(f"film: {lost} of 100 frames could not be read, at ")
    assert notes[0].endswith("; the picture before stays on")


def test_without_x264_another_encoder_is_taken_and_said(
    run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film_copy, "_can_encode", lambda name: name != "libx264")
    notes: list[str] = []
    render(run, tmp_path / "o.mp4", hook=lambda e: notes.append(e.message) if e.message else None)
    copy = open_video(tmp_path / "o.mp4")
    assert exact(copy) == [Fraction(n, 24) for n in range(73)]
    assert "mpeg4" in notes[0]
    assert np.abs(planes(tmp_path / "o.mp4")[0] - planes(tmp_path / "o.mp4")[1]).mean() < 20


def test_progress_is_told(run: Result, tmp_path: Path) -> None:
    told: list[Event] = []
    render(run, tmp_path / "out.mp4", hook=told.append)
    mine = [event for event in told if event.step == "render"]
    assert (mine[0].kind, mine[-1].kind) == ("start", "done")
    done = [event.done for event in mine if event.kind == "progress"]
    assert done == sorted(done) and done[-1] == 72
    assert {event.total for event in mine} == {72}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Cancelled("stopped")])
def test_a_stopped_film_leaves_nothing_behind(
    stop: BaseException, run: Result, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.mp4").write_bytes(b"before")

    def hook(event: Event) -> None:
        if event.kind == "progress" and event.done >= 24:
            raise stop

    with pytest.raises(type(stop) if isinstance(stop, Exception) else KeyboardInterrupt):
        render(run, folder / "out.mp4", force=True, hook=hook)
    assert [path.name for path in folder.iterdir()] == ["out.mp4"]
    assert (folder / "out.mp4").read_bytes() == b"before"


def test_a_key_stops_the_command_with_a_word(
    run: Result, tmp_path: Path, vcn: Vcn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("videoclusternet.export.render.render.blur", stop)
    done = vcn("render", run.folder, "-o", tmp_path / "out" / "a.mp4", "--blur", "Ben", "-q")
    assert done.code == 130 and "what was begun is gone" in done.complaint
    assert list((tmp_path / "out").iterdir()) == []


def test_films_of_a_run_lie_side_by_side(tmp_path: Path) -> None:
    films = [write(tmp_path / f"{n}.mp4", range(0, 40 * n, 40)) for n in (3, 5)]
    run = a_run(*films, folder=tmp_path / "all.vcn")
    made = render(run, tmp_path / "new" / "out.mp4")
    assert [path.name for path in made] == ["out - 3.mp4", "out - 5.mp4"]
    assert [open_video(path).frames for path in made] == [3, 5]
    elsewhere = Path(shutil.move(films[1], tmp_path / "moved.mp4"))
    (made_one,) = render(run, tmp_path / "one.mp4", films=[elsewhere])
    assert made_one.name == "one - 5.mp4" and open_video(made_one).frames == 5


# --- what is refused -------------------------------------------------------------------


def test_a_film_that_was_moved_is_named_by_what_it_holds(run: Result, tmp_path: Path) -> None:
    video = run.films[0].video
    assert video is not None
    gone = replace(run.films[0], video=replace(video, path="/nowhere/film.mp4"))
    lost = replace(run, films=(gone,))
    with pytest.raises(VideoError, match=r"not there any more.*only `vcn render`"):
        render(lost, tmp_path / "out.mp4")
    other = write(tmp_path / "other.mp4", range(0, 400, 40))
    with pytest.raises(ConfigError, match="no film of this run"):
        render(lost, tmp_path / "out.mp4", films=[other])
    with pytest.raises(VideoError, match="no such film"):
        render(lost, tmp_path / "out.mp4", films=[tmp_path / "missing.mp4"])
    changed = replace(run.films[0], video=replace(video, path=str(other)))
    with pytest.raises(VideoError, match="not the film that it was"):
        render(replace(run, films=(changed,)), tmp_path / "out.mp4")
    copy = Path(shutil.copy(video.path, tmp_path / "renamed.mp4"))
    assert render(lost, tmp_path / "out.mp4", films=[copy]) == [tmp_path / "out.mp4"]


def test_a_run_without_film_cannot_be_rendered(tmp_path: Path) -> None:
    of = tables.tracks([(0, 0, 1)])
    crops = tables.result([tables.film(of)], of, tables.cast([0]))
    with pytest.raises(ConfigError, match="no film to draw on"):
        render(crops, tmp_path / "out.mp4")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "out.avi"], "no film ends in .avi"),
        (["-o", "out"], "no film ends in nothing"),
        (["-o", "a\udcff.mp4"], r"no film can be called a\xff.mp4"),
        (["-o", "there.mp4"], "add --force"),
        (["-o", "film.mp4", "--force", "--film", "film.mp4"], "is the film itself"),
        (["-o", "out.mp4", "--blur", "Annna"], "did you mean Anna"),
        (["-o", "out.mp4", "--blur-others", "--keep", "7"], "7"),
        (["-o", "out.mp4", "--keep", "Anna"], "add --blur-others"),
        (["-o", "out.mp4", "--blur", "Ben", "--blur-others"], "--blur-others --keep NAME"),
        (["-o", "out.mp4", "--no-boxes"], "nothing would be drawn"),
        (["-o", "out.mp4", "--font", "there.mp4"], "cannot be used as a font"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str], said: str, run: Result, tmp_path: Path, drawn_film: Path, vcn: Vcn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shutil.copy(drawn_film, "film.mp4")
    Path("there.mp4").write_bytes(b"mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = vcn("render", run.folder, *arguments, "-q")
    assert done.code == 2 and said in done.complaint
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert Path("there.mp4").read_bytes() == b"mine"
    assert Path("film.mp4").read_bytes() == drawn_film.read_bytes()


def test_the_command_prints_what_it_wrote(run: Result, tmp_path: Path, vcn: Vcn) -> None:
    done = vcn("render", run.folder, "-o", tmp_path / "out.mp4", "--blur-others", "--keep", "Anna")
    assert done.code == 0 and done.out == f"{tmp_path / 'out.mp4'}\n"
    assert "Rendering: 72 frames" in done.err
    again = vcn("render", run.folder, "-o", tmp_path / "out.mp4", "--force", "-q")
    assert (again.code, again.err) == (0, "")


def test_a_trail_stays_where_it_was_last() -> None:
    trail = Trail(2, 9, np.array([3, 5]), np.array([[0.0, 0, 10, 10], [4, 2, 14, 12]]))
    assert trail.at(2).tolist() == trail.at(3).tolist() == [0, 0, 10, 10]
    assert trail.at(4).tolist() == [2, 1, 12, 11]
    assert trail.at(8).tolist() == [4, 2, 14, 12]
