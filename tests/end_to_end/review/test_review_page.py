"""``vcn review`` in a real browser: what people see and do, at 1280 px and on a phone."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, PHONE, Server, Window, serious
from tests.conftest import Vcn
from tests.drawn import PLAIN, FakeModels, draw_film
from tests.end_to_end.review.conftest import Open, people, start
from tests.shaky import SCENES
from videoclusternet import cluster_film, cluster_tracks, open_run
from videoclusternet.config import Config
from videoclusternet.edits.edit import Edit
from videoclusternet.forget.run import forget

pytestmark = pytest.mark.slow


def test_the_cast_its_tracks_and_the_film_are_there(opened: Open, run: Path) -> None:
    window = opened()
    red, blue, _ = start(run)
    assert window.cast() == [f"Character {n}" for n in (1, 2, 3)]
    window.row(red).click()
    assert window.tracks() == [0, 3, 5]
    window.row(blue).click()
    assert window.tracks() == [1, 4, 7]
    box = window.page.locator(".boxes .box:visible")
    window.tile(7).click()
    box.first.wait_for()
    assert box.all_inner_texts() == [blue]
    assert window.page.locator("video").evaluate("v => v.videoWidth") == 192
    window.tile(4).click()
    window.page.locator(".boxes .box:visible").nth(1).wait_for()
    assert sorted(box.all_inner_texts()) == sorted([red, blue])


def test_boxes_follow_the_picture_while_it_plays(opened: Open, run: Path) -> None:
    window = opened()
    window.tile(0).click() if window.tile(0).count() else window.row(start(run)[0]).click()
    window.page.locator(".boxes .box:visible").wait_for()
    place = "() => document.querySelector('.boxes .box').style.left"
    before = window.page.evaluate(place)
    window.page.keyboard.press("k")
    window.page.wait_for_timeout(600)
    window.page.keyboard.press("k")
    assert window.page.evaluate(place) != before
    assert window.page.locator("video").evaluate("v => v.paused && v.currentTime > 0.3")


def test_a_click_on_a_lane_jumps_there(opened: Open, run: Path) -> None:
    window = opened()
    lanes = window.page.locator("#lanes .scroll")
    box = lanes.bounding_box()
    assert box
    # The last sixth of the film: blue alone.  The lane of its character is one of three.
    blue = int(open_run(run).cast.character[7])
    x = 104 + (box["width"] - 112) * 0.93
    lanes.click(position={"x": x, "y": 18 * (blue + 1) + 9})
    window.page.locator('#tracks .tile.seen[data-track="7"]').wait_for()
    window.page.locator(".boxes .box:visible").wait_for()
    assert window.page.locator("video").evaluate("v => v.currentTime") == pytest.approx(
        5.58, abs=0.1
    )


def test_a_track_plays_under_the_pointer(opened: Open, run: Path) -> None:
    window = opened()
    window.row(start(run)[0]).click()
    tile = window.tile(3)
    tile.hover()
    seen = set()
    for _ in range(8):
        seen.add(tile.locator("img").get_attribute("src"))
        window.page.wait_for_timeout(110)
    assert len(seen) > 1
    window.page.mouse.move(5, 5)
    best = window.page.evaluate(
        "async () => (await (await fetch('api/run')).json()).tracks.best[3]"
    )
    assert tile.locator("img").get_attribute("src") == f"crop/{best}.jpg"


def test_several_are_dragged_at_once(opened: Open, run: Path) -> None:
    window = opened()
    window.row("Character 1").click()
    window.row("Character 2").click(modifiers=["Control"])
    window.row("Character 2").drag_to(window.row("Character 3"))
    window.says("Made Character 3 and Character 1, Character 2 one")
    assert list(people(run)) == ["Character 3"]


def test_names_are_given_and_suggested(opened: Open, run: Path) -> None:
    window = opened()
    window.row("Character 1").click()
    window.page.get_by_role("button", name="Rename").click()
    window.page.get_by_role("combobox").fill("Anna <b>x</b>")
    window.page.keyboard.press("Enter")
    window.row("Anna <b>x</b>").wait_for()
    window.row("Character 2").click()
    window.page.keyboard.press("r")
    window.page.get_by_role("combobox").fill("ann")
    option = window.page.get_by_role("dialog").get_by_role("option")
    assert option.all_inner_texts() == ["Anna <b>x</b>"]
    window.page.keyboard.press("ArrowDown")
    assert "two one" in window.page.locator("dialog .hint").inner_text()
    window.page.keyboard.press("Escape")
    assert set(people(run)) == {"Anna <b>x</b>", "Character 2", "Character 3"}


def test_dragging_a_character_on_another_makes_them_one(opened: Open, run: Path) -> None:
    window = opened()
    window.row("Character 2").drag_to(window.row("Character 1"))
    window.says("Made Character 1 and Character 2 one")
    assert window.cast() == ["Character 1", "Character 3"]
    assert len(people(run)["Character 1"]) == 6
    window.page.locator("#toasts").get_by_role("button", name="Undo").click()
    window.row("Character 2").wait_for()
    assert window.cast() == ["Character 1", "Character 2", "Character 3"]


def test_dragging_tracks_moves_them(opened: Open, run: Path) -> None:
    window = opened()
    red, blue, green = start(run)
    window.row(red).click()
    window.tile(0).click()
    window.tile(3).click(modifiers=["Control"])
    assert window.page.locator("#chosen").inner_text().startswith("2 of 3 selected")
    window.tile(3).drag_to(window.row(green))
    window.says(f"Moved 2 tracks to {green}")
    assert people(run) == {red: [5], blue: [1, 4, 7], green: [0, 2, 3, 6]}


def test_dragging_a_track_below_makes_a_new_character(opened: Open, run: Path) -> None:
    window = opened()
    _, blue, _ = start(run)
    window.row(blue).click()
    tile = window.tile(4)
    tile.hover()
    window.page.mouse.down()
    window.page.mouse.move(200, 400, steps=4)
    window.page.locator("#new").wait_for()
    window.page.locator("#new").hover()
    window.page.mouse.up()
    window.says("Moved 1 track to a new character")
    assert people(run)["Character 4"] == [4]
    assert window.cast()[-1] == "Character 4"


def test_selecting_several_and_m_makes_them_one(opened: Open, run: Path) -> None:
    window = opened()
    window.row("Character 2").click()
    window.row("Character 3").click(modifiers=["Control"])
    window.page.keyboard.press("m")
    window.says("Made Character 2 and Character 3 one")
    assert sorted(map(len, people(run).values())) == [3, 5]


def test_a_character_is_split_where_it_is_weakest(opened: Open, run: Path) -> None:
    window = opened()
    red, blue, _ = start(run)
    window.row(red).click()
    window.row(blue).click(modifiers=["Control"])
    window.page.keyboard.press("m")
    window.says("one")
    before = people(run)
    window.page.keyboard.press("s")
    sides = window.page.locator("dialog .side")
    sides.first.wait_for()
    leaving = sides.nth(1).get_by_role("button")
    assert leaving.count() >= 1
    sides.first.get_by_role("button").first.click()
    count = leaving.count()
    window.page.locator("dialog").get_by_role("button", name="Split").click()
    window.says(f"Split {count} track")
    after = people(run)
    assert len(after["Character 4"]) == count
    assert sum(map(len, after.values())) == sum(map(len, before.values()))


def test_what_is_no_face_goes_and_comes_back(opened: Open, run: Path) -> None:
    window = opened()
    red, _, _ = start(run)
    window.row(red).click()
    window.tile(5).click()
    window.page.locator("#chosen").get_by_role("button", name="Not a face").click()
    window.says("1 track: no face")
    assert people(run)["Unknown"] == [5]
    assert window.cast()[-1] == "Unknown"
    window.page.get_by_role("button", name="Undo").first.click()
    window.says("Took back")
    assert people(run)[red] == [0, 3, 5]
    window.page.get_by_role("button", name="Redo").click()
    window.says("Did again")
    assert people(run)["Unknown"] == [5]


def test_clustering_again_is_shown_then_kept_and_undone(opened: Open, run: Path) -> None:
    window = opened()
    number = int(open_run(run).cast.character[0]) + 1
    for track in (0, 3, 5):
        open_run(run).edits.not_this(number, track)
    window.row("Unknown").wait_for()
    window.page.keyboard.press("g")
    keep = window.page.get_by_role("button", name="Keep")
    keep.wait_for(timeout=90_000)
    assert window.page.locator("dialog .way, dialog .side").count() >= 1
    keep.click()
    window.says("Kept the new clustering")
    assert open_run(run).edits.done[-1].verb == "recluster"
    window.page.keyboard.press("z")
    window.says("Took back: recluster")
    assert open_run(run).edits.done[-1].verb == "not"


def test_why_two_tracks_are_one_is_shown(opened: Open, run: Path) -> None:
    window = opened()
    red, blue, _ = start(run)
    window.row(red).click()
    window.tile(0).click()
    window.tile(5).click(modifiers=["Control"])
    window.page.locator("#chosen").get_by_role("button", name="Why").click()
    window.page.get_by_role("dialog", name="Why are tracks 0 and 5 one?").wait_for()
    assert f"both {red}" in window.page.locator("dialog .first").inner_text()
    assert window.page.locator("dialog .link-row").count() >= 2
    assert window.page.locator("dialog .link-row img").count() >= 2
    window.page.keyboard.press("Escape")
    window.row(blue).click()
    window.tile(4).click()
    window.page.keyboard.press("w")
    window.page.get_by_role("dialog", name="Why are tracks 4 and").wait_for()


def test_everything_goes_by_keyboard_alone(opened: Open, run: Path) -> None:
    window = opened()
    press = window.page.keyboard.press
    press("?")
    assert "Rename" in window.page.locator("dialog").inner_text()
    press("Escape")
    press("1")
    press("Home")
    press("r")
    window.page.keyboard.type("Anna")
    press("Enter")
    window.says("Named Anna")
    press("t")
    window.page.keyboard.type("a note")
    press("Control+Enter")
    window.says("Noted")
    press("l")
    window.says("Locked: Anna")
    press("l")
    window.says("Unlocked: Anna")
    press("1")
    press("ArrowDown")
    press("ArrowUp")
    press("ArrowDown")
    press("h")
    window.says("Hidden: Character 2")
    press("h")
    window.says("Shown again: Character 2")
    press("1")
    press("Home")
    press("2")
    press("Home")
    press("Space")
    press("p")
    window.says("New picture of Anna")
    press("c")
    window.says("right here")
    press("x")
    window.says("not Anna")
    press("z")
    window.says("Took back: not")
    press("Shift+Z")
    window.says("Did again: not")
    press("z")
    press("2")
    press("Home")
    press("Space")
    press("v")
    window.page.keyboard.type("Bea")
    press("Enter")
    window.says("Named Bea")
    assert sorted(map(len, people(run).values())) == [1, 2, 2, 3]
    press("m")
    window.page.keyboard.type("character 3")
    press("Enter")
    window.says("Made Bea and Character 3 one")
    press("2")
    press("a")
    press("u")
    window.says("to Unknown")
    verbs = [edit.verb for edit in open_run(run).edits.done]
    assert verbs == [
        *("name", "note", "lock", "unlock", "hide", "unhide", "cover", "confirm"),
        *("move", "name", "merge", "move"),
    ]


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(
    browser: Browser, run: Path
) -> None:
    server = Server(run)
    window = Window.open(browser, server.address)
    window.row("Character 1").click()
    window.page.keyboard.press("r")
    window.page.keyboard.type("Anna")
    window.page.keyboard.press("Enter")
    window.says("Named Anna")
    window.row("Character 2").drag_to(window.row("Anna"))
    window.says("Made Anna and Character 2 one")
    server.end(signal.SIGKILL)
    assert len(people(run)["Anna"]) == 6
    window.page.keyboard.press("z")
    window.page.get_by_role("alert").filter(has_text="does not answer").wait_for()
    window.page.context.close()
    again = Server(run)
    other = Window.open(browser, again.address)
    assert other.cast() == ["Anna", "Character 3"]
    other.page.context.close()
    assert again.end()[0] == 0
    assert other.troubles == []
    assert "Anna" in (run / "cast.html").read_text("utf-8")


def test_who_is_forgotten_meanwhile_leaves_the_open_page(opened: Open, run: Path) -> None:
    window = opened()
    red, _, _ = start(run)
    window.row(red).click()
    forget(run, red)
    window.page.get_by_role("alert").filter(has_text="start it again").wait_for()
    assert window.cast() == window.tracks() == []
    assert window.page.locator("img").count() == 0


def test_two_windows_see_each_other_and_overwrite_nothing(opened: Open, run: Path) -> None:
    one, other = opened(), opened()
    other.page.evaluate("document.hidden")
    other.page.route("**/api/state?*", lambda route: route.abort())
    one.row("Character 1").click()
    one.page.keyboard.press("r")
    one.page.keyboard.type("Anna")
    one.page.keyboard.press("Enter")
    one.says("Named Anna")
    other.row("Character 1").click()
    other.page.keyboard.press("r")
    other.page.keyboard.type("Eve")
    other.page.keyboard.press("Enter")
    other.says("The cast has changed meanwhile: name by")
    other.row("Anna").wait_for()
    assert set(people(run)) == {"Anna", "Character 2", "Character 3"}
    other.page.unroute("**/api/state?*")
    other.troubles[:] = [one for one in other.troubles if "ERR_FAILED" not in one]


def test_what_the_command_line_decides_comes_up(opened: Open, run: Path, vcn: Vcn) -> None:
    window = opened()
    assert vcn("edit", run, "name", "2", "Bea", "--author", "Bo").code == 0
    window.says('Somebody else decided: name 2 "Bea" (Bo)')
    assert window.cast()[1] == "Bea"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nothing_keeps_anybody_out(
    opened: Open, size: tuple[int, int], scheme: str, browser: Browser
) -> None:
    window = opened(size, color_scheme=scheme, bypass_csp=True)
    found = serious(window.page)
    for tab in ("Tracks", "Film"):
        if size == PHONE:
            window.page.get_by_role("button", name=tab, exact=True).click()
            found += serious(window.page)
    if size == PHONE:
        window.page.get_by_role("button", name="Tracks", exact=True).click()
    window.page.locator("#tracks .tile:visible").first.click()
    found += serious(window.page)
    for key in ("v", "w", "Escape", "?", "r", "s", "q", "t"):
        window.page.keyboard.press(key)
        if key == "Escape":  # selects nothing: S is about the character again
            continue
        window.page.locator("dialog[open]").wait_for()
        found += serious(window.page)
        window.page.keyboard.press("Escape")
        window.page.locator("dialog").wait_for(state="detached")
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_does_the_question_whether_to_keep_a_clustering(
    opened: Open, run: Path, scheme: str
) -> None:
    window = opened(DESK, color_scheme=scheme, bypass_csp=True)
    number = int(open_run(run).cast.character[0]) + 1
    for track in (0, 3, 5):
        open_run(run).edits.not_this(number, track)
    window.row("Unknown").wait_for()
    window.page.keyboard.press("g")
    window.page.get_by_role("button", name="Keep").wait_for(timeout=90_000)
    assert serious(window.page) == []


def test_who_is_known_to_a_library_is_told_apart(opened: Open, run: Path) -> None:
    said = Edit("recognise", ("1",), to="p-anna", text="Anna", of=2, sure=0.756)
    open_run(run).edits.say(said)
    window = opened()
    assert "regular 76" in window.row("Anna").inner_text()
    window.page.locator("#person", has_text="named by the library: regular 76").wait_for()
    window.page.keyboard.press("z")
    window.row("Character 1").wait_for()
    assert "regular" not in window.page.locator("#cast-pane").inner_text()


def test_a_phone_shows_one_part_at_a_time(opened: Open, run: Path) -> None:
    window = opened(PHONE, has_touch=True)
    red, _, _ = start(run)
    assert window.page.locator("#tracks").is_hidden()
    window.row(red).tap()
    window.tile(3).tap()
    window.page.locator("#chosen").get_by_role("button", name="Move").tap()
    window.page.get_by_role("dialog").get_by_role("option", name="New character").tap()
    window.says("Moved 1 track to a new character")
    assert people(run)["Character 4"] == [3]
    window.page.get_by_role("button", name="Film", exact=True).tap()
    window.page.locator("video").wait_for()
    wide = window.page.evaluate("document.documentElement.scrollWidth")
    assert wide == PHONE[0]


def test_without_the_film_the_rest_works(browser: Browser, run: Path) -> None:
    manifest = json.loads((run / "run.json").read_text())
    film = Path(manifest["films"][0]["path"])
    moved = film.rename(film.with_name("elsewhere.mp4"))
    server = Server(run)
    try:
        window = Window.open(browser, server.address)
        window.page.locator(".word-over", has_text="not where it was").wait_for()
        window.row("Character 1").click()
        window.tile(window.tracks()[0]).click()
        window.page.keyboard.press("c")
        window.says("right here")
        assert window.troubles == []
        window.page.context.close()
    finally:
        moved.rename(film)
        server.end()


def test_a_film_that_browsers_do_not_play_gets_a_preview(
    browser: Browser, tmp_path: Path, fake_models: FakeModels
) -> None:
    film = draw_film(tmp_path / "three.mp4", SCENES).rename(tmp_path / "three.avi")
    run = cluster_film(film, tmp_path / "run", Config.load(settings=PLAIN)).folder
    server = Server(run)
    window = Window.open(browser, server.address)
    window.page.get_by_role("button", name="Make a preview").click()
    window.page.locator(".boxes .box:visible").first.wait_for()
    assert window.page.locator("video").evaluate("v => v.videoWidth") == 192
    assert (run / "preview-0.mp4").is_file()
    window.page.context.close()
    assert server.end()[0] == 0
    assert window.troubles == []


def test_tracks_without_a_film_and_names_that_are_markup(
    browser: Browser, labelled: Path, tmp_path: Path
) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e"
    run = cluster_tracks(labelled / "discs.zip", tmp_path / "run", Config.load(settings=PLAIN))
    run.edits.name(1, evil)
    run.edits.note(1, evil)
    server = Server(run.folder, "--author", evil)
    window = Window.open(browser, server.address)
    assert window.cast()[0].startswith("<img src=x")
    assert window.page.locator("#player").is_hidden()
    window.tile(window.tracks()[0]).click()
    window.page.keyboard.press("c")
    window.says("right here")
    window.page.locator("#log", has_text="onerror").wait_for()
    for key in ("r", "m", "s", "q"):
        window.page.keyboard.press("Escape")
        window.page.keyboard.press(key)
        window.page.locator("dialog[open]").wait_for()
        window.page.keyboard.press("Escape")
        window.page.locator("dialog").wait_for(state="detached")
    assert window.page.locator("img[src='x'], script:not([type='module'])").count() == 0
    window.page.context.close()
    assert server.end()[0] == 0
    assert window.troubles == []
    page = (run.folder / "cast.html").read_text("utf-8")
    assert "<img src=x" not in page and "&lt;img src=x" in page


def test_two_films_have_a_lane_and_a_player_each(
    browser: Browser, tmp_path: Path, fake_models: FakeModels
) -> None:
    long = "an episode with a long name"
    films = [draw_film(tmp_path / f"{n} {long}.mp4", SCENES[n:]) for n in (0, 2)]
    run = cluster_film(films, tmp_path / "run", Config.load(settings=PLAIN)).folder
    server = Server(run)
    window = Window.open(browser, server.address)
    first = len(open_run(run).films[0].tracks)
    window.page.get_by_label("Film", exact=True).select_option(index=1)
    source = window.page.locator("video")
    window.page.wait_for_selector("video[src^='film/1']")
    number = int(open_run(run).cast.character[first]) + 1
    window.row(f"Character {number}").click()
    window.tile(first).click()
    window.page.locator(".boxes .box:visible").first.wait_for()
    assert "film/1" in source.evaluate("v => v.src")
    window.tile(window.tracks()[0]).click()
    window.page.wait_for_selector("video[src^='film/0']")
    window.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    window.page.locator(".tabs").wait_for()
    wide = window.page.evaluate("document.documentElement.scrollWidth")
    assert wide == PHONE[0], "the name makes room for the buttons"
    window.page.context.close()
    assert server.end()[0] == 0
    assert window.troubles == []
