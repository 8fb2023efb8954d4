"""FaRL: the image encoder of a CLIP of faces, ViT-B/16 (Zheng et al., 2022).

Architecture written anew with the parameter names of the public checkpoints, which hold
a whole CLIP: only what stands under ``visual.`` is used, and of that not the part for
masked pictures.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.checkpoint import build, expecting, read_state, without_prefix
from videoclusternet.types.canvas import CANVAS, CANVAS_TEMPLATE

WIDTH, HEADS, DEPTH, PATCH, SIZE = 768, 12, 12, 16, 224
LAST = DEPTH - 2
"""First block of the last stage."""
TOKENS = 1 + (SIZE // PATCH) ** 2
"""One for the class, one for each patch."""

TEMPLATE_224 = (CANVAS_TEMPLATE + 0.5) * (SIZE / CANVAS) - 0.5
"""Five landmarks on the input: all that the canvas holds.  FaRL was trained on pictures
with faces, not on tight crops, and is used by its authors on crops with hair and neck."""

MEAN = tuple(255 * x for x in (0.48145466, 0.4578275, 0.40821073))
SCALE = tuple(255 * x for x in (0.26862954, 0.26130258, 0.27577711))
"""Mean and standard deviation of CLIP's pictures, RGB 0..255."""


class Attention(nn.Module):
    """Attention of all tokens to all, in several heads."""

    def __init__(self) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * WIDTH, WIDTH))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * WIDTH))
        self.out_proj = nn.Linear(WIDTH, WIDTH)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, C) to the same shape."""
        b, n, c = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(b, n, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
        return torch.as_tensor(self.out_proj(y))


class QuickGelu(nn.Module):
    """CLIP's approximation of GELU."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """Attention and two linear layers, each normalised before and added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = Attention()
        self.ln_1 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(WIDTH, 4 * WIDTH))
        self.mlp.add_module("gelu", QuickGelu())
        self.mlp.add_module("c_proj", nn.Linear(4 * WIDTH, WIDTH))
        self.ln_2 = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, C) to the same shape."""
        x = x + self.attn(self.ln_1(x))
        return torch.as_tensor(x + self.mlp(self.ln_2(x)))


class Transformer(nn.Module):
    """The blocks, under the name they have in the files."""

    def __init__(self) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*(Block() for _ in range(DEPTH)))


class Farl(FaceModel):
    """FaRL's image encoder: RGB 224 px, 512 values."""

    name = "farl"
    dim = 512
    size = SIZE
    template = TEMPLATE_224

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(WIDTH))
        self.positional_embedding = nn.Parameter(torch.zeros(TOKENS, WIDTH))
        self.ln_pre = nn.LayerNorm(WIDTH)
        self.transformer = Transformer()
        self.ln_post = nn.LayerNorm(WIDTH)
        self.proj = nn.Linear(WIDTH, self.dim, bias=False)

    @property
    def tail(self) -> nn.Linear:
        """The last linear layer: the projection to the space that CLIP's texts share."""
        return self.proj

    def normalise(self, pixels: Tensor) -> Tensor:
        """Centre and scale each colour as CLIP does."""
        mean, scale = (pixels.new_tensor(x).view(1, 3, 1, 1) for x in (MEAN, SCALE))
        return (pixels - mean) / scale

    def early(self, x: Tensor) -> Tensor:
        """Return the tokens (B, 197, 768) before the last two blocks, the class first."""
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(x), 1, -1)
        y = torch.cat([first, patches], dim=1) + self.positional_embedding
        return torch.as_tensor(self.transformer.resblocks[:LAST](self.ln_pre(y)))

    def tokens(self, maps: Tensor) -> Tensor:
        """Return all tokens (B, 197, 768) behind the last block, normalised, the class first.

        The projection was trained on the class alone; a head of its own may use the rest.
        """
        return torch.as_tensor(self.ln_post(self.transformer.resblocks[LAST:](maps)))

    def late(self, maps: Tensor) -> Tensor:
        """Return the token of the class (B, 768)."""
        return self.tokens(maps)[:, 0]

    def last_stage(self) -> tuple[nn.Module, ...]:
        """Return the last two blocks and the last norm."""
        return self.transformer.resblocks[LAST:], self.ln_post


def load_farl(path: Path) -> Farl:
    """Read a ViT-B/16 checkpoint of FaRL.

    Parameters
    ----------
    path : Path
        Public ``FaRL-Base-Patch16-LAIONFace20M-ep64.pth`` or another of that size.

    Returns
    -------
    Farl
        On the CPU, in evaluation mode, every parameter trainable.

    Raises
    ------
    ModelError
        When the file holds something else.
    """
    found = without_prefix(read_state(path, Farl.name), "visual.")
    with expecting(path, Farl.name):
        with torch.device("meta"):
            names = Farl().state_dict().keys() - {"proj.weight"}
        # The rest, if any, is CLIP's text side and the pretraining on masked pictures.
        state = {name: found[name] for name in names}
        # In the file it stands on the other side of the product.
        state["proj.weight"] = found["proj"].T.contiguous()
        return build(Farl, state)
