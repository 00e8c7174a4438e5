"""Parts of a large report are made side by side."""

from collections.abc import Sequence

from joblib import Parallel

from analysis.results import Results

MANY = 500
"""So many records are worth the seconds that further processes take to start."""


def in_parallel(results: Sequence[Results]) -> Parallel:
    """What makes the parts of a report of these results, in their order: on all cores if there are many records."""
    return Parallel(n_jobs=-1 if sum(len(one.records) for one in results) >= MANY else 1, batch_size=1)
