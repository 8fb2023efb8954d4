"""From a choice such as ``mtcnn`` or ``edgeface-xs=path`` to a model ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.detectors.detector import FaceDetector
from videoclusternet.models.onnx_weights import ONNX_MODELS
from videoclusternet.models.registry import ModelSpec, find, locate, weights_digest
from videoclusternet.outside.text import shown

DIGITS = 5
"""Of the number of a device, less than."""


@dataclass(frozen=True)
class LazyDetector:
    """A face detector that is loaded when it is called, once in a process.

    Attributes
    ----------
    choice : str
        A name of ``vcn models``, or ``name=path``.
    device : str
        Where it runs: plays no part in its digest.
    """

    choice: str
    device: str

    @cached_property
    def digest(self) -> str:
        """Hash of its weights: sha256, hexadecimal."""
        return weights_digest(self.choice)

    def __call__(self) -> FaceDetector:
        """Load the detector; see :func:`load_detector`."""
        return _detector(self.choice, self.device, self.digest)


@dataclass(frozen=True)
class LazyBackbone:
    """A face-ID model that is loaded when it is called; see :class:`LazyDetector`."""

    choice: str
    device: str

    @cached_property
    def digest(self) -> str:
        """Hash of its weights: sha256, hexadecimal."""
        return weights_digest(self.choice)

    def __call__(self) -> FaceModel:
        """Load the model; see :func:`load_backbone`."""
        return _backbone(self.choice, self.device, self.digest)


@lru_cache(maxsize=1)
def _detector(choice: str, device: str, digest: str) -> FaceDetector:
    return load_detector(choice, device)


@lru_cache(maxsize=1)
def _backbone(choice: str, device: str, digest: str) -> FaceModel:
    return load_backbone(choice, device)


def pick_device(wanted: str) -> str:
    """Resolve ``auto`` to CUDA, Apple's MPS or the CPU.

    Raises
    ------
    ModelError
        When a device was asked for that is not there.
    """
    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    kind, colon, number = wanted.partition(":")
    known = not colon or (number.isascii() and number.isdecimal() and len(number) < DIGITS)
    if not known or int(number or 0) >= counts.get(kind, 0):
        raise ModelError(f"no device {shown(wanted)} on this machine", "use --device cpu or auto")
    return wanted


def load_detector(choice: str, device: str) -> FaceDetector:
    """Load a face detector.

    Raises
    ------
    ModelError
        When the name is unknown, no detector, or its file is missing or wrong.
    """
    spec, paths = check(choice, "detector")
    if spec.name == "mtcnn":
        from videoclusternet.models.detectors.mtcnn import Mtcnn

        return Mtcnn(paths, device)
    if spec.name == "retinaface":
        from videoclusternet.models.detectors.retinaface import RetinaFace

        return RetinaFace(paths[0], device)
    from videoclusternet.models.detectors.yunet import YuNet

    return YuNet(paths[0])


def load_backbone(choice: str, device: str) -> FaceModel:
    """Load a face-ID model in evaluation mode.

    Raises
    ------
    ModelError
        When the name is unknown, no backbone, or its file is missing or wrong.
    """
    spec, (path, *_) = check(choice, "backbone")
    model = _read_backbone(spec, path).to(device).eval()
    return model.to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]


def _read_backbone(spec: ModelSpec, path: Path) -> FaceModel:
    """Read a face-ID model from its checked file; only its own module is imported."""
    name = spec.name
    if name == "dlib":
        from videoclusternet.models.backbones.dlib_resnet import load_dlib

        return load_dlib(path)
    if name.startswith("arcface-"):
        from videoclusternet.models.backbones.iresnet import load_iresnet

        return load_iresnet(path, name)
    if name == "adaface-ir101":
        from videoclusternet.models.backbones.adaface import load_adaface

        return load_adaface(path)
    if name.startswith("vggface2-"):
        from videoclusternet.models.backbones.vggface2 import load_vggface2

        return load_vggface2(path, name)
    if name == "farl":
        from videoclusternet.models.backbones.farl import load_farl

        return load_farl(path)
    if name == "onnx":
        from videoclusternet.models.onnx.face import load_onnx

        return load_onnx(path)
    if name in {row.name for row in ONNX_MODELS}:
        from videoclusternet.models.onnx.face import load_named

        return load_named(path, spec)
    from videoclusternet.models.backbones.edgeface import load_edgeface

    return load_edgeface(path, name)


def check(choice: str, kind: str) -> tuple[ModelSpec, tuple[Path, ...]]:
    """Find a model of a kind and its files, without loading it.

    Raises
    ------
    ModelError
        When the name is unknown, of another kind, or its file is missing or wrong.
    """
    return spec_of(choice, kind), locate(choice)


def spec_of(choice: str, kind: str) -> ModelSpec:
    """Find a model of a kind, whether its files are there or not.

    Raises
    ------
    ModelError
        When the name is unknown or of another kind.
    """
    spec, _ = find(choice)
    if spec.kind != kind:
        raise ModelError(f"{spec.name} is a {spec.kind}, not a {kind}", "see `vcn models`")
    return spec
