"""How long the work of a network takes on this machine."""

import statistics
import time
from collections.abc import Callable

import torch
from torch.optim import SGD

from bench.core.data import Outline
from bench.core.device import synchronise
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import IMAGES_PER_PASS, Session
from bench.core.train import update

GRADIENTS = 3
"""Input gradients measured for each weight update: most passes of a grid are the former, and cheaper."""
FEW, SOME = 2, 8
"""Images of the rounds that every network has time for: what does not grow with them, they tell together."""


def seconds_per_pass(network: str, outline: Outline, device: torch.device, budget: float) -> float:
    """Time one pass (forward and backward of 128 images) of a network, in the mixture of adversarial training.

    A first round warms up. The images of a round are doubled as far as 128 and a quarter of the budget (seconds) allow,
    and the median of the rounds of that many is taken. If they are fewer than 128, a line through them and a round of
    `FEW` images leads there: a step of a large network takes its time however few images it has.
    """
    session = Session(0, device)
    model = session.build_for(network, outline)
    optimiser = SGD(model.parameters(), 0.0, 0.9)

    def seconds(count: int) -> float:
        images = torch.rand((count, *outline.shape), generator=session.generator("images"), device=device)
        labels = torch.arange(count, device=device) % outline.num_classes
        spent = time_calls(lambda: update(model, images, labels, optimiser), device)
        with frozen(model):
            return spent + time_calls(lambda: loss_gradient(model, images, labels), device, GRADIENTS)

    until = time.perf_counter() + budget
    seconds(FEW)
    few, count = seconds(FEW), SOME
    timings = [seconds(count)]
    while count < IMAGES_PER_PASS and 2 * timings[0] <= budget / 4:
        count *= 2
        timings = [seconds(count)]
    while time.perf_counter() < until:
        timings.append(seconds(count))
    return _extended(few, statistics.median(timings), count) / (1 + GRADIENTS)


def _extended(few: float, taken: float, count: int) -> float:
    """Seconds of a round of 128 images, from those of `FEW` and of `count`; in proportion if few took no less."""
    rate = (taken - few) / (count - FEW) if few < taken else taken / count
    return taken + rate * (IMAGES_PER_PASS - count)


def time_calls(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
    """Seconds of `count` calls, the device idle before and after."""
    synchronise(device)
    start = time.perf_counter()
    for _ in range(count):
        action()
    synchronise(device)
    return time.perf_counter() - start
