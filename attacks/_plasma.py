"""Plasma: random clouds by the diamond-square algorithm, batched."""

import torch
from torch import Tensor
from torch.nn import functional as F


def plasma(roughness: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Draw a map of `size` x `size` values in [0, 1] for each `roughness` (N,) in [0, 1]: (N, size, size).

    Each refinement makes a point the mean of its neighbours mixed with a uniform draw, whose share is the roughness at
    first and is multiplied by it each time; the first one, from four random corners, draws nothing.
    """
    share = roughness.view(-1, 1, 1)
    corners = torch.rand(len(roughness), 2, 2, generator=generator, device=generator.device)
    grid, scale = refined(corners, torch.zeros_like(share), generator), share
    while grid.shape[1] < size:
        grid, scale = refined(grid, scale, generator), scale * share
    return grid[:, :size, :size]


def refined(grid: Tensor, scale: Tensor, generator: torch.Generator) -> Tensor:
    """A point between any two of `grid` (N, n, n): (N, 2n - 1, 2n - 1).

    First the centres of the squares, from four corners; then the middles of their edges, from four neighbours, or three
    at the border. `scale` (N, 1, 1) is the share of a uniform draw in a new point.
    """
    count, size, _ = grid.shape
    draws = scale * torch.rand(count, 2 * size - 1, 2 * size - 1, generator=generator, device=generator.device)
    fine = torch.zeros_like(draws)
    fine[:, ::2, ::2] = grid
    squares = (grid[:, :-1, :-1] + grid[:, 1:, :-1] + grid[:, :-1, 1:] + grid[:, 1:, 1:]) / 4
    fine[:, 1::2, 1::2] = (1 - scale) * squares + draws[:, 1::2, 1::2]
    edges = (1 - scale) * _crossed(fine) / _crossed(torch.ones_like(fine[:1])) + draws
    fine[:, ::2, 1::2], fine[:, 1::2, ::2] = edges[:, ::2, 1::2], edges[:, 1::2, ::2]
    return fine


def _crossed(grid: Tensor) -> Tensor:
    """The sum of the four neighbours of every point, with 0 beyond the border."""
    padded = F.pad(grid, (1, 1, 1, 1))
    return padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
