"""The tables that cross the borders between steps: checked, read-only, hashable.

Each table is a frozen struct of arrays.  A row number is an identity.  Shapes and
dtypes are checked on construction, arrays are made read-only, and ``digest`` is a
content hash, so that a step is run again exactly when its input changed.

Conventions: pixels of the *display frame* (rotation and sample aspect ratio
applied), origin at the top left, boxes ``x1 y1 x2 y2`` as float32.  Frames count
from 0 in display order.  "Absent" is -1.  Landmarks are left eye, right eye, nose,
left and right mouth corner, left first *as seen in the picture*.
"""

from __future__ import annotations

from videoclusternet.types.cast import Candidates, Cast, Embeddings, Links, Merges, Views
from videoclusternet.types.constraints import Constraints
from videoclusternet.types.film import Crops, Faces, Shots, Tracks, VideoInfo
from videoclusternet.types.judgement import CropWeights, Judgement
from videoclusternet.types.learning import Epochs, Rounds
from videoclusternet.types.scan import DetectorSizes, FrameScores, Looks, Motion, Transitions
from videoclusternet.types.table import Reason, Table
from videoclusternet.types.unread import Damage, Unread

__all__ = [
    "Candidates",
    "Cast",
    "Constraints",
    "CropWeights",
    "Crops",
    "Damage",
    "DetectorSizes",
    "Embeddings",
    "Epochs",
    "Faces",
    "FrameScores",
    "Judgement",
    "Links",
    "Looks",
    "Merges",
    "Motion",
    "Reason",
    "Rounds",
    "Shots",
    "Table",
    "Tracks",
    "Transitions",
    "Unread",
    "VideoInfo",
    "Views",
]
