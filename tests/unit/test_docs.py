"""The documents keep up with the code: what exists is described, what is described exists."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import io
import json
import operator
import re
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import typer.main

import videoclusternet
from tests import tables
from videoclusternet import Result, errors, types
from videoclusternet.adapt import rounds
from videoclusternet.adapt.guards import Health
from videoclusternet.adapt.train import Epoch
from videoclusternet.cli.main import app
from videoclusternet.clustering.known import suggested
from videoclusternet.config import PROFILES, Config
from videoclusternet.edits.edit import FORGET, PAST, VERBS, Edit
from videoclusternet.errors import VcnError
from videoclusternet.events import Event, Kind
from videoclusternet.models.registry import MODELS, ModelSpec
from videoclusternet.runfolder.manifest import FORMAT
from videoclusternet.runfolder.steps import PACKAGES
from videoclusternet.runfolder.table_files import table_path
from videoclusternet.show.terminal import print_candidates, print_cast
from videoclusternet.types import Reason, Table
from videoclusternet_bench.ablate import MEASURES
from videoclusternet_bench.cli.score import print_scores
from videoclusternet_bench.metrics.score_run import score_run
from videoclusternet_bench.metrics.scores import Scores
from videoclusternet_bench.studies import STUDIES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = Path(videoclusternet.__file__).parents[1]
PAGES = sorted(
    [*(ROOT / n for n in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *DOCS.rglob("*.md")]
)
TABLES = sorted(
    (
        kind
        for kind in Table.__subclasses__()
        if kind.__module__.startswith((types.__name__, rounds.__name__, suggested.__name__))
    ),
    key=lambda kind: kind.__name__,
)
PAPER_MAP = DOCS / "paper-map.md"
Row = list[str]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Blank out blocks of code, keeping places: a comment in them is no heading."""
    return re.sub(r"^```.*?^```", lambda m: " " * len(m[0]), text, flags=re.MULTILINE | re.DOTALL)


def section(text: str, title: str) -> str:
    """Text from a heading of this title to the next heading of its level or above."""
    plain = prose(text)
    found = re.search(rf"^(#+) {re.escape(title)}$", plain, re.MULTILINE)
    assert found, f"no heading {title!r}"
    end = re.search(rf"^#{{1,{len(found[1])}}} ", plain[found.end() :], re.MULTILINE)
    return text[found.end() : found.end() + end.start() if end else None]


def rows(text: str) -> list[Row]:
    """Cells of every table row, headers included; rules are left out."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def names(cell: str) -> list[str]:
    """All that stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def described(text: str) -> dict[str, Row]:
    """Rows by the names in their first cell."""
    return {name: row for row in rows(text) for name in names(row[0])}


# --- docs/cli.md -----------------------------------------------------------------------


def commands(command: Any, path: str = "vcn") -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups included."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))
ALIKE = {"-h", "--help"}
"""Options that all commands have, and that are described once."""


def options(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


GROUPS = ("vcn edit", "vcn library")
"""Commands whose verbs are described in one section."""
OTHERS = [name for name in COMMANDS if name != "vcn" and not name.startswith(GROUPS)]


@pytest.mark.parametrize("group", GROUPS)
def test_every_verb_of_a_group_is_described(group: str) -> None:
    verbs = {
        name.split()[-1]: one for name, one in COMMANDS.items() if name.startswith(f"{group} ")
    }
    table = described(section(read("docs/cli.md"), f"`{group}`"))
    assert {name.split()[0] for name in table if not name.startswith("-")} == set(verbs)
    every = {option for verb in verbs.values() for option in options(verb)} - ALIKE
    assert {name for name in table if name.startswith("-")} == every


@pytest.mark.parametrize("name", OTHERS)
def test_every_command_and_option_is_described(name: str) -> None:
    text = section(read("docs/cli.md"), f"`{name}`")
    assert set(described(text)) == options(COMMANDS[name]) - ALIKE
    assert re.search(rf"^    {name}( |$)", text, re.MULTILINE), "no example"
    assert "**Prints**" in text
    assert "**Writes**" in text


def test_options_before_the_command_are_described() -> None:
    text = read("docs/cli.md").partition("## Commands")[0]
    own = options(COMMANDS["vcn"]) | ALIKE
    assert own == {name for name in described(text) if name.startswith("-")}


def test_no_command_or_option_is_described_that_does_not_exist() -> None:
    # What stands before `-m` belongs to torchrun.
    text = re.sub(r"torchrun .*? -m ", "", read("docs/cli.md"))
    known = set().union(*map(options, COMMANDS.values())) | ALIKE
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= known
    sections = set(re.findall(r"^### `(vcn[^`]*)`$", text, re.MULTILINE))
    assert sections == {*OTHERS, *GROUPS}


def test_no_page_uses_a_command_that_does_not_exist() -> None:
    used: set[str] = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        used |= set(re.findall(r"(?:^    (?:\$ )?|`)vcn ([a-z][a-z-]*)", text, re.MULTILINE))
        used |= set(re.findall(r"-m videoclusternet ([a-z][a-z-]*)", text))
        for block in re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL):
            used |= set(re.findall(r"^(?:\$ )?vcn ([a-z][a-z-]*)", block, re.MULTILINE))
    assert {"cluster", "show"} <= used <= {name.split()[1] for name in COMMANDS if name != "vcn"}


def error_kinds() -> list[type[VcnError]]:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    return [kind for kind in found if issubclass(kind, VcnError) and kind is not VcnError]


def test_every_exit_code_is_described() -> None:
    table = rows(section(read("docs/cli.md"), "Exit codes"))[1:]
    kinds = [kind for kind in error_kinds() if kind.__base__ is VcnError]
    expected = {kind.exit_code: kind.__name__ for kind in kinds}
    assert {int(row[0]): "".join(names(row[2])) for row in table} == {0: "", 1: "", **expected}


def settings() -> dict[str, Any]:
    """Every setting with its default."""
    found: dict[str, Any] = {}
    for step, value in Config():
        inner = value if hasattr(value, "model_dump") else None
        found |= {f"{step}.{key}": v for key, v in inner} if inner else {step: value}
    return found


def test_every_setting_and_its_default_is_described() -> None:
    table = rows(section(read("docs/cli.md"), "All settings"))[1:]
    written = {names(row[0])[0]: names(row[1])[0] for row in table}
    assert written == {
        name: value if value and isinstance(value, str) else json.dumps(value)
        for name, value in settings().items()
    }
    assert all(row[2] for row in table)


def test_profiles_are_described() -> None:
    table = described(section(read("docs/cli.md"), "Profiles"))
    assert set(PROFILES) <= set(table)
    for profile in PROFILES:
        pairs = [name for name in names(table[profile][1]) if "=" in name]
        same = Config.load("instant", None, pairs).model_copy(update={"profile": profile})
        assert Config.load(profile) == same


def test_every_model_can_be_named() -> None:
    table = described(section(read("docs/cli.md"), "`vcn cluster`"))
    for spec in MODELS.values():
        assert {spec.name, f"{spec.name}=FILE"} & set(names(table[f"--{spec.kind}"][1])), spec.name


def test_every_study_is_described() -> None:
    table = rows(section(read("docs/cli.md"), "Studies"))[1:]
    assert [(names(row[0])[0], row[1]) for row in table] == [
        (study.name, study.title) for study in STUDIES.values()
    ]


def test_values_of_the_open_points_are_those_of_the_profiles() -> None:
    title = "What the paper leaves open"
    _, *table = rows(section(read("docs/how-it-works.md"), title))
    for _, _, setting, paper, vcn, _ in table:
        step, key = names(setting)[0].split(".")
        for profile, cell in (("paper", paper), ("vcn", vcn)):
            value = getattr(getattr(Config.load(profile), step), key)
            assert json.loads(names(cell)[0]) == json.loads(json.dumps(value)), (setting, profile)
    described_here = {names(row[2])[0] for row in table}
    differing = {
        f"adapt.{key}"
        for key, value in Config.load("vcn").adapt
        if value != getattr(Config.load("paper").adapt, key)
    }
    assert differing <= described_here


def test_example_of_a_settings_file_is_accepted(tmp_path: Path) -> None:
    text = section(read("docs/cli.md"), "Settings")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example
    file = tmp_path / "my.toml"
    file.write_text(example[1])
    config = Config.load("auto", file)
    given = tomllib.loads(example[1])
    assert config.faces.stride == given["faces"]["stride"] != Config().faces.stride


def test_progress_lines_are_described() -> None:
    text = section(read("docs/cli.md"), "Progress as JSON lines")
    assert {field.name for field in dataclasses.fields(Event)} == set(described(text))
    kinds = described(text)["kind"][2]
    assert set(get_args(Kind)) <= set(names(kinds))
    for line in re.findall(r"^    (\{.*\})$", text, re.MULTILINE):
        Event(**json.loads(line))


@cache
def literals(path: Path) -> set[str]:
    """Every text in a file but docstrings, pieces of f-strings one by one."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    comments = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in comments
    }


def test_every_message_in_troubleshooting_exists() -> None:
    sources = {path: path.read_text("utf-8") for path in sorted(SOURCE.rglob("*.py"))}

    def said(piece: str) -> bool:
        # Most stand in one line of a file: few others are looked into.
        likely = sorted(sources, key=lambda path: piece not in sources[path])
        return any(piece in text for path in likely for text in literals(path))

    messages = [
        message
        for row in rows(section(read("docs/cli.md"), "Troubleshooting"))
        for message in names(row[0])
    ]
    assert len(messages) > 20
    for message in messages:
        for piece in message.split("…"):
            assert not piece.strip() or said(piece), message


# --- docs/formats.md -------------------------------------------------------------------


def expected_dtype(kind: type[Table], column: str) -> str:
    dtype, shape = kind.COLUMNS[column]
    name = np.dtype(dtype).name
    if column in kind.RAGGED:
        return f"list of {name}"
    return " \u00d7 ".join([name, *map(str, shape[1:])])


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_table_and_column_is_described(kind: type[Table]) -> None:
    text = section(read("docs/formats.md"), f"`{table_path(Path(), kind).name}`")
    written = [(names(row[0])[0], row[1]) for row in rows(text)[1:]]
    columns = [(name, expected_dtype(kind, name)) for name in kind.COLUMNS]
    fields = [field.name for field in dataclasses.fields(kind)]
    meta = [(name, "metadata") for name in fields if name not in kind.COLUMNS]
    assert sorted(written) == sorted(columns + meta)


def test_every_file_of_a_run_is_listed() -> None:
    text = section(read("docs/formats.md"), "The run folder")
    files = {table_path(Path(), kind).name for kind in TABLES}
    assert files | {"run.json", "cast.html", "crops.zip", "parts/", "lock"} <= set(text.split()) | {
        word.rstrip(",") for word in text.split()
    }
    headings = re.findall(r"^### `(.+\.(?:parquet|safetensors))`$", read("docs/formats.md"), re.M)
    assert set(headings) == files
    assert {"adapt/", "learning.svg"} <= set(text.split())


def test_every_key_and_verb_of_the_log_is_described() -> None:
    text = section(read("docs/formats.md"), "`edits.jsonl`")
    said = {name for row in rows(text) for name in names(row[0])}
    assert set(Edit._fields) - {"id"} <= said and "`id`" in text
    commands = {name.split()[-1] for name in COMMANDS if name.startswith("vcn edit ")}
    assert set(VERBS) - commands == {"recognise", "recluster"}  # nobody types these
    assert {"recognise", "recluster", PAST, FORGET} <= set(re.findall(r"`([\w-]+)`", text))


def test_rounds_are_described() -> None:
    text = section(read("docs/formats.md"), "The rounds of learning")
    named = {"student.safetensors", "teacher.safetensors", rounds.STATE}
    tables_of = {table_path(Path(), kind).name for kind in (types.Embeddings, types.Links)}
    assert named | tables_of <= set(text.split())
    kinds = (rounds.Finished, Epoch, Health)
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert fields | {"fingerprint", "backbone", "depth", "adapt"} <= set(names(text))


def test_results_of_a_study_are_described() -> None:
    table = described(section(read("docs/formats.md"), "A study folder"))
    assert {"study", "variant", "set", "backbone", "seed", "chosen", "round", *MEASURES} <= set(
        table
    )
    assert {"hac_f", "hac_wcp", "seconds_adapt"} <= set(table)


def test_every_reason_is_described() -> None:
    text = described(section(read("docs/formats.md"), "`cast.parquet`"))["reason"][3]
    assert [int(n) for n in re.findall(r"\b\d+\b", text)] == [int(reason) for reason in Reason]


def test_format_number_is_the_one_in_the_code() -> None:
    text = section(read("docs/formats.md"), "What stays stable")
    assert re.findall(r"`format` in `run.json` is (\d+)", text) == [str(FORMAT)]
    table = section(read("docs/formats.md"), "Other files")
    assert re.findall(r"^\| `format` \| (\d+)", table, re.MULTILINE) == [str(FORMAT)]


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Result, dict[str, Any]]:
    """A run of two named tracks, and its scores."""
    tracks = tables.tracks([(0, 0, 11), (1, 12, 23)])
    film = tables.film(tracks, names=["1", "2"])
    result = tables.result([film], tracks, tables.cast([0, 1]))
    (tmp_path / "tracks.csv").write_text("track_id,label\n1,Ann\n2,Bob\n")
    return result, score_run(result, tmp_path)


def test_every_measure_is_described(scored: tuple[Result, dict[str, Any]]) -> None:
    _, scores = scored
    text = read("docs/formats.md")
    assert {field.name for field in dataclasses.fields(Scores)} < set(scores)
    assert set(described(section(text, "Measures"))) == set(scores)
    example = section(text, "`vcn score --json`").partition("\n    {")[2].partition("}")[0]
    assert set(json.loads("{" + example + "}")) == set(scores)


def test_printed_json_is_described(
    scored: tuple[Result, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    result, scores = scored
    text = section(read("docs/formats.md"), "`vcn show --json`")
    print_cast(result, True)
    (first, *_) = json.loads(capsys.readouterr().out)
    assert set(first) == set(described(text))
    assert set(first["spans"][0]) <= set(names(described(text)["spans"][1]))
    candidates = types.Candidates(np.ones(1), np.ones(1), np.ones(1), ("frozen/own",))
    print_candidates(dataclasses.replace(result, candidates=candidates), True)
    (row,) = json.loads(capsys.readouterr().out)
    assert set(row) <= set(names(text.rpartition("--candidates --json`")[2]))
    print_scores(scores, True)
    printed = list(json.loads(capsys.readouterr().out))
    assert printed == list(described(section(read("docs/formats.md"), "Measures")))


def test_run_json_is_described(demo_keys: set[str]) -> None:
    text = section(read("docs/formats.md"), "Other files")
    assert demo_keys | {"adapt"} <= set(names(text))


@pytest.fixture
def demo_keys(drawn_run: Path) -> set[str]:
    """Keys of a real run.json: at the top, of a film and of a step."""
    manifest = json.loads((drawn_run / "run.json").read_text())
    assert set(manifest["versions"]) == set(PACKAGES)
    return {*manifest, *manifest["films"][0], *manifest["steps"], *manifest["steps"]["scan"]}


# --- docs/weights.md -------------------------------------------------------------------


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_model_is_described(spec: ModelSpec) -> None:
    text = read("docs/weights.md")
    (row,) = [r for r in rows(text.partition("## Files")[0]) if names(r[0]) == [spec.name]]
    kind, _, licence, commercial, embedded = row[1:]
    assert (kind, licence) == (spec.kind, spec.licence)
    assert commercial == spec.commercial
    inside = all(file.source.startswith("package:") for file in spec.files)
    assert (embedded == "default") == inside
    files = [r for r in rows(section(text, "Files")) if names(r[0]) == [spec.name]]
    # Where no hash is known, none is given.
    written = [(names(r[1])[0], "".join(names(r[3]))) for r in files]
    assert written == [(file.name, file.sha256[:16]) for file in spec.files]
    for file, cells in zip(spec.files, files, strict=True):
        place = re.sub("^(package:|https://|hf:)", "", file.source)
        place = place if "hf:" not in file.source else f"huggingface.co/{place}"
        for name in names(cells[4]):
            assert name.rstrip("/") in place, (file.source, name)


def test_no_model_is_described_that_does_not_exist() -> None:
    text = read("docs/weights.md")
    assert {names(row[0])[0] for row in rows(text) if names(row[0])} == set(MODELS)


# --- docs/python-api.md ----------------------------------------------------------------


def test_every_public_name_is_described() -> None:
    text = read("docs/python-api.md")
    table = rows(text.partition("## `cluster_film`")[0])[1:]
    assert sorted(name for row in table for name in names(row[0])) == sorted(
        videoclusternet.__all__
    )


@pytest.mark.parametrize(
    "name",
    ["cluster_film", "cluster_tracks", "adapt_run", "characters", "export_run", "Config.load"],
)
def test_signatures_are_described(name: str) -> None:
    written = re.search(rf"`{name}\((.*?)\)`", read("docs/python-api.md"))
    assert written
    function = operator.attrgetter(name)(videoclusternet)
    parts = [part.partition("=")[0] for part in written[1].split(", ")]
    assert parts == list(inspect.signature(function).parameters)


def test_attributes_are_described() -> None:
    text = read("docs/python-api.md")
    table = {name.partition("(")[0] for name in described(section(text, "`Result`"))}
    public = {name for name in dir(Result) if not name.startswith("_")}
    fields = {field.name for field in dataclasses.fields(Result)}
    assert table == public | fields
    event = set(described(section(text, "Progress and stopping")))
    assert event == {field.name for field in dataclasses.fields(Event)}
    assert set(described(section(text, "Errors"))) == {kind.__name__ for kind in error_kinds()}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["python-api", "formats"])
def test_examples_print_what_they_say(
    page: str, demo_run: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_run.folder.parent, tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"```python\n(.*?)```\n\n```text\n(.*?)```", read(f"docs/{page}.md"), re.DOTALL
    )
    assert len(blocks) == read(f"docs/{page}.md").count("```python") > 3
    space: dict[str, Any] = {}
    for code, expected in blocks:
        if "pandas" in code and importlib.util.find_spec("pandas") is None:
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, f"{page}.md", "exec"), space)
        assert out.getvalue() == expected, code


# --- all pages -------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Anchors that GitHub makes of headings."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = prose(page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(place.read_text("utf-8")), f"{page.name}: {target}"


def resolve(dotted: str) -> None:
    """Import a name such as ``videoclusternet.runfolder.folder.Store.load``."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if importlib.util.find_spec(parts[0]) and _is_module(name):
            found: Any = importlib.import_module(name)
            for part in parts[end:]:
                fields = {
                    **getattr(found, "__dataclass_fields__", {}),
                    **getattr(found, "model_fields", {}),
                }
                found = fields[part] if part in fields else getattr(found, part)
            return
    raise AssertionError(f"no module in {dotted}")


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def has_test(path: Path, name: str) -> bool:
    """Whether a test file defines ``test_x`` or ``TestX::test_x``."""
    body: list[ast.stmt] = ast.parse(path.read_text(encoding="utf-8")).body
    for part in name.split("::"):
        kinds = (ast.FunctionDef, ast.ClassDef)
        found = [node for node in body if isinstance(node, kinds) and node.name == part]
        if not found:
            return False
        body = found[0].body
    return True


@pytest.mark.skipif(not PAPER_MAP.exists(), reason="docs/paper-map.md is not written yet")
def test_every_name_in_the_paper_map_exists() -> None:
    text = PAPER_MAP.read_text("utf-8")
    code = re.findall(r"`(videoclusternet(?:\.\w+)+)(?:\(\))?`", text)
    tests = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", text)
    assert code and tests
    for dotted in code:
        resolve(dotted)
    for path, name in tests:
        assert has_test(ROOT / path, name), f"{path}::{name}"
