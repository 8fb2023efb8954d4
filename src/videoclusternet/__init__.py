"""Who is on screen, when, in any film: face clustering without labels or thresholds."""

from __future__ import annotations

__version__ = "0.1.0"
