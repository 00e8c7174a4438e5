"""How much memory a process needs to protect a data set that exceeds the memory, and to train on it.

`python -m benchmarks.footprint 130000` measures one size. The disk must have room for three times the bytes
of the images: 77 GB for 130,000.
"""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import torch

from bench.core.data import ImageDataset
from bench.core.files import read_tensor, write_tensor
from bench.core.memory import scratch
from bench.core.session import Session
from bench.core.train import Recipe, train
from bench.store import Store
from methods.sc import Sc

SIZE, CLASSES, BLOCK = 256, 100, 200
IMAGES = (2_000, 4_000, 8_000)
STATUS = Path("/proc/self/status")
VICTIM = Recipe(steps=3, batch_size=32, evaluate_every=3)


@dataclass
class Footprint:
    """The most that a process held, in bytes, looked at every 10 ms, and its time.

    `anonymous` is what no file backs (RssAnon): the system cannot take it back without swap. `resident` counts pages of
    mapped files as well, which the system leaves in place while nobody else needs the memory.
    """

    anonymous: int = 0
    resident: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        sizes = f"anonymous {self.anonymous / 2**20:,.0f} MiB, with mapped files {self.resident / 2**20:,.0f} MiB"
        return f"{sizes}, {self.seconds:,.0f} s"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep the highest values seen during the block."""
        ended, start = Event(), time.perf_counter()
        watcher = Thread(target=self._watch, args=(ended,))
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
            self.seconds = time.perf_counter() - start

    def _watch(self, ended: Event) -> None:
        while True:
            values = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
            anonymous, resident = (1024 * int(values[name].split()[0]) for name in ("RssAnon", "VmRSS"))
            self.anonymous, self.resident = max(self.anonymous, anonymous), max(self.resident, resident)
            if ended.wait(0.01):
                return


def footprint(images: int) -> tuple[Footprint, Footprint]:
    """Measure in a fresh process: making SC noise for so many images of 256x256, and training a victim on them."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (images,))


def available() -> bool:
    """Whether this system tells what no file backs: Linux does."""
    return STATUS.is_file() and "RssAnon" in STATUS.read_text()


def _measure(images: int) -> tuple[Footprint, Footprint]:
    torch.set_num_threads(1)
    protecting, training = Footprint(), Footprint()
    session = Session(0, torch.device("cpu"))
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        clean, store = _cached(images, Path(name), session), Store(Path(name))
        with protecting.watching():
            _protect(clean, store, session)
        with training.watching():
            _train(clean, store, session)
    return protecting, training


def _cached(images: int, folder: Path, session: Session) -> ImageDataset:
    """Random images in a mapped file, as `bench.core.image_cache` leaves it."""
    pixels = torch.randint(256, (BLOCK, 3, SIZE, SIZE), dtype=torch.uint8, generator=session.generator("pixels"))
    blocks = (pixels[: images - start] for start in range(0, images, BLOCK))
    file, shape = folder / "images.safetensors", (images, *pixels.shape[1:])
    write_tensor(file, "images", blocks, shape=shape, dtype=torch.uint8, about={})
    return ImageDataset(read_tensor(file, "images")[0], torch.arange(images) % CLASSES, CLASSES)


def _protect(clean: ImageDataset, store: Store, session: Session) -> None:
    """What `bench.run.experiment` does, without the perceptibility, which takes hours at this size."""
    noise = Sc().generate(clean, session)
    Sc().check(clean, clean.protected(noise))
    store.write_noise("sc", noise, {})


def _train(clean: ImageDataset, store: Store, session: Session) -> None:
    released = clean.protected(store.read_noise("sc")[0])
    model = session.build("cnn", num_classes=CLASSES, channels=3)
    test = ImageDataset(clean.images[:32], clean.labels[:32], CLASSES)
    train(model, released, test=test, attacks=[], recipe=VICTIM, session=session)


if __name__ == "__main__":
    for name, peak in zip(("protecting", "training"), footprint(int(sys.argv[1])), strict=True):
        print(f"{name}: {peak}")  # noqa: T201 (a command)
