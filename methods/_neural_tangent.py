"""Neural tangent kernels of infinitely wide networks, in closed form, and the training that they stand for.

An entry belongs to a pair of images and is the same for every logit. The networks flatten and never pool, so only the
same place of both images ever meets: whatever belongs to a pair is a map over places, not over pairs of places. All
tensors are float64. Weights have variance 1.76 over fan-in, biases 0.18, as in NTGA's code (Yuan and Wu, ICML 2021).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

WEIGHT_VARIANCE = 1.76
BIAS_VARIANCE = 0.18
WINDOW = 5
"""Height and width of a convolution's window."""
RIDGE = 1e-4
"""Added to the kernel's diagonal, relative to the diagonal's mean."""
PARALLEL = 1e-13
"""Squared sine of an angle that rounding cannot tell from 0."""


class Inputs(NamedTuple):
    """What n images are to the first layer, at each place: vectors whose inner products are its covariances."""

    values: Tensor
    """(height, width, n, fan-in + 1): scaled by the weights' deviation, and one more for the bias."""
    variance: Tensor
    """(height, width, n): their squared lengths."""

    @classmethod
    def of(cls, values: Tensor) -> "Inputs":
        """From what the units see, (height, width, n, fan-in)."""
        weighted = values * math.sqrt(WEIGHT_VARIANCE / values.shape[-1])
        values = F.pad(weighted, (0, 1), value=math.sqrt(BIAS_VARIANCE))
        return cls(values, values.square().sum(-1))


class Pairs(NamedTuple):
    """A layer's units at n images and at m images: maps of height x width places, or none once flattened."""

    covariance: Tensor
    """(..., n, m)"""
    tangent: Tensor
    """(..., n, m): the tangent kernel of all weights up to here."""
    first: Tensor
    """(..., n): variances at the n images."""
    second: Tensor
    """(..., m): variances at the m images."""


class Kernel(NamedTuple):
    """The tangent kernel of a network, in two parts: each image's own, and that of pairs."""

    inputs: Callable[[Tensor], Inputs]
    """Of images (n, C, H, W) in [0, 1]."""
    tangent: Callable[[Inputs, Inputs], Tensor]
    """(n, m) from the inputs of n and of m images."""

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """The kernel (n, m) of images (n, C, H, W) and (m, C, H, W)."""
        return self.tangent(self.inputs(first), self.inputs(second))


def cnn(stride: int = 2) -> Kernel:
    """Two convolutions 5x5 with ReLU, then three dense layers with nothing between them."""

    def tangent(first: Inputs, second: Inputs) -> Tensor:
        pairs = relu(first_layer(first, second))
        rows, columns = (window_means(size, stride).to(first.values) for size in pairs.covariance.shape[:2])
        pairs = relu(linear(pairs, lambda maps: averaged(maps, rows, columns)))
        pairs = linear(pairs, lambda maps: maps.mean((0, 1)))
        return linear(linear(pairs)).tangent

    return Kernel(lambda images: Inputs.of(patches(images, stride)), tangent)


def fnn() -> Kernel:
    """Five dense layers with an erf after each, the last included: there is no linear read-out."""

    def tangent(first: Inputs, second: Inputs) -> Tensor:
        pairs = erf(first_layer(first, second))
        for _ in range(4):
            pairs = erf(linear(pairs))
        return pairs.tangent[0, 0]

    return Kernel(lambda images: Inputs.of(images.flatten(1)[None, None]), tangent)


def first_layer(first: Inputs, second: Inputs) -> Pairs:
    """The first layer of weights, where the tangent kernel is the covariance itself."""
    covariance = first.values @ second.values.mT
    return Pairs(covariance, covariance, first.variance, second.variance)


def linear(pairs: Pairs, average: Callable[[Tensor], Tensor] = lambda maps: maps) -> Pairs:
    """A layer of weights, each output unit over what `average` takes the mean of: dense, or a convolution."""
    covariance, tangent, first, second = (average(maps) for maps in pairs)
    covariance = WEIGHT_VARIANCE * covariance + BIAS_VARIANCE
    return Pairs(
        covariance,
        covariance + WEIGHT_VARIANCE * tangent,
        WEIGHT_VARIANCE * first + BIAS_VARIANCE,
        WEIGHT_VARIANCE * second + BIAS_VARIANCE,
    )


def relu(pairs: Pairs) -> Pairs:
    """ReLU of each unit; variances must be positive."""
    covariance, slopes = _Relu.apply(pairs.covariance, pairs.first, pairs.second)
    return Pairs(covariance, slopes * pairs.tangent, pairs.first / 2, pairs.second / 2)


def erf(pairs: Pairs) -> Pairs:
    """The error function of each unit."""
    covariance, tangent, first, second = pairs
    root = ((1 + 2 * first[..., :, None]) * (1 + 2 * second[..., None, :]) - 4 * covariance.square()).sqrt()

    def variance(of: Tensor) -> Tensor:
        return 2 / math.pi * torch.atan2(2 * of, (1 + 4 * of).sqrt())

    covariance = 2 / math.pi * torch.atan2(2 * covariance, root)
    return Pairs(covariance, 4 / math.pi * tangent / root, variance(first), variance(second))


class _Relu(torch.autograd.Function):
    """Covariance of ReLU units and mean product of their slopes, with derivatives that stay finite.

    With cross = sqrt(first second - covariance^2) and angle = atan2(cross, covariance): slopes = 1/2 - angle/(2 pi),
    output = cross/(2 pi) + slopes covariance. Autograd would divide by cross on the way to both; by hand only the
    slopes' derivative does, and their kink at cross = 0, where both images are the same, gets the derivative 0.
    """

    @staticmethod
    def forward(ctx: Any, covariance: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        product = first[..., :, None] * second[..., None, :]
        square = torch.addcmul(product, covariance, covariance, value=-1)
        square.masked_fill_(square <= product.mul_(PARALLEL), 0)
        cross = square.sqrt_()
        slopes = torch.atan2(cross, covariance).mul_(-0.5 / math.pi).add_(0.5)
        ctx.save_for_backward(covariance, first, second, cross, slopes)
        return torch.addcmul(cross / (2 * math.pi), slopes, covariance), slopes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        to_output, to_slopes = gradients
        covariance, first, second, cross, slopes = ctx.saved_tensors
        steep = (to_slopes / cross).masked_fill_(cross == 0, 0).mul_(0.5 / math.pi)
        to_covariance = torch.addcmul(steep, to_output, slopes)
        to_log = (to_output * cross).mul_(0.25 / math.pi).addcmul_(steep, covariance, value=-0.5)
        to_second = to_log.sum(-2) / second if ctx.needs_input_grad[2] else None
        return to_covariance, to_log.sum(-1) / first, to_second


def padding(size: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis of `size` pixels, for ceil(size / stride) windows: an odd one out comes after."""
    zeros = max((math.ceil(size / stride) - 1) * stride + WINDOW - size, 0)
    return zeros // 2, zeros - zeros // 2


def patches(images: Tensor, stride: int) -> Tensor:
    """The padded windows of images (n, C, H, W) as (height, width, n, C * 25)."""
    count, _, height, width = images.shape
    padded = F.pad(images, (*padding(width, stride), *padding(height, stride)))
    windows = padded.unfold(2, WINDOW, stride).unfold(3, WINDOW, stride)
    rows, columns = windows.shape[2:4]
    return windows.permute(2, 3, 0, 1, 4, 5).reshape(rows, columns, count, -1)


def window_means(size: int, stride: int) -> Tensor:
    """The matrix (windows, size) that takes means over the windows of an axis; padding counts as zeros."""
    before, after = padding(size, stride)
    starts = torch.arange(0, before + size + after - WINDOW + 1, stride)
    offsets = torch.arange(size) + before - starts[:, None]
    return ((offsets >= 0) & (offsets < WINDOW)).double() / WINDOW


def averaged(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Means over the windows of maps (height, width, ...): the window is a product, so one axis after the other."""
    return torch.einsum("jw,iw...->ij...", columns, torch.einsum("ih,h...->i...", rows, maps))


def trained(kernel: Tensor, targets: Tensor, time: float | None) -> Tensor:
    """Coefficients (n, classes) of the network that gradient flow has fitted to `targets` for `time`, from outputs 0.

    Its outputs are cross-kernel @ coefficients. `kernel` (n, n) is that of the training images, `targets` (n, classes).
    The loss is half the squared error, averaged over images and classes; None trains to the end: kernel regression.
    Differentiable: (1 - exp(-s kernel)) / kernel @ targets is a corner of one matrix exponential.
    """
    count, classes = targets.shape
    kernel = kernel + RIDGE * kernel.diagonal().mean() * torch.eye(count).to(kernel)
    if time is None:
        regression: Tensor = torch.linalg.solve(kernel, targets)
        return regression
    rate = time / targets.numel()
    upper = torch.cat([-rate * kernel, rate * targets], 1)
    exponential: Tensor = torch.matrix_exp(F.pad(upper, (0, 0, 0, classes)))
    return exponential[:count, count:]
