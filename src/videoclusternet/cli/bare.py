"""A machine without a screen: OpenCV's wheel wants libraries that such a system may lack.

Of what ``cv2`` and the libraries in its wheel load (``readelf -d``), all but these come with
the wheel or with every system that runs Python.
"""

from __future__ import annotations

import re

from videoclusternet.errors import InstallError

WANTED = ("libGL.so", "libxcb.so", "libglib-2.0.so", "libgthread-2.0.so")
DEBIAN = "apt-get install libgl1 libglib2.0-0 libxcb1"
FEDORA = "dnf install libglvnd-glx glib2 libxcb"


def missing_library(error: ImportError) -> InstallError | None:
    """Return the error about OpenCV for people; None if something else cannot be imported."""
    if error.name == "cv2" and isinstance(error, ModuleNotFoundError):
        return InstallError("OpenCV is not installed", "pip install opencv-python")
    found = re.search(r"lib[\w.+-]*\.so[.\d]*", str(error))
    if found is None or not found[0].startswith(WANTED):
        return None
    return InstallError(
        f"OpenCV needs {found[0]}, which this system lacks",
        f"Debian, Ubuntu: {DEBIAN}; Fedora: {FEDORA}",
    )
