"""Attacks that change every picture once, before training, each for itself."""

from abc import ABC, abstractmethod

from torch import Tensor

from bench.data import ImageDataset
from bench.engine import Session
from bench.memory import take
from bench.protocols import Attack


class PictureFilter(Attack, ABC):
    """Train on filtered pictures; those of the test set are left as they are."""

    @abstractmethod
    def filtered(self, images: Tensor) -> Tensor:
        """The pictures, uint8 (N, C, H, W), filtered: of the same shape, type and device."""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Filter all pictures."""
        return released.filled(lambda part: self.filtered(take(released.images, part, session.device)))
