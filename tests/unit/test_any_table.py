"""Tables of any content: written and read, taken apart and put together; times; constraints."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests import tables
from videoclusternet.errors import ContradictionError
from videoclusternet.runfolder.folder import read_table, table_path, write_table
from videoclusternet.types import Cast, Constraints, Embeddings, Faces, Table, Tracks, Views
from videoclusternet.types.constraints import inside

STEADY = settings(derandomize=True, deadline=None, max_examples=40)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that a file can hold: quotes, line ends, NUL, letters of all alphabets."""
reals = st.floats(width=32)
"""Of single precision: infinities, NaN, minus zero and the smallest among them."""


def column(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float32, shape, elements=reals)


@st.composite
def some_faces(draw: Any, stride: int = 3) -> Faces:
    n = draw(st.integers(0, 5))
    frame = np.sort(draw(arrays(np.int32, n, elements=st.integers(0, 2**31 - 1))))
    return Faces(
        frame, draw(column(n, 4)), draw(column(n, 5, 2)), draw(column(n)), draw(column(n)), stride
    )


@st.composite
def some_tracks(draw: Any) -> Tracks:
    owned = draw(st.lists(st.lists(st.integers(0, 99), max_size=4), max_size=5))
    spans = [(draw(st.integers(0, 3)), n, n + draw(st.integers(0, 9))) for n in range(len(owned))]
    flaw = [draw(st.integers(0, 4)) for _ in owned]
    return tables.tracks(spans, owned, film=draw(st.integers(0, 2)), flaw=flaw or 0)


@st.composite
def some_cast(draw: Any) -> Cast:
    n = draw(st.integers(0, 5))
    character = draw(arrays(np.int32, n, elements=st.integers(-1, 9)))
    three = [draw(column(n)) for _ in range(3)]
    return Cast(character, np.where(character < 0, 3, 0), *three, np.full(n, -1), draw(names))


@st.composite
def some_embeddings(draw: Any) -> Embeddings:
    n, d = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    track = np.sort(draw(arrays(np.int32, n, elements=st.integers(0, 9))))
    return Embeddings(track, np.arange(n), draw(column(n, d)), draw(column(n)), 10, draw(names))


@st.composite
def some_views(draw: Any) -> Views:
    n, v, d = (draw(st.integers(0, 3)) for _ in range(3))
    rows = np.cumsum(draw(arrays(np.int32, n, elements=st.integers(1, 9)))) - 1
    return Views(draw(column(n, v, d)), rows, draw(st.integers(0, v)))


@STEADY
@given(st.one_of(some_faces(), some_tracks(), some_cast(), some_embeddings(), some_views()))
def test_what_is_written_is_read_back_to_the_bit(table: Table) -> None:
    with TemporaryDirectory() as folder:
        path = table_path(Path(folder), type(table))
        write_table(path, table)
        first = path.read_bytes()
        back = read_table(path, type(table))
        write_table(path, back)
        assert path.read_bytes() == first  # and the file is the same, whoever writes it
    for name, array in table.arrays().items():
        assert back.arrays()[name].tobytes() == array.tobytes(), name
        assert back.arrays()[name].shape == array.shape, name
    assert back.meta() == table.meta() and back.digest == table.digest


@STEADY
@given(st.lists(some_faces(), min_size=1, max_size=4))
def test_rows_of_tables_end_to_end_are_the_rows_of_all(parts: list[Faces]) -> None:
    parts = sorted(parts, key=lambda part: int(part.frame.max(initial=0)))
    ends = [(part.frame.min(), part.frame.max()) for part in parts if len(part)]
    assume(all(a[1] <= b[0] for a, b in pairwise(ends)))
    whole = Faces.concatenate(parts)
    rows = [part.take([i]) for part in parts for i in range(len(part))]
    assert len(whole) == len(rows)
    for i, row in enumerate(rows):
        assert whole.take([i]).digest == row.digest


@STEADY
@given(some_tracks(), some_tracks(), st.data())
def test_rows_taken_of_lists_are_those_of_python(a: Tracks, b: Tracks, data: Any) -> None:
    whole = Tracks.concatenate([a, b])
    lists = [part.faces_of(t).tolist() for part in (a, b) for t in range(len(part))]
    assert [whole.faces_of(t).tolist() for t in range(len(whole))] == lists
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=6) if lists else st.just([]))
    taken = whole.take(np.array(rows, dtype=int))
    assert [taken.faces_of(t).tolist() for t in range(len(taken))] == [lists[i] for i in rows]
    assert taken.first.tolist() == [whole.first[i] for i in rows]
    chosen = np.isin(np.arange(len(whole)), rows)
    assert whole.take(chosen).digest == whole.take(np.flatnonzero(chosen)).digest


@STEADY
@given(
    st.lists(st.integers(1, 9000), max_size=30),
    st.integers(-(2**40), 2**40),
    st.sampled_from(["1/90000", "1001/24000", "1/25", "1/1000"]),
)
def test_times_are_exact(gaps: list[int], first: int, base: str) -> None:
    pts = first + np.cumsum([0, *gaps])
    film = replace(tables.video(len(pts)), base=base, pts=pts, end=int(pts[-1]) + 1)
    want = [Fraction(int(p)) * Fraction(base) for p in pts]
    assert [film.seconds(n) for n in range(film.frames)] == [float(t) for t in want]
    np.testing.assert_allclose(film.times, [float(t) for t in want], rtol=1e-12)


pairs = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] != p[1]))


@STEADY
@given(pairs, pairs, st.sets(st.integers(0, 8)), st.data())
def test_restricting_twice_is_restricting_once(
    apart: list[tuple[int, int]], together: list[tuple[int, int]], kept: set[int], data: Any
) -> None:
    try:
        known = tables.known(9, apart[:6], together[:4])
    except ContradictionError:
        assume(False)
    keep = np.array(sorted(kept), dtype=int)
    again = np.array(data.draw(st.lists(st.booleans(), min_size=len(keep), max_size=len(keep))))
    again = np.flatnonzero(again)
    twice, once = known.inside(keep).inside(again), known.inside(keep[again])
    assert twice.tracks == once.tracks == len(again)
    assert twice.group.tolist() == once.group.tolist()

    def groups_apart(of: Constraints) -> set[tuple[int, ...]]:
        return {tuple(sorted(pair)) for pair in of.group[of.apart].tolist()}

    assert groups_apart(twice) == groups_apart(once)


@STEADY
@given(pairs, st.sets(st.integers(0, 8)))
def test_pairs_of_kept_tracks_keep_their_order_and_their_tracks(
    some: list[tuple[int, int]], kept: set[int]
) -> None:
    keep = np.array(sorted(kept), dtype=int)
    got = inside(np.array(some, dtype=int).reshape(-1, 2), keep)
    assert keep[got].reshape(-1, 2).tolist() == [list(p) for p in some if set(p) <= kept]


@STEADY
@given(pairs, pairs)
def test_what_two_say_is_a_contradiction_whoever_says_it(
    apart: list[tuple[int, int]], together: list[tuple[int, int]]
) -> None:
    one, other = tables.known(9, apart), tables.known(9, (), together)
    linked = any(other.group[a] == other.group[b] for a, b in apart)
    if linked:
        for both in ((one, other), (other, one)):
            with pytest.raises(ContradictionError, match="one person and two"):
                both[0].and_those(both[1])
    else:
        assert one.and_those(other).group.tolist() == other.group.tolist()
        assert one.and_those(other).digest != one.digest or not together
