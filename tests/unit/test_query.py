"""Queries put to a run: who is where, alone, close, in whole shots; names that are not there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tables
from tests.sheets import varying
from videoclusternet.errors import ConfigError, QueryError
from videoclusternet.result.characters import track_span
from videoclusternet.result.result import Result
from videoclusternet.types import Reason, VideoInfo

Row = tuple[int, int, int]


def a_run(
    spans: Sequence[Sequence[tuple[int, int]]],
    video: VideoInfo | None = None,
    edges: Sequence[int] = (0, 40, 60, 100),
    height: Sequence[tuple[float, float]] | None = None,
    folder: Path = Path("run.vcn"),
) -> Result:
    """A run of one film, 100 px high: of each character the spans; the last is the Unknown.

    ``height``: of the face in the first frame and the last of each track.
    """
    tracks = [(c, a, b - 1) for c, some in enumerate(spans) for a, b in some]
    high = height or [(20.0, 20.0)] * len(tracks)
    cuts = np.array(edges)
    seen = [
        (frame, 10.0, 5.0, 30.0, 5.0 + h)
        for (_, *ends), pair in zip(tracks, high, strict=True)
        for frame, h in zip(ends, pair, strict=True)
    ]
    order = np.argsort([row[0] for row in seen], kind="stable")
    place = np.argsort(order)
    of = tables.tracks(
        [(int(np.searchsorted(cuts, a, "right")) - 1, a, b) for _, a, b in tracks],
        [sorted(place[2 * t : 2 * t + 2].tolist()) for t in range(len(tracks))],
    )
    film = tables.film(
        of,
        folder=folder,
        with_video=video or tables.video(edges[-1], height=100),
        with_shots=tables.shots(*edges),
        with_faces=tables.faces([seen[i] for i in order]),
    )
    who = [c if c < len(spans) - 1 else -1 for c, _, _ in tracks]
    return tables.result([film], of, tables.cast(who))


def found(run: Result, text: str, **options: Any) -> list[tuple[int, int]]:
    return [(span.first, span.end) for span in run.query(text, **options)]


ONE = a_run([[(0, 30), (70, 90)], [(20, 40), (40, 50)], [(35, 40), (80, 85)], [(25, 28), (95, 98)]])
"""1, 2 and 3, and the Unknown."""


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1", [(0, 30), (70, 90)]),
        ("1 & 2", [(20, 30)]),
        ("1 | 2", [(0, 50), (70, 90)]),
        ("Character 1 & !character 3", [(0, 30), (70, 80), (85, 90)]),
        ("!1", [(30, 70), (90, 100)]),
        ("!*", [(50, 70), (90, 100)]),
        ("*", [(0, 50), (70, 90)]),
        ("Unknown", [(25, 28), (95, 98)]),
        ("1 & unknown", [(25, 28)]),
        ("* | Unknown", [(0, 50), (70, 90), (95, 98)]),
        ("1 & 2 & 3", []),
    ],
)
def test_who_is_where(text: str, frames: list[tuple[int, int]]) -> None:
    assert found(ONE, text) == frames


def test_spans_have_their_seconds() -> None:
    (span,) = ONE.query("1 & 2")
    assert (span.film, span.start, span.stop) == (0, 20 / 24, 30 / 24)


def test_people_that_need_not_share_a_frame() -> None:
    assert found(ONE, "1 & 3") == [(80, 85)]
    # 29 is the last frame of 1 there, 35 the first of 3.
    assert found(ONE, "1 & 3", together_within="5f") == [(75, 90)]
    assert found(ONE, "1 & 3", together_within="6f") == [(29, 30), (35, 36), (74, 90)]
    assert found(ONE, "1 & 3", together_within=0.25) == found(ONE, "1 & 3", together_within="6f")
    assert found(ONE, "1 & 3", together_within="250ms") == found(ONE, "1 & 3", together_within="6f")
    # Who is not to be there is looked for in the frame itself.
    assert found(ONE, "1 & 3 & !2", together_within="6f") == [(74, 90)]
    assert found(ONE, "1 & 3", together_within="999999999s") == [(0, 30), (35, 40), (70, 90)]


def test_within_follows_the_time_stamps_of_a_film() -> None:
    video = varying(100)
    ms = np.diff(video.pts)
    run = a_run([[(0, 10)], [(19, 30)], []], video=replace(video, height=100))
    apart = int(video.pts[19] - video.pts[9])
    assert apart != 10 * 1000 / 24 and (ms > 0).all()
    assert found(run, "1 & 2", together_within=f"{apart - 1}ms") == []
    assert found(run, "1 & 2", together_within=f"{apart}ms") == [(9, 10), (19, 20)]


def test_alone_is_without_anybody_else() -> None:
    assert found(ONE, "1", alone=True) == [(0, 20), (70, 80), (85, 90)]
    assert found(ONE, "1 | 2", alone=True) == [(0, 25), (28, 35), (40, 50), (70, 80), (85, 90)]
    assert found(ONE, "*", alone=True) == [(0, 25), (28, 50), (70, 90)]
    assert found(ONE, "1 | Unknown", alone=True) == [(0, 20), (70, 80), (85, 90), (95, 98)]
    # Nobody is to be there: then nobody is.
    assert found(ONE, "!1", alone=True) == [(50, 70), (90, 95), (98, 100)]


def test_close_ups_of_those_who_are_to_be_there() -> None:
    run = a_run(
        [[(0, 11), (20, 31)], [(0, 31)], []], height=[(10, 30), (30, 10), (5, 5)], edges=(0, 100)
    )
    # 10 px in frame 0, 30 px in frame 10, 2 px more in each between.
    assert found(run, "1", min_face=0.2) == [(5, 11), (20, 26)]
    assert found(run, "1 & 2", min_face=0.2) == [(5, 11), (20, 26)]
    assert found(run, "!1 | 2", min_face=0.2) == []
    assert found(run, "2 & !1", min_face=0.05) == [(11, 20)]
    assert found(run, "*", min_face=0.3) == [(10, 11), (20, 21)]
    with pytest.raises(QueryError, match="whose face"):
        run.query("!1", min_face=0.2)


def test_a_last_look_lasts_as_long_as_its_track() -> None:
    run = a_run([[(0, 11)], []], height=[(10, 30)], edges=(0, 100))
    film = run.films[0]
    assert film.faces is not None
    run = replace(run, films=(replace(film, faces=replace(film.faces, stride=6)),))
    assert found(run, "1") == [(0, 16)]
    assert found(run, "1", min_face=0.3) == [(10, 16)]


def test_whole_shots_each_by_itself() -> None:
    assert found(ONE, "1", shots=True) == [(0, 40), (60, 100)]
    assert found(ONE, "2", shots=True) == [(0, 40), (40, 60)]
    assert found(ONE, "1 & 2", shots=True, min_seconds=1) == []
    assert found(ONE, "!*", shots=True) == [(40, 60), (60, 100)]


def test_gaps_are_bridged_before_what_is_short_is_left_out() -> None:
    assert found(ONE, "3 | Unknown") == [(25, 28), (35, 40), (80, 85), (95, 98)]
    assert found(ONE, "3 | Unknown", gap=0.3) == [(25, 40), (80, 85), (95, 98)]
    assert found(ONE, "3 | Unknown", min_seconds=0.2) == [(35, 40), (80, 85)]
    assert found(ONE, "3 | Unknown", gap=0.3, min_seconds=0.3) == [(25, 40)]


@pytest.mark.parametrize("name", ["min_face", "gap", "min_seconds"])
@pytest.mark.parametrize("value", [-1, float("nan"), -1e-9])
def test_impossible_numbers_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        ONE.query("1", **{name: value})


def test_a_share_is_no_percentage() -> None:
    with pytest.raises(ConfigError, match="from 0 to 1"):
        ONE.query("1", min_face=15)


@pytest.fixture
def named(tmp_path: Path) -> Result:
    """Anna, Smith & Sons, a hidden Carl; of the Unknown one is said to be no face."""
    some = [[(0, 30), (70, 90)], [(20, 40), (40, 50)], [(35, 40), (80, 85)], [(25, 28), (95, 98)]]
    run = a_run(some, folder=tmp_path)
    run.edits.name(1, "Anna")
    run.edits.name(2, "Smith & Sons")
    run.edits.name(3, "Carl")
    run.edits.hide("Carl")
    run.edits.not_a_face(6)
    return run


def test_people_by_their_names(named: Result) -> None:
    assert found(named, 'Anna & "Smith & Sons"') == [(20, 30)]
    assert found(named, "Character 1 & 2") == [(20, 30)]
    assert found(named, "1 & !Carl") == [(0, 30), (70, 80), (85, 90)]


def test_who_is_hidden_is_nobody_unless_named(named: Result) -> None:
    assert found(named, "* & !Anna & !2") == []
    assert found(named, "Carl") == [(35, 40), (80, 85)]
    # In the picture it is all the same.
    assert found(named, "Anna", alone=True) == [(0, 20), (70, 80), (85, 90)]


def test_what_is_no_face_is_not_even_unknown(named: Result) -> None:
    assert named.cast.reason[6] == Reason.NOT_A_FACE
    assert found(named, "Unknown") == [(95, 98)]
    assert found(named, "Anna & 2 | Unknown", alone=True) == [(20, 30), (95, 98)]


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("Anna & Bnen", "there is no character 'Bnen' (`vcn show RUN` lists them)", 7),
        ("Ana", "there is no character 'Ana' (did you mean Anna? `vcn show RUN` lists them)", 0),
        ("1|anna", "there is no character 'anna' (did you mean Anna?", 2),
        ("1|ANNA", "there is no character 'ANNA' (did you mean Anna?", 2),
        ("smith", "there is no character 'smith' (did you mean \"Smith & Sons\"?", 0),
        ('"Smith and Sons"', '(did you mean "Smith & Sons"?', 0),
        ("9", "there is no character '9'", 0),
        ("1 & " + "9" * 5000, "there is no character '999", 4),
    ],
)
def test_a_name_that_is_not_there(named: Result, text: str, says: str, place: int) -> None:
    with pytest.raises(QueryError) as caught:
        named.query(text)
    assert says in str(caught.value)
    assert caught.value.__notes__[1] == "  " + " " * place + "^"


def test_two_films_keep_their_own_frames() -> None:
    of = tables.tracks([(0, 0, 9), (0, 5, 14), (0, 3, 9)], film=[0, 0, 1])
    films = [
        tables.film(
            of.take(of.film == n), with_video=tables.video(20), with_shots=tables.shots(0, 20)
        )
        for n in (0, 1)
    ]
    run = tables.result(films, of, tables.cast([0, 1, 0]))
    assert [(s.film, s.first, s.end) for s in run.query("1")] == [(0, 0, 10), (1, 3, 10)]
    assert [(s.film, s.first, s.end) for s in run.query("!1", shots=True)] == [
        (0, 0, 20),
        (1, 0, 20),
    ]
    assert [(s.film, s.first, s.end) for s in run.query("1 & !2")] == [(0, 0, 5), (1, 3, 10)]


def test_a_run_over_crops_knows_no_faces_and_no_shots() -> None:
    of = tables.tracks([(0, 0, 23), (1, 12, 47)])
    run = tables.result([tables.film(of)], of, tables.cast([0, 1]))
    assert found(run, "1 & 2") == [(12, 24)]
    assert found(run, "!1") == [(24, 48)]
    assert found(run, "1 & 2", together_within="1s") == [(0, 48)]
    with pytest.raises(ConfigError, match="has no sizes of faces"):
        run.query("1", min_face=0.1)
    with pytest.raises(ConfigError, match="has no shots"):
        run.query("1", shots=True)


def test_a_run_without_anybody() -> None:
    of = tables.tracks([])
    run = tables.result([tables.film(of, with_video=tables.video(10))], of, tables.cast([]))
    assert found(run, "*") == [] and found(run, "!*") == [(0, 10)]
    empty = tables.result([tables.film(of)], of, tables.cast([]))
    assert found(empty, "!*", together_within=2) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 79), st.integers(1, 20)), max_size=12),
    st.sampled_from(["1 & !2", "1 | 2 & 3", "* & !1", "!Unknown & 2", "!*", "(1 | 3) & (2 | 3)"]),
    st.booleans(),
    st.integers(1, 5),
)
def test_against_frames_one_by_one(rows: list[Row], text: str, alone: bool, stride: int) -> None:
    rows = [(c, 10, 5) for c in range(3)] + rows  # everybody is there
    who = [c if c < 3 else -1 for c, _, _ in rows]
    edges = np.array([0, 30, 55, 80])
    shot = [int(np.searchsorted(edges, a, "right")) - 1 for _, a, _ in rows]
    last = [min(a + n, int(edges[s + 1])) - 1 for (_, a, n), s in zip(rows, shot, strict=True)]
    of = tables.tracks([(s, a, b) for s, (_, a, _), b in zip(shot, rows, last, strict=True)])
    film = tables.film(
        of,
        with_video=tables.video(80),
        with_shots=tables.shots(*edges.tolist()),
        with_faces=tables.faces([(0, 0, 0, 9, 9)], stride=stride),
    )
    run = tables.result([film], of, tables.cast(who))
    there = [set[int]() for _ in range(80)]
    for track, character in enumerate(who):
        span = track_span(run, track)
        assert span.end == min(last[track] + stride, int(edges[shot[track] + 1]))
        for frame in range(span.first, span.end):
            there[frame].add(character + 1)  # the Unknown is 0
    code = text.replace("!", " not ").replace("&", " and ").replace("|", " or ")
    code = code.replace("Unknown", "0").replace("*", "(1 or 2 or 3)")
    code = "".join(f"({n} in here)" if (n := c).isdecimal() else c for c in code)
    wanted = {int(w.replace("Unknown", "0")) for w in ("1", "2", "3", "Unknown") if w in text}
    wanted -= {int(t[1:].replace("Unknown", "0")) for t in ("!1", "!2", "!Unknown") if t in text}
    if "*" in text.replace("!*", ""):
        wanted |= {1, 2, 3}
    expected = {
        frame
        for frame, here in enumerate(there)
        if eval(code, {"here": here}) and not (alone and here - wanted)
    }
    spans = run.query(text, alone=alone)
    assert {f for s in spans for f in range(s.first, s.end)} == expected


def test_200_characters_and_10_000_spans_answer_at_once() -> None:
    rng = np.random.default_rng(0)
    first = np.sort(rng.integers(0, 170_000, 10_000))
    last = first + rng.integers(1, 240, 10_000)
    of = tables.tracks([(0, int(a), int(b)) for a, b in zip(first, last, strict=True)])
    seen = sorted((int(f), t) for t in range(10_000) for f in (first[t], last[t]))
    rows: list[list[int]] = [[] for _ in range(10_000)]
    for row, (_, track) in enumerate(seen):
        rows[track].append(row)
    of = tables.tracks([(0, int(a), int(b)) for a, b in zip(first, last, strict=True)], rows)
    film = tables.film(
        of,
        with_video=tables.video(172_800, height=100),
        with_shots=tables.shots(*range(0, 172_801, 1200)),
        with_faces=tables.faces([(f, 0.0, 0.0, 9.0, 9.0 + t % 40) for f, t in seen]),
    )
    of = replace(of, shot=(first // 1200).astype(np.int32))
    run = tables.result([film], of, tables.cast(rng.permutation(np.arange(10_000) % 200)))
    _ = run.edits
    every = " | ".join(f"({n} & {n + 1} & !{n + 2})" for n in range(1, 198))
    begin = time.process_time()
    plain = run.query(every)
    hard = run.query(every, together_within="2s", alone=True, min_face=0.2, shots=True)
    assert time.process_time() - begin < 1
    assert len(plain) > 400 and len(hard) > 10
