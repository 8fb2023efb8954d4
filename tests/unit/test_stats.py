"""What the faces of a data set are like, against other ways to measure it."""

from __future__ import annotations

import colorsys
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from tests.drawn import QUICKLY, FakeModels
from videoclusternet import cluster_film, cluster_tracks
from videoclusternet.errors import DataError, StoreError
from videoclusternet.film.crops import encode
from videoclusternet.film.quality import sharpness
from videoclusternet.result.result import open_run
from videoclusternet.runfolder.crop_zip import CROP_ZIP, crop_name
from videoclusternet_bench import describe as stats
from videoclusternet_bench.data.ids import PAPER_COUNTS
from videoclusternet_bench.data.published import _FILM_SETS, printed_set, published
from videoclusternet_bench.describe import Described, describe, measure_faces
from videoclusternet_bench.metrics.appearance import blur_degree, lightness

FACE = np.asarray(skimage.data.astronaut())[30:142, 165:277]
HEADER = "CVHCI_TRACKLABELS_V1"


def drawn(count: int = 3, side: int = 112) -> np.ndarray:
    """Random pictures, each darker than the one before."""
    noise = np.random.default_rng(1).integers(0, 256, (count, side, side, 3))
    return (noise // (1 + np.arange(count))[:, None, None, None]).astype(np.uint8)


def test_lightness_is_that_of_colorsys() -> None:
    pictures = drawn(side=12)
    want = [
        np.mean([colorsys.rgb_to_hls(*(pixel / 255))[1] for pixel in picture.reshape(-1, 3)])
        for picture in pictures
    ]
    assert lightness(pictures) == pytest.approx(want, abs=1e-6)
    assert lightness(pictures).dtype == np.float32


@pytest.mark.parametrize(("colour", "want"), [((0, 0, 0), 0), ((255, 255, 255), 1)])
def test_black_is_not_light_and_white_is(colour: tuple[int, ...], want: float) -> None:
    picture = np.full((1, 8, 8, 3), colour, dtype=np.uint8)
    assert lightness(picture) == [want]


def test_pure_colours_are_half_as_light_as_white() -> None:
    pictures = 255 * np.eye(3, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    assert lightness(pictures) == pytest.approx([0.5] * 3)


@pytest.mark.parametrize("leading", [1, 10, 50])
def test_blur_is_the_share_of_the_first_singular_values(leading: int) -> None:
    pictures = np.concatenate([drawn(), FACE[None]])
    for picture, found in zip(pictures, blur_degree(pictures, leading), strict=True):
        grey = np.rint(picture.astype(np.float64) @ (0.299, 0.587, 0.114))
        values = np.linalg.svd(grey, compute_uv=False)
        # A grey of exactly one half may be rounded the other way in float32.
        assert found == pytest.approx(values[:leading].sum() / values.sum(), abs=1e-5)


def test_blur_and_the_sharpness_of_the_scan_are_one() -> None:
    pictures = np.concatenate([drawn(), FACE[None]])
    box = np.array([0.0, 0, 112, 112])
    want = [1 - sharpness(picture, box) for picture in pictures]
    assert blur_degree(pictures) == pytest.approx(want, abs=1e-3)  # OpenCV rounds its grey


def test_more_blur_scores_higher() -> None:
    pictures = [FACE, *(cv2.GaussianBlur(FACE, (0, 0), sigma) for sigma in (1, 2, 4, 8))]
    found = blur_degree(np.stack(pictures))
    assert (np.diff(found) > 0).all() and found[-1] - found[0] > 0.1


@pytest.mark.parametrize("grey", [0, 1, 255])
def test_a_flat_picture_is_all_blur(grey: int) -> None:
    assert blur_degree(np.full((1, 112, 112, 3), grey, dtype=np.uint8)) == pytest.approx([1])


def test_the_largest_products_are_exact_in_the_way_they_are_summed() -> None:
    """White but for one pixel: two singular values, known from its 2 x 2 problem."""
    picture = np.full((1, 112, 112, 3), 255, dtype=np.uint8)
    picture[0, 5, 7] = 0
    values = np.linalg.svd(picture[0, ..., 0].astype(np.float64), compute_uv=False)
    assert values[2] < 1e-9
    assert blur_degree(picture, 1) == pytest.approx([values[0] / values[:2].sum()], abs=1e-6)


def test_faces_of_a_run_are_measured_crop_by_crop(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    found = measure_faces(result, np.ones(len(result.tracks), dtype=bool))
    assert len(found.track) == len(result.pictures) > 4
    assert found.track.tolist() == result.crop_track.tolist()
    assert found.frame.tolist() == result.films[0].crops.frame.tolist()
    inner = result.pictures.pixels(range(len(result.pictures)))[:, 16:128, 16:128]
    assert found.lightness.tolist() == lightness(inner).tolist()
    assert found.blur.tolist() == blur_degree(inner).tolist()
    for track in range(len(result.tracks)):
        mine = found.track == track
        assert found.track_quality[mine] == pytest.approx(found.quality[mine].mean(), abs=1e-6)
    assert found.of_tracks == pytest.approx(result.cast.quality, abs=1e-6)


def test_batches_make_no_difference_and_progress_is_told(
    drawn_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = open_run(drawn_run)
    known = np.ones(len(result.tracks), dtype=bool)
    whole = measure_faces(result, known)
    monkeypatch.setattr(stats, "BATCH", 3)
    seen: list[tuple[int, int]] = []
    parts = measure_faces(result, known, lambda done, total: seen.append((done, total)))
    for name, values in vars(whole).items():
        assert np.array_equal(values, getattr(parts, name)), name
    count = len(whole.track)
    assert seen == [(min(i + 3, count), count) for i in range(0, count, 3)]


def test_only_known_tracks_are_measured(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    known = np.arange(len(result.tracks)) == 2
    found = measure_faces(result, known)
    assert set(found.track.tolist()) == {2}
    every = measure_faces(result, np.ones_like(known))
    assert found.blur.tolist() == every.blur[every.track == 2].tolist()
    assert len(measure_faces(result, np.zeros_like(known)).track) == 0


def test_a_run_with_a_damaged_picture_is_refused(drawn_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(drawn_run, tmp_path / "run")
    data = (run / CROP_ZIP).read_bytes()
    (run / CROP_ZIP).write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreError, match="damaged"):
        describe([run], tmp_path / "out")


def test_a_run_is_described_as_it_was_found(drawn_run: Path, tmp_path: Path) -> None:
    (one,) = describe([drawn_run], tmp_path)
    assert (one.name, one.kind, one.model, one.tracks, one.people) == (
        "run",
        "run",
        "colours",
        4,
        2,
    )
    assert one.seconds == pytest.approx(1.0) and one.seconds_from == "film"
    assert one.faces is not None and one.crops == len(one.faces.track)
    assert one.quality == pytest.approx(float(open_run(drawn_run).cast.quality.mean()), abs=1e-6)
    assert one.lightness == pytest.approx(float(one.faces.lightness.mean()), abs=1e-6)
    assert list(tmp_path.iterdir()) == []  # nothing had to be run


def test_a_film_without_faces_has_no_means(
    faceless_film: Path, fake_models: object, tmp_path: Path
) -> None:
    run = cluster_film(faceless_film, tmp_path / "run").folder
    (one,) = describe([run], tmp_path)
    assert (one.tracks, one.people, one.crops) == (0, 0, 0)
    assert (one.seconds, one.quality, one.lightness, one.blur) == (None,) * 4
    assert one.seconds_from == ""


def test_tracks_without_a_label_are_left_out_and_crops_count_half_a_second(
    labelled: Path, tmp_path: Path
) -> None:
    text = (labelled / "discs_tracks.csv").read_text().splitlines()
    (labelled / "discs_tracks.csv").write_text("\n".join(text[:-1]) + "\n")
    (one,) = describe([labelled], tmp_path / "out")
    assert (one.name, one.kind, one.tracks, one.people) == ("discs", "labelled", 3, 2)
    assert one.faces is not None and set(one.faces.track.tolist()) == {0, 1, 2}
    assert one.seconds_from == "crops"
    assert one.seconds == pytest.approx(len(one.faces.track) / 2 / 3)


def test_boxes_and_label_files_are_counted_without_pictures(tmp_path: Path) -> None:
    boxes = tmp_path / "scene"
    boxes.mkdir()
    rows = ["0,0,5,5,9,9,ann", "0,11,5,5,9,9,ann", "1,3,5,5,9,9,bob", "1,20,5,5,9,9,bob"]
    (boxes / "tracks.csv").write_text("\n".join(["track_id,frame,x,y,w,h,label", *rows]) + "\n")
    (boxes / "dataset.json").write_text('{"video":"a.mp4","fps":12,"width":64,"height":48}')
    labels = tmp_path / "buffy_s05e03.ids"
    labels.write_text("\n".join((HEADER, "1 xander", "2 buffy", "5 unknown_e03_1")) + "\n")
    scene, episode = describe([boxes, labels], tmp_path / "out")
    assert (scene.name, scene.kind, scene.tracks, scene.people) == ("scene", "boxes", 2, 2)
    assert scene.seconds == pytest.approx((12 + 18) / 12 / 2) and scene.seconds_from == "boxes"
    assert (episode.name, episode.kind, episode.tracks) == ("buffy_s05e03", "labels", 2)
    assert episode.seconds is None and episode.printed == printed_set("buffy_s05e03")
    assert (scene.crops, scene.quality, scene.printed) == (None, None, None)
    by_file = describe([boxes / "tracks.csv"], tmp_path / "out")
    assert by_file == [Described("tracks", "boxes", 2, 2, scene.seconds, "boxes")]


def test_given_embeddings_have_tracks_and_people_alone(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    np.savez(tmp_path / "given.npz", features=features, track=np.array([0, 0, 1, 1, 2, 2]))
    rows = ["0,0,red", "1,1,blue", "2,2,red"]
    (tmp_path / "given_tracks.csv").write_text("\n".join(["track_id,shot,label", *rows]) + "\n")
    (one,) = describe([tmp_path / "given.npz"], tmp_path / "out")
    assert one == Described("given", "labelled", 3, 2, model="features")


def test_what_cannot_be_described(drawn_run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        describe([tmp_path / "absent"], tmp_path)
    with pytest.raises(DataError, match="two data sets are called 'run'"):
        describe([drawn_run, drawn_run], tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no labelled set"):
        describe([tmp_path / "empty"], tmp_path)


def test_printed_sets_agree_with_the_means_that_the_paper_prints_of_them() -> None:
    films = list(_FILM_SETS)
    sets = [printed_set(name) for name in films]
    assert all(published(name) and one is not None for name, one in zip(films, sets, strict=True))
    tracks = np.array([one.tracks for one in sets if one is not None])
    quality = np.array([one.quality for one in sets if one is not None])
    # Table 9 has .7062 for MovieFaceCluster: a mean over tracks, as ours is; over films .7093.
    assert np.average(quality, weights=tracks) == pytest.approx(0.7062, abs=5e-5)
    assert printed_set("Soldier") == printed_set("soldier")


def test_printed_series() -> None:
    episode, season = printed_set("buffy_s05e03"), printed_set("buffy_s05")
    assert episode is not None and season is not None
    assert (episode.tracks, episode.people, episode.quality) == (1185, 14, None)
    assert (season.tracks, season.people, season.quality) == (5477, None, 0.7120)
    assert sum(count.tracks for count in PAPER_COUNTS.values()) == 5477 + 3504
    assert printed_set("other_s01e01") is None


def test_pictures_are_measured_where_models_see_them(
    fake_models: FakeModels, tmp_path: Path
) -> None:
    """What lies in the margin of the canvas does not count."""
    canvas = np.full((144, 144, 3), 255, dtype=np.uint8)
    canvas[8:136, 8:136] = 100  # JPEG mixes neighbours
    with zipfile.ZipFile(tmp_path / "grey.zip", "w") as archive:
        for track in range(4):
            archive.writestr(crop_name(track, 0), encode(canvas))
    result = cluster_tracks(tmp_path / "grey.zip", tmp_path / "run", QUICKLY)
    found = measure_faces(result, np.ones(len(result.tracks), dtype=bool))
    assert found.lightness == pytest.approx(100 / 255, abs=0.01)


@pytest.mark.slow
@pytest.mark.data
def test_labelled_crops_by_a_real_model(shared_data: Path, tmp_path: Path) -> None:
    sets = [shared_data / "phototracks_dev" / f"{name}.zip" for name in ("small", "medium")]
    found = describe(sets, tmp_path)
    assert [(one.name, one.tracks, one.people) for one in found] == [
        ("small", 60, 12),
        ("medium", 200, 12),
    ]
    for one in found:
        assert one.model == "dlib" and one.crops is not None and one.crops > 3 * one.tracks
        assert one.quality is not None and 0.4 < one.quality < 0.55
        assert one.lightness is not None and 0.3 < one.lightness < 0.6
        assert one.blur is not None and 0.7 < one.blur < 0.9
