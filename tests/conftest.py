"""What all tests share: one thread, networks of two layers, made-up pictures."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.data import ImageDataset
from bench.models import MODELS

torch.set_num_threads(1)

MadeUp = Callable[..., ImageDataset]
Linear = Callable[..., str]
Undisturbed = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def made_up() -> MadeUp:
    """A function that makes uint8 pictures of random pixels in [low, high) for a list of labels."""

    def make(
        labels: Sequence[int], *, channels: int = 3, classes: int = 2, size: int = 8, low: int = 0, high: int = 256
    ) -> ImageDataset:
        source = torch.Generator().manual_seed(len(labels))
        shape = (len(labels), channels, size, size)
        images = torch.randint(low, high, shape, generator=source, dtype=torch.uint8)
        return ImageDataset(images, torch.tensor(labels), classes)

    return make


@pytest.fixture
def two_layers(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a network of two layers, with BatchNorm between them."""

    def body(num_classes: int, channels: int) -> nn.Module:
        convolution = nn.Conv2d(channels, 8, 3, stride=2, padding=1, bias=False)
        head = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, num_classes))
        return nn.Sequential(convolution, nn.BatchNorm2d(8), nn.ReLU(), head)

    monkeypatch.setitem(MODELS, "two_layers", body)
    return "two_layers"


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> Linear:
    """A function that takes weights (classes, C * H * W) and a bias and returns the name of that linear network."""

    def register(weight: Tensor, bias: Tensor | None = None) -> str:
        def body(num_classes: int, channels: int) -> nn.Module:
            layer = nn.Linear(weight.shape[1], weight.shape[0])
            with torch.no_grad():
                layer.weight.copy_(weight)
                layer.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
            return nn.Sequential(nn.Flatten(), layer)

        monkeypatch.setitem(MODELS, "linear", body)
        return "linear"

    return register


@pytest.fixture
def undisturbed() -> Undisturbed:
    """A function that returns a block inside which no global generator may be touched."""

    @contextmanager
    def check() -> Iterator[None]:
        def numpy_state() -> tuple[bytes, int]:
            _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
            return keys.tobytes(), position

        before = torch.get_rng_state(), numpy_state(), random.getstate()
        yield
        assert torch.equal(torch.get_rng_state(), before[0]), "torch's global generator was touched"
        assert numpy_state() == before[1], "numpy's global generator was touched"
        assert random.getstate() == before[2], "Python's global generator was touched"

    return check
