"""What is drawn on pictures: outlines, labels, faces that have lost their detail."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import features

from tests.drawn import Array
from videoclusternet.export import palette
from videoclusternet.export.render.labels import Labels
from videoclusternet.export.render.paint import blur, outline, put
from videoclusternet.export.render.picture import Colours, Picture

PALETTE = [colour.rgb for colour in palette.PALETTE]


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
