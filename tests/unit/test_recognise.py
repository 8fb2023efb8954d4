"""A library says who a character is: the edit, what people say besides, other clusterings."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests import tables
from tests.unit.test_edits import CHARACTER, a_run, lines, who
from videoclusternet.clustering.known.gallery import Gallery
from videoclusternet.clustering.known.suggested import Suggested
from videoclusternet.edits.edit import Edit
from videoclusternet.edits.retold import retold
from videoclusternet.edits.state import Person
from videoclusternet.edits.words import command
from videoclusternet.errors import ConfigError, ContradictionError, StoreError
from videoclusternet.library.meeting import take_up, told, would_be
from videoclusternet.result.result import Result

KEY = "p-anna"


@pytest.fixture
def run(tmp_path: Path) -> Result:
    return a_run(tmp_path)


def known(run: Result, character: int, name: str, key: str = KEY, films: int = 2) -> Edit:
    """Say by a library who a character is."""
    said = Edit("recognise", (str(character),), to=key, text=name, of=films, sure=0.75)
    return run.edits.say(said)


def of(person: Person) -> tuple[str, str, int, float, str]:
    """How a character is known."""
    return person.name, person.known, person.films, person.sure, person.kind


ANNA = ("Anna", KEY, 2, 0.75, "regular")


def test_a_character_gets_the_name_and_how_it_is_known(run: Result) -> None:
    edit = known(run, 2, "Anna")
    assert of(run.people[1]) == ANNA and who(run) == CHARACTER
    assert of(run.people[0]) == ("", "", 0, 0.0, "stranger")
    assert of(a_run(run.folder).people[1]) == ANNA  # as it is read back
    said = {"verb": "recognise", "characters": ["2"], "to": KEY, "text": "Anna", "of": 2}
    assert lines(run)[-1].items() >= {**said, "sure": 0.75}.items()
    assert command(edit, run.edits.state) == 'recognise 2 "Anna"'


@pytest.mark.parametrize(
    ("films", "kind"), [(0, "guest"), (1, "guest"), (2, "regular"), (9, "regular")]
)
def test_who_is_known_from_several_films_is_a_regular(run: Result, films: int, kind: str) -> None:
    known(run, 1, "Anna", films=films)
    assert run.people[0].kind == kind and a_run(run.folder).people[0].kind == kind


def test_a_name_that_another_character_has_makes_the_two_one(run: Result) -> None:
    run.edits.name(3, "Anna")
    known(run, 1, "Anna")
    assert who(run) == [2, 2, 2, 1, 1, 1, 2, 2, -1]
    assert run.people[2].name == "Anna" and sorted(run.people) == [1, 2]
    run.edits.undo()
    assert who(run) == CHARACTER and of(run.people[2])[:2] == ("Anna", "")


def test_two_characters_who_are_one_person_are_made_one(run: Result) -> None:
    known(run, 3, "Anna")
    known(run, 1, "Anna")
    assert who(run)[:3] == [2, 2, 2] and of(run.people[2]) == ANNA


@pytest.mark.parametrize("name", ["", "12", "new", "Character 4", "unknown"])
def test_what_is_no_name_is_refused(run: Result, name: str) -> None:
    with pytest.raises(ConfigError):
        known(run, 1, name)
    assert of(run.people[0])[0] == "" and not (run.folder / "edits.jsonl").exists()


def test_a_character_with_a_name_is_refused(run: Result) -> None:
    run.edits.name(1, "Ben")
    known(run, 2, "Anna")
    for number in (1, 2):
        with pytest.raises(ConfigError, match="has a name"):
            known(run, number, "Carla", "p-carla")
    assert [run.called(n) for n in (0, 1)] == ["Ben", "Anna"]


def test_who_is_locked_is_refused(run: Result) -> None:
    run.edits.lock(1)
    with pytest.raises(ConfigError, match="Character 1 is locked"):
        known(run, 1, "Anna")
    run.edits.name(2, "Anna")
    run.edits.lock(2)
    with pytest.raises(ConfigError, match="Anna is locked"):
        known(run, 3, "Anna")  # nothing may enter her


def test_people_who_were_said_to_be_two_stay_two(run: Result) -> None:
    run.edits.name(1, "Anna")
    run.edits.apart(1, 2)
    with pytest.raises(ContradictionError):
        known(run, 2, "Anna")
    assert who(run) == CHARACTER


def test_undo_and_redo(run: Result) -> None:
    known(run, 1, "Anna")
    run.edits.undo()
    assert of(run.people[0]) == ("", "", 0, 0.0, "stranger")
    run.edits.redo()
    assert of(run.people[0]) == of(a_run(run.folder).people[0]) == ANNA


@pytest.mark.parametrize("name", ["Bea", ""])
def test_whoever_says_otherwise_is_right(run: Result, name: str) -> None:
    known(run, 1, "Anna")
    run.edits.name(1, name)
    assert of(run.people[0]) == (name, "", 0, 0.0, "stranger")
    run.edits.undo()
    assert of(run.people[0]) == ANNA


def test_the_same_name_said_by_hand_confirms_it(run: Result) -> None:
    known(run, 1, "Anna")
    run.edits.name(1, "Anna")
    assert of(run.people[0]) == ANNA


def test_whoever_has_the_name_is_known_as_before_when_others_join(run: Result) -> None:
    known(run, 2, "Anna")
    run.edits.merge(1, 2)
    assert of(run.people[0]) == ANNA
    run.edits.name(3, "Ben")
    run.edits.merge(3, 1)  # Ben by hand: he is not known
    assert of(run.people[2]) == ("Ben", "", 0, 0.0, "stranger")


def test_another_clustering_keeps_it(tmp_path: Path) -> None:
    known(a_run(tmp_path), 2, "Anna")
    other = a_run(tmp_path, [2, 2, 0, 1, 1, 1, 0, 0, -1], size=42)
    assert of(other.people[1]) == ANNA and other.edits.unplaced == {}
    gone = a_run(tmp_path, [0, 0, 0, 0, 0, 0, 0, 0, 0])
    assert [of(one) for one in gone.people.values() if one.name] == [ANNA]
    back = a_run(tmp_path)
    assert of(back.people[1]) == ANNA


def test_a_character_found_in_pieces_is_known_in_one(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.edits.merge(1, 2)
    known(run, 1, "Anna")
    other = a_run(tmp_path, [0, 0, 0, 1, 1, 2, 3, 3, -1])
    assert {other.called(n) for n in who(other)[:6]} == {"Anna"}
    assert [of(one) for one in other.people.values() if one.name] == [ANNA]


def test_it_is_said_again_when_somebody_else_is_forgotten(run: Result) -> None:
    run.edits.author = "library ours.db"
    known(run, 2, "Anna")
    run.edits.author = "me"
    run.edits.name(1, "Ben")
    gone = np.array(CHARACTER) == 0
    said = retold(run.edits.state, run.edits.done, gone, row=0)
    assert [(e.verb, e.characters, e.to, e.text, e.of, e.sure, e.author) for e in said] == [
        ("recognise", ("2",), KEY, "Anna", 2, 0.75, "library ours.db")
    ]
    assert retold(run.edits.state, run.edits.done, np.array(CHARACTER) == 1, row=1)[0].text == "Ben"


@pytest.mark.parametrize(
    "values",
    [
        '"characters":[]',
        '"characters":["1","2"]',
        '"of":-1',
        '"of":1.5',
        '"to":7',
        '"text":["Anna"]',
        *(f'"sure":{value}' for value in (2, -0.5, "NaN", "1e999", "true", "null", "[]")),
        '"sure":"0.5"',
    ],
)
def test_a_damaged_line_is_refused(run: Result, values: str) -> None:
    known(run, 1, "Anna")
    path = run.folder / "edits.jsonl"
    first = path.read_bytes().splitlines()[0]
    line = b'{"id":2,"base":1,"verb":"recognise","characters":["1"],' + values.encode() + b"}"
    path.write_bytes(first + b"\n" + line[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(line))
    with pytest.raises(StoreError, match="line 2 cannot be read"):
        _ = a_run(run.folder).people


def test_what_was_offered_is_remembered_though_taken_back(run: Result) -> None:
    edits = run.edits
    assert not edits.was_offered("1", KEY)
    known(run, 1, "Anna")
    edits.undo()
    edits.name(2, "Ben")  # nothing can be done again
    for seen in (edits, a_run(run.folder).edits):
        assert seen.was_offered("1", KEY)
        assert not seen.was_offered("2", KEY) and not seen.was_offered("1", "p-ben")
    # Of another clustering nothing was offered yet.
    assert not a_run(run.folder, [0, 0, 1, 1, 1, 1, 2, 2, -1]).edits.was_offered("1", KEY)


# Taking up what clustering suggests.


def suggested(*rows: tuple[int, float, str]) -> Suggested:
    number, sure, keys = zip(*rows, strict=True) if rows else ((), (), ())
    return Suggested(np.array(number, "i4"), np.array(sure, "f4"), tuple(keys))


def people(**names: int) -> Gallery:
    """People of a library by name, and of how many films each is."""
    n = len(names)
    return Gallery(
        np.arange(n), np.zeros(n), np.ones((n, 3)), np.ones(n), np.full(n, 0.3),
        tuple(f"p-{name.lower()}" for name in names), tuple(names), tuple(names.values()), "drawn",
    )  # fmt: skip


def taken(run: Result, found: Suggested, who_is: Gallery, cast: Sequence[int] = ()) -> list[Edit]:
    clustering = tables.cast(cast) if cast else run.clustering
    before = list(run.edits.done)
    foreseen = would_be(run, run.edits.state, found, clustering, who_is)
    assert run.edits.done == before
    made = take_up(run, found, clustering, who_is, "a/our.db")
    assert [(e.characters, e.text) for e in foreseen] == [(e.characters, e.text) for e in made]
    return made


def test_each_is_an_edit_of_its_own_by_the_library(run: Result) -> None:
    run.edits.author = "me"
    found = suggested((0, 0.91234, "p-anna"), (2, 0.5, "p-ben"))
    made = taken(run, found, people(Anna=3, Ben=1, Carla=1))
    assert [(e.characters, e.text, e.to, e.of, e.sure, e.author) for e in made] == [
        (("1",), "Anna", "p-anna", 3, 0.9123, "library our.db"),
        (("3",), "Ben", "p-ben", 1, 0.5, "library our.db"),
    ]
    assert [run.people[n].kind for n in range(3)] == ["regular", "stranger", "guest"]
    assert run.edits.author == "me"
    assert told(run, made, people(Anna=3)) == (
        "recognised from the library: 'Anna' (91 %), 'Ben' (50 %); characters without a name: 1"
    )
    assert taken(run, found, people(Anna=3, Ben=1)) == []  # who has a name keeps it
    assert len(lines(run)) == 3


def test_names_that_people_gave_stay(run: Result) -> None:
    run.edits.name(1, "Dora")
    made = taken(run, suggested((0, 0.9, "p-anna"), (1, 0.8, "p-ben")), people(Anna=1, Ben=1))
    assert [one.text for one in made] == ["Ben"]
    assert of(run.people[0]) == ("Dora", "", 0, 0.0, "stranger")


def test_what_was_taken_back_is_not_said_again(run: Result) -> None:
    found, who_is = suggested((0, 0.9, "p-anna")), people(Anna=1)
    taken(run, found, who_is)
    run.edits.undo()
    assert taken(run, found, who_is) == []
    run.edits.name(1, "Ben")
    run.edits.name(1, "")
    assert taken(run, found, who_is) == [] and run.people[0].name == ""
    # Somebody else may be suggested.
    assert len(taken(run, suggested((0, 0.9, "p-bea")), people(Bea=1))) == 1


def test_what_people_said_otherwise_holds(run: Result) -> None:
    run.edits.name(1, "Anna")
    run.edits.apart(1, 2)
    run.edits.lock(3)
    found = suggested((1, 0.9, "p-anna"), (2, 0.8, "p-ben"))
    assert taken(run, found, people(Anna=1, Ben=1)) == []
    assert run.edits.author != "library our.db"
    said = "recognised from the library: {}; characters without a name: 2"
    assert told(run, [], people(Anna=1)) == said.format("nobody new")
    nobody = "nobody: from elsewhere it has no face of this face-ID model (`vcn library reembed`)"
    assert told(run, [], people()) == said.format(nobody)


def test_characters_are_found_where_people_moved_them(run: Result) -> None:
    """What clustering calls 0 is a part of another character by now; 2 is nobody any more."""
    run.edits.merge(2, 1)
    run.edits.move([6, 7], "unknown")
    made = taken(run, suggested((0, 0.9, "p-anna"), (2, 0.9, "p-ben")), people(Anna=2, Ben=1))
    assert [(one.characters, one.text) for one in made] == [(("2",), "Anna")]


def test_somebody_who_is_no_more_in_the_library_is_passed_over(run: Result) -> None:
    assert taken(run, suggested((0, 0.9, "p-gone")), people(Anna=1)) == []
    assert taken(run, suggested(), people()) == []


def test_the_author_is_the_writer_again_after_an_error(
    run: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(edit: Edit) -> Edit:
        raise StoreError("cannot write", "make room")

    run.edits.author = "me"
    monkeypatch.setattr(run.edits, "say", full)
    with pytest.raises(StoreError):
        taken(run, suggested((0, 0.9, "p-anna")), people(Anna=1))
    assert run.edits.author == "me"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([(1, 0.5, "a"), (0, 0.5, "b")], "rise"),
        ([(-1, 0.5, "a")], "rise"),
        ([(0, 0.5, "a"), (1, 0.5, "a")], "one for each"),
    ],
)
def test_a_table_that_names_somebody_twice_is_refused(
    rows: list[tuple[int, float, str]], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        suggested(*rows)


def test_what_is_kept_of_an_edit_is_plain_json(run: Result) -> None:
    known(run, 1, 'Zoë "Z"')
    assert json.loads(json.dumps(lines(run)[-1]))["text"] == 'Zoë "Z"'
    assert a_run(run.folder).called(0) == 'Zoë "Z"'
