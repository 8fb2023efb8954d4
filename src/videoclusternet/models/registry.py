"""Every model file we know: where it comes from, its hash, its licence.

A weight is a frozen row that also says how to feed the network.
A *choice* is a name, or ``name=path`` for a file of your own.  Whatever is read is
checked by sha256 first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from functools import lru_cache
from pathlib import Path

from videoclusternet.errors import ModelError
from videoclusternet.models.download import LARGEST
from videoclusternet.models.onnx_weights import ONNX_MODELS
from videoclusternet.models.paper_weights import PAPER_MODELS
from videoclusternet.models.pins import FILE as PINS
from videoclusternet.models.pins import no_weights, pin, read_pins
from videoclusternet.models.spec import ModelSpec as ModelSpec
from videoclusternet.models.spec import WeightFile as WeightFile
from videoclusternet.outside.files import is_file
from videoclusternet.outside.text import meant, shown

_RAW = "https://raw.githubusercontent.com"
_EDGEFACE = f"{_RAW}/yayoimizuha/face_recognition_train/3e631e35/checkpoints"
_EDGEFACE_LICENCE = "BSD-3-Clause or CC BY-NC-SA 4.0"
_EDGEFACE_NOTE = (
    "its authors contradict themselves: BSD-3-Clause on GitHub, CC BY-NC-SA 4.0 on their "
    "model cards"
)

MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="mtcnn",
            kind="detector",
            title="MTCNN, three small cascaded networks",
            files=tuple(
                WeightFile(f"{net}.lz4", digest, f"package:mtcnn/assets/weights/{net}.lz4")
                for net, digest in (
                    ("pnet", "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5"),
                    ("rnet", "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee"),
                    ("onet", "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3"),
                )
            ),
            licence="MIT",
            commercial="yes",
            note="embedded default",
            mean=(127.5, 127.5, 127.5),
            scale=128.0,
            sure=0.95,
        ),
        ModelSpec(
            name="dlib",
            kind="backbone",
            title="dlib face ResNet-29",
            files=(
                WeightFile(
                    "dlib_face_recognition_resnet_model_v1.dat",
                    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
                    "package:face_recognition_models/models/"
                    "dlib_face_recognition_resnet_model_v1.dat",
                ),
            ),
            licence="CC0-1.0",
            commercial="yes",
            note="embedded default",
            size=150,
            dim=128,
            mean=(122.782, 117.001, 104.298),
            scale=256.0,
        ),
        ModelSpec(
            name="retinaface",
            kind="detector",
            title="RetinaFace, MobileNet 0.25",
            files=(
                WeightFile(
                    "retinaface_mnet025_foamliu.pth",
                    "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
                    f"{_RAW}/foamliu/MobileFaceNet/a6cc9032/retinaface/weights/"
                    "mobilenet0.25_Final.pth",
                ),
            ),
            licence="Apache-2.0",
            commercial="yes",
            note="trained on WIDER FACE, research data",
            channels="BGR",
            mean=(104.0, 117.0, 123.0),
        ),
        ModelSpec(
            name="yunet",
            kind="detector",
            title="YuNet-n, the fastest",
            files=(
                WeightFile(
                    "yunet_n_dynamic.onnx",
                    "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
                    f"{_RAW}/ShiqiYu/libfacedetection.train/0047ac24/onnx/yunet_n_dynamic.onnx",
                ),
            ),
            licence="Apache-2.0 style",
            commercial="yes",
            note="trained on WIDER FACE, research data",
            channels="BGR",
            sure=0.85,
        ),
        ModelSpec(
            name="edgeface-xs",
            kind="backbone",
            title="EdgeFace-XS, 2.2 M parameters",
            files=(
                WeightFile(
                    "edgeface_xs_q.pt",
                    "a31314377876ab9fa2a75e5638bc528efe79fd17d5c9c0a228fb7f846d7581a6",
                    f"{_EDGEFACE}/edgeface_xs_q.pt",
                ),
            ),
            licence=_EDGEFACE_LICENCE,
            commercial="unclear",
            note=_EDGEFACE_NOTE,
            size=112,
            dim=512,
            mean=(127.5, 127.5, 127.5),
            scale=127.5,
            least=14.0,
        ),
        ModelSpec(
            name="edgeface-xxs",
            kind="backbone",
            title="EdgeFace-XXS, 1.2 M parameters",
            files=(
                WeightFile(
                    "edgeface_xxs_q.pt",
                    "46be7cc7e8d6e23501c0627fe5fbef101922ee9b85ccbef476987ab1a320b053",
                    f"{_EDGEFACE}/edgeface_xxs_q.pt",
                ),
            ),
            licence=_EDGEFACE_LICENCE,
            commercial="unclear",
            note=_EDGEFACE_NOTE,
            size=112,
            dim=512,
            mean=(127.5, 127.5, 127.5),
            scale=127.5,
        ),
        ModelSpec(
            name="onnx",
            kind="backbone",
            title="any ONNX face-ID model of your own",
            files=(WeightFile("model.onnx", "", "user:its makers"),),
            licence="licence of your file",
            commercial="unclear",
            note="give it as onnx=FILE.onnx",
            # What is usual: the file and the one beside it say what holds.
            size=112,
            dim=512,
            mean=(127.5, 127.5, 127.5),
            scale=127.5,
        ),
        *ONNX_MODELS,
        *PAPER_MODELS,
    )
}


def cache_folder() -> Path:
    """Return where fetched weights lie: ``VCN_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("VCN_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "videoclusternet"


def find(choice: str) -> tuple[ModelSpec, Path | None]:
    """Split a choice into its model and the path that came with it.

    Raises
    ------
    ModelError
        For a name that is not in the registry.
    """
    name, _, path = choice.partition("=")
    if name not in MODELS:
        raise ModelError(
            f"no model named {shown(name)}", f"{meant(name, MODELS)}known: {', '.join(MODELS)}"
        )
    return MODELS[name], Path(path) if path else None


def expected_path(file: WeightFile) -> Path:
    """Return where a file should lie, whether it does or not."""
    if not file.source.startswith("package:"):
        return cache_folder() / file.name
    package, _, inside = file.source.removeprefix("package:").partition("/")
    # find_spec on a top-level name does not import the package (both carriers fail to import).
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModelError(f"package {package} is not installed", f"pip install {package}")
    return Path(found.submodule_search_locations[0]) / inside


def locate(choice: str) -> tuple[Path, ...]:
    """Return the checked files of a model.

    Raises
    ------
    ModelError
        When a file is missing or its hash is wrong.
    """
    spec, own = find(choice)
    if own is not None and len(spec.files) != 1:
        raise ModelError(f"{spec.name} consists of several files", "it cannot be given as a path")
    paths = []
    for file in spec.files:
        path = own or expected_path(file)
        if not is_file(path):
            raise missing(spec, file, path)
        verify(spec, file, path, own)
        paths.append(path)
    return tuple(paths)


def missing(spec: ModelSpec, file: WeightFile, path: Path) -> ModelError:
    """Return the error about a file that is not there: where to get it."""
    hint = f" (sha256 {file.sha256})" if file.sha256 else ""
    advice = f"`vcn models pull {spec.name}`, or put {file.name}{hint} there"
    if file.source.startswith("user:"):
        page = file.source.removeprefix("user:")
        advice = f"get it from {page}, put it there or give it as {spec.name}=FILE"
    return ModelError(f"{spec.name}: no file {path}", advice)


def known_hash(spec: ModelSpec, file: WeightFile, own: Path | None = None) -> str:
    """Return the hash a file must have: published, or noted at first use, else empty."""
    return file.sha256 or read_pins(cache_folder()).get(_pin_key(spec, file, own), "")


def verify(spec: ModelSpec, file: WeightFile, path: Path, own: Path | None = None) -> None:
    """Check the hash of a file that is there; note it if none is known.

    Raises
    ------
    ModelError
        When the hash is wrong.
    """
    found, expected = sha256_of(path), known_hash(spec, file, own)
    if not expected:
        if wrong := no_weights(path):
            raise ModelError(f"{spec.name}: {path} {wrong}", "get the file again")
        pin(cache_folder(), _pin_key(spec, file, own), found)
    elif found != expected:
        advice = f"delete it and run `vcn models pull {spec.name}`" if file.sha256 else accepting()
        raise ModelError(f"{spec.name}: {path} has sha256 {found}, expected {expected}", advice)


def accepting() -> str:
    """Say how another file than the one of the first use is accepted."""
    return (
        "as at its first use; if the new file is right, put its sha256 in the place of the "
        f"old one in {cache_folder() / PINS}"
    )


def _pin_key(spec: ModelSpec, file: WeightFile, own: Path | None) -> str:
    """Name a file in the list of noted hashes: by place only if it is the user's own."""
    return f"{spec.name}={own.resolve()}" if own else f"{spec.name}/{file.name}"


def weights_digest(choice: str) -> str:
    """Return one hash for all files of a model: part of a step's fingerprint.

    Raises
    ------
    ModelError
        When a file is missing whose hash is not known without it.
    """
    spec, own = find(choice)
    digests = [file.sha256 or _present_hash(spec, file, own) for file in spec.files]
    if spec.name == "onnx":
        # The file beside the model changes the embeddings as much as the model does.
        beside = sidecar_path(own or expected_path(spec.files[0]))
        digests += [sha256_of(beside)] if is_file(beside) else []
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def sidecar_path(model: Path) -> Path:
    """Return where the file may lie that says how to feed an ONNX model."""
    return model.with_suffix(".json")


def _present_hash(spec: ModelSpec, file: WeightFile, own: Path | None) -> str:
    path = own or expected_path(file)
    if is_file(path):
        return sha256_of(path)
    # A finished run is read without its model.
    if noted := known_hash(spec, file, own):
        return noted
    raise missing(spec, file, path)


def sha256_of(path: Path) -> str:
    """Hash a file; repeated calls on an unchanged file read it once."""
    try:
        status = path.stat()
        if status.st_size > LARGEST:
            raise ModelError(f"{path} has more than {LARGEST:,} bytes", "is it a file of weights?")
        return _sha256(str(path), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}", "check its rights") from error


@lru_cache(maxsize=64)
def _sha256(path: str, size: int, mtime: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
