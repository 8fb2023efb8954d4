"""Films under strange names; pictures in place of a film; odd stamps and rates."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2

from tests.attack.case import Case, Place
from tests.attack.films.films import FORMS, Clean, Seen, clean, pictures
from tests.attack.films.judge import cluster, differs, judge
from tests.attack.material import QUICK, Material, copied

NAMES: tuple[str | bytes, ...] = (
    "new\nline.mp4", "tab\t.mp4", "return\r.mp4", "bell\a\b.mp4", "esc\x1b[2J\x1b[31m.mp4",
    "osc\x1b]0;title\a.mp4", "\x7f\x9b1m.mp4", "\u2028line.mp4", "\u202egpj.mp4", "\ufeffbom.mp4",
    "-film.mp4", "--help", "-o", "-", "--", "http:x.mp4", "file:x.mp4", "pipe:0", "concat:a|b.mp4",
    "data:video,x.mp4", "crypto:x.mp4", "subfile,,start,0,end,9,,:x.mp4", "cache:x.mp4", "async:x",
    "tcp:127.0.0.1:9", "S01E02: pilot.mp4", "a%d.mp4", "a%03d.mp4", "%.mp4", "100%%.mp4",
    "%s%n.mp4",
    "a*.mp4", "a?.mp4", "[a].mp4", "{a}.mp4", "{{7*7}}.mp4", "<b>&amp;.mp4", "'quote\".mp4",
    "back\\slash.mp4", "$HOME.mp4", "`id`.mp4", "a;b.mp4", "a&b.mp4", "a|b.mp4", "#a.mp4", "~.mp4",
    "a=b.mp4", "=1+1.mp4", "@film.mp4", "!.mp4", " film.mp4", "film.mp4 ", " ", "...", ".mp4",
    "film.", "film..mp4", "film", "film.vcn", "film.mp4.vcn", "run.json", "lock", "cast.html",
    "con.mp4",
    "\u540d\u524d\u306e\u6620\u753b.mp4", "e\u0301.mp4", "\U0001f3ac.mp4",
    "a\\0b.mp4", "[red]x.mp4",
    b"\xff\xfe.mp4", b"\xc3\x28.mp4", b"caf\xe9.mp4", b"%d\xff.mp4", b"\x80", "x" * 251 + ".mp4",
    "\u00e9" * 125 + ".mp4", "x" * 255, b"\xff" * 251 + b".mp4",
)  # fmt: skip
"""Of a whole film, in an empty folder."""
NO_NAMES = (
    "x" * 252 + ".mp4",
    "x" * 300 + ".mp4",
    "x/" * 3000 + "f.mp4",
    "a\0b.mp4",
    "\0",
    "x" * 200_000,
)
"""Which no file can have."""
OPTIONS = {"--help": 0, "--": 2, "-o": 2}
"""Names that the command takes for its own, as every command does: ``./`` before them helps."""


def names(material: Material, rng: random.Random) -> Iterator[Case]:
    """A whole film under a strange name, with and without a folder before it: the usual cast."""
    whole = clean(material, "mp4")
    for name in NAMES:
        shown = repr(name)[:40]
        yield Case(f"{shown}", partial(_named, whole, name, False))
        yield Case(f"./{shown}", partial(_named, whole, name, True))
    for name in NO_NAMES:
        yield Case(f"no name {name[:9]!r} of {len(name)}", partial(_no_name, name))


def _named(whole: Clean, name: str | bytes, dotted: bool, place: Place) -> None:
    word = os.fsdecode(name)
    film = place.folder / word
    copied(whole.film, film)
    begins = () if dotted or not word.startswith("-") else ("--",)
    given = f"./{word}" if dotted else word
    outcome = place.vcn("cluster", *QUICK, *begins, given, codes=(0, 2, 3, 5))
    place.must(
        film.is_file() and film.read_bytes() == whole.film.read_bytes(), "the film was changed"
    )
    made = [path for path in place.folder.iterdir() if path != film]
    if outcome.code != 0:  # a folder cannot have the name of the film, nor one too long
        place.must(made == [], f"left behind: {made}")
        taken = film.stem + ".vcn" == film.name or film.suffix == "" or len(os.fsencode(word)) > 250
        place.must(taken, f"refused: {outcome.err}", "unclear")
        return
    place.must(len(made) == 1 and made[0].is_dir(), f"made {made}")
    wrong = differs(Seen.of(made[0]), whole)
    place.must(not wrong, wrong)
    told = outcome.out + outcome.err
    place.must(told == "", f"said {told!r}", "unclear")
    shown = place.vcn("show", f"./{made[0].name}", codes=(0,))
    place.must("\x1b" not in shown.out and "\a" not in shown.out, "control characters", "unclear")


def _no_name(name: str, place: Place) -> None:
    outcome = place.vcn("cluster", name, "-o", "out", *QUICK, codes=(2, 3))
    place.must("\0" not in outcome.err, "a zero byte", "unclear")
    place.must(not (place.folder / "out").exists(), "a run of nothing is left", "unclear")


Spoil = Callable[[list[Path], random.Random], object]


def _one(make: Callable[[Path, random.Random], object]) -> Spoil:
    """Spoil one picture in the middle of the second shot, or thereabouts."""

    def spoil(files: list[Path], rng: random.Random) -> None:
        make(files[rng.randrange(28, 44)], rng)

    return spoil


def _all(make: Callable[[Path], object]) -> Spoil:
    """Spoil every picture."""

    def spoil(files: list[Path], rng: random.Random) -> None:
        for file in files:
            make(file)

    return spoil


def _replaced(file: Path, make: Callable[[Path], object]) -> None:
    file.unlink()
    make(file)


def _huge(file: Path, rng: random.Random) -> None:
    data = bytearray(file.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2  # of its header
    file.write_bytes(data)


def _other_size(file: Path, rng: random.Random) -> None:
    cv2.imwrite(str(file), cv2.resize(cv2.imread(str(file)), (96, 72)))


PICTURES: dict[str, Spoil] = {
    "whole": lambda files, rng: None,
    "cut off": _one(lambda f, rng: os.truncate(f, rng.randrange(50, f.stat().st_size - 50))),
    "empty": _one(lambda f, rng: os.truncate(f, 0)),
    "text": _one(lambda f, rng: f.write_text("no picture")),
    "noise": _one(lambda f, rng: f.write_bytes(rng.randbytes(3000))),
    "huge": _one(_huge),
    "of another size": _one(_other_size),
    "a film": _one(lambda f, rng: f.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")),
    "a list": _one(lambda f, rng: f.write_text("#EXTM3U\nhttp://127.0.0.1/x.ts\n")),
    "missing": _one(lambda f, rng: f.unlink()),
    "a folder": _one(lambda f, rng: _replaced(f, Path.mkdir)),
    "a pipe": _one(lambda f, rng: _replaced(f, os.mkfifo)),
    "a link to nothing": _one(lambda f, rng: _replaced(f, lambda p: p.symlink_to("nowhere"))),
    "endless": _one(lambda f, rng: _replaced(f, lambda p: p.symlink_to("/dev/zero"))),
    "unreadable": _one(lambda f, rng: f.chmod(0)),
    "all empty": _all(lambda f: os.truncate(f, 0)),
    "all gone": _all(Path.unlink),
    "the first cut off": lambda files, rng: os.truncate(files[0], 100),
    "the last cut off": lambda files, rng: os.truncate(files[-1], 100),
    "text beside them": lambda files, rng: (files[0].parent / "readme.txt").write_text("x"),
    "another picture": lambda files, rng: os.link(files[3], files[3].with_name("zz.png")),
}  # fmt: skip
RATES = (
    "0",
    "-1",
    "nan",
    "inf",
    "1e999",
    "1/0",
    "0/1",
    "x",
    "",
    "1e9",
    "1e-9",
    "24000/1001",
    "1" * 400,
)


def folders(material: Material, rng: random.Random) -> Iterator[Case]:
    """Folders and patterns of pictures, one of which is spoiled; rates that are none."""
    source = material.folder / "pictures"
    if not source.exists():
        source.mkdir()
        for number, picture in enumerate(pictures(FORMS["mp4"])):
            cv2.imwrite(str(source / f"p{number:03d}.png"), picture[:, :, ::-1])
    run = material.folder / "pictures.vcn"
    if not run.exists():
        material.command(run.name, "cluster", source, "--fps", "24", "-o", run.name, *QUICK)
    whole = Clean(FORMS["mp4"], source, Seen.of(run))
    for name, spoil in PICTURES.items():
        for given in ("shots", "shots/p%03d.png"):
            yield Case(f"{name}, {given}", partial(_pictures, whole, spoil, given))
    for rate in RATES:
        yield Case(f"fps {rate[:20]}", partial(_rate, whole, rate))
    yield Case("fps of a film", partial(_rate_of_a_film, clean(material, "mp4")))


def _pictures(whole: Clean, spoil: Spoil, given: str, place: Place) -> None:
    shots = copied(whole.film, place.folder / "shots")
    files = sorted(shots.iterdir())
    spoil(files, place.rng)
    for path in (place.folder, shots):
        os.chown(path, 65534, 65534)
    nobody = partial(os.seteuid, 65534)
    outcome = cluster(place, given, "--fps", "24", before=nobody)
    if outcome.code:
        place.must(not (place.folder / "out").exists(), "a run of nothing is left", "unclear")
        return
    seen = Seen.of(place.folder / "out")
    wrong = differs(seen, whole)
    # Who names a folder takes what lies there: of a missing number only a pattern can tell.
    fewer = given == "shots" and len(seen.times) != len(whole.seen.times)
    place.must(not wrong or bool(seen.spans or seen.notes) or fewer, f"in silence: {wrong}")


def _rate(whole: Clean, rate: str, place: Place) -> None:
    outcome = cluster(place, whole.film, "--fps", rate, codes=(0, 2, 3, 6))
    if outcome.code == 0:
        seen = Seen.of(place.folder / "out")
        place.must(len(seen.times) == len(whole.seen.times), f"{len(seen.times)} frames")


def _rate_of_a_film(whole: Clean, place: Place) -> None:
    cluster(place, whole.film, "--fps", "30", codes=(2, 3))


Stamp = Callable[[int, int], int]
"""From the number of a packet and its stamp in ticks of 1/90000 s to another."""
STAMPS: dict[str, tuple[Stamp, bool]] = {
    "begin at 10 h": (lambda n, t: t + 36_000 * 90_000, True),
    "wrap": (lambda n, t: t + (1 << 33) - 100_000, True),
    "begin below 0": (lambda n, t: t - 45_000, True),
    "begin anew": (lambda n, t: t if n < 36 else t - 30 * 3750, False),
    "begin anew twice": (lambda n, t: (n % 24) * 3750, False),
    "jump ahead by 2 s": (lambda n, t: t if n < 36 else t + 180_000, False),
    "jump ahead by 20 s": (lambda n, t: t if n < 36 else t + 1_800_000, False),
    "jump ahead by an hour": (lambda n, t: t if n < 36 else t + 324_000_000, False),
    "shake": (lambda n, t: t + (n * 7919) % 1500, False),
    "stand still": (lambda n, t: t if n < 36 else 36 * 3750 + (n - 36), False),
}


def stamps(material: Material, rng: random.Random) -> Iterator[Case]:
    """Whole films with other time stamps: no frame is lost."""
    whole = clean(material, "ts, mpeg2")
    for name, (stamp, times) in STAMPS.items():
        for suffix in (".ts", ".mkv", ".mpg", ".mov"):
            attack = partial(_stamped, whole, stamp, suffix, times)
            yield Case(f"{name}, {suffix}", attack)
    for a, b in (
        ("ts", "ts, mpeg2"),
        ("mpg", "mpg"),
        ("h264", "h264"),
        ("mp4", "mp4"),
        ("flv", "flv"),
    ):
        yield Case(f"{a} and {b}", partial(_joined, clean(material, a), clean(material, b)))


def _stamped(whole: Clean, stamp: Stamp, suffix: str, times: bool, place: Place) -> None:
    film = place.folder / f"film{suffix}"
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(whole.film)) as source, av.open(str(film), "w", options=options) as out:
        stream: Any = out.add_stream_from_template(source.streams.video[0])
        try:
            first = None
            for number, packet in enumerate(source.demux(video=0)):
                if packet.size:
                    first = packet.dts if first is None else first
                    ahead = packet.pts - packet.dts
                    packet.dts = stamp(number, packet.dts - first)
                    packet.pts, packet.stream = packet.dts + ahead, stream
                    packet.time_base = Fraction(1, 90_000)
                    out.mux(packet)
        except (av.FFmpegError, ValueError):
            return  # a muxer that refuses such stamps writes no such film
    judge(place, film, whole, times=times and suffix != ".mkv")


def _joined(a: Clean, b: Clean, place: Place) -> None:
    film = place.folder / f"film{a.form.suffix}"
    film.write_bytes(a.film.read_bytes() + b.film.read_bytes())
    outcome = cluster(place, film)
    if outcome.code == 0:
        seen = Seen.of(place.folder / "out")
        # A container with an index ends with its own film, as players show it.
        place.must(len(seen.times) in (72, 143, 144), f"{len(seen.times)} frames, {seen.notes}")
