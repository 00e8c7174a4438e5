"""The results folder, written atomically: JSON for cells, safetensors for the rest. Only this file knows its paths.

Torch is imported where tensors are read or written: commands that only read records start without it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import filelock

from bench.checked import Record as Record
from bench.checked import content_of, readable, whole
from bench.core.errors import UserError
from bench.core.files import write_whole
from bench.plan_file import checked_plan
from bench.record import check_making, checked_record, names

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.keeper import Kind

T = TypeVar("T")
AGAIN, BY_ITSELF = "run with --keep to make it again", "it is made again"
"""What becomes of a kept file that is set aside: as a reader needs it, and as a run does that keeps such files."""


@dataclass(frozen=True)
class Store:
    """`root` holds `cells/ plans/`, in version control; `noise/ models/ kept/ locks/ report/ broken/` are not.

    A file that does not hold what it should is named in a warning, set aside in `broken/`, and then missing. One of a
    newer version is named, missing and never touched. Whatever the disk refuses is an OSError.
    """

    root: Path
    keep: frozenset[Kind] = frozenset()
    """What is to be kept of every training, beside its result."""
    read_only: bool = False
    """Whether the folder is somebody else's: what does not hold is named and left where it is."""

    def cell_file(self, key: str) -> Path:
        """Where the record of the cell called `key` is kept."""
        return self.root / "cells" / f"{key}.json"

    def read(self, key: str, *, to_replace: bool = False) -> Record | None:
        """The record of a cell, or None if it never ended.

        One of a newer version is None too; whoever reads it `to_replace` it gets a UserError.
        """

        def read(file: Path) -> Record:
            return checked_record(content_of(file), key)

        return self._whole(self.cell_file(key), read, "run its grid again", to_replace=to_replace)

    def write(self, key: str, record: Record) -> None:
        """Keep the record of a cell that finished or failed. Raises ValueError for one that would not be read again."""
        _write(self.cell_file(key), readable(record, lambda content: checked_record(content, key)))

    def find(self, prefix: str) -> list[str]:
        """The keys of all records that begin with `prefix`."""
        return sorted(file.stem for file in (self.root / "cells").glob("*.json") if file.stem.startswith(prefix))

    def state(self) -> frozenset[tuple[Path, int, int]]:
        """What changes with every record and plan that is written: their files with size and time."""
        found = set()
        for file in itertools.chain(*((self.root / part).glob("*.json") for part in ("cells", "plans"))):
            with suppress(FileNotFoundError):  # another process has set it aside meanwhile
                about = file.stat()
                found.add((file, about.st_size, about.st_mtime_ns))
        return frozenset(found)

    def write_plan(self, name: str, plan: Record) -> None:
        """Keep what a grid asked for: which cells make up its tables, and at which scale.

        Raises UserError for a plan that would not be read again.
        """
        try:
            content = readable(plan, checked_plan)
        except (TypeError, ValueError) as error:
            raise UserError(f"{self.plan_file(name)}: would not be read again: {error}") from error
        with self.lock(f"plan-{name}"):
            _write(self.plan_file(name), content)

    def plan_file(self, name: str) -> Path:
        """Where the plan called `name` is kept."""
        return self.root / "plans" / f"{name}.json"

    def plan_names(self) -> list[str]:
        """What plans are called, in alphabetical order."""
        return sorted(file.stem for file in (self.root / "plans").glob("*.json"))

    def plans(self) -> dict[str, Record]:
        """All plans by name, in alphabetical order."""
        return {name: plan for name in self.plan_names() if (plan := self.plan(name)) is not None}

    def plan(self, name: str, *, to_replace: bool = False) -> Record | None:
        """The plan of that name, or None; of a newer version as with `read`."""

        def read(file: Path) -> Record:
            return checked_plan(content_of(file))

        advice = "run its grid again, which keeps finished cells"
        return self._whole(self.plan_file(name), read, advice, to_replace=to_replace)

    def has_noise(self, key: str) -> bool:
        """Whether the protection called `key` is there, with what is to be kept of its making."""
        return self._noise_file(key).is_file() and self.has_kept(key)

    def read_noise(self, key: str, shape: Sequence[int] | None = None) -> tuple[Tensor, Record] | None:
        """A protection (int8 noise or uint8 images, indexed as the data set) and what is known of its making, or None.

        One whose `shape`, if that is known, is not the images' is damaged. Its bytes are compared with their checksum
        each time: that takes a millisecond for each megabyte.
        """
        from bench.core.tensor_file import read_tensor

        def read(file: Path) -> tuple[Tensor, Record]:
            protection, about = read_tensor(file, "protection")
            check_making(about, key)
            if shape is not None and tuple(shape) != tuple(protection.shape):
                raise ValueError(f"has shape {tuple(protection.shape)}, the images {tuple(shape)}")
            return protection, about

        return self._whole(self._noise_file(key), read, "it is made again as soon as a cell needs it")

    def write_noise(self, key: str, protection: Tensor, about: Record) -> tuple[Tensor, Record]:
        """Keep a protection for all the cells that need it, and return it as they get it.

        Raises ValueError for one of which too little is known to be read again.
        """
        from bench.core.memory import parts
        from bench.core.tensor_file import read_tensor, write_tensor

        check_making(about, key)
        shape, dtype = protection.shape, protection.dtype
        rows = (protection[part] for part in parts(len(protection), shape[1:]))
        file = self._noise_file(key)
        write_tensor(file, "protection", rows, shape=shape, dtype=dtype, about=about)
        return read_tensor(file, "protection")

    def model(self, key: str, make: Callable[[], tuple[dict[str, Tensor], Record]]) -> tuple[dict[str, Tensor], Record]:
        """The weights called `key`, on the CPU, and what is known of their making; if they are missing, `make` them.

        One process at a time looks or makes.
        """
        from bench.core.tensor_file import read_tensors, write_tensors

        file = self.root / "models" / f"{key}.safetensors"
        with self.lock(f"model-{key}"):
            found = self._whole(file, lambda file: read_tensors(file, "about"), "it is trained again")
            if found is None:
                weights, about = make()
                write_tensors(file, weights, about=about)
                found = read_tensors(file, "about")
            return found

    def has_kept(self, key: str) -> bool:
        """Whether all that is to be kept of the cell or noise called `key` is there."""
        return not self.keep or self.keep <= self.kinds_kept(key)

    def kinds_kept(self, key: str) -> frozenset[Kind]:
        """What is kept of the cell or noise called `key`."""
        from bench.core.tensor_file import read_about

        kinds = self._whole(self._kept_file(key), lambda file: names(read_about(file, "kinds")), self._again)
        return frozenset(kinds or ())

    def write_kept(self, key: str, tensors: dict[str, Tensor]) -> None:
        """Keep what was asked for of the cell or noise called `key`; nothing was asked: do nothing."""
        from bench.core.tensor_file import write_tensors

        if self.keep:
            with self.lock(f"kept-{key}"):
                write_tensors(self._kept_file(key), tensors, kinds=sorted(self.keep))

    def read_kept(self, key: str) -> dict[str, Tensor]:
        """What was kept of the cell or noise called `key`, by the names that the keeper gives; {} if nothing."""
        from bench.core.tensor_file import read_tensors

        def read(file: Path) -> dict[str, Tensor]:
            tensors, kinds = read_tensors(file, "kinds")
            names(kinds)
            return tensors

        return self._whole(self._kept_file(key), read, self._again) or {}

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Let one process at a time, of this run or of another, work on what `key` names."""
        self.locks.mkdir(parents=True, exist_ok=True)
        with self._lock(key):
            yield

    def is_locked(self, key: str) -> bool:
        """Whether a process, of this run or of another, works on what `key` names."""
        lock = self._lock(key)
        if not Path(lock.lock_file).exists():
            return False
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return True
        except OSError:  # no process can hold it: whoever needs it meets the error
            return False
        lock.release()
        return False

    @property
    def locks(self) -> Path:
        """Where lock files live; safe to delete while nothing runs."""
        return self.root / "locks"

    def write_report(self, name: str, content: str | bytes) -> Path:
        """Keep a file of the generated report and return where it is."""
        file = self.root / "report" / name
        with self.lock(f"report-{name}"):
            _write(file, content.encode(errors="backslashreplace") if isinstance(content, str) else content)
        return file

    def _lock(self, key: str) -> filelock.BaseFileLock:
        return filelock.FileLock(self.locks / f"{key}.lock")

    def _whole(self, file: Path, read: Callable[[Path], T], advice: str, *, to_replace: bool = False) -> T | None:
        aside = None if self.read_only else self.root / "broken" / file.parent.name
        return whole(file, read, aside, advice, to_replace=to_replace)

    @property
    def _again(self) -> str:
        return BY_ITSELF if self.keep else AGAIN

    def _kept_file(self, key: str) -> Path:
        return self.root / "kept" / f"{key}.safetensors"

    def _noise_file(self, key: str) -> Path:
        return self.root / "noise" / f"{key}.safetensors"


def _write(file: Path, content: bytes) -> None:
    """Write all or nothing. Callers hold the lock of what they write."""
    with write_whole(file) as stream:
        stream.write(content)
