"""How everything here is timed, and the ceilings of the machine that shares are read against."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bench.core.device import available_devices, precision, prepare_device
from bench.run.timing import time_calls

CPU = torch.device("cpu")
DEVICE = prepare_device(available_devices("auto")[0])
"""What is measured: the first accelerator, or the CPU."""
ON_CPU = DEVICE == CPU


def seconds(action: Callable[[], object], budget: float = 3.0) -> float:
    """Median time of `action` over at least three calls and about `budget` seconds, after one call to warm up."""
    action()
    timings: list[float] = []
    until = time.perf_counter() + budget
    while len(timings) < 3 or time.perf_counter() < until:
        timings.append(time_calls(action, DEVICE))
    return statistics.median(timings)


def operations(model: nn.Module, images: Tensor, labels: Tensor, *, weights: bool, inputs: bool) -> int:
    """Floating-point operations of the convolutions and matrix products of a pass: two for each multiply-add.

    `weights` and `inputs` say which gradients the pass computes; without either it is forward only.
    """
    images = images.detach().requires_grad_(inputs)
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(weights or inputs):
        loss = F.cross_entropy(model(images), labels)
        if weights or inputs:
            loss.backward()
    return int(counter.get_total_flops())


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch on so many CPU threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def product_rate(device: torch.device = DEVICE) -> float:
    """Operations a second of a square matrix product in the networks' precision, the ceiling of all arithmetic."""
    size = 2048 if device.type == "cpu" else 8192
    left, right = (torch.rand(size, size, device=device).to(precision(device)) for _ in range(2))
    return 2 * size**3 / seconds(lambda: left @ right, 2.0)


def copy_rate(device: torch.device = DEVICE, megabytes: int = 256) -> float:
    """Bytes a second of a copy within memory, read and written bytes both counted."""
    content = torch.zeros(megabytes * 2**20, dtype=torch.uint8, device=device)
    target = torch.zeros_like(content)
    return 2 * content.numel() / seconds(lambda: target.copy_(content), 1.0)
