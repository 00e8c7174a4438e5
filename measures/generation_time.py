"""The cost of making a noise: passes, seconds, images per second and memory, on the machine at hand."""

import time
from typing import Any

import torch
from torch.optim import SGD

from bench.core import (
    Cost,
    CountOrZero,
    Measure,
    Method,
    Outline,
    Session,
    Subject,
    Training,
    memory_of,
    synchronise,
    update,
)


class GenerationTime(Measure):
    """Makes the noise once more and times it. Nothing that an earlier run kept is used.

    Before, a few updates of the surrogate warm the machine up; they are not timed. The record says which machine it is.
    """

    title = "generation time"
    source = "table of generation times of the SEM paper (Liu et al., AAAI 2024), on the machine at hand"
    numbers = {
        "passes": "passes",
        "seconds": "seconds",
        "images_per_second": "images per second",
        "memory": "peak memory, MB",
    }
    revision = 3

    warm_up: CountOrZero = 10
    """Updates of the surrogate before the clock starts."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Passes, seconds, images per second, and the memory (MB) taken beyond what the images and torch have.

        The memory is None if the system does not tell it.
        """
        self._warm_up(subject, session.part("warm-up"))
        own, before = session.part("generation"), session.passes
        took: list[float] = []
        memory = memory_of(lambda: took.append(self._generate(subject, own)), session.device)
        return {
            "passes": session.passes - before,
            "seconds": took[0],
            "images_per_second": len(subject.clean) / took[0],
            "memory": None if memory is None else memory / 2**20,
        }

    def _generate(self, subject: Subject, session: Session) -> float:
        """Make the noise; the seconds that it takes."""
        synchronise(session.device)
        start = time.perf_counter()
        subject.method.generate(subject.clean, session)
        synchronise(session.device)
        return time.perf_counter() - start

    def _warm_up(self, subject: Subject, session: Session) -> None:
        data = subject.clean
        model = session.build_for(subject.method.network, data)
        optimiser = SGD(model.parameters(), 0.0)
        part = torch.arange(min(len(data), 64), device=data.labels.device)
        for _ in range(self.warm_up):
            update(model, data.floats(part), data.labels[part], optimiser)

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """That of the noise."""
        return method.cost(data.train_images)
