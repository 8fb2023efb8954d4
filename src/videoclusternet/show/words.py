"""How times and names are written, in the terminal and on the page alike."""

from __future__ import annotations

from videoclusternet.types import Reason, Unread

PLACES = 3
"""Places that a sentence names at most."""
NEAR = 1.0
"""Places less than this apart are one for people, s."""

REASONS = {
    Reason.SMALL: "too small or cut off",
    Reason.BLURRED: "blurred",
    Reason.LOW_QUALITY: "hard to recognise",
    Reason.NO_PICTURE: "no picture",
    Reason.UNREADABLE: "too small to tell",
    Reason.NO_FACE: "not surely a face",
    Reason.UNSURE: "hard to tell from others",
    Reason.SET_ASIDE: "set aside by hand",
    Reason.NOT_A_FACE: "no face, by hand",
    Reason.UNPLACED: "taken out by hand",
    Reason.FORGOTTEN: "somebody who was forgotten",
}
"""What a reason means to people."""

STEP_NAMES = {
    "demo": "Drawing the demo film",
    "fetch": "Fetching",
    "video": "Opening",
    "detector_size": "Trying sizes of the picture",
    "scan": "Finding shots and faces",
    "transitions": "Finding transitions",
    "shots": "Finding shots",
    "faces": "Finding faces",
    "tracks": "Following faces",
    "crops": "Cutting face pictures",
    "embeddings": "Describing faces",
    "judgement": "Judging what can be told",
    "views": "Describing views of them",
    "adapt": "Learning these faces",
    "prepare": "Preparing the sets",
    "bench": "Comparing methods",
    "measure": "Measuring face pictures",
    "links": "Matching tracks",
    "cast": "Grouping into characters",
    "render": "Rendering",
    "batch": "Films",
}
"""What a step does, for people."""


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
    return "<1 %" if 0 < percent <= 0.5 else f"{percent:.0f} %"


def surely(confidence: float) -> str:
    """Write how sure something is in percent; what may be otherwise is never 100 %."""
    return "99 %" if 0.995 <= confidence < 1 else f"{100 * confidence:.0f} %"


def several(count: int, thing: str) -> str:
    """Write a number and what it counts: ``1 track``, ``2 tracks``."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def unread_words(unread: Unread, name: str, frames: int) -> str:
    """Say how much of a film could not be read, and where; empty where all was.

    Parameters
    ----------
    unread : Unread
    name : str
        Of the film.
    frames : int
        That its file holds.
    """
    if not unread.count:
        return ""
    places: list[list[float]] = []
    for span in unread.spans:
        if places and span.start - places[-1][1] < NEAR:
            places[-1][1] = max(places[-1][1], span.stop)
        else:
            places.append([span.start, span.stop])
    told = [_from_to(*place) for place in places[:PLACES]]
    if len(places) > PLACES:
        told.append(several(len(places) - PLACES, "more place"))
    where = " and ".join([", ".join(told[:-1]), told[-1]] if told[1:] else told)
    what = "are missing or could not be read" if unread.absent else "could not be read"
    return f"{name}: {unread.count} of {frames + unread.absent} frames {what}, at {where}"


def _from_to(start: float, stop: float) -> str:
    first, last = timecode(start), timecode(stop)
    return first if first == last else f"{first}-{last}"


def shorten(text: str, most: int = 16) -> str:
    """Leave out the middle of a long name: names of episodes differ at their ends."""
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - end - 1]}…{text[-end:]}"
