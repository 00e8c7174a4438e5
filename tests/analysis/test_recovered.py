"""Every cell against its own control."""

import csv
from pathlib import Path

import pytest

from analysis.numbers.estimates import estimate
from analysis.reading.results import Results
from analysis.recovered import sections
from analysis.report import write_report
from bench.store import Store
from tests.analysis.conftest import Accuracies, markdown_of, results_of, texts


def recovered(results: Results) -> dict[tuple[str, str], float | None]:
    shares = {}
    for condition in results.conditions:
        share = condition.estimates["recovered"]
        shares[condition.label["method"], condition.label["attack"]] = share and share.mean
    return shares


def test_a_cell_is_read_against_the_same_attack_on_clean_images_over_the_same_seeds(tmp_path: Path) -> None:
    results = results_of(
        tmp_path,
        {
            ("clean", "none"): [0.8, 0.9, None],
            ("clean", "pgd"): [0.5, 0.5, 0.5],
            ("em", "none"): [0.2, None, 0.7],
            ("em", "pgd"): [0.3, 0.4, 0.5],
            ("em", "jpeg"): [0.3, 0.4, 0.5],
        },
    )
    assert recovered(results) == {
        ("clean", "none"): 1.0,
        ("clean", "pgd"): 1.0,
        ("em", "none"): pytest.approx(0.2 / 0.8),  # the one seed that both have
        ("em", "pgd"): pytest.approx(0.4 / 0.5),
        ("em", "jpeg"): None,  # no control
    }
    control = results.conditions[2].estimates["control_accuracy"]
    assert control is not None
    assert (control.mean, control.count) == (0.8, 1)


def test_the_table_of_shares_has_no_clean_row_and_no_columns_of_its_own_controls(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("clean", "none"): [0.8],
        ("clean", "jpeg quality=1"): [0.4],
        ("random", "none"): [0.1],
        ("em", "none"): [0.2],
        ("sem", "none"): [None],
    }
    complete = runs | {("sem", "none"): [0.6]}
    [section] = sections(results_of(tmp_path / "complete", complete))
    assert [row.entries[1].best for row in section.table.rows] == [False, True, False]  # random protects nothing
    [section] = sections(results_of(tmp_path, runs))
    assert texts(section.table) == [["method", "none"], ["random", "12.5"], ["EM", "25.0"], ["SEM", "–"]]  # noqa: RUF001
    assert not any(row.entries[1].best for row in section.table.rows)  # SEM might be lower


def test_without_a_clean_row_there_is_no_table_of_shares(tmp_path: Path) -> None:
    assert not sections(results_of(tmp_path, {("em", "none"): [0.2]}))
    assert not sections(results_of(tmp_path, {("clean", "none"): [None], ("em", "none"): [0.2]}))


def test_more_than_on_clean_images_is_more_than_all_and_no_best(tmp_path: Path) -> None:
    [section] = sections(results_of(tmp_path, {("clean", "none"): [0.4], ("em", "none"): [0.6]}))
    [[_, entry]] = [row.entries for row in section.table.rows]
    assert (entry.text, entry.best) == ("150.0", False)


def test_the_report_holds_shares_on_the_page_in_markdown_and_in_the_csv(tmp_path: Path) -> None:
    results_of(tmp_path, {("clean", "none"): [0.8], ("em", "none"): [0.2]})
    write_report(Store(tmp_path))
    folder = tmp_path / "report"
    assert "| EM | **25.0** |" in markdown_of(tmp_path)
    assert "of what the same attack reaches on clean images" in (folder / "index.html").read_text()
    with (folder / "g-small.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["control_accuracy"], row["recovered"], row["control"]) for row in rows] == [
        ("0.8", "1.0", "True"),
        ("0.8", "0.25", "False"),
    ]


def test_what_is_best_is_told_by_accuracies(tmp_path: Path) -> None:
    runs: Accuracies = {("clean", "pgd"): [0.3, 0.31], ("em", "pgd"): [0.3, 0.29], ("sem", "pgd"): [0.31, 0.3]}
    [section] = sections(results_of(tmp_path / "alike", runs))
    assert not any(row.entries[1].best or row.entries[1].tied for row in section.table.rows)  # none is below clean
    runs = {("clean", "pgd"): [0.9, 0.91], ("em", "pgd"): [0.3, 0.29], ("sem", "pgd"): [0.6, 0.61]}
    [section] = sections(results_of(tmp_path, runs))
    assert [row.entries[1].best for row in section.table.rows] == [True, False]


def test_every_noise_is_read_against_the_same_clean_victims_and_noises_make_the_interval(tmp_path: Path) -> None:
    runs: Accuracies = {("clean", "pgd"): [0.4, 0.6], ("em", "pgd"): [0.2, 0.3, None, 0.5]}
    control = {("em", "pgd"): [{"method": "clean", "attack": "pgd"}]}
    _, em = results_of(tmp_path, runs, own_controls=control, noises={"em": 2}).conditions
    assert em.estimates["final_accuracy"] == estimate([0.25, 0.5])
    assert em.estimates["control_accuracy"] == estimate([0.4, 0.6])
    assert em.estimates["recovered"].mean == pytest.approx(0.375 / 0.55)  # of 0.5, and of 0.6 alone
    assert em.estimates["gained"].mean == pytest.approx((-0.25 - 0.1) / 2)  # -0.2 and -0.3, then -0.1 alone
    assert em.estimates["gained"].half_width == pytest.approx(estimate([-0.25, -0.1]).half_width)
