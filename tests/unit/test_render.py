"""Rendered films: who is named and who is blurred, where, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import features

from tests import tables
from tests.conftest import Vcn
from tests.drawn import Array
from tests.unit.test_render_copy import a_run, exact, planes
from tests.unit.test_video import write
from videoclusternet.errors import Cancelled, ConfigError, VideoError
from videoclusternet.events import Event
from videoclusternet.export.render import copy as film_copy
from videoclusternet.export.render.labels import NOBODY, PALETTE, Labels, colour_of
from videoclusternet.export.render.look import Look
from videoclusternet.export.render.marks import Mark, Sweep, marks_of
from videoclusternet.export.render.paint import blur, outline, put
from videoclusternet.export.render.picture import Colours, Picture
from videoclusternet.export.render.render import render
from videoclusternet.film.video import open_video
from videoclusternet.result.result import Result, open_run
from videoclusternet.result.trail import Trail

PLAIN = Colours(matrix=1, primaries=1, transfer=1, full=False, convert=False)
BOXES = Look()


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


# --- drawing ---------------------------------------------------------------------------


def noise(width: int = 192, height: int = 144, seed: int = 0) -> Picture:
    picture = Picture(width, height)
    picture.pixels[:] = np.random.default_rng(seed).integers(16, 236, picture.pixels.shape)
    return picture


def detail(plane: Array) -> float:
    """Mean square of what differs from the neighbours."""
    fine = plane.astype(float)
    return float(np.square(np.diff(fine, axis=0)).mean() + np.square(np.diff(fine, axis=1)).mean())


@pytest.mark.parametrize(
    "box",
    [(60, 40, 110, 100), (-20, -10, 30, 50), (150, 100, 230, 200), (70.3, 50.7, 78.9, 61.2)],
    ids=["whole", "top left", "bottom right", "small"],
)
def test_a_blurred_face_has_lost_its_detail(box: tuple[float, ...]) -> None:
    before, after = noise(), noise()
    blur(after, np.array(box))
    x1, y1 = (max(0, int(np.floor(side))) for side in box[:2])
    x2, y2 = (int(np.ceil(side)) for side in box[2:])
    for plane, old, step in zip(after.planes, before.planes, (1, 2, 2), strict=True):
        part = (slice(y1 // step, y2 // step), slice(x1 // step, x2 // step))
        assert detail(plane[part]) < 0.15 * detail(old[part])
        assert (plane[part] == old[part]).mean() < 0.05
        assert plane[part].std() < 0.5 * old[part].std()
        untouched = np.ones(plane.shape, bool)
        middle, half = np.add(box[:2], box[2:]) / 2, np.subtract(box[2:], box[:2]) * 0.75 + 2
        low, high = np.maximum((middle - half) // step, 0), np.ceil((middle + half) / step)
        untouched[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = False
        assert (plane == old)[untouched].all()


def test_what_is_left_of_a_face_is_36_patches_at_most() -> None:
    """Faces that have the same patches are the same when blurred: no more can be found out."""
    one, other = Picture(192, 144), Picture(192, 144)
    fine = np.indices((144, 192)).sum(axis=0) % 2 * 100
    one.planes[0][:], other.planes[0][:] = 60 + fine, 160 - fine
    for picture in (one, other):
        picture.pixels[144:] = 128
        blur(picture, np.array([66, 42, 126, 102]))
    part = (slice(42, 102), slice(66, 126))
    off = one.planes[0][part].astype(int) - other.planes[0][part]
    assert np.abs(off).max() <= 2


def test_a_face_beyond_the_picture_is_no_matter() -> None:
    before, after = noise(), noise()
    blur(after, np.array([-90.0, 10, -50, 60]))
    outline(after, np.array([400.0, 10, 460, 60]), (255, 128, 128), (16, 128, 128), 2)
    assert (after.pixels == before.pixels).all()


@pytest.mark.parametrize("box", [(60, 40, 110, 100), (-9, -9, 20, 30), (150, 2, 300, 200)])
def test_an_outline_is_a_frame_with_a_dark_edge(box: tuple[float, ...]) -> None:
    picture = Picture(192, 144)
    picture.pixels[:] = 100
    outline(picture, np.array(box, float), (200, 90, 170), (16, 128, 128), 4)
    x1, y1, x2, y2 = (2 * round(side / 2) for side in box)
    y, x = np.mgrid[:144, :192]

    def within(more: int) -> Array:
        return (x >= x1 - more) & (x < x2 + more) & (y >= y1 - more) & (y < y2 + more)

    line = within(0) & ~within(-4)
    edge = within(2) & ~within(0)
    expected = np.where(line, 200, np.where(edge, 16, 100))
    assert (picture.planes[0] == expected).all()
    assert (picture.planes[1] == np.where(line, 90, np.where(edge, 128, 100))[::2, ::2]).all()


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        ((60, 60, 110, 100), (60, 40)),  # over it
        ((60, 6, 110, 100), (60, 100)),  # under it
        ((60, 6, 110, 140), (60, 6)),  # into it
        ((-30, 60, 20, 100), (0, 40)),
        ((170, 60, 230, 100), (152, 40)),
        ((170, -50, 230, 300), (152, 0)),
    ],
)
def test_a_label_stays_in_the_picture(box: tuple[float, ...], corner: tuple[int, int]) -> None:
    picture = Picture(192, 144)
    picture.pixels[:] = 100
    put(picture, np.full((20, 40, 3), (200, 90, 170), np.uint8), np.array(box, float))
    rows, columns = np.nonzero(picture.planes[0] == 200)
    assert (columns.min(), rows.min()) == corner
    assert len(rows) == 20 * 40 and (picture.planes[2] == 170).sum() == 10 * 20


def test_a_label_that_is_larger_than_the_picture_is_cut() -> None:
    picture = Picture(32, 16)
    put(picture, np.full((20, 400, 3), 200, np.uint8), np.zeros(4))
    assert (picture.pixels == 200).all()


@pytest.mark.parametrize("matrix", [1, 5, 9, 2])
@pytest.mark.parametrize("full", [False, True])
def test_inks_are_the_colours_that_they_say(matrix: int, full: bool) -> None:
    """FFmpeg turns them back into the same red, green and blue."""
    import av

    colours = Colours(matrix, 1, 1, full, convert=False)
    for colour in (*PALETTE, (0, 0, 0), (255, 255, 255)):
        picture = Picture(32, 32)
        for plane, level in zip(picture.planes, colours.ink(colour, 32), strict=True):
            plane[:] = level
        frame = picture.as_frame()
        frame.colorspace, frame.color_range = matrix if matrix != 2 else 5, 1 + full
        shown = av.VideoFrame.to_ndarray(frame, format="rgb24")[16, 16].astype(int)
        assert np.abs(shown - colour).max() <= 4, colour


@pytest.mark.parametrize("size", [(640, 360), (192, 144), (1920, 1080), (360, 640)])
def test_labels_have_even_sides_and_fit(size: tuple[int, int]) -> None:
    labels = Labels(*size)
    names = (
        "Anna",
        "long " * 60,
        "שרה אמנו",
        "😀 Emoji 👩‍👩‍👧",
        "tab\tand\nline",
        "Zoë",
        "m" * 300,
        " ",
    )
    for name in names:
        label = labels.draw(name, PALETTE[0])
        height, width = label.shape[:2]
        assert height % 2 == width % 2 == 0 and 0 < width <= size[0] + 1, name
        ink = (np.abs(label.astype(int) - PALETTE[0]).max(axis=-1) > 60).mean()
        assert name.isspace() or 0.03 < ink < 0.6, name
        assert (label[0] == PALETTE[0]).all() and (label[-1] == PALETTE[0]).all()


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow sets text without Raqm")
def test_right_to_left_is_drawn_from_the_right() -> None:
    labels = Labels(640, 360)
    both, lamed, alef = (labels.draw(name, PALETTE[0]) for name in ("אל", "ל", "א"))
    left = lamed.shape[1] - 6  # without the rim on its right
    assert (both[:, :left] == lamed[:, :left]).all()
    assert not (both[:, :left] == alef[:, :left]).all()


def test_letters_that_a_font_does_not_have_are_named() -> None:
    labels = Labels(640, 360)
    assert labels.missing("Zoë Жанна Ελένη שרה عمر") == ""
    assert labels.missing("王小明 Wang") == "王小明"


def test_plates_are_read_on_every_colour() -> None:
    labels = Labels(640, 360)
    for colour in PALETTE:
        label = labels.draw("Anna", colour).astype(int)
        assert np.abs(label - colour).max() > 120, colour


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
