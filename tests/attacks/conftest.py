"""What tests of attacks share: every attack of the suite, made small, and what it meets."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks import ATTACKS
from bench.core.data import ImageDataset, Outline
from bench.core.device import prepare_device
from bench.core.models import Classifier
from bench.core.perturb import frozen
from bench.core.protocols import Attack
from tests.conftest import MadeUp, Network

SMALL: dict[str, dict[str, Any]] = {
    "dvae": {"epochs": 2, "batch_size": 4, "width": 4, "latents": 2},
    "early_stopping": {"validation": 0.5, "parts": 3},
}
"""Settings that make an attack small where its defaults do not, by its name."""

PRETRAINED = [name for name, attack in ATTACKS.items() if "weights" in attack.model_fields]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    return prepare_device(request.param)


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest, weights_file: Path) -> Attack:
    pretrained = {"weights": str(weights_file)} if request.param in PRETRAINED else {}
    return ATTACKS[request.param].model_validate(SMALL.get(request.param, {}) | pretrained)


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def channels(request: pytest.FixtureRequest, attack: Attack) -> int:
    """One and three; three both times for an attack that declines grey images, as a test of its own shows."""
    return 3 if attack.declines(Outline(7, (request.param, 8, 8), 2), "cnn") else int(request.param)


@pytest.fixture
def clean(channels: int, made_up: MadeUp, device: torch.device) -> ImageDataset:
    return made_up([0, 1, 1, 0, 1, 0, 1], channels=channels).to(device)


@pytest.fixture
def released(clean: ImageDataset) -> ImageDataset:
    generator = torch.Generator().manual_seed(5)
    noise = torch.randint(-8, 9, clean.images.shape, generator=generator, dtype=torch.int8)
    return clean.protected(noise)


@pytest.fixture
def model(network: Network, clean: ImageDataset, device: torch.device) -> Classifier:
    model = network(classes=2, channels=clean.shape[0], seed=0).to(device)
    model(clean.floats())
    return model


def seeded(images: Tensor, seed: int = 0) -> torch.Generator:
    """A generator on the device of the images."""
    return torch.Generator(images.device).manual_seed(seed)


def perturbed(attack: Attack, model: nn.Module, images: Tensor, labels: Tensor, seed: int = 0) -> Tensor:
    with frozen(model):
        return attack.perturb(model, images, labels, seeded(images, seed))


def valid(views: Tensor, images: Tensor) -> bool:
    same = views.shape == images.shape and views.dtype == torch.float32 and not views.requires_grad
    return same and bool(((views >= 0) & (views <= 1)).all())
