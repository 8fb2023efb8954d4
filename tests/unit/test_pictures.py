"""Pictures of the bench: who is matched to whom, what is wrong and why, the same files."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.drawn import snapshot
from videoclusternet.report.face_map import places
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.types import Cast, Merges, Reason
from videoclusternet_bench.pictures.confusion import confusion, draw_confusion
from videoclusternet_bench.pictures.errors import COLUMNS, draw_errors, write_table, wrong_tracks
from videoclusternet_bench.pictures.iterations import draw_rounds, rounds_grid
from videoclusternet_bench.pictures.looks import LOOKS, look
from videoclusternet_bench.pictures.matched import matched
from videoclusternet_bench.pictures.page import file_name, write_pictures
from videoclusternet_bench.pictures.reasons import Explainer, wrong_merges
from videoclusternet_bench.pictures.sheets import draw_sheet, strips
from videoclusternet_bench.pictures.shown import RUN, Shown, full_title
from videoclusternet_bench.pictures.thumbnails import SIDE, Mosaic, Thumbnails
from videoclusternet_bench.pictures.tsne import draw_tsne


def shown_of(person: list[str | None], cluster: list[int], result: Any = None) -> Shown:
    track = np.arange(len(person))
    return Shown("set-net-0", "hac", "HAC", result, track, tuple(person), np.array(cluster))


def run_of(folder: Path, people: str, **changed: Any) -> Shown:
    """Show the run of the drawn film as if its people were others."""
    result = dataclasses.replace(open_run(folder), **changed)
    names = tuple(None if name == "-" else name for name in people.split())
    found = np.asarray(result.cast.character, dtype=np.int64)
    return Shown("drawn", RUN, "ours", result, np.arange(4), names, found)


# --- the match -------------------------------------------------------------------------


def test_most_tracks_are_right_and_not_only_those_of_the_largest() -> None:
    # Taken one by one, cluster 0 would go to Ann (5 right); so it is Bob's (4 + 4 right).
    person = ["Ann"] * 9 + ["Bob"] * 4
    found = matched(person, np.array([0] * 5 + [1] * 4 + [0] * 4))
    assert found.people == ("Ann", "Bob")
    assert found.clusters.tolist() == [1, 0] and found.match.tolist() == [0, 1]
    assert found.kind == ["mixed"] * 5 + ["right"] * 8
    assert found.wrong.sum() == 5


def test_every_kind_of_wrong_track() -> None:
    person: list[str | None] = ["Ann"] * 4 + ["Bob"] * 3 + ["Cid", None]
    #       Ann: two right, one split, one with Bob; Bob: two right, one Unknown; Cid with Ann.
    found = matched(person, np.array([7, 7, 3, 5, 5, 5, -1, 7, 3]))
    assert found.kind == [
        "right", "right", "split", "mixed", "right", "right", "unknown", "mixed", "unlabelled",
    ]  # fmt: skip
    assert found.people == ("Ann", "Bob", "Cid")
    assert found.clusters.tolist() == [7, 5, 3]
    assert found.match.tolist() == [0, 1, -1] and found.owner.tolist() == [0, 1, 0]
    assert found.table.tolist() == [[2, 1, 1], [0, 2, 0], [1, 0, 0]]
    assert found.unknown.tolist() == [0, 1, 0] and found.size.tolist() == [3, 3, 2]
    assert [found.main(p) for p in range(3)] == [0, 1, -1]


def test_clusters_that_share_nobody_with_anyone_are_not_matched() -> None:
    found = matched(["Ann", None, None], np.array([0, 1, -1]))
    assert found.match.tolist() == [0, -1] and found.owner.tolist() == [0, -1]
    assert found.kind == ["right", "unlabelled", "unlabelled"]
    for nothing in (matched([], np.array([])), matched([None], np.array([0]))):
        assert nothing.people == () and not nothing.wrong.any()


def test_numbers_of_clusters_change_nothing_but_numbers() -> None:
    rng = np.random.default_rng(0)
    person: list[str | None] = [f"p{n}" for n in rng.integers(0, 5, 40)]
    cluster = rng.integers(0, 7, 40)
    one, two = matched(person, cluster), matched(person, cluster + 10)
    assert one.kind == two.kind and (one.clusters + 10 == two.clusters).all()


def test_people_are_told_apart_by_colour_and_shape() -> None:
    looks = [look(i) for i in range(LOOKS)]
    assert len({(one["color"], one["marker"]) for one in looks}) == LOOKS
    for one, after in itertools.pairwise(looks):
        assert one["color"] != after["color"] and one["marker"] != after["marker"]
    assert look(LOOKS) == look(LOOKS + 1) not in looks


# --- who is taken for whom -------------------------------------------------------------


def test_confusion_has_what_is_right_on_its_diagonal() -> None:
    person: list[str | None] = ["Ann"] * 4 + ["Bob"] * 3 + ["Cid", None]
    found = confusion(shown_of(person, [7, 7, 3, 5, 5, 5, -1, 7, 3]))
    assert found.rows == ("Ann (4)", "Bob (3)", "Cid (1)")
    assert found.columns == ("8", "6", "4", "Unknown")
    assert found.count.tolist() == [[2, 1, 1, 0], [0, 2, 0, 1], [1, 0, 0, 0]]
    there = found.count > 0
    assert (there & found.right).tolist() == [
        [True, False, False, False], [False, True, False, False], [False] * 4,
    ]  # fmt: skip
    mixed = there & ~found.part
    assert np.argwhere(mixed).tolist() == [[0, 1], [2, 0]]


def test_small_clusters_share_a_column_and_none_is_lost() -> None:
    person: list[str | None] = [f"p{n:02d}" for n in range(6) for _ in range(6 - n)]
    cluster = [n * 10 + (k > 0) for n in range(6) for k in range(6 - n)]
    cluster[0] = -1
    found = confusion(shown_of(person, cluster), most=4)
    assert found.count.shape == (4, 5) and found.count.sum() == len(person)
    assert found.rows[-1] == "others (3 people)"
    assert found.columns[-2:] == ("others (7 clusters)", "Unknown")
    assert [int(found.count[i, i]) for i in range(3)] == [5, 4, 3]
    assert all(found.right[i, i] for i in range(3))
    # In the shared cell some are right and some are split off: not right, but nobody's else.
    assert not found.right[3, 3] and found.part[3, 3]


# --- reasons ---------------------------------------------------------------------------


def log(*rows: tuple[int, int, int, float, float]) -> Merges:
    names = ("round", "a", "b", "distance", "threshold")
    columns = np.array(rows).reshape(-1, 5).T
    return Merges(**dict(zip(names, columns, strict=True)))


def test_the_merge_that_went_wrong_is_the_first_with_somebody_else() -> None:
    merges = log((1, 0, 2, 0.1, 0.5), (1, 1, 3, 0.2, 0.5), (2, 0, 4, 0.3, 0.5), (3, 0, 1, 0.4, 0.5))
    # Track 4 is nobody known: joining it is no error yet.
    found = wrong_merges(merges, ["Ann", "Bob", "Ann", "Bob", None])
    assert {t: one.row for t, one in found.items()} == {0: 3, 1: 3, 2: 3, 3: 3}
    assert found[2].mine == {0, 2, 4} and found[2].other == {1, 3}
    found = wrong_merges(merges, ["Ann", "Ann", "Bob", "Ann", None])
    assert {t: one.row for t, one in found.items()} == {0: 0, 1: 3, 2: 0, 3: 3}
    assert found[1].mine == {1, 3} and found[1].other == {0, 2, 4}
    assert wrong_merges(merges, ["Ann"] * 5) == {}


def test_a_mixed_track_is_explained_by_the_merge_log(drawn_run: Path) -> None:
    shown = run_of(drawn_run, "red blue blue blue")
    assert shown.logged and shown.matched.kind == ["right", "right", "mixed", "right"]
    (row,) = np.flatnonzero(shown.result.merges.a == 0)
    distance, threshold = (
        f"{float(column[row]):.3f}"
        for column in (shown.result.merges.distance, shown.result.merges.threshold)
    )
    assert Explainer(shown).why(2) == (
        f"joined in round 1 with track 0 (red): distance {distance}, under the threshold "
        f"{threshold}"
    )


def test_a_split_track_that_shares_a_frame_could_not_be_joined(drawn_run: Path) -> None:
    shown = run_of(drawn_run, "red red red red")
    split = [i for i, kind in enumerate(shown.matched.kind) if kind == "split"]
    assert len(split) == 2
    main = shown.name_of(0)
    together = (3, 2) if 3 in split else (2, 3)
    said = f"never joined with {main}: tracks {together[0]} and {together[1]} share a frame"
    assert [Explainer(shown).why(i) for i in split] == [said, said]


def test_an_unknown_track_has_the_reason_of_the_cast(drawn_run: Path) -> None:
    before = open_run(drawn_run).cast
    character, reason = before.character.copy(), before.reason.copy()
    character[2], reason[2] = -1, Reason.BLURRED
    columns = before.arrays() | {"character": character, "reason": reason}
    shown = run_of(drawn_run, "red blue red blue", clustering=Cast.build(columns, before.meta()))
    assert shown.matched.kind[2] == "unknown"
    assert Explainer(shown).why(2).startswith("set aside: blurred")


def test_other_methods_are_explained_by_distances(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    shown = shown_of(["red", "blue", "red", "blue"], [0, 1, 1, 1], result)
    assert not shown.logged
    why = Explainer(shown).why(2)
    means = shown.means
    centre = means[[1, 3]].mean(axis=0)
    far = 1 - means[2] @ centre / np.linalg.norm(centre)
    near = 1 - means[2] @ means[0]
    assert near < far
    assert why == (
        f"cosine distance: {far:.3f} from cluster 2, {max(near, 0):.3f} from the others of red"
    ).replace("-0.000", "0.000")
    left_out = shown_of(["red", "blue", "red", "blue"], [0, 1, -1, 1], result)
    assert Explainer(left_out).why(2) == "the method left it out"


def test_the_list_of_wrong_tracks_by_hand(drawn_run: Path, tmp_path: Path) -> None:
    result = open_run(drawn_run)
    shown = shown_of(["red", "blue", "red", "blue"], [0, 1, 1, -1], result)
    wrong = wrong_tracks(shown)
    assert [(w.track, w.person, w.kind, w.cluster, w.owner, w.main) for w in wrong] == [
        (3, "blue", "unknown", "Unknown", "", "cluster 2"),
        (2, "red", "mixed", "cluster 2", "blue", "cluster 1"),
    ]
    # The picture is of the track itself, the other of the cluster it went to.
    assert result.crop_track[wrong[1].crop] == 2 and wrong[0].typical == -1
    assert result.crop_track[wrong[1].typical] in (1, 2)
    write_table(wrong, tmp_path / "wrong.csv")
    lines = (tmp_path / "wrong.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(COLUMNS) and lines[1].startswith(
        "3,blue,unknown,Unknown,,cluster 2"
    )
    assert wrong_tracks(shown_of(["red", "blue", "red", "blue"], [0, 1, 0, 1], result)) == []


# --- figures ---------------------------------------------------------------------------


def test_equal_tracks_have_equal_places() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 20):
        x = rng.normal(size=(n, 8)).astype(np.float32)
        one, two = places(x), places(x)
        assert one.shape == (n, 2) and (one == two).all() and np.isfinite(one).all()


def test_a_right_track_looks_the_same_on_both_sides(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    shown = shown_of(["red", "blue", "red", "blue"], [5, 2, 5, 5], result)
    figure = draw_tsne([shown])
    left, right = figure.axes
    looks = [
        {
            tuple(np.round(point, 6)): (line.get_color(), line.get_marker())
            for line in axes.lines
            if line.get_markerfacecolor() != "none"
            for point in line.get_xydata()
        }
        for axes in (left, right)
    ]
    assert len(looks[0]) == 4
    changed = [point for point in looks[0] if looks[0][point] != looks[1][point]]
    (ring,) = (line for line in right.lines if line.get_markerfacecolor() == "none")
    assert [tuple(np.round(p, 6)) for p in ring.get_xydata()] == changed
    assert len(changed) == 1


def test_a_sheet_shows_the_nearest_and_the_farthest(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    shown = shown_of(["red", "blue", "red", "blue"], [0, 1, 0, 0], result)
    first, second = strips(shown)
    assert (first.name, first.owner, first.tracks, first.wrong) == ("cluster 1", "red", 3, 1)
    assert (second.owner, second.tracks, second.wrong) == ("blue", 1, 0)
    assert [face.person for face in first.odd][-1] == "blue" and first.odd[-1].wrong
    assert first.odd[-1].label == "✕ blue"
    cosines = [face.cosine for face in (*first.typical, *first.odd)]
    assert cosines[: len(first.typical)] == sorted(cosines[: len(first.typical)], reverse=True)
    assert min(cosines) == first.odd[-1].cosine
    crops = [face.crop for face in (*first.typical, *first.odd)]
    assert len(set(crops)) == len(crops)


def test_a_run_of_features_has_no_pictures_and_all_the_rest(
    drawn_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(drawn_run, run)
    (run / CROP_ZIP).unlink()
    shown = run_of(run, "red blue blue blue")
    (wrong,) = wrong_tracks(shown)
    assert wrong.typical == -1 and (Thumbnails(shown.result).pixels(wrong.crop) == 0xDD).all()
    page = write_pictures([shown], tmp_path / "out").read_text(encoding="utf-8")
    names = {path.stem for path in (tmp_path / "out" / "drawn").iterdir()}
    assert names == {"tsne", "run-confusion", "run-errors"}
    assert "joined in round 1" in page and "Hard cases" not in page


def test_faces_lie_on_the_canvas_where_they_are_put() -> None:
    mosaic = Mosaic(3, 2, top=-0.5)
    mosaic.add(np.zeros((SIDE, SIDE, 3), dtype=np.uint8), 1, 0.5)
    dark = mosaic._canvas.max(axis=2) == 0
    assert dark[SIDE : 2 * SIDE, SIDE : 2 * SIDE].all() and dark.sum() == SIDE * SIDE


def test_rounds_are_drawn_from_the_un_adapted_on() -> None:
    rows = [
        {"round": n, "bcubed_f": f, "wcp": 0.9, "pcr": 1.5 - n / 4}
        for n, f in enumerate((0.7, 0.8))
    ]
    figure = draw_rounds({"ours, vcn": rows, "paper": rows[:1]})
    line = figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [0, 1] and line.get_ydata().tolist() == [0.7, 0.8]
    assert figure.axes[2].lines[0].get_ydata().tolist() == [1.5, 1.25]
    assert list(rounds_grid({"ours": rows}).rows)[1] == ["ours", "1", "0.800", "0.900", "1.250"]


def test_the_same_partitions_give_the_same_files(drawn_run: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shown = [run_of(drawn_run, "red blue blue -"), run_of(drawn_run, "red red red red")]
        assert write_pictures(shown, tmp_path / name) == tmp_path / name / "pictures.html"
    one, two = snapshot(tmp_path / "one"), snapshot(tmp_path / "two")
    assert one == two
    assert {Path(name).name for name in one} >= {
        "pictures.html", "tsne.svg", "tsne.png", "run-errors.csv",
        *(f"run-{what}.{kind}" for what in ("confusion", "sheet", "errors")
          for kind in ("svg", "png")),
    }  # fmt: skip


@pytest.mark.parametrize("people", ["- - - -", "red - - -"])
def test_few_labels_make_few_pictures_and_no_error(drawn_run: Path, people: str) -> None:
    shown = run_of(drawn_run, people)
    wrong = wrong_tracks(shown)
    assert wrong == []
    for figure in (
        draw_tsne([shown]),
        draw_confusion(shown),
        draw_sheet(strips(shown), Thumbnails(shown.result), "ours"),
        draw_errors(wrong, Thumbnails(shown.result), "ours"),
    ):
        figure.draw_without_rendering()


def test_names_of_methods_become_names_of_files() -> None:
    assert file_name("hac=0.3") == "hac=0.3"
    assert file_name("bcl=weights/../a.pt") == "bcl=weights_.._a.pt"
    assert "/" not in file_name("../x") and not file_name("../x").startswith(".")
    assert full_title("hac=0.3") == "HAC, fixed threshold 0.3"
    assert full_title("bcl=weights/a.pt") == "BCL a.pt"


def test_matched_columns_fit_together() -> None:
    found = matched(["b", "a", "b"], np.array([4, 4, 9]))
    assert [found.people[p] for p in found.person] == ["b", "a", "b"]
    assert found.clusters[found.column].tolist() == [4, 4, 9]
