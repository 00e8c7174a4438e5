"""Devices, threads, precision and what a reader must know of a machine: the only code that knows hardware."""

import ctypes
import gc
import itertools
import os
import platform
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import torch

from bench.core.memory import CPU

WAIT = 0.02
"""Seconds a worker waits for one place on one accelerator before it tries the next."""
PROCESS = Path("/proc/self")
"""What Linux tells of this process."""
RESIDENT_COPIES = 4
"""Arrays of the data's size that must fit an accelerator: clean, noise, released, and one that is being made."""


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


def prepare_device(name: str) -> torch.device:
    """The device called `name`, this process set up for it: one thread on a CPU, the same bits every time on a GPU."""
    device = torch.device(name)
    if device.type == "cpu":
        torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32
    return device


@contextmanager
def lease(devices: list[str], locks: Path, holders: int = 1) -> Iterator[torch.device]:
    """Hold one of `devices` for the time of the block, each of which has at most so many `holders` at a time.

    The least busy comes first. CPUs are not counted: each worker runs on one thread, and the number of workers is the
    number of cores.
    """
    if devices == ["cpu"]:
        yield prepare_device("cpu")
        return
    locks.mkdir(parents=True, exist_ok=True)
    while True:
        for place, name in itertools.product(range(holders), devices):
            lock = filelock.FileLock(locks / f"{name.replace(':', '-')}.{place}.lock")
            try:
                lock.acquire(timeout=WAIT)
            except filelock.Timeout:
                continue
            try:
                yield prepare_device(name)
            finally:
                lock.release()
            return


def precision(device: torch.device) -> torch.dtype:
    """What networks compute in: bfloat16 on a GPU that has it. Gradients of its loss serve PGD as well as float32's.

    TPGD begins where its divergence is almost flat, so bfloat16 costs it some of that. Networks that are `exact`
    (bench/core/network_names.py) stay in float32.
    """
    fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if fast else torch.float32


def describe(device: torch.device) -> dict[str, object]:
    """What a reader needs to judge timings and bits: hardware, threads and versions."""
    import numpy
    import PIL
    import torchvision
    from PIL import features

    accelerator = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "device": accelerator,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "numpy": numpy.__version__,
            "pillow": PIL.__version__,
            "libjpeg": features.version("libjpeg_turbo") or features.version("jpg") or "none",
        },
    }


def peak_memory(device: torch.device) -> int:
    """Bytes: the most the accelerator held, or the most this process has held since it started."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def memory_of(work: Callable[[], object], device: torch.device) -> int | None:
    """Do `work`. Returns the bytes that it held at most beyond those held before, None if the system does not tell.

    On a GPU that is what torch has allocated there, on Linux what the process has in memory.
    """
    gc.collect()  # what is freed meanwhile would count as if work had needed less
    _give_back()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    try:
        (PROCESS / "clear_refs").write_text("5")  # the peak is now what is held now
    except OSError:
        work()
        return None
    before = _resident("VmRSS")
    work()
    return max(0, _resident("VmHWM") - before)


def _give_back() -> None:
    """Return memory that was freed but is kept for later to the system, where glibc is: work would not show in it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _resident(word: str) -> int:
    """Bytes of this process in memory, as Linux tells them: `VmRSS` now, `VmHWM` at the peak."""
    lines = (PROCESS / "status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(word))


def _processor() -> str:
    """The processor's name, if the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def float64_device(device: torch.device) -> torch.device:
    """Where float64 is computed for work on `device`: there, or on the CPU if the device has none (MPS)."""
    return CPU if device.type == "mps" else device


def fits(size: int, device: torch.device) -> bool:
    """Whether data of `size` bytes, with all that is made from them, have room on the device."""
    if device.type != "cuda":
        return True
    free = torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return RESIDENT_COPIES * size <= free


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all it was told to."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
