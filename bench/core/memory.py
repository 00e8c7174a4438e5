"""Arrays of a data set's size: in memory while they are small, else in files that the system may page out.

Pages of a file can be dropped or written back when memory is short; those of ordinary memory can not, without swap. So
what is made for a whole data set comes from `empty`, what is read from `mapped`, and what is computed with a whole data
set goes in `parts`.
"""

import math
import mmap
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

LARGE = 512 * 2**20
"""Bytes from which an array on the CPU lives in a file: clean, noise and released together stay under 1.5 GiB."""
PART = 2**22
"""Values that are computed with at a time: 16 MiB as float32, which malloc hands out again without new pages."""
IN_CACHE = 2**18
"""Values of images that go through a network at a time on a CPU: 85 images of 3x32x32. Activations of more leave the
cache: 1,000 are evaluated at two thirds of the speed, and 320 gradients take a fifth longer (small network, EPYC)."""
ON_DEVICE = 3 * 2**20
"""The same on an accelerator: 1,024 images of 3x32x32."""
CPU = torch.device("cpu")


def empty(shape: Sequence[int], dtype: torch.dtype, device: torch.device = CPU) -> Tensor:
    """An uninitialised tensor; from `LARGE` bytes on a CPU it is backed by a nameless temporary file.

    The file is in TMPDIR, or in /var/tmp, because /tmp is often kept in memory. Raises OSError if the disk is full.
    """
    size = math.prod(shape) * dtype.itemsize
    if device.type != "cpu" or size < LARGE:
        return torch.empty(tuple(shape), dtype=dtype, device=device)
    with tempfile.TemporaryFile(dir=scratch()) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # a hole that cannot be filled later would kill the process
        else:
            file.truncate(size)
        return torch.frombuffer(mmap.mmap(file.fileno(), size), dtype=dtype).view(tuple(shape))


def mapped(file: Path, offset: int, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """The content of `file` from byte `offset` as a tensor, read when it is used; writing to it changes no file."""
    private = mmap.MAP_PRIVATE
    if sys.platform == "linux":
        # Without it Linux refuses to map more than its memory, because all of it might be written to. Python names the
        # flag from 3.13 on.
        private |= getattr(mmap, "MAP_NORESERVE", 0x4000)
    with file.open("rb") as stream:
        content = mmap.mmap(stream.fileno(), 0, flags=private, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return torch.frombuffer(content, dtype=dtype, count=math.prod(shape), offset=offset).view(tuple(shape))


def in_order(count: int, size: int) -> Iterator[slice]:
    """Every index below `count` exactly once, in order, `size` at a time, the incomplete last slice included."""
    return (slice(start, start + size) for start in range(0, count, size))


def parts(count: int, shape: Sequence[int]) -> Iterator[slice]:
    """Each of `count` rows of `shape` once, in order, in slices of at most `PART` values, but of one row at least."""
    return in_order(count, max(1, PART // max(1, math.prod(shape))))


def at_once(shape: Sequence[int], device: torch.device) -> int:
    """How many images of `shape` go through a network best at a time, if each counts for itself."""
    return max(1, (IN_CACHE if device.type == "cpu" else ON_DEVICE) // math.prod(shape))


def take(rows: Tensor, index: Tensor | slice, device: torch.device) -> Tensor:
    """The indexed rows on `device`, wherever rows and index are."""
    return rows[index.to(rows.device) if isinstance(index, Tensor) else index].to(device)


def moved(rows: Tensor, device: torch.device) -> Tensor:
    """The same tensor on `device`; a copy that is large and comes to a CPU is backed by a file."""
    if device.type != "cpu" or rows.device.type == "cpu":
        return rows.to(device)
    return empty(rows.shape, rows.dtype).copy_(rows)


def scratch() -> str | None:
    """Where temporary files go; None is the system's own choice."""
    return None if "TMPDIR" in os.environ or not Path("/var/tmp").is_dir() else "/var/tmp"  # noqa: S108 (no name in it)
