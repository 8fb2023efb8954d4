"""What is noted while the model learns a film: rounds and epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from videoclusternet.types.arrays import Bools, Float32, Int32
from videoclusternet.types.table import Table


@dataclass(frozen=True, eq=False)
class Rounds(Table):
    """Log of the rounds of training and matching.

    Attributes
    ----------
    round : int32, shape (R,)
        From 1; 0 is the model of another run that it began with.
    matches : int32, shape (R,)
        Directed coarse matches between tracks after the round.
    jaccard : float32, shape (R,)
        Jaccard index of the partners in training after and before the round: matched tracks,
        or companions of a cluster.
    agreement : float32, shape (R,)
        Agreement of the partition with the one before.
    stability : float32, shape (R,)
        Agreement of the partition with itself under perturbation.
    characters : int32, shape (R,)
        Clusters in that partition.
    together : float32, shape (R,)
        Share of the matches that join two faces of one picture: surely wrong.
    good : bool, shape (R,)
        False where the training collapsed: such a round is not used.
    digests : tuple of str
        Digest of the embeddings of each round, empty where it is not good.
    paired : bool
        Whether embeddings hold the teacher's output and then the student's.
    """

    FILE: ClassVar = "rounds"
    COLUMNS: ClassVar = {
        "round": ("i4", ("R",)),
        "matches": ("i4", ("R",)),
        "jaccard": ("f4", ("R",)),
        "agreement": ("f4", ("R",)),
        "stability": ("f4", ("R",)),
        "characters": ("i4", ("R",)),
        "together": ("f4", ("R",)),
        "good": ("b1", ("R",)),
    }
    round: Int32
    matches: Int32
    jaccard: Float32
    agreement: Float32
    stability: Float32
    characters: Int32
    together: Float32
    good: Bools
    digests: tuple[str, ...]
    paired: bool

    def check(self) -> None:
        """Check that every round has its digest."""
        object.__setattr__(self, "digests", tuple(self.digests))
        if len(self.digests) != len(self.matches):
            raise ValueError("Rounds: every round needs a digest")

    def __len__(self) -> int:
        return len(self.matches)


@dataclass(frozen=True, eq=False)
class Epochs(Table):
    """Log of the epochs of all rounds; see ``videoclusternet.adapt.guards.Health``.

    Attributes
    ----------
    round, epoch : int32, shape (E,)
        Round from 1, epoch from 0.
    loss, rate, entropy, mean_entropy, rank, top : float32, shape (E,)
    """

    FILE: ClassVar = "epochs"
    COLUMNS: ClassVar = {
        "round": ("i4", ("E",)),
        "epoch": ("i4", ("E",)),
        **{
            name: ("f4", ("E",))
            for name in ("loss", "rate", "entropy", "mean_entropy", "rank", "top")
        },
    }
    round: Int32
    epoch: Int32
    loss: Float32
    rate: Float32
    entropy: Float32
    mean_entropy: Float32
    rank: Float32
    top: Float32

    def __len__(self) -> int:
        return len(self.round)
