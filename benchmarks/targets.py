"""The times on one GPU that the project aims at, as forecasts from measured passes at the paper's scale."""

from collections.abc import Iterator

from attacks.gradient import Pgd
from bench.core.perturb import frozen
from bench.core.session import IMAGES_PER_PASS
from bench.core.train import Recipe
from benchmarks.networks import Case, make
from benchmarks.steps import adversarial_update, generators_of
from benchmarks.timing import seconds
from methods.error_minimizing import ErrorMinimizing
from methods.rem import Rem
from methods.sem import Sem

IMAGES = 50_000
CASE = Case("resnet18", 32, 128, 1)
NOISE = (("SEM noise for CIFAR-10", Sem(), 6.0), ("REM noise for CIFAR-10", Rem(), 45.0))
TRAINING = ("40,000 steps of training under PGD-10", 12.0)


def minutes() -> Iterator[tuple[str, float, float]]:
    """Name, forecast and target, in minutes."""
    for name, method, target in NOISE:
        yield name, noise_minutes(method), target
    name, target = TRAINING
    yield name, Recipe().steps * seconds(adversarial_update(make(CASE), Pgd())) / 60, target


def noise_minutes(method: ErrorMinimizing) -> float:
    """The whole of `generate`, from the speed of its noise steps, which do nine passes of ten or more."""
    one = make(CASE)
    generators, before = generators_of(one), one.model.gradient_images
    with frozen(one.model):
        method.minimise(one.model, one.images, one.labels, generators)
        passes = (one.model.gradient_images - before) / IMAGES_PER_PASS
        step = seconds(lambda: method.minimise(one.model, one.images, one.labels, generators))
    return step / passes * method.cost(IMAGES).passes / 60
