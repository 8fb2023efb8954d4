"""Files of weights of other projects: read tensors only, check them, hand them over.

Three forms: a PyTorch state dict, a training checkpoint that holds one under
``state_dict``, and safetensors.
"""

from __future__ import annotations

import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from videoclusternet.errors import ModelError

State = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)
REFUSALS = ("GLOBAL", "Can only", "unsupported class", "unrecognized function")
"""How torch's restricted reader speaks of objects, unlike of damage."""
CONVERT = (
    "if you trust the file, keep only its weights: "
    'python -c "import torch; torch.save(torch.load({path!r}, weights_only=False)'
    "['state_dict'], 'weights.pt')\" and give weights.pt"
)


def read_state(path: Path, what: str) -> State:
    """Read the tensors of a file of weights.

    Parameters
    ----------
    path : Path
        A PyTorch file, or safetensors if it is called so.
    what : str
        Name of the model, for the message.

    Returns
    -------
    dict of str to Tensor
        On the CPU; floating numbers are float32.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    try:
        safe = path.suffix == ".safetensors"
        found: Any = safetensors.torch.load_file(path) if safe else _load(path)
    except pickle.UnpicklingError as error:
        if not any(words in str(error) for words in REFUSALS):
            raise foreign(path, what) from error
        raise ModelError(
            f"{path} holds Python objects, which are not read", CONVERT.format(path=str(path))
        ) from error
    except Exception as error:
        # What a damaged file makes its reader raise can be almost anything.
        raise foreign(path, what) from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not (isinstance(found, Mapping) and found and all(map(_is_entry, found.items()))):
        raise foreign(path, what)
    return {k: v.float() if v.is_floating_point() else v for k, v in found.items()}


def _is_entry(item: tuple[object, object]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)


def _load(path: Path) -> Any:
    """Unpickle with torch's restricted reader.

    A training program writes objects of its own beside the weights, Lightning its
    callbacks.  The reader refuses them; here an empty dict is built in the place of each,
    so that neither their program is needed nor any code of the file ever runs.
    """
    try:
        unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (ValueError, RuntimeError, pickle.UnpicklingError):
        unknown = []  # files of before PyTorch 1.6 cannot be looked through
    stand_ins: list[Any] = [_stand_in(name) for name in unknown]
    with torch.serialization.safe_globals(stand_ins), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about the age of the file
        return torch.load(path, map_location="cpu", weights_only=True)


def _stand_in(name: str) -> type:
    module, _, own = name.rpartition(".")

    def new(cls: type, *values: object, **named: object) -> OrderedDict[str, object]:
        return OrderedDict()  # the one class that may be given both items and attributes

    return type(own, (), {"__module__": module, "__new__": new})


def foreign(path: Path, what: str) -> ModelError:
    """Return the error about a file that does not hold what it should."""
    return ModelError(f"{path} does not hold {what} weights", "see `vcn models`")


@contextmanager
def expecting(path: Path, what: str) -> Iterator[None]:
    """Turn a missing, superfluous or misshapen tensor into a :class:`ModelError`."""
    try:
        yield
    except (KeyError, IndexError, RuntimeError) as error:
        raise foreign(path, what) from error


def without_prefix(state: Mapping[str, Tensor], prefix: str) -> State:
    """Keep the entries under a prefix and strip it; all of them if none has it."""
    inside = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    return inside or dict(state)


def fold_batch_norm(state: State, linear: str, norm: str) -> None:
    """Fold the batch norm after a linear layer into that layer, in place.

    With its running statistics a batch norm is affine: ``y = (x - mean) * s + shift``,
    ``s = gain / sqrt(var + eps)``.  So is the layer before it, hence both are one layer.

    Parameters
    ----------
    state : dict of str to Tensor
        Must hold ``linear``.weight (d, k), ``norm``.running_mean (d,), .running_var (d,);
        may hold ``linear``.bias, ``norm``.weight, ``norm``.bias, (d,) each.
    linear, norm : str
        Names of the two layers; every entry of ``norm`` is removed.

    Raises
    ------
    KeyError
        When an entry is missing.
    """
    # In double precision: what is rounded is the result, not the steps towards it.
    weight = state[f"{linear}.weight"].double()
    mean = state[f"{norm}.running_mean"].double()
    gain = state.get(f"{norm}.weight", torch.ones_like(mean))
    shift = state.get(f"{norm}.bias", torch.zeros_like(mean))
    bias = state.get(f"{linear}.bias", torch.zeros_like(mean))
    s = gain / (state[f"{norm}.running_var"].double() + nn.BatchNorm1d(1).eps).sqrt()
    state[f"{linear}.weight"] = (weight * s[:, None]).float()
    state[f"{linear}.bias"] = ((bias - mean) * s + shift).float()
    for key in [key for key in state if key.startswith(f"{norm}.")]:
        del state[key]


def build(make: Callable[[], Net], state: Mapping[str, Tensor]) -> Net:
    """Make a network of exactly these tensors, in evaluation mode.

    The network is laid out without memory first: filling it with random numbers that
    are thrown away would take longer than reading the file.

    Raises
    ------
    RuntimeError
        When a tensor is missing, superfluous or of another shape.
    """
    with torch.device("meta"):
        model = make()
    model.load_state_dict(state, assign=True)
    return model.eval()
