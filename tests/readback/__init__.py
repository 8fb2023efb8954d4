"""How each export format is read back, by the library that owns it; what it must then say.

A writer is held to :data:`READERS` by ``tests/contract/test_exports.py``.
"""

from __future__ import annotations

from tests.readback import markers, text, timelines
from tests.readback.reader import Reader

READERS: dict[str, Reader] = {**text.READERS, **timelines.READERS, **markers.READERS}
"""By the name of the format."""
