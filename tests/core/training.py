"""Short trainings, for the tests of the loop and of what attacks do in it."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.network_names import FLAT, MODELS, divisors, exact
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Evaluation, Recipe, train

CPU = torch.device("cpu")
NARROW = [
    name if exact(name) else f"{name}/{max(number for number in divisors(name) if number <= 8)}"
    for name in MODELS
    if name not in FLAT
]
"""Every network with convolutions, at an eighth of its width, or nearly, unless it is small already."""


def trained(
    model: str, data: ImageDataset, *attacks: Attack, test: ImageDataset | None = None, seed: int = 0, **recipe: Any
) -> tuple[Classifier, list[Evaluation]]:
    session = Session(seed, CPU)
    network = session.build(model, num_classes=data.num_classes, channels=data.shape[0])
    settings = Recipe(**{"batch_size": 4, "steps": 3, **recipe})
    history = train(network, data, test=test or data, attacks=attacks, recipe=settings, session=session)
    return network, history


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])
