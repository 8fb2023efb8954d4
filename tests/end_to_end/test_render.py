"""Who was blurred is not recognised in the copy, with a real network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.drawn import Array
from videoclusternet import Result
from videoclusternet.embed.views import clean_inputs
from videoclusternet.export.render.look import Look
from videoclusternet.export.render.render import render
from videoclusternet.film.crops import align
from videoclusternet.film.video import open_video, read_frames
from videoclusternet.models.load import load_backbone

pytestmark = pytest.mark.slow
PEOPLE = (0, 1)
"""The characters of the demo film."""


def described(result: Result, path: Path, character: int) -> Array:
    """Describe all faces of a character, where they are in the film, out of one of its copies."""
    film, video = result.films[0], open_video(path)
    assert film.faces is not None
    tracks = np.flatnonzero(result.cast.character == character)
    rows = np.concatenate([film.tracks.faces_of(int(track)) for track in tracks])
    rows = rows[np.argsort(film.faces.frame[rows])]
    wanted = dict(zip(film.faces.frame[rows].tolist(), rows.tolist(), strict=True))
    crops = np.stack([
        align(frame.picture(video.width, video.height), film.faces.landmarks[wanted[frame.number]])
        for frame in read_frames(video, sorted(wanted))
    ])  # fmt: skip
    model = load_backbone("dlib", "cpu")
    with torch.inference_mode():
        inputs = model.normalise(clean_inputs(torch.from_numpy(crops), model))
        return np.asarray(model(inputs).numpy(), dtype=np.float64)


def test_the_blurred_are_not_recognised(demo_run: Result, tmp_path: Path) -> None:
    """Whoever knows both people well takes what is left of either for the same one."""
    video = demo_run.films[0].video
    assert video is not None
    looks = {"named": Look(), "blurred": Look(blur_others=True)}
    copies = {
        name: render(demo_run, tmp_path / f"{name}.mp4", look)[0] for name, look in looks.items()
    }
    known = [described(demo_run, Path(video.path), person) for person in PEOPLE]

    def recognised(copy: Path) -> float:
        """Share of faces whose nearest face of the film is of the same person, mean of both."""
        right = []
        for person in PEOPLE:
            faces = described(demo_run, copy, person)
            near = [
                np.linalg.norm(faces[:, None] - other[None], axis=-1).min(axis=1) for other in known
            ]
            right.append(np.mean(near[person] < near[1 - person]))
        return float(np.mean(right))

    assert recognised(copies["named"]) == 1
    assert recognised(copies["blurred"]) <= 0.6
