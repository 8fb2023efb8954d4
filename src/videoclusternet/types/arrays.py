"""Arrays by what they hold: signatures name the dtype, docstrings the shape and the unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float16 = NDArray[np.float16]
"""Embeddings of many people, half as wide."""
Float32 = NDArray[np.float32]
"""Boxes, landmarks, scores, embeddings, distances."""
Float64 = NDArray[np.float64]
"""Times, and sums that must not lose digits."""
Floats = NDArray[np.floating[Any]]
"""Floats of either width: what NumPy gives back of mixed ones."""
Int32 = NDArray[np.int32]
"""Frames and row numbers in tables."""
Int64 = NDArray[np.int64]
"""Offsets, row numbers for indexing, time stamps."""
Ints = NDArray[np.integer[Any]]
"""Whole numbers of any width: what indexes rows."""
UInt8 = NDArray[np.uint8]
"""Pixels 0 to 255, and reasons."""
UInt32 = NDArray[np.uint32]
"""Checksums."""
Bools = NDArray[np.bool_]
"""Which rows."""
Array = NDArray[Any]
"""Where the dtype is whatever was given."""
