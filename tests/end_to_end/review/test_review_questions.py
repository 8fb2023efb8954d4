"""The questions of ``vcn review`` in a real browser: what is asked, and what answers decide."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Route

from tests.browser import PHONE, Server, Window
from tests.end_to_end.review.conftest import Open, people, start, wait_for
from tests.shaky import doubt, halves
from videoclusternet import open_run
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import Candidates, Cast, Merges, Reason

pytestmark = pytest.mark.slow


def next_sheet(window: Window, seen: str) -> str:
    """Wait for another sheet than the one before, and go on where none is worth asking."""
    for _ in range(2):
        window.page.locator(f"dialog .question[data-seen]:not([data-question='{seen}'])").wait_for()
        seen = window.page.locator("dialog .question").get_attribute("data-question") or ""
        on = window.page.get_by_role("button", name="Ask on")
        if seen != "none" or not on.count():
            break
        on.click()
    return seen


def begin_asking(window: Window) -> str:
    """Open the questions; returns what the first sheet is about."""
    window.page.keyboard.press("q")
    window.page.locator("dialog .asked").first.wait_for()
    return next_sheet(window, "")


def picks(window: Window) -> dict[str, str]:
    """Return what can be clicked, and whether it is."""
    every = window.page.locator("dialog .pick")
    found = {}
    for n in range(every.count()):
        name, pressed = (every.nth(n).get_attribute(of) for of in ("data-id", "aria-pressed"))
        found[str(name)] = str(pressed)
    return found


def test_the_queue_asks_until_nothing_is_worth_asking(opened: Open, unsure: Path) -> None:
    window = opened()
    assert len(people(unsure)) == 4
    large, small = (number + 1 for number in halves(open_run(unsure)))
    seen = begin_asking(window)
    assert "1 sheet until it is less than one" in window.page.locator("dialog .left").inner_text()
    titles = window.page.locator("dialog .asked").all_inner_texts()
    assert [title.split("?")[0] for title in titles] == [
        "Do these belong where they are",
        "Are these two people each",
    ]
    assert f"p{large}-{small}" in picks(window)
    one = window.page.locator("dialog .pick").first.locator("img")
    few = one.count()
    window.page.get_by_role("button", name="Show more").click()
    window.page.get_by_role("button", name="Show less").wait_for()
    assert one.count() > few
    window.page.locator(f"dialog .pick[data-id='p{large}-{small}']").click()
    window.page.get_by_role("button", name="1 clicked, the rest is right").click()
    window.says("1 pair made one")
    while (seen := next_sheet(window, seen)) != "none":
        window.page.keyboard.press("y")
    asked = window.page.locator("dialog .asked")
    assert "Nothing more is worth asking" in asked.inner_text()
    assert sorted(people(unsure).values()) == [[0, 3, 5], [1, 4, 7], [2, 6]]
    assert {edit.verb for edit in open_run(unsure).edits.done} == {"confirm", "apart", "merge"}


def test_what_is_skipped_is_asked_again_on_demand(opened: Open, unsure: Path) -> None:
    window = opened()
    window.page.get_by_role("button", name="questions").click()
    window.page.locator("dialog .asked").first.wait_for()
    seen = first = next_sheet(window, "")
    while seen != "none":
        window.page.keyboard.press("s")
        seen = next_sheet(window, seen)
    assert "All that is left was skipped" in window.page.locator("dialog .asked").inner_text()
    assert open_run(unsure).edits.done == []
    window.page.get_by_role("button", name="Ask what I skipped").click()
    assert next_sheet(window, "none") == first


def test_a_sheet_is_taken_back_as_a_whole(opened: Open, unsure: Path) -> None:
    window = opened()
    before = people(unsure)
    seen = begin_asking(window)
    window.page.keyboard.press("1")
    window.page.keyboard.press("y")
    window.says("1 track not")
    after = next_sheet(window, seen)
    assert len(open_run(unsure).edits.done) > 1
    window.page.locator("#toasts").get_by_role("button", name="Undo").click()
    window.says("Took back what the sheet decided")
    assert open_run(unsure).edits.done == []
    assert people(unsure) == before
    assert next_sheet(window, after) == seen


def test_what_others_decided_is_not_taken_back_with_a_sheet(opened: Open, unsure: Path) -> None:
    window = opened()
    seen = begin_asking(window)
    window.page.keyboard.press("y")
    next_sheet(window, seen)
    done = len(open_run(unsure).edits.done)
    open_run(unsure).edits.name(1, "Anna")
    window.says("Somebody else decided: name")
    window.page.locator("#toasts").get_by_role("button", name="Undo").first.click()
    window.says("The cast has changed meanwhile: name")
    assert len(open_run(unsure).edits.done) == done + 1


@pytest.fixture
def doubted(run: Path) -> Path:
    """The run, with three doubtful tracks in one character."""
    doubt(run, [0.4, 1, 1, 0.2, 1, 0.3, 1, 1])
    return run


def test_of_several_tracks_those_are_clicked_that_do_not_belong(
    doubted: Path, opened: Open, run: Path
) -> None:
    red, _, _ = start(doubted)
    window = opened()
    seen = begin_asking(window)
    tracks = [name for name in picks(window) if name.startswith("t")]
    assert tracks == ["t3", "t5", "t0"]
    label = window.page.locator("dialog .pick[data-id='t3']").inner_text()
    assert red in label and "20" in label
    window.page.keyboard.press("1")
    last = window.page.locator("dialog .pick[data-id='t5']")
    last.click()
    last.click()
    assert [picks(window)[name] for name in tracks] == ["true", "false", "false"]
    window.page.get_by_role("button", name="1 clicked, the rest is right").wait_for()
    window.page.keyboard.press("y")
    window.says("2 tracks right here")
    next_sheet(window, seen)
    done = [edit.verb for edit in open_run(run).edits.done if edit.verb != "apart"]
    assert done == ["confirm", "not"]
    window.says("1 track not")
    assert people(run)["Unknown"] == [3] and people(run)[red] == [0, 5]


def test_of_several_tracks_some_are_no_faces(doubted: Path, opened: Open, run: Path) -> None:
    red, _, _ = start(doubted)
    window = opened()
    begin_asking(window)
    window.page.keyboard.press("3")
    window.page.get_by_role("button", name="No faces").click()
    window.says("1 track no face")
    assert people(run)[red] == [3, 5]
    assert "not-a-face" in {edit.verb for edit in open_run(run).edits.done}


def test_who_does_not_belong_is_named_at_once(doubted: Path, opened: Open, run: Path) -> None:
    red, blue, _ = start(doubted)
    window = opened()
    window.row(blue).click()
    begin_asking(window)
    window.page.keyboard.press("1")
    window.page.keyboard.press("v")
    window.page.keyboard.press("Escape")
    assert picks(window)["t3"] == "true"
    assert open_run(run).edits.done == [], "nothing is decided before it is said who it is"
    window.page.keyboard.press("v")
    window.page.get_by_role("combobox").fill(blue)
    window.page.keyboard.press("Enter")
    window.says(blue)
    wait_for(lambda: 3 in people(run)[blue])
    assert people(run)[red] == [0, 5]


@pytest.fixture
def joined(run: Path) -> Path:
    """The run, all of whose tracks are one character, the last merge of two groups a weak one."""
    store = Store(run)
    cast, _, candidates = store.load("cast", (Cast, Merges, Candidates))
    who = cast.character == cast.character[0]
    group = np.flatnonzero(~who)[:3].astype(np.int32)
    rest = np.setdiff1d(np.arange(len(who)), group).astype(np.int32)
    pairs = [(group[0], t) for t in group[1:]] + [(rest[0], t) for t in rest[1:]]
    a, b = np.array([*pairs, (rest[0], group[0])], dtype=np.int32).T
    distance = np.full(len(a), 0.1, np.float32)
    distance[-1] = 0.99
    made = Merges(np.ones(len(a), np.int32), a, b, distance, np.ones(len(a), np.float32))
    all_one = {"character": np.zeros_like(cast.character), "alike": ()}
    one = replace(cast, confidence=np.ones_like(cast.confidence), **all_one)
    said = dict(store.manifest["steps"]["cast"])
    fingerprint, _ = said.pop("fingerprint"), said.pop("tables")
    store.save("cast", fingerprint, (one, made, candidates), said)
    return run


def test_what_came_together_leaves_together(joined: Path, opened: Open, run: Path) -> None:
    window = opened()
    begin_asking(window)
    group = [int(name[1:]) for name in picks(window)]
    assert len(group) == 3
    window.page.get_by_role("button", name="None of these 3").click()
    assert set(picks(window).values()) == {"true"}
    window.page.keyboard.press("y")
    window.says("3 tracks not")
    wait_for(lambda: len(people(run)) == 2)
    assert sorted(group) in people(run).values()
    assert [edit.verb for edit in open_run(run).edits.done] == ["split"]


DECIDED = """
async ([sheet, ids, how]) => {
  const { decisions, summed } = await import(new URL("page/sheet.js", document.baseURI).href);
  const { edits, open } = decisions(sheet, new Set(ids), how);
  return {
    edits: edits.map(({ edit }) => [edit.verb, edit.characters, edit.tracks, edit.to ?? ""]),
    words: summed(edits.map(({ words }) => words)), open: open.map(({ kind }) => kind),
  };
}
"""


def told(kind: str, characters: list[int], tracks: list[int]) -> dict[str, Any]:
    """A question as the server tells it, with answers of its kind."""
    no, yes = {
        "same": ("apart", "merge"),
        "belongs": ("split" if len(tracks) > 1 else "not", "confirm"),
        "is": ("not", "move"),
        "face": ("not-a-face", ""),
    }[kind]
    some = {"tracks": tracks, "characters": characters if kind in ("same", "belongs") else []}
    to = characters[0] if kind == "is" else 0
    asked = {"kind": kind, "characters": characters, "tracks": tracks, "shown": tracks[:12]}
    return asked | {"no": {"verb": no, **some}, "yes": {"verb": yes, **some, "to": to}}


SHEET = [
    told("same", [1, 2], []),
    told("belongs", [1], list(range(20, 34))),
    told("belongs", [2], [5]),
    told("is", [3], [6]),
    told("face", [], [7]),
]
GROUP = [f"t{track}" for track in range(20, 32)]


@pytest.mark.parametrize(
    ("ids", "how", "edits", "words", "open_"),
    [
        (
            [],
            {},
            [["confirm", [], [*range(20, 32), 5], ""], ["apart", [1, 2], [], ""]],
            "13 tracks right here, 1 pair of two people",
            ["is", "face"],
        ),
        (
            [*GROUP, "p1-2", "t7"],
            {},
            [
                ["confirm", [], [5], ""],
                ["split", [1], list(range(20, 34)), ""],
                ["not-a-face", [], [7], ""],
                ["merge", [1, 2], [], ""],
            ],
            "1 track right here, 14 tracks not, 1 track no face, 1 pair made one",
            ["is"],
        ),
        (
            ["t20", "t31", "t5", "t6"],
            {},
            [
                ["confirm", [], list(range(21, 31)), ""],
                ["apart", [1, 2], [], ""],
                ["not", [1], [20, 31], ""],
                ["not", [2], [5], ""],
                ["move", [], [6], 3],
            ],
            "10 tracks right here, 1 pair of two people, 3 tracks not, 1 track placed",
            ["face"],
        ),
        (
            [*GROUP, "t6"],
            {"faces": False},
            [
                ["confirm", [], [5], ""],
                ["apart", [1, 2], [], ""],
                ["not-a-face", [], [*range(20, 34), 6], ""],
            ],
            "1 track right here, 1 pair of two people, 15 tracks no face",
            ["face"],
        ),
        (
            [*GROUP, "t6", "t7", "p1-2"],
            {"to": "new", "name": "Bea"},
            [
                ["confirm", [], [5], ""],
                ["move", [], [*range(20, 34), 6, 7], "new"],
                ["merge", [1, 2], [], ""],
            ],
            "1 track right here, 16 tracks moved to Bea, 1 pair made one",
            [],
        ),
    ],
)
def test_a_sheet_decides_what_was_clicked_and_the_rest(
    one_window: Window, ids: list[str], how: Any, edits: Any, words: str, open_: list[str]
) -> None:
    found = one_window.page.evaluate(DECIDED, [SHEET, ids, how])
    assert found == {"edits": edits, "words": words, "open": open_}


@pytest.fixture(scope="module")
def one_window(browser: Browser, three_run: Path) -> Iterator[Window]:
    server = Server(three_run)
    window = Window.open(browser, server.address)
    yield window
    window.page.context.close()
    server.end()


def test_a_new_name_is_said_with_the_sheet_and_taken_back_with_it(
    doubted: Path, opened: Open, run: Path
) -> None:
    before = people(doubted)
    window = opened()
    seen = begin_asking(window)
    window.page.keyboard.press("1")
    window.page.keyboard.press("v")
    window.page.get_by_role("combobox").fill("Bea")
    window.page.keyboard.press("Enter")
    window.says("1 track moved to Bea")
    next_sheet(window, seen)
    assert people(run)["Bea"] == [3]
    window.page.locator("#toasts").get_by_role("button", name="Undo").click()
    window.says("Took back what the sheet decided")
    assert people(run) == before


def test_a_sheet_that_others_changed_is_looked_at_again(
    doubted: Path, opened: Open, run: Path
) -> None:
    red, _, _ = start(doubted)
    one, other = opened(), opened()
    other.page.route("**/api/state?*", lambda route: route.abort())
    begin_asking(one)
    seen = begin_asking(other)
    other.page.keyboard.press("1")
    open_run(run).edits.name(1, "Anna")
    other.page.keyboard.press("y")
    other.says("The cast has changed meanwhile: name")
    assert [edit.verb for edit in open_run(run).edits.done] == ["name"]
    assert picks(other)["t3"] == "true", "what was clicked stays"
    assert other.page.locator("dialog .question").get_attribute("data-question") == seen
    one.says("Somebody else decided: name")
    one.page.locator("dialog .question[aria-busy='false']").wait_for()
    one.page.keyboard.press("y")
    one.says("3 tracks right here")
    done = len(open_run(run).edits.done)
    other.page.keyboard.press("y")
    other.says("The cast has changed meanwhile")
    next_sheet(other, seen)
    assert len(open_run(run).edits.done) == done
    assert sorted(people(run)["Anna" if red == "Character 1" else red]) == [0, 3, 5]
    other.page.unroute("**/api/state?*")
    other.troubles[:] = [one for one in other.troubles if "ERR_FAILED" not in one]


def test_a_sheet_of_before_decides_nothing(doubted: Path, opened: Open, run: Path) -> None:
    window = opened()
    begin_asking(window)
    window.page.route("**/api/queue", lambda route: route.abort())
    open_run(run).edits.name(1, "Anna")
    window.says("Somebody else decided: name")
    window.page.unroute("**/api/queue")
    window.page.keyboard.press("y")
    window.says("The cast has changed meanwhile")
    assert [edit.verb for edit in open_run(run).edits.done] == ["name"]
    window.troubles[:] = [one for one in window.troubles if "ERR_FAILED" not in one]


def test_what_others_decide_meanwhile_is_shown_on_the_sheet(
    doubted: Path, opened: Open, run: Path
) -> None:
    number = int(open_run(doubted).cast.character[3]) + 1
    window = opened()
    begin_asking(window)
    window.page.keyboard.press("1")
    open_run(run).edits.name(number, "Anna")
    window.page.locator("dialog .pick[data-id='t3']", has_text="Anna").wait_for()
    assert picks(window)["t3"] == "true"
    open_run(run).edits.confirm([3])
    window.page.locator("dialog .pick[data-id='t3']").wait_for(state="detached")
    assert {"t5", "t0"} <= set(picks(window))
    window.page.get_by_role("button", name="All is right as it is").wait_for()


def test_ones_own_decisions_are_nobody_elses(opened: Open, run: Path) -> None:
    window = opened()

    def late(route: Route) -> None:
        answer = route.fetch()
        time.sleep(2.5)  # others are looked for meanwhile
        route.fulfill(response=answer)

    window.page.route("**/api/edit", late)
    window.row("Character 1").click()
    window.page.keyboard.press("l")
    window.says("Locked")
    window.page.wait_for_timeout(300)
    assert window.page.locator("#toasts", has_text="Somebody else").count() == 0


def test_what_cannot_be_is_said_and_the_rest_goes_on(
    doubted: Path, opened: Open, run: Path
) -> None:
    window = opened()
    seen = begin_asking(window)
    pairs = [name for name in picks(window) if name.startswith("p")]
    assert pairs

    def refuse(route: Route) -> None:
        if json.loads(route.request.post_data or "{}")["verb"] != "apart":
            return route.fallback()
        return route.fulfill(status=422, json={"error": "that cannot be", "advice": ""})

    window.page.route("**/api/edit", refuse)
    window.page.keyboard.press("1")
    window.page.keyboard.press("y")
    window.says("That cannot be")
    window.says("2 tracks right here, 1 track not")
    assert window.page.locator("#toasts", has_text="two people").count() == 0
    assert [edit.verb for edit in open_run(run).edits.done] == ["confirm", "not"]
    next_sheet(window, seen)
    assert not set(pairs) & set(picks(window))


def test_a_sheet_stays_when_the_server_is_killed(
    doubted: Path, browser: Browser, run: Path
) -> None:
    server = Server(doubted)
    window = Window.open(browser, server.address)
    seen = begin_asking(window)
    window.page.keyboard.press("1")
    server.end(signal.SIGKILL)
    window.page.keyboard.press("y")
    window.says("The server does not answer")
    assert window.page.locator("dialog #toasts .toast").count() == 1
    window.page.keyboard.press("y")
    window.page.wait_for_timeout(500)
    window.page.keyboard.press("e")  # draws it anew
    assert window.page.locator("dialog .question").get_attribute("data-question") == seen
    assert picks(window)["t3"] == "true"
    assert open_run(run).edits.done == []
    window.page.context.close()


HASTE = """
async () => {
  document.getElementById("ask").click();
  while (!document.querySelector("dialog .yes")) await new Promise(requestAnimationFrame);
  await new Promise((next) => setTimeout(next, 100));
  document.querySelector("dialog .yes").click();
  const press = (more) => document.querySelector("dialog .yes").dispatchEvent(
    new KeyboardEvent("keydown", { key: "y", code: "KeyY", bubbles: true, ...more }));
  press();
  const seen = () => document.querySelector("dialog .question[data-seen]");
  while (!seen()) await new Promise(requestAnimationFrame);
  press({ repeat: true });
  await new Promise((next) => setTimeout(next, 300));
}
"""


def test_nobody_answers_a_sheet_unseen(opened: Open, unsure: Path) -> None:
    window = opened()
    window.page.evaluate(HASTE)
    assert open_run(unsure).edits.done == []


def test_digits_are_where_other_keyboards_have_other_signs(doubted: Path, opened: Open) -> None:
    window = opened()
    begin_asking(window)
    window.page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: '&', code: 'Digit1', bubbles: true }))"
    )
    assert picks(window)["t3"] == "true"


def test_what_is_clicked_is_seen_at_once_and_kept(opened: Open, unsure: Path) -> None:
    window = opened()
    begin_asking(window)
    pair = window.page.locator("dialog [data-kind='same'] .pick").first
    border = "e => getComputedStyle(e).borderColor"
    pair.hover()
    window.page.wait_for_timeout(200)
    before = pair.evaluate(border)
    pair.click()
    window.page.wait_for_timeout(200)
    assert pair.evaluate(border) != before
    clicked = picks(window)
    assert "true" in clicked.values()
    window.page.keyboard.press("Escape")
    begin_asking(window)
    assert picks(window) == clicked


def test_long_names_leave_the_sheet_in_sight(doubted: Path, opened: Open) -> None:
    result = open_run(doubted)
    for number in result.people:
        result.edits.name(number + 1, f"{number} עברית " + "long " * 60)
    window = opened((PHONE[0], 480))
    window.page.keyboard.press("q")
    window.page.locator("dialog .question[data-seen]").wait_for()
    body = window.page.locator("dialog .body")
    assert body.evaluate("e => e.scrollHeight > e.clientHeight && e.scrollTop === 0")
    names = window.page.locator("dialog .pick bdi")
    high = [names.nth(n).evaluate("e => e.offsetHeight") for n in range(names.count())]
    assert 0 < max(high) < 45, "two lines"


@pytest.fixture
def unknown(run: Path) -> Path:
    """The run, with a track that is Unknown and probably of a character."""
    store = Store(run)
    cast, *others = store.load("cast", (Cast, Merges, Candidates))
    character, probable, reason = cast.character.copy(), cast.probable.copy(), cast.reason.copy()
    character[7], probable[7], reason[7] = -1, character[7], Reason.UNSURE
    said = dict(store.manifest["steps"]["cast"])
    fingerprint, _ = said.pop("fingerprint"), said.pop("tables")
    one = replace(cast, character=character, probable=probable, reason=reason)
    store.save("cast", fingerprint, (one, *others), said)
    doubt(run, [0.1, 1, 1, 1, 1, 0.1, 1, 0])
    return run


def test_unknown_tracks_left_alone_are_asked_no_more_in_this_window(
    unknown: Path, opened: Open, run: Path
) -> None:
    window = opened()
    seen = begin_asking(window)
    assert picks(window)["t7"] == "false"
    window.page.keyboard.press("y")
    while (seen := next_sheet(window, seen)) != "none":
        assert "t7" not in picks(window)
        window.page.keyboard.press("y")
    said = window.page.locator("dialog .asked").inner_text()
    assert said.startswith("Nothing more is worth asking")
    assert window.page.get_by_role("button", name="Ask what I skipped").count() == 0
    assert people(run)["Unknown"] == [7]
    assert "move" not in {edit.verb for edit in open_run(run).edits.done}
    other = opened()
    begin_asking(other)
    assert set(picks(other)) == {"t7"}
