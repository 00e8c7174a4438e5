"""The results folder, written atomically: JSON for cells, safetensors for the rest. Only this file knows its paths.

Torch is imported where tensors are read or written: commands that only read records start without it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
from safetensors import SafetensorError, safe_open

from bench.core.errors import UserError
from bench.core.files import write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.keeper import Kind

Record = dict[str, Any]


class StoreError(UserError):
    """A file of the results folder cannot be read; the message names it and says what to do."""


@dataclass(frozen=True)
class Store:
    """`root` holds `cells/ plans/`, in version control; `noise/ models/ kept/ locks/ report/` are not."""

    root: Path
    keep: frozenset[Kind] = frozenset()
    """What is to be kept of every training, beside its result."""

    def cell_file(self, key: str) -> Path:
        """Where the record of the cell called `key` is kept."""
        return self.root / "cells" / f"{key}.json"

    def read(self, key: str) -> Record | None:
        """The record of a cell, or None if it never ended."""
        file = self.cell_file(key)
        return read_json(file) if file.is_file() else None

    def write(self, key: str, record: Record) -> None:
        """Keep the record of a cell that finished or failed."""
        _write(self.cell_file(key), to_json(record).encode())

    def find(self, prefix: str) -> list[str]:
        """The keys of all records that begin with `prefix`."""
        return sorted(file.stem for file in (self.root / "cells").glob(f"{prefix}*.json"))

    def write_plan(self, name: str, plan: Record) -> None:
        """Keep what a grid asked for: which cells make up its tables, and at which scale."""
        with self.lock(f"plan-{name}"):
            _write(self.plan_file(name), to_json(plan).encode())

    def plan_file(self, name: str) -> Path:
        """Where the plan called `name` is kept."""
        return self.root / "plans" / f"{name}.json"

    def plans(self) -> dict[str, Record]:
        """All plans by name, in alphabetical order."""
        files = sorted((self.root / "plans").glob("*.json"), key=lambda file: file.stem)
        return {file.stem: read_json(file) for file in files}

    def has_noise(self, key: str, *, kept: bool = True) -> bool:
        """Whether the protection called `key` is there, with what is to be kept of its making unless not `kept`."""
        return self._noise_file(key).is_file() and (not kept or self.has_kept(key))

    def read_noise(self, key: str) -> tuple[Tensor, Record]:
        """A protection (int8 noise or uint8 images, indexed as the data set) and what is known of its making."""
        from bench.core.tensor_file import read_tensor

        file = self._noise_file(key)
        try:
            return read_tensor(file, "protection")
        except (OSError, ValueError) as error:
            raise StoreError(f"{file}: not a noise file of this suite ({error}); delete it to make it again") from None

    def write_noise(self, key: str, protection: Tensor, about: Record) -> None:
        """Keep a protection for all the cells that need it."""
        from bench.core.memory import parts
        from bench.core.tensor_file import write_tensor

        shape, dtype = protection.shape, protection.dtype
        rows = (protection[part] for part in parts(len(protection), shape[1:]))
        write_tensor(self._noise_file(key), "protection", rows, shape=shape, dtype=dtype, about=about)

    def model(self, key: str, make: Callable[[], tuple[dict[str, Tensor], Record]]) -> tuple[dict[str, Tensor], Record]:
        """The weights called `key`, on the CPU, and what is known of their making; if they are missing, `make` them.

        One process at a time looks or makes.
        """
        from safetensors.torch import save

        file = self.root / "models" / f"{key}.safetensors"
        with self.lock(f"model-{key}"):
            if not file.is_file():
                weights, about = make()
                tensors = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
                _write(file, save(tensors, {"about": json.dumps(about)}))
            try:
                with safe_open(file, "pt") as content:
                    names, about = list(content.keys()), json.loads(content.metadata()["about"])
                    return {name: content.get_tensor(name) for name in names}, about
            except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
                raise StoreError(f"{file}: not a model of this suite ({error}); delete it to train it again") from None

    def has_kept(self, key: str) -> bool:
        """Whether all that is to be kept of the cell or noise called `key` is there."""
        return not self.keep or self.keep <= self.kinds_kept(key)

    def kinds_kept(self, key: str) -> frozenset[Kind]:
        """What is kept of the cell or noise called `key`; nothing if its file cannot be read."""
        try:
            with safe_open(self._kept_file(key), "pt") as content:
                return frozenset(json.loads(content.metadata()["kinds"]))
        except (OSError, KeyError, TypeError, ValueError, SafetensorError):
            return frozenset()

    def write_kept(self, key: str, tensors: dict[str, Tensor]) -> None:
        """Keep what was asked for of the cell or noise called `key`; nothing was asked: do nothing."""
        from safetensors.torch import save

        if self.keep:
            about = {"kinds": json.dumps(sorted(self.keep))}
            content = {name: tensor.contiguous() for name, tensor in tensors.items()}
            with self.lock(f"kept-{key}"):
                _write(self._kept_file(key), save(content, about))

    def read_kept(self, key: str) -> dict[str, Tensor]:
        """What was kept of the cell or noise called `key`, by the names that the keeper gives; {} if nothing."""
        from safetensors.torch import load_file

        file = self._kept_file(key)
        try:
            return load_file(file) if file.is_file() else {}
        except (OSError, ValueError, SafetensorError) as error:
            raise StoreError(f"{file}: cannot be read ({error}); delete it and run with --keep again") from None

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Let one process at a time, of this run or of another, work on what `key` names."""
        self.locks.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.locks / f"{key}.lock"):
            yield

    @property
    def locks(self) -> Path:
        """Where lock files live; safe to delete while nothing runs."""
        return self.root / "locks"

    def write_report(self, name: str, text: str) -> Path:
        """Keep a file of the generated report and return where it is."""
        file = self.root / "report" / name
        with self.lock(f"report-{name}"):
            _write(file, text.encode())
        return file

    def _kept_file(self, key: str) -> Path:
        return self.root / "kept" / f"{key}.safetensors"

    def _noise_file(self, key: str) -> Path:
        return self.root / "noise" / f"{key}.safetensors"


def read_json(file: Path) -> Record:
    """Read a record. Raises StoreError if it is no JSON mapping."""
    try:
        content = json.loads(file.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); delete it to run its cell again") from None
    if not isinstance(content, dict):
        raise StoreError(f"{file}: holds no JSON mapping; delete it to run its cell again")
    return content


def to_json(value: Any) -> str:
    """JSON that people can review: indented, with whatever fits a line of 120 on one line."""
    return _laid_out(value, 0) + "\n"


def _laid_out(value: Any, indent: int) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if indent + len(line) <= 120 or not isinstance(value, dict | list):
        return line
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    inner = [
        " " * (indent + 1)
        + ("" if key is None else json.dumps(key, ensure_ascii=False) + ": ")
        + _laid_out(item, indent + 1)
        for key, item in pairs
    ]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, ",\n".join(inner), " " * indent + closing])


def _write(file: Path, content: bytes) -> None:
    """Write all or nothing. Callers hold the lock of what they write."""
    with write_whole(file) as stream:
        stream.write(content)
