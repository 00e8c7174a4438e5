"""A released data set as files: protected images to train on beside clean ones to test with, as PNG."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from PIL import Image
from pydantic_core import from_json
from torch import Tensor

from bench.core.data import ImageDataset, Split
from bench.core.datasets import Names
from bench.core.device import default_jobs
from bench.core.errors import UserError, one_line
from bench.core.files import to_json
from bench.core.long_work import tell
from bench.core.memory import parts
from bench.core.settings import digest
from bench.grid.cell import Cell
from bench.run.experiment import make_noise
from bench.run.workplace import Workplace
from bench.store import Record

UNSAFE = re.compile(r"[^\w.=+-]+")
"""What the name of a file or folder shall not have: separators, spaces, and bytes that are no text."""
ABOUT = "about.json"
IGNORED, EVERYTHING = ".gitignore", "*\n"
"""The file that is written first, and what it says; it also marks a folder as one that was written here."""
LONGEST = 100
"""Bytes of a name; file systems allow 255."""


def write_release(cell: Cell, place: Workplace, folder: Path) -> tuple[int, Record]:
    """Write the images that `cell` trains on and those it tests with into `folder`: all or nothing.

    They are train/CLASS/*.png and val/CLASS/*.png, numbered in the order of the data, beside `ABOUT`. The noise is
    made if it is missing. A folder that another run has just written stays. Returns how many images are protected, and
    what is known of their noise.
    """
    with place.lease() as device:
        protection, about = make_noise(cell, place, device)
    split, names = place.load(cell.dataset.settings, cell.fingerprint), cell.dataset.settings.names(place.data_root)
    place.check_images(cell.dataset.settings, cell.fingerprint)  # the names are those of the images that were loaded
    told = cell.noise_canonical() | {"classes": list(map(one_line, names.classes)), "noise": about}
    told["images"] = {"train": len(split.train), "val": len(split.test)}
    with place.store.lock(f"release-{digest(str(folder.resolve()))}"):
        if not is_release(folder, cell):
            _write_whole(split, names, protection, folder, to_json(told))
    return len(split.train), about


def _write_whole(split: Split, names: Names, protection: Tensor, folder: Path, about: str) -> None:
    folders = class_folders(names.classes, split.train.num_classes)
    partial = folder.with_name(f".{folder.name}.partial")
    _clear(partial)
    partial.mkdir(parents=True)
    try:
        (partial / IGNORED).write_text(EVERYTHING)  # somebody's pictures belong in no commit
        (partial / ABOUT).write_text(about, "utf-8")
        _write_images(split.train.protected(protection), partial / "train", folders, names.train)
        _write_images(split.test, partial / "val", folders, names.test)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _clear(partial: Path) -> None:
    """Remove what a process left that was killed. Raises UserError if the folder is of somebody else."""
    if not partial.exists():
        return
    marked = partial / IGNORED
    if any(partial.iterdir()) and not (marked.is_file() and marked.read_text() == EVERYTHING):
        raise UserError(f"{partial}: is in the way and not of this suite; move it")
    shutil.rmtree(partial)


def is_release(folder: Path, cell: Cell) -> bool:
    """Whether `folder` holds what `write_release` would write, and as many images as it says, if it says so."""
    try:
        told = from_json((folder / ABOUT).read_bytes())
        whole = all(
            sum(1 for _ in (folder / part).rglob("*.png")) == count for part, count in told.get("images", {}).items()
        )
        return bool(whole and told["noise"]["key"] == cell.noise_key)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def class_folders(names: Sequence[str], num_classes: int) -> list[str]:
    """A folder for each class: its name, if such names tell all apart and sort as the classes do, else its number.

    Whoever reads the folders numbers the classes in the order of their names.
    """
    found = [safe_name(name) for name in names]
    if len({name.casefold() for name in found}) == num_classes and found == sorted(found):
        return found
    return [f"{label:0{len(str(num_classes - 1))}}" for label in range(num_classes)]


def file_names(names: Sequence[str], images: int) -> list[str]:
    """A name for each image: its number, and what its own file is called."""
    width = len(str(images - 1))
    stems = [f"_{safe_name(Path(name).stem)}" for name in names] or [""] * images
    return [f"{index:0{width}}{stem}.png" for index, stem in enumerate(stems)]


def safe_name(name: str) -> str:
    """What is left of a name as that of a file or folder."""
    text = UNSAFE.sub("_", name).strip("._")
    return text.encode()[:LONGEST].decode(errors="ignore") or "_"


def _write_images(data: ImageDataset, folder: Path, folders: Sequence[str], names: Sequence[str]) -> None:
    labels = data.labels.tolist()
    for label in dict.fromkeys(labels):
        (folder / folders[label]).mkdir(parents=True)
    files = [folder / folders[label] / name for label, name in zip(labels, file_names(names, len(data)), strict=True)]
    with Parallel(n_jobs=default_jobs(["cpu"]), prefer="threads") as parallel:
        for part in parts(len(data), data.shape):
            parallel(map(delayed(_write_image), data.images[part], files[part]))
            tell(f"images in {folder.name}", min(part.stop, len(data)), len(data))


def _write_image(image: Tensor, file: Path) -> None:
    """Write a uint8 image (3, H, W)."""
    pixels: Any = image.permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(file)
