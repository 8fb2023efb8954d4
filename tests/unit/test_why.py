"""Why two tracks are one person, or two."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Vcn
from videoclusternet.clustering.average_linkage import Relative, join
from videoclusternet.errors import ConfigError
from videoclusternet.result.result import Result, open_run
from videoclusternet.review.situation import Nearness
from videoclusternet.review.why import chain, why
from videoclusternet.review.why_words import sentences
from videoclusternet.types import Constraints, Merges


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Result:
    """Four tracks: red, blue, red, blue."""
    return open_run(shutil.copytree(drawn_run, tmp_path / "run"))


def merges_of(points: np.ndarray, scale: float) -> Merges:
    """The merge log of points on a line by average linkage."""
    far = np.abs(points[:, None] - points).astype(np.float32)
    tracks = Relative(far, np.eye(len(points), dtype=np.float32), np.ones(len(points), np.float32))
    log = join(tracks, scale, Constraints.none(len(points))).merges
    columns = zip(*((m.round, m.a, m.b, m.distance, m.threshold) for m in log), strict=True)
    return Merges(*(np.array(column) for column in columns))


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_is_the_merges_that_grew_either_side_until_they_met(seed: int) -> None:
    rng = np.random.default_rng(seed)
    merges = merges_of(np.sort(rng.uniform(0, 10, 12)), 3.0)
    one, other = rng.choice(12, 2, replace=False).tolist()
    # Slowly: groups as sets, and every merge that touches either track's, until one holds both.
    group = {track: {track} for track in range(12)}
    expected: list[int] = []
    for row, (a, b) in enumerate(zip(merges.a.tolist(), merges.b.tolist(), strict=True)):
        if {one, other} & (group[a] | group[b]):
            expected.append(row)
        both = group[a] | group[b]
        group |= dict.fromkeys(both, both)
        if {one, other} <= both:
            break
    found = chain(merges, one, other, 12)
    assert [row for row, _ in found] == (expected if group[one] is group[other] else [])
    for row, (mine, theirs) in found:
        assert merges.a[row] in mine and merges.b[row] in theirs
        assert not set(mine.tolist()) & set(theirs.tolist())


def test_tracks_of_one_character_are_joined_by_merges(run: Result) -> None:
    found = why(run, 2, 0)
    assert found.together and found.names == ("Character 1", "Character 1")
    (link,) = found.links
    assert found.weakest is link and link.strain < 1 and link.nearest == (0, 2)
    assert found.edits == () and found.distance < 1 and np.isnan(found.between)
    said = sentences(run, found)
    assert said[0] == "tracks 2 and 0 are both Character 1"
    assert "in 1 merge" in said[1] and "track 0 and track 2" in said[2]


def test_tracks_of_two_characters_are_far_or_were_seen_together(run: Result) -> None:
    found = why(run, 0, 1)
    assert not found.together and found.links == () and found.between > 1
    assert found.between == pytest.approx(_slowly(run), rel=1e-4)
    said = " ".join(sentences(run, found))
    assert "too far to be joined" in said
    assert ("in one picture" in said) == bool(len(run.tracks.overlapping()))


def _slowly(run: Result) -> float:
    near = Nearness.of(run)
    assert near.relative is not None
    far = near.relative.block(slice(None)) / near.scale
    return float(np.mean([far[a, b] for a in (0, 2) for b in (1, 3)]))


def test_people_are_named_as_the_reason(run: Result) -> None:
    moved = run.edits.move(1, 1)
    found = why(run, 1, 0)
    assert found.together and found.edits == (moved.id,) and found.weakest is None
    assert "move --track 1 --to 1" in " ".join(sentences(run, found))
    apart = run.edits.apart(1, 2)
    found = why(run, 0, 3)
    assert found.edits == (apart.id,) and "apart 1 2" in " ".join(sentences(run, found))
    run.edits.not_a_face(3)
    assert sentences(run, why(run, 0, 3))[0] == "track 0 is Character 1, track 3 is Unknown"


def test_only_two_tracks_that_there_are(run: Result) -> None:
    with pytest.raises(ConfigError, match="no track 4"):
        why(run, 0, 4)
    with pytest.raises(ConfigError, match="one and the same"):
        why(run, 2, 2)


def test_from_the_command_line(run: Result, vcn: Vcn, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    done = vcn("why", run.folder, "0", "2", "-o", page)
    assert done.code == 0 and done.out.splitlines()[-1] == f"page: {page.resolve()}"
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg") >= 4 and "weakest" in text and "<script" not in text
    found = json.loads(vcn("why", run.folder, "0", "1", "--json").out)
    assert found["characters"] == ["Character 1", "Character 2"] and found["merges"] == []
    assert vcn("why", run.folder, "0", "9").code == 2
