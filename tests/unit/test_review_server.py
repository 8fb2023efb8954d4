"""What the review page's server answers, and that decisions of several are kept apart."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from tests.asking import OWN, Page
from tests.drawn import snapshot
from videoclusternet import open_run
from videoclusternet.errors import ConfigError
from videoclusternet.forget.run import forget
from videoclusternet.result.characters import track_span
from videoclusternet.review.facts import Facts, boxes, spans
from videoclusternet.review.recluster import recluster
from videoclusternet.review.web.media import Media
from videoclusternet.review.web.sheet import Sheet
from videoclusternet.runfolder import pending
from videoclusternet.runfolder.folder import Store


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


@pytest.fixture
def page(run: Path) -> Page:
    return Page(run)


def test_spans_are_those_of_the_cast_page(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    start, stop = spans(result)
    for track in range(len(result.tracks)):
        seen = track_span(result, track)
        assert (start[track], stop[track]) == pytest.approx((seen.start, seen.stop))


def test_each_track_has_its_crops_and_the_best_of_them(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    facts = Facts.of(result)
    for track in range(len(result.tracks)):
        rows = np.flatnonzero(result.crop_track == track)
        assert rows.tolist() == list(range(facts.crop[track], facts.crop[track] + len(rows)))
        assert facts.best[track] in rows
        assert facts.worth[facts.best[track]] == facts.worth[rows].max()
        for row in rows.tolist():
            assert facts.near(track, int(facts.frame[row])) == row
        assert facts.near(track, -1) == facts.best[track]


def test_boxes_of_a_part_reach_beyond_its_ends(drawn_run: Path) -> None:
    result = open_run(drawn_run)
    film = result.films[0]
    assert film.video is not None and film.faces is not None
    found = boxes(result, 0, 2.2, 2.4)
    assert {one["track"] for one in found} == {2, 3}
    for one in found:
        assert one["times"] == sorted(one["times"])
        assert one["times"][0] <= 2.2 and one["times"][-1] >= 2.4
        assert len(one["times"]) == len(one["boxes"]) < len(film.tracks.faces_of(one["track"]))
    assert boxes(result, 0, 50, 60) == []


def test_the_page_learns_all_tracks_at_once(page: Page) -> None:
    run = page.get("run")
    assert run["films"][0]["seconds"] == 3.0
    assert {len(column) for name, column in run["tracks"].items() if name != "name"} == {4}
    state = page.get("state")
    assert state["revision"] == 0
    assert [person["number"] for person in state["people"]] == [1, 2]
    assert state["character"] == [1, 2, 1, 2]


def test_a_state_that_is_known_is_not_sent_again(page: Page) -> None:
    assert page.ask("/api/state?revision=0").status_code == 204
    page.say("name", characters=[1], text="Anna")
    answer = page.ask("/api/state?revision=0")
    assert answer.json()["people"][0]["name"] == "Anna"
    assert page.ask(f"/api/state?revision={answer.json()['revision']}").status_code == 204


def test_every_verb_is_a_line_of_the_log(page: Page) -> None:
    page.say("name", characters=[1], text="Anna")
    page.say("cover", characters=[1], tracks=[2], frame=50)
    page.say("note", characters=[2], text="who is it?")
    page.say("confirm", tracks=[0])
    page.say("apart", characters=[1, 2])
    page.say("hide", characters=[2])
    page.say("unhide", characters=[2])
    page.say("lock", characters=[1])
    page.say("unlock", characters=[1])
    page.say("split", characters=[1], tracks=[2])
    page.say("move", tracks=[2], to=1)
    page.say("move", tracks=[3], to="new")
    page.say("move", tracks=[3], to="unknown")
    page.say("not", characters=[2], tracks=[1])
    page.say("not-a-face", tracks=[1])
    page.say("undo")
    page.say("redo")
    state = page.say("undo")
    assert state["character"] == [1, 0, 1, 0]
    assert [line["words"].split()[0] for line in state["log"]] == [
        *("not", "move", "move", "move", "split", "unlock", "lock", "unhide", "hide"),
        *("apart", "confirm", "note", "cover", "name"),
    ]
    assert {line["author"] for line in state["log"]} == {"Ann"}
    again = open_run(page.desk.folder)
    assert (again.cast.character + 1).tolist() == state["character"]
    assert again.edits.revision == state["revision"]


def test_characters_are_made_one_and_come_apart_again(page: Page) -> None:
    assert page.say("merge", characters=[1, 2])["character"] == [1, 1, 1, 1]
    undone = page.say("undo")
    assert undone["character"] == [1, 2, 1, 2]
    assert undone["redo"] == "merge 1 2"


def test_what_was_decided_on_an_earlier_state_is_refused_with_what_changed(page: Page) -> None:
    first = page.say("name", characters=[1], text="Anna")
    refused = page.say("merge", 409, characters=[1, 2], revision=0)
    assert "name by Ann" in refused["error"]
    assert page.get("state") == first


def test_what_others_decide_is_seen_and_not_overwritten(page: Page) -> None:
    seen = page.get("state")["revision"]
    other = open_run(page.desk.folder)
    other.edits.author = "Bo"
    other.edits.name(2, "Bea")
    refused = page.say("name", 409, characters=[2], text="Carla", revision=seen)
    assert "name by Bo" in refused["error"]
    assert page.get("state")["people"][1]["name"] == "Bea"
    assert page.say("name", characters=[2], text="Carla")["people"][1]["name"] == "Carla"


def test_a_contradiction_is_said_in_words(page: Page) -> None:
    page.say("apart", characters=[1, 2])
    refused = page.say("merge", 422, characters=[1, 2])
    assert "two people" in refused["error"] and refused["advice"]


def test_a_log_that_cannot_be_read_is_said(page: Page) -> None:
    page.say("name", characters=[1], text="Anna")
    (page.desk.folder / "edits.jsonl").write_text("nonsense\n")
    answer = page.ask("/api/state?revision=-1")
    assert answer.status_code == 503
    assert "edits.jsonl is damaged" in answer.json()["error"]


def test_pictures_are_the_bytes_of_the_run(page: Page) -> None:
    answer = page.ask("/crop/3.jpg")
    assert answer.content == open_run(page.desk.folder).pictures.jpeg(3)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]


def test_a_film_is_sent_in_parts(page: Page, drawn_film: Path) -> None:
    assert page.get("media?film=0")["kind"] == "film"
    data = drawn_film.read_bytes()
    part = page.ask("/film/0", headers={**OWN, "range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, data[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    end = page.ask("/film/0", headers={**OWN, "range": "bytes=-50"})
    assert (end.status_code, end.content) == (206, data[-50:])
    assert page.ask("/film/0").content == data
    beyond = page.ask("/film/0", headers={**OWN, "range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416


def test_a_film_that_is_gone_is_said_and_the_rest_goes_on(page: Page) -> None:
    result = page.desk.result
    assert result.films[0].video is not None
    object.__setattr__(result.films[0].video, "path", "/nowhere/film.mp4")
    assert page.get("media?film=0") == {"path": "/nowhere/film.mp4", "kind": "gone"}
    assert page.ask("/film/0").status_code == 422
    assert page.ask("/api/preview", "POST", body=b'{"film": 0}').status_code == 422
    assert page.ask("/crop/0.jpg").status_code == 200


def test_a_film_that_browsers_do_not_play_gets_a_preview(run: Path, tmp_path: Path) -> None:
    media = Media(open_run(run))
    where = media.where(0)
    assert where is not None
    moved = Path(shutil.copy(where, tmp_path / "film.avi"))
    film = media.result.films[0]
    assert film.video is not None
    object.__setattr__(film.video, "path", str(moved))
    assert media.describe(0)["kind"] == "unplayed"
    with pytest.raises(ConfigError, match="cannot be played"):
        media.file(0)
    media.make(0)
    until = time.monotonic() + 60
    while media.describe(0)["kind"] == "making":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert media.describe(0)["kind"] == "preview"
    path, kind = media.file(0)
    assert (path, kind) == (run / "preview-0.mp4", "video/mp4")


def test_splits_begin_with_the_weakest_merge(page: Page) -> None:
    (found,) = page.get("splits?character=1")
    assert sorted([*found["stay"], *found["leave"]]) == [0, 2]
    assert found["distance"] <= found["threshold"]


def test_why_two_tracks_are_one_or_two_is_told(page: Page) -> None:
    one = page.get("why?one=0&other=2")
    assert one["together"] and "are both Character 1" in one["said"][0]
    assert one["links"] and one["links"][0]["tracks"] == [0, 2]
    two = page.get("why?one=0&other=1")
    assert not two["together"] and two["links"] == []
    assert page.ask("/api/why?one=0&other=99").status_code == 422
    assert page.ask("/api/why?one=0&other=0").status_code == 422


def test_reading_changes_nothing(page: Page) -> None:
    before = snapshot(page.desk.folder)
    for path in ("run", "state", "splits?character=1", "media?film=0", "recluster"):
        page.get(path)
    page.post("queue", {})
    assert snapshot(page.desk.folder) == before


def test_the_cast_page_is_written_when_nobody_decides(page: Page) -> None:
    said: list[str] = []
    written = page.desk.folder / "cast.html"
    sheet = Sheet(page.desk, said.append, idle=0.05)
    sheet.start()
    page.say("name", characters=[1], text="Anna <b>")
    until = time.monotonic() + 30
    while "Anna &lt;b&gt;" not in written.read_text("utf-8"):
        assert time.monotonic() < until
        time.sleep(0.02)
    page.say("name", characters=[1], text="Bea")
    sheet.stop()
    assert "Bea" in written.read_text("utf-8")
    assert said == []


def test_names_come_back_as_they_were(page: Page) -> None:
    name = "</script><img src=x onerror=alert(1)> \u202e \u00e9 \U0001f600"
    state = page.say("name", characters=[1], text=name)
    assert state["people"][0]["name"] == name
    assert json.loads(page.ask("/api/state").content)["people"][0]["name"] == name


def test_clustering_again_is_looked_at_before_it_is_kept(page: Page) -> None:
    page.say("move", tracks=[0], to=2)
    page.post("recluster/start", {"revision": page.desk.revision()})
    found = _settled(page)
    assert found["state"] == "ready"
    before = page.get("state")
    assert page.post("recluster/drop", {"revision": before["revision"]})["state"] == "none"
    assert page.get("state") == before
    page.post("recluster/keep", {"revision": before["revision"]}, 422)


def test_clustering_again_on_a_state_that_has_passed_is_not_kept(page: Page) -> None:
    page.say("move", tracks=[0], to=2)
    page.post("recluster/start", {"revision": page.desk.revision()})
    _settled(page)
    page.say("name", characters=[2], text="Anna")
    now = page.desk.revision()
    assert "name by Ann" in page.post("recluster/keep", {"revision": now}, 409)["error"]


def test_clustering_again_is_kept_and_undone(page: Page) -> None:
    page.say("merge", characters=[1, 2])
    page.say("undo")
    page.say("move", tracks=[0], to="unknown")
    page.say("undo")
    page.say("not", characters=[1], tracks=[2])
    page.post("recluster/start", {"revision": page.desk.revision()})
    found = _settled(page)
    kept = page.post("recluster/keep", {"revision": page.desk.revision()})
    assert kept["log"][0]["words"].startswith("recluster")
    assert found["moved"]
    assert page.say("undo")["log"][0]["words"].startswith("not ")


def _settled(page: Page) -> dict[str, object]:
    until = time.monotonic() + 120
    while (found := page.get("recluster"))["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert "error" not in found, found
    return dict(found)


def test_a_run_that_was_changed_underneath_is_shown_no_more(page: Page, run: Path) -> None:
    """Nobody had decided anything, so that no log tells of it."""
    of_run = ("/api/run", "/api/state", "/api/boxes?film=0&start=0&stop=3")
    of_run += ("/api/media?film=0", "/api/recluster", "/crop/0.jpg", "/film/0")
    page.say("name", characters=[1], text="Anna")
    page.say("name", characters=[2], text="Beth")
    assert all(page.ask(path).status_code == 200 for path in of_run)
    forget(run, "Anna")
    for path in of_run:
        answer = page.ask(path)
        assert answer.status_code == 410 and "Anna" not in answer.text, path
        assert answer.json()["advice"] == "end `vcn review` and start it again"
    assert page.ask("/").status_code == 200  # the page, which says so
    page.post("queue", {}, 410)
    page.post("edit", {"revision": 2, "verb": "undo"}, 410)
    assert "Beth" in Page(run).ask("/api/state").text


def test_forgetting_that_was_cut_short_is_noticed(
    page: Page, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page.ask("/crop/0.jpg").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(pending, "finish", lambda folder: pending.is_pending(folder) and 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget(run, 1)
    assert page.ask("/crop/0.jpg").status_code == 410
    Page(run)
    assert page.ask("/crop/0.jpg").status_code == 410


def test_a_run_that_holds_the_same_as_before_is_gone_on_with(page: Page, run: Path) -> None:
    store = Store(run)
    store.manifest["config"]["processes"] = 7  # a command that found all of it done
    store.write_manifest()
    assert page.ask("/crop/0.jpg").status_code == 200
    recluster(run)
    assert page.ask("/api/state").status_code == 200
    store.forget("cast")  # the film is being clustered anew
    assert page.ask("/api/state").status_code == 410
    (run / "run.json").unlink()
    assert page.ask("/api/run").status_code == 410
