"""Multi-crop views of aligned faces (section 3.4): crop, flip, tilt and colour temperature.

One resampling from the canvas: the random crop, rotation and flip are composed with the
model's fixed template transform into a single affine map per view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models.backbones.face_model import FaceModel
from videoclusternet.types.arrays import Array, Bools, Float64
from videoclusternet.types.canvas import CANVAS

GLOBAL_AREA = (0.7, 1.0)
LOCAL_AREA = (0.4, 0.6)


@dataclass(frozen=True)
class ViewPlan:
    """Random parameters of V views for each of n crops.

    Attributes
    ----------
    area : float64, shape (n, V)
        Share of the model's input area that is kept.
    x, y : float64, shape (n, V)
        Place of the window inside the free room, 0..1.
    angle : float64, shape (n, V)
        Radians, counter-clockwise.
    flip : bool, shape (n, V)
    kelvin : float64, shape (n, V)
        Colour temperature; 6500 leaves colours alone.
    """

    area: Float64
    x: Float64
    y: Float64
    angle: Float64
    flip: Bools
    kelvin: Float64

    def __getitem__(self, rows: slice | Array) -> ViewPlan:
        return ViewPlan(
            self.area[rows],
            self.x[rows],
            self.y[rows],
            self.angle[rows],
            self.flip[rows],
            self.kelvin[rows],
        )


def plan_views(crops: int, global_views: int, local_views: int, seed: int) -> ViewPlan:
    """Draw the parameters of all views at once, so that batching changes nothing.

    Kinds of augmentation from the paper [P]; strengths are ours (METHOD 1).
    """
    rng = np.random.default_rng(seed)
    shape = (crops, global_views + local_views)
    low, high = np.array([GLOBAL_AREA] * global_views + [LOCAL_AREA] * local_views).T
    angle = np.radians(rng.uniform(-15, 15, shape)) * (rng.random(shape) < 0.5)
    kelvin = np.where(rng.random(shape) < 0.8, rng.uniform(3500, 9500, shape), 6500.0)
    return ViewPlan(
        rng.uniform(low, high, shape),
        rng.random(shape),
        rng.random(shape),
        angle,
        rng.random(shape) < 0.5,
        kelvin,
    )


def clean_inputs(pixels: Tensor, model: FaceModel) -> Tensor:
    """Warp canvases to the model's input without augmentation.

    Parameters
    ----------
    pixels : uint8 or float, shape (B, H, W, 3)
        RGB canvases, 0..255.
    model : FaceModel

    Returns
    -------
    float32, shape (B, 3, size, size)
    """
    matrix = torch.as_tensor(_input_to_canvas(model), dtype=torch.float32, device=pixels.device)
    return _warp(pixels, matrix.expand(len(pixels), 1, 2, 3), model.size)[:, 0]


def make_views(pixels: Tensor, plan: ViewPlan, model: FaceModel) -> Tensor:
    """Make the planned views of some canvases.

    Parameters
    ----------
    pixels : uint8 or float, shape (B, H, W, 3)
        RGB canvases, 0..255.
    plan : ViewPlan
        For these B crops and V views.
    model : FaceModel

    Returns
    -------
    float32, shape (B, V, 3, size, size)
        RGB, 0..255.
    """
    matrix = torch.from_numpy(_view_matrices(plan, model)).float().to(pixels.device)
    gains = torch.from_numpy(temperature_gains(plan.kelvin)).float().to(pixels.device)
    return _warp(pixels, matrix, model.size).mul_(gains[..., None, None]).clamp_(0, 255)


def temperature_gains(kelvin: Array) -> Array:
    """RGB gains of black-body light against 6500 K, shape (..., 3).

    Tanner Helland's fit of the Planckian locus, 2012.
    """

    def rgb(k: Array) -> Array:
        t = np.asarray(k, dtype=np.float64) / 100
        warm = t <= 66
        red = np.where(warm, 255.0, 329.698727446 * np.maximum(t - 60, 1e-6) ** -0.1332047592)
        green = np.where(
            warm,
            99.4708025861 * np.log(t) - 161.1195681661,
            288.1221695283 * np.maximum(t - 60, 1e-6) ** -0.0755148492,
        )
        blue = np.where(t >= 66, 255.0, 138.5177312231 * np.log(t - 10) - 305.0447927307)
        return np.asarray(np.clip(np.stack([red, green, blue], axis=-1), 0, 255))

    return np.asarray(rgb(kelvin) / rgb(np.array(6500.0)))


def _input_to_canvas(model: FaceModel) -> Array:
    forward = np.vstack([model.canvas_to_input(), [0, 0, 1]])
    return np.asarray(np.linalg.inv(forward)[:2])


def _view_matrices(plan: ViewPlan, model: FaceModel) -> Array:
    """Affine maps (n, V, 2, 3) from view px to canvas px."""
    size = model.size
    side = np.sqrt(plan.area)
    middle = (size - 1) / 2
    free = (1 - side) * size
    centre_x = (side * size - 1) / 2 + plan.x * free
    centre_y = (side * size - 1) / 2 + plan.y * free
    cos, sin = np.cos(plan.angle) * side, np.sin(plan.angle) * side
    mirror = np.where(plan.flip, -1.0, 1.0)
    # window px = R * diag(mirror, 1) * (view px - middle) + centre
    a, b = cos * mirror, -sin
    c, d = sin * mirror, cos
    window = np.empty((*plan.area.shape, 3, 3))
    window[..., 0, :] = np.stack([a, b, centre_x - (a + b) * middle], axis=-1)
    window[..., 1, :] = np.stack([c, d, centre_y - (c + d) * middle], axis=-1)
    window[..., 2, :] = (0, 0, 1)
    return np.asarray(_input_to_canvas(model) @ window)


def _warp(pixels: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Sample each canvas (B, H, W, 3) by its maps (B, V, 2, 3) from output px to canvas px.

    Returns float32 (B, V, 3, size, size).
    """
    side = pixels.shape[1]
    if side != CANVAS:
        raise ValueError(f"canvases must be {CANVAS} px wide, not {side}")
    image = pixels.permute(0, 3, 1, 2).float()
    axis = torch.arange(size, dtype=torch.float32, device=pixels.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    ones = torch.ones_like(x)
    grid = torch.stack([x, y, ones], dim=-1).view(-1, 3) @ matrix.transpose(2, 3)
    # The views of a canvas are sampled one above the other, so that it need not be repeated.
    # grid_sample counts from -1 to 1 over the outer pixel borders (align_corners False).
    grid = grid.mul_(2).add_(1).div_(side).sub_(1).view(len(image), matrix.shape[1] * size, size, 2)
    tall = F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return tall.view(len(image), 3, matrix.shape[1], size, size).transpose(1, 2)
