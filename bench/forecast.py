"""What a run will cost, before it is started: passes by arithmetic, hours by a short measurement of this machine."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.optim import SGD

from bench.data import Outline
from bench.engine import IMAGES_PER_PASS, Session, prepared
from bench.perturb import frozen, loss_gradient
from bench.schedule import Task, Workplace
from bench.train import update

ATTACK_STEPS = 3
"""Input-gradient passes measured for each weight update: most passes of a grid are the former, and cheaper."""

WARM_UP_IMAGES = 4


@dataclass(frozen=True)
class Forecast:
    """Seconds that one worker needs for each task, and that all workers together need for all."""

    seconds: tuple[float, ...]
    seconds_in_all: float


def forecast(tasks: Sequence[Task], place: Workplace, budget: float = 2.0) -> Forecast:
    """Predict the cost of `tasks` from `budget` seconds of measurement, shared between the networks they use."""
    kinds = [_kind(task, place) for task in tasks]
    rates: dict[tuple[str, Outline], float] = {}
    for model, outline in dict.fromkeys(kinds):
        device = prepared(place.devices[0])
        rates[model, outline] = seconds_per_pass(model, outline, device, budget / len(set(kinds)))
    seconds = tuple(task.passes * rates[kind] for task, kind in zip(tasks, kinds, strict=True))
    # No schedule beats an even spread, nor the longest task.
    return Forecast(seconds, max([sum(seconds) / place.jobs, *seconds, 0.0]))


def _kind(task: Task, place: Workplace) -> tuple[str, Outline]:
    surrogate = getattr(task.cell.method.settings, "surrogate", "resnet18")  # as `Method.other_work` counts
    model = surrogate if task.noise_only else task.cell.model
    return model, task.cell.dataset.settings.outline(place.data_root)


def seconds_per_pass(model: str, outline: Outline, device: torch.device, budget: float) -> float:
    """Time one pass (forward and backward of 128 images) on `device`, in the mixture of adversarial training.

    A first round with few images warms up and tells how many the budget (seconds) allows in the rounds that count.
    """
    session = Session(0, device)
    channels, height, width = outline.shape
    network = session.build(model, num_classes=outline.num_classes, channels=channels, size=(height, width))
    images = torch.rand(IMAGES_PER_PASS, *outline.shape, generator=session.generator("images"), device=device)
    labels = torch.arange(IMAGES_PER_PASS, device=device) % outline.num_classes
    optimiser = SGD(network.parameters(), 0.0)

    def seconds_per_image(count: int) -> float:
        start = time.perf_counter()
        update(network, images[:count], labels[:count], optimiser)
        with frozen(network):
            for _ in range(ATTACK_STEPS):
                gradient = loss_gradient(network, images[:count], labels[:count])
        gradient.sum().item()  # waits for an accelerator to finish
        return (time.perf_counter() - start) / count / (1 + ATTACK_STEPS)

    until = time.perf_counter() + budget
    affordable = int(budget / 4 / (1 + ATTACK_STEPS) / seconds_per_image(WARM_UP_IMAGES))
    count = min(max(affordable, WARM_UP_IMAGES), IMAGES_PER_PASS)
    timings = [seconds_per_image(count)]
    while time.perf_counter() < until:
        timings.append(seconds_per_image(count))
    return IMAGES_PER_PASS * statistics.median(timings)
