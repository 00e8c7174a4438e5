"""How a network's body is called: eagerly, compiled, or as CUDA graphs. Only this file knows torch.compile."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn

Mode = Literal["eager", "compiled", "graphs"]
"""`graphs` are CUDA graphs of compiled code: one launch for all kernels of a forward, one for those of a backward."""
COMMON = 500
"""Calls after which a batch shape is compiled for: more than most last, incomplete batches get (250 in TAP)."""
MOST = 4
"""Compiled kinds of call of one network, a kind being a batch shape in training or frozen; torch stops at eight."""


@dataclass(frozen=True)
class Modes:
    """How the two kinds of work are done that make up nearly all there is: weight updates, and input gradients."""

    training: Mode = "eager"
    frozen: Mode = "eager"


EAGER = Modes()


class Calls:
    """Calls a network's body as its modes say, and eagerly what is rare: other shapes, and all without gradients."""

    def __init__(self, modes: Modes = EAGER, common: int = COMMON) -> None:
        self.modes, self.common = modes, common
        self._seen: Counter[tuple[bool, torch.Size]] = Counter()
        self._compiled: set[tuple[bool, torch.Size]] = set()

    def __call__(self, body: nn.Module, pixels: Tensor) -> Tensor:
        """Logits of the body for its input."""
        mode = self.modes.training if body.training else self.modes.frozen
        if mode == "eager" or not torch.is_grad_enabled() or not self._is_common((body.training, pixels.shape)):
            return plain(body, pixels)
        if mode == "graphs":
            return own(compiled(mode)(body, own(pixels)))
        return compiled(mode)(body, pixels)

    def _is_common(self, kind: tuple[bool, torch.Size]) -> bool:
        self._seen[kind] += 1
        if self._seen[kind] > self.common and len(self._compiled) < MOST:
            self._compiled.add(kind)
        return kind in self._compiled


def candidates(device: torch.device) -> tuple[Mode, ...]:
    """What may pay on a device, the simplest first."""
    known: dict[str, tuple[Mode, ...]] = {"cuda": ("eager", "compiled", "graphs"), "cpu": ("eager", "compiled")}
    return known.get(device.type, ("eager",))


def plain(body: nn.Module, pixels: Tensor) -> Tensor:
    """What is compiled. The body is an argument, so that its parameters keep their names and a copy calls its own."""
    logits: Tensor = body(pixels)
    return logits


@cache
def compiled(mode: Mode) -> Callable[[nn.Module, Tensor], Tensor]:
    """`plain`, compiled when it is first called with a kind of input. What is not one whole graph raises.

    `deterministic` keeps torch from choosing by the clock what changes bits, such as the order of sums.
    """
    options: dict[str, Any] = {"deterministic": True, "triton.cudagraphs": mode == "graphs"}
    return torch.compile(plain, fullgraph=True, dynamic=False, options=options)


def forget() -> None:
    """Drop all compiled code and the memory of its graphs; what is on disk stays, and makes compiling again quick."""
    torch.compiler.reset()


class _Own(torch.autograd.Function):
    """The same values in memory of their own, forward and backward."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].clone()


def own(values: Tensor) -> Tensor:
    """A copy whose gradient is a copy too: a replay of CUDA graphs writes over the logits and gradients of the last."""
    copied: Tensor = _Own.apply(values)
    return copied
