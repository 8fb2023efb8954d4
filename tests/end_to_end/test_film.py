"""The demo film from end to end with the embedded networks; several films at once."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import Vcn
from tests.drawn import FLAGS, QUICKLY, FakeModels, draw_film
from videoclusternet import Config, Event, Result, VcnError, characters, cluster_film, open_run
from videoclusternet.cli.demo_film import FPS, SHOTS, WIDTH, build_demo
from videoclusternet.errors import ConfigError

NEAR = 60
"""A track whose middle lies this close to a person, px, shows that person."""


def people_of(result: Result) -> Iterator[tuple[int, str | None]]:
    """Who each track shows, by the layout of the demo; None for something else."""
    film = result.films[0]
    assert film.faces is not None
    for track in range(len(result.tracks)):
        box = film.faces.box[film.tracks.faces_of(track)]
        x = float(((box[:, 0] + box[:, 2]) / 2).mean())
        shot = SHOTS[int(result.tracks.shot[track])]
        middles = [
            (abs(x - WIDTH * (1 - place if shot.mirror else place)), name)
            for name, place, _ in shot.people
        ]
        distance, name = min(middles, default=(np.inf, None))
        yield track, name if distance < NEAR else None


def test_shots_are_the_shots_of_the_demo(demo_run: Result) -> None:
    shots = demo_run.films[0].shots
    assert shots is not None
    edges = np.cumsum([0, *(round(shot.seconds * FPS) for shot in SHOTS)])
    assert shots.start.tolist() == edges[:-1].tolist()
    assert shots.stop.tolist() == edges[1:].tolist()


def test_every_person_of_every_shot_has_one_track(demo_run: Result) -> None:
    found = sorted(
        (int(demo_run.tracks.shot[track]), name) for track, name in people_of(demo_run) if name
    )
    assert found == sorted((n, name) for n, shot in enumerate(SHOTS) for name, *_ in shot.people)


def test_two_characters_each_of_one_person(demo_run: Result) -> None:
    assert demo_run.cast.characters == 2
    of: dict[str | None, set[int]] = {}
    for track, name in people_of(demo_run):
        of.setdefault(name, set()).add(int(demo_run.cast.character[track]))
    # What shows nobody may be found, but belongs to nobody.
    assert of.pop(None, {-1}) == {-1}
    assert sorted(of.values(), key=min) == [{0}, {1}]


def test_shot_of_two_people_has_two_characters(demo_run: Result) -> None:
    (both,) = [n for n, shot in enumerate(SHOTS) if len(shot.people) == 2]
    tracks = np.flatnonzero(demo_run.tracks.shot == both)
    assert len(tracks) == 2 and sorted(demo_run.cast.character[tracks]) == [0, 1]
    assert sorted(tracks.tolist()) in demo_run.tracks.overlapping().tolist()


def test_no_face_in_the_empty_shot(demo_run: Result) -> None:
    (empty,) = [n for n, shot in enumerate(SHOTS) if not shot.people]
    assert not (demo_run.tracks.shot == empty).any()


def test_tracks_stay_inside_their_shot(demo_run: Result) -> None:
    shots = demo_run.films[0].shots
    assert shots is not None
    of = demo_run.tracks.shot
    assert (demo_run.tracks.first >= shots.start[of]).all()
    assert (demo_run.tracks.last < shots.stop[of]).all()


def test_characters_are_sure_and_sorted_by_screen_time(demo_run: Result) -> None:
    first, second = [c for c in characters(demo_run) if c.index >= 0]
    assert first.seconds >= second.seconds > 10
    assert min(first.confidence, second.confidence) > 0.8
    assert first.seconds + second.seconds < 33 + 3


def test_page_stands_alone_and_shows_everybody(demo_run: Result) -> None:
    page = (demo_run.folder / "cast.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|<link|<iframe|@import|url\(", page)
    sources = re.findall(r'src="([^"]*)"', page)
    assert sources and all(s.startswith("data:image/jpeg;base64,") for s in sources)
    for name in ("Character 1", "Character 2"):
        assert f"<bdi>{name}</bdi></h2>" in page
        assert page.count(f'="{name}, track ') == 6
    assert "<title>Cast of demo</title>" in page
    assert page.count('aria-label="When ') == 2


def test_crops_are_upright_faces(demo_run: Result) -> None:
    """The detector finds a face in the middle of every clear crop."""
    with zipfile.ZipFile(demo_run.folder / "crops.zip") as archive:
        assert len(archive.namelist()) == len(demo_run.films[0].crops)
    known = demo_run.cast.character[demo_run.crop_track] >= 0
    pixels = demo_run.pictures.pixels(np.flatnonzero(known))
    assert pixels.shape[1:] == (144, 144, 3) and len(pixels) > 40
    spread = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[40:104, 40:104].std() for p in pixels]
    assert min(spread) > 10


def test_python_interface(demo_run: Result) -> None:
    film = build_demo(demo_run.folder.parent)  # kept, not drawn again
    events: list[Event] = []
    again = cluster_film(str(film), str(demo_run.folder), Config(), events.append)
    assert {event.kind for event in events} == {"cached"}
    assert np.array_equal(again.cast.character, demo_run.cast.character)
    assert open_run(str(demo_run.folder)).cast.digest == demo_run.cast.digest
    with pytest.raises(ConfigError, match="no film given"):
        cluster_film([])
    assert issubclass(ConfigError, VcnError)


def test_show(demo_run: Result, vcn: Vcn) -> None:
    outcome = vcn("show", demo_run.folder)
    assert (outcome.code, outcome.err) == (0, "")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert [row[:2] for row in rows[1:3]] == [["Character", "1"], ["Character", "2"]]
    assert rows[1][2] == rows[2][2] == "7"


def test_show_json(demo_run: Result, vcn: Vcn) -> None:
    outcome = vcn("show", demo_run.folder, "--json")
    cast = json.loads(outcome.out, parse_constant=pytest.fail)
    known = [c for c in cast if c["character"] >= 0]
    assert [c["name"] for c in known] == ["Character 1", "Character 2"]
    tracks = sorted(t for c in cast for t in c["tracks"])
    assert tracks == list(range(len(demo_run.tracks)))
    for c in known:
        assert 0.5 < c["confidence"] <= 1
        assert c["seconds"] == pytest.approx(sum(s["stop"] - s["start"] for s in c["spans"]), 0.01)
        assert all(s["film"] == "demo" and 0 <= s["start"] < s["stop"] <= 30 for s in c["spans"])


def test_show_candidates(demo_run: Result, vcn: Vcn) -> None:
    outcome = vcn("show", demo_run.folder, "--candidates", "--json")
    candidates = json.loads(outcome.out, parse_constant=pytest.fail)
    (chosen,) = [c for c in candidates if c["chosen"]]
    assert chosen["name"] == demo_run.cast.chosen and chosen["characters"] == 2
    assert len({c["name"] for c in candidates}) == len(candidates)
    table = vcn("show", demo_run.folder, "--candidates")
    assert table.code == 0
    (line,) = [line for line in table.out.splitlines() if line.rstrip().endswith("chosen")]
    assert line.startswith(chosen["name"])


def test_score_against_the_layout_of_the_demo(demo_run: Result, vcn: Vcn, tmp_path: Path) -> None:
    edges = np.cumsum([0, *(round(shot.seconds * FPS) for shot in SHOTS)])
    with (tmp_path / "shots.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["shot", "start_frame", "end_frame_exclusive"])
        writer.writerows([n, *edges[n : n + 2].tolist()] for n in range(len(SHOTS)))
    with (tmp_path / "truth.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["shot", "identity", "x_min", "x_max"])
        for n, shot in enumerate(SHOTS):
            for name, place, _ in shot.people:
                x = WIDTH * (1 - place if shot.mirror else place)
                writer.writerow([n, name, x - NEAR, x + NEAR])
    outcome = vcn("score", demo_run.folder, tmp_path, "--json")
    assert outcome.code == 0
    scores = json.loads(outcome.out, parse_constant=pytest.fail)
    assert scores["wcp"] == scores["bcubed_f"] == scores["nmi"] == scores["ari"] == 1
    assert scores["clusters"] == scores["characters"] == 2
    assert scores["visible"] == scores["found"] == 14
    assert scores["false_tracks"] == len(demo_run.tracks) - 14
    table = vcn("score", demo_run.folder, tmp_path)
    assert table.code == 0 and "bcubed_f" in table.out


def test_score_by_boxes(demo_run: Result, vcn: Vcn, tmp_path: Path) -> None:
    """Truth made of the run's own boxes, with one wrong label."""
    film = demo_run.films[0]
    assert film.faces is not None
    truth = tmp_path / "tracks.csv"
    with truth.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["track_id", "frame", "x", "y", "w", "h", "label"])
        for track, name in people_of(demo_run):
            if name is None:
                continue
            for face in film.tracks.faces_of(track):
                x1, y1, x2, y2 = film.faces.box[face].tolist()
                label = "somebody else" if track == 0 else name
                writer.writerow([track, film.faces.frame[face], x1, y1, x2 - x1, y2 - y1, label])
    scores = json.loads(vcn("score", demo_run.folder, truth, "--json").out)
    assert scores["characters"] == 3 and scores["clusters"] == 2
    assert scores["wcp"] == pytest.approx(13 / 14)


def test_malformed_truth(demo_run: Result, vcn: Vcn, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("a,b\n1,2\n")
    outcome = vcn("score", demo_run.folder, tmp_path / "truth.csv")
    assert outcome.code == 6 and "truth.csv: unknown columns a, b" in outcome.complaint
    outcome = vcn("score", demo_run.folder, tmp_path / "gone.csv")
    assert outcome.code == 6 and "gone.csv" in outcome.complaint


BRIEFLY = ("--set", "adapt.epochs=2", "--set", "adapt.later_epochs=1", "--set", "adapt.rounds=2")
"""The paper's schedule is for hours on a GPU."""


@pytest.mark.slow
def test_paper_profile_on_the_demo(demo_run: Result, tmp_path: Path) -> None:
    result = cluster_film(
        build_demo(demo_run.folder.parent),
        tmp_path / "paper.vcn",
        Config.load("paper", None, BRIEFLY[1::2]),
    )
    assert result.cast.chosen.endswith("/or") and len(result.cast) == len(demo_run.cast)
    assert result.cast.characters >= 1 and (result.folder / "cast.html").exists()


# --- drawn films -----------------------------------------------------------------------


def test_two_films_share_one_cast(fake_models: FakeModels, tmp_path: Path, vcn: Vcn) -> None:
    first = draw_film(tmp_path / "pilot.mp4", [("red",), ("blue",)])
    second = draw_film(tmp_path / "finale.mp4", [("blue",), (), ("red",), ("red", "blue")])
    run = tmp_path / "series"
    outcome = vcn("cluster", first, second, "-o", run, *FLAGS)
    assert outcome.code == 0
    result = open_run(run)
    assert [film.name for film in result.films] == ["pilot", "finale"]
    assert result.tracks.film.tolist() == [0, 0, 1, 1, 1, 1]
    character = result.cast.character
    a, b = character[:2].tolist()
    assert {a, b} == {0, 1} and character[2:].tolist() == [b, a, a, b]
    shown = json.loads(vcn("show", run, "--json").out)
    assert [{s["film"] for s in c["spans"]} for c in shown] == [{"pilot", "finale"}] * 2
    page = (run / "cast.html").read_text()
    assert "<title>Cast of pilot, finale</title>" in page and page.count('aria-label="When ') == 4
    assert sorted(p.name for p in (run / "films").iterdir()) == ["000-pilot", "001-finale"]
    # Pictures come from the film they belong to.
    assert len(result.pictures) == sum(len(film.crops) for film in result.films)
    for row in range(len(result.pictures)):
        pixels = result.pictures.pixels([row])[0, 40:100, 40:100].mean(axis=(0, 1))
        red = pixels[0] > pixels[2]
        assert red == (character[result.crop_track[row]] == a)


def test_default_folder_is_named_after_the_films(
    fake_models: FakeModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn_film: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cluster_film(drawn_film, config=QUICKLY).folder == Path("drawn.vcn")
    films = [drawn_film, draw_film(tmp_path / "b.mp4", [("red",)])]
    assert cluster_film(films, config=QUICKLY).folder == Path("drawn-and-1-more.vcn")


def test_same_film_twice(fake_models: FakeModels, drawn_film: Path, tmp_path: Path) -> None:
    result = cluster_film([drawn_film, drawn_film], tmp_path / "run", QUICKLY)
    half = len(result.cast) // 2
    assert len(result.cast) == 8
    assert np.array_equal(result.cast.character[:half], result.cast.character[half:])


def test_paper_profile_runs_to_the_end(
    fake_models: FakeModels, drawn_film: Path, tmp_path: Path, vcn: Vcn
) -> None:
    outcome = vcn("cluster", drawn_film, "--profile", "paper", "-o", tmp_path / "run", *BRIEFLY)
    assert outcome.code == 0
    result = open_run(tmp_path / "run")
    assert result.cast.chosen.startswith("round-") and len(result.cast) == 4
    assert np.isfinite(result.cast.confidence).all()
