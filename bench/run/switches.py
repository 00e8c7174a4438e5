"""What plug-ins may leave changed in their process, and later cells share: switches, hooks, generators, its folder."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

from bench.core.errors import brief, head_of
from bench.core.memory import CPU
from bench.run.trouble import NO_RESULT


class Switch(NamedTuple):
    """How something of the whole process is read and set."""

    get: Callable[[], Any]
    put: Callable[[Any], object]


def _flag(module: ModuleType, name: str) -> Switch:
    return Switch(partial(getattr, module, name), partial(setattr, module, name))


def _autocast(kind: str) -> Switch:
    return Switch(partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind))


HOOKED = (torch.nn.modules.module, import_module("torch.optim.optimizer"))
"""Where torch has tables of hooks on every module and every optimizer of the process."""


def _hooks() -> list[dict[str, dict[Any, Any]]]:
    """What hangs there, by the name of its table."""
    return [
        {name: dict(found) for name, found in vars(module).items() if name.startswith("_global_") and "hooks" in name}
        for module in HOOKED
    ]


def _put_hooks(before: list[dict[str, dict[Any, Any]]]) -> None:
    for module, tables in zip(HOOKED, before, strict=True):
        for name, hooks in tables.items():
            getattr(module, name).clear()
            getattr(module, name).update(hooks)


def _put_folder(before: Any) -> None:
    if isinstance(before, Path):  # else it was gone before
        with suppress(OSError):
            os.chdir(before)


def _put_device(device: torch.device) -> None:
    torch.set_default_device(None if device == CPU else device)  # a CPU that is named slows down whatever makes tensors


SWITCHES = {
    "default dtype": Switch(torch.get_default_dtype, torch.set_default_dtype),
    "default device": Switch(torch.get_default_device, _put_device),
    "grad mode": Switch(torch.is_grad_enabled, torch.set_grad_enabled),
    "anomaly detection": Switch(torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "autocast on the CPU": _autocast("cpu"),
    "autocast on a GPU": _autocast("cuda"),
    "deterministic debug mode": Switch(torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "cudnn.enabled": _flag(torch.backends.cudnn, "enabled"),
    "cudnn.benchmark": _flag(torch.backends.cudnn, "benchmark"),
    "cudnn.deterministic": _flag(torch.backends.cudnn, "deterministic"),
    "mkldnn.enabled": _flag(torch.backends.mkldnn, "enabled"),
    "float32 precision": _flag(torch.backends, "fp32_precision"),
    "cudnn.allow_tf32": _flag(torch.backends.cudnn, "allow_tf32"),
    "float32 matmul precision": Switch(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "hooks of all modules": Switch(_hooks, _put_hooks),
    "working directory": Switch(Path.cwd, _put_folder),
}
"""What changes what later cells compute or where they are kept, in the order in which it is put back."""


@contextmanager
def switches_kept(who: str) -> Iterator[None]:
    """Put back, after the block, what it changes in this process. Raises ValueError if it leaves a switch changed.

    The message begins with `who`. The place's failures stay what they are. Not told is what libraries do by themselves:
    they draw from global generators, and numba sets the number of threads.
    """
    before, threads = _now(), torch.get_num_threads()
    full_hooks = vars(torch.nn.modules.module)["_global_is_full_backward_hook"]  # stays at what the last hook was
    raised: BaseException | None = None
    try:
        with _generators_kept():
            yield
    except BaseException as error:
        raised = error
        raise
    finally:
        now = _now()
        changed = [name for name in SWITCHES if now[name] != before[name]]
        for name in changed:
            SWITCHES[name].put(before[name])
        torch.set_num_threads(threads)
        vars(torch.nn.modules.module)["_global_is_full_backward_hook"] = full_hooks
        if changed and not isinstance(raised, (KeyboardInterrupt, *NO_RESULT)):
            left = ", ".join(f"{name} at {brief(now[name])} (was {brief(before[name])})" for name in changed)
            also = f"; it raised {head_of(raised)}" if raised else ""
            raise ValueError(f"{who} left {left}; let it put back what it changes{also}") from raised


def _now() -> dict[str, Any]:
    return {name: _read(switch) for name, switch in SWITCHES.items()}


def _read(switch: Switch) -> Any:
    """What a switch is at, or why nobody can tell: torch has two names for some, and a folder may be gone."""
    try:
        return switch.get()
    except (RuntimeError, OSError) as error:
        return head_of(error)


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Put the global generators of torch, numpy and Python back after the block."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)
