"""What a row of the registry says: files, licence, and how to feed the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LANDMARKS = "left eye, right eye, nose, left and right mouth corner, as seen"


@dataclass(frozen=True)
class WeightFile:
    """One file of weights.

    Attributes
    ----------
    name : str
        File name in the cache folder.
    sha256 : str
        Full hash, hexadecimal.  Empty where nobody published one: it is noted at first
        use, and from then on must stay.
    source : str
        ``package:NAME/PATH`` for a file inside an installed package, ``https://...``,
        ``hf:OWNER/REPO@REVISION:PATH`` for the Hugging Face hub, or ``user:PAGE`` for a
        file that cannot be fetched by a program: the user gets it from that page.
    """

    name: str
    sha256: str
    source: str


@dataclass(frozen=True)
class ModelSpec:
    """One model.

    Attributes
    ----------
    name : str
    kind : {"detector", "backbone"}
    title : str
        One line for people.
    files : tuple of WeightFile
    licence : str
        Licence of the weights as stated by their source.
    commercial : {"yes", "no", "unclear"}
        Whether that licence allows commercial use; unclear where its makers contradict
        themselves, or where the licence is the user's.
    note : str
        What else one should know.
    size : int
        Side of the square input in px, 0 for any size.
    channels : {"RGB", "BGR"}
        Channel order of the network's input; ours is always RGB.
    mean : tuple of 3 floats
        Subtracted from values 0..255, in the order of ``channels``.
    scale : float, or tuple of 3 floats
        Then divided by, all channels or each by its own.
    landmarks : str
        Order of a detector's landmarks; where a network needs them, on its template.
    dim : int
        Width of the embedding, 0 for a detector.
    sure : float
        Score from which what a detector finds is a face: none of the false faces of the
        development films reached it (docs/decisions/014-what-can-be-told.md).
    least : float
        Smallest face that a backbone tells from others, shorter side of its box, px: what was
        measured on those films, for films with too few large faces to measure it on.
    """

    name: str
    kind: Literal["detector", "backbone"]
    title: str
    files: tuple[WeightFile, ...]
    licence: str
    commercial: Literal["yes", "no", "unclear"]
    note: str = ""
    size: int = 0
    channels: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float | tuple[float, float, float] = 1.0
    landmarks: str = LANDMARKS
    dim: int = 0
    sure: float = 0.9
    least: float = 16.0
