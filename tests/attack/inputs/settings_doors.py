"""Options of the command line, the environment, places to write to, and settings at odds."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack.campaign import Family
from tests.attack.case import Case, Outcome, Place
from tests.attack.material import QUICK, Material, copied, differences

AT_ONCE = 5.0
"""Seconds in which a setting is refused."""
LONGEST = 600
"""Letters of a clear line."""
PATHS = 7000
"""Of one that names a path of any length."""


def refused(place: Place, outcome: Outcome, named: str, most: int = LONGEST) -> None:
    """Hold that a command refused at once, named what it refused, and wrote nothing."""
    if outcome.code <= 0:
        return  # judged already
    place.must(named in outcome.err, f"{named!r} is not named: {outcome.err[:400]}", "unclear")
    place.must(outcome.seconds < AT_ONCE, f"{outcome.seconds:.1f} s to refuse {named}", "hang")
    longest = max(map(len, outcome.err.splitlines()))
    place.must(longest <= most, f"a line of {longest} letters on {named}", "unclear")
    place.must(not (place.folder / "out").exists(), f"{named}: something was begun")


CLUSTER: tuple[tuple[tuple[str, ...], str], ...] = (
    (("--profile", ""), "profile"),
    (("--profile", "papre"), "paper"),
    (("--profile", "PAPER"), "paper"),
    (("--profile", "\x1b[2J"), "profile"),
    (("--profile", "x" * 5000), "profile"),
    (("--device", ""), "device"),
    (("--device", "cpu:x"), "cpu:x"),
    (("--device", "cpu:1"), "cpu:1"),
    (("--device", "cpu:-1"), "cpu:-1"),
    (("--device", "cpu:"), "cpu:"),
    (("--device", "cuda:99999999999"), "cuda"),
    (("--device", "cuda:5"), "cuda:5"),
    (("--device", "mps:7"), "mps:7"),
    (("--device", "CPU"), "CPU"),
    (("--device", "meta"), "meta"),
    (("--device", "x" * 5000), "device"),
    (("--detector", ""), "model"),
    (("--detector", "dlib"), "detector"),
    (("--detector", "mtcn"), "mtcnn"),
    (("--detector", "mtcnn=/etc/passwd"), "mtcnn"),
    (("--detector", "x" * 5000), "model"),
    (("--backbone", ""), "model"),
    (("--backbone", "mtcnn"), "backbone"),
    (("--backbone", "dlip"), "dlib"),
    (("--backbone", "../../etc/passwd"), "model"),
    (("--fps", "0"), "--fps"),
    (("--fps", "-1"), "--fps"),
    (("--fps", "nan"), "--fps"),
    (("--fps", "inf"), "--fps"),
    (("--fps", "1e999"), "--fps"),
    (("--fps", "1/0"), "--fps"),
    (("--fps", "0/1"), "--fps"),
    (("--fps", "9" * 5000), "--fps"),
    (("--fps", ""), "--fps"),
    (("--fps", "24/1/1"), "--fps"),
    (("--fps", "٢٤"), "frame rate"),
    (("--set", ""), "setting"),
    (("--set", "="), "setting"),
    (("--set", "=3"), "setting"),
    (("--set", "seed"), "seed"),
    (("--set", "seed=1", "--set", "seed=-1"), "seed"),
    (("--set", ".=3"), "setting"),
    (("--set", "faces.=3"), "faces"),
    (("--set", ".stride=3"), "setting"),
    (("--set", "faces..stride=3"), "faces"),
    (("--set", "a." * 10_000 + "b=3"), "setting"),
    (("--set", "x" * 100_000 + "=3"), "setting"),
    (("--set", "seed=" + "x" * 100_000), "seed"),
    (("--set", "cluster.drawz=3"), "cluster.draws"),
    (("--set", "faces.strde=3"), "faces.stride"),
    (("--set", "Faces.stride=3"), "faces"),
    (("--set", "stride=3"), "faces.stride"),
    (("--set", "faces=[]"), "faces"),
    (("--set", "cluster.choose="), "choose"),
    (("--set", "cluster.choose=frozen"), "choose"),
    (("--set", "cluster.choose=" + "+" * 5000), "choose"),
    (("--seed", "3"), "--seed"),
    (("--log-json", "--quiet=3"), "--quiet"),
    (("--no-such-option",), "--no-such-option"),
)
"""Options that cannot be, with what must be in the line about them."""
AT_ODDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("quality.min_aspect=2", "quality.max_aspect=0.5"), "aspect"),
    (("adapt.rounds=1", "adapt.tokens=shared", "adapt.objective=looks"), "tokens"),
    (("adapt.rounds=1", "adapt.tokens=shared", "adapt.trainable=head"), "tokens"),
    (("adapt.rounds=1", "adapt.tokens=shared"), "tokens"),
    (("cluster.choose=round-9/or", "adapt.rounds=1"), "choose"),
    (("adapt.given=nowhere.vcn", "adapt.rounds=1"), "nowhere.vcn"),
    (("embed.backbone=onnx",), "onnx"),
    (("embed.backbone=onnx=nowhere.onnx",), "nowhere.onnx"),
    (("faces.detector=yunet=nowhere.onnx",), "nowhere.onnx"),
)
"""Settings that do not go together, or want what is not there."""
OTHER: tuple[tuple[tuple[str, ...], str], ...] = (
    (("cluster",), "FILM"),
    (("cluster", ""), ""),
    (("cluster-tracks", "CROPS", "--shots", "x.csv", "--film", "FILM"), "--shots"),
    (("cluster-tracks", "CROPS", "-o", "out", "--set", "seed=-1"), "seed"),
    (("adapt", "RUN", "--profile", "instant"), "adapt.rounds"),
    (("adapt", "RUN", "--profile", "auto"), "adapt.rounds"),
    (("adapt", "RUN", "--set", "adapt.rounds=0"), "adapt.rounds"),
    (("adapt", "RUN", "--set", "adapt.rate=inf"), "adapt.rate"),
    (("adapt", "RUN", "--set", "adapt.epochs=-1"), "adapt.epochs"),
    (("adapt", "RUN", "--from-model", "nowhere.vcn"), "nowhere.vcn"),
    (("ablate", "SET", "-o", "out", "--seeds", "0"), "--seeds"),
    (("ablate", "SET", "-o", "out", "--seeds", "-1"), "--seeds"),
    (("ablate", "SET", "-o", "out", "--seeds", "9" * 30), "--seeds"),
    (("ablate", "SET", "-o", "out", "--jobs", "9" * 30), "--jobs"),
    (("ablate", "SET", "-o", "out", "--jobs", "0"), "--jobs"),
    (("ablate", "SET", "-o", "out", "--studies", "profile"), "profiles"),
    (("ablate", "SET", "-o", "out", "--studies", ""), "stud"),
    (("ablate", "SET", "-o", "out", "--backbones", "dlip"), "dlib"),
    (("ablate", "SET", "-o", "out", "--backbones", ""), "no model named"),
    (("ablate", "SET", "-o", "out", "--set", "cluster.drawz=3"), "cluster.draws"),
    (("bench", "run", "SET", "-o", "out", "--methods", ""), "method"),
    (("bench", "run", "SET", "-o", "out", "--methods", "hacc"), "hac"),
    (("bench", "run", "SET", "-o", "out", "--seeds", "0"), "--seeds"),
    (("bench", "run", "SET", "-o", "out", "--seeds", "9" * 30), "--seeds"),
    (("bench", "run", "SET", "-o", "out", "--jobs", "9" * 30), "--jobs"),
    (("bench", "run", "SET", "-o", "out", "--backbones", "dlip"), "dlib"),
    (("dataset", "export", "BOXES", "out", "--form", "cvta"), "cvat"),
    (("dataset", "export", "BOXES", "out", "--form", "cvat", "--fps", "inf"), "--fps"),
    (("dataset", "check", "BOXES", "--fps", "nan"), "--fps"),
    (("dataset", "stats", "RUN", "-o", "out", "--backbone", "dlip"), "dlib"),
    (("models", "show", ""), "model"),
    (("models", "show", "../dlib"), "model"),
    (("models", "show", "dlip"), "dlib"),
    (("models", "pull", "\x1b[2J"), "model"),
    (("models", "pull", "x" * 5000), "model"),
    (("models", "pull", "onnx=x"), "onnx"),
    (("settings", "more"), "more"),
    (("show", "RUN", "--json=3"), "--json"),
    (("clustre", "FILM"), "cluster"),
    (("",), ""),
)
"""Options of other commands; words in capitals stand for what is given to them."""


def _words(material: Material, words: tuple[str, ...]) -> list[str | Path]:
    things = {
        "FILM": lambda: material.film,
        "RUN": lambda: material.film_run,
        "CROPS": lambda: material.crops,
        "SET": lambda: material.crops.parent,
        "BOXES": lambda: material.crops.parent / "tracks.csv",
    }
    return [things[word]() if word in things else word for word in words]


def options(material: Material, rng: random.Random) -> Iterator[Case]:
    """Options that cannot be."""
    for given, named in CLUSTER:
        words = ("cluster", "FILM", "-o", "out", *QUICK, *given)
        yield Case(" ".join(given)[:60], partial(_refuses, material, words, named))
    for settings, named in AT_ODDS:
        more = [word for setting in settings for word in ("--set", setting)]
        words = ("cluster", "FILM", "-o", "out", "-q", *more)
        yield Case(" ".join(settings)[:60], partial(_refuses, material, words, named))
    for words, named in OTHER:
        yield Case(f"vcn {' '.join(words)[:60]}", partial(_refuses, material, words, named))


def _refuses(material: Material, words: tuple[str, ...], named: str, place: Place) -> None:
    run = copied(material.film_run, place.folder / "film.vcn") if "RUN" in words else None
    given = [run if word == "RUN" and run else word for word in words]
    outcome = place.vcn(*_words(material, tuple(map(str, given))), codes=(2, 3, 4, 5, 6))
    refused(place, outcome, named)
    if run:
        wrong = differences(run, material.film_run)
        place.must(not wrong, f"the run was changed: {wrong}")


def _nothing(path: Path) -> None:
    """Leave the place empty."""


def _full(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine", encoding="utf-8")


PLACES: dict[str, tuple[str, Callable[[Path], object], tuple[int, ...]]] = {
    "no name": ("", _nothing, (2, 5)),
    "here": (".", _nothing, (0, 2, 5)),
    "above": ("/", _nothing, (2, 5)),
    "a device": ("/dev/null", _nothing, (2, 5)),
    "below a device": ("/dev/null/x", _nothing, (5,)),
    "below what the system makes": ("/proc/x", _nothing, (5,)),
    "a name of 256 bytes": ("x" * 256, _nothing, (5,)),
    "a name of 255 bytes": ("x" * 255, _nothing, (0, 5)),
    "a name of 200 letters of three bytes": ("字" * 200, _nothing, (5,)),
    "a path of 6,000 bytes": ("a/" * 3000, _nothing, (5,)),
    "control characters": ("a\x1b[2J\nb", _nothing, (0,)),
    "a folder that holds something": ("there", _full, (5,)),
    "a file": ("there", lambda path: path.write_text("mine", encoding="utf-8"), (5,)),
    "a pipe": ("there", os.mkfifo, (5,)),
    "a link to nothing": ("there", lambda path: path.symlink_to("nowhere"), (0, 5)),
    "a link to itself": ("there", lambda path: path.symlink_to("there"), (5,)),
    "below a file": ("film.mp4/out", _nothing, (5,)),
    "the film": ("film.mp4", _nothing, (5,)),
    "an option": ("--", _nothing, (0, 2)),
}
"""Where a run folder is asked for: name, what lies there, exit codes."""


def places(material: Material, rng: random.Random) -> Iterator[Case]:
    """Output folders in odd places."""

    def attack(
        name: str, make: Callable[[Path], object], codes: tuple[int, ...], place: Place
    ) -> None:
        film = copied(material.film, place.folder / "film.mp4")
        make(place.folder / name)
        for command in (("cluster", "film.mp4"), ("cluster-tracks", material.crops)):
            made = place.vcn(*command, f"--output={name}", *QUICK, codes=codes)
            refused(place, made, "", PATHS)
            if made.code == 0:
                break
        place.must(film.read_bytes() == material.film.read_bytes(), "the film was changed")
        mine = place.folder / "there" / "mine.txt"
        place.must(make is not _full or mine.exists(), "what lay there is gone")

    for what, (name, make, codes) in PLACES.items():
        yield Case(what, partial(attack, name, make, codes))


def begun_with(material: Material, rng: random.Random) -> Iterator[Case]:
    """Models to begin with that are none."""

    def attack(make: Callable[[Path], object], place: Place) -> None:
        make(place.folder / "model.vcn")
        words = ("cluster", material.film, "-o", "out", *QUICK, "--from-model", "model.vcn")
        refused(place, place.vcn(*words, codes=(2, 4, 5)), "model.vcn")

    kinds: dict[str, Callable[[Path], object]] = {
        "nothing": _nothing,
        "an empty folder": lambda path: path.mkdir(),
        "a folder of something": _full,
        "a file": lambda path: path.write_text("mine", encoding="utf-8"),
        "a pipe": os.mkfifo,
        "a link to itself": lambda path: path.symlink_to(path.name),
        "a run that learned nothing": lambda path: copied(material.film_run, path),
    }
    for what, make in kinds.items():
        yield Case(what, partial(attack, make))


RUBBISH = ("", "x", "-1", "nan", "9" * 30, "1.5")
ENVIRONMENT: tuple[tuple[dict[str, str], tuple[str, ...], tuple[int, ...]], ...] = (
    *(({"WORLD_SIZE": v}, ("adapt", "RUN", "-q"), (2,)) for v in (*RUBBISH, "0")),
    *(({"RANK": v, "WORLD_SIZE": "2"}, ("adapt", "RUN", "-q"), (2,)) for v in RUBBISH),
    ({"WORLD_SIZE": "2"}, ("adapt", "RUN", "-q"), (2,)),
    ({"WORLD_SIZE": "2", "RANK": "2"}, ("adapt", "RUN", "-q"), (2,)),
    *(
        ({"VCN_CACHE": v}, ("models", "verify"), (0, 4))
        for v in ("/dev/null", "/dev/null/x", "x" * 300, "a\x1b[2J", "\udcff", "~", "a/" * 3000)
    ),
    *(
        ({"VCN_CACHE": v}, ("models", "show", "yunet"), (0, 4))
        for v in ("/dev/null", "/dev/null/x", "x" * 300, "a\x1b[2J", "\udcff")
    ),
    *(({name: v}, ("settings",), (0,)) for name in ("COLUMNS", "LINES") for v in RUBBISH),
    *(({"TERM": v}, ("show", "RUN"), (0,)) for v in ("", "dumb", "x" * 5000)),
    ({"TMPDIR": "/nowhere"}, ("show", "RUN"), (0,)),
    ({"HOME": "/nowhere", "XDG_CACHE_HOME": ""}, ("models",), (0,)),
    ({"HOME": "", "XDG_CACHE_HOME": "/dev/null"}, ("models",), (0, 4)),
)
"""Variables that are set to what they cannot be, a command, and its exit codes."""


def environment(material: Material, rng: random.Random) -> Iterator[Case]:
    """Variables of the environment that hold rubbish."""

    def attack(
        values: dict[str, str], words: tuple[str, ...], codes: tuple[int, ...], place: Place
    ) -> None:
        run = copied(material.film_run, place.folder / "film.vcn") if "RUN" in words else None
        given = [str(run) if word == "RUN" else word for word in words]
        outcome = place.vcn(*given, codes=codes, before=lambda: os.environ.update(values))
        refused(place, outcome, next(iter(values)) if codes == (2,) else "", PATHS)

    for values, words, codes in ENVIRONMENT:
        told = " ".join(f"{name}={value[:20]!r}" for name, value in values.items())
        yield Case(f"{told} vcn {' '.join(words)}", partial(attack, values, words, codes))


GROUPS: Family = {
    "options": options,
    "places": places,
    "begun with": begun_with,
    "environment": environment,
}
