"""How a run was made: films, models and their licences, settings, seconds of each step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videoclusternet.errors import ModelError
from videoclusternet.models.registry import find
from videoclusternet.outside.text import printable
from videoclusternet.result.described import Film
from videoclusternet.result.result import Result
from videoclusternet.runfolder.folder import Store
from videoclusternet.show.hints import flat_settings, settings_of
from videoclusternet.show.words import STEP_NAMES, several, span

PATHS = ("faces.detector", "embed.backbone", "adapt.given")
"""Settings that may name a file: of it the page tells no folder, for it may be handed on."""


@dataclass(frozen=True)
class Model:
    """A model that was used; see :class:`videoclusternet.models.spec.ModelSpec`."""

    what: str
    name: str
    title: str
    licence: str
    commercial: str
    note: str


@dataclass(frozen=True)
class Setting:
    """A setting, and whether it is another than its profile says."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Taken:
    """How long a step took, of all films together; ``share`` of the longest one, in percent."""

    title: str
    time: str
    share: float


def models_of(result: Result) -> list[Model]:
    """List the models that found this cast, with their licences."""
    config = flat_settings(Store(result.folder).manifest.get("config", {}))
    found = []
    if any(film.faces is not None for film in result.films):
        found.append(_model("finds faces", str(config.get("faces.detector", ""))))
    if result.has_pictures:
        found.append(_model("tells faces apart", str(config.get("embed.backbone", ""))))
    else:
        name = printable(result.embeddings.model)
        found.append(Model("tells faces apart", name, "features that were given", "", "", ""))
    return [model for model in found if model.name]


def _model(what: str, choice: str) -> Model:
    try:
        spec, _ = find(choice)
    except ModelError:  # of another version, or a stand-in
        return Model(what, printable(_without_folder(choice)), "", "not in the registry", "", "")
    return Model(what, spec.name, spec.title, spec.licence, spec.commercial, spec.note)


def settings(result: Result) -> list[Setting]:
    """List the settings of a run; none is marked where this version does not know them."""
    every = flat_settings(Store(result.folder).manifest.get("config", {}))
    known = settings_of(result)
    usual = every
    if known is not None:
        usual = flat_settings(type(known).load(known.profile).model_dump(mode="json"))
    return [
        Setting(printable(name), _value(name, value), value != usual.get(name))
        for name, value in every.items()
    ]


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(printable(one) for one in value)
    return printable(_without_folder(str(value)) if name in PATHS else value)


def _without_folder(choice: str) -> str:
    """Leave out the folder of a path: ``onnx=/home/me/net.onnx`` becomes ``onnx=net.onnx``."""
    name, sign, path = choice.partition("=")
    return f"{name}={Path(path).name}" if sign else Path(name).name


def steps(result: Result) -> list[Taken]:
    """Return how long each step took, in their order."""
    folders = dict.fromkeys([*(film.folder for film in result.films), result.folder])
    total: dict[str, float] = {}
    for folder in folders:
        for name, step in Store(folder).manifest["steps"].items():
            seconds = step.get("seconds")
            if isinstance(seconds, int | float):
                total[name] = total.get(name, 0.0) + seconds
    order = [*STEP_NAMES, *sorted(set(total) - set(STEP_NAMES))]
    longest = max(total.values(), default=0.0) or 1.0
    return [
        Taken(STEP_NAMES.get(name, name), span(total[name]), 100 * total[name] / longest)
        for name in order
        if name in total
    ]


def versions(result: Result) -> list[str]:
    """Return what the run was made with: packages and their versions."""
    said = Store(result.folder).manifest.get("versions", {})
    pairs = said.items() if isinstance(said, dict) else ()
    return [printable(f"{name} {version}") for name, version in pairs]


def decided(result: Result) -> str:
    """Say which state of the decisions of people is shown: no page knows what came after it."""
    edits = result.edits
    if not edits.done:
        return "as clustered: no decision of people holds"
    time = printable(edits.done[-1].time).replace("T", " ").replace("+00:00", " UTC")
    count = f"{several(len(edits.done), 'decision')} of people"
    return f"with {count}, the last of {time}; the log has {several(edits.revision, 'line')}"


def film_facts(film: Film) -> list[str]:
    """Return length, picture, shots and how closely a film was looked at, as words."""
    facts = [span(film.duration)]
    if film.video is None:
        facts.append("face pictures that were given, 24 a second")
    else:
        rate = f"{float(film.video.fps):.6g} frames a second"
        facts += [f"{film.video.width} x {film.video.height}", rate]
    if film.shots is not None:
        facts.append(several(len(film.shots), "shot"))
    if film.faces is not None:
        where = "every frame" if film.faces.stride == 1 else f"one of {film.faces.stride} frames"
        facts.append(f"{several(len(film.faces), 'face')}, looked for in {where}")
    facts.append(several(len(film.tracks), "track"))
    return facts
