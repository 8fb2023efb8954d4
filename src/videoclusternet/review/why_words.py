"""The reasons why two tracks are one person, or two, in sentences."""

from __future__ import annotations

from videoclusternet.edits.words import command
from videoclusternet.result.result import Result
from videoclusternet.review.why import Link, Why
from videoclusternet.show.words import several


def sentences(result: Result, why: Why) -> list[str]:
    """Return what there is to say, most important first."""
    one, other = why.tracks
    if "Unknown" in why.names:
        said = [f"track {t} is {name}" for t, name in zip(why.tracks, why.names, strict=True)]
        return [", ".join(said), *_far(why)]
    if why.together:
        return [f"tracks {one} and {other} are both {why.names[0]}", *_joined(result, why)]
    said = [f"track {one} is {why.names[0]}, track {other} is {why.names[1]}"]
    said += [f"edit {number} says so: {_command(result, number)}" for number in why.edits]
    if why.met:
        a, b = why.met[0]
        more = f", and {several(len(why.met) - 1, 'more pair')}" if len(why.met) > 1 else ""
        said.append(f"they are seen in one picture (tracks {a} and {b}{more}): two people")
    if why.between == why.between:
        over = "too far to be joined" if why.between > 1 else "near enough to be joined"
        said.append(f"their tracks are {why.between:.2f} apart on average, {over}")
    return [*said, *_far(why)]


def _joined(result: Result, why: Why) -> list[str]:
    weakest = why.weakest
    if weakest is None:
        said = [f"edit {number} says so: {_command(result, number)}" for number in why.edits]
        return [*said, "clustering did not join them", *_far(why)]
    lines = [f"clustering joined them in {several(len(why.links), 'merge')}, the weakest:"]
    return [*lines, f"  {merge(weakest)}", *_far(why)]


def merge(link: Link) -> str:
    """Say what a merge joined, and how closely it passed."""
    sides = f"{_some(link.one.tolist())} and {_some(link.other.tolist())}"
    if not link.round:
        return f"{sides}: people said so"
    words = f"{sides}: {link.distance:.2f} apart, up to {link.threshold:.2f} was near enough"
    if link.nearest is not None and len(link.one) + len(link.other) > 2:
        words += f"; nearest across are {link.nearest[0]} and {link.nearest[1]}"
    return words


def _some(tracks: list[int]) -> str:
    if len(tracks) == 1:
        return f"track {tracks[0]}"
    shown = ", ".join(map(str, tracks[:6]))
    return f"tracks {shown}{', …' if len(tracks) > 6 else ''} ({len(tracks)})"


def _far(why: Why) -> list[str]:
    if why.distance != why.distance:
        return ["at least one of them took no part in clustering"]
    return [f"the two themselves are {why.distance:.2f} apart, where joining stops at 1 on average"]


def _command(result: Result, number: int) -> str:
    edit = next(edit for edit in result.edits.done if edit.id == number)
    return command(edit, result.edits.state)
