"""A machine without the libraries that OpenCV's wheel wants, and one without OpenCV."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from videoclusternet.cli.bare import DEBIAN, FEDORA, WANTED, missing_library

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
HIDE = f"""
set -e
mount --bind {LIBRARIES} "$1/real"
mount -t tmpfs none "$1/bare"
for file in "$1"/real/*; do
  case "${{file##*/}}" in
    {"|".join(f"{name}*" for name in WANTED)}) ;;
    *) ln -s "$file" "$1/bare/${{file##*/}}" ;;
  esac
done
mount --bind "$1/bare" {LIBRARIES}
shift
exec "$@"
"""
"""In a mount namespace of its own: the folder of libraries, but for those."""


def run(*words: str | Path, first: tuple[str, ...] = (), **env: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*first, sys.executable, "-m", "videoclusternet", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def says_what_to_install(stderr: str) -> bool:
    (line,) = stderr.splitlines()
    return line.startswith("vcn: OpenCV needs lib") and DEBIAN in line and FEDORA in line


@pytest.mark.skipif(sys.platform != "linux", reason="the dynamic linker of Linux")
def test_a_library_that_cannot_be_loaded_is_one_line(drawn_film: Path, tmp_path: Path) -> None:
    """An empty file of its name, which the linker finds first, stands for one that is not there."""
    (tmp_path / "libGL.so.1").write_bytes(b"")
    path = {"LD_LIBRARY_PATH": str(tmp_path)}
    code, out, err = run("cluster", drawn_film, "-o", tmp_path / "run", **path)
    assert (code, out) == (8, "") and says_what_to_install(err) and "libGL.so.1" in err
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What runs a command with those libraries hidden."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("real", "bare"):
        (folder / name).mkdir()
    first = ("unshare", "-m", "bash", "-c", HIDE, "hide", str(folder))
    if not LIBRARIES.is_dir() or shutil.which("unshare") is None:
        pytest.skip("no mount namespaces, or another layout of libraries")
    if subprocess.run([*first, "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    return first


@pytest.mark.slow
def test_without_the_libraries_only_pictures_are_missed(
    bare: tuple[str, ...], drawn_film: Path, drawn_run: Path, tmp_path: Path
) -> None:
    for words in (
        ("cluster", drawn_film, "-o", tmp_path / "run"),
        ("cluster-tracks", drawn_run / "crops.zip", "-o", tmp_path / "run"),
    ):
        code, out, err = run(*words, first=bare)
        assert (code, out) == (8, "") and says_what_to_install(err), err
    for words in (("show", drawn_run), ("models",), ("cluster", "--help")):
        code, out, err = run(*words, first=bare)
        assert (code, err) == (0, "") and out


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("libGL.so.1: cannot open shared object file: No such file or directory", True),
        ("libgthread-2.0.so.0: cannot open shared object file: No such file", True),
        ("/opt/lib/libxcb.so.1: file too short", True),
        ("libcudart.so.12: cannot open shared object file", False),
        ("cannot import name 'x' from 'y'", False),
    ],
)
def test_only_libraries_that_we_know_are_explained(text: str, known: bool) -> None:
    error = missing_library(ImportError(text))
    assert (error is not None) == known
    if error:
        assert "\n" not in str(error) and error.exit_code == 8


def test_opencv_plays_no_part_where_no_picture_is(drawn_run: Path, tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ModuleNotFoundError('No module', name='cv2')\n")
    path = {"PYTHONPATH": str(tmp_path)}
    code, out, err = run("show", drawn_run, "--json", **path)
    assert (code, err) == (0, "") and out
    code, out, err = run("cluster", "film.mp4", **path)
    assert (code, out) == (8, "")
    assert err == "vcn: OpenCV is not installed (pip install opencv-python)\n"


def test_the_readme_gives_the_same_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"    {DEBIAN} " in text and f"    {FEDORA} " in text
