"""How long the work of a network takes on this machine."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch.optim import SGD

from bench.core.device import synchronise
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient
from bench.core.seeding import generator_for
from bench.core.session import IMAGES_PER_PASS
from bench.core.train import update

Kind = Literal["training", "frozen"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Make = Callable[[], Classifier]
Shape = tuple[int, int, int, int]
"""A batch of images: N, C, H, W."""
GRADIENTS = 3
"""Input gradients measured for each weight update: most passes of a grid are the former, and cheaper."""
FEW_IMAGES = 4


def seconds_per_pass(make: Make, shape: Shape, num_classes: int, device: torch.device, budget: float) -> float:
    """Time one pass (forward and backward of 128 images) of eager work, in the mixture of adversarial training.

    A first round warms up; then the images of a round, few at first, are doubled as far as the batch and a quarter of
    the budget (seconds) allow. The median of the rounds of that many is taken.
    """
    model = make()

    def seconds_per_image(count: int) -> float:
        batch = (count, *shape[1:])
        with work(model, "training", batch, num_classes, device) as action:
            seconds = timed(action, device)
        with work(model, "frozen", batch, num_classes, device) as action:
            seconds += timed(action, device, GRADIENTS)
        return seconds / count / (1 + GRADIENTS)

    until = time.perf_counter() + budget
    count = min(FEW_IMAGES, shape[0])
    seconds_per_image(count)
    timings = [seconds_per_image(count)]
    while count < shape[0] and 2 * count * (1 + GRADIENTS) * timings[0] <= budget / 4:
        count = min(2 * count, shape[0])
        timings = [seconds_per_image(count)]
    while time.perf_counter() < until:
        timings.append(seconds_per_image(count))
    return IMAGES_PER_PASS * statistics.median(timings)


@contextmanager
def work(
    model: Classifier, kind: Kind, shape: Shape, num_classes: int, device: torch.device
) -> Iterator[Callable[[], object]]:
    """One weight update (`training`) or one input gradient (`frozen`) of a batch, to be called again and again."""
    images = torch.rand(shape, generator=generator_for(0, "trial", device=device), device=device)
    labels = torch.arange(len(images), device=device) % num_classes
    if kind == "training":
        optimiser = SGD(model.parameters(), 0.0, 0.9, weight_decay=5e-4)
        yield lambda: update(model, images, labels, optimiser)
    else:
        with frozen(model):
            yield lambda: loss_gradient(model, images, labels)


def timed(action: Callable[[], object], device: torch.device, count: int = 1) -> float:
    """Seconds of `count` calls, the device idle before and after."""
    synchronise(device)
    start = time.perf_counter()
    for _ in range(count):
        action()
    synchronise(device)
    return time.perf_counter() - start
