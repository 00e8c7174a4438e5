"""Small members of the error-minimising family, for the tests of its steps and of its loop."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.models import Classifier, build
from bench.core.perturb import uniform
from bench.core.session import Session
from bench.core.train import update
from methods._perturbed_views import Generators
from methods.error_minimizing import ErrorMinimizing

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"updates": 3, "batch_size": 4, "steps": 3, "samples": 2, "adv_steps": 2}
LABELS = [0, 1, 0, 1, 1, 0]
KINDS = ["none", "random", "pgd", "fgsm", "tpgd", "apgd"]


def generators(seed: int = 0) -> Generators:
    return Generators(*(torch.Generator().manual_seed(10 * seed + place) for place in range(3)))


def start(images: Tensor, seed: int = 0, radius: float = 8 / 255) -> Tensor:
    """The uniform start that the noise step draws from `generators(seed)`."""
    return uniform(images, radius, generators(seed).starts)


def noise_of(method: ErrorMinimizing, data: ImageDataset) -> Tensor:
    return method.generate(data, Session(0, CPU))


def family(model: str, **settings: Any) -> ErrorMinimizing:
    return ErrorMinimizing(**{**SMALL, "surrogate": model, **settings})


def trained(name: str, data: ImageDataset, dtype: torch.dtype = torch.float32) -> Classifier:
    """A network that has learnt `data` for a few steps."""
    model = build(name, num_classes=2, channels=3, generator=torch.Generator().manual_seed(0)).to(dtype)
    optimiser = torch.optim.SGD(model.parameters(), 0.1, 0.9)
    for _ in range(20):
        update(model, data.floats().to(dtype), data.labels, optimiser)
    return model


def no_views(images: Tensor, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
    return lambda images: images
