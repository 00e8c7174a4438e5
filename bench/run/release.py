"""A released data set as files: protected images to train on beside clean ones to test with, as PNG."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from PIL import Image
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.datasets.base import Named
from bench.core.device import default_jobs
from bench.core.files import to_json
from bench.core.long_work import tell
from bench.core.memory import parts
from bench.grid.cell import Cell
from bench.run.experiment import make_noise
from bench.run.workplace import Workplace
from bench.store import Record

UNSAFE = re.compile(r"[^\w.=+-]+")
"""What the name of a file or folder shall not have: separators, spaces, and bytes that are no text."""
LONGEST = 100
"""Characters of a name."""
DECIDES = ("protocol", "dataset", "method", "noise_seed")
"""What of a cell decides its noise."""


def write_release(cell: Cell, place: Workplace, folder: Path) -> tuple[int, Record]:
    """Write the images that `cell` is trained on, and those it is tested with, below `folder`: all or nothing.

    They are train/CLASS/*.png and val/CLASS/*.png, numbered in the order of the data, beside about.json. The noise is
    made if it is missing. Returns how many images are protected and what is known of their noise.
    """
    with place.lease() as device:
        protection, about = make_noise(cell, place, device)
    split = place.load(cell.dataset.settings, cell.fingerprint)
    named = cell.dataset.settings.names(place.data_root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for part, data in (("train", split.train.protected(protection)), ("val", split.test)):
            _write_images(data, files(partial / part, data, getattr(named, part)))
        what = cell.canonical()
        text = to_json({name: what[name] for name in DECIDES} | {"noise": about})
        (partial / "about.json").write_text(text, "utf-8")
        partial.chmod(0o755)  # a temporary folder is nobody else's
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return len(split.train), about


def files(folder: Path, data: ImageDataset, named: Sequence[Named]) -> list[Path]:
    """Where each image is written: in the folder of its class, by its number and the name of the file it is from."""
    classes = [f"{label:0{len(str(data.num_classes - 1))}}" for label in range(data.num_classes)]
    labels = data.labels.tolist()
    known = {label: clean(one.label) for label, one in zip(labels, named, strict=False)}
    if len(set(known.values())) == len(known):
        classes = [known.get(label, number) for label, number in enumerate(classes)]
    stems = [f"_{clean(Path(one.file).stem)}" for one in named] or [""] * len(data)
    width = len(str(len(data) - 1))
    return [
        folder / classes[label] / f"{index:0{width}}{stem}.png"
        for index, (label, stem) in enumerate(zip(labels, stems, strict=True))
    ]


def clean(name: str) -> str:
    """A name that is safe as that of a file or folder."""
    return UNSAFE.sub("_", name).strip("._")[:LONGEST] or "_"


def _write_images(data: ImageDataset, files: Sequence[Path]) -> None:
    for folder in dict.fromkeys(file.parent for file in files):
        folder.mkdir(parents=True)
    with Parallel(n_jobs=default_jobs(["cpu"]), prefer="threads") as parallel:
        for part in parts(len(data), data.shape):
            parallel(map(delayed(_write_image), data.images[part], files[part]))
            tell(f"images of {files[0].parts[-3]}", min(part.stop, len(data)), len(data))


def _write_image(image: Tensor, file: Path) -> None:
    """Write a uint8 image (C, H, W) of one or three channels."""
    pixels: Any = image.permute(1, 2, 0).numpy()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file)
