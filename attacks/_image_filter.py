"""Attacks that change every image once, before training, each for itself."""

from abc import ABC, abstractmethod

from torch import Tensor

from bench.core import Attack, ImageDataset, Session, take


class ImageFilter(Attack, ABC):
    """Train on filtered images; those of the test set are left as they are."""

    @abstractmethod
    def filtered(self, images: Tensor) -> Tensor:
        """The images, uint8 (N, C, H, W), filtered: of the same shape, type and device."""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Filter all images."""
        return released.filled(lambda part: self.filtered(take(released.images, part, session.device)))
