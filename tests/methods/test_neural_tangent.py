"""Tangent kernels: against the recursion written plainly, wide random networks, and numbers worked out by hand."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods._neural_tangent import Kernel, Pairs, averaged, cnn, erf, fnn, padding, relu, window_means

KERNELS = {"cnn, stride 2": cnn(), "cnn, stride 3": cnn(3), "fnn": fnn()}
W, B = 1.76, 0.18


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    return KERNELS[request.param]


def random_images(count: int, channels: int = 1, height: int = 6, width: int = 6, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, channels, height, width, generator=generator, dtype=torch.float64)


def pair(covariance: float, first: float = 1.0, second: float = 1.0) -> Pairs:
    return Pairs(*(torch.tensor(v, dtype=torch.float64) for v in ([[covariance]], [[1.0]], [first], [second])))


# The recursion.


def plain_cnn(x: Tensor, z: Tensor, stride: int = 2) -> float:
    """The recursion for two images (C, H, W), on the whole map of each pair and in the order it is published."""

    def convolution(maps: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        height, width = maps.shape[-2:]
        room = (*padding(width, stride), *padding(height, stride))
        maps, keep = (W * F.avg_pool2d(F.pad(part, room), 5, stride) for part in (maps, keep))
        maps = maps + B
        return maps, maps[:1] + keep

    def rectified(maps: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
        k, c1, c2 = maps
        angle = torch.atan2((c1 * c2 - k**2).clamp(min=1e-300).sqrt(), k)
        slope = 0.5 - angle / (2 * math.pi)
        k = (c1 * c2 - k**2).clamp(min=0).sqrt() / (2 * math.pi) + slope * k
        return torch.stack([k, c1 / 2, c2 / 2]), kernel * slope

    maps = torch.stack([(x * z).mean(0), (x * x).mean(0), (z * z).mean(0)])
    kernel = torch.zeros_like(maps[:1])
    for _ in range(2):
        maps, kernel = rectified(*convolution(maps, kernel))
    k, theta = maps[0].mean(), kernel.mean()
    for _ in range(3):
        k = W * k + B
        theta = k + W * theta
    return theta.item()


@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("shape", [(1, 6, 6), (3, 8, 8), (2, 7, 9), (1, 16, 11), (3, 2, 3)])
def test_the_kernel_is_that_of_the_recursion_over_whole_maps(shape: tuple[int, int, int], stride: int) -> None:
    x, z = random_images(3, *shape), random_images(2, *shape, seed=1)
    expected = [[plain_cnn(a, b, stride) for b in z] for a in x]
    torch.testing.assert_close(cnn(stride)(x, z), torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=0)


def test_two_images_of_2x2_by_hand() -> None:
    """Each convolution has one window, which holds the whole image and 21 padded zeros."""
    white, dot = torch.ones(1, 1, 2, 2).double(), torch.tensor([[[[1.0, 0], [0, 0]]]]).double()
    # White with itself: 1.76 x 4/25 + 0.18 = 0.4616, half of it after ReLU; 1.76 x 0.2308/25 + 0.18 = 0.19624832, ...
    assert cnn()(white, white).item() == pytest.approx(4.6703988626, abs=1e-9)
    # White with the dot: covariance 1.76 x 1/25 + 0.18 = 0.2504, which is the dot's own variance too.
    angle = math.acos(0.2504 / math.sqrt(0.4616 * 0.2504))
    slope = 0.5 - angle / (2 * math.pi)
    k = math.sqrt(0.4616 * 0.2504 - 0.2504**2) / (2 * math.pi) + slope * 0.2504
    k, theta = W * k / 25 + B, W * k / 25 + B + W * slope * 0.2504 / 25
    c1, c2 = W * 0.2308 / 25 + B, W * 0.1252 / 25 + B
    angle = math.acos(k / math.sqrt(c1 * c2))
    slope = 0.5 - angle / (2 * math.pi)
    k, theta = math.sqrt(c1 * c2 - k**2) / (2 * math.pi) + slope * k, theta * slope
    for _ in range(3):
        k = W * k + B
        theta = k + W * theta
    assert cnn()(white, dot).item() == pytest.approx(theta, rel=1e-12)


def test_the_dense_kernel_of_one_pixel_by_hand() -> None:
    c = k = theta = W * 0.25 + B
    for layer in range(5):
        if layer:
            k = c = W * c + B
            theta = k + W * theta
        theta = theta * 4 / math.pi / math.sqrt(1 + 4 * c)
        c = 2 / math.pi * math.asin(2 * c / (1 + 2 * c))
    half = torch.full((1, 1, 1, 1), 0.5).double()
    assert fnn()(half, half).item() == pytest.approx(theta, rel=1e-12)


# Layers.


@pytest.mark.parametrize(("covariance", "after", "slope"), [(0, 1 / (2 * math.pi), 1 / 4), (1, 1 / 2, 1 / 2)])
def test_relu_of_uncorrelated_and_of_equal_units(covariance: float, after: float, slope: float) -> None:
    pairs = relu(pair(covariance))
    assert (pairs.covariance.item(), pairs.tangent.item()) == pytest.approx((after, slope), abs=1e-15)
    assert (pairs.first.item(), pairs.second.item()) == (0.5, 0.5)


def test_erf_of_uncorrelated_units() -> None:
    pairs = erf(pair(0))
    assert pairs.first.item() == pairs.second.item() == pytest.approx(0.464559, abs=5e-7)
    assert (pairs.covariance.item(), pairs.tangent.item()) == pytest.approx((0, 4 / (3 * math.pi)), abs=1e-15)
    assert erf(pair(1)).covariance.item() == pytest.approx(pairs.first.item(), abs=1e-15)


@pytest.mark.parametrize("layer", [relu, erf])
@pytest.mark.parametrize("covariance", [-0.5, 0.3, 0.9])
def test_a_layer_is_the_mean_over_random_units(layer: object, covariance: float) -> None:
    count, first, second = 400_000, 1.3, 0.8
    draws = torch.randn(2, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u = math.sqrt(first) * draws[0]
    v = covariance / first * u + math.sqrt(second - covariance**2 / first) * draws[1]
    if layer is relu:
        pairs = relu(pair(covariance, first, second))
        values, slopes = u.relu() * v.relu(), (u > 0).double() * (v > 0).double()
    else:
        pairs = erf(pair(covariance, first, second))
        values, slopes = torch.erf(u) * torch.erf(v), 4 / math.pi * torch.exp(-(u**2) - v**2)
        assert torch.erf(u).square().mean().item() == pytest.approx(pairs.first.item(), rel=0.01)
    for exact, sampled in [(pairs.covariance, values), (pairs.tangent, slopes)]:
        assert abs(sampled.mean().item() - exact.item()) < 4 * sampled.std().item() / math.sqrt(count)


@pytest.mark.parametrize(
    ("size", "stride", "around"),
    [(32, 2, (1, 2)), (16, 2, (1, 2)), (7, 2, (2, 2)), (2, 2, (1, 2)), (1, 2, (2, 2)), (8, 3, (1, 2)), (9, 3, (1, 1))],
)
def test_padding_gives_a_window_for_each_stride_begun(size: int, stride: int, around: tuple[int, int]) -> None:
    assert padding(size, stride) == around
    assert window_means(size, stride).shape == (math.ceil(size / stride), size)


def test_means_over_windows_are_those_of_pooling() -> None:
    maps = random_images(6, 5, 9, 8)
    pooled = F.avg_pool2d(F.pad(maps, (*padding(8, 2), *padding(9, 2))), 5, 2).permute(2, 3, 0, 1)
    torch.testing.assert_close(averaged(maps.permute(2, 3, 0, 1), window_means(9, 2), window_means(8, 2)), pooled)


# Whole networks.


class WideLinear(nn.Module):
    """A layer in the parameterisation of the tangent kernel: normal weights, scaled when used."""

    def __init__(self, generator: torch.Generator, *shape: int, stride: int = 0) -> None:
        super().__init__()
        self.stride, self.scale = stride, math.sqrt(W / math.prod(shape[1:]))
        self.weight = nn.Parameter(torch.randn(shape, generator=generator))
        self.bias = nn.Parameter(torch.randn(shape[0], generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.scale * self.weight, math.sqrt(B) * self.bias
        if not self.stride:
            return F.linear(x, weight, bias)
        height, width = x.shape[2:]
        room = (*padding(width, self.stride), *padding(height, self.stride))
        return F.conv2d(F.pad(x, room), weight, bias, self.stride)


class Erf(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.erf(x)


def wide_cnn(generator: torch.Generator, width: int) -> nn.Module:
    first = WideLinear(generator, width, 2, 5, 5, stride=2)
    second = WideLinear(generator, width, width, 5, 5, stride=2)
    dense = [
        WideLinear(generator, 1 if last else width, width if deep else 4 * width)
        for deep, last in ((0, 0), (1, 0), (1, 1))
    ]
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), *dense)


def wide_fnn(generator: torch.Generator, width: int) -> nn.Module:
    sizes = [2 * 6 * 6, width, width, width, width, width]
    layers = [(WideLinear(generator, after, before), Erf()) for before, after in pairwise(sizes)]
    return nn.Sequential(nn.Flatten(), *(part for layer in layers for part in layer))


def sampled_kernel(network: nn.Module, images: Tensor) -> Tensor:
    """The tangent kernel of one network, the mean over its outputs but for cross terms that are 0 on average."""
    parameters = list(network.parameters())
    rows = [
        torch.autograd.grad(outputs.sum() / math.sqrt(outputs.numel()), parameters)
        for outputs in map(network, images.float().split(1))
    ]
    gradients = torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])
    return (gradients @ gradients.T).double()


@pytest.mark.parametrize(
    ("make", "kernel", "width", "count"), [(wide_cnn, cnn(), 128, 150), (wide_fnn, fnn(), 128, 400)]
)
def test_the_kernel_is_the_mean_over_wide_random_networks(
    make: Callable[[torch.Generator, int], nn.Module], kernel: Kernel, width: int, count: int
) -> None:
    images = random_images(3, 2) * torch.tensor([1.0, 0.3, 0.7]).view(3, 1, 1, 1)
    generator, exact = torch.Generator().manual_seed(0), kernel(images, images)
    sampled = torch.stack([sampled_kernel(make(generator, width), images) for _ in range(count)])
    error = 3 * sampled.std(0) / math.sqrt(count) + exact / width  # of the mean of so many, and of so finite a width
    assert ((sampled.mean(0) - exact).abs() < error).all()
    assert (error < 0.05 * exact).all()


def test_the_kernel_of_a_set_is_symmetric_and_positive_definite(kernel: Kernel) -> None:
    images = random_images(20, 3)
    matrix = kernel(images, images)
    torch.testing.assert_close(matrix, matrix.mT, rtol=1e-13, atol=0)
    assert torch.linalg.eigvalsh(matrix).min() > 1e-4


# Derivatives.


def test_derivatives_of_relu_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.rand(2, n, generator=generator, dtype=torch.float64) + 0.5 for n in (3, 4))
    correlation = 1.6 * torch.rand(2, 3, 4, generator=generator, dtype=torch.float64) - 0.8
    covariance = correlation * (first[..., :, None] * second[..., None, :]).sqrt()
    inputs = [part.requires_grad_() for part in (covariance, torch.rand_like(covariance), first, second)]
    assert torch.autograd.gradcheck(lambda *parts: relu(Pairs(*parts))[:2], inputs)


def test_derivatives_of_a_kernel_are_those_of_finite_differences(kernel: Kernel) -> None:
    first, second = random_images(2, 2, 5, 6).requires_grad_(), random_images(2, 2, 5, 6, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(kernel, (first, second))


def test_on_the_diagonal_values_and_derivatives_are_exact(kernel: Kernel) -> None:
    """The diagonal is smooth, also in saturated images: an image has no angle with itself, and with its twin."""
    images = torch.cat([random_images(2), torch.zeros(1, 1, 6, 6), torch.ones(1, 1, 6, 6)]).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: kernel(x, x).diagonal(), (images,))
    twins = torch.cat([images, images]).detach()
    matrix = kernel(twins, twins)
    torch.testing.assert_close(matrix[:4, 4:].diagonal(), matrix.diagonal()[:4], rtol=1e-13, atol=0)
