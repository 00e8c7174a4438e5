"""Where cells are run: the folders, devices and workers, and what all cells are given there. It travels whole."""

import math
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

import torch

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets import DatasetSettings
from bench.core.device import default_jobs, describe, lease, peak_memory
from bench.core.keeper import Keeper, Kind
from bench.core.memory import CPU, moved
from bench.core.session import Session, Shelf
from bench.run.switches import switches_kept
from bench.run.trouble import DataError
from bench.store import Record, Store

CHECKOUT = Path(__file__).parents[2]
"""Where this code is, if it was not installed from a wheel."""
LOOKED_AT = 2**23
"""Bytes of images that are looked at to see whether any were changed."""


@dataclass(frozen=True)
class Workplace:
    """Small enough to be sent to every worker."""

    store: Store
    data_root: Path
    devices: tuple[str, ...] = ("cpu",)
    jobs: int = 1
    cluster: str = ""
    """The address of a dask scheduler whose workers share both folders; empty: processes of this machine."""
    compiling: bool = False
    """Whether networks are compiled."""
    since: float = field(default_factory=time.time, compare=False)
    """When the run began: what failed since then has been tried."""

    def load(self, dataset: DatasetSettings, fingerprint: str) -> Split:
        """The images, read once for each worker process. Raises DataError if they cannot be read, or are others."""
        try:
            return _load(dataset, self.data_root, fingerprint)
        except DataError:
            raise
        except Exception as error:  # of torchvision, PIL and pickle: whatever is wrong with the files
            raise DataError(f"data set not readable in {self.data_root} ({error}); see --data-root") from error

    @contextmanager
    def unchanged(self, who: str, *data: ImageDataset) -> Iterator[None]:
        """Raise ValueError, which names `who`, if the block changes images or labels in place, or switches of torch.

        Other cells of this process share them.
        """
        before = list(map(_mark, data))
        try:
            with switches_kept(who):
                yield
        finally:
            changed = list(map(_mark, data)) != before
            if changed:
                _load.cache_clear()
        if changed:
            raise ValueError(f"the images or labels that {who} was given were changed in place; let it copy them")

    def check_images(self, dataset: DatasetSettings, fingerprint: str) -> None:
        """Raise DataError if the images are not those that were known by `fingerprint`."""
        _check_images(dataset, self.data_root, fingerprint)

    def outlines(self) -> Callable[[DatasetSettings], Outline]:
        """What tells the outline of a data set as it is now; each folder is looked through once."""
        return cache(lambda dataset: dataset.outline(self.data_root))

    def keeping(self, kinds: frozenset[Kind]) -> "Workplace":
        """The same place, where more is kept of what is made."""
        return replace(self, store=replace(self.store, keep=self.store.keep | kinds))

    @property
    def at_once(self) -> int:
        """Tasks that run as fast beside each other as alone: on the cores of this machine one each."""
        return self.jobs if self.cluster or self.devices != ("cpu",) else min(self.jobs, default_jobs(["cpu"]))

    def lease(self) -> AbstractContextManager[torch.device]:
        """One of the devices, for the time of a block; cells share it if there are more jobs than accelerators."""
        return lease(list(self.devices), self.store.locks, math.ceil(self.jobs / len(self.devices)))

    def open_session(self, seed: int, device: torch.device, shelf: Shelf | None = None) -> Session:
        """What one making of noise or one training may use."""
        return Session(seed, device, shelf, Keeper(self.store.keep), compiling=self.compiling)

    def progress_file(self, key: str) -> Path:
        """Where a worker tells how far the noise or the cell called `key` is, while it runs."""
        return self.store.locks / f"{key}.progress"

    def provenance(self, device: torch.device, session: Session | None = None) -> Record:
        """Where a number comes from: code, machine, workers, versions, memory (bytes), and how networks computed."""
        about = {"commit": _commit(), **describe(device), "jobs": self.jobs, "peak_memory": peak_memory(device)}
        precisions = session.precisions if session else []
        return about | {"precision": ", ".join(precisions) or "float32", "compiled": self.compiling}


def _mark(data: ImageDataset) -> tuple[int, ...]:
    """What tells whether images or labels are still what they were: torch's count of changes, and what others do.

    Arrays that share memory with a tensor are not counted, so a sum over labels and some images is taken too.
    """
    images, labels = data.images, data.labels
    some = images[:: max(1, images.nbytes // LOOKED_AT)]
    sums = [zlib.crc32(moved(one, CPU).contiguous().numpy().data) for one in (some, labels)]
    return images._version, labels._version, *sums


@lru_cache(maxsize=2)
def _load(dataset: DatasetSettings, root: Path, fingerprint: str) -> Split:
    split = dataset.load(root)
    _check_images(dataset, root, fingerprint)
    return split


def _check_images(dataset: DatasetSettings, root: Path, fingerprint: str) -> None:
    if dataset.fingerprint(root) != fingerprint:
        raise DataError(f"images in {root} have changed since the run began; run again")


@lru_cache(maxsize=1)
def _commit() -> str:
    """The checkout this code runs from, with a plus sign if it has uncommitted changes; empty outside a checkout.

    A checkout of something else that the code is installed inside of, as in its virtual environment, does not count.
    """
    if not (CHECKOUT / ".git").exists():
        return ""
    try:
        command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
