"""What is refused before any work: sources that cannot be one run, models that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from videoclusternet.config import Config
from videoclusternet.errors import ConfigError
from videoclusternet.models import transnet
from videoclusternet.models.load import check
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


def check_models(sources: Sequence[Source], runs: Sequence[Run], config: Config) -> None:
    """Refuse models that are missing and still needed: now, not after hours of looking.

    Raises
    ------
    ModelError
    """
    checks: dict[ModelKind, Callable[[], object]] = {
        "detector": lambda: check(config.faces.detector, "detector"),
        "backbone": lambda: check(config.embed.backbone, "backbone"),
    }
    if config.shots.detector == "transnet":
        checks["shots"] = transnet.locate
    for kind, refuse in checks.items():
        if any(
            kind in source.needs and run.store.fingerprint(NEEDED_BY[kind]) is None
            for source, run in zip(sources, runs, strict=True)
        ):
            refuse()
