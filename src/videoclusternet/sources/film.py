"""Enter at a film: shots, faces, tracks and crops are found in its pictures (section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from videoclusternet.engine.work import Work
from videoclusternet.film.crops import cut_crops
from videoclusternet.film.detector_size import choose_size, sides_of
from videoclusternet.film.scan import scan_film
from videoclusternet.film.shots import find_shots
from videoclusternet.film.tracks import track_faces
from videoclusternet.film.transitions import find_transitions
from videoclusternet.film.video import open_video
from videoclusternet.models.load import LazyDetector, pick_device
from videoclusternet.models.registry import find
from videoclusternet.models.transnet import LazyTransNet
from videoclusternet.runfolder.crop_zip import CROP_ZIP
from videoclusternet.runfolder.steps import Run, Step
from videoclusternet.show.words import unread_words
from videoclusternet.sources.source import Brought, ModelKind
from videoclusternet.sources.tags import read_tags
from videoclusternet.types import (
    Crops,
    Damage,
    DetectorSizes,
    Faces,
    FrameScores,
    Looks,
    Motion,
    Shots,
    Tracks,
    Transitions,
    Unread,
    VideoInfo,
)
from videoclusternet.types.clock import Tags


def _known(video: VideoInfo, path: str, damage: Damage, work: Work) -> VideoInfo:
    """Keep what is known of a film; where it lies may change, and its content stay."""
    for note in damage.notes:
        work.note(note)
    work.unread(damage.unread)
    return video


def say_unread(run: Run, video: VideoInfo) -> None:
    """Say once, after all reading, what could not be read of a film: now or in an earlier call."""
    if said := unread_words(run.store.unread, Path(video.path).name, video.frames):
        run.note(said)


VIDEO = Step("video", _known, (VideoInfo,), unit="films")
SIZE = Step("detector_size", choose_size, (DetectorSizes,), unit="frames")
SCAN = Step("scan", scan_film, (FrameScores, Faces, Motion, Looks), version=2, unit="frames")
TRANSITIONS = Step("transitions", find_transitions, (Transitions,), unit="frames")
SHOTS = Step("shots", find_shots, (Shots,), version=2)
TRACKS = Step("tracks", track_faces, (Tracks,), version=2, unit="shots")
CROPS = Step("crops", cut_crops, (Crops,), unit="frames", file=CROP_ZIP)


@dataclass(frozen=True)
class FilmSource:
    """A film whose tracks are found."""

    video: VideoInfo
    damage: Damage = field(default_factory=Damage)
    names: tuple[str, ...] = ()
    needs: tuple[ModelKind, ...] = ("detector", "backbone", "shots")

    @classmethod
    def open(cls, path: Path, fps: Fraction | None = None) -> FilmSource:
        """Open a film, or pictures that are one; what is missing is said as it is brought.

        Parameters
        ----------
        path : Path
            A file, a folder of pictures or a pattern such as ``shot_%04d.png``.
        fps : Fraction, optional
            Frames per second of pictures, or of a stream without time stamps.

        Raises
        ------
        VideoError
            When it is missing or no film.
        """
        told: list[str | Unread] = []
        return cls(open_video(path, told.append, fps), Damage.of(told))

    @property
    def path(self) -> str:
        """Path as the user gave it."""
        return self.video.path

    @property
    def content(self) -> str:
        """Hash of the file's size and of three blocks of it."""
        return self.video.content

    @property
    def tags(self) -> Tags:
        """What the file says of itself."""
        return read_tags(self.video)

    def bring(self, run: Run, number: int, detector: LazyDetector) -> Brought:
        """Go from the pictures of the film to tracks and their crops."""
        c = run.config
        video = run.do(VIDEO, self.video, self.video.path, self.damage)  # (F,) time stamps
        side = self._side(run, video, detector)  # px
        scores, faces, motion, looks = run.do(SCAN, video, detector, c.faces, side)
        transitions = self._transitions(run, video)  # (F,) or None
        shots = run.do(SHOTS, scores, c.shots, video.fps, transitions)  # (S,) half-open ranges
        tracks = run.do(  # (T,) tracks over (M,) faces
            TRACKS, shots, faces, motion, video.fps, c.tracks, c.quality, number, scores, looks
        )
        crops = run.do(CROPS, video, faces, tracks, c.crops, c.quality)  # (C,) canvases of 144 px
        say_unread(run, video)
        return Brought(tracks, crops, faces=faces)

    def _side(self, run: Run, video: VideoInfo, detector: LazyDetector) -> int:
        """Choose the longer side that the detector sees, if nobody did and there is a choice."""
        c = run.config
        if c.faces.max_side or len(sides_of(video)) == 1:
            run.store.forget(SIZE.name)
            run.store.drop(DetectorSizes)
            return c.faces.max_side
        sure, least = find(c.faces.detector)[0].sure, find(c.embed.backbone)[0].least
        settings = (sure, c.tracks.new, least, c.faces.stride)
        return run.do(SIZE, video, detector, *settings).chosen

    def _transitions(self, run: Run, video: VideoInfo) -> Transitions | None:
        """Ask a network for transitions, if shots are found by one."""
        if run.config.shots.detector != "transnet":
            return None
        device = pick_device(run.config.device)
        # On Apple's MPS the network says something else than everywhere.
        return run.do(TRANSITIONS, video, LazyTransNet("cpu" if device == "mps" else device))
