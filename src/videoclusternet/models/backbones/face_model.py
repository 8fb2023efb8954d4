"""What every face-ID model offers: canvas in, trunk, last linear layer, embedding out.

Crops live on a 144 px *canvas* that holds the 112 px ArcFace template shifted by
16 px.  A model with another template is reached by a fixed similarity transform.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from videoclusternet.errors import ConfigError
from videoclusternet.types.canvas import CANVAS_TEMPLATE, similarity_transform


class FaceModel(nn.Module):
    """Base of all face-ID models.

    Attributes
    ----------
    name : str
        Name in the registry.
    dim : int
        Embedding width d.
    size : int
        Side of the square input, px.
    template : float64, shape (5, 2)
        Landmarks on the model's input, px.
    """

    name: str
    dim: int
    size: int
    template: NDArray[np.float64]

    def canvas_to_input(self) -> NDArray[np.float64]:
        """Return the similarity transform (2, 3) from canvas px to input px."""
        return similarity_transform(CANVAS_TEMPLATE, self.template)

    @abstractmethod
    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn RGB 0..255 float (B, 3, size, size) into what the trunk expects."""

    @abstractmethod
    def early(self, x: Tensor) -> Tensor:
        """Return what enters the last stage, (B, ...), for a normalised batch.

        Adaptation of the last stage alone keeps these values instead of making them again.
        """

    @abstractmethod
    def late(self, maps: Tensor) -> Tensor:
        """Run the last stage: from :meth:`early` to the input (B, k) of the last linear layer."""

    @abstractmethod
    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the modules that :meth:`late` runs through, the last linear layer not included."""

    def trunk(self, x: Tensor) -> Tensor:
        """Return the input (B, k) of the last linear layer for a normalised batch."""
        return self.late(self.early(x))

    @property
    @abstractmethod
    def tail(self) -> nn.Linear:
        """The last linear layer, k -> d."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed RGB 0..255 float (B, 3, size, size); (B, d), not normalised."""
        return torch.as_tensor(self.tail(self.trunk(self.normalise(pixels))))


def check_tokens(model: FaceModel, wanted: str) -> None:
    """Refuse to learn from patch tokens of a model that has none.

    Parameters
    ----------
    model : FaceModel
    wanted : str
        ``adapt.tokens``.

    Raises
    ------
    ConfigError
    """
    if wanted != "class" and not hasattr(model, "tokens"):
        raise ConfigError(
            f"{model.name} has no patch tokens for adapt.tokens={wanted}", "set adapt.tokens=class"
        )
