"""Embeddings in the plane: UMAP with several seeds, and t-SNE beside it."""

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from measures._samples import Rows

NEIGHBOURS, DISTANCE = 15, 0.1
"""umap-learn's defaults, which the paper's figure has."""
PERPLEXITY = 30.0


def embed(rows: Rows, seeds: int) -> dict[str, Rows]:
    """Coordinates (N, 2) of `rows` (N, D): `UMAP 0`, `UMAP 1`, ... by seed, and `t-SNE`.

    Few rows have fewer neighbours. A seed makes umap work on one thread, which it warns of: that is what is wanted.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_jobs value")
        warnings.simplefilter("ignore", ImportWarning)  # of a part of umap that needs tensorflow
        umap = _umap()
        found = {
            f"UMAP {seed}": np.asarray(
                umap.UMAP(
                    n_neighbors=min(NEIGHBOURS, len(rows) - 1), min_dist=DISTANCE, random_state=seed, n_jobs=1
                ).fit_transform(rows),
                dtype=np.float64,
            )
            for seed in range(seeds)
        }
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=min(PERPLEXITY, (len(rows) - 1) / 3), random_state=0, init="pca")
    return found | {"t-SNE": np.asarray(tsne.fit_transform(rows), dtype=np.float64)}


def _umap() -> Any:
    """Import umap, which compiles for seconds; what it compiled is kept where a user may write."""
    if not os.access(Path.home(), os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", tempfile.mkdtemp())
    import umap

    return umap
