"""Whole steps of the algorithms against their plain versions."""

from collections.abc import Callable, Iterator
from functools import partial

from attacks.gradient import Pgd
from bench.core.augment import flip_crop
from bench.core.perturb import frozen
from bench.core.train import update
from benchmarks import plain
from benchmarks.networks import Case, Made, make
from benchmarks.timing import ON_CPU, seconds, threads
from methods._perturbed_views import Generators
from methods.error_minimizing import ErrorMinimizing

ATTACK = Pgd(steps=3)
CASE = Case("cnn", 32, 64, 2) if ON_CPU else Case("resnet18", 32, 128, 1)
"""What the algorithms are compared at."""
TARGETS = {"SEM noise step": 3.0 if ON_CPU else 8.0}
"""How many times the plain version's speed a step is to have."""
FAMILY = {
    "EM with transforms": ErrorMinimizing(steps=2, samples=5),
    "SEM": ErrorMinimizing(steps=2, samples=5, noise_step="random"),
    "REM": ErrorMinimizing(steps=1, samples=5, noise_step="pgd", adv_steps=3),
}


def generators_of(one: Made) -> Generators:
    """What a noise step draws from."""
    return Generators(*(one.session.generator(use) for use in Generators._fields))


def adversarial_update(one: Made, attack: Pgd) -> Callable[[], object]:
    """One step of adversarial training, to be called again and again."""
    draws = one.session.generator("attack")

    def step() -> None:
        seen = flip_crop(one.images, draws)(one.images)
        with frozen(one.model):
            seen = attack.perturb(one.model, seen, one.labels, draws)
        update(one.model, seen, one.labels, one.optimiser)

    return step


def ratios() -> Iterator[tuple[str, float, float]]:
    """For each algorithm: its name, seconds of one step of the suite, and of the plain version."""
    with threads(CASE.threads):
        one, other = make(CASE), make(CASE)
        network = plain.Centred(other.model.body)
        generators = generators_of(one)
        for name, method in FAMILY.items():
            with frozen(one.model):
                ours = seconds(partial(method.minimise, one.model, one.images, one.labels, generators))
            theirs = seconds(partial(plain.noise_step, method, network, other.images, other.labels))
            yield f"{name} noise step", ours, theirs
        settings = (other.images, other.labels, other.optimiser, ATTACK.radius, ATTACK.steps)
        theirs = seconds(partial(plain.adversarial_update, network, *settings))
        yield "PGD adversarial training step", seconds(adversarial_update(one, ATTACK)), theirs
