"""Early stopping: where a patient trainer stops, and what a report says of it."""

import csv
from pathlib import Path

import pytest

from analysis.reading.stopping import Stopping, stopping
from analysis.report import write_report
from bench.store import Store
from tests.analysis.conftest import Accuracies, keep, markdown_of, record, results_of

STOPPED = {
    "step": [2, 4, 6, 8],
    "test_accuracy": [0.3, 0.5, 0.95, 0.2],
    "validation_clean": [[1, 1], [3, 3], [2, 2], [0, 0]],
    "validation_protected": [[1, 1], [2, 2], [2, 3], [3, 4]],
}
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
    other = {**MADE_UP, "test_accuracy": [0.3, 0.7, 0.4, 0.2, 0.3]}
    results_of(tmp_path, {("sem", "none"): [0.1], ("sem", "early_stopping"): [0.1, 0.1, None]}, sem=MADE_UP)
    store = Store(tmp_path)
    keep(store, "sem-early_stopping-1", record(0.3, looks=other))
    return store


def test_the_report_has_a_table_of_restored_accuracies(store: Store) -> None:
    write_report(store)
    markdown = markdown_of(store.root)
    [head] = [line for line in markdown.splitlines() if "clean share" in line and line.startswith("|")]
    assert head == (
        "| method | attack | clean share | patience 18.75 | patience 37.5 | patience 62.5 | patience 125 "
        "| patience 187.5 | patience 250 | final | peak |"
    )
    first = "| SEM (2 of 3 seeds) | early stopping | "
    rows = [line.removeprefix(first) for line in markdown.splitlines() if line.startswith(first)]
    assert [row.split(" | ")[0] for row in rows] == ["0 %", "50 %", "100 %"]  # the others are between two parts
    assert rows[0].startswith("0 % | 20.0 ± 127.1 | ")  # of 0.1 and 0.3, the last looks
    assert rows[0].endswith("| 20.0 ± 127.1 | 60.0 ± 127.1 |")
    assert "| 60.0 ± 127.1 |" in rows[2]  # of 0.5 and 0.7
    assert "g-small-early-stopping.csv" in (store.root / "report" / "index.html").read_text()


def test_the_csv_holds_every_patience_and_share(store: Store) -> None:
    write_report(store)
    with (store.root / "report" / "g-small-early-stopping.csv").open() as stream:
        rows = {(float(row["clean_share"]), float(row["patience"])): row for row in csv.DictReader(stream)}
    assert len(rows) == 3 * 6
    row = rows[1.0, 187.5]
    assert (row["stopping_step"], row["restored_step"]) == ("400.0", "200.0")
    assert (row["restored_accuracy"], row["stopped_accuracy"]) == ("0.6", "0.2")
    assert (row["final_accuracy"], row["peak_accuracy"]) == ("0.2", "0.6")
    assert (row["finished"], row["seeds_planned"]) == ("2", "3")


def test_trainings_with_other_parts_share_what_all_of_them_can_tell(store: Store) -> None:
    parts = {name: [[1]] * 5 for name in ("validation_clean", "validation_protected")}
    keep(store, "sem-early_stopping-2", record(0.1, looks={**MADE_UP, **parts}))
    write_report(store)
    with (store.root / "report" / "g-small-early-stopping.csv").open() as stream:
        assert {row["clean_share"] for row in csv.DictReader(stream)} == {"0.0", "1.0"}  # no longer half


def test_a_plan_without_early_stopping_has_no_such_table(store: Store) -> None:
    plan = store.plans()["g-small"]
    store.write_plan("g-small", plan | {"conditions": plan["conditions"][:1]})
    write_report(store)
    assert not list((store.root / "report").glob("*early*"))
    assert "Early stopping" not in (store.root / "report" / "index.html").read_text()


def test_attacks_that_assume_something_can_be_left_out_everywhere_and_the_report_says_so(tmp_path: Path) -> None:
    runs: Accuracies = {("em", "none"): [0.1], ("em", "early_stopping"): [0.2]}
    runs["em", "partial"] = [0.7]
    results = results_of(tmp_path, runs, ("clean images", "clean pairs"), em=STOPPED)
    assert [condition.label["attack"] for condition in results.conditions] == ["none", "early_stopping"]
    assert (len(results.cells), len(results.records)) == (2, 2)
    write_report(Store(tmp_path), ["clean images", "clean pairs"])
    markdown = markdown_of(tmp_path)
    assert (
        "- **Left out:** attacks that assume clean images: partial poisoning, early stopping with clean images; "
        "attacks that assume clean pairs: none in this grid\n"
    ) in markdown
    rows = [row for row in markdown.split("## ")[2].splitlines() if row.startswith("| EM")]
    assert ["| 0 % |" in row for row in rows] == [True]  # the one that needs no clean images
    assert (
        "attacks that assume clean images: partial poisoning, early stopping with clean images"
        in (tmp_path / "report" / "index.html").read_text()
    )
    write_report(Store(tmp_path))
    assert "Left out" not in markdown_of(tmp_path)
