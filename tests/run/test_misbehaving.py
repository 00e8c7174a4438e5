"""Plug-ins with mistakes: each fails by itself, is named, and changes no other result."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.errors import UserError
from bench.core.measures import Measure, Subject, Training
from bench.core.plug_in import Cost
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.grid.cell import Cell, Choice
from bench.grid.stack import declined
from bench.run.failures import LONGEST
from bench.run.workplace import Workplace
from bench.store import Record
from measures.surrogate_robustness import SurrogateRobustness
from tests.builders import FEW, cell, finished
from tests.run.cells import Flat, carry_out, statuses, tasks

UNUSABLE = ([1, 2], "one", {"a": 1}, True, 10**400, float("nan"), float("inf"), torch.ones(1), np.ones(1))
FINDINGS: list[tuple[Any, str]] = [
    ({"x": None, "more": [2.5]}, ""),
    (None, "TypeError: found must return a mapping, got None"),
    ({"y": 1}, "ValueError: found promises 'x' among its numbers, and found y"),
    ({}, "ValueError: found promises 'x' among its numbers, and found none"),
    ({"x": np.float32(1)}, "ValueError: found: x must be a finite number or None, got np.float32(1.0); numbers of "),
    *(({"x": value}, "ValueError: found: x must be a finite number or None, got ") for value in UNUSABLE),
    ({"x": 1, "more": 2**63}, "ValueError: found: more: a number is not finite or too large: 9223372036854775808"),
    ({"x": 1, "more": [float("nan")]}, "ValueError: found: more: a number is not finite or too large: nan"),
    ({"x": 1, "more": [np.int64(1)]}, "ValueError: found: more: values of NumPy or torch need .tolist(): np.int64(1)"),
    (
        {"x": torch.tensor(1.0)},
        "ValueError: found: x must be a finite number or None, got tensor(1.); numbers of NumPy ",
    ),
    ({"x": 1, "more": torch.ones(1)}, "ValueError: found: more: values of NumPy or torch need .tolist(): tensor([1.])"),
]
KINDS = ("torch", "a view", "numpy", "labels")
PARTS = ("clean", "released", "test")
"""Images that a measure gets."""
COSTS: dict[str, Callable[[], Any]] = {
    "raises": lambda: Cost(1 / 0),
    "is none": lambda: None,
    "nan": lambda: Cost(float("nan")),
    "infinite": lambda: Cost(other=float("inf")),
    "negative": lambda: Cost(seconds=-1.0),
    "too much": lambda: Cost(10**400),
    "no number": lambda: Cost(torch.ones(1)),  # type: ignore[arg-type]
}


def spoil(data: ImageDataset, kind: str) -> None:
    if kind == "labels":
        data.labels[:] = 0
    elif kind == "numpy":
        np.asarray(data.images)[:] = 0
    elif kind == "a view":
        data.images[3:].flip(0).zero_()  # a copy: nothing changes
        data.images.view(-1)[:5] = 0
    else:
        data.images.fill_(0)


class SpoilingMethod(Flat):
    """Changes the images that it is to protect."""

    kind: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        spoil(data, self.kind)
        return torch.zeros_like(data.images, dtype=torch.int8)


class SpoilingAttack(Attack):
    """Changes the clean images that it may look at."""

    source = "test"

    kind: str

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        spoil(clean, self.kind)
        return released


class Found(Measure):
    """Finds what it is told to, and changes images if it is told so."""

    source = "test"
    numbers: ClassVar = {"x": "the x"}
    found: int
    """Its place among `FINDINGS`, which may be no settings."""
    kind: str = ""
    part: str = "test"
    """Which images."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        if self.kind:
            spoil(getattr(subject, self.part), self.kind)
        found: dict[str, Any] = FINDINGS[self.found][0]
        return found


class Raising(Flat):
    """Raises what is no Exception, or what is no line of text."""

    kind: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        if self.kind == "many lines":
            raise ValueError("a\0b\x1b[31m\n" + "more\n" * 1000)
        raise {"cancelled": asyncio.CancelledError, "exit": GeneratorExit, "base": BaseException}[self.kind]("why")


class Unclear(Flat):
    """Cannot say what it costs or what it declines."""

    kind: str

    def cost(self, images: int) -> Cost:
        return COSTS[self.kind]()

    def declines(self, data: Any) -> str:
        raise LookupError("no such data")


def measuring(**settings: Any) -> Cell:
    return replace(cell(), attacks=(), measure=Choice("found", Found(**settings)))


def failure(one: Cell, place: Workplace) -> Record:
    record = place.store.read(one.key)
    assert record
    assert record["status"] == "failed"
    return record


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["method", "attack", *(f"measure of {part}" for part in PARTS)])
def test_what_changes_images_in_place_fails_and_no_later_cell_sees_them(
    what: str, kind: str, place: Workplace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = finished(cell(), tmp_path_factory.mktemp("alone"))
    spoiling = {
        "method": cell(SpoilingMethod(kind=kind)),
        "attack": cell(attacks=(SpoilingAttack(kind=kind),)),
        **{f"measure of {part}": measuring(found=0, kind=kind, part=part) for part in PARTS},
    }[what]
    carry_out([spoiling], place)
    assert "were changed in place; let it copy them" in failure(spoiling, place)["error"]
    carry_out([cell()], place)
    record = place.store.read(cell().key)
    assert record
    assert record["history"] == expected["history"]


@pytest.mark.parametrize("found", range(1, len(FINDINGS)))
def test_a_measure_that_finds_what_it_does_not_promise_fails(found: int, place: Workplace) -> None:
    measures = [measuring(found=found), measuring(found=0)]
    carry_out(measures, place)
    assert statuses(measures, place) == ["failed", "finished"]
    assert failure(measures[0], place)["error"].startswith(FINDINGS[found][1])


def test_a_method_that_keeps_nothing_of_what_a_measure_needs_is_told_what_to_call(place: Workplace) -> None:
    one = replace(measuring(found=0), measure=Choice("surrogate_robustness", SurrogateRobustness(images=1)))
    carry_out([one], place)
    said = failure(one, place)["error"]
    assert said.endswith("keeps no surrogates: its `generate` must call session.keeper.keep_network(model)"), said


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kind", ["cancelled", "exit", "base"])
def test_whatever_a_plug_in_raises_stops_no_other_cell(kind: str, jobs: int, place: Workplace) -> None:
    cells = [cell(Raising(kind=kind)), cell()]
    carry_out(cells, replace(place, jobs=jobs))
    assert statuses(cells, place) == ["failed", "finished"]
    assert failure(cells[0], place)["error"].endswith(": why")


def test_an_error_is_told_in_one_line_that_any_terminal_shows(place: Workplace) -> None:
    one = cell(Raising(kind="many lines"))
    carry_out([one], place)
    record = failure(one, place)
    assert record["error"].startswith("ValueError: a\\x00b\\x1b[31m more more")
    assert len(record["error"]) == LONGEST
    assert record["trace"].count("more\n") == 1000


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("raises", "ZeroDivisionError: "),
        ("is none", "AttributeError: 'NoneType' object has no"),
        ("nan", r"ValueError: passes of a cost must be a number from 0 to 1e\+100, got nan"),
        ("infinite", r"ValueError: other of a cost must be .*, got inf"),
        ("negative", r"ValueError: seconds of a cost must be .*, got -1.0"),
        ("too much", r"ValueError: passes of a cost must be .*, got 1000"),
        ("no number", r"ValueError: passes of a cost must be .*, got tensor"),
    ],
)
def test_a_plug_in_that_cannot_say_what_it_costs_is_named(kind: str, reason: str, place: Workplace) -> None:
    with pytest.raises(UserError, match=f"what unclear costs: {reason}") as told:
        tasks([cell(Unclear(kind=kind))], place)
    assert "test_misbehaving.py:" in str(told.value) or "plug_in.py:" in str(told.value)


def test_a_plug_in_that_cannot_say_what_it_declines_is_named() -> None:
    one = cell(Unclear(kind=""))
    with pytest.raises(UserError, match=r"what unclear \+ plain declines: LookupError: no such data \(.*misbehaving"):
        declined(one.method, one.attacks, FEW.outline(__file__), "cnn")  # type: ignore[arg-type]
