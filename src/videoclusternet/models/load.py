"""From a choice such as ``mtcnn`` or ``edgeface-xs=path`` to a model ready to run."""

from __future__ import annotations

from pathlib import Path

import torch

from videoclusternet.errors import ModelError
from videoclusternet.models.detector import FaceDetector
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import ModelSpec, find, locate


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
    kind = wanted.partition(":")[0]
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(kind, False):
        raise ModelError(f"no device {wanted!r} on this machine", "use --device cpu or auto")
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
        from videoclusternet.models.mtcnn import Mtcnn

        return Mtcnn(paths, device)
    if spec.name == "retinaface":
        from videoclusternet.models.retinaface import RetinaFace

        return RetinaFace(paths[0], device)
    from videoclusternet.models.yunet import YuNet

    return YuNet(paths[0])


def load_backbone(choice: str, device: str) -> FaceModel:
    """Load a face-ID model in evaluation mode.

    Raises
    ------
    ModelError
        When the name is unknown, no backbone, or its file is missing or wrong.
    """
    spec, (path, *_) = check(choice, "backbone")
    if spec.name == "dlib":
        from videoclusternet.models.dlib_resnet import load_dlib

        model: FaceModel = load_dlib(path)
    else:
        from videoclusternet.models.edgeface import load_edgeface

        model = load_edgeface(path, spec.name)
    model = model.to(device).eval()
    return model.to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]


def check(choice: str, kind: str) -> tuple[ModelSpec, tuple[Path, ...]]:
    """Find a model of a kind and its files, without loading it.

    Raises
    ------
    ModelError
        When the name is unknown, of another kind, or its file is missing or wrong.
    """
    spec, _ = find(choice)
    if spec.kind != kind:
        raise ModelError(f"{spec.name} is a {spec.kind}, not a {kind}", "see `vcn models`")
    return spec, locate(choice)
