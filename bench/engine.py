"""Devices, threads, precision, and a session's random streams and networks: the only place that knows hardware."""

import os
import platform
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import filelock
import torch
from torch import Tensor

from bench.keeping import Keeper
from bench.models import FLAT, Classifier, build
from bench.seeding import generator

IMAGES_PER_PASS = 128
"""The cost unit: one pass is forward and backward of 128 images."""


Trained = tuple[dict[str, Tensor], dict[str, Any]]
"""The weights of a trained network by name, and what is known of their making, as JSON values."""


class Shelf(Protocol):
    """Where trained networks are kept from one session to the next."""

    def model(self, key: str, make: Callable[[], Trained]) -> Trained:
        """The network called `key`; where it is missing, what `make` returns is kept and returned."""


class Session:
    """What one noise making or one training may use: a device, random streams by purpose, networks that are counted.

    `shelf` keeps trained surrogates for the next session; without it each session trains its own. `keeper` collects
    what a user wants kept; by default nothing. `notes` are what the record should say beside the settings, JSON values.
    """

    def __init__(
        self, seed: int, device: torch.device, shelf: Shelf | None = None, keeper: Keeper | None = None
    ) -> None:
        self.seed, self.device, self.shelf = seed, device, shelf
        self.keeper = keeper or Keeper()
        self.notes: dict[str, Any] = {}
        self._models: list[Classifier] = []
        self._counted = 0

    def generator(self, *purpose: str) -> torch.Generator:
        """The random stream for `purpose`, on the session's device: the same bits for the same seed and purpose."""
        return generator(self.seed, *purpose, device=self.device)

    def build(self, name: str, *, num_classes: int, channels: int, size: tuple[int, int] | None = None) -> Classifier:
        """A fresh network on the device, in training mode, its initial weights fixed by the session's seed.

        `size` is the images' height and width; a network over flattened pixels needs it.
        """
        source = generator(self.seed, "weights", name)  # drawn on the CPU: the same start on every device
        model = build(name, num_classes=num_classes, channels=channels, size=size, source=source).to(self.device)
        # Pixels that a network takes as they are need more bits than bfloat16 has.
        model.precision = torch.float32 if name in FLAT else precision(self.device)
        self._models.append(model)
        return model

    @property
    def passes(self) -> float:
        """Forward+backward passes of 128 images done so far by all networks of this session."""
        return (sum(model.gradient_images for model in self._models) + self._counted) / IMAGES_PER_PASS

    def count(self, images: int) -> None:
        """Count images that went forward with gradients recorded through a network that `build` did not make."""
        self._counted += images


def available_devices(choice: str) -> list[str]:
    """The devices that `choice` (auto, cpu, cuda, cuda:N, mps) stands for; ValueError if it has none here."""
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    present = [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]
    if choice == "auto":
        return gpus or present[:1]
    if choice == "cuda" and gpus:
        return gpus
    if choice in present:
        return [choice]
    raise ValueError(f"no device {choice!r} on this machine; choices: auto, {', '.join(present)}")


def default_jobs(devices: list[str]) -> int:
    """Parallel cells: one for each accelerator, or one for each CPU core this process may use."""
    if devices != ["cpu"]:
        return len(devices)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepared(name: str) -> torch.device:
    """The device called `name`, this process set up for it: one thread on a CPU, the same bits every time on a GPU."""
    device = torch.device(name)
    if device.type == "cpu":
        torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    return device


@contextmanager
def lease(devices: list[str], locks: Path) -> Iterator[torch.device]:
    """Hold one of `devices` for the time of the block, so that every worker process has an accelerator of its own.

    CPUs are not counted: each worker runs on one thread, and the number of workers is the number of cores.
    """
    if devices == ["cpu"]:
        yield prepared("cpu")
        return
    locks.mkdir(parents=True, exist_ok=True)
    while True:
        for name in devices:
            lock = filelock.FileLock(locks / f"{name.replace(':', '-')}.lock")
            try:
                lock.acquire(timeout=0.2)
            except filelock.Timeout:
                continue
            try:
                yield prepared(name)
            finally:
                lock.release()
            return


def precision(device: torch.device) -> torch.dtype:
    """What networks compute in: bfloat16 on a GPU that has it, which moves accuracies less than a seed does."""
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def describe(device: torch.device) -> dict[str, object]:
    """What a reader needs to judge timings and bits: hardware, precision, threads and versions."""
    import numpy
    import PIL
    import torchvision
    from PIL import features

    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "device": accelerator,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "precision": str(precision(device)).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "numpy": numpy.__version__,
            "pillow": PIL.__version__,
            "libjpeg": features.version("libjpeg_turbo") or features.version("jpg"),
        },
    }


def peak_memory(device: torch.device) -> int:
    """Bytes: the most the accelerator held, or the most this process has held since it started."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
