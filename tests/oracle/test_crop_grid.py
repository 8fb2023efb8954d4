"""Which faces of a track are cut out, and which crops are embedded: against loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import tables
from videoclusternet.embed.embed import chosen_rows
from videoclusternet.film.crops import choose_faces, grid_faces
from videoclusternet.film.quality import track_flaw
from videoclusternet.types import Reason

STEADY = settings(derandomize=True, deadline=None, max_examples=60)
EVERY = 0.5
flawed = st.sampled_from([Reason.OK, Reason.OK, Reason.SMALL, Reason.BLURRED])
seen = st.lists(st.tuples(st.integers(1, 40), flawed), min_size=1, max_size=30)
"""Frames from one face of a track to the next, and what is wrong with it."""
rates = st.sampled_from([5.0, 12.0, 23.976, 25.0, 29.97, 50.0])


def slow_grid(times: list[float], good: list[bool]) -> list[int]:
    """For every half second from the first face on, the nearest good face of that half second."""
    chosen = []
    start, end = times[0], times[-1]
    for n in range(int((end - start) / EVERY) + 2):
        moment = start + n * EVERY
        mine = [
            i
            for i, time in enumerate(times)
            if good[i] and int(np.round((time - start) / EVERY)) == n
        ]
        if mine and n * EVERY <= end - start + EVERY / 10:
            chosen.append(min(mine, key=lambda i: (round(abs(times[i] - moment), 12), i)))
    if not chosen:  # too short for its grid: any good face is better than none
        slots = {}
        for i in np.flatnonzero(good):
            slot = int(np.round((times[i] - start) / EVERY))
            far = round(abs(times[i] - start - slot * EVERY), 12)
            slots[slot] = min(slots.get(slot, (far, i)), (far, i))
        chosen = [int(i) for _, i in slots.values()]
    return chosen


@STEADY
@given(seen, rates)
@example([(1, Reason.OK), (12, Reason.OK)], 25.0)  # ends .02 s before its grid
def test_the_grid_of_a_track_equals_the_slow_version(
    steps: list[tuple[int, Reason]], rate: float
) -> None:
    frame = np.cumsum([gap for gap, _ in steps])
    faces = tables.faces([(int(n), 0, 0, 50, 60) for n in frame])
    flaw = np.array([reason for _, reason in steps], dtype=np.uint8)
    times = np.arange(frame[-1] + 1) / rate
    got = grid_faces(np.arange(len(faces)), faces, flaw, times, EVERY)
    good = (flaw == Reason.OK).tolist()
    if any(good):
        assert got == slow_grid(times[frame].tolist(), good)
    else:
        assert len(got) == 1


@STEADY
@given(st.lists(seen, max_size=4), rates)
def test_every_track_has_a_crop_of_its_own_faces(
    tracks: list[list[tuple[int, Reason]]], rate: float
) -> None:
    spans, owned, rows, flaw = [], [], [], []
    for number, steps in enumerate(tracks):
        frame = (2000 * number + np.cumsum([gap for gap, _ in steps])).tolist()
        owned.append(list(range(len(rows), len(rows) + len(frame))))
        rows += [(n, 0.0, 0.0, 50.0, 60.0) for n in frame]
        flaw += [reason for _, reason in steps]
        spans.append((number, frame[0], frame[-1]))
    faces, table = tables.faces(rows), tables.tracks(spans, owned)
    times = np.arange(2000 * len(tracks) + 2000) / rate
    reasons = np.array(flaw, dtype=np.uint8)
    chosen = choose_faces(faces, table, reasons, times, EVERY)
    assert [track for track, _ in chosen] == sorted(track for track, _ in chosen)
    assert set(Counter(track for track, _ in chosen)) == set(range(len(tracks)))
    for track, row in chosen:
        mine = table.faces_of(track)
        assert row in mine
        assert reasons[row] == Reason.OK or not (reasons[mine] == Reason.OK).any()
    assert len({row for _, row in chosen}) == len(chosen)


@STEADY
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=6), st.integers(1, 15))
def test_crops_to_embed_are_spread_evenly_over_tracks_without_a_flaw(
    given_tracks: list[tuple[int, bool]], most: int
) -> None:
    count = [crops for crops, _ in given_tracks]
    flaw = [Reason.OK if good else Reason.SMALL for _, good in given_tracks]
    table = tables.tracks([(n, n, n) for n in range(len(count))], flaw=flaw or 0)
    track = np.repeat(np.arange(len(count)), count)
    rows = chosen_rows(tables.crops(track.tolist(), len(count)), table, most)
    for n, crops in enumerate(count):
        mine = np.flatnonzero(track == n)
        got = rows[track[rows] == n].tolist()
        if flaw[n] != Reason.OK or not crops:
            assert got == []
            continue
        assert len(got) == min(most, crops) and set(got) <= set(mine.tolist())
        if crops <= most:
            assert got == mine.tolist()
        elif most > 1:
            gaps = np.diff(got)
            assert got[0] == mine[0] and got[-1] == mine[-1] and np.ptp(gaps) <= 1
        else:
            assert got == [mine[len(mine) // 2]]


@STEADY
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_a_track_is_judged_by_the_commonest_reason_of_most_of_its_faces(flaw: list[int]) -> None:
    count = Counter(one for one in flaw if one != Reason.OK)
    got = track_flaw(np.array(flaw, dtype=np.uint8))
    if sum(count.values()) > len(flaw) / 2:
        assert count[got] == max(count.values())
    else:
        assert got == Reason.OK
