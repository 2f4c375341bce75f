"""A flat map of vectors: principal component analysis.

From n vectors of some hundred numbers each, the plane on which they spread the most. Center them,
X [n, width], and take the singular value decomposition X = U S Vᵀ. The rows of Vᵀ are directions at
right angles, best first; along direction k the vectors have the coordinates U[:, k] S[k], and of
all their variance it holds the share

    S[k]² / Σ S²

What the plane does not show is the rest: points that touch on a map can be far apart.

Source: Pearson 1901.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

DIRECTIONS = 2


class Plane(NamedTuple):
    """`points` [n, 2], the mean in the middle; `shares` of the variance, along x and along y."""

    points: Tensor
    shares: tuple[float, float]


@torch.inference_mode()
def best_plane(vectors: Tensor) -> Plane:
    """The plane of the largest variance of at least two vectors [n, width].

    A direction may be turned round without changing anything; it is taken so that the point
    furthest out on it is on the positive side.
    """
    centered = vectors.float() - vectors.float().mean(dim=0)
    u, s, _ = torch.linalg.svd(centered, full_matrices=False)  # [n, k], [k]
    points = (u * s)[:, :DIRECTIONS]
    if points.shape[1] < DIRECTIONS:
        points = torch.cat([points, torch.zeros(len(points), 1)], dim=1)
    furthest = points.abs().argmax(dim=0)  # [2]
    points = points * torch.where(points[furthest, torch.arange(DIRECTIONS)] < 0, -1.0, 1.0)
    variance = s.square()
    total = float(variance.sum())
    along: list[float] = variance.tolist()
    first, second, *_ = [*along, 0.0, 0.0]
    return Plane(points, (first / total, second / total) if total > 0 else (0.0, 0.0))
