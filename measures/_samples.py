"""Statistics of samples in many dimensions: rows (N, D) of float64, one for each image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Rows = NDArray[np.float64]
FOLDS = 5
"""In which two samples are told apart: as many pairs, at least, are needed."""


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
    """Cross-validated accuracy of a linear map that tells two paired samples apart, of which 1/2 is chance.

    Row i of both belongs to the same image, so both are left out together: else what images have in common misleads.
    """
    rows, labels = np.concatenate([first, second]), np.repeat([0, 1], len(first))
    splits = KFold(FOLDS, shuffle=True, random_state=seed).split(first)
    of_pairs = [tuple(np.concatenate([part, part + len(first)]) for part in split) for split in splits]
    return float(cross_val_score(linear_map(), rows, labels, cv=of_pairs, error_score="raise").mean())


def linear_map() -> Any:
    """Least squares on standardised values, slightly shrunk."""
    return make_pipeline(StandardScaler(), RidgeClassifier())


def cross_validated(model: Any, rows: Rows, labels: NDArray[np.int64], folds: int, seed: int) -> float:
    """Mean accuracy of a classifier of scikit-learn on rows that were left out, a share in [0, 1].

    An error of the classifier is raised: scikit-learn would print it and go on without a number.
    """
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return float(cross_val_score(model, rows, labels, cv=parts, error_score="raise").mean())


def mmd(first: Rows, second: Rows, permutations: int, seed: int) -> tuple[float, float]:
    """Squared maximum mean discrepancy of two paired samples, and its p-value by permutation.

    The kernel is Gaussian with the median distance of all rows as its width; the estimate is unbiased, so it may be
    negative. Row i of both belongs to the same image: pairs are left out of the estimate, and a permutation swaps the
    rows of some pairs.
    """
    rows, size = np.concatenate([first, second]), len(first)
    squares = euclidean_distances(rows, squared=True)
    width = np.median(squares[np.triu_indices(len(rows), 1)])
    kernel = np.exp(-squares / (2 * width)) if width else np.ones_like(squares)
    same = np.arange(size)
    for one, other in ((same, same), (same + size, same + size), (same, same + size), (same + size, same)):
        kernel[one, other] = 0.0
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (permutations + 1, size))
    signs[0] = 1
    weights = np.concatenate([signs, -signs], axis=1)  # 1 for a row that counts as the first of its pair, else -1
    found = ((weights @ kernel) * weights).sum(1) / (size * (size - 1))
    return float(found[0]), float(np.mean(found >= found[0]))


def unit(rows: Rows) -> Rows:
    """The rows at norm 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)
