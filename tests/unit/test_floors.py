"""The import rule: floors, no cycles, and one owner for each outside library."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import videoclusternet

PACKAGE = "videoclusternet"
ROOT = Path(videoclusternet.__file__).parent

FLOORS = (
    # 0: words
    "types types.cast types.film types.table config errors events",
    # 1: the world: files and networks
    "video store run models models.boxes models.detector models.dlib_resnet models.edgeface "
    "models.face_model models.fetch models.load models.mtcnn models.registry models.retinaface "
    "models.yunet models.spec models.paper_weights models.pins models.checkpoint "
    "models.iresnet models.adaface models.vggface2 models.farl models.onnx models.onnx.file "
    "models.onnx.graph models.onnx.face models.onnx.operators models.onnx.parts models.onnx.shapes "
    "models.onnx.sidecar models.onnx.windows",
    # 2: steps, from pictures to tables and from crops to a cast
    "quality shots motion faces tracks crops scan "
    "views similarity track_quality embed matching instant spaces points cluster linkage "
    "stability choose casting pool given "
    "adapt adapt.heads adapt.loss adapt.schedule adapt.pairs adapt.supply adapt.ranks adapt.guards "
    "adapt.train adapt.rounds adapt.loop adapt.judge adapt.film",
    # 3: a finished run, read back
    "results summary report learning",
    # 4: the whole way
    "pipeline",
    # 5: labelled data: its forms, and ways into the method at boxes, crops and embeddings
    "datasets datasets.box_forms datasets.box_sets datasets.boxes datasets.check "
    "datasets.crop_sets datasets.crop_zips datasets.cvat datasets.export datasets.export_crops "
    "datasets.feature_files datasets.feature_sets datasets.fields datasets.from_run datasets.ids "
    "datasets.join datasets.mot datasets.sets datasets.track_lists datasets.truth",
    # 6: the bench: measures, methods, runs of both
    "bench bench.ablate bench.adapted_runs bench.appearance bench.compare bench.intervals "
    "bench.jobs bench.measure bench.methods bench.methods.base bench.methods.bcl "
    "bench.methods.density bench.methods.embedding_net bench.methods.graph bench.methods.hac "
    "bench.methods.jfac bench.methods.ours bench.methods.registry bench.methods.ssiam "
    "bench.methods.tsiam bench.metrics bench.plan bench.published bench.scoring bench.stats "
    "bench.studies",
    # 7: what people read and look at
    "bench.pictures bench.pictures.confusion bench.pictures.drawing bench.pictures.errors "
    "bench.pictures.iterations bench.pictures.looks bench.pictures.matched bench.pictures.page "
    "bench.pictures.reasons bench.pictures.sheets bench.pictures.shown bench.pictures.thumbnails "
    "bench.pictures.tsne bench.tables bench.tables.comparison bench.tables.grids "
    "bench.tables.paper_tables bench.tables.stats bench.tables.studies",
    # 8: doors
    "__init__ __main__ cli cli_bench cli_dataset cli_dataset_write cli_models cli_options console "
    "printing demo",
)
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor.split()}

SIDEWAYS = {
    "types": "types.cast types.film types.table",
    "types.cast": "types.table",
    "types.film": "types.table",
    "config": "errors",
    "run": "store",
    "models.dlib_resnet": "models.face_model",
    "models.edgeface": "models.face_model",
    "models.mtcnn": "models.boxes models.detector",
    "models.retinaface": "models.boxes models.detector",
    "models.yunet": "models.detector",
    "models.fetch": "models.registry store",
    "models.registry": "models.paper_weights models.pins models.spec",
    "models.paper_weights": "models.spec",
    "models.iresnet": "models.checkpoint models.face_model",
    "models.adaface": "models.checkpoint models.face_model",
    "models.vggface2": "models.checkpoint models.face_model",
    "models.farl": "models.checkpoint models.face_model",
    "models.load": "models.detector models.face_model models.registry models.dlib_resnet "
    "models.edgeface models.mtcnn models.retinaface models.yunet models.iresnet models.adaface "
    "models.vggface2 models.farl models.onnx.face",
    "models.onnx.graph": "models.onnx.file models.onnx.operators",
    "models.onnx.face": "models.face_model models.onnx.file models.onnx.graph models.onnx.parts "
    "models.onnx.sidecar",
    "models.onnx.operators": "models.onnx.file models.onnx.shapes models.onnx.windows",
    "models.onnx.parts": "models.onnx.file models.onnx.graph",
    "models.onnx.shapes": "models.onnx.file",
    "models.onnx.sidecar": "models.registry",
    "models.onnx.windows": "models.onnx.file",
    "faces": "quality",
    "tracks": "quality",
    "crops": "quality",
    "scan": "faces motion shots",
    "track_quality": "similarity",
    "embed": "views track_quality",
    "matching": "instant similarity spaces",
    "instant": "similarity",
    "spaces": "instant similarity",
    "stability": "cluster instant linkage points similarity spaces",
    "points": "instant similarity",
    "cluster": "points similarity",
    "linkage": "cluster points similarity",
    "choose": "cluster instant linkage points similarity spaces stability",
    "casting": "choose cluster instant points similarity spaces stability track_quality",
    "adapt.supply": "adapt.heads views",
    "adapt.guards": "adapt.loss",
    "adapt.train": "adapt.guards adapt.heads adapt.loss adapt.pairs adapt.ranks adapt.schedule "
    "adapt.supply",
    "adapt.rounds": "adapt.guards adapt.train spaces",
    "adapt.loop": "adapt.guards adapt.heads adapt.pairs adapt.ranks adapt.rounds adapt.supply "
    "adapt.judge adapt.train similarity track_quality",
    "adapt.judge": "choose matching similarity spaces stability",
    "adapt.film": "adapt.judge adapt.loop adapt.ranks adapt.rounds adapt.supply crops",
    "given": "crops faces quality",
    "summary": "results",
    "report": "results summary",
    "datasets.box_forms": "datasets.boxes datasets.cvat datasets.mot",
    "datasets.boxes": "datasets.fields",
    "datasets.check": "datasets.fields datasets.sets datasets.crop_sets datasets.feature_sets "
    "datasets.track_lists",
    "datasets.cvat": "datasets.boxes datasets.fields",
    "datasets.export": "datasets.box_forms datasets.boxes datasets.mot",
    "datasets.export_crops": "datasets.boxes datasets.crop_zips datasets.export datasets.box_sets",
    "datasets.feature_files": "datasets.feature_sets",
    "datasets.from_run": "datasets.boxes datasets.crop_zips datasets.export datasets.fields",
    "datasets.join": "datasets.box_forms datasets.boxes datasets.crop_zips datasets.export "
    "datasets.feature_files datasets.ids datasets.crop_sets datasets.feature_sets "
    "datasets.track_lists",
    "datasets.mot": "datasets.boxes datasets.fields",
    "datasets.sets": "datasets.box_forms datasets.boxes",
    "datasets.truth": "datasets.box_forms datasets.boxes datasets.fields",
    "datasets.box_sets": "datasets.box_forms",
    "datasets.crop_sets": "datasets.track_lists",
    "datasets.feature_sets": "datasets.track_lists",
    "bench.ablate": "bench.jobs bench.methods.hac bench.metrics bench.scoring bench.studies "
    "bench.adapted_runs",
    "bench.compare": "bench.intervals bench.jobs bench.measure bench.methods.base bench.metrics "
    "bench.plan bench.methods.ours",
    "bench.methods.density": "bench.methods.base",
    "bench.methods.graph": "bench.methods.base",
    "bench.methods.hac": "bench.methods.base bench.metrics",
    "bench.methods.embedding_net": "bench.methods.base",
    "bench.methods.tsiam": "bench.methods.base bench.methods.embedding_net",
    "bench.methods.ssiam": "bench.methods.base bench.methods.embedding_net",
    "bench.methods.jfac": "bench.methods.base bench.methods.embedding_net",
    "bench.methods.bcl": "bench.methods.base bench.methods.embedding_net",
    "bench.methods.ours": "bench.jobs bench.methods.base",
    "bench.methods.registry": "bench.methods.base bench.methods.density bench.methods.graph "
    "bench.methods.hac bench.methods.ours bench.methods.bcl bench.methods.jfac bench.methods.ssiam "
    "bench.methods.tsiam",
    "bench.scoring": "bench.metrics",
    "bench.adapted_runs": "bench.metrics",
    "bench.plan": "bench.methods.base bench.methods.registry",
    "bench.stats": "bench.compare bench.jobs bench.published bench.appearance",
    "bench.pictures.confusion": "bench.pictures.drawing bench.pictures.looks bench.pictures.shown",
    "bench.pictures.errors": "bench.pictures.drawing bench.pictures.looks bench.pictures.matched "
    "bench.pictures.reasons bench.pictures.shown bench.pictures.thumbnails",
    "bench.pictures.iterations": "bench.pictures.drawing bench.pictures.shown bench.tables.grids",
    "bench.pictures.looks": "bench.pictures.drawing",
    "bench.pictures.page": "bench.pictures.confusion bench.pictures.drawing bench.pictures.errors "
    "bench.pictures.iterations bench.pictures.sheets bench.pictures.shown "
    "bench.pictures.thumbnails bench.pictures.tsne",
    "bench.pictures.reasons": "bench.pictures.shown",
    "bench.pictures.sheets": "bench.pictures.drawing bench.pictures.errors bench.pictures.looks "
    "bench.pictures.matched bench.pictures.shown bench.pictures.thumbnails",
    "bench.pictures.shown": "bench.pictures.matched bench.tables.comparison",
    "bench.pictures.tsne": "bench.pictures.drawing bench.pictures.looks bench.pictures.shown",
    "bench.tables.comparison": "bench.tables.grids bench.tables.paper_tables",
    "bench.tables.paper_tables": "bench.tables.grids",
    "bench.tables.stats": "bench.pictures.drawing bench.tables.grids",
    "bench.tables.studies": "bench.pictures.drawing",
    "__main__": "cli",
    "cli": "cli_bench cli_dataset cli_options console demo printing cli_models",
    "cli_dataset": "cli_dataset_write cli_options console",
    "cli_bench": "cli_options console",
    "cli_dataset_write": "cli_options console",
    "cli_models": "cli_options console printing",
}
"""What a module may import from its own floor: everything else there is closed to it."""

OWNERS = {
    "av": "video demo",
    "cv2": "crops demo models.mtcnn models.yunet motion quality shots bench.pictures.thumbnails "
    "datasets.crop_sets",
    "filelock": "store",
    "huggingface_hub": "models.fetch",
    "jinja2": "report bench.pictures.page",
    "joblib": "models.mtcnn",
    "lz4": "models.mtcnn",
    "matplotlib": "demo learning bench.pictures.confusion bench.pictures.drawing "
    "bench.pictures.errors bench.pictures.iterations bench.pictures.page bench.pictures.sheets "
    "bench.pictures.thumbnails bench.pictures.tsne",
    "onnx": "models.onnx.file",
    "pyarrow": "store bench.tables.comparison bench.tables.stats",
    "pydantic": "config",
    "rich": "console printing",
    "safetensors": "adapt.rounds models.checkpoint store",
    "scenedetect": "shots",
    "scipy": "bench.intervals bench.methods.bcl bench.methods.embedding_net bench.methods.hac "
    "cluster linkage similarity stability datasets.feature_files bench.pictures.matched",
    "skimage": "demo",
    "sklearn": "bench.methods.density bench.methods.graph bench.methods.jfac bench.metrics "
    "bench.pictures.tsne",
    "supervision": "tracks",
    "threadpoolctl": "bench.appearance bench.jobs scan",
    "torch": "adapt.guards adapt.heads adapt.loop adapt.loss adapt.ranks adapt.rounds adapt.supply "
    "bench.jobs bench.methods.bcl bench.methods.embedding_net bench.methods.jfac adapt.train embed "
    "models.dlib_resnet models.edgeface models.face_model models.load models.mtcnn "
    "models.retinaface views models.checkpoint models.iresnet models.adaface models.vggface2 "
    "models.farl models.onnx.file models.onnx.graph models.onnx.face models.onnx.operators "
    "models.onnx.parts models.onnx.shapes models.onnx.windows track_quality",
    "trackers": "motion tracks",
    "typer": "cli cli_bench cli_dataset cli_options cli_dataset_write cli_models",
}
"""Who uses an outside library; NumPy is for all."""


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports_of(path: Path, modules: set[str]) -> set[str]:
    """Full names of everything a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path} imports by dots"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` names modules, `from module import thing` does not.
            named = {name for name in inner if name.removeprefix(f"{PACKAGE}.") in modules}
            found |= named or {node.module}
    return found


FILES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
IMPORTS = {name: imports_of(path, set(FILES)) for name, path in FILES.items()}
INSIDE = {
    name: {i.removeprefix(f"{PACKAGE}.") for i in found if i.startswith(f"{PACKAGE}.")}
    for name, found in IMPORTS.items()
}


def test_every_module_has_a_floor() -> None:
    assert set(FLOOR) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down_or_to_a_permitted_neighbour(name: str) -> None:
    beside = set(SIDEWAYS.get(name, "").split())
    assert all(FLOOR[other] == FLOOR[name] for other in beside)
    wrong = {o for o in INSIDE[name] if FLOOR[o] >= FLOOR[name] and o not in beside}
    assert wrong == set()


def test_no_permission_is_left_unused() -> None:
    unused = {
        (name, other)
        for name, beside in SIDEWAYS.items()
        for other in beside.split()
        if other not in INSIDE[name]
    }
    assert unused == set()


def test_there_is_no_cycle() -> None:
    order = list(graphlib.TopologicalSorter(INSIDE).static_order())
    assert order.index("errors") < order.index("pipeline") < order.index("cli")


def test_every_outside_library_has_its_owners() -> None:
    users: dict[str, set[str]] = {}
    for name, found in IMPORTS.items():
        for full in found:
            top = full.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in (PACKAGE, "numpy"):
                users.setdefault(top, set()).add(name)
    assert users == {library: set(owners.split()) for library, owners in OWNERS.items()}


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


@pytest.mark.parametrize(
    "code",
    [
        "import videoclusternet",
        "from videoclusternet import cli\nsys.argv = ['vcn', '--help']\ncli.main()",
        "from videoclusternet import cli\nsys.argv = ['vcn', 'cluster', '--help']\ncli.main()",
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


def test_public_names_are_found_on_first_use() -> None:
    for name in videoclusternet.__all__:
        assert getattr(videoclusternet, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = videoclusternet.nonsense
