"""What tests of the core share."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import bench.core.train
from bench.core.models import Classifier, build
from bench.core.train import update

Updates = list[tuple[Tensor, Tensor, Tensor, float]]


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Updates:
    """Images, labels, logits and learning rate of every weight update of the test."""
    made: Updates = []

    def recording(model: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.SGD, **how: Any) -> Tensor:
        rate = optimiser.param_groups[0]["lr"]
        logits = update(model, images, labels, optimiser, **how)
        made.append((images, labels, logits, rate))
        return logits

    monkeypatch.setattr(bench.core.train, "update", recording)
    return made


@pytest.fixture
def model(two_layers: str) -> Classifier:
    """A network of two layers whose BatchNorm has seen some images, in evaluation mode."""
    draws = torch.Generator().manual_seed(0)
    model = build(two_layers, num_classes=3, channels=3, generator=draws)
    model(torch.rand(64, 3, 8, 8, generator=draws))
    return model.eval()
