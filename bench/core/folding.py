"""Batch norm folded into the convolution before it while a network is frozen: the same function, less work."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

Pair = tuple[nn.Conv2d, nn.BatchNorm2d]


def convolutions_with_norm(body: nn.Module) -> list[Pair]:
    """The convolutions whose output goes through one batch norm and nowhere else, each with that batch norm."""
    modules = dict(body.named_modules())
    pairs: list[Pair] = []
    for node in fx.symbolic_trace(body).graph.nodes:
        if node.op != "call_module" or len(node.users) != 1:
            continue
        [user] = node.users
        before, after = modules[node.target], modules.get(str(user.target))
        if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            pairs.append((before, after))
    return pairs


@contextmanager
def folded(pairs: Sequence[Pair]) -> Iterator[None]:
    """Let each convolution do its batch norm's work inside; both are as they were afterwards.

    Exact up to float rounding, in evaluation mode only: the batch norm must use its running statistics. What is folded
    already stays so.
    """
    kept = []
    try:
        for convolution, norm in pairs:
            if "forward" in norm.__dict__:
                continue
            weight, bias = _fold(convolution, norm)
            kept.append((convolution, norm, convolution.weight, convolution.bias))
            # Plain tensors in the place of parameters: the optimiser and autograd still know the originals only.
            _replace(convolution, weight, bias)
            norm.__dict__["forward"] = _unchanged
        yield
    finally:
        for convolution, norm, original_weight, original_bias in kept:
            _replace(convolution, original_weight, original_bias)
            del norm.__dict__["forward"]


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that does both."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("batch norm without running statistics cannot be folded")
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    shift = norm.bias - norm.running_mean * scale
    if convolution.bias is not None:
        shift = shift + convolution.bias * scale
    return convolution.weight * scale[:, None, None, None], shift


def _replace(convolution: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> None:
    parameters: dict[str, Any] = convolution._parameters
    parameters["weight"], parameters["bias"] = weight, bias


def _unchanged(images: Tensor) -> Tensor:
    return images
