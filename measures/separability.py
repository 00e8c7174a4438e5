"""Separability: how well a linear map, or the nearest neighbours, tell the classes apart by the noise alone."""

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.core import Count, Measure, Session, Subject, Training
from measures._images import balanced


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
        """Both accuracies, as shares in [0, 1]; None if a class has fewer images than there are folds."""
        index = balanced(subject.clean.labels, self.images)
        change = subject.released.floats(index) - subject.clean.floats(index)
        noise = change.flatten(1).double().cpu().numpy()
        labels = subject.clean.labels[index].cpu().numpy()
        if np.bincount(labels).min() < self.folds:
            return dict.fromkeys(self.numbers)
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=session.seed)
        models = {
            "linear": make_pipeline(StandardScaler(), RidgeClassifier()),
            "nearest": KNeighborsClassifier(self.neighbours),
        }
        return {name: float(cross_val_score(model, noise, labels, cv=folds).mean()) for name, model in models.items()}
