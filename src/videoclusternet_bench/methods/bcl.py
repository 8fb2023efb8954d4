r"""BCL: Ball Cluster Learning (Tapaswi et al., ICCV 2019), trained on other films.

A network of four layers maps each track's mean embedding to the unit sphere, so that the
tracks of a person lie in a ball of squared radius b around their centroid and those of
all others outside a larger one.  b is learnt too, and says where to cut: two tracks of
one ball are at most :math:`2 \sqrt b` apart, squared 4b, and if strangers keep
:math:`3 \sqrt b` from a centroid, squared 9b, they keep as much from each of its tracks.
Hence complete linkage on squared distances, cut at 4b, needs no number of people.
"""

from __future__ import annotations

import argparse
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.clustering.distance import group_mean, normalise
from videoclusternet.errors import DataError, ModelError
from videoclusternet.models.checkpoint import REFUSALS, build, expecting, foreign
from videoclusternet.types.arrays import Array, Float32, Ints
from videoclusternet_bench.methods.base import Clusterer, Given, Method, Told
from videoclusternet_bench.methods.embedding_net import drawn_from

STATES = ("model_state", "criterion_state")
"""What is read of the authors' file: the network's tensors, and those of the loss."""
BIAS = "ctrd.h_bias"
"""Among the latter: the number whose softplus is b."""
CONVERT = (
    "if you trust the file, keep only its weights: "
    "python -c \"import torch; c = torch.load({path!r}, map_location='cpu', weights_only=False); "
    "torch.save({{k: c[k] for k in ('model_state', 'criterion_state')}}, 'bcl.pt')\" "
    "and give bcl.pt"
)


@dataclass(frozen=True)
class BclSettings:
    """How BCL learns; the authors' values where they are known.

    Attributes
    ----------
    widths : tuple of int
        Of the layers after the input.
    steps : int
        The films take turns; enough for b to come to rest.
    batch : int
        Tracks of a step at most, of one film.
    rate : float
        Learning rate of Adam.
    bias : float
        What b starts from, before softplus.
    inner, outer : float
        Weights of the two parts of the loss.
    margin : float
        By which strangers are to be farther than 9b.
    keep : float
        Share of a track's crops in its mean while learning.
    """

    widths: tuple[int, ...] = (256, 128, 64, 64)
    steps: int = 3000
    batch: int = 2000
    rate: float = 1e-3
    bias: float = 0.1
    inner: float = 4.0
    outer: float = 1.0
    margin: float = 0.05
    keep: float = 0.5


USUAL = BclSettings()


class BallNet(nn.Module):
    """Linear layers with rectifiers between them, output of unit length.

    Its tensors have the names of the authors' file.

    Parameters
    ----------
    widths : sequence of int
        Of the input and of each layer's output.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.linears = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(widths)])

    def forward(self, x: Tensor) -> Tensor:
        """Map features of tracks (B, d) to points on the sphere (B, k)."""
        for layer in list(self.linears)[:-1]:
            x = F.relu(layer(x))
        return F.normalize(self.linears[-1](x), dim=1)


@dataclass(frozen=True)
class Balls:
    """What was learnt.

    Attributes
    ----------
    net : BallNet
    radius : float
        Squared radius b of the balls.
    """

    net: BallNet
    radius: float

    @property
    def width(self) -> int:
        """Width d of the features that the network takes."""
        return int(self.net.get_parameter("linears.0.weight").shape[1])

    def partition(self, features: Float32) -> Ints:
        """Cluster tracks by complete linkage on squared distances, cut at 4b.

        Parameters
        ----------
        features : float32, shape (T, d)

        Returns
        -------
        int, shape (T,)
            From 0.
        """
        if len(features) < 2:
            return np.zeros(len(features), dtype=np.int64)
        with torch.no_grad():
            points = self.net(torch.from_numpy(features)).double().numpy()
        tree = linkage(pdist(points, "sqeuclidean"), "complete")
        return np.asarray(fcluster(tree, 4 * self.radius, "distance") - 1, dtype=np.int64)


def ball_loss(
    points: Tensor, person: Tensor, radius: Tensor, settings: BclSettings = USUAL
) -> Tensor:
    r"""Loss of BCL, a scalar.

    With :math:`c_k` the mean of the points of person k, scaled to unit length, it is the sum
    of the means over points of :math:`4 [|z - c_{own}|^2 - b]_+` and of
    :math:`[9b + \epsilon - \min_{k \ne own} |z - c_k|^2]_+`.

    Parameters
    ----------
    points : float32, shape (n, k)
    person : int64, shape (n,)
        Any numbers.
    radius : float32, scalar
        The b.
    settings : BclSettings
    """
    people, own = torch.unique(person, return_inverse=True)
    member = F.one_hot(own, len(people)).to(points.dtype)
    # The length of a sum is that of the mean times its count: unit length either way.
    centroid = F.normalize(member.T @ points, dim=1)
    square = points.square().sum(1)[:, None] + centroid.square().sum(1)
    square = (square - 2 * points @ centroid.T).clamp_min(0)
    inner = F.relu(square.gather(1, own[:, None]) - radius).mean()
    if len(people) == 1:
        return settings.inner * inner
    strangers = square.masked_fill(member.bool(), torch.inf).amin(1)
    outer = F.relu(9 * radius + settings.margin - strangers).mean()
    return settings.inner * inner + settings.outer * outer


def _inputs(means: Array) -> Array:
    """Scale unit means (T, d) to components of about 1, as the first weights expect."""
    return np.asarray(means * means.shape[1] ** 0.5, dtype=np.float32)


def some_means(given: Given, keep: float, rng: np.random.Generator) -> Float32:
    """Average a random share of each track's crops: unit means, float32 (T, d)."""
    kept = rng.random(len(given.track)) < keep
    kept |= np.bincount(given.track[kept], minlength=given.tracks)[given.track] == 0
    return normalise(group_mean(given.crops[kept], given.track[kept], given.tracks))


def learn(films: Sequence[tuple[Given, Array]], seed: int, settings: BclSettings = USUAL) -> Balls:
    """Train on labelled films.

    Parameters
    ----------
    films : sequence of (Given, int array of shape (T,))
        Tracks and the person of each, below 0 where it is not known: these are left out.
    seed : int
    settings : BclSettings

    Returns
    -------
    Balls

    Raises
    ------
    DataError
        When no film has two people.
    """
    known = [(given, label, np.flatnonzero(label >= 0)) for given, label in films]
    known = [film for film in known if len(film[2])]
    if not any(len(np.unique(label[rows])) > 1 for _, label, rows in known):
        raise DataError("bcl learns from other films' labels", "give a film with two people")
    rng = np.random.default_rng(seed)
    with drawn_from(seed):
        net = BallNet((known[0][0].crops.shape[1], *settings.widths))
    bias = nn.Parameter(torch.tensor(settings.bias))
    optimizer = torch.optim.Adam([*net.parameters(), bias], settings.rate)
    for step in range(settings.steps):
        given, label, rows = known[step % len(known)]
        some = rng.permutation(rows)[: settings.batch]
        x = _inputs(some_means(given, settings.keep, rng)[some])
        points, person = net(torch.from_numpy(x)), torch.from_numpy(label[some])
        optimizer.zero_grad()
        loss = ball_loss(points, person, F.softplus(bias), settings)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return Balls(net.eval(), F.softplus(bias).item())


def bcl(settings: BclSettings = USUAL) -> Clusterer:
    """Return BCL with these settings.

    Loss, widths, starting b and batch are those of the authors' public programs.  Where it
    departs from the paper or fills in what is not known of it: the labelled films are those
    of the bench, a few with a few dozen people, where the authors had over a thousand actors;
    hence a mean over a random half of a track's crops at each step, lest they be learnt by
    heart.  A step looks at one film, since somebody may be in two under two numbers; films
    for validation are not set apart, the last step counts; optimizer, rate and number of steps
    are ours.
    """

    def partition(given: Given, told: Told, seed: int) -> Array:
        balls = learn(told.others, seed, settings)
        return balls.partition(_inputs(given.means))

    return partition


def with_checkpoint(path: Path) -> Clusterer:
    """Return BCL as its authors trained it, from their file.

    Their features are means over the track of what SE-ResNet50-256 of VGGFace2 puts out,
    not of unit length: with those of another model the result means nothing.
    """
    balls = load_bcl(path)

    def partition(given: Given, told: Told, seed: int) -> Array:
        features = group_mean(given.embeddings.base, given.track, given.tracks)
        if features.shape[1] != balls.width:
            raise ModelError(
                f"{path} is for embeddings of {balls.width} numbers, not {features.shape[1]}",
                "its authors used SE-ResNet50-256 of VGGFace2",
            )
        return balls.partition(features)

    return partition


def load_bcl(path: Path) -> Balls:
    """Read a checkpoint in the form of the authors' public one.

    A dict written by ``torch.save``, with ``model_state`` (``linears.N.weight`` and
    ``linears.N.bias``, N from 0) and ``criterion_state`` (``ctrd.h_bias``, a scalar, the
    number whose softplus is b).  Whatever else is in it is left alone: it is read by torch's
    restricted reader, no code of the file runs.  Arguments of a command line, which such
    files often keep, are let pass.

    Raises
    ------
    ModelError
        When the file holds something else, or objects that only its own program can make.
    """
    held = _held(path)
    with expecting(path, "BCL"):
        model, criterion = (held[state] for state in STATES)
        if not (_tensors(model) and _tensors(criterion)):
            raise foreign(path, "BCL")
        state = {name: tensor.float() for name, tensor in model.items()}
        layers = [state[f"linears.{n}.weight"] for n in range(len(state) // 2)]
        widths = [layers[0].shape[1], *(len(weight) for weight in layers)]
        radius = F.softplus(criterion[BIAS].float()).item()
        return Balls(build(lambda: BallNet(widths), state), radius)


def _held(path: Path) -> Mapping[str, Any]:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about the age of the file
            held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not any(words in str(error) for words in REFUSALS):
            raise foreign(path, "BCL") from error
        raise ModelError(
            f"{path} holds Python objects, which are not read", CONVERT.format(path=str(path))
        ) from error
    except Exception as error:
        # What a damaged file makes its reader raise can be almost anything.
        raise foreign(path, "BCL") from error
    if not isinstance(held, Mapping):
        raise foreign(path, "BCL")
    return held


def _tensors(state: object) -> bool:
    return isinstance(state, Mapping) and all(isinstance(v, Tensor) for v in state.values())


BCL = Method("bcl", "BCL", "other films", bcl(), trains=True, source="Tapaswi et al. 2019")
