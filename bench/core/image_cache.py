"""A person's images, decoded once: what identifies them, and the file that keeps their pixels.

Both are in the folder `decoded` of the data root: FINGERPRINT-SIZE.safetensors has the pixels, uint8 (N, 3, SIZE,
SIZE), and a .json file for each image folder has its fingerprint. All of it is safe to delete while nothing runs.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import filelock
import numpy as np
import torch
from torch import Tensor

from bench.core.files import write_whole
from bench.core.settings import digest
from bench.core.tensor_file import read_tensor, write_tensor

CACHE = "decoded"
"""Folder of the data root."""
SETTLED = 2.0
"""Seconds after its last change from which a file's time tells: clocks of file systems tick as coarsely as that."""
BATCH = 128
"""Images decoded before they are written: 25 MB at 256x256."""


def fingerprint(folders: Sequence[Path], root: Path) -> str:
    """16 hexadecimal digits of the hash of the name and the bytes of every file in `folders`.

    They are remembered with all names, sizes and times of change: while none of these changes, no file is read again.
    """
    files = [(file, folder) for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    name = digest([str(folder.resolve()) for folder in folders])
    memory = root / CACHE / f"{name}.json"
    with _lock(memory):
        seen, newest = _outside(files)
        known = json.loads(memory.read_text()) if memory.is_file() else {}
        if known.get("seen") == seen:
            return str(known["fingerprint"])
        contents = ((str(file.relative_to(folder)).encode(), file.read_bytes()) for file, folder in files)
        found = digest(content=chain.from_iterable(contents))
        if newest < time.time() - SETTLED:
            with write_whole(memory) as stream:
                stream.write(json.dumps({"seen": seen, "fingerprint": found}).encode())
        return found


def decoded_images(files: Sequence[str], size: int, *, folders: Sequence[Path], root: Path) -> Tensor:
    """The pixels of `files`, all of `folders`, uint8 (N, 3, size, size), mapped from a file made on the first call.

    Raises OSError if the images change while they are decoded.
    """
    name = fingerprint(folders, root)
    file = root / CACHE / f"{name}-{size}.safetensors"

    def parts() -> Iterator[Tensor]:
        yield from _decode(files, size)
        if fingerprint(folders, root) != name:
            raise OSError(f"{folders[0].parent}: images changed while they were decoded; run again")

    with _lock(file):
        if not file.is_file():
            shape = (len(files), 3, size, size)
            write_tensor(file, "images", parts(), shape=shape, dtype=torch.uint8, about={})
    try:
        return read_tensor(file, "images")[0]
    except ValueError as error:
        raise ValueError(f"{file}: not a file of decoded images ({error}); delete it to decode them again") from None


def _decode(files: Sequence[str], size: int) -> Iterator[Tensor]:
    with ThreadPoolExecutor() as pool:  # Pillow lets other threads run while it decodes and resizes
        for start in range(0, len(files), BATCH):
            batch = pool.map(partial(_decode_one, size=size), files[start : start + BATCH])
            yield torch.from_numpy(np.stack(list(batch)))


def _decode_one(file: str, size: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    from PIL import Image

    with Image.open(file) as image:
        # BOX is Pillow's area average.
        square = image.convert("RGB").resize((size, size), Image.Resampling.BOX)
    return np.asarray(square).transpose(2, 0, 1)


def _outside(files: Sequence[tuple[Path, Path]]) -> tuple[str, float]:
    """A hash of names, sizes and times of change, and the latest of these times, in seconds since 1970."""
    statuses = [(str(file.relative_to(folder)), file.stat()) for file, folder in files]
    newest = max((time for _, status in statuses for time in (status.st_mtime_ns, status.st_ctime_ns)), default=0)
    seen = [[name, status.st_size, status.st_mtime_ns, status.st_ctime_ns] for name, status in statuses]
    return digest(seen), newest / 1e9


def _lock(file: Path) -> filelock.BaseFileLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(file.with_suffix(".lock"))
