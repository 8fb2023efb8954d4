"""How times and names are written, in the terminal and on the page alike."""

from __future__ import annotations


def timecode(seconds: float) -> str:
    """Write a moment as ``h:mm:ss``, rounded down, as players do."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def span(seconds: float) -> str:
    """Write how long something lasts: ``0.4 s``, ``16 s``, ``2 min 05 s``, ``1 h 02 min``.

    Rounded to the nearest; below ten seconds with a decimal, and what is there is never
    nothing: less than a tenth is ``<0.1 s``.
    """
    if seconds < 0.1:
        return "<0.1 s"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in percent; what is there is never 0 %."""
    percent = 100 * part / max(whole, 1e-9)
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def several(count: int, thing: str) -> str:
    """Write a number and what it counts: ``1 track``, ``2 tracks``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def shorten(text: str, most: int = 16) -> str:
    """Leave out the middle of a long name: names of episodes differ at their ends."""
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - end - 1]}…{text[-end:]}"
