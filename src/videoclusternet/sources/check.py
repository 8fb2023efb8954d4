"""What is refused before any work: sources that cannot be one run, models that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.models import transnet
from videoclusternet.models.backbones.face_model import check_tokens
from videoclusternet.models.load import check, load_backbone
from videoclusternet.runfolder.steps import Run
from videoclusternet.sources.source import ModelKind, Source

NEEDED_BY = {"detector": "scan", "shots": "transitions", "backbone": "views"}
"""Which step needs which model."""


def check_sources(sources: Sequence[Source], learns: bool) -> None:
    """Refuse sources that cannot be one run, and to learn from nothing.

    Raises
    ------
    ConfigError
    """
    blind = [source for source in sources if "backbone" not in source.needs]
    if blind and len(blind) < len(sources):
        raise ConfigError(
            f"{blind[0].path} holds features, others hold pictures", "cluster them apart"
        )
    if blind and learns:
        raise ConfigError(
            f"{blind[0].path} holds no pictures of faces to learn from", "set adapt.rounds=0"
        )


def check_models(sources: Sequence[Source], runs: Sequence[Run] | None, config: Config) -> None:
    """Refuse models that are missing and still needed: now, not after hours of looking.

    Without ``runs`` nothing is there yet, and every model is needed.

    A file whose hash nobody published is opened too: it may be anything.

    Raises
    ------
    ModelError
        When a model is missing or wrong.
    ConfigError
        When the model has no patch tokens to learn from.
    """
    adapt = config.adapt
    tokens = adapt.tokens != "class" and bool(adapt.rounds) and not adapt.given

    def check_backbone() -> None:
        spec, _ = check(config.embed.backbone, "backbone")
        if tokens or not all(file.sha256 for file in spec.files):
            model = load_backbone(config.embed.backbone, "cpu")
            if tokens:
                check_tokens(model, adapt.tokens)

    checks: dict[ModelKind, Callable[[], object]] = {
        "detector": lambda: check(config.faces.detector, "detector"),
        "backbone": check_backbone,
    }
    if config.shots.detector == "transnet":
        checks["shots"] = transnet.locate
    for kind, refuse in checks.items():
        needing = [i for i, source in enumerate(sources) if kind in source.needs]
        if any(runs is None or runs[i].store.fingerprint(NEEDED_BY[kind]) is None for i in needing):
            refuse()
