"""What a run will cost: passes by arithmetic, hours by a short measurement of this machine, then by what has ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.core.data import Outline
from bench.core.device import prepare_device
from bench.grid.stack import seen_by_victim
from bench.run.progress import Stage
from bench.run.schedule import Outcome, Task
from bench.run.timing import seconds_per_pass
from bench.run.workplace import Workplace

TRUST = 0.05
"""The share of a run after which measured times count as much as the forecast."""
MOST_TRUST = 600.0
"""The same in seconds of work, at most."""


Rates = dict[tuple[str, Outline], float]
"""Seconds of a pass, by the network and the images that it sees."""


@dataclass(frozen=True)
class Forecast:
    """Seconds that one worker needs for each task, and that all workers together need for all."""

    seconds: tuple[float, ...]
    seconds_in_all: float


def forecast(tasks: Sequence[Task], place: Workplace, budget: float = 2.0, rates: Rates | None = None) -> Forecast:
    """Predict the cost of `tasks` from `budget` seconds of measurement, shared between the networks they use.

    What is in `rates` is not measured again; what is measured is added. Tasks that share a core are slower.
    """
    outline, rates = place.outlines(), {} if rates is None else rates
    networks = [_network(task, outline(task.cell.dataset.settings)) for task in tasks]
    device, new = prepare_device(place.devices[0]), dict.fromkeys(one for one in networks if one not in rates)
    rates |= {network: seconds_per_pass(*network, device, budget / len(new)) for network in new}
    sharing = max(1.0, min(place.jobs, len(tasks)) / place.at_once)
    both = zip(tasks, networks, strict=True)
    seconds = tuple(sharing * (task.passes * rates[network] + task.cost.seconds) for task, network in both)
    made = {task.key: time for task, time in zip(tasks, seconds, strict=True) if task.noise_only}
    waits = [0.0 if task.noise_only else made.get(task.cell.noise_key, 0.0) for task in tasks]
    chains = map(sum, zip(seconds, waits, strict=True))  # a victim waits for its noise
    return Forecast(seconds, max([spread(seconds, place.jobs), *chains]))


def spread(seconds: Iterable[float], jobs: int) -> float:
    """How long `jobs` workers need for tasks of so many seconds: no less than an even spread, nor the longest task."""
    times = list(seconds)
    return max([sum(times) / jobs, *times, 0.0])


class Pace:
    """The forecast of a run, corrected by the times that its tasks take, with all that slows them down together.

    Tasks of one kind (on noise, or training some network) are measured together. A kind of which little was measured
    is thought to be as slow, against its forecast, as the others.
    """

    def __init__(self, tasks: Sequence[Task], seconds: Sequence[float], jobs: int) -> None:
        """`seconds` is the forecast of each task."""
        self._jobs = jobs
        self._forecast = {task.key: time for task, time in zip(tasks, seconds, strict=True)}
        self._kinds = {task.key: task.cell.model if _trains(task) else "noise" for task in tasks}
        self._counted = {task.key: task.cost.passes for task in tasks}
        self._beside = {task.key: task.cost.seconds / (self._forecast[task.key] or 1.0) for task in tasks}
        self._left = dict(self._forecast)
        self._measured: list[tuple[str, float, float]] = []
        self._trust = min(TRUST * sum(seconds), MOST_TRUST)

    def end(self, outcome: Outcome) -> None:
        """Take the task as done; its time counts unless it failed."""
        key = outcome.task.key
        if outcome.again or self._left.pop(key, None) is None:
            return
        if not outcome.error and not outcome.trouble and (outcome.record or {}).get("status") != "failed":
            self._measured.append((self._kinds[key], self._forecast[key], outcome.seconds))

    def passes_of(self, key: str) -> float:
        """The passes that were forecast for a task; 0 if it has none."""
        return self._counted[key]

    def share(self, key: str, stage: Stage | None) -> float:
        """How much of a task that runs is done, in [0, 1], with nothing of its work beside passes; 0 without any."""
        counted = self._counted[key]
        return min(stage.passes / counted, 1.0) * (1 - self._beside[key]) if stage and counted else 0.0

    def done(self, running: Mapping[str, Stage | None]) -> float:
        """The share of the run that is done, in [0, 1], with what `running` has done so far."""
        begun = sum(self.share(key, stage) * self._left[key] for key, stage in running.items())
        remaining = sum(self._left.values()) - begun
        return 1 - remaining / (sum(self._forecast.values()) or 1.0)

    def left(self, running: Mapping[str, Stage | None]) -> tuple[float, dict[str, float]]:
        """Seconds until all is done, and until each task is that runs; these by key, with what each is at."""
        shares = {key: self.share(key, stage) for key, stage in running.items()}
        begun = [
            (self._kinds[key], shares[key] * self._forecast[key], stage.seconds)
            for key, stage in running.items()
            if stage and shares[key]
        ]
        factors = self._factors([*self._measured, *begun])
        left = {key: seconds * factors[self._kinds[key]] for key, seconds in self._left.items()}
        for key, stage in running.items():
            spent = shares[key] * left[key] if shares[key] else stage.seconds if stage else 0.0
            left[key] = max(left[key] - spent, 0.0)
        return spread(left.values(), self._jobs), {key: left[key] for key in running}

    def _factors(self, measured: Sequence[tuple[str, float, float]]) -> dict[str, float]:
        """By how much each kind is slower than its forecast."""

        def factor(before: float, kind: str | None = None) -> float:
            chosen = [times for of, *times in measured if kind in (None, of)]
            promised, taken = (sum(times) for times in zip(*chosen, strict=True)) if chosen else (0.0, 0.0)
            trusted = self._trust or 1.0
            return (trusted * before + taken) / (trusted + promised)

        overall = factor(1.0)
        return {kind: factor(overall, kind) for kind in set(self._kinds.values())}


def _network(task: Task, outline: Outline) -> tuple[str, Outline]:
    """The network that does the work, and the images it sees."""
    if not _trains(task):
        return task.cell.method.settings.network, outline
    return task.cell.model, replace(outline, shape=seen_by_victim(task.cell.attacks, outline.shape))


def _trains(task: Task) -> bool:
    """Whether it trains a victim: other work is on noise, or on what made it."""
    measure = task.cell.measure
    return not task.noise_only and (measure is None or measure.settings.trains)
