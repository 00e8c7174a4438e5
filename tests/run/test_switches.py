"""Plug-ins that change what their whole process shares: they fail by name, and later cells are as if alone."""

import os
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from attacks.plain import Plain
from bench.core.data import ImageDataset
from bench.core.device import prepare_device
from bench.core.measures import Measure, Subject, Training
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.grid.cell import Cell, Choice
from bench.run.switches import SWITCHES, switches_kept
from bench.run.workplace import Workplace
from tests.builders import cell, finished
from tests.conftest import Undisturbed
from tests.run.cells import Flat, carry_out, statuses


def _set(owner: Any, name: str, value: Any) -> Callable[[], object]:
    return lambda: setattr(owner, name, value)


CHANGES: dict[str, Callable[[], object]] = {
    "default dtype": lambda: torch.set_default_dtype(torch.float64),
    "default device": lambda: torch.set_default_device("meta"),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True, check_nan=False),
    "autocast on the CPU": lambda: torch.set_autocast_enabled("cpu", True),
    "autocast on a GPU": lambda: torch.set_autocast_enabled("cuda", True),
    "deterministic debug mode": lambda: torch.use_deterministic_algorithms(True),
    "cudnn.enabled": _set(torch.backends.cudnn, "enabled", False),
    "cudnn.benchmark": _set(torch.backends.cudnn, "benchmark", True),
    "cudnn.deterministic": lambda: _set(
        torch.backends.cudnn, "deterministic", not torch.backends.cudnn.deterministic
    )(),
    "mkldnn.enabled": _set(torch.backends.mkldnn, "enabled", False),
    "float32 precision": _set(torch.backends, "fp32_precision", "tf32"),
    "cudnn.allow_tf32": lambda: _set(torch.backends.cudnn, "allow_tf32", not torch.backends.cudnn.allow_tf32)(),
    "float32 matmul precision": lambda: torch.set_float32_matmul_precision("medium"),
    "hooks of all modules": lambda: register_module_forward_hook(lambda module, images, found: 0 * found),
    "working directory": lambda: os.chdir("/"),
}
"""By the switch that is left at something else."""


class Switching(Flat):
    """A method that leaves a switch changed."""

    kind: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        CHANGES[self.kind]()
        return torch.zeros_like(data.images, dtype=torch.int8, device="cpu")


class SwitchingAttack(Attack):
    """An attack that leaves a switch changed: before the training, or after it."""

    source = "test"

    kind: str
    early: bool = False

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        if self.early:
            CHANGES[self.kind]()
        return released

    def examine(self, model: Any, test: ImageDataset, trained: int, session: Session) -> None:
        CHANGES[self.kind]()


class SwitchingMeasure(Measure):
    """A measure that leaves a switch changed."""

    source = "test"
    numbers: ClassVar = {"x": "the x"}
    kind: str

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        CHANGES[self.kind]()
        return {"x": 1}


class Drawing(Flat):
    """A method that draws from all global generators, and lets a library take more threads."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
        torch.manual_seed(3)
        torch.set_num_threads(2)
        return super().generate(data, session)


def now() -> dict[str, Any]:
    return {name: switch.get() for name, switch in SWITCHES.items()}


@pytest.mark.parametrize("kind", SWITCHES)
def test_every_switch_that_is_left_changed_is_told_and_put_back(kind: str) -> None:
    before = now()
    told = rf"^it left .*{kind} at .* \(was .*\).*; let it put back what it changes$"
    with pytest.raises(ValueError, match=told), switches_kept("it"):
        CHANGES[kind]()
    assert now() == before


@pytest.mark.parametrize("kind", ["default dtype", "grad mode", "deterministic debug mode"])
@pytest.mark.parametrize(
    ("one", "who"),
    [
        (lambda kind: cell(Switching(kind=kind)), "switching"),
        (lambda kind: cell(attacks=(Plain(), SwitchingAttack(kind=kind))), "plain + switchingattack"),
        (lambda kind: replace(cell(), attacks=(), measure=Choice("x", SwitchingMeasure(kind=kind))), "x"),
    ],
)
def test_a_plug_in_that_leaves_a_switch_changed_fails_by_name_and_no_later_cell_sees_it(
    one: Callable[[str], Cell], who: str, kind: str, place: Workplace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    prepare_device("cpu")  # as each task does: that sets switches too
    expected, before = finished(cell(), tmp_path_factory.mktemp("alone")), now()
    carry_out([one(kind)], place)
    record = place.store.read(one(kind).key)
    assert record
    assert record["error"].startswith(f"ValueError: {who} left {kind} at ")
    assert now() == before
    assert finished(cell(), place)["history"] == expected["history"]


def test_what_fails_because_of_its_own_switch_says_both(place: Workplace) -> None:
    one = cell(attacks=(SwitchingAttack(kind="grad mode", early=True),))
    carry_out([one], place)
    record = place.store.read(one.key)
    assert record
    assert record["error"].startswith("ValueError: switchingattack left grad mode at False (was True); let it put back")
    assert "; it raised RuntimeError: element 0 of tensors does not require grad" in record["error"]


def test_what_the_place_fails_at_stays_no_fault_of_the_plug_in() -> None:
    def fill() -> None:
        torch.set_default_dtype(torch.float64)
        raise OSError("full")

    before = now()
    with pytest.raises(OSError, match="full"), switches_kept("it"):
        fill()
    assert now() == before


def test_global_generators_and_threads_are_put_back_silently(place: Workplace, undisturbed: Undisturbed) -> None:
    one = cell(Drawing())
    with undisturbed():
        carry_out([one], place)
    assert statuses([one], place) == ["finished"]
    assert torch.get_num_threads() == 1
