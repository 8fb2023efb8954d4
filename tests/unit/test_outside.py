"""Files from outside that are not what they claim, and names that would be taken for more."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import joblib
import lz4.frame
import numpy as np
import pytest
from scipy.io import savemat

from videoclusternet.annotations.boxes import read_facts
from videoclusternet.errors import LONGEST, DataError, ModelError
from videoclusternet.models.detectors.mtcnn import read_weights
from videoclusternet.outside.files import opened, read_json
from videoclusternet.runfolder import footers
from videoclusternet.sources.array_files import read_npy, read_npz
from videoclusternet_bench.data.feature_files import read_any
from videoclusternet_bench.data.mat_files import read_mat
from videoclusternet_bench.data.sets import LabelledSet
from videoclusternet_bench.tables import drawing
from videoclusternet_bench.tables.grids import Grid, literal

HEAD = "{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}"
NAMES = ("$x_{", "a\nb", "x" * 10_000, "\x00\x1b", "\u202eb", "_hidden", "\\frac", "\u4e00")


def claimed(shape: str) -> bytes:
    head = HEAD.format(shape).encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(16)


@pytest.mark.parametrize(
    "shape", [f"({2**40},)", f"({10**400},)", "(-1,)", "(True, 4)", "(1.5,)", "(" * 4000]
)
def test_arrays_are_no_larger_than_their_file(shape: str, tmp_path: Path) -> None:
    (tmp_path / "1.npy").write_bytes(claimed(shape))
    with pytest.raises(DataError, match="no plain npy file"):
        read_npy(tmp_path / "1.npy")


def test_a_small_zip_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", claimed(f"({75 << 20},)") + bytes(300 << 20))
    with pytest.raises(DataError, match="more than"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("packed", [False, True])
def test_matlab_files_are_read_as_scipy_writes_them(
    version: str, packed: bool, tmp_path: Path
) -> None:
    given = {"features": np.arange(6.0).reshape(3, 2), "track": np.array([1.0, 2, 2]), "model": "n"}
    path = tmp_path / "a.mat"
    savemat(path, given, format=version, do_compression=packed and version == "5")
    found = read_mat(path)
    np.testing.assert_array_equal(found["features"], given["features"])
    assert found["track"].shape == (1, 3) and str(found["model"]) == "n"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="no MATLAB file"):
        read_mat(path)


def test_a_damaged_footer_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1" + bytes(9) + b"footer" + struct.pack("<I", 6) + b"PAR1")
    footers.guard(path)
    footers.check(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"footer", b"foofer"))
    with pytest.raises(ValueError, match="footer is damaged"):
        footers.check(path)


def test_json_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    for text in ("[" * 99_999, "{", '{"a": ' + "9" * 9_999 + "}"):
        path.write_text(text)
        with pytest.raises(DataError, match="is no JSON"):
            read_json(path, DataError)
    for name in ("\\ud800", "a\\u0000b"):
        path.write_text(f'{{"video": "{name}", "fps": 25, "width": 9, "height": 9}}')
        with pytest.raises(DataError, match="no name"):
            read_facts(path)
    with pytest.raises(DataError, match="no file of data"):
        opened(tmp_path, DataError)


def test_messages_have_an_end() -> None:
    assert len(str(DataError("x" * 99_999))) <= LONGEST
    assert str(DataError("short", "do")) == "short (do)"


def test_names_are_shown_literally_in_tables() -> None:
    assert literal("a|b`c*d_e<f[g](h)\n") == "a\\|b\\`c\\*d\\_e\\<f\\[g](h)\\\\n"
    assert literal("1.000 [0.9, 1.0] &amp; &") == "1.000 [0.9, 1.0] \\&amp; &"
    assert [literal(t, True) for t in ("# a", "- a", "1. a", "a")] == [
        "\\# a", "\\- a", "1\\. a", "a",
    ]  # fmt: skip
    grid = Grid("t", ("a", "b"), [("[x", "\\^{}~#%&_$"), *((name, "--- ") for name in NAMES)])
    tex = grid.latex()
    assert r"{}[x & \textbackslash{}\textasciicircum{}\{\}\textasciitilde{}\#\%\&\_\$" in tex
    assert len(grid.markdown().splitlines()) == 4 + 1 + len(NAMES)


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    figure = drawing.new_figure()
    axes = figure.subplots()
    for name in NAMES:
        axes.plot([0, 1], label=drawing.as_label(name))
    axes.set_title("$\\frac{ and $")
    axes.set_yticks(range(len(NAMES)), [drawing.as_label(name, 20) for name in NAMES])
    assert len(figure.legend().get_texts()) == len(NAMES)
    vector, _ = drawing.save(figure, tmp_path, "a")
    assert "$x_{" in vector.read_text(encoding="utf-8")


def test_pipes_and_empty_folders_are_no_data(tmp_path: Path) -> None:
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(DataError, match=r"holds no <track>\.npy"):
        read_any(tmp_path / "a.npz")
    listing = tmp_path / "b_tracks.csv"
    os.mkfifo(listing)
    (tmp_path / "b.npz").touch()
    one = LabelledSet("b", (tmp_path / "b.npz",), (listing,), "features")
    with pytest.raises(DataError, match="no file of data"):
        one.content()


def test_mtcnn_weights_are_floats_of_some_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "p.lz4"
    for arrays in ([np.ones(3, ">f4")], [np.ones(3)], [np.zeros(20 << 20, "f4")], ["x"]):
        out = io.BytesIO()
        joblib.dump(arrays, out)
        path.write_bytes(lz4.frame.compress(out.getvalue()))
        with pytest.raises(ModelError, match="MTCNN"):
            read_weights(path)
