"""Test the plane of the largest variance against the eigenvectors of the covariance."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutor.lm.embeddings.word_map import best_plane


def vectors(seed: int, count: int = 9, width: int = 20) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    stretched = torch.linspace(3, 0.1, width)
    return torch.randn(count, width, generator=generator) * stretched + 5


@given(st.integers(0, 50))
def test_the_axes_are_the_first_two_eigenvectors_of_the_covariance(seed: int) -> None:
    x = vectors(seed).double()
    found = best_plane(x)
    values, directions = torch.linalg.eigh(torch.cov(x.t()))
    wanted = (x - x.mean(0)) @ directions[:, [-1, -2]]
    for axis in range(2):
        mine, other = found.points[:, axis].double(), wanted[:, axis]
        gap = min((mine - other).abs().max(), (mine + other).abs().max())
        assert float(gap) < 1e-4
    shares = (values.flip(0) / values.sum())[:2].tolist()
    assert found.shares == pytest.approx(shares, abs=1e-5)


def test_the_plane_agrees_with_torch() -> None:
    x = vectors(3)
    torch.manual_seed(0)
    _, s, v = torch.pca_lowrank(x, q=9, center=True)
    wanted = (x - x.mean(0)) @ v[:, :2]
    torch.testing.assert_close(best_plane(x).points.abs(), wanted.abs(), atol=1e-3, rtol=1e-3)
    assert sum(best_plane(x).shares) == pytest.approx(float((s**2)[:2].sum() / (s**2).sum()))


def test_the_sign_of_a_direction_does_not_depend_on_the_order_of_vectors() -> None:
    x = vectors(4)
    torch.testing.assert_close(best_plane(x).points, best_plane(x.flip(0)).points.flip(0))


def test_points_on_a_line_and_identical_points() -> None:
    line = torch.outer(torch.tensor([0.0, 1, 2, 5]), torch.ones(3))
    assert best_plane(line).shares == pytest.approx((1, 0), abs=1e-6)
    same = best_plane(torch.ones(4, 3))
    assert same.shares == (0, 0)
    assert not same.points.any()
    assert best_plane(vectors(1, count=2)).points.shape == (2, 2)
