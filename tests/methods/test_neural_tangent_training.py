"""Training of infinitely wide networks in closed form: against its limits, its eigenvectors, and finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from methods._neural_tangent import RIDGE, cnn, trained


def kernel_and_targets() -> tuple[Tensor, Tensor]:
    images = torch.rand(12, 3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return cnn()(images, images), F.one_hot(torch.arange(12) % 3).double()


def test_one_image_is_trained_as_worked_out_by_hand() -> None:
    theta, targets = 2.5, torch.tensor([[0.0, 1.0, 0, 0]]).double()
    with_ridge = theta * (1 + 1e-4)
    expected = (1 - math.exp(-3 / 4 * with_ridge)) / with_ridge * targets
    torch.testing.assert_close(trained(torch.tensor([[theta]]).double(), targets, 3.0), expected)


def test_little_training_moves_the_outputs_along_the_kernel() -> None:
    theta, targets = kernel_and_targets()
    time = 1e-5
    torch.testing.assert_close(trained(theta, targets, time), time / 36 * targets, rtol=1e-4, atol=1e-10)


def test_training_to_the_end_is_kernel_regression() -> None:
    theta, targets = kernel_and_targets()
    ridge = RIDGE * theta.trace() / 12 * torch.eye(12)
    regression = torch.linalg.inv(theta + ridge) @ targets
    torch.testing.assert_close(trained(theta, targets, None), regression, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(trained(theta, targets, 1e6), regression, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("time", [1.0, 64.0, 4096.0])
def test_training_is_that_of_each_eigenvector(time: float) -> None:
    theta, targets = kernel_and_targets()
    values, vectors = torch.linalg.eigh(theta)
    values = values + RIDGE * values.mean()
    expected = vectors @ torch.diag(-torch.expm1(-time / 36 * values) / values) @ vectors.T @ targets
    torch.testing.assert_close(trained(theta, targets, time), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("time", [8.0, None])
def test_derivatives_of_training_are_those_of_finite_differences(time: float | None) -> None:
    theta, targets = kernel_and_targets()
    assert torch.autograd.gradcheck(lambda part: trained(part, targets[:4], time), (theta[:4, :4].requires_grad_(),))
