"""Heads and learners: what student and teacher are made of (section 3.4, appendix A.1).

A *learner* is a backbone with a head.  It is entered at one of three depths, see
``trainable`` of the settings: the frozen part before that depth never changes, so its
values are kept instead of made again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.config import AdaptConfig
from videoclusternet.errors import ConfigError, ModelError
from videoclusternet.models.backbones.face_model import FaceModel, check_tokens

HeadKind = Literal["mlp", "residual", "none"]
Reading = Literal["raw", "film"]
Depth = Literal["all", "last-stage", "head"]


class Head(nn.Module):
    """Three linear layers with GELU, as wide as the embedding, output not normalised [P A.1].

    Parameters
    ----------
    width : int
        Embedding width d.
    kind : {"mlp", "residual", "none"}
        ``mlp`` maps the raw embedding [P]; a random one at first loses who is who.
        ``residual`` adds its output, at first zero, to the centred unit embedding.
        ``none`` has no weights: the loss reads the centred unit embedding.
    reading : {"raw", "film"}
        Of ``mlp``: ``film`` takes the film's mean off the raw embedding and divides by the
        film's standard deviation, as the batch norm does in which ArcFace ends.
    """

    origin: Tensor
    spread: Tensor

    def __init__(self, width: int, kind: HeadKind, reading: Reading = "raw") -> None:
        super().__init__()
        self.kind, self.reading = kind, reading
        self.register_buffer("origin", torch.zeros(width))
        self.register_buffer("spread", torch.ones(()))
        self.layers = nn.Sequential()
        if kind != "none":
            self.layers = nn.Sequential(
                nn.Linear(width, width),
                nn.GELU(),
                nn.Linear(width, width),
                nn.GELU(),
                nn.Linear(width, width),
            )
        if kind == "residual":
            last = self.layers[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map raw embeddings (B, d) to what the loss reads, (B, d)."""
        if self.kind == "mlp":
            x = x if self.reading == "raw" else (x - self.origin) / self.spread
            return torch.as_tensor(self.layers(x))
        unit = F.normalize(x - self.origin, dim=-1)
        return unit if self.kind == "none" else unit + self.layers(unit)


class Learner(nn.Module):
    """A backbone and its head: student or teacher.

    Parameters
    ----------
    backbone : FaceModel
        In evaluation mode, which it keeps: batch norms stay as they are.
    config : AdaptConfig
    depth : {"all", "last-stage", "head"}
        Where it is entered: at normalised pictures, at the last stage, at the last linear
        layer.
    """

    def __init__(self, backbone: FaceModel, config: AdaptConfig, depth: Depth) -> None:
        super().__init__()
        check_tokens(backbone, config.tokens)
        if config.tokens != "class" and config.objective != "eq2":
            raise ConfigError("patch tokens are for adapt.objective=eq2", "set adapt.tokens=class")
        if config.tokens != "class" and depth == "head":
            raise ConfigError("patch tokens need adapt.trainable all or last-stage")
        self.backbone = backbone
        self.depth = depth
        self.tokens = config.tokens
        self.head = Head(backbone.dim, config.head, config.head_reads)
        own = config.tokens == "separate"
        self.patch_head = Head(backbone.dim, config.head, config.head_reads) if own else None

    def entry(self, pictures: Tensor) -> Tensor:
        """Run the frozen part: normalised pictures (B, 3, s, s) to what enters, (B, ...)."""
        if self.depth == "all":
            return pictures
        maps = self.backbone.early(pictures)
        return maps if self.depth == "last-stage" else self.backbone.late(maps)

    def embed(self, x: Tensor) -> Tensor:
        """Return what clustering reads, (B, d): the head's output, or the raw embedding."""
        raw = self._raw(x)
        return raw if self.head.kind == "none" else torch.as_tensor(self.head(raw))

    def hidden(self, x: Tensor) -> Tensor:
        """Return the input of the backbone's last linear layer (B, k)."""
        if self.depth == "all":
            return self.backbone.trunk(x)
        return self.backbone.late(x) if self.depth == "last-stage" else x

    def dropout_point(self, x: Tensor) -> tuple[Tensor, nn.Linear]:
        """Return the input (B, k) of the last linear layer, and that layer: SER-FIQ's place.

        The head's last layer where it has one of its own [P]; one that begins at zero, or
        none, says nothing of a face: then the backbone's.
        """
        hidden = self.hidden(x)
        if self.head.kind != "mlp":
            return hidden, self.backbone.tail
        last = self.head.layers[-1]
        assert isinstance(last, nn.Linear)
        return self.head.layers[:-1](self.backbone.tail(hidden)), last

    def forward(self, x: Tensor) -> Tensor:
        """Return what the loss reads, (B, O, d): the class token, and the mean patch token.

        The mean of the patch tokens' outputs stands for them, for views show different
        places and their patches do not correspond.
        """
        if self.tokens == "class":
            return torch.as_tensor(self.head(self._raw(x)))[:, None]
        maps = self.backbone.early(x) if self.depth == "all" else x
        tokens = self.backbone.tail(self.backbone.tokens(maps))  # type: ignore[operator]
        head = self.patch_head or self.head
        return torch.stack([self.head(tokens[:, 0]), head(tokens[:, 1:]).mean(1)], dim=1)

    def _raw(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.backbone.tail(self.hidden(x)))

    def base_parameters(self) -> Iterator[nn.Parameter]:
        """Weights of the backbone that are trained at this depth."""
        if self.depth == "all":
            yield from self.backbone.parameters()
            return
        if self.depth == "last-stage":
            for module in self.backbone.last_stage():
                yield from module.parameters()
        if self.depth == "last-stage" or self.head.kind == "none":
            yield from self.backbone.tail.parameters()

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Weights of the heads."""
        yield from self.head.parameters()
        if self.patch_head is not None:
            yield from self.patch_head.parameters()

    def trained(self) -> dict[str, Tensor]:
        """Return the state that training may change: what is saved of a learner."""
        if self.depth == "all":
            return self.state_dict()
        wanted = {id(p) for p in (*self.base_parameters(), *self.head_parameters())}
        named = {n: p.detach() for n, p in self.named_parameters() if id(p) in wanted}
        return named | {n: b for n, b in self.named_buffers() if "head." in n}

    def take(self, state: Mapping[str, Tensor]) -> None:
        """Take over a saved state.

        Raises
        ------
        ModelError
            When it is of another network or depth.
        """
        if set(state) != set(self.trained()):
            raise ModelError("the saved weights are of another model or adapt.trainable")
        try:
            self.load_state_dict(state, strict=False)
        except RuntimeError as error:
            raise ModelError("the saved weights are of another model") from error


def make_pair(
    backbone: FaceModel,
    config: AdaptConfig,
    depth: Depth,
    origin: Tensor,
    seed: int,
    spread: float = 1.0,
) -> tuple[Learner, Learner]:
    """Make student and teacher.

    Parameters
    ----------
    backbone : FaceModel
        Copied: it stays as it is.
    config : AdaptConfig
        The teacher's head starts from its own random weights [P] or as a copy.
    depth : {"all", "last-stage", "head"}
    origin : float32, shape (d,)
        Mean of the film's embeddings, for heads that centre.
    seed : int
    spread : float
        Standard deviation of their components, for heads that scale.

    Returns
    -------
    student, teacher : Learner
        The teacher takes no gradient.
    """
    with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU
        torch.default_generator.manual_seed(seed)
        student = Learner(copy.deepcopy(backbone), config, depth)
        teacher = Learner(copy.deepcopy(backbone), config, depth)
    for learner in (student, teacher):
        learner.to(origin.device)
        for head in filter(None, (learner.head, learner.patch_head)):
            head.origin.copy_(origin)
            head.spread.fill_(spread)
        learner.requires_grad_(False).eval()
    if config.teacher_head == "copy":
        teacher.load_state_dict(student.state_dict())
    return student, teacher
