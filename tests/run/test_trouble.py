"""Failures of a cell are its result; failures of the place are not."""

from dataclasses import replace

import pytest

from bench.core.datasets import Cifar10
from bench.grid.cell import Choice
from bench.run.workplace import Workplace
from tests.builders import cell
from tests.run.cells import FullDisk, Unwell, carry_out, statuses


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("exit", "SystemExit: 3"),
        ("half of a surrogate pair", "RuntimeError: \\ud800"),
        ("nan", "ValueError: notes: loss: a number is not finite or too large: nan"),
    ],
)
def test_whatever_a_cell_does_is_its_result_and_stops_no_other(kind: str, reason: str, place: Workplace) -> None:
    cells = [cell(Unwell(kind=kind)), cell()]
    carry_out(cells, place)
    assert statuses(cells, place) == ["failed", "finished"]
    record = place.store.read(cells[0].key)
    assert record
    assert record["error"].startswith(reason)


@pytest.mark.parametrize("lr", [1e18, 1e38])
def test_a_loss_that_is_not_finite_fails_its_cell(lr: float, place: Workplace) -> None:
    wild = cell(lr=lr)
    carry_out([wild, cell()], place)
    record = place.store.read(wild.key)
    assert record
    assert record["status"] == "failed"
    assert record["error"].startswith("DivergedError: the t")


def test_a_full_disk_stops_the_run_keeps_no_failure_and_the_next_run_goes_on(place: Workplace) -> None:
    full = place.data_root / "full"
    full.touch()
    cells = [cell(FullDisk(file=str(full))), cell(FullDisk(file=str(full)), seed=1), cell(), cell(seed=1)]
    outcomes = carry_out(cells, place)
    assert statuses(cells, place) == ["missing", "missing", "finished", "missing"]  # one cell comes before all noise
    [trouble] = [outcome.trouble for outcome in outcomes if outcome.trouble]
    assert trouble.message.startswith("[Errno 28] No space left on device; free some space for ")
    full.unlink()
    carry_out(cells, place)
    assert statuses(cells, place) == ["finished"] * 4


def test_a_data_set_that_is_gone_stops_its_own_cells_alone(place: Workplace) -> None:
    lost = [replace(cell(seed=seed), dataset=Choice("cifar10", Cifar10(train_images=20))) for seed in range(2)]
    cells = [*lost, cell()]
    outcomes = carry_out(cells, place)
    assert statuses(cells, place) == ["missing", "missing", "finished"]
    [trouble] = [outcome.trouble for outcome in outcomes if outcome.trouble]
    assert trouble.message.startswith(f"data set not readable in {place.data_root} (Dataset not found or corrupted.")
    assert trouble.message.endswith("; see --data-root")


@pytest.mark.parametrize("blocked", ["locks/{}.lock", "cells/.{}.json.partial"])
def test_a_folder_in_the_place_of_a_file_stops_its_own_cell_alone(blocked: str, place: Workplace) -> None:
    cells = [cell(seed=seed) for seed in range(3)]
    folder = place.store.root / blocked.format(cells[1].key)
    folder.mkdir(parents=True)
    outcomes = carry_out(cells, place)
    assert statuses(cells, place) == ["finished", "missing", "finished"]
    [trouble] = [outcome.trouble for outcome in outcomes if outcome.trouble]
    assert trouble.message.endswith(f"'{folder}'; move this folder away: it is in the place of a file")
    folder.rmdir()
    carry_out(cells, place)
    assert statuses(cells, place) == ["finished"] * 3


def test_a_results_folder_that_cannot_be_written_stops_the_run(place: Workplace) -> None:
    cells = [cell(seed=seed) for seed in range(3)]
    place.store.root.mkdir()
    (place.store.root / "cells").touch()  # a file in the place of the folder
    [outcome] = carry_out(cells, place)
    assert outcome.trouble
    assert "or choose another --results" in outcome.trouble.message
    (place.store.root / "cells").unlink()
    carry_out(cells, place)
    assert statuses(cells, place) == ["finished"] * 3
