"""Victims at the paper's scale: seconds of an update, beside what a dry run forecasts."""

from collections.abc import Callable, Iterator
from functools import partial

from bench.core.data import Outline
from bench.core.network_names import FLAT, MODELS
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import IMAGES_PER_PASS
from bench.core.train import update
from bench.run.timing import GRADIENTS, seconds_per_pass, time_calls
from benchmarks.networks import Case, make
from benchmarks.timing import DEVICE, threads

SIZE = 32
BUDGET = 2.0
"""Seconds that a dry run measures for, if it meets one network."""


def measurements() -> Iterator[tuple[str, float, float, float, float, float]]:
    """For each network with convolutions: millions of weights; seconds of an update and of an input gradient.

    Then those of a pass in the mixture that a dry run times, one update and three gradients, and of the pass that it
    forecasts. Update and gradient are called once to warm up, and once more.
    """
    for name in (name for name in MODELS if name not in FLAT):
        with threads(1):
            forecast = seconds_per_pass(name, Outline(50_000, (3, SIZE, SIZE), 10), DEVICE, BUDGET)
            one = make(Case(name, SIZE, IMAGES_PER_PASS, 1))
            step = _second(partial(update, one.model, one.images, one.labels, one.optimiser))
            with frozen(one.model):
                gradient = _second(partial(loss_gradient, one.model, one.images, one.labels))
        weights = sum(parameter.numel() for parameter in one.model.parameters()) / 1e6
        yield name, weights, step, gradient, (step + GRADIENTS * gradient) / (1 + GRADIENTS), forecast


def _second(action: Callable[[], object]) -> float:
    """Seconds of the second call."""
    action()
    return time_calls(action, DEVICE)
