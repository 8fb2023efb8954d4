"""Pictures of a film as an encoder takes them: upright, in planes of brightness and colour.

Nothing is turned into red, green and blue and back: what is not drawn on stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from videoclusternet.film.container import Upright
from videoclusternet.film.video import Frame
from videoclusternet.types.arrays import Float64, UInt8

FORMAT = "yuv420p"
HIGH = 720
"""Lines from which a picture that does not say it has the colours of high definition."""
WEIGHTS = {1: (0.2126, 0.0722), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
"""Share of red and blue in brightness, by matrix (ITU-T H.273); all others are as in BT.601."""
STANDARD = (0.299, 0.114)
RGB, BT709, UNSAID = 0, 1, 2
"""Matrices by their number in H.273."""


@dataclass(frozen=True)
class Colours:
    """How a film keeps its colours, by the numbers of ITU-T H.273.

    Attributes
    ----------
    matrix, primaries, transfer : int
    full : bool
        Whether brightness has all 256 levels.
    convert : bool
        Whether its pixels are red, green and blue: then they are converted to BT.709.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool
    convert: bool

    @classmethod
    def of(cls, frame: Any) -> Colours:
        """Read them off a decoded frame."""
        matrix, primaries, transfer = (
            int(value) for value in (frame.colorspace, frame.color_primaries, frame.color_trc)
        )
        if frame.format.is_rgb or frame.format.has_palette:
            return cls(BT709, primaries, transfer, full=False, convert=True)
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        return cls(UNSAID if matrix == RGB else matrix, primaries, transfer, full, convert=False)

    def ink(self, colour: tuple[int, int, int], lines: int) -> tuple[int, int, int]:
        """Return the levels of a colour in a picture of so many lines."""
        y, u, v = self.inks(np.array(colour, dtype=np.uint8)[None, None], lines)[0, 0].tolist()
        return y, u, v

    def inks(self, rgb: UInt8, lines: int) -> UInt8:
        """Return levels of brightness and both colours for pixels, uint8 (H, W, 3)."""
        matrix = BT709 if self.matrix == UNSAID and lines >= HIGH else self.matrix
        red, blue = WEIGHTS.get(matrix, STANDARD)
        x: Float64 = rgb / 255.0
        y = x @ np.array([red, 1 - red - blue, blue])
        u, v = (x[..., 2] - y) / (2 - 2 * blue), (x[..., 0] - y) / (2 - 2 * red)
        zero, bright, strong = (0, 255, 255) if self.full else (16, 219, 224)
        levels = np.stack([zero + bright * y, 128 + strong * u, 128 + strong * v], axis=-1)
        return np.asarray(np.clip(np.rint(levels), 0, 255), dtype=np.uint8)


class Picture:
    """One picture in three planes: brightness, and two of half its sides for colour.

    Attributes
    ----------
    width, height : int
        Even.
    planes : tuple of uint8, shapes (H, W), (H/2, W/2), (H/2, W/2)
        Views of ``pixels``: what is drawn into them is drawn into it.
    pixels : uint8, shape (3H/2, W)
        As PyAV has them.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels: UInt8 = np.empty((height * 3 // 2, width), dtype=np.uint8)
        flat, quarter = self.pixels.reshape(-1), width * height // 4
        bright, one, two = np.split(flat, [4 * quarter, 5 * quarter])
        half = (height // 2, width // 2)
        self.planes = (bright.reshape(height, width), one.reshape(half), two.reshape(half))

    def as_frame(self) -> Any:
        """Return it as a frame of FFmpeg."""
        return av.VideoFrame.from_ndarray(self.pixels, format=FORMAT)


class Upright420:
    """Makes pictures of one size of the frames of a film.

    Parameters
    ----------
    width, height : int
        Even.
    colours : Colours
    """

    def __init__(self, width: int, height: int, colours: Colours) -> None:
        self._size, self._colours = (width, height), colours
        self._scalers: dict[tuple[int, int], Any] = defaultdict(VideoReformatter)
        self._upright: dict[int, Upright] = {}

    def __call__(self, frame: Frame) -> Picture:
        """Return the display picture of a frame."""
        decoded = frame.decoded
        # Read once for each angle: whoever asks for the matrix of a frame keeps its pixels.
        if (angle := decoded.rotation) not in self._upright:
            self._upright[angle] = Upright(decoded)
        upright = self._upright[angle]
        size = self._size[::-1] if upright.swap else self._size
        matrix = Colorspace.ITU709 if self._colours.convert else None
        span = ColorRange.JPEG if self._colours.full else ColorRange.MPEG
        scaled: Any = self._scalers[size].reformat(
            decoded, *size, format=FORMAT, dst_colorspace=matrix, dst_color_range=span,
            interpolation="BICUBIC", threads=1,
        )  # fmt: skip
        stored = Picture(*size)
        stored.pixels[:] = scaled.to_ndarray()
        if not (upright.swap or upright.mirror_x or upright.mirror_y):
            return stored
        made = Picture(*self._size)
        for plane, turned in zip(made.planes, stored.planes, strict=True):
            plane[:] = upright(turned)
        return made
