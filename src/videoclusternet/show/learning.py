"""``learning.svg``: how the adaptation went, epoch by epoch and round by round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from videoclusternet.runfolder.files import replacing, writing
from videoclusternet.runfolder.folder import Store
from videoclusternet.types import Epochs, Rounds

PICTURE = "learning.svg"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
"""Okabe and Ito's colours: told apart by all."""
SVG = {"svg.hashsalt": "videoclusternet"}
"""Ids that are the same whenever it is drawn."""


def write_learning(folder: Path) -> Path | None:
    """Draw the log of the rounds of a run into its folder.

    Returns
    -------
    Path or None
        None where the model was not adapted.
    """
    store, path = Store(folder), folder / PICTURE
    cast = store.manifest["steps"].get("cast", {})
    learnt = store.manifest["steps"].get("adapt")
    # An earlier adaptation says nothing of a cast that was found without it.
    if learnt is None or learnt["tables"].get(Rounds.FILE) not in cast.get("inputs", ()):
        _remove(path)
        return None
    rounds, epochs = store.load("adapt", (Rounds, Epochs))
    assert isinstance(rounds, Rounds) and isinstance(epochs, Epochs)
    if len(rounds) == 0:
        _remove(path)
        return None
    _draw(path, rounds, epochs)
    return path


def _draw(path: Path, rounds: Rounds, epochs: Epochs) -> None:
    from matplotlib import rc_context  # half a second, which most runs go without
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots(2, 2)
    _epochs(axes, epochs)
    _rounds(axes[1, 1], rounds)
    with replacing(path) as temporary, rc_context(SVG):
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})


def _remove(path: Path) -> None:
    with writing(path):
        path.unlink(missing_ok=True)


def _epochs(axes: Any, epochs: Epochs) -> None:
    """Loss and learning rate; entropies; effective rank and the share of the top output."""
    x = np.arange(1, len(epochs) + 1)
    loss, entropy, rank = axes[0, 0], axes[0, 1], axes[1, 0]
    loss.plot(x, epochs.loss, color=BLUE)
    loss.set_ylabel("loss", color=BLUE)
    rate = loss.twinx()
    rate.plot(x, epochs.rate, color=ORANGE, linestyle=":")
    rate.set_ylabel("learning rate", color=ORANGE)
    entropy.plot(x, epochs.entropy, color=BLUE, label="of a target")
    entropy.plot(x, epochs.mean_entropy, color=GREEN, linestyle="--", label="of the mean target")
    entropy.set_ylabel("entropy, nats")
    entropy.set_ylim(bottom=0)
    entropy.legend(fontsize="small")
    rank.plot(x, epochs.rank, color=BLUE)
    rank.set_ylabel("effective rank", color=BLUE)
    rank.set_ylim(bottom=0)
    top = rank.twinx()
    top.plot(x, epochs.top, color=ORANGE, linestyle=":")
    top.set_ylabel("share of the top output", color=ORANGE)
    top.set_ylim(0, 1)
    for one in (loss, entropy, rank):
        one.set_xlabel("epoch")
        for start in np.flatnonzero(np.diff(epochs.round)):
            one.axvline(start + 1.5, color="0.8", linewidth=1)


def _rounds(axes: Any, rounds: Rounds) -> None:
    """Stability, agreement with the round before, Jaccard index of the matches."""
    lines = (("stability", BLUE, "-"), ("agreement", GREEN, "--"), ("jaccard", ORANGE, ":"))
    for name, colour, style in lines:
        axes.plot(rounds.round, getattr(rounds, name), style, color=colour, marker="o", label=name)
    axes.set_xlabel("round")
    axes.set_xticks(rounds.round)
    axes.set_ylim(-0.05, 1.05)
    axes.legend(fontsize="small")
    for number in rounds.round[~rounds.good]:
        axes.annotate("collapsed", (number, 0), ha="center")
