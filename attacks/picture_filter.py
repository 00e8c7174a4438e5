"""Attacks that change every picture once, before training, each for itself."""

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
from torch import Tensor

from bench.data import ImageDataset
from bench.engine import Session
from bench.protocols import Attack
from bench.train import in_order

PART = 2048
"""Pictures filtered at a time, which bounds the memory."""


class PictureFilter(Attack, ABC):
    """Train on filtered pictures; those of the test set are left as they are."""

    @abstractmethod
    def filtered(self, images: Tensor) -> Tensor:
        """The pictures, uint8 (N, C, H, W), filtered: of the same shape, type and device."""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Filter all pictures, a part at a time."""
        parts = [self.filtered(released.images[part]) for part in in_order(len(released), PART)]
        return replace(released, images=torch.cat(parts))
