"""A film meets a library: whom its tracks may be, and how it is said whom they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np

from videoclusternet.clustering.distance import normalise, weighted_mean
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.nearest import nearest_people
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.state import State
from videoclusternet.edits.verbs import apply
from videoclusternet.errors import ConfigError
from videoclusternet.library.door import Library, open_library
from videoclusternet.outside.text import shown
from videoclusternet.result.edits import Edits
from videoclusternet.result.result import Result
from videoclusternet.show.words import surely
from videoclusternet.types import Cast, CropWeights, Embeddings

DEFAULT = "default"
"""Stands for the library in the user's data folder."""


def library_of(path: Path | str) -> Library:
    """Open a library to read it; ``default`` is the user's own.

    Raises
    ------
    LibraryError
        When it is missing or cannot be read.
    """
    return open_library(None if str(path) == DEFAULT else path, write=False)


def people_near(
    library: Path | str,
    digest: str,
    embeddings: Embeddings,
    weights: CropWeights,
    films: Collection[str] = (),
) -> Gallery:
    """Return the people of a library who may be in a film.

    Parameters
    ----------
    library : path
    digest : str
        Of the un-adapted face model.
    embeddings : Embeddings
        Of the crops of the film, by that model.
    weights : CropWeights
        How much each of these crops counts.
    films : collection of str
        Content of the film or films: nobody is known by what is seen here.

    Raises
    ------
    LibraryError
        When the library is missing or damaged.
    """
    with library_of(library) as opened:
        gallery = opened.gallery(digest, films)
    unit = normalise(embeddings.base)
    mean = weighted_mean(unit, weights.weight, embeddings.track, embeddings.tracks)
    return nearest_people(gallery, mean[np.isfinite(mean).all(axis=1)])


def take_up(
    result: Result, suggested: Suggested, cast: Cast, people: Gallery, library: Path | str
) -> list[Edit]:
    """Call characters by the names of the people whom they joined, each by an edit of its own.

    One who has a name keeps it, and what somebody took back is not said again of the same
    clustering.

    Parameters
    ----------
    result : Result
        Its edits are added to.
    suggested : Suggested
    cast : Cast
        The clustering that it is about, of the tracks of the run.
    people : Gallery
        Who was asked about.
    library : path
        Signs the edits.

    Returns
    -------
    list of Edit
        Those that were made.
    """
    edits, made = result.edits, []
    author, edits.author = edits.author, f"library {Path(library).name}"
    try:
        for said in _offers(edits, lambda: edits.state, suggested, cast, people):
            try:
                made.append(edits.say(said))
            except ConfigError:  # somebody said otherwise: what people say holds
                continue
    finally:
        edits.author = author
    return made


def would_be(
    result: Result, state: State, suggested: Suggested, cast: Cast, people: Gallery
) -> list[Edit]:
    """Return the edits that :func:`take_up` would make of a state; nothing is written."""
    made, states = [], [state]
    for said in _offers(result.edits, lambda: states[-1], suggested, cast, people):
        tried = states[-1].copied()
        try:
            apply(tried, said)
        except ConfigError:
            continue
        states.append(tried)
        made.append(said)
    return made


def _offers(
    edits: Edits, state: Callable[[], State], suggested: Suggested, cast: Cast, people: Gallery
) -> Iterator[Edit]:
    """Yield who is suggested for characters that have no name in the state as it is by then."""
    name = dict(zip(people.people, people.names, strict=True))
    films = dict(zip(people.people, people.films, strict=True))
    for character, sure, person in zip(
        suggested.character.tolist(), suggested.sure.tolist(), suggested.people, strict=True
    ):
        now = state().person[cast.character == character]
        if not (now >= 0).any() or person not in name:
            continue
        one = state().people[int(np.bincount(now[now >= 0]).argmax())]
        if one.name or edits.was_offered(one.key, person):
            continue
        said = Edit("recognise", (one.key,), to=person, text=name[person])
        yield said._replace(of=films[person], sure=round(sure, 4))


def told(result: Result, made: Collection[Edit], people: Gallery | None) -> str:
    """Say in a line who was recognised, or why nobody could be."""
    names = [f"{shown(one.text)} ({surely(one.sure)})" for one in made]
    others = sum(not person.name for person in result.people.values())
    who = ", ".join(names) if names else "nobody new"
    if not people:
        who = "nobody: from elsewhere it has no face of this face-ID model (`vcn library reembed`)"
    return f"recognised from the library: {who}; characters without a name: {others}"
