"""Results that no reader would take: the cell fails and says which number is at fault, instead of being lost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.errors import UserError
from bench.core.files import DEEPEST, to_json
from bench.core.measures import Measure, Subject, Training
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.grid.cell import Cell, Choice
from bench.run.failures import MOST_OF_TRACE
from bench.run.workplace import Workplace
from bench.store import Store
from tests.analysis.conftest import keep, plan_of, record
from tests.analysis.conftest import place as place_of
from tests.builders import cell
from tests.run.cells import Flat, carry_out, statuses


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else []


UNREADABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "deep": (lambda: nested(300), f"it is nested deeper than {DEEPEST} lists or mappings"),
    "deeper": (lambda: nested(900), f"it is nested deeper than {DEEPEST} lists or mappings"),
    "keys": (lambda: {None: 1, "None": 2}, "a key is no text: None"),
    "numbers as keys": (lambda: [{1: "one"}], "a key is no text: 1"),
    "half of a surrogate pair": (lambda: "\ud800", "'utf-8' codec can't encode"),
    "tensor": (lambda: torch.ones(1), "values of NumPy or torch need .tolist(): tensor([1.])"),
    "nan": (lambda: (1.0, float("nan")), "a number is not finite or too large: nan"),
}


class Odd(Measure):
    """Finds what no file gives back."""

    source = "test"
    numbers: ClassVar = {"x": "the x"}
    kind: str

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        return {"x": 1.5, "more": {"tuple": (1, (2,))} if self.kind == "none" else UNREADABLE[self.kind][0]()}


class Noting(Flat):
    """Notes what no file gives back, and is kept as a file itself."""

    cached = True
    kind: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        session.notes["seen"] = UNREADABLE[self.kind][0]()
        return super().generate(data, session)


class Robust(Attack):
    """Notes of its victim what is no share."""

    source = "test"

    def examine(self, model: Classifier, test: ImageDataset, trained: int, session: Session) -> None:
        session.notes["robust_accuracy"] = [0.5]


class Wordy(Flat):
    """Says a lot when it fails."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        raise RuntimeError("x" * 10 * MOST_OF_TRACE)


def odd(kind: str) -> Cell:
    return replace(cell(), attacks=(), measure=Choice("odd", Odd(kind=kind)))


def error_of(one: Cell, place: Workplace) -> str:
    carry_out([one], place)
    found = place.store.read(one.key)
    assert found
    assert found["status"] == "failed"
    assert not (place.store.root / "broken").exists()
    return str(found["error"])


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_measure_that_finds_what_is_not_read_back_fails_by_name(kind: str, place: Workplace) -> None:
    assert error_of(odd(kind), place).startswith(f"ValueError: odd: more: {UNREADABLE[kind][1]}")


@pytest.mark.parametrize("kind", ["deep", "keys"])
def test_a_method_that_notes_what_is_not_read_back_fails_by_name(kind: str, place: Workplace) -> None:
    assert f"ValueError: notes: seen: {UNREADABLE[kind][1]}" in error_of(cell(Noting(kind=kind)), place)
    assert not (place.store.root / "noise").exists()


def test_an_attack_that_notes_what_tables_cannot_show_fails_by_name(place: Workplace) -> None:
    said = "ValueError: finished.notes.robust_accuracy: input should be a valid number, got [0.5]"
    assert error_of(cell(attacks=(Robust(),)), place) == said


def test_a_number_whose_square_is_not_finite_fails_by_name(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNREADABLE, "huge", (lambda: -1e300, ""))
    said = "ValueError: measured.result: more must be between -1e+100 and 1e+100, but is -1e+300"
    assert error_of(odd("huge"), place).startswith(said)


def test_what_json_can_hold_is_kept_tuples_as_lists(place: Workplace) -> None:
    carry_out([odd("none")], place)
    assert statuses([odd("none")], place) == ["finished"]
    found = place.store.read(odd("none").key)
    assert found
    assert found["result"]["more"] == {"tuple": [1, [2]]}


def test_a_result_longer_than_what_is_read_fails_and_names_its_longest_entry(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.checked.LONGEST", 5_000)
    monkeypatch.setitem(UNREADABLE, "long", (lambda: [0.5] * 2_000, ""))
    said = "ValueError: it is longer than 5,000 bytes, most of them in result.more"
    monkeypatch.setattr("bench.run.failures.MOST_OF_TRACE", 100)
    assert error_of(odd("long"), place) == said


def test_a_failure_of_many_words_is_kept_in_part(place: Workplace) -> None:
    assert "xxx..." in error_of(cell(Wordy()), place)
    found = place.store.read(cell(Wordy()).key)
    assert found
    assert len(found["trace"]) == MOST_OF_TRACE


def test_a_record_or_a_plan_that_would_not_be_read_is_not_written(place: Workplace) -> None:
    store = place.store
    with pytest.raises(ValueError, match=r"finished.result.final_accuracy: input should be less than"):
        keep(store, "one", record(17.5))
    plan = plan_of([place_of("clean", "none", 1)])
    with pytest.raises(UserError, match=r"plans/g-small.json: would not be read again: title: input should be a"):
        store.write_plan("g-small", plan | {"title": 5})
    assert not list(store.root.rglob("*.json"))


def test_settings_that_are_not_read_back_are_told_as_a_trouble_of_the_cell(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flat, "canonical", lambda self: {"radius": {1: 2}})
    [outcome] = carry_out([cell(Flat())], place)
    assert outcome.trouble
    assert outcome.trouble.message.endswith(".json: would not be read again: a key is no text: 1")
    assert statuses([cell(Flat())], place) == ["missing"]


def test_a_normal_record_is_checked_without_being_laid_out_twice(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(value: Any) -> str:
        calls.append(1)
        return to_json(value)

    monkeypatch.setattr("bench.checked.to_json", counted)
    keep(Store(place.store.root), "one", record(0.5))
    assert len(calls) == 1
