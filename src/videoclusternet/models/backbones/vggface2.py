"""VGGFace2's ResNet-50 and SE-ResNet-50 (Cao et al., 2018).

Architecture written anew with the parameter names of the public PyTorch files, which
were imported from Caffe: the first convolution of a bottleneck halves the map, and
pooling rounds up.  The files of 2048 values have no linear layer behind the pooling but
the classifier of the training, which is left out; those of 256 and 128 values end with
one, ``feat_extract``.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.checkpoint import State, build, expecting, read_state
from videoclusternet.types.canvas import ARCFACE_112

CROP_SIDE, CROP_CENTRE = 98.0, (56.0, 65.0)
"""The release feeds the box of MTCNN, made larger by 0.3, its shorter side brought to
224 px, and cut to a square.  On upright faces MTCNN's box is about 76 x 100 px of the
ArcFace template round (56, 65) (medians over 26 faces): a square of 98 px there."""
TEMPLATE_224 = (ARCFACE_112 - CROP_CENTRE) * (224 / CROP_SIDE) + 111.5
"""Five landmarks on the 224 px input."""

MEAN = (131.0912, 103.8827, 91.4953)
"""Mean colour, RGB."""
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Inner width and number of blocks of conv2 to conv5."""
FEATURES = 2048


class Block(nn.ModuleDict):
    """Bottleneck; with ``squeeze`` its output is weighted channel by channel."""

    def __init__(self, narrow: int, inner: int, stride: int, first: bool, squeeze: bool) -> None:
        super().__init__()
        width = 4 * inner
        self._add("1x1_reduce", narrow, inner, 1, stride)
        self._add("3x3", inner, inner, 3)
        self._add("1x1_increase", inner, width, 1)
        if first:
            self._add("1x1_proj", narrow, width, 1, stride)
        if squeeze:
            self["1x1_down"] = nn.Conv2d(width, width // 16, 1)
            self["1x1_up"] = nn.Conv2d(width // 16, width, 1)

    def _add(self, name: str, narrow: int, width: int, kernel: int, stride: int = 1) -> None:
        self[name] = nn.Conv2d(narrow, width, kernel, stride, kernel // 2, bias=False)
        self[f"{name}_bn"] = nn.BatchNorm2d(width)

    def _run(self, name: str, x: Tensor) -> Tensor:
        return torch.as_tensor(self[f"{name}_bn"](self[name](x)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, narrow, H, W) to (B, 4 inner, H / stride, W / stride)."""
        y = F.relu(self._run("1x1_reduce", x))
        y = self._run("1x1_increase", F.relu(self._run("3x3", y)))
        if "1x1_up" in self:
            weight = F.relu(self["1x1_down"](y.mean((2, 3), keepdim=True)))
            y = y * self["1x1_up"](weight).sigmoid()
        return F.relu(y + (self._run("1x1_proj", x) if "1x1_proj" in self else x))


class VggFace2(FaceModel):
    """ResNet-50 or SE-ResNet-50: RGB 224 px, 2048, 256 or 128 values.

    Parameters
    ----------
    name : {"vggface2-resnet50", "vggface2-senet50"}
    dim : int
        Width of the embedding.
    bias : bool
        Whether the last linear layer has one.
    """

    size = 224
    template = TEMPLATE_224

    def __init__(self, name: str, dim: int = FEATURES, bias: bool = False) -> None:
        super().__init__()
        self.name, self.dim = name, dim
        self.conv1_7x7_s2 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.conv1_7x7_s2_bn = nn.BatchNorm2d(64)
        squeeze, narrow, stages = name.endswith("senet50"), 64, []
        for number, (inner, depth) in enumerate(STAGES):
            blocks: OrderedDict[str, nn.Module] = OrderedDict()
            for i in range(depth):
                stride = 2 if number and not i else 1
                blocks[str(i + 1)] = Block(narrow, inner, stride, not i, squeeze)
                narrow = 4 * inner
            stages.append(nn.Sequential(blocks))
        self.conv2, self.conv3, self.conv4, self.conv5 = stages
        self.feat_extract = nn.Linear(narrow, dim, bias)

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer; the identity where the file has none."""
        return self.feat_extract

    def normalise(self, pixels: Tensor) -> Tensor:
        """Subtract the mean colour."""
        return pixels - pixels.new_tensor(MEAN).view(1, 3, 1, 1)

    def early(self, x: Tensor) -> Tensor:
        """Return the map (B, 1024, 14, 14) before conv5."""
        x = F.relu(self.conv1_7x7_s2_bn(self.conv1_7x7_s2(x)))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return torch.as_tensor(self.conv4(self.conv3(self.conv2(x))))

    def late(self, maps: Tensor) -> Tensor:
        """Return pooled features (B, 2048)."""
        return torch.as_tensor(self.conv5(maps).mean((2, 3)))

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return conv5."""
        return (self.conv5,)


def load_vggface2(path: Path, name: str) -> VggFace2:
    """Read a PyTorch file of VGGFace2.

    Parameters
    ----------
    path : Path
        ``resnet50_ft_dag.pth``, ``senet50_ft_dag.pth``, or a ``_256`` or ``_128`` file.
    name : {"vggface2-resnet50", "vggface2-senet50"}

    Returns
    -------
    VggFace2
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    state = read_state(path, name)
    with expecting(path, name):
        state = rename(state)
        dim, bias = len(state["feat_extract.weight"]), "feat_extract.bias" in state
        return build(lambda: VggFace2(name, dim, bias), state)


def rename(state: State) -> State:
    """Turn flat names into ours, leave the classifier out, see to the last linear layer.

    Without ``feat_extract`` the pooled features are the embedding.  The identity as the
    last linear layer says so exactly, and can be trained like any other.
    """
    renamed = {
        re.sub(r"^(conv[2-5])_(\d)_", r"\1.\2.", key): value
        for key, value in state.items()
        if not key.startswith("classifier.")
    }
    # It is a convolution of 1 x 1 in the file.
    weight = renamed.get("feat_extract.weight", torch.eye(FEATURES))
    renamed["feat_extract.weight"] = weight.flatten(1)
    return renamed
