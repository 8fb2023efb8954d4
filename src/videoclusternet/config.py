"""Every setting of the pipeline: one frozen model per step, defaults only here.

Order of authority: defaults < profile < TOML file < ``--set step.key=value`` < flags.
Values that the paper fixes are marked [P]; open ones are ours and explained in
``docs/how-it-works.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from videoclusternet.given import PROFILES as PROFILES
from videoclusternet.given import nested, parsed, profile_of, read_toml, refusal, update

LARGEST = 2**31 - 1
"""Largest number of any setting: nothing that is counted or measured here is larger."""
SEEDS = 2**32 - 1
"""Largest seed that every library takes."""


class Params(BaseModel):
    """Base of all settings: frozen, unknown keys refused, as are numbers without a bound."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        # Pydantic would take true for 1 and "5" for 5: whoever writes that means something else.
        kind = cls.model_fields[info.field_name or ""].annotation
        several = value if isinstance(value, list | tuple) else (value,)
        if kind not in (bool, str) and any(isinstance(one, bool) for one in several):
            raise ValueError("input should be no truth value")
        words = any(isinstance(one, str) for one in several)
        if words and (kind in (int, float) or get_origin(kind) is tuple):
            raise ValueError("input should be a number")
        if kind is bool and not isinstance(value, bool):
            raise ValueError("input should be true or false")
        return value

    @field_validator("*")
    @classmethod
    def _bounded(cls, value: Any, info: ValidationInfo) -> Any:
        largest = SEEDS if info.field_name == "seed" else LARGEST
        if isinstance(value, int | float) and abs(value) > largest:
            raise ValueError(f"input should be at most {largest}")
        if isinstance(value, str) and "\0" in value:
            raise ValueError("input should hold no zero byte")
        return value


class ShotConfig(Params):
    """Shot boundaries by PySceneDetect or TransNet V2 (section 3.2)."""

    detector: Literal["content", "adaptive", "transnet"] = Field(
        "content", description="[P] content; transnet: a network, an extra to install"
    )
    threshold: float = Field(27.0, gt=0, description="content threshold, HSV units")
    adaptive_threshold: float = Field(3.0, gt=0, description="adaptive threshold, a ratio")
    transnet_threshold: float = Field(0.5, gt=0, lt=1, description="score of a transition")
    min_seconds: float = Field(0.6, ge=0, description="shortest shot, seconds")


class FaceConfig(Params):
    """Face detection with five landmarks (section 3.2)."""

    detector: str = Field("mtcnn", description="name of `vcn models`, or name=path")
    stride: int = Field(0, ge=0, description="look at every n-th frame; 0: chosen from the film")
    max_side: int = Field(
        0, ge=0, description="longer side the detector sees, px; 0: chosen from the film"
    )
    batch: int = Field(16, ge=1, le=1024, description="frames per batch")
    min_score: float = Field(0.1, ge=0, le=1, description="keep faces from here on")
    part: int = Field(2400, ge=100, description="frames per resumable part")

    @field_validator("max_side")
    @classmethod
    def _something_is_seen(cls, value: int) -> int:
        if 0 < value < 64:
            raise ValueError("input should be 0, or at least 64")
        return value


class QualityConfig(Params):
    """Which single crops are good enough (section 3.2)."""

    min_size: float = Field(12.0, gt=0, description="[P] 32; shorter side of the box, px")
    min_aspect: float = Field(0.5, gt=0, description="width / height, lowest")
    max_aspect: float = Field(2.0, gt=0, description="width / height, highest")
    min_sharpness: float = Field(0.0, ge=0, le=1, description="[P] 0.03; 1 - SVD blur degree")

    @model_validator(mode="after")
    def _some_shape_is_left(self) -> Self:
        if self.min_aspect > self.max_aspect:
            raise ValueError("min_aspect should be at most max_aspect")
        return self


class JudgeConfig(Params):
    """What is a face, and what of the faces can be told: from the film and the models."""

    enabled: bool = Field(True, description="[P] false; judge each track that was found")
    least_size: float = Field(
        0.0, ge=0, description="smallest face that can be told, px; 0: found from the film"
    )
    sure_score: float = Field(
        0.0, ge=0, le=1, description="score from which a face is sure; 0: the detector's own"
    )


class TrackConfig(Params):
    """BoT-SORT inside each shot (section 3.2)."""

    high: float = Field(0.6, ge=0, le=1, description="score of the first association")
    new: float = Field(0.7, ge=0, le=1, description="score that may start a track")
    buffer: int = Field(30, ge=1, description="frames a lost track is kept")
    match: float = Field(0.8, ge=0, le=1, description="largest IoU distance of a match")
    camera_motion: bool = Field(True, description="compensate camera motion")
    min_faces: int = Field(2, ge=1, description="detections that make a track")


class CropConfig(Params):
    """Aligned crops (section 3.2)."""

    every: float = Field(0.5, gt=0, description="[P] seconds between crops (12 frames at 24/s)")


class EmbedConfig(Params):
    """Face-ID model and the multi-crop views of crops (section 3.4)."""

    backbone: str = Field("dlib", description="name of `vcn models`, or name=path")
    global_views: int = Field(2, ge=1, le=64, description="[P] views of area .7-1")
    local_views: int = Field(4, ge=0, le=64, description="[P] views of area .4-.6")
    view_crops: int = Field(
        4, ge=0, description="crops of a track whose views are made; 0: all, [P]"
    )
    mirror: bool = Field(True, description="average each crop with its mirror image")
    max_crops: int = Field(16, ge=1, description="crops of a track that are looked at, at most")
    batch: int = Field(64, ge=1, le=4096, description="pictures per batch")


class MatchConfig(Params):
    """Coarse track matching (section 3.5, Eq. 3)."""

    covariance: Literal["isotropic", "full"] = Field("isotropic", description="[P] full")
    quantile: float = Field(0.25, gt=0, le=1, description="[P] lowest share of own densities")
    centred: bool = Field(True, description="[P] false; take the film's own mean off first")


Views = Annotated[int, Field(ge=1, le=64)]


class AdaptConfig(Params):
    """Self-supervised adaptation of the face-ID model to one film (sections 3.4, 3.5, A-C)."""

    rounds: int = Field(
        0, ge=0, le=1000, description="[P] 5 to 10 times of training and matching; 0: none"
    )
    given: str = Field("", description="run folder whose adapted model is taken to begin with")
    trainable: Literal["auto", "all", "last-stage", "head"] = Field(
        "auto", description="[P] all; auto: all on a GPU, last-stage without one"
    )
    head: Literal["mlp", "residual", "none"] = Field(
        "mlp", description="[P] mlp on raw embeddings; x + mlp(x); the embedding itself"
    )
    head_reads: Literal["raw", "film"] = Field(
        "raw", description="[P] raw; film: of mean 0 and deviation 1, as ArcFace's embeddings are"
    )
    teacher_head: Literal["own", "copy"] = Field("own", description="[P] own random start")
    tokens: Literal["class", "shared", "separate"] = Field(
        "class", description="transformers: patch tokens pass no head, the same, or their own"
    )
    objective: Literal["eq2", "looks"] = Field(
        "eq2",
        description="[P] eq2: positive pairs; looks: see a track in spoilt pictures",
    )
    looks: int = Field(3, ge=1, le=100, description="degraded looks of each crop, for `looks`")
    pairs: Literal["links", "groups", "own"] = Field(
        "links", description="[P] partners by coarse match; present cluster; own track"
    )
    own_share: float = Field(0.0, ge=0, le=1, description="[P] 0; anchors kept to their track")
    average: Literal["terms", "kinds"] = Field(
        "terms", description="mean of 14 terms, or of the global and the local mean"
    )
    teacher_views: Literal["all", "global"] = Field("all", description="[P] all")
    teacher_temperature: float = Field(0.04, ge=1e-3, description="of Eq. 2")
    student_temperature: float = Field(1.0, ge=1e-3, description="[P] 1")
    centre: bool = Field(True, description="[P] take a running mean off the teacher's output")
    centre_momentum: float = Field(0.9, ge=0, lt=1, description="of that mean")
    momentum: float = Field(0.996, ge=0, le=1, description="of the teacher, per step")
    update: Literal["epoch", "step"] = Field("epoch", description="[P] teacher moves per epoch")
    epochs: int = Field(30, ge=1, description="[P] epochs of the first round")
    later_epochs: int = Field(10, ge=1, description="[P] epochs of every other round")
    head_epochs: int = Field(10, ge=0, description="[P] first epochs with the base frozen")
    warmup: int = Field(5, ge=0, description="[P] epochs of rising learning rate, per round")
    rate_start: float = Field(5e-6, ge=0, description="[P] learning rate at first")
    rate: float = Field(1e-4, gt=0, description="[P] highest learning rate")
    rate_end: float = Field(1e-5, ge=0, description="[P] learning rate at last, by cosine")
    relative: bool = Field(False, description="rates are shares of the size of each tensor")
    decay: float = Field(0.04, ge=0, description="weight decay of matrices")
    hold: float = Field(0.0, ge=0, description="pull of the weights to where they began (L2-SP)")
    clip: float = Field(3.0, ge=0, description="longest gradient of a tensor; 0: any")
    batch: int = Field(64, ge=1, le=4096, description="pairs of crops per step")
    accumulate: int = Field(1, ge=1, le=4096, description="parts a step is made in, to save memory")
    anchors: int = Field(0, ge=0, description="crops of a track per epoch; 0: all")
    pool: tuple[Views, Views] = Field(
        (4, 6), description="kept global and local views of each crop"
    )
    guard: bool = Field(True, description="go back to the last good round when all collapses")
    stop: float = Field(
        0.95, gt=0, description="[P] 1; end when two rounds' matches agree more (Jaccard index)"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: bfloat16 on a GPU that has it"
    )
    compile: bool = Field(False, description="torch.compile the student")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.tokens != "class" and self.objective != "eq2":
            raise ValueError("adapt.tokens other than class are for adapt.objective=eq2")
        if self.objective == "looks" and self.head != "none":
            raise ValueError("adapt.objective=looks needs adapt.head=none")
        if self.relative and self.head == "residual":
            raise ValueError("adapt.relative cannot move adapt.head=residual, which begins at zero")
        if self.tokens != "class" and self.trainable == "head":
            raise ValueError("patch tokens need adapt.trainable all or last-stage")
        return self


class QualityFilterConfig(Params):
    """SER-FIQ track quality and its outlier filter (section 3.6, Eq. 4)."""

    enabled: bool = Field(False, description="[P] true; set tracks of outlying quality aside")
    deviations: float = Field(2.7, gt=0, description="[P] how far below the others")
    spread: Literal["sigma", "mad"] = Field(
        "sigma", description="unit of deviations: robust standard deviation, or [P] raw MAD"
    )


class ClusterConfig(Params):
    """Final clustering (section 3.7) and the label-free choice (METHOD 8)."""

    algorithm: Literal["vcn", "paper"] = Field(
        "vcn", description="paper: all passing pairs join, crop pairs first [P]"
    )
    metric: Literal["cosine", "euclidean", "loss", "kl"] = Field("cosine", description="[P] loss")
    thresholds: Literal["views", "crops"] = Field(
        "views", description="own thresholds from augmented views, or [P] clean crops"
    )
    cannot_link: bool = Field(True, description="tracks that overlap in time are two people")
    choose: str = Field("stability", description="`stability`, or the name of a candidate")
    scale: float = Field(0.0, ge=0, description="of own thresholds; 0: found by stability")
    draws: int = Field(16, ge=2, le=10_000, description="perturbations behind the stability")
    unsure: bool = Field(
        True, description="[P] false; set tracks aside whose company changes with the pictures"
    )
    teacher_temperature: float = Field(0.1, ge=1e-3, description="of metrics loss and kl")
    student_temperature: float = Field(0.1, ge=1e-3, description="of metrics loss and kl")


class Config(Params):
    """All settings of a run.

    Attributes
    ----------
    profile : {"instant", "vcn", "paper"}
        Which reading of the method the defaults follow.
    device, engine : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ...; ``"processes"``, ``"ray"``, ``"ray:ADDRESS"``.
    processes, seed : int
        Processes that share long steps (0: as many as the machine holds, one on a GPU); seed of
        every random draw.
    """

    profile: Literal["instant", "vcn", "paper"] = "instant"
    device: str = "auto"
    engine: str = Field("processes", pattern=r"^(processes|ray(:.+)?)$")
    processes: int = Field(0, ge=0, le=1024)
    seed: int = Field(0, ge=0)
    shots: ShotConfig = ShotConfig()
    faces: FaceConfig = FaceConfig()
    quality: QualityConfig = QualityConfig()
    tracks: TrackConfig = TrackConfig()
    crops: CropConfig = CropConfig()
    embed: EmbedConfig = EmbedConfig()
    judge: JudgeConfig = JudgeConfig()
    matching: MatchConfig = MatchConfig()
    adapt: AdaptConfig = AdaptConfig()
    track_quality: QualityFilterConfig = QualityFilterConfig()
    cluster: ClusterConfig = ClusterConfig()

    @classmethod
    def load(
        cls,
        profile: str = "auto",
        file: Path | None = None,
        settings: Iterable[str] = (),
        flags: Mapping[str, object] = MappingProxyType({}),
    ) -> Self:
        """Merge profile, TOML file, ``step.key=value`` settings, and values by ``step.key``.

        Raises
        ------
        ConfigError
            For a file that cannot be read, an unknown key or an impossible value.
        """
        values: dict[str, Any] = {}
        given = read_toml(file) if file else {}
        for setting in settings:
            update(given, parsed(setting))
        for key, value in flags.items():
            update(given, nested(key, value))
        named = str(given.pop("profile", "auto"))
        update(values, profile_of(named if profile == "auto" else profile))
        update(values, given)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise refusal(error.errors()[0], setting_names()) from error


def setting_names() -> list[str]:
    """Return the names of all settings, ``step.key``."""
    names = []
    for name, field in Config.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        names += [f"{name}.{key}" for key in inner] if inner else [name]
    return names
