"""How long a large library takes to load, and what its choice of exemplars is worth.

    python bench/library.py load FILE PEOPLE
    python bench/library.py match FILE PEOPLE
    python bench/library.py choice RUN TRUTH [RUN TRUTH ...]

The first makes a library of PEOPLE with ten drawn exemplars of 512 values each, added film by film,
where FILE is not there yet, and loads it.  The second measures how much longer a film of 1,000
tracks takes beside that library than alone: loading, narrowing, clustering.  The third halves the
tracks of each person of labelled runs at random and names the tracks of one half by exemplars of
the other (decision 21).
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from videoclusternet import open_library, open_run
from videoclusternet.clustering.distance import normalise
from videoclusternet.clustering.find_cast import find_known_cast
from videoclusternet.config import Config
from videoclusternet.library.adding import choose
from videoclusternet.library.adding.offered import SURE, offered
from videoclusternet.library.meeting import people_near
from videoclusternet.types import CropWeights, Embeddings, Tracks, Views
from videoclusternet_bench.data.truth import read_truth

EACH, WIDE, BLOCK, SEEDS = 10, 512, 50_000, 5
CAST, KNOWN, APART = 60, 20, 0.5
"""People of a drawn film, how many of them the library knows, how far a person's tracks scatter."""


def faces_of(people: int) -> np.ndarray:
    """Draw what every person looks like: one vector each."""
    return np.random.default_rng(7).standard_normal((people, WIDE), dtype=np.float32)


def make(path: Path, people: int) -> None:
    rng = np.random.default_rng(0)
    whose = rng.permutation(people * EACH) // EACH
    faces = faces_of(people)
    with open_library(path, create=True) as library, library.writing() as db:
        db.execute("INSERT INTO weights VALUES (1, 'drawn', 'drawn', ?)", (WIDE,))
        named = ((n + 1, f"{n:010x}", f"P{n}", f"p{n}") for n in range(people))
        db.executemany("INSERT INTO person (id, key, name, folded) VALUES (?, ?, ?, ?)", named)
        for start in range(0, len(whose), BLOCK):
            some = whose[start : start + BLOCK].tolist()
            mean = faces[some] + APART * rng.standard_normal((len(some), WIDE))
            mean = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype("<f2")
            db.executemany(
                "INSERT INTO exemplar (id, person, weights, look, length, threshold, crops, "
                "quality, author, time) VALUES (?, ?, 1, 0, 20, .7, 3, .5, '', '')",
                ((start + n + 1, person + 1) for n, person in enumerate(some)),
            )
            rows = ((start + n + 1, mean[n].tobytes()) for n in range(len(some)))
            db.executemany("INSERT INTO embedding VALUES (?, ?)", rows)


def load(path: Path, people: int) -> None:
    if not path.exists():
        begun = time.time()
        make(path, people)
        print(f"made in {time.time() - begun:.1f} s, {path.stat().st_size / 1e9:.2f} GB")
    begun = time.time()
    with open_library(path, write=False) as library:
        gallery = library.gallery("drawn")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(gallery)} exemplars in {time.time() - begun:.1f} s, at most {most:.2f} GiB")


def match(path: Path, people: int) -> None:
    if not path.exists():
        make(path, people)
    rng = np.random.default_rng(1)
    faces = drawn_film(rng)
    settings = (Config().cluster, Config().track_quality, 0)
    begun = time.time()
    find_known_cast(*faces, *settings, None)
    alone, begun = time.time() - begun, time.time()
    near = people_near(path, "drawn", faces[1], faces[3])
    narrowed, begun = time.time() - begun, time.time()
    find_known_cast(*faces, *settings, near)
    beside = time.time() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(near)} exemplars of {len(near.people)} people found in {narrowed:.1f} s;")
    print(f"clustering {alone:.1f} s alone, {beside:.1f} s beside them; at most {most:.2f} GiB")


def drawn_film(rng: np.random.Generator) -> tuple[Tracks, Embeddings, Views, CropWeights]:
    """Draw 1,000 tracks of ``CAST`` people, 4 crops each, 6 views of every crop."""
    tracks, crops, views = 1000, 4, 6
    whom = np.concatenate([faces_of(KNOWN), rng.standard_normal((CAST - KNOWN, WIDE))])
    of = np.repeat(np.arange(tracks), crops)
    base = (whom[rng.integers(CAST, size=tracks)] + APART * rng.standard_normal((tracks, WIDE)))[of]
    base = (base + 0.5 * rng.standard_normal(base.shape)).astype(np.float32)
    seen = base[:, None] + 0.8 * rng.standard_normal((len(of), views, WIDE))
    first = 10 * np.arange(tracks)
    return (
        Tracks(
            film=np.zeros(tracks), shot=np.arange(tracks), first=first, last=first + 5,
            start=np.zeros(tracks + 1), face=np.empty(0), flaw=np.zeros(tracks),
        ),
        Embeddings(of, np.arange(len(of)), base, np.full(len(of), 0.5), tracks, "drawn"),
        Views(seen.astype(np.float32), np.arange(len(of)), 2),
        CropWeights.even(len(of)),
    )  # fmt: skip


def ways(found: object, rows: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    fixed = np.zeros(len(rows), bool)
    pool = choose.Pool(found.mean[rows], found.threshold[rows], found.worth[rows], fixed)
    chosen = rows[choose.choose(pool) >= 0]
    return {"all": rows, "chosen": chosen, "10 by chance": rng.permutation(rows)[:10]}


def choice(pairs: list[tuple[str, str]]) -> None:
    sums: dict[str, np.ndarray] = {}
    for folder, truth in pairs:
        run = open_run(folder)
        said = np.array([one or "" for one in read_truth(Path(truth), run).label], dtype=object)
        described = np.zeros(len(said), bool)
        described[run.embeddings.track] = True
        tracks = np.flatnonzero(described & (said != ""))
        found, label = offered(run, tracks), said[tracks]
        unit, sure = normalise(found.mean.astype(np.float32)), run.cast.confidence[tracks] >= SURE
        for seed in range(SEEDS):
            rng = np.random.default_rng(seed)
            known = rng.random(len(tracks)) < 0.5
            both = [p for p in np.unique(label) if len(set(known[label == p])) == 2]
            probes = np.flatnonzero(~known & np.isin(label, both))
            groups: dict[str, list[np.ndarray]] = {}
            for person in both:
                rows = np.flatnonzero(known & (label == person))
                rows = rows[sure[rows]] if sure[rows].any() else rows
                for way, some in ways(found, rows, rng).items():
                    groups.setdefault(way, []).append(unit[some])
                groups.setdefault("mean", []).append(normalise(unit[rows].mean(0, keepdims=True)))
            for way, some in groups.items():
                near = [np.argmax([f(unit[probes] @ g.T) for g in some], axis=0) for f in HOW]
                right = [(np.array(both)[n] == label[probes]).sum() for n in near]
                counted = np.array([*right, len(probes), sum(map(len, some))])
                sums[way] = sums.get(way, 0) + counted
    for way, (nearest, average, probes, count) in sums.items():
        print(f"{way}: nearest {nearest / probes:.3f}, average {average / probes:.3f}, ", end="")
        print(f"{probes} tracks named by {count} exemplars")


HOW = (lambda x: x.max(axis=1), lambda x: x.mean(axis=1))

if __name__ == "__main__":
    what, *given = sys.argv[1:]
    if what == "load":
        load(Path(given[0]), int(given[1]))
    elif what == "match":
        match(Path(given[0]), int(given[1]))
    else:
        choice(list(zip(given[::2], given[1::2], strict=True)))
