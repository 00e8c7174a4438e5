"""The best response, computed from made-up records."""

import csv
from pathlib import Path

import pytest

from analysis.best_response import sections
from analysis.report import write_report
from analysis.results import Results
from analysis.sections import Section
from bench.store import Record, Store
from tests.analysis.conftest import Accuracies, results_of, texts
from tests.analysis.test_early_stopping import STOPPED

ATTACKS = [f"attack{number}" for number in range(6)]


def section_of(results: Results) -> Section:
    [section] = sections(results)
    return section


def table_of(results: Results) -> list[list[str]]:
    return texts(section_of(results).table)


def responses(results: Results) -> list[Record]:
    return section_of(results).numbers


def many(method: str, plain: float, *others: float | None) -> Accuracies:
    """Accuracies under no attack and under six others."""
    runs: Accuracies = {(method, "none"): [plain]}
    return runs | {(method, attack): [accuracy] for attack, accuracy in zip(ATTACKS, others, strict=True)}


def test_the_best_response_is_the_attack_that_recovers_most_and_the_strongest_protection_comes_first(
    tmp_path: Path,
) -> None:
    runs = many("clean", 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8)
    runs |= many("random", 0.85, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7)
    runs |= many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    runs |= many("sem", 0.3, 0.2, 0.6, 0.6, 0.1, 0.1, None)
    results = results_of(tmp_path, runs)
    assert table_of(results) == [
        ["method", "no attack", "best attack that assumes nothing", "accuracy", "recovered", "of the best on clean"],
        ["clean", "90.0", "none or attack 0", "90.0", "100.0", "100.0"],
        ["random", "85.0", "none", "85.0", "94.4", "94.4"],
        ["SEM", "30.0", "attack 1 or attack 2", "60.0", "75.0", "66.7"],
        ["EM", "10.0", "attack 1", "70.0", "87.5", "77.8"],
    ]
    write_report(Store(tmp_path))
    missing = "Without a result, and left out: attack 5 on SEM."
    for name in ("g-small.md", "index.html"):
        assert missing in (tmp_path / "report" / name).read_text()
    with (tmp_path / "report" / "g-small-best-response.csv").open() as stream:
        rows = {row["method"]: row for row in csv.DictReader(stream)}
    assert (rows["sem"]["free_accuracy"], rows["sem"]["free_recovered"], rows["sem"]["any_accuracy"]) == (
        "0.6",
        "0.75",
        "0.6",
    )


def test_a_best_response_over_several_seeds_has_an_interval(tmp_path: Path) -> None:
    three = [0.1, 0.2, 0.3]  # Student's 4.30 times 0.1 over the root of 3
    runs: Accuracies = {("em", "none"): three, ("em", "attack0"): [share + 0.5 for share in three]}
    runs |= {("em", attack): three for attack in ATTACKS[1:]}
    results = results_of(tmp_path, runs)
    assert table_of(results)[1][1:4] == ["20.0 ± 24.8", "attack 0", "70.0 ± 24.8"]
    [row] = responses(results)
    assert (row["no_attack_half_width"], row["free_accuracy_half_width"]) == (0.248414, 0.248414)
    write_report(Store(tmp_path))
    assert "70.0 ± 24.8" in (tmp_path / "report" / "g-small.md").read_text()


def test_a_method_without_any_result_comes_last(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    empty: Accuracies = {("sem", attack): [None] for attack in ("none", *ATTACKS)}
    table = table_of(results_of(tmp_path, empty | runs))
    assert [row[0] for row in table] == ["method", "EM", "SEM"]
    assert table[2][1:] == ["–"] * 5  # noqa: RUF001


@pytest.mark.parametrize(
    ("best", "says", "interval"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], "-1.00", "-1.00 to -1.00."),
        ([0.5, 0.7, 0.6, 0.8, 0.9], "0.90", "0.05 to 0.99."),
        ([0.5, 0.9, 0.6, 0.7, 0.8], "0.40", "-0.76 to 0.95; that decides nothing."),
    ],
)
def test_the_rank_correlation_of_no_attack_and_best_response_is_over_the_protections_alone(
    tmp_path: Path, best: list[float], says: str, interval: str
) -> None:
    methods = [("em", f"radius={number}/255") for number in range(5)]
    accuracies: Accuracies = {("clean", "none"): [0.95], ("random", "none"): [0.01]}
    for number, (name, radius) in enumerate(methods):
        accuracies[f"{name} {radius}", "none"] = [0.1 + 0.05 * number]
        accuracies |= {(f"{name} {radius}", f"attack{attack}"): [best[number] - 0.01 * attack] for attack in range(6)}
    [sentence] = section_of(results_of(tmp_path, accuracies)).remarks
    assert f"is {says} over 5 methods, its 95 % interval {interval}" in sentence
    few = {key: runs for key, runs in accuracies.items() if "4/255" not in key[0]}
    assert section_of(results_of(tmp_path / "few", few)).remarks == []


def test_what_no_trainer_can_choose_and_what_is_there_to_compare_with_is_no_best_response(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    runs |= {("em", "partial"): [0.9], ("em", "attack1 turn=random"): [0.8]}
    own_controls = [{"method": "em", "attack": "attack1 turn=random"}]
    results = results_of(tmp_path, runs, own_controls={("em", "attack1"): own_controls})
    assert [row["any_attack"] for row in responses(results)] == ["attack 1"]


def test_few_different_attacks_have_no_best_response(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    del runs["em", ATTACKS[0]]
    radii: Accuracies = {("em", f"pgd radius={radius}/255"): [0.1] for radius in range(9)}
    clean_only: Accuracies = {("clean", f"jpeg + {attack}"): [0.1] for attack in ATTACKS}
    assert not sections(results_of(tmp_path, {("em", "none"): [0.1], **radii}))
    assert not sections(results_of(tmp_path, runs | clean_only))  # five attacks are met by a method
    assert responses(results_of(tmp_path, runs | radii))


def test_early_stopping_is_an_attack_for_each_clean_share_and_assumes_nothing_without_clean_images(
    tmp_path: Path,
) -> None:
    runs = many("clean", 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8) | many("em", 0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.25)
    stopping: Accuracies = {("clean", "early_stopping"): [0.9], ("em", "early_stopping"): [0.99]}
    results = results_of(
        tmp_path, runs | stopping, clean=STOPPED | {"test_accuracy": [0.4, 0.8, 0.85, 0.9]}, em=STOPPED
    )
    # Best looks: clean share 0 the last (7 right), 50 % the second (5 as well as the third), 100 % the second (6).
    row = responses(results)[-1]
    assert (row["free_attack"], row["free_accuracy"]) == ("attack 1 or attack 2 or attack 3 or attack 4", 0.3)
    assert row["any_attack"] == "early stopping, 50 % clean or early stopping, 100 % clean"
    assert (row["any_accuracy"], row["any_recovered"], row["any_assumes"]) == (0.5, 0.625, "clean images")
    table = table_of(results)
    assert table[0][6:] == ["best attack of all", "accuracy", "recovered", "of the best on clean"]
    assert table[-1][2:6] == ["attack 1 or attack 2 or attack 3 or attack 4", "30.0", "37.5", "33.3"]
    assert table[-1][7:] == ["50.0", "62.5", "55.6"]
    lower = many("em", 0.1, 0.15, 0.1, 0.1, 0.1, 0.1, 0.1)
    row = responses(results_of(tmp_path, lower | stopping, em=STOPPED))[-1]
    assert (row["free_attack"], row["free_accuracy"]) == ("early stopping, 0 % clean", 0.2)
