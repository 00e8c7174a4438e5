"""What a run will cost, before it is started: passes by arithmetic, hours by a short measurement of this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench.core.data import Outline
from bench.core.device import prepare_device
from bench.core.session import IMAGES_PER_PASS, Session
from bench.run.schedule import Task, Workplace
from bench.run.timing import seconds_per_pass


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
        rates[model, outline] = _seconds_per_pass(model, outline, place, budget / len(set(kinds)))
    seconds = tuple(task.passes * rates[kind] for task, kind in zip(tasks, kinds, strict=True))
    # No schedule beats an even spread, nor the longest task.
    return Forecast(seconds, max([sum(seconds) / place.jobs, *seconds, 0.0]))


def _kind(task: Task, place: Workplace) -> tuple[str, Outline]:
    surrogate = getattr(task.cell.method.settings, "surrogate", "resnet18")  # as `Method.cost` counts
    model = surrogate if task.noise_only else task.cell.model
    return model, task.cell.dataset.settings.outline(place.data_root)


def _seconds_per_pass(model: str, outline: Outline, place: Workplace, budget: float) -> float:
    session = Session(0, prepare_device(place.devices[0]))
    channels, height, width = outline.shape
    make = partial(session.build, model, num_classes=outline.num_classes, channels=channels, size=(height, width))
    return seconds_per_pass(make, (IMAGES_PER_PASS, *outline.shape), outline.num_classes, session.device, budget)
