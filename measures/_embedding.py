"""Embeddings in the plane: UMAP with several seeds, and t-SNE beside it."""

import atexit
import shutil
import sys
import tempfile
import warnings
from typing import Any

import numpy as np
import torch

from measures._samples import Rows

NEIGHBOURS, DISTANCE = 15, 0.1
"""umap-learn's defaults, which the paper's figure has."""
PERPLEXITY = 30.0


def embed(rows: Rows, seeds: int) -> dict[str, Rows]:
    """Coordinates (N, 2) of `rows` (N, D): `UMAP 0`, `UMAP 1`, ... by seed, and `t-SNE`.

    Few rows have fewer neighbours. A seed makes umap work on one thread, which it warns of: that is what is wanted.
    """
    threads = torch.get_num_threads()
    try:
        return _embed(rows, seeds)
    finally:
        torch.set_num_threads(threads)  # numba sets as many as there are cores: what follows in a measure has one


def _embed(rows: Rows, seeds: int) -> dict[str, Rows]:
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


def seconds_of(rows: int, seeds: int) -> float:
    """Roughly, of embedding so many rows: UMAP takes 2.6 ms for each of 600 to 1,800, t-SNE 12.3 ms, on an AMD EPYC."""
    return rows * (0.0026 * seeds + 0.0123)


def _umap() -> Any:
    """Import umap, which compiles for seconds; what was compiled is kept for other processes where numba may write.

    Where it may not, neither beside umap nor in a home, it is kept until this process ends.
    """
    from tqdm.std import TqdmDefaultWriteLock

    TqdmDefaultWriteLock.mp_lock = None  # its bars need none; of a worker that is killed it would be left behind
    try:
        import umap
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        from numba import config

        config.CACHE_DIR = folder = tempfile.mkdtemp()  # type: ignore[attr-defined]
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for name in [name for name in sys.modules if name.split(".")[0] in ("umap", "pynndescent")]:
            del sys.modules[name]  # half imported
        import umap
    return umap
