"""Separability: how well a linear map, or the nearest neighbours, tell the classes apart by the noise alone."""

from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from bench.core import Count, Measure, Session, Subject, Training
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
    folds: Count = 5
    neighbours: Count = 5

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Both accuracies, as shares in [0, 1]; None if a class that has images has fewer than there are folds."""
        index = balanced(subject.clean.labels, self.images)
        change = subject.released.floats(index) - subject.clean.floats(index)
        noise = change.flatten(1).double().cpu().numpy()
        labels = subject.clean.labels[index].cpu().numpy()
        if np.unique(labels, return_counts=True)[1].min() < self.folds:
            return dict.fromkeys(self.numbers)
        models = {"linear": linear_map(), "nearest": KNeighborsClassifier(self.neighbours)}
        return {name: cross_validated(model, noise, labels, self.folds, session.seed) for name, model in models.items()}
