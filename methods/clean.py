"""No protection: the control every method is read against."""

from typing import ClassVar

import torch
from torch import Tensor

from bench.data import ImageDataset
from bench.engine import Session
from bench.protocols import Method


class Clean(Method):
    """The pictures as they are."""

    source = "control"
    cached: ClassVar[bool] = False

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return zero noise."""
        return torch.zeros((), dtype=torch.int8, device=data.images.device).expand(data.images.shape)
