"""What is no film though its name says so, lists of other files, and strange places of a film."""

from __future__ import annotations

import io
import os
import random
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tests.attack.case import Case, Place
from tests.attack.films.films import Clean, Seen, clean
from tests.attack.films.judge import cluster, differs, judge, unsaid
from tests.attack.material import Material, copied

NOBODY = 65534


def _zip() -> bytes:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("film.txt", "no film")
    return buffer.getvalue()


def _picture(suffix: str) -> bytes:
    grey = np.full((48, 64, 3), 90, np.uint8)
    return bytes(cv2.imencode(suffix, grey)[1].tobytes())


def _sound(folder: Path, suffix: str, codec: str) -> bytes:
    path = folder / f"sound{suffix}"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=44100)
        samples = np.zeros((1, 44100), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 44100
        resampler = av.AudioResampler(stream.format, stream.layout, 44100, 1024)
        for n, piece in enumerate(resampler.resample(frame)):
            piece.pts, piece.time_base = n * 1024, Fraction(1, 44100)
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path.read_bytes()


SUBTITLE = b"1\n00:00:00,000 --> 00:00:02,000\nHello.\n"
STRANGERS: dict[str, Callable[[Path], bytes]] = {
    "nothing": lambda _: b"",
    "a zero byte": lambda _: b"\0",
    "zeros": lambda _: bytes(100_000),
    "noise": lambda _: random.Random(0).randbytes(200_000),
    "text": lambda _: b"It was a dark and stormy night.\n" * 50,
    "UTF-16": lambda _: ("A film." * 100).encode("utf-16"),
    "HTML": lambda _: b"<!doctype html><html><body>Please log in</body></html>",
    "JSON": lambda _: b'{"format": 3, "films": []}',
    "a zip": lambda _: _zip(),
    "a PDF": lambda _: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n" * 20,
    "a program": lambda _: Path(sys.executable).read_bytes()[:300_000],
    "SQLite": lambda _: b"SQLite format 3\0" + bytes(5000),
    "Parquet": lambda _: b"PAR1" + bytes(500) + b"PAR1",
    "a pickle": lambda _: b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07builtin\x94.",
    "SRT": lambda _: SUBTITLE,
    "WebVTT": lambda _: b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello.\n",
    "ASS": lambda _: b"[Script Info]\nScriptType: v4.00+\n[Events]\n",
    "SVG": lambda _: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/"/></svg>',
    "WAV": lambda f: _sound(f, ".wav", "pcm_s16le"),
    "MP2": lambda f: _sound(f, ".mp2", "mp2"),
    "AAC in MP4": lambda f: _sound(f, ".m4a", "aac"),
    "an MP4 without streams": lambda _: b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08moov",
    "an EBML header": lambda _: b"\x1a\x45\xdf\xa3\x80",
    "FLV header": lambda _: b"FLV\x01\x05\0\0\0\x09\0\0\0\0",
    "GIF header": lambda _: b"GIF89a\xff\xff\xff\xff\xff\0\0",
    "y4m header": lambda _: b"YUV4MPEG2 W192 H144 F24:1 C420jpeg\n",
    "y4m of 100,000 px": lambda _: b"YUV4MPEG2 W100000 H100000 F24:1 C420jpeg\nFRAME\n" + bytes(9000),  # noqa: E501
    "BMP of 30,000 px": lambda _: b"BM" + bytes(12) + (40).to_bytes(4, "little")
    + (30000).to_bytes(4, "little") * 2 + b"\1\0\x18\0" + bytes(24) + bytes(3000),
    **{f"picture {s}": partial(lambda s, _: _picture(s), s) for s in (".png", ".jpg", ".bmp", ".webp")},  # noqa: E501
}  # fmt: skip
SUFFIXES = (".mp4", ".ts", ".h264", ".avi")


def strangers(material: Material, rng: random.Random) -> Iterator[Case]:
    """Other files under the name of a film: an error, or an empty cast of a picture."""
    for name, make in STRANGERS.items():
        data = make(material.folder)
        for suffix in (".mp4", rng.choice(SUFFIXES[1:])):
            yield Case(f"{name} as {suffix}", partial(_stranger, data, suffix, "picture" in name))


def _stranger(data: bytes, suffix: str, picture: bool, place: Place) -> None:
    film = place.folder / f"film{suffix}"
    film.write_bytes(data)
    outcome = cluster(place, film, codes=(0, 3) if picture else (3,))
    if outcome.code == 0:
        shown = place.vcn("show", "out", "--json", codes=(0,))
        place.must(shown.out.strip() == "[]", "people in a grey picture")


def renamed(material: Material, rng: random.Random) -> Iterator[Case]:
    """A film under the suffix of another kind: the same cast, or an error."""
    suffixes = [".avi", ".ts", ".txt", ".jpg", ".mp3", ".h264", ".yuv", ".m3u8", ".srt", "", ".vcn"]
    for name in ("mp4", "mkv", "ts", "avi", "gif", "y4m"):
        whole = clean(material, name)
        for suffix in rng.sample(suffixes, 4):
            yield Case(f"{name} as {suffix or 'nothing'}", partial(_renamed, whole, suffix))


def _renamed(whole: Clean, suffix: str, place: Place) -> None:
    judge(place, copied(whole.film, place.folder / f"film{suffix}"), whole)


LISTS: dict[str, tuple[str, str]] = {
    "HLS": ("l.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n"),
    "HLS as MP4": ("l.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n"),
    "HLS of lists": ("l.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{}\n"),
    "HLS with a key": (
        "l.m3u8",
        '#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF:3,\nx.ts\n',
    ),
    "concat": ("l.ffconcat", "ffconcat version 1.0\nfile {}\n"),
    "concat as MP4": ("l.mp4", "ffconcat version 1.0\nfile {}\n"),
    "concat as text": ("l.txt", "ffconcat version 1.0\nfile '{}'\nduration 3\n"),
    "SDP": ("l.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
            "m=video PORT RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:{}\n"),
    "DASH": ("l.mpd", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '  # noqa: E501
             'mediaPresentationDuration="PT3S"><Period><AdaptationSet mimeType="video/mp4">'
             '<Representation id="1" bandwidth="9"><BaseURL>{}</BaseURL></Representation>'
             "</AdaptationSet></Period></MPD>"),
    "IMF": ("l.xml", '<?xml version="1.0"?><CompositionPlaylist><Id>{}</Id></CompositionPlaylist>'),
    "ASX": ("l.asf", '<ASX version="3.0"><ENTRY><REF HREF="{}"/></ENTRY></ASX>'),
    "M3U": ("l.m3u", "#EXTM3U\n#EXTINF:3,film\n{}\n"),
    "PLS": ("l.pls", "[playlist]\nFile1={}\n"),
    "RealMedia": ("l.ram", "{}\n"),
    "smooth": ("l.ism", '<smil><body><video src="{}"/></body></smil>'),
    "AviSynth": ("l.avs", 'FFVideoSource("{}")\n'),
    "VapourSynth": ("l.vpy", 'import core\nopen("{}")\n'),
    "shortcut": ("l.url", "[InternetShortcut]\nURL={}\n"),
}  # fmt: skip
"""Lists of other files, and what they are called; ``{}`` is where something lies."""
TARGETS = ("http", "rtmp", "file", "relative", "pattern", "subfile")


def lists(material: Material, rng: random.Random) -> Iterator[Case]:
    """Lists of addresses and of other files: nothing but the file itself is looked at."""
    whole = clean(material, "ts")
    for name in LISTS:
        for target in ("http", "relative", rng.choice(TARGETS)):
            yield Case(f"{name} of {target}", partial(_list, whole, name, target))


def _list(whole: Clean, name: str, target: str, place: Place) -> None:
    copied(whole.film, place.folder / "other.ts")
    copied(whole.film, place.folder / "other001.ts")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        there = {
            "http": f"http://127.0.0.1:{port}/x.ts",
            "rtmp": f"rtmp://127.0.0.1:{port}/x",
            "file": f"file://{place.folder}/other.ts",
            "relative": "other.ts",
            "pattern": "other%03d.ts",
            "subfile": "subfile,,start,0,end,0,,:other.ts",
        }[target]
        file, text = LISTS[name]
        (place.folder / file).write_text(text.replace("{}", there).replace("PORT", str(port)))
        cluster(place, place.folder / file, codes=(3,))
        try:
            server.accept()[0].close()
            place.must(False, f"{name} reached the network")
        except BlockingIOError:
            return  # nobody called


Put = Callable[[Place, Clean], "str | Path"]


def _fifo(place: Place, whole: Clean) -> str:
    os.mkfifo(place.folder / "film.mp4")
    return "film.mp4"


def _socket(place: Place, whole: Clean) -> str:
    here = os.getcwd()
    os.chdir(place.folder)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("film.mp4")
    os.chdir(here)
    return "film.mp4"


def _link(to: str) -> Put:
    def put(place: Place, whole: Clean) -> str:
        (place.folder / "film.mp4").symlink_to(to)
        return "film.mp4"

    return put


def _link_to_a_pipe(place: Place, whole: Clean) -> str:
    os.mkfifo(place.folder / "pipe")
    (place.folder / "film.mp4").symlink_to("pipe")
    return "film.mp4"


def _loop(place: Place, whole: Clean) -> str:
    (place.folder / "film.mp4").symlink_to("b.mp4")
    (place.folder / "b.mp4").symlink_to("film.mp4")
    return "film.mp4"


def _folder(place: Place, whole: Clean) -> str:
    (place.folder / "film.mp4" / "inner").mkdir(parents=True)
    return "film.mp4"


def _through_a_file(place: Place, whole: Clean) -> str:
    copied(whole.film, place.folder / "film.mp4")
    return "film.mp4/film.mp4"


def _unreadable(place: Place, whole: Clean) -> str:
    copied(whole.film, place.folder / "film.mp4").chmod(0)
    return "film.mp4"


def _shut_away(place: Place, whole: Clean) -> str:
    (place.folder / "in").mkdir()
    copied(whole.film, place.folder / "in" / "film.mp4")
    (place.folder / "in").chmod(0)
    return "in/film.mp4"


def _word(word: str) -> Put:
    return lambda place, whole: word


PLACES: dict[str, Put] = {
    "a pipe": _fifo,
    "a socket": _socket,
    "a link to a pipe": _link_to_a_pipe,
    "a link to nothing": _link("nowhere.mp4"),
    "a link to itself": _link("film.mp4"),
    "a loop of links": _loop,
    "a link to endless bytes": _link("/dev/zero"),
    "a link to its folder": _link("."),
    "a folder": _folder,
    "through a file": _through_a_file,
    "unreadable": _unreadable,
    "in a folder that is shut": _shut_away,
    **{word: _word(word) for word in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/stdin", "/dev/tty",  # noqa: E501
                                      "/proc/self/mem", "/proc/self/fd/0", "/", ".", "..", "", " ", "-")},  # noqa: E501
}  # fmt: skip


def places(material: Material, rng: random.Random) -> Iterator[Case]:
    """What is no file, or may not be read, in place of a film."""
    whole = clean(material, "mp4")
    for name, put in PLACES.items():
        for more in ((), ("--fps", "24")):
            attack = partial(_in_place, whole, put, more)
            yield Case(f"{name or 'empty'} {' '.join(more)}".strip(), attack)


def _in_place(whole: Clean, put: Put, more: tuple[str, ...], place: Place) -> None:
    film = put(place, whole)
    os.chown(place.folder, NOBODY, NOBODY)
    nobody = partial(os.seteuid, NOBODY)
    codes = (2, 3)
    cluster(place, film, *more, codes=codes, before=nobody)
    place.must(not (place.folder / "out").exists(), "a run of nothing is left", "unclear")


def changes(material: Material, rng: random.Random) -> Iterator[Case]:
    """Films that shrink, vanish, grow or become another while they are read."""
    for name in ("mp4", "mkv", "ts", "y4m", "dv"):
        whole = clean(material, name)
        for change in (_shrinks, _vanishes, _grows, _is_emptied, _is_zeroed):
            after = rng.uniform(0, 1.2)
            attack = partial(_changing, whole, change, after)
            yield Case(f"{name}, {change.__name__.strip('_')} after {after:.2f} s", attack)


def _shrinks(film: Path) -> None:
    os.truncate(film, film.stat().st_size // 2)


def _vanishes(film: Path) -> None:
    film.unlink()


def _grows(film: Path) -> None:
    with film.open("ab") as stream:
        stream.write(bytes(10_000))


def _is_emptied(film: Path) -> None:
    os.truncate(film, 0)


def _is_zeroed(film: Path) -> None:
    size = film.stat().st_size
    with film.open("r+b") as stream:
        stream.seek(size // 2)
        stream.write(bytes(size // 3))


def _changing(whole: Clean, change: Callable[[Path], None], after: float, place: Place) -> None:
    film = copied(whole.film, place.folder / f"film{whole.form.suffix}")

    def later() -> None:
        time.sleep(after)
        change(film)

    def before() -> None:
        threading.Thread(target=later, daemon=True).start()

    outcome = cluster(place, film, before=before, codes=(0, 3))
    if outcome.code == 0:
        seen = Seen.of(place.folder / "out")
        wrong = differs(seen, whole)
        silent = not (seen.notes or seen.spans)
        cut = not whole.form.length and len(seen.times) < len(whole.seen.times)
        if wrong and not cut:
            place.must(
                not silent and not unsaid(seen, whole), f"{wrong}; {seen.notes} {seen.spans}"
            )
