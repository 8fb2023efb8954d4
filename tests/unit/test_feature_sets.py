"""Given features: files that are read, files that are refused, the run they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from videoclusternet import Result, cluster
from videoclusternet.errors import DataError
from videoclusternet.sources.features import Features, FeatureSource, checked, read_features
from videoclusternet.sources.features import write_features as write
from videoclusternet_bench.data.feature_files import read_any

Array = NDArray[Any]
VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
TRACK = np.array([9, 2, 9, 2])


def same(a: Features, b: Features) -> bool:
    frames = (a.frame is None) == (b.frame is None) and (
        a.frame is None or b.frame is None or np.array_equal(a.frame, b.frame)
    )
    return (
        frames
        and a.model == b.model
        and np.array_equal(a.features, b.features)
        and np.array_equal(a.track, b.track)
    )


def test_features_are_sorted_by_track_and_frame() -> None:
    found = checked("x", VALUES, TRACK, np.array([7, 3, 1, 8]))
    assert found.track.tolist() == [2, 2, 9, 9] and found.names == ["2", "9"]
    assert found.frame is not None and found.frame.tolist() == [3, 8, 1, 7]
    assert found.features[:, 0].tolist() == [3, 9, 6, 0]
    # Without frames the order of the file stays.
    assert checked("x", VALUES, TRACK).features[:, 0].tolist() == [3, 9, 0, 6]


@settings(max_examples=40, deadline=None)
@given(
    track=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=8),
    framed=st.booleans(),
    model=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,9}", fullmatch=True),
)
def test_what_is_written_reads_back(
    tmp_path_factory: pytest.TempPathFactory, track: list[int], framed: bool, model: str
) -> None:
    n = len(track)
    values = np.random.default_rng(n).normal(size=(n, 5)).astype(np.float32)
    given = checked("x", values, np.array(track), np.arange(n) if framed else None, model)
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    write(path, given)
    assert same(read_features(path), given)
    first = path.read_bytes()
    write(path, given)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"features": VALUES}, "holds no array 'track'"),
        ({"features": VALUES[0], "track": TRACK}, r"float32 of shape \(3,\)"),
        ({"features": VALUES.astype(int), "track": TRACK}, "not a table of floats"),
        ({"features": VALUES, "track": TRACK / 1}, "track is float64"),
        ({"features": VALUES, "track": -TRACK}, "track goes from -9 to -2"),
        ({"features": VALUES, "track": TRACK + 2**31}, "track goes from"),
        ({"features": VALUES, "track": TRACK, "frame": TRACK[:2]}, "frame is int64"),
        ({"features": VALUES, "track": TRACK, "model": np.array("a/b")}, "model is 'a/b'"),
        ({"features": VALUES * [[1], [1], [np.nan], [1]], "track": TRACK}, r"row 2 .*\(track 9\)"),
    ],
)
def test_malformed_features_are_refused(
    tmp_path: Path, arrays: dict[str, Array], words: str
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=words) as caught:
        read_features(path)
    assert str(path) in caught.value.message


def test_no_npz_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with pytest.raises(DataError, match="cannot read"):
        read_features(path)
    for content in (b"", b"PK\x03\x04 and no more", b"text"):
        path.write_bytes(content)
        with pytest.raises(DataError):
            read_features(path)
    np.save(tmp_path / "b.npy", VALUES)
    with pytest.raises(DataError, match="is no npz file"):
        read_features(tmp_path / "b.npy")


def test_objects_are_never_built(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "boom",)  # type: ignore[return-value]

    objects = np.array([Bomb(), Bomb()], dtype=object)
    np.savez(tmp_path / "a.npz", features=objects, track=TRACK[:2])
    (tmp_path / "f").mkdir()
    np.save(tmp_path / "f" / "7.npy", objects)
    for path in (tmp_path / "a.npz", tmp_path / "f"):
        with pytest.raises(DataError):
            read_any(path)
    assert not (tmp_path / "boom").exists()


def entered(paths: list[Path], output: Path) -> Result:
    return cluster([FeatureSource.open(path) for path in paths], output)


def test_a_run_of_features(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", checked("x", VALUES, TRACK, np.array([1, 5, 2, 6]), "net"))
    (tmp_path / "a_tracks.csv").write_text("track_id,shot,label\n2,0,Ann\n0009,0,Bob\n")
    result = entered([tmp_path / "a.npz"], tmp_path / "run")
    embeddings = result.embeddings
    assert result.views.base.shape == (0, 0, 3) and result.views.globals == 0
    assert embeddings.model == "net" and embeddings.track.tolist() == [0, 0, 1, 1]
    assert np.isnan(embeddings.quality).all()
    assert result.films[0].track_names == ("2", "9")
    assert result.tracks.first.tolist() == [5, 1] and result.tracks.last.tolist() == [6, 2]
    assert result.tracks.overlapping().tolist() == []  # one shot, but never in one frame
    assert result.cast.chosen == "frozen/own" and (result.cast.character >= 0).all()
    # A list that says that they meet counts more.
    (tmp_path / "a_tracks.csv").write_text(
        "track_id,shot,first_frame,last_frame,label\n2,0,4,7,Ann\n9,0,0,4,Bob\n"
    )
    met = entered([tmp_path / "a.npz"], tmp_path / "met")
    assert met.tracks.overlapping().tolist() == [[0, 1]]
    (tmp_path / "a_tracks.csv").write_text(
        "track_id,shot,first_frame,last_frame,label\n2,0,6,7,Ann\n9,0,0,4,Bob\n"
    )
    with pytest.raises(DataError, match="track 2 has a crop outside its frames 6 to 7"):
        entered([tmp_path / "a.npz"], tmp_path / "odd")


def test_several_files_are_one_run(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.npz", checked("x", VALUES, TRACK))
    result = entered([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "run")
    assert result.tracks.film.tolist() == [0, 0, 1, 1]
    assert result.embeddings.track.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    before = (tmp_path / "run/cast.parquet").stat().st_mtime_ns
    entered([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "run")
    assert (tmp_path / "run/cast.parquet").stat().st_mtime_ns == before


# --- as other people keep them ---------------------------------------------------------


def test_all_forms_hold_the_same_features(tmp_path: Path) -> None:
    wanted = checked("x", VALUES, TRACK, model="net")
    by_track = {"2": VALUES[[1, 3]], "0009": VALUES[[0, 2]]}
    np.savez(tmp_path / "flat.npz", features=VALUES.astype(np.float64), track=TRACK)
    np.savez(tmp_path / "each.npz", **by_track)
    scipy.io.savemat(tmp_path / "m.mat", {"features": VALUES, "track": TRACK[:, None] / 1.0})
    (tmp_path / "files").mkdir()
    for name, array in by_track.items():
        np.save(tmp_path / "files" / f"{name}.npy", array)
    np.save(tmp_path / "files" / "notes.npy", TRACK)  # no track
    for name in ("flat.npz", "each.npz", "m.mat", "files"):
        assert same(read_any(tmp_path / name, "net"), wanted), name


def test_one_vector_for_a_track(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"4": VALUES[0], "3": VALUES[1]})
    found = read_any(tmp_path / "a.npz")
    assert found.track.tolist() == [3, 4] and found.features[0].tolist() == [3, 4, 5]


def test_a_model_is_read_of_matlab_files(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "m.mat", {"features": VALUES, "track": TRACK, "model": "vgg2"})
    assert read_any(tmp_path / "m.mat").model == "vgg2"


def test_what_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "names.npz", x=VALUES)
    np.savez(tmp_path / "widths.npz", **{"1": VALUES, "2": VALUES[:, :2]})
    np.savez(tmp_path / "empty.npz", **{"1": VALUES, "2": VALUES[:0]})
    scipy.io.savemat(tmp_path / "slices.mat", {"features_vgg": np.zeros((3, 2, 2))})
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    (tmp_path / "text.mat").write_text("no matrix at all, but long enough to look for a header" * 9)
    (tmp_path / "net.pth.tar").write_bytes(b"")
    for name, words in (
        ("names.npz", "holds x, not features and track"),
        ("widths.npz", "track 2: float32 of shape"),
        ("empty.npz", "track 2: float32 of shape"),
        ("slices.mat", "holds features_vgg, not features and track"),
        ("new.mat", "version 7.3"),
        ("text.mat", "is no MATLAB file|version 7.3"),
        ("net.pth.tar", "is a pickle"),
        ("none.npz", "cannot read"),
        ("none.mat", "cannot read"),
    ):
        with pytest.raises(DataError, match=words):
            read_any(tmp_path / name)
    (tmp_path / "twice").mkdir()
    for name in ("7", "07"):
        np.save(tmp_path / "twice" / f"{name}.npy", VALUES)
    with pytest.raises(DataError, match=r"07\.npy and 7\.npy are the same track"):
        read_any(tmp_path / "twice")
