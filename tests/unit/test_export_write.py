"""What is written where: all files or none, nothing of somebody else's."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Vcn
from tests.sheets import a_film, a_sheet
from videoclusternet.errors import ConfigError, InstallError, StoreError
from videoclusternet.export import write
from videoclusternet.export.formats import FORMATS, Format, find_format
from videoclusternet.export.piece import Piece
from videoclusternet.export.sheet import Sheet
from videoclusternet.export.write import export, safe_name

SHEET = a_sheet([a_film()], {"Anna": [(0, 0, 48)], "Ben": [(0, 24, 96)]})


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[Piece | Exception]:
    """A format ``toy`` that writes these; a folder where its ending is empty."""
    given: list[Piece | Exception] = []

    def writer(sheet: Sheet) -> Iterator[Piece]:
        for piece in given:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    monkeypatch.setattr(Format, "writer", lambda self: writer)
    toys = (Format("toy", ".toy", "", ""), Format("toys", "", "", ""))
    monkeypatch.setattr("videoclusternet.export.formats.FORMATS", toys)
    return given


def test_formats_are_found_by_ending_and_by_name(tmp_path: Path) -> None:
    assert find_format(Path("A.CSV")).name == "csv"
    assert find_format(Path("a.txt"), "CSV").name == "csv"
    with pytest.raises(ConfigError, match="did you mean csv"):
        find_format(Path("a.csv"), "cvs")
    with pytest.raises(ConfigError, match=r"no format ends in \.foo"):
        find_format(Path("a.foo"))
    assert len({one.name for one in FORMATS}) == len(FORMATS)


def test_what_is_there_stays_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        export(SHEET, target)
    assert target.read_text() == "mine"
    assert export(SHEET, target, force=True) == [target]
    assert target.read_text().startswith("film,")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["run.json", "cast.csv", "films/cast.csv"])
def test_nothing_is_written_into_a_run_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match="lies in a run folder"):
        export(SHEET, tmp_path / name, "csv", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert (tmp_path / "run.json").read_text() == "{}"


def test_several_files_lie_beside_each_other(pieces: list[Piece], tmp_path: Path) -> None:
    pieces += [Piece("a"), Piece("b", "Anna"), Piece(b"c", "An/na"), Piece("d", "An:na")]
    made = export(SHEET, tmp_path / "cast.toy")
    assert [path.name for path in made] == [
        "cast.toy",
        "cast - Anna.toy",
        "cast - An_na.toy",
        "cast - An_na 2.toy",
    ]
    assert [path.read_text() for path in made] == ["a", "b", "c", "d"]


@pytest.mark.parametrize("target", ["cast.toy", "faces"])
def test_a_writer_that_fails_leaves_nothing(
    target: str, pieces: list[Piece | Exception], tmp_path: Path
) -> None:
    pieces += [Piece("a", "x"), ValueError("broken")]
    with pytest.raises(ValueError, match="broken"):
        export(SHEET, tmp_path / target, "toy" if "." in target else "toys")
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_name_that_nobody_has_any_more_are_told_and_stay(
    drawn_run: Path, tmp_path: Path, vcn: Vcn
) -> None:
    run, to = shutil.copytree(drawn_run, tmp_path / "run"), tmp_path / "cast.edl"
    vcn("edit", run, "name", "1", "Anne")
    (tmp_path / "cast - mine.txt").touch()
    first = vcn("export", run, "--to", to)
    assert first.code == 0 and "left" not in first.err
    vcn("edit", run, "name", "1", "Anna")
    again = vcn("export", run, "--to", to, "--force")
    assert "vcn: note: left from an earlier export, it seems: cast - Anne.edl\n" in again.err
    assert (tmp_path / "cast - Anne.edl").exists() and (tmp_path / "cast - Anna.edl").exists()
    (tmp_path / "cast - Anne.edl").unlink()
    assert "left" not in vcn("export", run, "--to", to, "--force").err


def test_one_file_that_is_there_already_stops_all(pieces: list[Piece], tmp_path: Path) -> None:
    pieces += [Piece("a"), Piece("b", "Anna")]
    (tmp_path / "cast - Anna.toy").write_text("mine")
    with pytest.raises(ConfigError, match=r"cast - Anna\.toy is there already"):
        export(SHEET, tmp_path / "cast.toy")
    assert [path.name for path in tmp_path.iterdir()] == ["cast - Anna.toy"]


def test_a_folder_is_replaced_as_a_whole_and_only_if_it_was_ours(
    pieces: list[Piece], tmp_path: Path
) -> None:
    pieces += [Piece("a", "Anna/1.jpg"), Piece("b", "Ben/2.jpg")]
    target = tmp_path / "faces"
    target.mkdir()
    assert export(SHEET, target, "toys") == [target]  # an empty one is nobody's
    with pytest.raises(ConfigError, match="is there already"):
        export(SHEET, target, "toys")
    pieces.pop()
    export(SHEET, target, "toys", force=True)
    assert [p.name for p in target.rglob("*.jpg")] == ["1.jpg"]
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "sea.jpg").write_text("sea")
    with pytest.raises(ConfigError, match="holds other things"):
        export(SHEET, other, "toys", force=True)
    assert (other / "sea.jpg").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        export(SHEET, tmp_path / "file" / "a.csv")


@pytest.mark.parametrize("name", ["a/b", "..", "", "CON:", "x" * 500, "😀" * 90, "tab\tline\n"])
def test_names_of_files_are_names_everywhere(name: str, tmp_path: Path) -> None:
    made = safe_name(name)
    assert 0 < len(made.encode()) <= write.LONGEST and not set('/\\:*?"<>|\n\t') & set(made)
    assert made not in (".", "..")
    (tmp_path / made).write_text("")


@pytest.mark.parametrize(("name", "package"), [("aaf", "aaf2"), ("contact-pdf", "fpdf")])
def test_a_format_says_what_it_needs(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = next(one for one in FORMATS if one.name == name)
    monkeypatch.delitem(
        sys.modules, f"videoclusternet.export.{chosen.home.partition(':')[0]}", False
    )
    monkeypatch.setitem(sys.modules, package, None)
    wanted = f"{package}, which is not installed (pip install 'videoclusternet[{chosen.extra}]')"
    with pytest.raises(InstallError) as error:
        export(SHEET, tmp_path / f"cast{chosen.suffix}", name)
    assert wanted in str(error.value)
    assert not list(tmp_path.iterdir())
