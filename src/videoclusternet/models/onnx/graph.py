"""An ONNX graph as a torch module that runs its nodes in order, and what can be done to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from videoclusternet.errors import ModelError
from videoclusternet.models.onnx.bounds import count, foresee, refuse_many
from videoclusternet.models.onnx.file import Node, OnnxFile
from videoclusternet.models.onnx.operators import OPERATORS
from videoclusternet.outside.text import SHOWN

STATISTICS = {"BatchNormalization": (3, 4)}
"""Inputs that are measured, not learned: the running mean and variance."""
WEIGHTED = {"BatchNormalization", "Conv", "Gemm", "LayerNormalization", "MatMul", "PRelu"}
"""Operators whose constants are learned, even one that is a single number."""
UNLEARNED = {"Clip", "ConstantOfShape", "Equal", "Greater", "Less", "Pad", "Pow", "Range", "Where"}
"""Operators whose constants are limits, exponents and the like."""
PIXELWISE = {"Add", "Cast", "Div", "Identity", "Mul", "Reshape", "Sub", "Transpose"}
"""What a graph does to a picture before the network proper begins."""
LONGEST = 200
"""Letters of what torch says of a failure."""
MOST_NAMED = 8
"""Operators that a message names."""
FAILURES = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)
"""What a node that is not as the specification says makes torch or Python raise."""


@dataclass(frozen=True)
class Program:
    """A part of a graph with one way in.

    Attributes
    ----------
    nodes : tuple of Node
        All needed, none of constants alone.
    constants : mapping of str to Tensor
    learned : frozenset of str
        Constants that training may change.
    source : str
        Tensor that comes in.
    sinks : tuple of str
        Tensors that go out.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Tensor]
    learned: frozenset[str]
    source: str
    sinks: tuple[str, ...]

    def running(self, node: Node) -> list[str]:
        """Return the inputs of a node that are no constants."""
        return [name for name in node.inputs if name and name not in self.constants]

    def bridges(self) -> dict[int, str]:
        """Places where one tensor alone, made before, is needed from there on; and that tensor."""
        end = len(self.nodes)
        last = {name: i for i, node in enumerate(self.nodes) for name in self.running(node)}
        last |= dict.fromkeys(self.sinks, end)
        found: dict[int, str] = {}
        alive = {self.source} & set(last)
        for place in range(end + 1):
            if len(alive) == 1:
                found[place] = next(iter(alive))
            if place < end:
                node = self.nodes[place]
                alive |= {name for name in node.outputs if last.get(name, -1) > place}
                alive -= {name for name in self.running(node) if last[name] == place}
        return found

    def part(self, start: int, stop: int, source: str, sink: str) -> Program:
        """Cut out the nodes from ``start`` up to ``stop``."""
        return replace(self, nodes=self.nodes[start:stop], source=source, sinks=(sink,))

    def weights(self, start: int, stop: int) -> int:
        """Count the learned numbers between two places."""
        names = {name for node in self.nodes[start:stop] for name in node.inputs}
        return sum(self.constants[name].numel() for name in names & self.learned)

    def weights_from(self) -> list[int]:
        """Count the learned numbers from each place to the end."""
        seen, counts = set[str](), [0]
        for node in reversed(self.nodes):
            new = (set(node.inputs) & self.learned) - seen
            seen |= new
            counts.append(counts[-1] + sum(self.constants[name].numel() for name in new))
        return counts[::-1]


def make_program(file: OnnxFile, source: str, sinks: tuple[str, ...]) -> Program:
    """Keep what some outputs need, and work out what depends on constants alone.

    Raises
    ------
    ModelError
        When an operator is unknown (all of them are named) or a node cannot be run.
    """
    nodes = needed(file.nodes, sinks)
    refuse_unknown(file, nodes)
    constants, made = dict(file.constants), set[str]()
    left: list[Node] = []
    numbers = 0
    for node in nodes:
        if any(name and name not in constants for name in node.inputs):
            left.append(node)
            continue
        given = [n for n in node.inputs if n and n not in made and _weights(constants[n])]
        values = Step(node, constants).run({})
        numbers += count(values.values())
        refuse_many(numbers)
        constants.update(values)
        # Zeros to pad with, waves of a position and the like are computed, not learned.
        made |= set() if given or node.op == "Constant" else set(node.outputs)
    if not {*sinks} <= {name for node in left for name in node.outputs}:
        raise ModelError("its output does not depend on the picture", "is it a face-ID model?")
    program = Program(tuple(left), constants, frozenset(), source, sinks)
    return replace(program, learned=learned(program) - made)


def _weights(value: Tensor) -> bool:
    return value.is_floating_point() and value.numel() > 1


def needed(nodes: Sequence[Node], sinks: Iterable[str]) -> list[Node]:
    """Nodes that have a part in the sinks, in order."""
    wanted, kept = set(sinks), []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted |= set(node.inputs) - {""}
            kept.append(node)
    return kept[::-1]


def refuse_unknown(file: OnnxFile, nodes: Iterable[Node]) -> None:
    """Name every operator that is not known.

    Raises
    ------
    ModelError
    """
    unknown: dict[str, list[str]] = {}
    for node in nodes:
        if node.op not in OPERATORS:
            unknown.setdefault(node.op, []).append(node.name)
    if not unknown:
        return
    named = ", ".join(
        f"{op[:SHOWN]} (node {names[0]}{f' and {len(names) - 1} more' if names[1:] else ''})"
        for op, names in list(unknown.items())[:MOST_NAMED]
    )
    if any(_quantised(op) for op in unknown):
        raise ModelError(
            f"{file.path} is quantised: {named}", "it cannot be adapted; take the float32 model"
        )
    raise ModelError(
        f"{file.path} uses operators that are not supported: {named}",
        "docs/weights.md lists the supported ones",
    )


def _quantised(op: str) -> bool:
    """Whether it is one of QLinearConv, QuantizeLinear, ConvInteger, QAttention and the like."""
    bare = op.rpartition(".")[2].lower()
    return bare.startswith("q") or "quantize" in bare or "integer" in bare


def learned(program: Program) -> frozenset[str]:
    """Tell weights from constants that belong to a formula.

    Weights are the float inputs of layers, and other float constants of more than one number;
    not limits and exponents, nor means and scales with which the graph prepares the picture.
    """
    names: set[str] = set()
    raw = {program.source}
    for node in program.nodes:
        if node.op in PIXELWISE and set(program.running(node)) <= raw:
            raw |= set(node.outputs)
            continue
        for slot, name in enumerate(node.inputs):
            value = program.constants.get(name)
            if value is None or not value.is_floating_point() or node.op in UNLEARNED:
                continue
            if slot in STATISTICS.get(node.op, ()):
                continue
            if _weights(value) or node.op in WEIGHTED:
                names.add(name)
    return frozenset(names)


class Step(nn.Module):
    """One node with its constants.

    Parameters
    ----------
    node : Node
    constants : mapping of str to Tensor
    weights : mapping of str to nn.Parameter
        Those of the constants that are learned.
    """

    def __init__(
        self,
        node: Node,
        constants: Mapping[str, Tensor],
        weights: Mapping[str, nn.Parameter] | None = None,
    ) -> None:
        super().__init__()
        self.node = node
        self.function = OPERATORS[node.op]
        self.plain: dict[int, Tensor] = {}
        self.kinds: list[str] = []
        for slot, name in enumerate(node.inputs):
            kind = "none" if not name else "value"
            if name in constants:
                kind, value = "own", constants[name]
                if name in (weights or {}) and slot not in STATISTICS.get(node.op, ()):
                    self.register_parameter(f"input{slot}", (weights or {})[name])
                elif value.is_floating_point() and node.op != "Pad":
                    self.register_buffer(f"input{slot}", value.clone())
                else:
                    # Shapes and the like are read as numbers: that must not wait for a device.
                    kind = "plain"
                    self.plain[slot] = value
            self.kinds.append(kind)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the outputs by name, given at least the inputs by name."""
        out = self.function(self.node, *self._arguments(values))
        outs = (out,) if isinstance(out, Tensor) else out
        # Outputs that we do not make (a mask, indices) are missed only by a node that needs them.
        return dict(zip(self.node.outputs, outs, strict=False))

    def _arguments(self, values: Mapping[str, Tensor]) -> list[Tensor | None]:
        args: list[Tensor | None] = []
        for slot, (kind, name) in enumerate(zip(self.kinds, self.node.inputs, strict=True)):
            if kind == "value":
                args.append(values[name])
            elif kind == "own":
                args.append(getattr(self, f"input{slot}"))
            else:
                args.append(self.plain.get(slot))
        return args

    def run(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Do as :meth:`forward`, but name the node when it fails or asks for too much memory.

        Raises
        ------
        ModelError
        """
        try:
            foresee(self.function, self.node, self._arguments(values))
            return self(values)  # type: ignore[no-any-return]
        except FAILURES as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(f"{self.node} cannot be run", lines[0][:LONGEST]) from error


class Graph(nn.Module):
    """Nodes in order, with their weights as parameters."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        # A copy each: the weights of two graphs from one file are changed apart.
        used = {name for node in program.nodes for name in node.inputs}
        weights = {
            name: nn.Parameter(program.constants[name].clone())
            for name in sorted(program.learned & used)
        }
        self.steps = nn.ModuleList(Step(n, program.constants, weights) for n in program.nodes)
        self.source, self.sinks = program.source, program.sinks
        last = {name: i for i, node in enumerate(program.nodes) for name in program.running(node)}
        self.spent: list[list[str]] = [[] for _ in program.nodes]
        for name, at in last.items():
            if name not in self.sinks:
                self.spent[at].append(name)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the sinks for a source."""
        values = {self.source: x}
        for step, spent in zip(self.steps, self.spent, strict=True):
            values |= step(values)
            for name in spent:
                del values[name]
        return tuple(values[name] for name in self.sinks)

    def trace(self, x: Tensor) -> dict[str, Tensor]:
        """Return every tensor on the way; of those made of the picture and spent, the shape only.

        Raises
        ------
        ModelError
            When a node cannot be run, or more memory is needed than any face-ID network takes.
        """
        values, pictured, alive = {self.source: x}, {self.source}, x.numel()
        with torch.no_grad():
            for step, spent in zip(self.steps, self.spent, strict=True):
                assert isinstance(step, Step)
                made = step.run(values)
                values |= made
                alive += count(made.values())
                refuse_many(alive)
                if step.node.op != "Shape" and pictured & set(step.node.inputs):
                    pictured |= set(made)
                for name in pictured.intersection(spent):
                    alive -= values[name].numel()
                    values[name] = values[name].to("meta")
        return values
