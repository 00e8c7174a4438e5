"""Networks against the machine's ceiling: updates, input gradients and evaluation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import SGD

from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import IMAGES_PER_PASS, Session
from bench.core.train import evaluate, update
from benchmarks.timing import DEVICE, ON_CPU, operations, product_rate, seconds, threads


@dataclass(frozen=True)
class Case:
    """A network at an image size, a batch and a number of CPU threads, which on an accelerator do not matter."""

    model: str
    size: int
    batch: int
    threads: int

    def __str__(self) -> str:
        where = f"{self.threads} thread(s)" if ON_CPU else str(DEVICE)
        return f"{self.model} {self.size}x{self.size}, batch {self.batch}, {where}"


CASES = (
    (Case("resnet18", 32, 32, 2), Case("cnn", 32, 128, 2), Case("cnn", 16, 64, 1))
    if ON_CPU
    else (Case("resnet18", 32, 128, 1), Case("cnn", 32, 128, 1))
)


@dataclass(frozen=True)
class Made:
    """A network with a batch for it."""

    model: Classifier
    optimiser: SGD
    images: Tensor
    labels: Tensor
    session: Session


def make(case: Case) -> Made:
    """Build what a case needs."""
    session = Session(0, DEVICE)
    model = session.build(case.model, num_classes=10, channels=3)
    shape = (case.batch, 3, case.size, case.size)
    images = torch.rand(shape, generator=session.generator("images"), device=DEVICE)
    labels = torch.arange(case.batch, device=DEVICE) % 10
    return Made(model, SGD(model.parameters(), 0.01, 0.9), images, labels, session)


def shares(case: Case) -> Iterator[tuple[str, float, float]]:
    """For each kind of work: its name, passes (128 images) a second, and share of the matrix-product rate."""
    with threads(case.threads):
        ceiling, one = product_rate(), make(case)
        batch, data = (one.model, one.images, one.labels), ImageDataset((255 * one.images).byte(), one.labels, 10)

        def row(name: str, action: Callable[[], object], work: int) -> tuple[str, float, float]:
            time = seconds(action)
            return name, case.batch / IMAGES_PER_PASS / time, work / time / ceiling

        with frozen(one.model):
            work = operations(*batch, weights=False, inputs=True)
            yield row("input gradient", lambda: loss_gradient(*batch), work)
        work = operations(*batch, weights=True, inputs=False)
        yield row("training step", lambda: update(*batch, one.optimiser), work)
        work = operations(*batch, weights=False, inputs=False)
        yield row("evaluation", lambda: evaluate(one.model, data), work)
