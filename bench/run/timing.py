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
FEW_IMAGES = 4


def seconds_per_pass(network: str, outline: Outline, device: torch.device, budget: float) -> float:
    """Time one pass (forward and backward of 128 images) of a network, in the mixture of adversarial training.

    A first round warms up; then the images of a round, few at first, are doubled as far as 128 and a quarter of the
    budget (seconds) allow. The median of the rounds of that many is taken.
    """
    session = Session(0, device)
    model = session.build_for(network, outline)
    optimiser = SGD(model.parameters(), 0.0, 0.9)

    def seconds_per_image(count: int) -> float:
        images = torch.rand((count, *outline.shape), generator=session.generator("images"), device=device)
        labels = torch.arange(count, device=device) % outline.num_classes
        seconds = time_calls(lambda: update(model, images, labels, optimiser), device)
        with frozen(model):
            seconds += time_calls(lambda: loss_gradient(model, images, labels), device, GRADIENTS)
        return seconds / count / (1 + GRADIENTS)

    until = time.perf_counter() + budget
    count = FEW_IMAGES
    seconds_per_image(count)
    timings = [seconds_per_image(count)]
    while count < IMAGES_PER_PASS and 2 * count * (1 + GRADIENTS) * timings[0] <= budget / 4:
        count *= 2
        timings = [seconds_per_image(count)]
    while time.perf_counter() < until:
        timings.append(seconds_per_image(count))
    return IMAGES_PER_PASS * statistics.median(timings)


def time_calls(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
    """Seconds of `count` calls, the device idle before and after."""
    synchronise(device)
    start = time.perf_counter()
    for _ in range(count):
        action()
    synchronise(device)
    return time.perf_counter() - start
