"""Early stopping: what is held out, what a record keeps of it, and where a patient trainer stops."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import bench.core.train
from analysis.early_stopping import Stopping, stopping
from analysis.report import write_report
from attacks.early_stopping import EarlyStopping
from attacks.gradient import Pgd
from attacks.low_pass import Median
from attacks.partial_poisoning import PartialPoisoning
from attacks.plain import Plain
from bench.core.data import DatasetSettings, ImageDataset, Outline, Split
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Recipe, update
from bench.grid.cell import Cell, Choice
from bench.run.experiment import run_cell
from bench.run.workplace import Workplace
from bench.store import Record, Store
from methods.random_noise import RandomNoise
from tests.conftest import MadeUp

CPU = torch.device("cpu")
LABELS = [0] * 60 + [1] * 30 + [2] * 10


def parts_of(made_up: MadeUp, seed: int = 0, **settings: Any) -> list[list[int]]:
    data = made_up(LABELS, classes=3)
    return [part.tolist() for part in EarlyStopping(**settings).hold_out(data, Session(seed, CPU))]


def test_a_tenth_is_held_out_in_ten_parts_another_one_for_another_seed(made_up: MadeUp) -> None:
    parts = parts_of(made_up)
    assert [len(part) for part in parts] == [1] * 10
    assert len({row for part in parts for row in part}) == 10
    assert parts != parts_of(made_up, seed=1)


def test_the_clean_images_of_every_share_are_a_share_of_every_class(made_up: MadeUp) -> None:
    for seed in range(3):
        parts = parts_of(made_up, seed, validation=0.5)
        for count in range(1, 11):
            labels = [LABELS[row] for part in parts[:count] for row in part]
            expected = {label: 0.05 * count * LABELS.count(label) for label in range(3)}
            assert all(abs(labels.count(label) - share) <= 1 for label, share in expected.items())


@pytest.mark.parametrize(("settings", "count"), [({"validation": 0.09}, 9), ({"validation": 0.999, "parts": 2}, 100)])
def test_an_empty_part_or_an_empty_training_set_is_an_error(
    settings: dict[str, Any], count: int, made_up: MadeUp
) -> None:
    with pytest.raises(ValueError, match=f"early_stopping: {count} of 100 images"):
        parts_of(made_up, **settings)


class Levels(DatasetSettings):
    """Forty images, each of one grey level of its own, which is a multiple of six: what was seen tells which."""

    size: int = 8

    def load(self, root: Path) -> Split:
        levels = (6 * torch.arange(40, dtype=torch.uint8)).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)
        train = ImageDataset(levels.contiguous(), torch.arange(40) % 2, 2)
        return Split(train, ImageDataset(train.images[:2], train.labels[:2], 2))

    def outline(self, root: Path) -> Outline:
        return Outline(40, (3, 8, 8), 2)


HALF = EarlyStopping(validation=0.5)


def record_of(model: str, folder: Path, *attacks: Attack, **recipe: Any) -> Record:
    stack = tuple(Choice(type(attack).__name__, attack) for attack in attacks)
    method = Choice("random", RandomNoise(radius=2 / 255))
    settings = Recipe(**{"steps": 6, "batch_size": 8, "evaluate_every": 2, **recipe})
    cell = Cell(Choice("levels", Levels()), "", model, method, stack, settings, 0, 0)
    record = run_cell(cell, Workplace(Store(folder), folder), CPU, asked={})
    assert record["status"] == "finished", record["trace"]
    return json.loads(Store(folder).cell_file(cell.key).read_text())


@pytest.mark.parametrize("stack", [[HALF], [HALF, Pgd(radius=1e-9, steps=1)], [HALF, PartialPoisoning()]])
def test_what_is_held_out_never_trains_and_all_else_does(
    stack: list[Attack], two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()

    def noticing(model: Any, images: torch.Tensor, *others: Any, **how: Any) -> torch.Tensor:
        # The median is from inside the image, whatever the padding of the crop; noise moves it by 2 at most.
        seen.update(((255 * images.flatten(1).median(1).values + 3) // 6).int().tolist())
        return update(model, images, *others, **how)

    monkeypatch.setattr(bench.core.train, "update", noticing)
    record_of(two_layers, tmp_path, *stack, steps=60, evaluate_every=100)
    data = Levels().load(tmp_path).train
    held_out = torch.cat(HALF.hold_out(data, Session(0, CPU))).tolist()
    assert seen == set(range(40)) - set(held_out)


def test_each_look_counts_what_is_right_on_both_versions_of_each_part(
    two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[ImageDataset] = []

    def counting(model: Any, data: ImageDataset) -> int:
        shown.append(data)
        return len(shown)

    monkeypatch.setattr(bench.core.train, "right_of", counting)
    history = record_of(two_layers, tmp_path, HALF, Median())["history"]
    assert history["step"] == [2, 4, 6]
    assert history["validation_clean"] == [[*range(start, start + 10)] for start in (1, 21, 41)]
    assert history["validation_protected"] == [[*range(start, start + 10)] for start in (11, 31, 51)]
    data = Levels().load(tmp_path).train
    for part, clean, protected in zip(HALF.hold_out(data, Session(0, CPU)), shown[:10], shown[10:20], strict=True):
        assert torch.equal(clean.images, data.images[part])
        assert torch.equal(clean.labels, protected.labels)
        change = (protected.images.short() - clean.images).abs()  # noise and no filter
        assert 0 < change.max() <= 2


def test_the_counts_are_of_right_predictions(two_layers: str, tmp_path: Path) -> None:
    history = record_of(two_layers, tmp_path, HALF)["history"]
    for name in ("validation_clean", "validation_protected"):
        assert all(0 <= right <= 2 for look in history[name] for right in look)
        assert all(0 < sum(look) < 20 for look in history[name])


def test_without_the_attack_a_record_says_nothing_of_it(two_layers: str, tmp_path: Path) -> None:
    history = record_of(two_layers, tmp_path, Plain())["history"]
    assert list(history) == ["step", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]


MADE_UP = {
    "step": [100, 200, 300, 400, 500],
    "test_accuracy": [0.3, 0.5, 0.4, 0.2, 0.1],
    "validation_clean": [[4, 4], [6, 5], [5, 5], [3, 2], [1, 1]],
    "validation_protected": [[5, 5], [7, 7], [8, 8], [9, 8], [9, 9]],
}


@pytest.mark.parametrize(
    ("patience", "share", "expected"),
    [
        (100, 1, Stopping(300, 0.4, 200, 0.5)),  # 8 11 10
        (101, 1, Stopping(400, 0.2, 200, 0.5)),  # the look at 300 is too early by one step
        (300, 1, Stopping(500, 0.1, 200, 0.5)),
        (10_000, 1, Stopping(500, 0.1, 200, 0.5)),  # more than the training has
        (100, 0, Stopping(500, 0.1, 500, 0.1)),  # 10 14 16 17 18: better at every look
        (100, 0.5, Stopping(300, 0.4, 200, 0.5)),  # 9 13 13 11 10: as good is not better
        (0, 0, Stopping(100, 0.3, 100, 0.3)),
    ],
)
def test_training_stops_when_the_best_look_is_so_many_steps_old(
    patience: int, share: float, expected: Stopping
) -> None:
    assert stopping(MADE_UP, patience, share) == expected


def test_a_share_between_two_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.3 is no whole number of 2 parts"):
        stopping(MADE_UP, 100, 0.3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two trainings of 500 steps under early stopping, one missing; plain training beside them."""
    records = Store(tmp_path / "results")
    place = {"dataset": "cifar10", "model": "cnn", "method": "sem", "control": False, "release": False}
    place |= {"assumes": [], "own_controls": []}
    paper = {"dataset": "cifar10", "model": "cnn", "method": {"name": "sem"}, "attacks": [{"name": "none"}]}
    plan = {
        "grid": "table5",
        "title": "Table 5",
        "about": "",
        "scale": {"name": "small", "about": "", "changes": {}},
        "set": {},
        "titles": {"sem": "SEM", "none": "none", "early_stopping": "early stopping"},
        "conditions": [
            {**place, "attack": "none", "paper": paper, "cells": ["plain"]},
            {**place, "attack": "early_stopping", "paper": paper, "cells": ["one", "two", "three"]},
        ],
    }
    records.write_plan("table5-small", plan)
    other = {**MADE_UP, "test_accuracy": [0.3, 0.7, 0.4, 0.2, 0.3]}
    plain = {"step": [500], "test_accuracy": [0.1]}
    for key, history in {"one": MADE_UP, "two": other, "plain": plain}.items():
        records.write(key, finished(key, history))
    return records


def finished(key: str, history: Record) -> Record:
    origin = {"commit": "", "device": "cpu", "processor": "", "system": "", "precision": "", "threads": 1}
    return {
        "key": key,
        "status": "finished",
        "result": {"final_accuracy": 0.1, "peak_accuracy": 0.5, "train_accuracy": 1.0},
        "history": history,
        "cost": {"train_passes": 1.0, "noise_passes": 1.0},
        "noise": {"key": "n", "size": {"linf": 0.0, "psnr": 31.0}},
        "time": {"noise_seconds": 1.0, "train_seconds": 1.0, "ended": "2026-11-22T13:37:35+00:00"},
        "provenance": {**origin, "versions": {}},
    }


def test_the_report_has_a_table_of_restored_accuracies(store: Store) -> None:
    write_report(store)
    markdown = (store.root / "report" / "table5-small.md").read_text()
    [head] = [line for line in markdown.splitlines() if "clean share" in line and line.startswith("|")]
    assert head == (
        "| method | attack | clean share | patience 18.75 | patience 37.5 | patience 62.5 | patience 125 "
        "| patience 187.5 | patience 250 | final | peak |"
    )
    first = "| SEM (2 of 3 seeds) | early stopping | "
    rows = [line.removeprefix(first) for line in markdown.splitlines() if line.startswith(first)]
    assert [row.split(" | ")[0] for row in rows] == ["0 %", "50 %", "100 %"]  # the others are between two parts
    assert rows[0].startswith("0 % | 20.0 ± 127.1 | ")  # of 0.1 and 0.3, the last looks
    assert rows[0].endswith("| 20.0 | 60.0 |")
    page = (store.root / "report" / "index.html").read_text()
    assert "<td>60.0 ± 127.1</td>" in page  # of 0.5 and 0.7
    assert "table5-small-early-stopping.csv" in page


def test_the_csv_holds_every_patience_and_share(store: Store) -> None:
    write_report(store)
    with (store.root / "report" / "table5-small-early-stopping.csv").open() as stream:
        rows = {(float(row["clean_share"]), float(row["patience"])): row for row in csv.DictReader(stream)}
    assert len(rows) == 3 * 6
    row = rows[1.0, 187.5]
    assert (row["stopping_step"], row["restored_step"]) == ("400.0", "200.0")
    assert (row["restored_accuracy"], row["stopped_accuracy"]) == ("0.6", "0.2")
    assert (row["final_accuracy"], row["peak_accuracy"]) == ("0.2", "0.6")
    assert (row["finished"], row["seeds_planned"]) == ("2", "3")


def test_a_plan_without_early_stopping_has_no_such_table(store: Store) -> None:
    plan = json.loads((store.root / "plans" / "table5-small.json").read_text())
    store.write_plan("table5-small", plan | {"conditions": plan["conditions"][:1]})
    write_report(store)
    assert not list((store.root / "report").glob("*early*"))
    assert "Early stopping" not in (store.root / "report" / "index.html").read_text()
