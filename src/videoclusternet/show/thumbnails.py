"""Pictures inside a page: each once, and no larger than a page of many can bear."""

from __future__ import annotations

from collections.abc import Iterable

from videoclusternet.result.found import Found
from videoclusternet.runfolder.crop_zip import address, smaller

MOST_BYTES = 2 << 20
"""Bytes of the pictures of a page from which they are made smaller."""
SMALLER = ((144, 75), (108, 65))
"""Side in px and JPEG quality, one after another until they fit; shown at about 100 px."""


def thumbnails(result: Found, crops: Iterable[int], most: int = MOST_BYTES) -> dict[int, str]:
    """Return crops as ``data:`` addresses.

    Parameters
    ----------
    result : Found
    crops : iterable of int
        Rows of the pooled crops; -1 is none.
    most : int
        Bytes above which they are made smaller.

    Returns
    -------
    dict of int to str
        By row; empty for a run without pictures.

    Raises
    ------
    StoreError
        When one cannot be read.
    """
    if not result.has_pictures:
        return {}
    files = {row: result.pictures.jpeg(row) for row in sorted(set(crops)) if row >= 0}
    made = files
    for side, quality in SMALLER:
        if sum(map(len, made.values())) <= most:
            break
        made = {row: smaller(data, side, quality) for row, data in files.items()}
    return {row: address(data) for row, data in made.items()}
