"""Early stopping: a validation set says when the victim has learnt images and not yet noise."""

from typing import Annotated

import torch
from pydantic import BeforeValidator, Field
from torch import Tensor

from attacks._stratified import stratified_order
from attacks.partial_poisoning import PartialPoisoning
from bench.core import Attack, Count, ImageDataset, Outline, Session, parse_fraction


class EarlyStopping(Attack):
    """Hold images out of training and go back to where the network was best on them.

    One training serves every patience and every share of clean images among those held out: it runs to its end, the
    record keeps how many are right at each look, clean and protected, and the report reads from it where to stop. The
    clean shares above 0 assume clean images; the report counts each share as an attack of its own.
    """

    source = "seed paper (SEM, AAAI 2024), table 5"
    deviations = (
        "how many images are held out, and how often they are looked at, is not published",
        "accuracy is monitored, not loss",
    )

    validation: Annotated[float, BeforeValidator(parse_fraction), Field(gt=0, lt=1)] = 0.1
    """Share of the images that are held out, the same of every class: 5,000 of CIFAR-10's 50,000."""
    parts: Count = 10
    """Parts the held-out images are counted in. Clean shares are multiples of one part, and contain each other."""

    def controls(self) -> tuple[Attack, ...]:
        """Training on as many clean images as are held out, and on nothing else."""
        return (PartialPoisoning(protected=1 - self.validation, clean_part_only=True),)

    def declines(self, data: Outline, victim: str) -> str:
        """No part may be empty, and some images must be left."""
        images, count = data.train_images, round(self.validation * data.train_images)
        if self.parts <= count < images:
            return ""
        return f"{count} of {images} images held out make no {self.parts} parts and a rest"

    def hold_out(self, data: ImageDataset, session: Session) -> list[Tensor]:
        """Indices of each part; the unions of the first parts are stratified."""
        count = round(self.validation * len(data))
        order = stratified_order(data, session.generator("validation set"))[:count]
        return list(torch.tensor_split(order, self.parts))
