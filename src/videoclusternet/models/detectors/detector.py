"""What every face detector offers: boxes and five landmarks for a batch of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


@dataclass(frozen=True)
class Detections:
    """Faces of one picture, in pixels of that picture.

    Attributes
    ----------
    box : float32, shape (N, 4)
        ``x1 y1 x2 y2``.
    landmarks : float32, shape (N, 5, 2)
        Eyes, nose, mouth corners; left first as seen in the picture.
    score : float32, shape (N,)
        0 to 1, not necessarily sorted.
    """

    box: NDArray[Any]
    landmarks: NDArray[Any]
    score: NDArray[Any]


class FaceDetector(Protocol):
    """A face detector."""

    name: str

    def detect(self, pictures: Sequence[NDArray[Any]]) -> list[Detections]:
        """Find the faces of some pictures.

        Parameters
        ----------
        pictures : sequence of uint8 arrays, shape (H, W, 3), RGB
            All of one size.

        Returns
        -------
        list of Detections
            One for each picture, sorted by ``x1``.
        """
        ...
