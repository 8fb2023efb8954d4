"""How fast the face model learns: seconds of the paper's schedule, achieved against possible rate.

    python bench/adapt_speed.py [--network r100|edgeface-xs|dlib] [--crops 10000] [--share 1.0]

Weights and pictures are random: they do not change the speed.  The schedule is the paper's:
30 epochs, then four times 10, six views of each pair.  ``--share .01`` trains on a hundredth
of the pairs and says so; the figure for the whole is then an extrapolation.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from videoclusternet.adapt.heads import make_pair
from videoclusternet.adapt.loop import depth_of
from videoclusternet.adapt.pairs import no_partners
from videoclusternet.adapt.ranks import ALONE
from videoclusternet.adapt.supply import make_supply
from videoclusternet.adapt.train import Company, Trainer, Training, autocast, precision
from videoclusternet.config import Config
from videoclusternet.models.backbones.dlib_resnet import DlibResNet
from videoclusternet.models.backbones.edgeface import EdgeFace
from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.models.backbones.iresnet import IResNet
from videoclusternet.models.load import pick_device
from videoclusternet.types.canvas import CANVAS

ROUNDS = 5
CROPS_OF_A_TRACK = 8


def network(name: str) -> FaceModel:
    """Return a network with random weights."""
    if name in ("r50", "r100"):
        return IResNet(f"arcface-{name}")
    return DlibResNet() if name == "dlib" else EdgeFace(name)


def matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Measure what a large matrix product reaches, FLOP/s."""
    n = 8192 if device == "cuda" else 2048
    a = torch.randn(n, n, device=device, dtype=dtype)
    for _ in range(2):
        a @ a
    times = []
    for _ in range(5):
        started = now(device)
        a @ a
        times.append(now(device) - started)
    return 2 * n**3 / min(times)


def now(device: str) -> float:
    """Return the time when all work on the device is done, seconds."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="r100")
    parser.add_argument("--crops", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=1.0, help="of the pairs of each epoch")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], help="e.g. adapt.compile=true")
    options = parser.parse_args()
    device = pick_device(options.device)
    config = Config.load("paper", settings=[*options.set, "adapt.guard=false"])
    crops = max(1, round(options.crops * options.share))
    model = network(options.network).to(device).eval().to(memory_format=torch.channels_last)
    depth = depth_of(config.adapt.trainable, device)
    origin = torch.zeros(model.dim, device=device)
    student, teacher = make_pair(model, config.adapt, depth, origin, 0)
    training = Training(student, teacher, torch.zeros(1, model.dim, device=device))
    rng = np.random.default_rng(0)
    started = now(device)
    supply = make_supply(
        lambda rows: rng.integers(0, 256, (len(rows), CANVAS, CANVAS, 3), dtype=np.uint8),
        crops, np.arange(crops), student, config.adapt, config.embed, 0,
    )  # fmt: skip
    prepared = now(device) - started
    track = np.arange(crops) // CROPS_OF_A_TRACK
    tracks = int(track[-1]) + 1
    means = np.zeros((tracks, model.dim), dtype=np.float32)  # Eq. 2 does not read them
    company = Company(track, no_partners(tracks), np.ones(tracks, dtype=bool), means)
    trainer = Trainer(training, supply, company, config.adapt, ALONE)
    few = np.arange(min(4, crops))
    with FlopCounterMode(display=False) as counter, autocast(config.adapt, device):
        training.teacher(supply.views(few, few, few, 0).flatten(0, 1))
    forward = counter.get_total_flops() / (6 * len(few))
    seconds, flops = 0.0, 0.0
    for number in range(1, ROUNDS + 1):
        started = now(device)
        epochs = sum(1 for _ in trainer.round(number, 0))
        seconds += now(device) - started
        # Teacher and student look; the student's way back costs twice as much again.
        frozen = config.adapt.head_epochs if number == 1 else 0
        flops += 6 * crops * forward * (2 * epochs + 2 * (epochs - frozen))
    dtype = precision(config.adapt, device)
    rate, possible = flops / seconds, matrix_rate(device, dtype)
    table = Table("network", "depth", "crops", "prepare s", "train s", "TFLOP/s", "matrix", "of it")
    table.add_row(
        options.network, depth, str(crops), f"{prepared:.1f}", f"{seconds:.1f}",
        f"{rate / 1e12:.2f}", f"{possible / 1e12:.2f}", f"{rate / possible:.0%}",
    )  # fmt: skip
    Console(width=100).print(table)
    if options.share < 1:
        whole = seconds * options.crops / crops / 60
        print(f"extrapolated to {options.crops} crops: {whole:.1f} minutes")


if __name__ == "__main__":
    main()
