"""Perturbations of images in [0, 1]: freezing, gradients, and the ascent every attack and method shares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core.folding import folded
from bench.core.models import images_at_once


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, folded batch norm and no gradients of the weights inside; the model as it was afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    model.eval().requires_grad_(False)
    try:
        with folded(getattr(model, "pairs", ())):
            yield
    finally:
        for module, training in modes:
            module.training = training
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


def uniform(images: Tensor, radius: float, generator: torch.Generator) -> Tensor:
    """Independent draws from U(-radius, radius), one for every value of `images`, on the generator's device."""
    draws = torch.rand(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
    return draws.mul_(2 * radius).sub_(radius)


def loss_gradient(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient of the summed cross-entropy in `images` (N, C, H, W): in evaluation mode, each image's own."""
    size = images_at_once(model, images.shape[1:], images.device)
    if len(images) > size and not model.training:
        parts = zip(images.split(size), labels.split(size), strict=True)
        return torch.cat([loss_gradient(model, *part) for part in parts])
    images = images.detach().requires_grad_()
    loss = F.cross_entropy(model(images), labels, reduction="sum")
    return torch.autograd.grad(loss, images)[0]


def ascend(
    point: Tensor,
    gradient: Callable[[Tensor], Tensor],
    project: Callable[[Tensor], Tensor],
    *,
    step_size: float,
    steps: int,
    direction: Callable[[Tensor], Tensor] = torch.sign,
) -> Tensor:
    """Repeat `point <- project(point + step_size * direction(gradient(point)))`; a negative step size descends.

    sign(0) is 0: a value without a gradient stays where it is.
    """
    for _ in range(steps):
        point = project(point + step_size * direction(gradient(point)))
    return point


def quantised(noise: Tensor, radius: float) -> Tensor:
    """Float noise in steps of 1/255, rounded to the nearest and clipped to the radius, as int8.

    Raises ValueError for a radius beyond the 127/255 that int8 holds.
    """
    bound = round(255 * radius)
    if bound > 127:
        raise ValueError(f"a radius of {bound}/255 is over the 127/255 that int8 noise holds")
    return (255 * noise).round_().clamp_(-bound, bound).to(torch.int8)


def as_int8(levels: Tensor) -> Tensor:
    """Noise in whole grey levels as int8. Raises ValueError for a value beyond the 127 that it holds, and for NaN."""
    peak = float(levels.abs().max()) if levels.numel() else 0.0
    if not peak <= 127:  # nor is NaN
        raise ValueError(f"noise reaches {peak:.0f} grey levels, over the 127 that int8 holds; lower its radius")
    return levels.to(torch.int8)
