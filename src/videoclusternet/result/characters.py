"""Characters as people see them: name, tracks, time on screen, how sure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from videoclusternet.result import notebook
from videoclusternet.result.found import Found
from videoclusternet.result.pictures import Pictures, best_pictures
from videoclusternet.types.arrays import Ints
from videoclusternet.types.span import Span, join_spans


@dataclass(frozen=True)
class Character:
    """One character, or the Unknown.

    Attributes
    ----------
    run : Found
        The run it is of.
    index : int
        Its number in ``cast.character``, -1 for the Unknown.
    name : str
        For people: what it is called, else ``Character 1`` and so on.
    hidden : bool
        Whether people left it out.
    tracks : int array
    spans : tuple of Span
        Time on screen, overlapping tracks joined, in order.
    confidence : float
        Probability that a track of it belongs to it, mean over its tracks; NaN for the Unknown.
    expected_wrong : float
        Expected number of its tracks that do not belong to it; NaN for the Unknown.
    """

    run: Found = field(repr=False, compare=False)
    index: int
    name: str
    hidden: bool
    tracks: Ints = field(repr=False, compare=False)
    spans: tuple[Span, ...] = field(repr=False)
    confidence: float
    expected_wrong: float

    @property
    def number(self) -> int:
        """Its number for people, from 1; 0 for the Unknown."""
        return self.index + 1

    @property
    def kind(self) -> str:
        """How a library knows it: ``regular``, ``guest``, else ``stranger``; empty if Unknown."""
        return self.run.people[self.index].kind if self.index >= 0 else ""

    @property
    def seconds(self) -> float:
        """Time on screen, s."""
        return sum(span.seconds for span in self.spans)

    def best_pictures(self, most: int = 6) -> Pictures:
        """Return a list of the pictures that show it best: well seen, typical, unlike each other.

        The cover that people chose comes first.  A run over given features has no pictures.
        """
        return best_pictures(self.run, self.index, self.tracks, most)

    def _repr_html_(self) -> str:
        facts = f"{self.seconds:,.1f} s on screen, appearances: {len(self.spans)}"
        faces = [(one.jpeg, self.name) for one in self.best_pictures()]
        lane = notebook.lane(self.run.films, self.spans, self.name)
        return notebook.card(self.name, facts, notebook.strip(faces, 72), lane)


def characters(result: Found) -> list[Character]:
    """Sum up every character of a run, by number, the Unknown last.

    As found, that is longest on screen first.
    """
    numbers = sorted(result.people)
    if (result.cast.character < 0).any():
        numbers.append(-1)
    return [character_of(result, number) for number in numbers]


def character_of(result: Found, index: int) -> Character:
    """Sum up one character, by its number in ``cast.character``; -1 for the Unknown."""
    tracks = np.flatnonzero(result.cast.character == index)
    hidden = index >= 0 and result.people[index].hidden
    wrong = float(result.cast.expected_wrong[index]) if index >= 0 else np.nan
    return Character(
        run=result,
        index=index,
        name=result.called(index),
        hidden=hidden,
        tracks=tracks,
        spans=tuple(join_spans(track_span(result, int(track)) for track in tracks)),
        confidence=1 - wrong / max(len(tracks), 1),
        expected_wrong=wrong,
    )


def track_span(result: Found, track: int) -> Span:
    """Return when a track is on screen; the detector's stride is bridged."""
    film = int(result.tracks.film[track])
    return result.films[film].span(film, int(result.tracks.first[track]), int(result.ends[track]))
