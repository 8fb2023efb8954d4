"""Networks that ONNX Runtime runs on the CPU (its only user)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime
import torch

from videoclusternet.errors import ModelError
from videoclusternet.outside.files import read_bytes
from videoclusternet.types.arrays import Array

MOST_BYTES = 1 << 30
"""Of a file of a network."""
ERRORS = 3
"""Severity from which ONNX Runtime speaks: its warnings are about our machine, not our input."""


class Network:
    """A network ready to run; with as many threads as torch has in this process.

    Parameters
    ----------
    path : Path
        ONNX file, already checked by hash.

    Attributes
    ----------
    gives : tuple of str
        Names of what comes out.

    Raises
    ------
    ModelError
        When it holds no network that ONNX Runtime can run.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        # A thread that waits for work by spinning takes the core of another process.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        data = read_bytes(path, ModelError, MOST_BYTES)
        try:
            self._session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
        except Exception as error:
            # Its errors have no common class but this.
            raise ModelError(
                f"{path} does not hold a network that ONNX Runtime can run", "see `vcn models`"
            ) from error
        self._input = self._session.get_inputs()[0].name
        self.gives = tuple(output.name for output in self._session.get_outputs())

    def __call__(self, values: Array) -> Mapping[str, Array]:
        """Run the network on its one input; what comes out, by name."""
        return dict(zip(self.gives, self._session.run(None, {self._input: values}), strict=True))
