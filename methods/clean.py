"""No protection: the control every method is read against."""

from typing import ClassVar

import torch
from torch import Tensor

from bench.core import ImageDataset, Method, Session


class Clean(Method):
    """The images as they are."""

    source = "control"
    draws: ClassVar[bool] = False
    cached: ClassVar[bool] = False

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return zero noise."""
        return torch.zeros((), dtype=torch.int8, device=data.images.device).expand(data.images.shape)
