"""How time grows with the settings that decide it, and memory with the data set."""

import multiprocessing
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from bench.core.data import ImageDataset
from bench.core.device import peak_memory
from bench.core.session import Session
from bench.core.synthetic import draw
from benchmarks.timing import DEVICE, seconds, threads
from methods.error_minimizing import ErrorMinimizing
from methods.sem import Sem

SWEEPS: dict[str, Sequence[int]] = {"steps": (2, 4, 8), "samples": (2, 4, 8), "updates": (8, 16, 32)}
IMAGES = (256, 512, 1024)
MEMORY_IMAGES = (4_000, 16_000, 64_000)


def fits() -> Iterator[tuple[str, Sequence[int], float]]:
    """For each setting: its name, the values tried, and the share of the time's variance that a line explains."""
    with threads(1):
        for name, values in SWEEPS.items():
            yield name, values, _explained(values, [_time(64, **{name: value}) for value in values])
        yield "images", IMAGES, _explained(IMAGES, [_time(images) for images in IMAGES])


def memory() -> Iterator[tuple[int, float]]:
    """Training images of 32x32, and the most bytes that a fresh process holds, or its GPU, while it makes SEM noise."""
    context = multiprocessing.get_context("spawn")
    for count in MEMORY_IMAGES:
        with context.Pool(1) as pool:
            yield count, pool.apply(_peak, (count,))


def _sem(**changes: int) -> ErrorMinimizing:
    small = {"steps": 2, "samples": 2, "updates": 4, "batch_size": 32, "surrogate": "cnn", "adv_steps": 2}
    return Sem.model_validate(small | changes)


def _data(images: int, size: int) -> ImageDataset:
    return ImageDataset(*draw(images, size=size, seed=0, part="train"), 10).to(DEVICE)


def _time(images: int, **changes: int) -> float:
    method, data = _sem(**changes), _data(images, 16)
    return seconds(lambda: method.generate(data, Session(0, DEVICE)), 1.0)


def _explained(values: Sequence[int], times: Sequence[float]) -> float:
    return float(np.corrcoef(values, times)[0, 1] ** 2)


def _peak(images: int) -> float:
    """Run in a process of its own: the images are made in parts, so that only the method's memory counts."""
    torch.set_num_threads(1)
    parts = [draw(2000, size=32, seed=0, part=f"train {part}") for part in range(images // 2000)]
    data = ImageDataset(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]), 10)
    del parts
    _sem(steps=1, samples=1, batch_size=128).generate(data.to(DEVICE), Session(0, DEVICE))
    return peak_memory(DEVICE)
