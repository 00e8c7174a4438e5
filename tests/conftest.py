"""What all tests share: one thread, networks of two layers, made-up images."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import settings
from PIL import Image
from torch import Tensor, nn

from bench.core import memory
from bench.core.data import ImageDataset
from bench.core.models import Classifier, build
from bench.core.network_names import MODELS
from tests.commands import GRID

torch.set_num_threads(1)

settings.register_profile("short", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=10_000, deadline=None, database=None)
settings.load_profile("short")

MadeUp = Callable[..., ImageDataset]
Linear = Callable[..., str]
Network = Callable[..., Classifier]
Undisturbed = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def made_up() -> MadeUp:
    """A function that makes uint8 images of random pixels in [low, high) for a list of labels."""

    def make(
        labels: Sequence[int], *, channels: int = 3, classes: int = 2, size: int = 8, low: int = 0, high: int = 256
    ) -> ImageDataset:
        generator = torch.Generator().manual_seed(len(labels))
        shape = (len(labels), channels, size, size)
        images = torch.randint(low, high, shape, generator=generator, dtype=torch.uint8)
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
def network(two_layers: str) -> Network:
    """A function that builds the network of two layers, or another."""

    def make(name: str = two_layers, *, classes: int = 10, channels: int = 3, seed: int = 1) -> Classifier:
        return build(name, num_classes=classes, channels=channels, generator=torch.Generator().manual_seed(seed))

    return make


@pytest.fixture
def weights_file(network: Network, tmp_path: Path) -> Path:
    """Weights of the network of two layers, for colour images of ten classes."""
    tensors = {name: tensor.contiguous() for name, tensor in network().state_dict().items()}
    safetensors.torch.save_file(tensors, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


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

        def torch_states() -> list[Tensor]:
            return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]

        before = torch_states(), numpy_state(), random.getstate()
        yield
        same = (torch.equal(*pair) for pair in zip(torch_states(), before[0], strict=True))
        assert all(same), "a global generator of torch was touched"
        assert numpy_state() == before[1], "numpy's global generator was touched"
        assert random.getstate() == before[2], "Python's global generator was touched"

    return check


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Two classes, cat and dog, each with two 8x8 images to train on and one to test with."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 2), ("val", 1)):
        for name in ("cat", "dog"):
            (tmp_path / "pets" / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pets" / part / name / f"{number}.png")
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run: a grid of four cells and two scales."""
    (tmp_path / "scales.yaml").write_text("paper: {about: The paper.}\nquick: {about: Less., train: {lr: 0.01}}\n")
    (tmp_path / "grid.yaml").write_text(GRID)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Paged(NamedTuple):
    """Where large arrays live during a test in which every array is large."""

    folder: Path

    def used(self) -> bool:
        """Whether some array is there now."""
        return str(self.folder) in Path("/proc/self/maps").read_text()


@pytest.fixture
def paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paged:
    """Let every array that may be large be backed by a file, and work with a whole data set in tiny parts."""
    folder = tmp_path / "paged"
    folder.mkdir()
    monkeypatch.setattr(memory, "scratch", lambda: str(folder))
    monkeypatch.setattr(memory, "LARGE", 1)
    monkeypatch.setattr(memory, "PART", 200)
    return Paged(folder)
