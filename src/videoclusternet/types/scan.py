"""What the pictures of a film give besides faces: changes, camera motion, looks of faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from videoclusternet.types.arrays import Float32, Int32, UInt8
from videoclusternet.types.table import Table


@dataclass(frozen=True, eq=False)
class DetectorSizes(Table):
    """How many faces the detector finds in some frames, by the size of the picture it sees.

    Attributes
    ----------
    side : int32, shape (S,)
        Longer side of the picture, px, ascending; the last is that of the film.
    found : int32, shape (S,)
        Faces that are found at this size.
    faces : int
        How many there are: found surely at any size, and large enough to be told.
    chosen : int
        Longer side that the scan takes, px; 0 in a part.
    """

    FILE: ClassVar = "detector_sizes"
    COLUMNS: ClassVar = {"side": ("i4", ("S",)), "found": ("i4", ("S",))}
    side: Int32
    found: Int32
    faces: int
    chosen: int


@dataclass(frozen=True, eq=False)
class FrameScores(Table):
    """How much each frame differs from the one before: the raw material of shots.

    Attributes
    ----------
    change : float32, shape (F, 3)
        Mean absolute difference of the pixels' hue (0 to 179), saturation and value (0 to
        255); 0 for the first frame and for frames that could not be decoded.
    chance : float32, shape (F, 3)
        The same difference between two pixels of the frame drawn at random (Gini's mean
        difference): two unrelated pictures differ by about as much.  A channel without any
        can tell nothing.
    """

    FILE: ClassVar = "scores"
    COLUMNS: ClassVar = {"change": ("f4", ("F", 3)), "chance": ("f4", ("F", 3))}
    change: Float32
    chance: Float32

    def __len__(self) -> int:
        return len(self.change)


@dataclass(frozen=True, eq=False)
class Transitions(Table):
    """What a network says of each frame; only where shots are found by one.

    Attributes
    ----------
    score : float32, shape (F,)
        How likely the frame belongs to a transition between two shots, 0 to 1.
    """

    FILE: ClassVar = "transitions"
    COLUMNS: ClassVar = {"score": ("f4", ("F",))}
    score: Float32


@dataclass(frozen=True, eq=False)
class Motion(Table):
    """Motion of the camera between the frames that the detector saw.

    Attributes
    ----------
    frame : int32, shape (K,)
        Frames the detector saw, ascending.
    matrix : float32, shape (K, 2, 3)
        Affine map of display px from the seen frame before to this one; the identity
        for the first, across a cut, or where compensation is off.
    """

    FILE: ClassVar = "motion"
    COLUMNS: ClassVar = {"frame": ("i4", ("K",)), "matrix": ("f4", ("K", 2, 3))}
    frame: Int32
    matrix: Float32

    def check(self) -> None:
        """Frames rise."""
        if (np.diff(self.frame) <= 0).any():
            raise ValueError("Motion.frame must rise strictly")


@dataclass(frozen=True, eq=False)
class Looks(Table):
    """What each detected face and its surroundings look like, very small.

    Attributes
    ----------
    picture : uint8, shape (N, 16, 16)
        Brightness of a square twice as wide as the longer side of the face's box, around its
        centre; row n belongs to row n of :class:`~videoclusternet.types.Faces`.
    """

    FILE: ClassVar = "looks"
    COLUMNS: ClassVar = {"picture": ("u1", ("N", 16, 16))}
    picture: UInt8
