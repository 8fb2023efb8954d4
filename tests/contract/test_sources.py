"""Every way into the method: what it brings fits together, and is brought once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.drawn import QUICKLY, FakeModels, write_boxes
from videoclusternet import Config, adapt_run, cluster, open_run
from videoclusternet.errors import ConfigError, DataError
from videoclusternet.events import Event
from videoclusternet.models.load import LazyDetector
from videoclusternet.runfolder.crop_zip import CROP_ZIP, CropPictures
from videoclusternet.runfolder.steps import Run
from videoclusternet.sources.boxes import BoxSource
from videoclusternet.sources.crops import CropSource
from videoclusternet.sources.features import FeatureSource, checked, write_features
from videoclusternet.sources.film import FilmSource
from videoclusternet.sources.source import Brought, Source

DETECTOR = LazyDetector("mtcnn", "cpu")
Make = Callable[[], Source]


@pytest.fixture
def film_source(drawn_film: Path) -> Make:
    return lambda: FilmSource.open(drawn_film)


@pytest.fixture
def box_source(drawn_film: Path, drawn_run: Path, tmp_path: Path) -> Make:
    boxes = write_boxes(drawn_run, tmp_path / "boxes", ["red", "blue", "red", "blue"])
    return lambda: BoxSource.open(drawn_film, boxes)


@pytest.fixture
def crop_source(drawn_run: Path) -> Make:
    return lambda: CropSource.open(drawn_run / CROP_ZIP)


@pytest.fixture
def feature_source(drawn_run: Path, tmp_path: Path) -> Make:
    given = open_run(drawn_run).embeddings
    path = tmp_path / "given.npz"
    write_features(path, checked("given", given.base, given.track + 5))
    return lambda: FeatureSource.open(path)


SOURCES = ("film_source", "box_source", "crop_source", "feature_source")


@pytest.fixture(params=SOURCES)
def make(request: pytest.FixtureRequest, fake_models: FakeModels) -> Make:
    made: Make = request.getfixturevalue(request.param)
    return made


def brought(source: Source, folder: Path, number: int = 0, events: Any = print) -> Brought:
    with Run.open(folder, QUICKLY, lambda event: events(event)) as run:
        run.begin([source])
        return source.bring(run, number, DETECTOR)


def test_tracks_crops_and_pictures_fit_together(make: Make, tmp_path: Path) -> None:
    source = make()
    tracks, crops, embeddings, faces = brought(source, tmp_path / "run")
    # Only what was found is judged: given tracks are what somebody says they are.
    assert (faces is not None) == isinstance(source, FilmSource)
    assert len(tracks) == crops.tracks == 4
    assert len(source.names) in (0, len(tracks))
    assert (np.diff(crops.track) >= 0).all() and set(crops.track.tolist()) == {0, 1, 2, 3}
    assert (crops.frame >= tracks.first[crops.track]).all()
    assert (crops.frame <= tracks.last[crops.track]).all() or embeddings is not None
    if embeddings is None:
        pictures = CropPictures([(tmp_path / "run" / CROP_ZIP, crops)])
        assert pictures.pixels(np.arange(len(crops))).shape == (len(crops), 144, 144, 3)
        assert "backbone" in source.needs
    else:
        assert embeddings.track.tolist() == crops.track.tolist()
        assert not (tmp_path / "run" / CROP_ZIP).exists() and source.needs == ()


def test_it_is_known_by_its_content(make: Make) -> None:
    one, again = make(), make()
    assert one.content == again.content and len(one.content) == 64
    int(one.content, 16)
    assert Path(one.path).exists()


def test_it_is_brought_once(make: Make, tmp_path: Path, fake_models: FakeModels) -> None:
    first = brought(make(), tmp_path / "run")
    loaded = list(fake_models.loaded)
    events: list[Event] = []
    again = brought(make(), tmp_path / "run", events=events.append)
    assert {event.kind for event in events} == {"cached"} and fake_models.loaded == loaded
    digests = [[table and table.digest for table in one] for one in (first, again)]
    assert digests[0] == digests[1]


def test_tracks_carry_the_number_of_the_film(make: Make, tmp_path: Path) -> None:
    tracks, *_ = brought(make(), tmp_path / "run", number=3)
    assert set(tracks.film.tolist()) == {3}


def test_run_json_says_what_was_brought(make: Make, tmp_path: Path) -> None:
    source = make()
    with Run.open(tmp_path / "run", QUICKLY, print) as run:
        run.begin([source])
        (film,) = run.store.manifest["films"]
    assert (film["path"], film["content"]) == (source.path, source.content)
    assert tuple(film.get("tracks", ())) == tuple(source.names)


def test_one_door_takes_it_to_a_cast(make: Make, tmp_path: Path) -> None:
    result = cluster([make()], tmp_path / "run", QUICKLY)
    character = result.cast.character.tolist()
    assert character[0] == character[2] and character[1] == character[3]
    assert character[0] != character[1]
    assert result.has_pictures == (tmp_path / "run" / "cast.html").exists()
    # Views are of the few pictures of each track; given features have none.
    seen = result.views.row.tolist()
    assert seen == ([] if result.views.globals == 0 else list(range(len(result.embeddings))))


def test_two_of_a_kind_share_a_cast(make: Make, tmp_path: Path) -> None:
    result = cluster([make(), make()], tmp_path / "run", QUICKLY)
    assert result.tracks.film.tolist() == [0] * 4 + [1] * 4
    assert result.cast.characters == 2
    assert len(list((tmp_path / "run" / "films").iterdir())) == 2


def test_films_and_crops_together(
    film_source: Make, crop_source: Make, fake_models: FakeModels, tmp_path: Path
) -> None:
    """Sources of several kinds are one run: they are alike from tracks and crops on."""
    result = cluster([film_source(), crop_source()], tmp_path / "run", QUICKLY)
    assert [film.video is None for film in result.films] == [False, True]
    assert result.cast.characters == 2 and len(result.tracks) == 8


def test_features_and_films_are_refused_before_any_work(
    film_source: Make, feature_source: Make, fake_models: FakeModels, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="holds features, others hold pictures"):
        cluster([film_source(), feature_source()], tmp_path / "run", QUICKLY)
    assert not (tmp_path / "run").exists() and fake_models.loaded == []


def test_nothing_is_learnt_without_pictures(feature_source: Make, tmp_path: Path) -> None:
    learning = Config.load("vcn")
    with pytest.raises(ConfigError, match="holds no pictures of faces to learn from"):
        cluster([feature_source()], tmp_path / "run", learning)
    cluster([feature_source()], tmp_path / "run", QUICKLY)
    with pytest.raises(ConfigError, match="holds no pictures of faces to learn from"):
        adapt_run(tmp_path / "run", learning)


def test_features_of_two_models_are_refused(tmp_path: Path) -> None:
    track, rng = np.arange(4), np.random.default_rng(0)
    sources = []
    for name, width in (("one", 4), ("two", 6)):
        path = tmp_path / f"{name}.npz"
        write_features(path, checked(name, rng.normal(size=(4, width)), track, model=name))
        sources.append(FeatureSource.open(path))
    with pytest.raises(DataError, match="4 values of one and 6 values of two"):
        cluster(sources, tmp_path / "run", QUICKLY)


def test_views_outlive_the_pictures(
    film_source: Make, fake_models: FakeModels, tmp_path: Path
) -> None:
    """Who throws the faces away keeps what was made of them."""
    before = cluster([film_source()], tmp_path / "run", QUICKLY)
    (tmp_path / "run" / CROP_ZIP).unlink()
    after = open_run(tmp_path / "run")
    assert not after.has_pictures and after.views.digest == before.views.digest
    again = adapt_run(tmp_path / "run", QUICKLY)
    assert again.cast.digest == before.cast.digest
