"""Networks against the machine's ceiling, and whole steps of the algorithms against their plain versions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.optim import SGD

from attacks.gradient import Pgd
from bench.augment import flip_crop
from bench.data import ImageDataset
from bench.engine import Session
from bench.models import Classifier
from bench.perturb import frozen, loss_gradient
from bench.train import evaluate, update
from benchmarks import plain
from benchmarks.timing import operations, product_rate, seconds, threads
from methods.error_minimizing import ErrorMinimizing, Streams

ATTACK = Pgd(steps=3)


@dataclass(frozen=True)
class Case:
    """A network at an image size, a batch and a number of CPU threads."""

    model: str
    size: int
    batch: int
    threads: int


CASES = (Case("resnet18", 32, 32, 2), Case("cnn", 32, 128, 2), Case("cnn", 16, 64, 1))
FAMILY = {
    "EM with transforms": ErrorMinimizing(steps=2, samples=5),
    "SEM": ErrorMinimizing(steps=2, samples=5, noise_step="random"),
    "REM": ErrorMinimizing(steps=1, samples=5, noise_step="pgd", adv_steps=3),
}


@dataclass(frozen=True)
class Made:
    """A network with a batch for it."""

    model: Classifier
    optimiser: SGD
    images: Tensor
    labels: Tensor
    session: Session


def made(case: Case) -> Made:
    """Build what a case needs."""
    session = Session(0, torch.device("cpu"))
    model = session.build(case.model, num_classes=10, channels=3)
    images = torch.rand(case.batch, 3, case.size, case.size, generator=session.generator("images"))
    return Made(model, SGD(model.parameters(), 0.01, 0.9), images, torch.arange(case.batch) % 10, session)


def shares(case: Case) -> Iterator[tuple[str, float, float]]:
    """For each kind of work: its name, passes (128 images) a second, and share of the matrix-product rate."""
    with threads(case.threads):
        ceiling, one = product_rate(), made(case)
        data = ImageDataset((255 * one.images).byte(), one.labels, 10)

        def input_gradient() -> None:
            loss_gradient(one.model, one.images, one.labels)

        def training() -> None:
            update(one.model, one.images, one.labels, one.optimiser)

        def evaluation() -> None:
            evaluate(one.model, data)

        batch = (one.model, one.images, one.labels)
        with frozen(one.model):
            work = operations(*batch, weights=False, inputs=True)
            yield "input gradient", *_rate(input_gradient, work, case, ceiling)
        work = operations(*batch, weights=True, inputs=False)
        yield "training step", *_rate(training, work, case, ceiling)
        work = operations(*batch, weights=False, inputs=False)
        yield "evaluation", *_rate(evaluation, work, case, ceiling)


def _rate(action: Callable[[], object], work: int, case: Case, ceiling: float) -> tuple[float, float]:
    time = seconds(action)
    return case.batch / 128 / time, work / time / ceiling


def ratios(case: Case) -> Iterator[tuple[str, float, float]]:
    """For each algorithm: its name, seconds of one step of the suite, and of the plain version."""
    with threads(case.threads):
        one, other = made(case), made(case)
        network = plain.Centred(other.model.body)
        streams = Streams(*(one.session.generator(use) for use in Streams._fields))
        for name, method in FAMILY.items():
            with frozen(one.model):
                ours = seconds(partial(method.minimise, one.model, one.images, one.labels, streams))
            theirs = seconds(partial(plain.noise_step, method, network, other.images, other.labels))
            yield f"{name} noise step", ours, theirs
        draws = one.session.generator("attack")

        def adversarial_update() -> None:
            seen = flip_crop(one.images, draws)(one.images)
            with frozen(one.model):
                seen = ATTACK.perturb(one.model, seen, one.labels, draws)
            update(one.model, seen, one.labels, one.optimiser)

        settings = (other.images, other.labels, other.optimiser, ATTACK.radius, ATTACK.steps)
        theirs = seconds(partial(plain.adversarial_update, network, *settings))
        yield "PGD adversarial training step", seconds(adversarial_update), theirs
