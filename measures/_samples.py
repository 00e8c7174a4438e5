"""Statistics of samples in many dimensions: rows (N, D) of float64, one for each image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Rows = NDArray[np.float64]
FOLDS = 5


def participation_ratio(rows: Rows) -> float:
    """Dimensions that the rows fill: the square of the sum of the covariance's eigenvalues, over the sum of squares."""
    shares = spectrum(rows)
    return float(1 / (shares**2).sum()) if shares.any() else 0.0


def spectrum(rows: Rows) -> Rows:
    """The share of the variance in each principal component, the largest first; zeros if there is no variance."""
    values: Rows = np.linalg.svd(rows - rows.mean(0), compute_uv=False) ** 2
    return values / (values.sum() or 1.0)


def mean_cosine(first: Rows, second: Rows | None = None) -> float:
    """Mean cosine of all pairs of rows of two samples, or of all pairs of different rows of one."""
    one = unit(first)
    if second is not None:
        return float(one.mean(0) @ unit(second).mean(0))
    total = one.sum(0)
    own = (one**2).sum()
    return float((total @ total - own) / (len(one) * (len(one) - 1)))


def two_sample_accuracy(first: Rows, second: Rows, seed: int) -> float:
    """Cross-validated accuracy of a linear map that tells two samples apart; of equally large ones 1/2 is chance."""
    rows, labels = np.concatenate([first, second]), np.repeat([0, 1], [len(first), len(second)])
    return cross_validated(linear_map(), rows, labels, FOLDS, seed)


def linear_map() -> Any:
    """Least squares on standardised values, slightly shrunk."""
    return make_pipeline(StandardScaler(), RidgeClassifier())


def cross_validated(model: Any, rows: Rows, labels: NDArray[np.int64], folds: int, seed: int) -> float:
    """Mean accuracy of a classifier of scikit-learn on rows that were left out, a share in [0, 1]."""
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return float(cross_val_score(model, rows, labels, cv=parts).mean())


def mmd(first: Rows, second: Rows, permutations: int, seed: int) -> tuple[float, float]:
    """Squared maximum mean discrepancy, and its p-value by permutation.

    The kernel is Gaussian with the median distance of all rows as its width; the estimate is unbiased, so it may be
    negative.
    """
    rows = np.concatenate([first, second])
    squares = euclidean_distances(rows, squared=True)
    width = np.median(squares[np.triu_indices(len(rows), 1)])
    kernel = np.exp(-squares / (2 * width)) if width else np.ones_like(squares)
    np.fill_diagonal(kernel, 0.0)
    generator, count = np.random.default_rng(seed), len(first)

    def discrepancy(is_first: Rows) -> float:
        other = 1 - is_first
        n, m = count, len(rows) - count
        within = is_first @ kernel @ is_first / (n * (n - 1)) + other @ kernel @ other / (m * (m - 1))
        return float(within - 2 * is_first @ kernel @ other / (n * m))

    mine = np.repeat([1.0, 0.0], [count, len(rows) - count])
    found = discrepancy(mine)
    others = [discrepancy(generator.permutation(mine)) for _ in range(permutations)]
    return found, (1 + sum(other >= found for other in others)) / (1 + permutations)


def unit(rows: Rows) -> Rows:
    """The rows at norm 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)
