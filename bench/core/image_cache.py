"""Images in files, decoded once: what identifies them, and the file that keeps their pixels.

All is in the folder `decoded` of the data root, and safe to delete while nothing runs:

- LISTING.json: the fingerprint of a listing, with the sizes and times of its files.
- FINGERPRINT-LOOK.safetensors: the pixels, uint8 (N, 3, SIZE, SIZE), with what was left out as broken.
- FINGERPRINT-LOOK.json: what that file looked like when its checksum was last compared.
- FINGERPRINT-broken.json: which of the files are broken, as far as known.
"""

import json
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import torch
from torch import Tensor

from bench.core.decoding import Look, Pixels, UnusableError, quiet
from bench.core.device import default_jobs
from bench.core.errors import UserError
from bench.core.files import write_whole
from bench.core.listing import Listing
from bench.core.long_work import tell
from bench.core.settings import digest
from bench.core.tensor_file import read_tensor, write_tensor

CACHE = "decoded"
"""Folder of the data root."""
SETTLED = 2.0
"""Seconds after its last change from which a file's time tells: clocks of file systems tick as coarsely as that."""
BATCH = 128
"""Images written at a time: 25 MB at 256x256. As many again are decoded meanwhile."""
TASK = 16
"""Images that a thread decodes at a time."""


def refuse_cache_inside(folder: Path, root: Path) -> None:
    """Raise UserError if what is decoded would lie among the images of `folder`, and be taken for some of them."""
    if (root / CACHE).resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{folder}: holds --data-root, where decoded images are kept; choose one outside of it")


def fingerprint(listing: Listing, root: Path) -> str:
    """16 hexadecimal digits of the hash of the listing and of the bytes of every file in it.

    They are remembered with the size and the times of every file: while none of these changes, none is read again.
    """
    memory = _memory(listing, root)
    with _lock(memory):
        seen, newest = _outside(listing)
        known = _recall(memory)
        if known.get("seen") == seen:
            return str(known["fingerprint"])
        found = digest(listing.digest, content=_bytes(listing))
        if newest < time.time() - SETTLED:
            _remember(memory, {"seen": seen, "fingerprint": found})
        return found


def decoded_images(listing: Listing, look: Look, root: Path, *, skip_broken: bool) -> tuple[Tensor, dict[str, str]]:
    """The pixels of the images in their order, uint8 (N, 3, size, size), mapped from a file made on the first call.

    Broken images are left out if `skip_broken`, and told with the reason of each, by name; else they raise UserError,
    which names the first ones. Raises OSError if the images change while they are decoded.
    """
    name = fingerprint(listing, root)
    file = root / CACHE / f"{name}-{look.name}.safetensors"
    with _lock(file):
        if not file.is_file():
            _write(file, listing, look, root, name, skip_broken=skip_broken)
        images, about = _read(file)
        broken = listing.broken | about["broken"]
        if broken and not skip_broken:
            raise listing.refusal(broken)
        return images, broken


def known_broken(listing: Listing, root: Path) -> dict[str, str]:
    """Which images were broken when the listing was last looked at whole, with the reason; none is opened."""
    name = _recall(_memory(listing, root)).get("fingerprint")
    return _recall(root / CACHE / f"{name}-broken.json")


def _write(file: Path, listing: Listing, look: Look, root: Path, name: str, *, skip_broken: bool) -> None:
    """Decode all images into `file`. If some are broken, all are looked at first, and then decoded again without."""
    memory = root / CACHE / f"{name}-broken.json"
    broken = _still_broken(_recall(memory), listing, look)
    while True:
        if broken and (not skip_broken or len(broken) == len(listing.samples)):
            raise listing.refusal(listing.broken | broken)
        found: dict[str, str] = {}

        def parts(broken: dict[str, str] = broken, found: dict[str, str] = found) -> Iterator[Tensor]:
            for pixels, unusable in _decode(listing, look, broken):
                found |= unusable
                if not found:  # else this pass only looks for more of them
                    yield pixels
            if fingerprint(listing, root) != name:
                raise OSError(f"{listing.folder}: images changed while they were decoded; run again")
            if found:
                raise UnusableError

        shape = (len(listing.samples) - len(broken), 3, look.size, look.size)
        try:
            with quiet():
                write_tensor(file, "images", parts(), shape=shape, dtype=torch.uint8, about={"broken": broken})
        except UnusableError:
            broken = broken | found
            _remember(memory, broken)
        else:
            _remember(file.with_suffix(".json"), {"checked": _status(file)})
            return


def _read(file: Path) -> tuple[Tensor, dict[str, Any]]:
    """Map the images. Their checksum is compared unless nobody has touched the file since that was done last."""
    memory, status = file.with_suffix(".json"), _status(file)
    checked = _recall(memory).get("checked") == status
    try:
        read = read_tensor(file, "images", check=not checked)
    except ValueError as error:
        raise ValueError(f"{file}: not a file of decoded images ({error}); delete it to decode them again") from None
    if not checked:
        _remember(memory, {"checked": status})
    return read


def _still_broken(known: dict[str, str], listing: Listing, look: Look) -> dict[str, str]:
    """Those of the known ones that are broken now: another Pillow may read them."""
    contents = listing.contents
    rows = {sample.name: row for row, sample in enumerate(listing.samples) if sample.name in known}
    with quiet():
        found = {name: _pixels(look, contents[row : row + 1][0]) for name, row in rows.items()}
    return {name: one for name, one in found.items() if isinstance(one, str)}


def _decode(listing: Listing, look: Look, without: Iterable[str]) -> Iterator[tuple[Tensor, dict[str, str]]]:
    """The pixels of `BATCH` images after the other, those in `without` left out, and which are broken, with reasons.

    Threads do it, one for each core: Pillow lets others run while it decodes and resizes.
    """
    names, contents = [sample.name for sample in listing.samples], listing.contents
    skipped, waiting = set(without), deque[tuple[int, list[Future[list[Pixels | str]]]]]()

    def task(part: slice) -> list[Pixels | str]:
        rows = zip(names[part], contents[part], strict=True)
        return [_pixels(look, content) for name, content in rows if name not in skipped]

    def take() -> tuple[Tensor, dict[str, str]]:
        start, futures = waiting.popleft()
        found = [one for future in futures for one in future.result()]
        kept = [name for name in names[start : start + BATCH] if name not in skipped]
        tell(f"{listing.folder}: decoding", min(start + BATCH, len(names)), len(names))
        pixels = [one for one in found if not isinstance(one, str)]
        reasons = {name: one for name, one in zip(kept, found, strict=True) if isinstance(one, str)}
        stacked = torch.from_numpy(np.stack(pixels)) if pixels else torch.empty(0, dtype=torch.uint8)
        return stacked, reasons

    with ThreadPoolExecutor(default_jobs(["cpu"])) as pool:
        for start in range(0, len(names), BATCH):
            end = min(start + BATCH, len(names))
            tasks = [slice(first, min(first + TASK, end)) for first in range(start, end, TASK)]
            waiting.append((start, [pool.submit(task, part) for part in tasks]))
            if len(waiting) > 2:
                yield take()
        while waiting:
            yield take()


def _pixels(look: Look, content: str | bytes) -> Pixels | str:
    """An image's pixels, or why it has none."""
    try:
        return look.pixels(content)
    except UnusableError as error:
        return str(error)


def _memory(listing: Listing, root: Path) -> Path:
    return root / CACHE / f"{digest(str(listing.folder.resolve()), listing.digest)}.json"


def _bytes(listing: Listing) -> Iterator[bytes]:
    """What is in each file; nothing of those that may not be read, which the decoding then names."""
    files = listing.files
    for done, name in enumerate(files, 1):
        with suppress(PermissionError):
            yield (listing.folder / name).read_bytes()
        tell(f"{listing.folder}: reading", done, len(files))


def _outside(listing: Listing) -> tuple[str, float]:
    """A hash of the size and the times of change of each file, and the latest of these, in seconds since 1970."""
    statuses = [_status(f"{listing.folder}/{name}") for name in listing.files]
    newest = max((max(times) for _, *times in statuses), default=0)
    return digest(statuses), newest / 1e9


def _status(file: Path | str) -> list[int]:
    status = os.stat(file)  # noqa: PTH116 (to make a Path of each of many names takes longer than this)
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _recall(memory: Path) -> dict[str, Any]:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):  # what is not there or damaged is found again
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, Any]) -> None:
    with write_whole(memory) as stream:
        stream.write(json.dumps(known).encode())


def _lock(file: Path) -> filelock.BaseFileLock:
    file.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(file.with_suffix(".lock"))
