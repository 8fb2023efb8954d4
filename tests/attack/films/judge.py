"""Whether what is said of a damaged film is right: nothing is missing in silence.

A damaged film gives a typed error, or a cast.  Where nothing is said about it, the cast and its
times must be those of the whole film; where something is said, all faces that the cast lacks must
lie where it is said.  Four things cannot be seen in a file, and nobody could say them:

- its end is cut off between two frames, and the container does not tell its length
  (``Form.length``): then the cast must be the clean one as far as the file goes;
- frames are taken out of a container without stamps (``Form.times``): no number, no time tells;
- the header is changed so that the file itself says that frames are not to be shown;
- bits change inside a coded picture, and the decoder hands it out as whole: an independent
  decoding (:func:`decoder_noticed`) must then find as little as the program did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from tests.attack.case import Outcome, Place
from tests.attack.films.films import Clean, Seen
from tests.attack.material import QUICK

SLACK = 0.1
"""Two frames and a half: where a track that is cut off may begin and end, s."""
AROUND = 0.8
"""What is damaged spoils what is predicted from it, up to the next key frame, s; and a track takes
a few frames to begin."""
STRANGE = ("begin anew", "may be incomplete", "no pictures for")
"""Notes that time stamps are odd or pictures may be damaged: their places are not judged."""
BREAKS = re.compile(r"breaks off: .*?([\d.]+) of [\d.]+ s are there")


def cluster(place: Place, film: Path | str | bytes, *more: str, **how: object) -> Outcome:
    """Find the cast of a film into ``out``."""
    codes = how.pop("codes", (0, 3))
    return place.vcn("cluster", film, "-o", "out", *more, *QUICK, codes=codes, **how)  # type: ignore[arg-type]


def judge(place: Place, film: Path, clean: Clean, *more: str, times: bool = True) -> None:
    """Hold that the result of a film, made of a clean one, is right or says what is not.

    Parameters
    ----------
    place : Place
    film : Path
    clean : Clean
    *more : str
        Further arguments.
    times : bool
        Whether times in seconds must be the clean ones: not where the file itself tells others.
    """
    before = film.read_bytes() if film.is_file() else b""
    outcome = cluster(place, film, *more)
    place.must(not before or film.read_bytes() == before, "the film was changed")
    if outcome.code != 0:
        place.must(not (place.folder / "out").exists(), "a run of nothing is left", "unclear")
        return
    seen = Seen.of(place.folder / "out")
    said = [line for line in outcome.err.splitlines() if line.startswith("vcn: warning: ")]
    place.must(len(said) == len(set(said)), f"said twice: {said}", "unclear")
    known = len(seen.notes) + len(seen.spans) > 0
    place.must(bool(said) == known, f"told {said}, recorded {seen.notes} {seen.spans}")
    wrong = differs(seen, clean, times)
    longer = len(seen.times) >= len(clean.seen.times) and not times
    if not wrong or longer or any(word in note for note in seen.notes for word in STRANGE):
        return
    if not known:
        why = excuse(seen, film, clean)
        place.must(bool(why), f"in silence: {wrong}")
    elif times and clean.form.times:
        lost = [f"{a:.2f}-{b:.2f}" for a, b in unsaid(seen, clean)]
        place.must(not lost, f"lacks faces at {lost} s, says {said}")


def differs(seen: Seen, clean: Clean, times: bool = True) -> str:
    """Say how a result differs from that of the whole film; empty where it does not."""
    a, b = seen, clean.seen
    if len(a.times) != len(b.times):
        return f"{len(a.times)} frames, not {len(b.times)}"
    if times and not np.allclose(a.times, b.times, atol=0.002):
        return f"frames at other times, up to {np.abs(a.times - b.times).max():.3f} s"
    if [t[:2] for t in a.tracks] != [t[:2] for t in b.tracks]:
        return f"tracks {[t[:2] for t in a.tracks]}, not {[t[:2] for t in b.tracks]}"
    return "" if a.who == b.who else f"characters {a.who}, not {b.who}"


def excuse(seen: Seen, film: Path, clean: Clean) -> str:
    """Return why nobody could have said what is missing; empty where one could."""
    form, whole = clean.form, clean.seen
    if hidden(film) == len(whole.times) - len(seen.times) > 0:
        return "the file itself says that these frames are not to be shown"
    if len(seen.times) < len(whole.times) and not form.times:
        return "frames of a raw stream leave no trace"
    if len(seen.times) < len(whole.times) and not form.length:
        end = len(seen.times)
        shift = seen.times - whole.times[:end]
        if np.ptp(shift) < 0.002 and not unexplained(seen, clean, float(seen.times[-1])):
            return "the end of a file that does not tell its length"
        steps = np.diff(seen.times)
        if steps.max() < 1.5 * np.median(steps) and np.isin(len(whole.times) - end, [1, 2, 3]):
            return "frames of its beginning or end"
        return late_start(seen, clean)
    same = len(seen.times) == len(whole.times) and np.allclose(seen.times, whole.times, atol=0.002)
    errors, frames = decoder_noticed(film, clean)
    if (same or not form.times) and not errors and frames == len(seen.times):
        return "the decoder hands out damaged pictures as whole"
    return ""


def hidden(film: Path) -> int:
    """Count the packets that an edit list hides."""
    try:
        with av.open(f"file:{film}", metadata_errors="ignore") as container:
            return sum(bool(p.size and p.is_discard) for p in container.demux(video=0))
    except (av.FFmpegError, OSError, IndexError):
        return 0


def late_start(seen: Seen, clean: Clean) -> str:
    """Tell whether a file without a length begins later, with the rest whole."""
    count = len(clean.seen.times) - len(seen.times)
    rest = clean.seen.times[count:] - clean.seen.times[count]
    steady = np.allclose(np.diff(seen.times), np.diff(rest), atol=0.002)
    return "the beginning of a file that does not tell its length" if steady else ""


def unsaid(seen: Seen, clean: Clean) -> list[tuple[float, float]]:
    """Return when faces are lacking and nothing is said of it, as far as a file can tell, s."""
    end = float(seen.times[-1])
    if clean.form.length:
        # A whole AVI may lack some frames at its end, by the way it counts.
        return unexplained(seen, clean, end if clean.form.suffix == ".avi" else np.inf)
    # What such a file lacks at its beginning shifts all its times.
    late = float(clean.seen.times[-1]) - end
    return unexplained(seen, clean, end) and unexplained(seen, clean, shift=late)


def unexplained(
    seen: Seen, clean: Clean, end: float = np.inf, shift: float = 0.0
) -> list[tuple[float, float]]:
    """Return when faces are in the whole film, not in the result, and nothing is said, s.

    Nothing needs to be said of what comes after ``end``, or before ``shift``: by so much all
    times of the result are early.
    """
    explained = [(a - AROUND, b + AROUND) for a, b in (*seen.spans, (end, np.inf))]
    for note in seen.notes:
        if "breaks off" in note:
            told = BREAKS.search(note)
            have = float(told[1]) if told else float(seen.times[-1])
            explained.append((min(have, float(seen.times[-1])) - AROUND, np.inf))
    explained = [(a + shift, b + shift) for a, b in explained] + [(-1.0, shift + AROUND / 2)]
    there = [(t[2] + shift - SLACK, t[3] + shift + SLACK) for t in seen.tracks]
    moments = {
        round(float(m), 2)
        for t in clean.seen.tracks
        for m in np.arange(t[2], t[3], 0.02)
        if not _within(m, there) and not _within(m, explained)
    }
    found: list[tuple[float, float]] = []
    for moment in sorted(moments):
        if found and moment - found[-1][1] < 0.03:
            found[-1] = (found[-1][0], moment)
        else:
            found.append((moment, moment))
    return found


def _within(moment: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(a <= moment <= b for a, b in spans)


def decoder_noticed(film: Path, clean: Clean) -> tuple[int, int]:
    """Decode a film in the plainest way.

    Returns
    -------
    int
        Errors and frames that the decoder calls damaged.
    int
        Frames that it hands out as whole.
    """
    errors, frames = 0, 0
    try:
        with av.open(f"file:{film}", metadata_errors="ignore") as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"  # as the program: that of VP8 with slices says more
            packets = container.demux(stream)
            while True:
                try:
                    found = next(packets).decode()
                except StopIteration:
                    return errors, frames
                except av.error.InvalidDataError:
                    errors += 1
                    continue
                errors += sum(frame.is_corrupt for frame in found)
                frames += sum(not frame.is_corrupt for frame in found)
    except (av.FFmpegError, OSError, IndexError):
        return errors + 1, frames
