"""The exact sheet that everything leaves through: who is on screen, from which frame to which.

A span is frames of a film.  Its place on a timeline and its timecode follow from the film's
clock (:mod:`videoclusternet.types.clock`), its seconds from the film's time stamps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet.result.characters import characters
from videoclusternet.result.described import Film
from videoclusternet.result.found import Found
from videoclusternet.types.clock import Clock
from videoclusternet.types.span import Span, join_spans


@dataclass(frozen=True)
class Reel:
    """One film of a run, as an editing program has it.

    Attributes
    ----------
    number : int
        Of the film.
    name : str
        Name of the clip: its file's, or what tells it from the run's others.
    tape : str
        Name of the reel, tape or card; where the file names none, the file's without ending.
    path : Path or None
        Where the file lies, absolute; None where there is none.
    clock : Clock
    film : Film
    """

    number: int
    name: str
    tape: str
    path: Path | None
    clock: Clock
    film: Film = field(repr=False, compare=False)

    @property
    def length(self) -> int:
        """Frames of the timeline that the film lasts; its last frame is one at least."""
        last = self.film.frames - 1
        return max(self.clock.place(last) + 1, self.clock.place(last + 1)) if last >= 0 else 0

    @property
    def doubts(self) -> Iterator[str]:
        """What is not exact about its times, in sentences."""
        film, clock, said = self.film, self.clock, self.film.tags.timecode
        late = film.seconds(0) if film.frames else 0.0
        if film.video is None:
            yield f"{self.name}: no film, so its frames are counted at {clock.rate} a second"
        elif said and not film.is_timed and clock == film.clock:
            yield f"{self.name}: its file says {said!r}, no timecode at its rate; counted from 0"
        if late * clock.rate >= 1:
            yield (
                f"{self.name}: its picture begins {late:.2f} s in; "
                "timecode and timelines count from there, seconds from the start"
            )
        if clock.video is not None:
            rate = f"{float(clock.rate):.5g}"
            yield f"{self.name}: of varying rate; its frames lie on a timeline of {rate} by time"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px; 0 where there is no film."""
        video = self.film.video
        return (video.width, video.height) if video else (0, 0)


@dataclass(frozen=True)
class Player:
    """Whose appearances these are: a character, the Unknown, or the answer to a question.

    Attributes
    ----------
    number : int
        From 1, as people see it; 0 for the Unknown.
    name : str
    """

    number: int
    name: str


@dataclass(frozen=True)
class Appearance:
    """Somebody on screen.

    Attributes
    ----------
    player : Player
    reel : Reel
    span : Span
        Frames and seconds of the film.
    into, out : int
        Frames of the timeline from the film's first picture, half-open.
    """

    player: Player
    reel: Reel
    span: Span
    into: int
    out: int

    @property
    def length(self) -> int:
        """Frames of the timeline."""
        return self.out - self.into

    @property
    def timecodes(self) -> tuple[str, str]:
        """Timecode of the first frame, and of the one after the last."""
        return self.reel.clock.timecode(self.into), self.reel.clock.timecode(self.out)


@dataclass(frozen=True)
class Sheet:
    """Who is on screen, when.

    Attributes
    ----------
    title : str
    reels : tuple of Reel
        All films of the run.
    players : tuple of Player
        Those who appear, by number.
    appearances : tuple of Appearance
        By film, first frame and player.
    run : Found
        Where pictures and boxes come from.
    handles : float
        Seconds that selects have before and after each appearance.
    boxes : str
        ``detections`` or ``frames``, as in :class:`Choice`.
    """

    title: str
    reels: tuple[Reel, ...]
    players: tuple[Player, ...]
    appearances: tuple[Appearance, ...]
    run: Found = field(repr=False, compare=False)
    handles: float = 0.0
    boxes: str = "detections"

    @cached_property
    def films(self) -> list[tuple[Reel, list[Appearance]]]:
        """Every film with its appearances, in order."""
        found: list[list[Appearance]] = [[] for _ in self.reels]
        for one in self.appearances:
            found[one.reel.number].append(one)
        return list(zip(self.reels, found, strict=True))

    @cached_property
    def _of_players(self) -> dict[Player, list[Appearance]]:
        found: dict[Player, list[Appearance]] = {player: [] for player in self.players}
        for one in self.appearances:
            found[one.player].append(one)
        return found

    def of(self, player: Player) -> list[Appearance]:
        """Return the appearances of one player."""
        return self._of_players[player]

    def with_handles(self, one: Appearance) -> tuple[int, int]:
        """Return in and out of an appearance with its handles, inside the film."""
        more = round(Fraction(self.handles) * one.reel.clock.rate)
        return max(0, one.into - more), min(one.reel.length, one.out + more)


@dataclass(frozen=True)
class Choice:
    """What goes into a sheet.

    Attributes
    ----------
    characters : tuple of str
        Names or numbers; all for none.
    unknown : bool
        Whether the Unknown are among them.
    min_seconds : float
        Appearances that are shorter stay away.
    gap : float
        Appearances that are no more than so many seconds apart are one.
    handles : float
        Seconds that selects have before and after.
    start_timecode : str
        Of the first picture of every film, in place of what its file says.
    boxes : str
        Boxes of faces: ``detections``, as the detector saw them, or ``frames``, in every frame
        between them too.
    """

    characters: tuple[str, ...] = ()
    unknown: bool = False
    min_seconds: float = 0.0
    gap: float = 0.0
    handles: float = 0.0
    start_timecode: str = ""
    boxes: str = "detections"


BOXES = ("detections", "frames")


def make_sheet(
    run: Found,
    groups: Sequence[tuple[Player, Iterable[Span]]],
    choice: Choice | None = None,
    title: str = "",
    join: bool = True,
) -> Sheet:
    """Lay spans of players on the timelines of their films.

    Parameters
    ----------
    run : Found
    groups : sequence of (Player, spans)
    choice : Choice, optional
        Its characters play no part here.
    title : str
        By default the names of the films.
    join : bool
        Make one of spans of a player that overlap or touch.

    Raises
    ------
    ConfigError
        When the start is no timecode, or there are no such boxes.
    """
    c = choice or Choice()
    for said, seconds in (("min-seconds", c.min_seconds), ("gap", c.gap), ("handles", c.handles)):
        if not 0 <= seconds < math.inf:
            raise ConfigError(f"{said} {seconds} is no length of time", "give seconds, 0 or more")
    if c.boxes not in BOXES:
        raise ConfigError(f"no boxes {c.boxes!r}", f"{' or '.join(BOXES)}")
    reels = reels_of(run, c.start_timecode)
    found = [
        _appearance(player, reels[span.film], span)
        for player, spans in groups
        for span in (join_spans(spans, c.gap) if join else spans)
        if span.seconds >= c.min_seconds
    ]
    found.sort(key=lambda one: (one.span, one.player.number, one.player.name))
    seen = {one.player for one in found}
    return Sheet(
        title=title or ", ".join(reel.name for reel in reels),
        reels=reels,
        players=tuple(player for player, _ in groups if player in seen),
        appearances=tuple(found),
        run=run,
        handles=c.handles,
        boxes=c.boxes,
    )


def cast_sheet(run: Found, choice: Choice | None = None) -> Sheet:
    """Return the sheet of a run's characters.

    Hidden ones stay away unless they are asked for by name.

    Raises
    ------
    ConfigError
        When a character is not there, or the start is no timecode.
    """
    c = choice or Choice()
    wanted = {run.index_of(one) for one in c.characters}
    cast = [
        one
        for one in characters(run)
        if (one.index in wanted if wanted else one.index >= 0 and not one.hidden)
        or (one.index < 0 and c.unknown)
    ]
    return make_sheet(run, [(Player(one.number, one.name), one.spans) for one in cast], c)


def reels_of(run: Found, start_timecode: str = "") -> tuple[Reel, ...]:
    """Return the films of a run with their clocks."""
    return tuple(_reel(run, number, start_timecode) for number in range(len(run.films)))


def _reel(run: Found, number: int, start_timecode: str) -> Reel:
    film = run.films[number]
    clock = film.clock
    if start_timecode and film.video is not None:
        clock = Clock.of(film.video, start_timecode)
    elif start_timecode:
        drop = ";" in start_timecode
        clock = replace(clock, drop=drop, start=replace(clock, drop=drop).read(start_timecode))
    where = film.where(run.folder.resolve().parent)
    path = where or (Path(film.video.path) if film.video else None)
    return Reel(
        number=number,
        name=run.clip(number),
        tape=film.tags.reel or film.name,
        path=path.absolute() if path else None,
        clock=clock,
        film=film,
    )


def _appearance(player: Player, reel: Reel, span: Span) -> Appearance:
    return Appearance(player, reel, span, *reel.clock.extent(span.first, span.end))
