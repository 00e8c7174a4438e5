"""Separability: how well a linear map, or the nearest neighbours, tell the classes apart by the noise alone."""

import math
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator
from sklearn.neighbors import KNeighborsClassifier

from bench.core import Count, Measure, Method, Outline, Session, Subject, Training
from measures._images import balanced
from measures._samples import cross_validated, linear_map


class Separability(Measure):
    """How well the classes are told apart by the noise alone, by least squares and by nearest neighbours.

    Accuracies are cross-validated: the noise of images that were left out is what is classified.
    """

    title = "separability"
    source = "linear separability of noise (Yu et al., KDD 2022), by ridge regression on standardised values"
    numbers = {"linear": "linear accuracy of the noise", "nearest": "nearest-neighbour accuracy of the noise"}

    images: Count = 2000
    """Training images whose noise is looked at, the classes in turn."""
    folds: Annotated[Count, Field(ge=2)] = 5
    neighbours: Count = 5

    @model_validator(mode="after")
    def _has_enough_images(self) -> Self:
        if self.images < self.folds:
            raise ValueError(f"images: must be at least {self.folds}, one for each fold, got {self.images}")
        if reason := self._too_few(self.images):
            raise ValueError(reason)
        return self

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Both accuracies, as shares in [0, 1]; None if a class that has images has fewer than there are folds.

        The record's notes then say so.
        """
        index = balanced(subject.clean.labels, self.images)
        change = subject.released.floats(index) - subject.clean.floats(index)
        noise = change.flatten(1).double().cpu().numpy()
        labels = subject.clean.labels[index].cpu().numpy()
        fewest = np.unique(labels, return_counts=True)[1].min()
        if fewest < self.folds:
            session.notes["not_measured"] = (
                f"of {len(index)} images a class has {fewest}, fewer than there are folds ({self.folds})"
            )
            return dict.fromkeys(self.numbers)
        models = {"linear": linear_map(), "nearest": KNeighborsClassifier(self.neighbours)}
        return {name: cross_validated(model, noise, labels, self.folds, session.seed) for name, model in models.items()}

    def declines(self, data: Outline, method: Method) -> str:
        """The largest fold must leave as many images as there are neighbours."""
        return self._too_few(min(self.images, data.train_images))

    def _too_few(self, images: int) -> str:
        """What is wrong if so many images without the largest fold are fewer than the neighbours."""
        left = images - math.ceil(images / self.folds)
        if self.neighbours <= left:
            return ""
        return (
            f"neighbours: must be at most {left}, the images that {self.folds} folds leave of {images}, "
            f"got {self.neighbours}"
        )
