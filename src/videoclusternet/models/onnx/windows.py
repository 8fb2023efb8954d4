"""ONNX operators that slide a window over a map: convolution and pooling.

ONNX pads each side by its own amount and has several ways to say how much; torch pads both
sides alike.  Where they differ, the map is padded beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from videoclusternet.models.onnx.file import Node


@dataclass(frozen=True)
class Window:
    """A sliding window, (height, width) each.

    Attributes
    ----------
    kernel, stride, dilation : tuple of 2 int
    before, after : tuple of 2 int
        Padding at the top and left, at the bottom and right.
    beyond : tuple of 2 int
        How far the last window of ``ceil_mode`` hangs over the padding.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    beyond: tuple[int, int]

    @property
    def even(self) -> bool:
        """Whether torch can pad by itself."""
        return self.before == self.after and self.beyond == (0, 0)

    def around(self) -> tuple[int, int, int, int]:
        """Left, right, top, bottom: padding with what hangs over."""
        (top, left), (bottom, right), (down, across) = self.before, self.after, self.beyond
        return left, right + across, top, bottom + down


def window(node: Node, x: Tensor, kernel: Sequence[int]) -> Window:
    """Work out the window of a node for a map (B, C, H, W)."""
    if x.ndim != 4:
        raise ValueError(f"windows slide over maps of height and width, not over {x.ndim} axes")
    get = node.get
    stride, dilation = get("strides") or [1, 1], get("dilations") or [1, 1]
    pads, auto = get("pads") or [0, 0, 0, 0], get("auto_pad", "NOTSET")
    before, after, beyond = [], [], []
    for i in (0, 1):
        side, step = x.shape[2 + i], stride[i]
        span = (kernel[i] - 1) * dilation[i] + 1
        first, last, over = (pads[i], pads[i + 2], 0) if auto == "NOTSET" else (0, 0, 0)
        if auto.startswith("SAME"):
            total = max((-(-side // step) - 1) * step + span - side, 0)
            first = total // 2 if auto == "SAME_UPPER" else total - total // 2
            last = total - first
        elif auto == "NOTSET" and get("ceil_mode", 0):
            steps = -(-(side + first + last - span) // step)
            # A window that would start in the padding behind the map is left out.
            steps -= steps * step >= side + first
            over = max(steps * step + span - (side + first + last), 0)
        before.append(first)
        after.append(last)
        beyond.append(over)
    values = (kernel, stride, dilation, before, after, beyond)
    return Window(*((int(v[0]), int(v[1])) for v in values))


def conv(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve (B, C, H, W) with (C', C / groups, h, w)."""
    w = window(node, x, weight.shape[2:])
    groups = node.get("group", 1)
    if w.even:
        return F.conv2d(x, weight, bias, w.stride, w.before, w.dilation, groups)
    return F.conv2d(F.pad(x, w.around()), weight, bias, w.stride, 0, w.dilation, groups)


def max_pool(node: Node, x: Tensor) -> Tensor:
    """Take the maximum of each window; padding never wins."""
    w = window(node, x, node.attributes["kernel_shape"])
    # torch allows padding up to half of the kernel.
    if w.even and all(2 * p <= k for p, k in zip(w.before, w.kernel, strict=True)):
        return F.max_pool2d(x, w.kernel, w.stride, w.before, w.dilation)
    padded = F.pad(x, w.around(), value=-torch.inf)
    return F.max_pool2d(padded, w.kernel, w.stride, 0, w.dilation)


def average_pool(node: Node, x: Tensor) -> Tensor:
    """Average each window over the map, or over map and padding; never over what hangs over."""
    w = window(node, x, node.attributes["kernel_shape"])
    if w.dilation != (1, 1):
        raise ValueError("average pooling with gaps is not known")
    if not any(w.around()):
        return F.avg_pool2d(x, w.kernel, w.stride)
    include = float(node.get("count_include_pad", 0))
    (top, left), (bottom, right), (down, across) = w.before, w.after, w.beyond
    counted = F.pad(x.new_ones(1, 1, *x.shape[2:]), (left, right, top, bottom), value=include)
    counted = F.pad(counted, (0, across, 0, down))
    mean = F.avg_pool2d(F.pad(x, w.around()), w.kernel, w.stride)
    return mean / F.avg_pool2d(counted, w.kernel, w.stride)
