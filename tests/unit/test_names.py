"""Names that look alike are one; what is seen stays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet import open_library, open_run
from videoclusternet.errors import ConfigError
from videoclusternet.library.people import folded, named
from videoclusternet.outside.names import NOTHING, as_seen

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


@pytest.mark.parametrize(
    "name",
    [
        *("An\u200bna", "\ufeffAnna", "An\u00adna", "Anna\u2060", "\u200eAnna\u200f", "A\u034fnna"),
        *("Anna\u200d", "A\u200cnna", "Anna\ufe0f", "\u200dAnna", "An\u200d\u200b\u200cna"),
        *("Anna\U000e0041", "Anna\u180e", "Anna\U000e0100", "Ann\uffa0a", "Anna\U000e0001"),
    ],
)
def test_what_nobody_sees_makes_no_other_name(name: str) -> None:
    assert as_seen(name) == named(name) == "Anna" and folded(name) == "anna"


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Alireza, in two parts
        "\u0dba\u0dca\u200d\u0dba\u0dcf",  # Sinhala, a conjunct
        "\u0d05\u0d30\u0d41\u0d23\u0d4d\u200d",  # Arun in Malayalam, as it was long written
        "\u845b\U000e0100\u57ce",  # the form of a letter that the family writes
        *(FAMILY, WALES, "\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001f469\U0001f3fd\u200d\u2695\ufe0f"),
        *("Zo\u00eb Smith-Jones", "O\u2019Hara", "\u5f20\u4f1f"),
    ],
)
def test_what_is_seen_stays(name: str) -> None:
    assert as_seen(name) == named(name) == name


def test_joiners_where_nothing_joins_go_and_of_several_one_stays() -> None:
    assert as_seen("\u674e\u200d\u660e") == "\u674e\u660e"
    assert as_seen("\u0628\u200c\u200c\u0628") == "\u0628\u200c\u0628"
    assert as_seen(FAMILY.replace("\u200d", "\u200d\u200d")) == FAMILY
    assert as_seen("Zoe\u0308") == "Zo\u00eb"


ODD = "aE \u180e\u0308\u200b\u200c\u200d\ufe0f\u00ad\U000e0067\U0001f469\u2764\u0639\u0915\u094d"


@given(st.text(st.sampled_from(ODD)) | st.text())
def test_seen_once_is_seen_for_good(name: str) -> None:
    seen = as_seen(name)
    assert as_seen(seen) == seen and not NOTHING.search(seen)
    assert as_seen(name + "\u200b") == seen


def test_characters_of_one_name_are_one(drawn_run: Path, tmp_path: Path) -> None:
    run = open_run(shutil.copytree(drawn_run, tmp_path / "run"))
    run.edits.name(1, " An\u200bna\u00a0 \u200b")
    assert run.people[0].name == "Anna" and run.index_of("An\u00adna") == 0
    run.edits.name(2, "Anna\ufeff")
    assert len(run.people) == 1
    run.edits.name("Anna", "\u200b")
    assert run.people[0].name == ""
    with pytest.raises(ConfigError, match="taken for a number"):
        run.edits.name(1, "1\u200b")


def test_people_of_one_name_are_one_in_a_library(tmp_path: Path) -> None:
    with open_library(tmp_path / "l.db", create=True) as library:
        with library.writing() as db:
            db.execute("INSERT INTO person (key, name, folded) VALUES ('0', 'Anna', 'anna')")
        assert library.find("AN\u200bNA").name == "Anna" and "Anna\u00ad" in library
        with pytest.raises(ConfigError, match="has a name"):
            named("\u200b \u2060")
