"""What the tests of pretrained weights share."""

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from attacks._weights import WeightsError
from attacks.pretrained import Finetune
from bench.core.datasets import Synthetic
from bench.core.errors import UserError
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.grid.cell import Cell
from tests import builders

CPU = torch.device("cpu")
TIMM = "timm/resnet10t"
INSTEAD = "name a file: weights: FILE, or --set 'attacks.*.weights=FILE'"
DATA = Synthetic(size=8, train_images=200, test_images=100)


def saved(model: nn.Module, file: Path, prefix: str = "") -> Path:
    state = {prefix + name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    safetensors.torch.save_file(state, file)
    return file


def started(attack: Attack, name: str, *, classes: int = 10, channels: int = 3) -> Classifier:
    session = Session(0, CPU)
    return attack.start(session.build(name, num_classes=classes, channels=channels), session)


def state(model: Classifier) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.body.state_dict().items()}


def cell(attack: Attack, model: str) -> Cell:
    return builders.cell(attacks=(attack,), model=model, data=DATA, steps=4)


def finetune(file: Path, **others: Any) -> Finetune:
    return Finetune.model_validate({"weights": str(file), **others})


def error(attack: Attack, name: str, **others: int) -> str:
    with pytest.raises((WeightsError, UserError)) as caught:
        started(attack, name, **others)
    return str(caught.value)
