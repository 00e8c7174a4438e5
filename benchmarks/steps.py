"""Networks against the machine's ceiling, and whole steps of the algorithms against their plain versions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor
from torch.optim import SGD

from attacks.gradient import Pgd
from bench.core.augment import flip_crop
from bench.core.compilation import EAGER, Calls, Modes
from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import Session
from bench.core.train import evaluate, update
from benchmarks import compiling, plain
from benchmarks.timing import DEVICE, operations, product_rate, seconds, threads
from methods.error_minimizing import ErrorMinimizing, Streams

ATTACK = Pgd(steps=3)


@dataclass(frozen=True)
class Case:
    """A network at an image size, a batch and a number of CPU threads, which on an accelerator do not matter."""

    model: str
    size: int
    batch: int
    threads: int


ON_CPU = DEVICE.type == "cpu"
CASES = (
    (Case("resnet18", 32, 32, 2), Case("cnn", 32, 128, 2), Case("cnn", 16, 64, 1))
    if ON_CPU
    else (Case("resnet18", 32, 128, 1), Case("cnn", 32, 128, 1))
)
ALGORITHMS = Case("cnn", 32, 64, 2) if ON_CPU else Case("resnet18", 32, 128, 1)
"""What the algorithms are compared at."""
GAIN_OF_SEM = 3.0 if ON_CPU else 8.0
"""How many times the plain version's speed SEM's noise step is to have."""
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
    """Build what a case needs; on an accelerator, compiled from the first call as the suite would for long work."""
    session = Session(0, DEVICE)
    model = session.build(case.model, num_classes=10, channels=3)
    model.calls = Calls(EAGER if ON_CPU else _chosen(case), common=0)
    shape = (case.batch, 3, case.size, case.size)
    images = torch.rand(shape, generator=session.generator("images"), device=DEVICE)
    labels = torch.arange(case.batch, device=DEVICE) % 10
    return Made(model, SGD(model.parameters(), 0.01, 0.9), images, labels, session)


@cache
def _chosen(case: Case) -> Modes:
    return compiling.chosen(case.model, case.size, case.batch)


def streams_of(one: Made) -> Streams:
    """What a noise step draws from."""
    return Streams(*(one.session.generator(use) for use in Streams._fields))


def adversarial_update(one: Made, attack: Pgd) -> Callable[[], object]:
    """One step of adversarial training, to be called again and again."""
    draws = one.session.generator("attack")

    def step() -> None:
        seen = flip_crop(one.images, draws)(one.images)
        with frozen(one.model):
            seen = attack.perturb(one.model, seen, one.labels, draws)
        update(one.model, seen, one.labels, one.optimiser)

    return step


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

        # An eager network of the same kind: what runs compiled is not counted.
        batch = (compiling.fresh(case.model), one.images, one.labels)
        with frozen(one.model), frozen(batch[0]):
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
        streams = streams_of(one)
        for name, method in FAMILY.items():
            with frozen(one.model):
                ours = seconds(partial(method.minimise, one.model, one.images, one.labels, streams))
            theirs = seconds(partial(plain.noise_step, method, network, other.images, other.labels))
            yield f"{name} noise step", ours, theirs
        settings = (other.images, other.labels, other.optimiser, ATTACK.radius, ATTACK.steps)
        theirs = seconds(partial(plain.adversarial_update, network, *settings))
        yield "PGD adversarial training step", seconds(adversarial_update(one, ATTACK)), theirs
