"""Frames as the vision tower takes them: resized, normalised, cut into patches; without torchvision.

Resizing is torch's bicubic filter with antialiasing on whole numbers from 0 to 255, the very kernel that the makers'
processor calls on a CPU. In floating point, single pixels would differ by up to 13 of 255.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from offbeat.models.qwen.family import Family
from offbeat.models.qwen.foreign import Tensor


@dataclass(frozen=True, slots=True)
class Patches:
    """What the vision tower is given.

    Attributes:
        values: float32 tensor, shape (times x rows x columns, 3 x 2 x side x side).
        grid: pairs of frames, rows and columns of patches.
    """

    values: Tensor
    grid: tuple[int, int, int]

    @property
    def tokens_per_pair(self) -> int:
        """Two by two patches become a token."""
        return self.grid[1] * self.grid[2] // 4

    @property
    def tokens(self) -> int:
        """Of the whole picture."""
        return self.grid[0] * self.tokens_per_pair

    def emptied(self) -> Patches:
        """The same without the values, which are large, for when they have been seen."""
        return Patches(self.values.new_empty(0, self.values.shape[1]), self.grid)


def fitting_size(height: int, width: int, *, step: int, fewest: int, most: int) -> tuple[int, int]:
    """Height and width nearest to the given, both multiples of `step`, with `fewest` to `most` pixels.

    The rule of the makers' ``smart_resize``; Python's `round`, which they use, takes halves to even.
    """
    lines, columns = (max(step, round(side / step) * step) for side in (height, width))
    if lines * columns > most:
        shrink = math.sqrt(height * width / most)
        return tuple(max(step, math.floor(side / shrink / step) * step) for side in (height, width))  # pyright: ignore[reportReturnType]
    if lines * columns < fewest:
        grow = math.sqrt(fewest / (height * width))
        return tuple(math.ceil(side * grow / step) * step for side in (height, width))  # pyright: ignore[reportReturnType]
    return lines, columns


def patches_of(images: Iterable[NDArray[np.uint8]], family: Family, *, most_pixels: int | None = None) -> Patches:
    """Cut frames into patches, pair by pair: of those that came before, their patches in 8 bits are held.

    Args:
        images: RGB, each of the shape (height, width, 3), an even number of them.
        family: which generation.
        most_pixels: of a frame; the makers' bound by default. Below their lower bound, it is the lower bound too.
    """
    most = most_pixels or family.most_pixels
    bounds = {"step": 2 * family.patch_px, "fewest": min(family.fewest_pixels, most), "most": most}
    frames = iter(images)
    pairs = [
        _cut(np.stack(pair), fitting_size(*pair[0].shape[:2], **bounds), family.patch_px)
        for pair in zip(frames, frames, strict=True)
    ]
    cut = torch.stack(pairs)
    mean, spread = (torch.tensor(three).view(3, 1) for three in (family.mean, family.spread))
    values = cut.float().div_(255).sub_(mean).div_(spread)
    count, rows, columns = cut.shape[:3]
    return Patches(values.view(-1, 3 * cut.shape[-1]), (count, 2 * rows, 2 * columns))


def _cut(pair: NDArray[np.uint8], size: tuple[int, int], side: int) -> Tensor:
    """Two frames resized and cut, in 8 bits; shape (rows of tokens, columns of tokens, 2, 2, 3, 2 x side x side)."""
    frames = torch.from_numpy(pair).permute(0, 3, 1, 2).contiguous()
    sized = torch.nn.functional.interpolate(frames, size=size, mode="bicubic", antialias=True)
    rows, columns = (pixels // (2 * side) for pixels in size)
    # (frame of the pair, colour, row of tokens, row of it, line, column of tokens, column of it, column)
    parts = sized.view(2, 3, rows, 2, side, columns, 2, side)
    return parts.permute(2, 5, 3, 6, 1, 0, 4, 7).reshape(rows, columns, 2, 2, 3, 2 * side * side)
