"""Settings as they are given: profiles, a TOML file, ``step.key=value``, and their merge."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from videoclusternet.errors import ConfigError
from videoclusternet.outside.files import read_text
from videoclusternet.outside.text import meant, shown

FILE_BYTES = 1 << 20
"""Bytes of a file of settings at most."""
DOTS = 100
"""In a line of it at most: the time that ``tomllib`` takes for a name grows with their square."""
PROFILES: dict[str, dict[str, Any]] = {
    "instant": {"profile": "instant"},
    "vcn": {
        "profile": "vcn",
        "adapt": {
            "rounds": 1,
            "head": "none",
            "teacher_head": "copy",
            "objective": "looks",
            "pairs": "own",
            "teacher_temperature": 0.1,
            "student_temperature": 0.1,
            "update": "step",
            "momentum": 0.95,
            "epochs": 3,
            "later_epochs": 3,
            "head_epochs": 0,
            "warmup": 0,
            "rate": 5e-3,
            "rate_end": 5e-3,
            "relative": True,
            "decay": 0.0,
        },
    },
    "paper": {
        "profile": "paper",
        "quality": {"min_size": 32.0, "min_sharpness": 0.03},
        "embed": {"mirror": False, "view_crops": 0},
        "judge": {"enabled": False},
        "matching": {"covariance": "full", "centred": False},
        "adapt": {"rounds": 5, "trainable": "all", "head_reads": "film", "stop": 1.0},
        "track_quality": {"enabled": True, "spread": "mad"},
        "cluster": {
            "algorithm": "paper",
            "metric": "loss",
            "thresholds": "crops",
            "cannot_link": False,
            "unsure": False,
            "choose": "adapted/or",
            "teacher_temperature": 0.04,
            "student_temperature": 1.0,
        },
    },
}
"""Which settings each profile changes; others stay at their defaults."""


def profile_of(name: str) -> dict[str, Any]:
    """Return what a profile changes; ``auto`` is ``instant``.

    Raises
    ------
    ConfigError
        For a name that is none.
    """
    name = "instant" if name == "auto" else name
    if name not in PROFILES:
        raise ConfigError(
            f"no profile {shown(name)}",
            f"{meant(name, PROFILES)}choose one of auto, {', '.join(PROFILES)}",
        )
    return PROFILES[name]


def read_toml(file: Path) -> dict[str, Any]:
    """Read a file of settings.

    Raises
    ------
    ConfigError
        When it cannot be read or is no TOML.
    """
    text = read_text(file, ConfigError, FILE_BYTES)
    if any(line.count(".") > DOTS for line in text.splitlines() if line.lstrip()[:1] != "#"):
        raise ConfigError(f"{file} is not valid TOML: no setting has so many dots in its name")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of too many digits, of too many brackets
        raise ConfigError(f"{file} is not valid TOML: {error}") from error


def parsed(setting: str) -> dict[str, Any]:
    """Read ``step.key=value``: the value as TOML, else as text.

    Raises
    ------
    ConfigError
        When it is not of this form.
    """
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"cannot read setting {shown(setting)}", "write --set step.key=value")
    try:
        read = tomllib.loads(f"v = {text}")
    except (ValueError, RecursionError):
        read = {"v": text}
    if len(read) > 1:
        raise ConfigError(f"setting {shown(key)} has lines of others", "write --set for each")
    return nested(key, read["v"])


def nested(key: str, value: object) -> dict[str, Any]:
    """Return ``{step: {key: value}}`` for the key ``step.key``."""
    step, dot, rest = key.strip().partition(".")
    return {step: {rest: value} if dot else value}


def update(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Merge two levels, step and key: settings have no more.

    Raises
    ------
    ConfigError
        When a step is given a value and a table.
    """
    for key, value in other.items():
        if isinstance(value, Mapping):
            nested = into.setdefault(key, {})
            if not isinstance(nested, dict):
                raise ConfigError(
                    f"setting {shown(key)} is not a table", "write [step] above its keys"
                )
            nested.update(value)
        else:
            into[key] = value


def refusal(first: Mapping[str, Any], every: Sequence[str]) -> ConfigError:
    """Name the first setting that is wrong; the one that was meant where there is none such.

    Parameters
    ----------
    first : mapping
        What Pydantic says of it: ``loc``, ``type`` and ``msg``.
    every : sequence of str
        Names of all settings, ``step.key``.
    """
    where = ".".join(str(part) for part in first["loc"])
    lists = "`vcn settings` lists all settings"
    if first["type"] == "extra_forbidden":
        steps = {name.partition(".")[0] for name in every} | set(every)
        own = {name.rpartition(".")[2]: name for name in every}
        hint = f"did you mean {own[where]}? " if where in own else meant(where, steps)
        return ConfigError(f"no setting {shown(where)}", hint + lists)
    said = first["msg"].removeprefix("Value error, ")
    return ConfigError(f"setting {shown(where)}: {said[0].lower()}{said[1:]}", lists)
