"""Any face-ID network in an ONNX file, as a trainable model.

The graph is run node by node in torch.  It is taken apart in three: early stages, last
stage, last linear layer.  What follows that layer may only scale the embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from videoclusternet.errors import ModelError
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.onnx.batch import settle_batch
from videoclusternet.models.onnx.file import OnnxFile, read_onnx
from videoclusternet.models.onnx.graph import (
    Graph,
    make_program,
)
from videoclusternet.models.onnx.parts import find_cut, split_tail
from videoclusternet.models.onnx.sidecar import Feeding, read_sidecar
from videoclusternet.models.spec import ModelSpec
from videoclusternet.types.canvas import ARCFACE_112

SIDES = range(16, 1025)
"""Sides of the input, px."""
MOST_PICTURES = 64
"""At a time that a file is written for."""
USUAL = 112
"""Side of the input where neither the file nor the sidecar says it, px."""


@dataclass(frozen=True)
class Layout:
    """How the graph takes pictures.

    Attributes
    ----------
    source : str
        Name of the input.
    batch : int
        Pictures at a time that the file was written for; 1 where it leaves that open.
    size : int
        Side, px.
    last : bool
        Whether channels are the last axis.
    """

    source: str
    batch: int
    size: int
    last: bool


class OnnxFace(FaceModel):
    """A face-ID network of the user's.

    Parameters
    ----------
    first, rest : Graph
        Up to the last stage, and from there to the last linear layer.
    tail : nn.Linear
    feeding : Feeding
        What to do to the picture.
    layout : Layout
    singly : bool
        Whether the graph is written for one picture: it is then mapped over the batch.
    """

    name: str = "onnx"

    def __init__(
        self,
        first: Graph,
        rest: Graph,
        tail: nn.Linear,
        feeding: Feeding,
        layout: Layout,
        singly: bool,
    ) -> None:
        super().__init__()
        self.first, self.rest, self.fc = first, rest, tail
        self.feeding, self.layout, self.singly = feeding, layout, singly
        self.dim, self.size = tail.out_features, layout.size
        scaled = ARCFACE_112 * (layout.size / 112)
        self.template = scaled if feeding.template is None else feeding.template

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer."""
        return self.fc

    def normalise(self, pixels: Tensor) -> Tensor:
        """Order, shift and scale the channels as the network was trained with."""
        return prepare(pixels, self.feeding, self.layout)

    def early(self, x: Tensor) -> Tensor:
        """Return the tensor before the last stage."""
        return self._run(self.first, x)

    def late(self, maps: Tensor) -> Tensor:
        """Return the input (B, k) of the last linear layer."""
        return self._run(self.rest, maps).flatten(1)

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the part after :meth:`early`."""
        return (self.rest,)

    def _run(self, graph: Graph, x: Tensor) -> Tensor:
        if not self.singly:
            return torch.as_tensor(graph(x)[0])
        (out,) = torch.vmap(graph)(x[:, None])
        return torch.as_tensor(out[:, 0])


def prepare(pixels: Tensor, feeding: Feeding, layout: Layout) -> Tensor:
    """Turn RGB 0..255 (B, 3, size, size) into the graph's input."""
    x = pixels.flip(1) if feeding.channels == "BGR" else pixels
    mean, scale = (x.new_tensor(v).view(1, 3, 1, 1) for v in (feeding.mean, feeding.scale))
    x = (x - mean) / scale
    return x.permute(0, 2, 3, 1) if layout.last else x


def load_onnx(path: Path) -> OnnxFace:
    """Read a face-ID network.

    Parameters
    ----------
    path : Path
        The ONNX file; a JSON file of the same name beside it may say how to feed it.

    Returns
    -------
    OnnxFace
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else, uses what is not supported, or has no last linear
        layer; when the sidecar is malformed; when the ``onnx`` package is not installed.
    """
    return _load(path, read_sidecar(path))


def load_named(path: Path, spec: ModelSpec) -> OnnxFace:
    """Read the file of a row of the registry, which says how to feed it.

    Raises
    ------
    ModelError
        As :func:`load_onnx`, and when the file gives other values than the row says.
    """
    scale = spec.scale if isinstance(spec.scale, tuple) else (spec.scale,) * 3
    model = _load(path, Feeding(spec.channels, spec.mean, scale, size=spec.size))
    if model.dim != spec.dim:
        raise ModelError(
            f"{path} gives {model.dim} values, {spec.name} has {spec.dim}",
            f"for a model of your own give onnx={path}",
        )
    model.name = spec.name
    return model


def _load(path: Path, feeding: Feeding) -> OnnxFace:
    file = read_onnx(path)
    layout = read_layout(file, feeding)
    try:
        return _assemble(file, layout, feeding)
    except ModelError as error:
        if str(path) in error.message:
            raise
        raise ModelError(f"{path}: {error.message}", error.advice) from error


def _assemble(file: OnnxFile, layout: Layout, feeding: Feeding) -> OnnxFace:
    # An embedding stands first: other outputs (its norm, a quality) come after it.
    program = make_program(file, layout.source, file.outputs[:1])
    random = torch.Generator().manual_seed(0)
    pixels = 255 * torch.rand(2 * layout.batch, 3, layout.size, layout.size, generator=random)
    x = prepare(pixels, feeding, layout)
    program, singly = settle_batch(program, x, layout.batch)
    graph = Graph(program)
    values = graph.trace(x[: layout.batch])
    place, tail = split_tail(program, values, layout.batch)
    longer = values if singly else graph.trace(x)
    # A tensor may be cut through when its first axis is the batch.
    sides = {name: (v.shape[:1], longer[name].shape[:1]) for name, v in values.items()}
    wanted = ((layout.batch,), (layout.batch if singly else 2 * layout.batch,))
    flat = {name for name, both in sides.items() if both == wanted}
    sink = program.running(program.nodes[place])[0]
    cut = find_cut(program.part(0, place, layout.source, sink), values, flat)
    between = program.part(0, place, layout.source, sink).bridges()[cut]
    return OnnxFace(
        Graph(program.part(0, cut, layout.source, between)),
        Graph(program.part(cut, place, between, sink)),
        tail,
        feeding,
        layout,
        singly,
    ).eval()


def read_layout(file: OnnxFile, feeding: Feeding) -> Layout:
    """Find the input and its size.

    Raises
    ------
    ModelError
        When the graph does not take one square colour picture.
    """
    if len(file.inputs) != 1:
        names = ", ".join(file.inputs) or "none"
        raise ModelError(f"{file.path} should have one input, a picture, but has {names}")
    ((source, shape),) = file.inputs.items()
    last = len(shape) == 4 and shape[3] == 3 and shape[1] != 3
    sides = shape[1:3] if last else shape[2:]
    if len(shape) != 4 or (not last and shape[1] not in (3, None)) or len({*sides} - {None}) > 1:
        raise ModelError(
            f"{file.path} takes {list(shape)}, not square pictures of three colours",
            "is it a face-ID model?",
        )
    written = next((side for side in sides if side), None)
    if (written and written not in SIDES) or (shape[0] or 1) > MOST_PICTURES:
        raise ModelError(
            f"{file.path} takes {shape[0] or 1} pictures of {written or USUAL} px",
            f"{SIDES.start} to {SIDES.stop - 1} px are known, and {MOST_PICTURES} pictures",
        )
    if written and feeding.size and written != feeding.size:
        raise ModelError(
            f"{file.path} takes pictures of {written} px, the file beside it says {feeding.size}",
            'leave "size" out',
        )
    return Layout(source, shape[0] or 1, written or feeding.size or USUAL, last)
