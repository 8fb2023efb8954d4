"""Who is matched to whom, and why a track is wrong: against all ways and against loops."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_pictures import log, run_of, shown_of
from videoclusternet.clustering.average_linkage import relative
from videoclusternet.clustering.distance import Metric
from videoclusternet.clustering.spaces import raw_space
from videoclusternet.clustering.track_points import space_points
from videoclusternet.result.result import Result, open_run
from videoclusternet.runfolder.manifest import manifest_text
from videoclusternet.show.words import REASONS
from videoclusternet.types import Candidates, Cast, Reason
from videoclusternet_bench.pictures.matched import matched
from videoclusternet_bench.pictures.reasons import Explainer, wrong_merges
from videoclusternet_bench.pictures.shown import Shown

STEADY = settings(derandomize=True, deadline=None, max_examples=60)
some_tracks = st.lists(
    st.tuples(st.sampled_from(["Ann", "Bob", "Cid", None]), st.integers(-1, 3)), max_size=12
)
"""Person and cluster of some tracks, people that are not known and Unknown among them."""


def most_right(rows: list[tuple[str | None, int]]) -> int:
    """Tracks that are right under the best of all ways to match people and clusters."""
    people = sorted({name for name, _ in rows if name})
    clusters = sorted({cluster for _, cluster in rows if cluster >= 0})
    short = len(people) - len(clusters)
    ways = permutations([*clusters, *[-2] * short], len(people))
    return max(
        sum((name, c) in set(zip(people, way, strict=True)) for name, c in rows) for way in ways
    )


@STEADY
@given(some_tracks)
def test_no_other_match_has_more_right_tracks(rows: list[tuple[str | None, int]]) -> None:
    found = matched([name for name, _ in rows], np.array([c for _, c in rows], dtype=int))
    assert found.kind.count("right") == most_right(rows)
    once = found.match[found.match >= 0].tolist()
    assert len(once) == len(set(once))


@STEADY
@given(some_tracks)
def test_every_track_has_the_verdict_of_its_cluster(rows: list[tuple[str | None, int]]) -> None:
    found = matched([name for name, _ in rows], np.array([c for _, c in rows], dtype=int))
    assert found.table.sum() + found.unknown.sum() == sum(name is not None for name, _ in rows)
    assert found.size.sum() == sum(cluster >= 0 for _, cluster in rows)
    for (name, cluster), kind, column in zip(rows, found.kind, found.column, strict=True):
        assert (kind == "unlabelled") == (name is None)
        assert cluster < 0 or found.clusters[column] == cluster
        if name is None:
            continue
        assert (kind == "unknown") == (cluster < 0)
        if kind in ("right", "split", "mixed"):
            mates = Counter(n for n, c in rows if c == cluster and n)
            whose = found.people[found.owner[column]]
            assert mates[whose] > 0 and (kind == "mixed") == (whose != name)
            # A cluster without a match is of whoever has most tracks in it.
            assert found.match[column] >= 0 or mates[whose] == max(mates.values())


@STEADY
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=10), st.data())
def test_the_first_wrong_merge_equals_a_replay(pairs: list[tuple[int, int]], data: Any) -> None:
    person = [data.draw(st.sampled_from(["Ann", "Bob", None])) for _ in range(7)]
    found = wrong_merges(log(*[(1, a, b, 0.1, 0.5) for a, b in pairs]), person)
    for track in range(7):
        groups = [{t} for t in range(7)]
        first = None
        for row, (a, b) in enumerate(pairs):
            one, other = (next(g for g in groups if x in g) for x in (a, b))
            if one is other:
                continue
            named = {person[t] for t in one | other} - {None}
            if first is None and track in one | other and len(named) > 1:
                mine = one if track in one else other
                first = (row, frozenset(mine), frozenset((one | other) - mine))
            groups = [g for g in groups if g is not one and g is not other] + [one | other]
        if person[track] is None:
            first = None
        got = found.get(track)
        assert (got and (got.row, got.mine, got.other)) == first


@pytest.fixture
def drawn_copy(drawn_run: Path, tmp_path: Path) -> Path:
    """A run of four tracks, of which 0 and 1 share a shot, and 2 and 3."""
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


def recast(folder: Path, character: list[int], chosen: str, scale: float = 1.0) -> dict[str, Any]:
    """The cast of a run as another reading might have made it."""
    before = open_run(folder).cast
    number = np.array(character)
    columns = before.arrays() | {
        "character": number,
        "reason": np.where(number < 0, Reason.LOW_QUALITY, Reason.OK),
        "quality": np.array([0.5, 0.25, np.nan, 0.125]),
    }
    return {
        "clustering": Cast.build(columns, {"chosen": chosen}),
        "candidates": Candidates([0.9], [number.max() + 1], [scale], (chosen,)),
    }


def far(result: Result, one: list[int], other: list[int]) -> float:
    """Mean distance between some tracks in their own thresholds."""
    space = raw_space(result.embeddings, result.views, np.arange(4))
    every = relative(space_points(space, Metric()), Metric()).block(slice(None))
    return float(np.mean([every[a, b] for a in one for b in other]))


@pytest.mark.parametrize(("scale", "over"), [(1e-4, True), (1e4, False)])
def test_a_split_track_is_explained_by_the_scale_of_the_film(
    drawn_copy: Path, scale: float, over: bool
) -> None:
    # Red has two clusters: tracks 0 and 3, and track 2 alone.
    changed = recast(drawn_copy, [2, 0, 1, 2], "frozen/own", scale)
    shown = run_of(drawn_copy, "red blue red red", **changed)
    assert shown.logged and shown.matched.kind == ["right", "right", "split", "right"]
    manifest = drawn_copy / "run.json"
    record = json.loads(manifest.read_text())
    record["config"]["cluster"]["cannot_link"] = False
    manifest.write_text(manifest_text(record), encoding="utf-8")
    said = Explainer(shown).why(2)
    apart = far(shown.result, [2], [0, 3])
    words = "over the film's scale" if over else "and yet each was nearer to others:"
    name = shown.name_of(int(shown.matched.column[0]))
    assert said == (
        f"never joined with {name}: mean distance in own thresholds {apart:.3f}, "
        f"{words} {scale:.3f}"
    )


def test_two_that_share_a_frame_were_kept_apart_only_where_that_counts(drawn_copy: Path) -> None:
    changed = recast(drawn_copy, [0, 2, 1, 0], "frozen/own")
    shown = run_of(drawn_copy, "red blue red red", **changed)
    assert shown.result.tracks.overlapping().tolist()[-1] == [2, 3]
    assert Explainer(shown).why(2).endswith("tracks 2 and 3 share a frame")


def test_a_split_by_a_rule_is_told_by_distances(drawn_copy: Path) -> None:
    shown = run_of(drawn_copy, "red blue red blue", **recast(drawn_copy, [0, 1, 2, 1], "frozen/or"))
    split = shown.matched.kind.index("split")
    said = Explainer(shown).why(split)
    number = r"-?\d\.\d{3}"
    main = shown.name_of(int(shown.matched.column[2 - split]))
    assert re.fullmatch(
        rf"no pair passed between its cluster and {main}; cosine distance: "
        rf"alone in cluster \d, {number} from the others of red",
        said,
    )


def test_a_track_that_was_set_aside_has_its_quality_where_there_is_one(drawn_copy: Path) -> None:
    shown = run_of(
        drawn_copy, "red blue red blue", **recast(drawn_copy, [0, -1, -1, 1], "frozen/or")
    )
    explainer = Explainer(shown)
    said = f"set aside: {REASONS[Reason.LOW_QUALITY]}"
    assert explainer.why(1) == f"{said}, quality 0.250"
    assert explainer.why(2) == said


def mixed(folder: Path, chosen: str, merges: Any) -> Shown:
    changed = recast(folder, [0, 0, 0, 0], chosen)
    return run_of(folder, "red red blue -", clustering_merges=merges, **changed)


def test_a_wrong_merge_of_groups_names_their_people(drawn_copy: Path) -> None:
    merges = log((1, 0, 1, 0.1, 0.5), (1, 2, 3, 0.2, 0.5), (2, 0, 2, 0.3, 0.5))
    assert Explainer(mixed(drawn_copy, "frozen/own", merges)).why(2) == (
        "joined in round 2 with the group of track 0 (red): mean distance in own thresholds "
        "0.300, under the film's scale 0.500"
    )
    # From the other side: with whom it was one group, and who is not labelled there.
    rolled = dataclasses.replace(
        mixed(drawn_copy, "frozen/or", merges), person=("blue", "blue", "red", None)
    )
    assert Explainer(rolled).why(2).startswith("joined in round 2 with the group of track 0 (blue)")
    later = log((1, 1, 3, 0.2, 0.5), (2, 0, 1, 0.3, 0.5), (3, 0, 2, 0.4, 0.5))
    said = Explainer(mixed(drawn_copy, "frozen/or", later)).why(2)
    assert said == (
        "joined in round 3 with the group of track 0 (red, not labelled): distance 0.400, "
        "under the threshold 0.500"
    )


def test_a_mixed_track_that_no_merge_explains_is_told_by_distances(drawn_copy: Path) -> None:
    said = Explainer(mixed(drawn_copy, "frozen/own", log())).why(2)
    assert said.startswith("cosine distance: ") and said.endswith("the only track of blue")


def test_another_partition_is_never_explained_by_the_log_of_the_run(drawn_run: Path) -> None:
    other = shown_of(["red", "red", "blue", None], [0, 0, 0, 1], open_run(drawn_run))
    assert not other.logged
    assert Explainer(other).why(2).startswith("cosine distance: ")
