"""Where a result is shaky, and the command that helps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests import tables
from videoclusternet.config import Config
from videoclusternet.events import silent
from videoclusternet.result.result import Result
from videoclusternet.runfolder.steps import Run
from videoclusternet.show.hints import hints
from videoclusternet.show.terminal import print_cast
from videoclusternet.types import Reason

SIDES = (30, 40, 100, 100)


def a_run(
    folder: Path,
    character: Sequence[int],
    reason: Sequence[int] | None = None,
    sides: Sequence[float] = SIDES,
    settings: Sequence[str] = (),
) -> Result:
    """A run of four tracks of one face each, with faces of these sides."""
    with Run.open(folder, Config.load(settings=settings), silent) as run:
        run.describe()
    spans = [(0, 24 * n, 24 * n + 20) for n in range(len(character))]
    tracks = tables.tracks(spans, [[n] for n in range(len(character))])
    rows = [(24 * n, 0, 0, side, side * 1.2) for n, side in enumerate(sides)]
    film = tables.film(
        tracks,
        folder=folder,
        with_video=replace(tables.video(96), path="my films/a b.mp4"),
        with_shots=tables.shots(0, 96),
        with_faces=tables.faces(rows, stride=3),
    )
    cast = tables.cast(character)
    if reason is not None:
        cast = replace(cast, reason=reason)
    film = replace(film, judgement=tables.judgement(cast.reason.tolist(), least_size=16))
    return tables.result([film], tracks, cast)


def test_a_sure_result_needs_no_word(tmp_path: Path) -> None:
    assert hints(a_run(tmp_path / "run", [0, 0, 1, -1], sides=(100, 100, 100, 30))) == []


def test_a_result_made_by_hand_needs_no_run_folder() -> None:
    tracks = tables.tracks([(0, 0, 9), (0, 20, 29)])
    (hint,) = hints(tables.result([tables.film(tracks)], tracks, tables.cast([0, -1])))
    assert hint.text == "1 of 2 tracks is Unknown (1 too small or cut off)."
    assert hint.command == ""


def test_most_unknown_names_reasons_and_the_command(tmp_path: Path) -> None:
    made = a_run(tmp_path / "run", [0, -1, -1, -1], [0, 1, 1, 2], (100, 10, 10, 90))
    (hint,) = hints(made)
    assert hint.text == (
        "3 of 4 tracks are Unknown (2 too small or cut off, 1 blurred); "
        "to judge faces from 6 px on:"
    )
    words = shlex.split(hint.command)
    folder = str(tmp_path / "run")
    assert words[:5] == ["vcn", "cluster", "my films/a b.mp4", "-o", folder]
    assert words[5:] == ["--set", "quality.min_size=6"]
    # A page may be handed on: it does not say where things lie.
    (short,) = hints(made, names_only=True)
    assert short.text == hint.text
    assert shlex.split(short.command)[2:5] == ["a b.mp4", "-o", "run"]


def test_where_somebody_was_forgotten_the_film_is_not_to_be_looked_at_again(tmp_path: Path) -> None:
    gone = int(Reason.FORGOTTEN)
    made = a_run(tmp_path / "run", [0, -1, -1, -1], [0, 1, 1, gone], (100, 10, 10, 90))
    (hint,) = hints(made)
    assert hint.text == "2 of 4 tracks are Unknown (2 too small or cut off)."
    assert hint.command == ""  # `vcn cluster` into that folder is refused
    made = a_run(tmp_path / "more", [0, -1, -1, -1], [0, 1, gone, gone], (100, 10, 10, 90))
    assert hints(made) == []


@pytest.mark.parametrize(
    ("reason", "side", "change"),
    [
        (Reason.BLURRED, 90, "quality.min_sharpness=0"),
        (Reason.LOW_QUALITY, 90, "track_quality.enabled=false"),
        (Reason.SMALL, 90, ""),
        (Reason.NO_PICTURE, 90, ""),
        (Reason.UNREADABLE, 15, "judge.least_size=8"),
        (Reason.NO_FACE, 90, "judge.enabled=false"),
        (Reason.UNSURE, 90, "cluster.unsure=false"),
    ],
)
def test_the_command_fits_the_reason(
    reason: Reason, side: float, change: str, tmp_path: Path
) -> None:
    made = a_run(tmp_path / "run", [0, -1, -1, -1], [0, *[reason] * 3], (100, *[side] * 3))
    (hint,) = hints(made)
    assert hint.command.endswith(change) and bool(hint.command) == bool(change)
    assert hint.text.endswith(":" if change else ".")


def test_the_command_keeps_the_settings_of_the_run(tmp_path: Path) -> None:
    given = ["faces.detector=yunet", "quality.min_size=40", "faces.stride=2", "seed=3"]
    made = a_run(tmp_path / "run", [0, -1, -1, -1], sides=(100, 20, 20, 20), settings=given)
    (hint,) = hints(made)
    words = shlex.split(hint.command)[5:]
    config = Config.load(settings=[word for word in words if "=" in word])
    assert (config.quality.min_size, config.faces.stride, config.seed) == (20.0, 2, 3)
    assert words[words.index("--detector") + 1] == "yunet"


def test_small_faces_with_dlib_name_a_better_model(tmp_path: Path) -> None:
    reason = [0, 0, 0, Reason.UNREADABLE]
    made = a_run(tmp_path / "run", [0, 1, 0, -1], reason, sides=(40, 50, 100, 15))
    (hint,) = hints(made)
    assert hint.text.startswith("faces are under 64 px in 2 of 3 tracks that could be judged")
    assert "(1 more are Unknown: too small to tell)" in hint.text
    pull, again = hint.command.split(" && ")
    assert pull == "vcn models pull edgeface-xs"
    assert again.endswith("--backbone edgeface-xs")


@pytest.mark.parametrize("backbone", ["sface", "onnx=/data/mine.onnx"])
def test_another_model_may_judge_small_faces(backbone: str, tmp_path: Path) -> None:
    settings = [f'embed.backbone="{backbone}"']
    made = a_run(tmp_path / "run", [0, 1, 0, -1], sides=(40, 50, 90, 20), settings=settings)
    assert hints(made) == []


def test_people_who_look_alike_are_named(tmp_path: Path) -> None:
    made = a_run(tmp_path / "run", [0, 1, 2, 0], sides=(100,) * 4)
    two = replace(made.cast, alike=((0, 2), (1, 2)))
    (hint,) = hints(replace(made, clustering=two))
    assert hint.text.startswith("Characters 1 and 3, 2 and 3 look alike to the face model: that")
    made.edits.hide(1)
    cast = replace(made.cast, alike=((0, 2), (1, 2)))
    (hint,) = hints(replace(made, clustering=cast))
    assert hint.text.startswith("Characters 2 and 3 look alike")  # nothing of who is hidden
    with pytest.raises(ValueError, match=r"Cast\.alike are pairs of characters"):
        replace(made.cast, alike=((0, 3),))


def test_tracks_that_were_given_have_no_command_of_a_film(tmp_path: Path) -> None:
    made = a_run(tmp_path / "run", [0, -1, -1, -1], [0, 3, 3, 3], (40, 20, 20, 20))
    film = replace(made.films[0], track_names=("a", "b", "c", "d"))
    found = hints(replace(made, films=(film,)))
    assert [hint.command for hint in found] == ["", ""]
    assert "--backbone edgeface-xs" in found[1].text


@pytest.mark.parametrize(
    ("frames", "stride", "words", "change"),
    [
        (1, 3, "1 face found, but one picture makes no track", "tracks.min_faces=1"),
        (96, 3, "1 face found in 1 frame, but none was held", "faces.stride=1"),
        (96, 1, "1 face found in 1 frame, but none was held", "tracks.min_faces=1"),
    ],
)
def test_faces_without_a_track(
    frames: int,
    stride: int,
    words: str,
    change: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = a_run(tmp_path / "run", [])
    film = replace(
        made.films[0],
        video=tables.video(frames),
        shots=tables.shots(0, frames),
        # What the detector hardly believes is no face.
        faces=tables.faces([(0, 0, 0, 90, 99), (0, 5, 5, 9, 9)], stride, score=[0.9, 0.2]),
    )
    made = replace(made, films=(film,))
    (hint,) = hints(made)
    assert hint.text.startswith(words) and hint.command.endswith(f"--set {change}")
    print_cast(made, False)
    out = capsys.readouterr().out
    assert out.startswith("no track: the cast is empty\n") and hint.command in out


def test_no_face_is_still_no_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = a_run(tmp_path / "run", [], sides=())
    assert hints(made) == []
    print_cast(made, False)
    assert capsys.readouterr().out == "no face was found: the cast is empty\n"


def test_names_reach_the_terminal_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = a_run(tmp_path / "run", [0, -1, -1, -1], sides=(100, 20, 20, 20))
    video = made.films[0].video
    assert video is not None
    evil = replace(made.films[0], video=replace(video, path="a\x1b[2Jb.mp4"), name="a\x1b[2Jb\n")
    print_cast(replace(made, films=(evil,)), False)
    tracks = replace(made.tracks, film=[0, 0, 1, 1])
    two = replace(evil, name="two", tracks=tables.tracks([]), faces=None)
    print_cast(replace(made, films=(evil, two), tracks=tracks), False)
    out = capsys.readouterr().out
    assert "\x1b" not in out and r"a\x1b[2Jb" in out
