"""Partial poisoning: a share of the training set is protected, the rest is clean."""

from typing import Annotated

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor

from attacks._stratified import stratified_order
from bench.core import Attack, ImageDataset, Outline, Session, parse_fraction


class PartialPoisoning(Attack):
    """Train on a mixture: a share of the images is protected, the others were released clean.

    The noise is the one made for all images. The subsets of growing shares contain each other.
    """

    source = "REM (Fu et al., ICLR 2022) and seed paper (SEM, AAAI 2024), table 11"
    repository = "liuyixin-louis/Stable-Unlearnable-Example"
    deviations = ("the subsets are nested and stratified; the official index files are independent draws",)
    assumes = frozenset({"clean images"})
    comes_first = True

    protected: Annotated[float, BeforeValidator(parse_fraction), Field(ge=0, lt=1)] = 0.8
    """Share of the images that are protected; the papers have 0.2, 0.4, 0.6 and 0.8."""
    stratified: bool = True
    """Protect this share of every class, to within one image, instead of a share of all."""
    clean_part_only: bool = False
    """The control: train on the clean images alone, for the same number of steps."""

    @property
    def spares_clean(self) -> bool:
        return not self.clean_part_only

    @property
    def only_clean(self) -> bool:
        return self.clean_part_only

    def controls(self) -> tuple[Attack, ...]:
        """Training on the clean part alone."""
        return () if self.clean_part_only else (self.model_copy(update={"clean_part_only": True}),)

    def declines(self, data: Outline, victim: str) -> str:
        """The share must not round to none or all of the images."""
        images, size = data.train_images, round(self.protected * data.train_images)
        if size == images or (self.protected and not size):
            return f"a share of {self.protected:g} of {images} images is {size} of them"
        return ""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Take the protected images from `released`, the others from `clean`, each in its place."""
        order = self._order(released, session.generator("protected subset"))
        size = round(self.protected * len(released))
        if self.clean_part_only:
            return clean.only(order[size:].sort().values)
        protected = torch.zeros(len(released), 1, 1, 1, dtype=torch.bool, device=released.images.device)
        protected[order[:size].to(protected.device)] = True
        return released.filled(lambda part: torch.where(protected[part], released.images[part], clean.images[part]))

    def _order(self, data: ImageDataset, generator: torch.Generator) -> Tensor:
        """The order in which images are protected as the share grows: a permutation of all indices."""
        if self.stratified:
            return stratified_order(data, generator)
        return torch.randperm(len(data), generator=generator, device=generator.device)
