"""How a network's body is called: as it is, or compiled. Only this file knows torch.compile."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

Call = Callable[[nn.Module, Tensor], Tensor]
COMMON = 500
"""Calls after which a batch shape is compiled for: more than most last, incomplete batches get (250 in TAP)."""


def call(body: nn.Module, pixels: Tensor) -> Tensor:
    """Logits of the body. It is an argument, so that compiled code serves all networks of a kind."""
    logits: Tensor = body(pixels)
    return logits


class CompiledCall:
    """Calls compiled code with gradients on and a common batch shape, and the body itself for all that is rare."""

    def __init__(self, common: int = COMMON) -> None:
        self.common = common
        self._seen: Counter[tuple[bool, torch.Size]] = Counter()

    def __call__(self, body: nn.Module, pixels: Tensor) -> Tensor:
        """Logits of the body."""
        if not torch.is_grad_enabled():
            return call(body, pixels)
        case = (body.training, pixels.shape)
        self._seen[case] += 1
        return (compile_call() if self._seen[case] > self.common else call)(body, pixels)


@cache
def compile_call() -> Call:
    """`call`, compiled for each kind of input when it first comes; what torch cannot compile it leaves as it is.

    `deterministic` keeps torch from choosing by the clock what changes bits, such as the order of sums.
    """
    return torch.compile(call, dynamic=False, options={"deterministic": True})


def forget() -> None:
    """Drop all compiled code; what is on disk stays, and makes compiling again quick."""
    torch.compiler.reset()
