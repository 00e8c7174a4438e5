"""Small data sets with noise, for measures."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset, Outline
from bench.core.measures import Subject, Training
from bench.core.protocols import Method
from bench.core.train import Recipe
from methods.random_noise import RandomNoise
from tests.conftest import MadeUp

MakeSubject = Callable[..., Subject]
LABELS = [label for label in range(4) for _ in range(20)]
DATA = Outline(80, (3, 8, 8), 4, test_images=20)
"""Of these data."""


@pytest.fixture
def training(two_layers: str) -> Training:
    """A short training of the network of two layers."""
    return Training(two_layers, Recipe(steps=60, batch_size=16, lr=0.1, evaluate_every=60))


@pytest.fixture
def subject(made_up: MadeUp) -> MakeSubject:
    """A function that makes a subject of noise (N, C, H, W) in grey levels, on random images of four classes."""

    def make(
        noise: Tensor | None = None, method: Method | None = None, kept: dict[str, Tensor] | None = None
    ) -> Subject:
        clean = made_up(LABELS, classes=4, low=60, high=196)
        noise = torch.zeros_like(clean.images, dtype=torch.int8) if noise is None else noise
        test = made_up([0, 1, 2, 3] * 5, classes=4)
        return Subject(method or RandomNoise(), clean, clean.protected(noise.to(torch.int8)), test, kept or {})

    return make


def class_patterns(data: ImageDataset, level: int) -> Tensor:
    """One pattern of signs for each class, at `level` grey levels."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.randint(0, 2, (data.num_classes, *data.shape), generator=generator) * 2 - 1
    return level * patterns[data.labels]


def random_signs(data: ImageDataset, level: int) -> Tensor:
    """Signs that know no class."""
    generator = torch.Generator().manual_seed(1)
    return level * (torch.randint(0, 2, data.images.shape, generator=generator) * 2 - 1)
