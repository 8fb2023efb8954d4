"""Enter at boxes: face tracks that somebody drew or another program found (section 3.2 on).

The boxes may be labelled.  Only their geometry goes on from here: no label reaches a run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from videoclusternet.annotations.box_forms import read_boxes_of
from videoclusternet.film.video import open_video
from videoclusternet.models.load import LazyDetector
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.sources.film import VIDEO, say_unread
from videoclusternet.sources.given_boxes import GivenBoxes, given_shots, given_tracks
from videoclusternet.sources.landmarks import cut_boxes, look_for_faces
from videoclusternet.sources.source import Brought, ModelKind
from videoclusternet.sources.tags import read_tags
from videoclusternet.types import Crops, Damage, Faces, Shots, Tracks, Unread, VideoInfo
from videoclusternet.types.clock import Tags

SHOTS = Step("shots", given_shots, (Shots,))
TRACKS = Step("tracks", given_tracks, (Tracks,))
SCAN = Step("scan", look_for_faces, (Faces,), unit="frames")
CROPS = Step("crops", cut_boxes, (Crops,), unit="frames", file=CROP_ZIP)


@dataclass(frozen=True)
class BoxSource:
    """A film and the boxes of its face tracks."""

    video: VideoInfo
    boxes: GivenBoxes
    damage: Damage = field(default_factory=Damage)
    needs: tuple[ModelKind, ...] = ("detector", "backbone")

    @classmethod
    def open(cls, film: Path, boxes: Path) -> BoxSource:
        """Open a film and read its boxes; labels are left behind.

        Parameters
        ----------
        film : Path
        boxes : Path
            In any form that :func:`videoclusternet.annotations.box_forms.find_form` knows.

        Raises
        ------
        DataError
            When boxes are malformed, or were not made on this film.
        VideoError
            When the film is missing or none.
        """
        told: list[str | Unread] = []
        video = open_video(film, told.append)
        found = read_boxes_of(boxes, video, labelled=False)
        given = GivenBoxes(found.tracks, found.track, found.frame, found.box)
        return cls(video, given.ordered(), Damage.of(told))

    @property
    def path(self) -> str:
        """Path of the film as the user gave it."""
        return self.video.path

    @property
    def content(self) -> str:
        """Hash of the film and its boxes."""
        return hashlib.sha256((self.video.content + self.boxes.digest).encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tracks."""
        return self.boxes.names

    @property
    def tags(self) -> Tags:
        """What the file says of itself."""
        return read_tags(self.video)

    def bring(self, run: Run, number: int, detector: LazyDetector) -> Brought:
        """Go from the boxes of the film to tracks and their crops."""
        c, boxes = run.config, self.boxes
        video = run.do(VIDEO, self.video, self.video.path, self.damage)
        shots = run.do(SHOTS, boxes, video.frames)  # (S,) half-open ranges
        tracks = run.do(TRACKS, boxes, shots, number)  # (T,) tracks over all (N,) boxes
        faces = run.do(  # (N, 4) boxes, landmarks of those to be cut out
            SCAN, video, boxes, tracks, detector, c.faces, c.crops, c.quality
        )
        crops = run.do(CROPS, video, boxes, faces, tracks, c.crops, c.quality)
        say_unread(run, video)
        return Brought(tracks, crops)
