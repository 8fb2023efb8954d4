"""All methods of the bench, by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from videoclusternet.errors import ConfigError
from videoclusternet_bench.methods.base import Method
from videoclusternet_bench.methods.bcl import BCL, with_checkpoint
from videoclusternet_bench.methods.density import DBSCAN, HDBSCAN
from videoclusternet_bench.methods.graph import FINCH, SPECTRAL, WHISPERS
from videoclusternet_bench.methods.hac import HAC, HAC_COUNT, HAC_ORACLE
from videoclusternet_bench.methods.jfac import JFAC
from videoclusternet_bench.methods.ours import (
    INSTANT,
    PAPER_METHOD,
    VCN,
    adapted,
    config_of,
    profile_of,
)
from videoclusternet_bench.methods.ssiam import SSIAM
from videoclusternet_bench.methods.tsiam import TSIAM

METHODS = {
    method.name: method
    for method in (
        INSTANT,
        VCN,
        PAPER_METHOD,
        HAC,
        HDBSCAN,
        DBSCAN,
        WHISPERS,
        HAC_COUNT,
        SPECTRAL,
        FINCH,
        TSIAM,
        SSIAM,
        JFAC,
        BCL,
        HAC_ORACLE,
    )
}
OPTIONAL = (FINCH.name,)
"""Methods that the user has to install: only by name."""


def title_of(name: str) -> str:
    """Return what a method is called in tables, by its name as after ``--methods``."""
    plain, _, value = name.partition("=")
    method = METHODS.get(plain)
    if method is None:
        return name
    return f"{method.title}, {value}" if value and profile_of(plain) else method.title


def chosen_methods(text: str) -> tuple[Method, ...]:
    """Resolve what ``--methods`` says.

    Parameters
    ----------
    text : str
        Names with commas, ``name=value`` to set a threshold, ``bcl=FILE`` for weights that its
        authors trained, ``paper=head`` or ``vcn=all`` for how deep ours is trained; ``fast``:
        all that need no training; ``all``: those too.

    Raises
    ------
    ConfigError
        For a name that does not exist, or a threshold that is none or not asked for.
    ModelError
        For a file that is none of BCL's.
    """
    found: dict[str, Method] = {}
    for part in (part.strip() for part in text.split(",")):
        if part in ("all", "fast"):
            several = [m for m in METHODS.values() if m.name not in OPTIONAL]
            found |= {m.name: m for m in several if part == "all" or not m.trains}
            continue
        name, equals, value = part.partition("=")
        if name not in METHODS:
            raise ConfigError(f"no method {name!r}", f"choose from {', '.join(METHODS)}")
        method = METHODS[name]
        found[part] = _with(method, value) if equals else method
    return tuple(found.values())


def _with(method: Method, value: str) -> Method:
    if method.name == BCL.name:
        partition = with_checkpoint(Path(value))
        name = f"{BCL.name}={value}"
        return dataclasses.replace(
            BCL,
            name=name,
            partition=partition,
            needs="labels of its file",
            trains=False,
            file=Path(value),
        )
    if profile_of(method.name) and method.trains:
        name = f"{method.name}={value}"
        config_of(name)  # a depth that does not exist shows now
        return dataclasses.replace(method, name=name, partition=adapted(name))
    if method.needs != "threshold":
        raise ConfigError(f"{method.name} is told {method.needs}, not a threshold")
    try:
        threshold = float(value)
    except ValueError:
        raise ConfigError(f"{method.name}={value}: {value!r} is no number") from None
    if not 0 <= threshold <= 2:
        raise ConfigError(f"{method.name}={value}: a cosine distance is from 0 to 2")
    return dataclasses.replace(method, name=f"{method.name}={value}", threshold=threshold)
