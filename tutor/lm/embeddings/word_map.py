"""Project vectors onto a flat map with principal component analysis (PCA).

For n vectors of a few hundred numbers each, PCA finds the plane on which they are spread out most.
Center the vectors, X [n, width], and take the singular value decomposition X = U S Vᵀ. The rows of
Vᵀ are perpendicular directions, in decreasing order of the variance along them. Along direction k
the vectors have the coordinates U[:, k] S[k], and direction k explains this fraction of their total
variance:

    S[k]² / Σ S²

The map does not show the remaining variance, so points that touch on the map can be far apart.

Source: Pearson 1901.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

DIRECTIONS = 2


class Plane(NamedTuple):
    """A projection of vectors onto a plane.

    `points` [n, 2] are the coordinates of the vectors; their mean is 0. `shares` are the fractions
    of the total variance along x and along y.
    """

    points: Tensor
    shares: tuple[float, float]


@torch.inference_mode()
def best_plane(vectors: Tensor) -> Plane:
    """Project at least two vectors [n, width] onto their plane of largest variance.

    The sign of a direction is arbitrary. We choose it so that the point farthest from the mean has
    a positive coordinate.
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
