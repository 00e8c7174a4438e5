"""What a run will cost, before it is started: passes by arithmetic, hours by a short measurement of this machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.core.data import Outline
from bench.core.device import prepare_device
from bench.grid.stack import seen_by_victim
from bench.run.schedule import Task
from bench.run.timing import seconds_per_pass
from bench.run.workplace import Workplace


@dataclass(frozen=True)
class Forecast:
    """Seconds that one worker needs for each task, and that all workers together need for all."""

    seconds: tuple[float, ...]
    seconds_in_all: float


def forecast(tasks: Sequence[Task], place: Workplace, budget: float = 2.0) -> Forecast:
    """Predict the cost of `tasks` from `budget` seconds of measurement, shared between the networks they use."""
    networks = [_network(task, place) for task in tasks]
    device, share = prepare_device(place.devices[0]), budget / max(1, len(set(networks)))
    rates = {network: seconds_per_pass(*network, device, share) for network in dict.fromkeys(networks)}
    seconds = tuple(task.passes * rates[network] for task, network in zip(tasks, networks, strict=True))
    # No schedule beats an even spread, nor the longest task.
    return Forecast(seconds, max([sum(seconds) / place.jobs, *seconds, 0.0]))


def _network(task: Task, place: Workplace) -> tuple[str, Outline]:
    """The network that does the work, and the images it sees."""
    outline = task.cell.dataset.settings.outline(place.data_root)
    if task.noise_only:
        return task.cell.method.settings.network, outline
    return task.cell.model, replace(outline, shape=seen_by_victim(task.cell.attacks, outline.shape))
