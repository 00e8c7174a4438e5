"""The best response, computed from made-up records."""

import csv
from pathlib import Path

import pytest

from analysis.best_response import sections
from analysis.reading.records import read_results
from analysis.reading.results import Results
from analysis.report import write_report
from analysis.writing.sections import Section
from bench.store import Record, Store
from tests.analysis.conftest import Accuracies, at_chance, results_of, texts
from tests.analysis.test_early_stopping import STOPPED

ATTACKS = [f"attack{number}" for number in range(6)]


def section_of(results: Results) -> Section:
    [section] = sections(results)
    return section


def table_of(results: Results) -> list[list[str]]:
    return texts(section_of(results).table)


def columns(results: Results, *names: str) -> list[list[str]]:
    """Some columns of the table, the first ones of these names."""
    head, *rows = table_of(results)
    places = [head.index(name) for name in names]
    return [[row[place] for place in places] for row in rows]


def responses(results: Results) -> list[Record]:
    return section_of(results).numbers


def many(method: str, plain: float, *others: float | None) -> Accuracies:
    """Accuracies under no attack and under six others."""
    runs: Accuracies = {(method, "none"): [plain]}
    return runs | {(method, attack): [accuracy] for attack, accuracy in zip(ATTACKS, others, strict=True)}


def seven_attacks() -> Accuracies:
    """Two controls and two methods, of which one lacks its last attack."""
    runs = many("clean", 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8)
    runs |= many("random", 0.85, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7)
    runs |= many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    return runs | many("sem", 0.3, 0.2, 0.6, 0.6, 0.1, 0.1, None)


def test_the_best_response_is_the_attack_that_recovers_most_and_the_strongest_protection_comes_first(
    tmp_path: Path,
) -> None:
    results = results_of(tmp_path, seven_attacks())
    best = "best attack that assumes nothing"
    head = ["method", "rank", "group", "attacks", "no attack", best]
    assert table_of(results)[0] == [*head, "accuracy", "correction", "recovered", "of the best on clean"]
    assert columns(results, "method", "no attack", best, "accuracy", "recovered", "of the best on clean") == [
        ["clean", "90.0", "none or attack 0", "90.0", "100.0", "100.0"],
        ["random", "85.0", "none", "85.0", "94.4", "94.4"],
        ["EM", "10.0", "attack 1", "70.0", "87.5", "77.8"],
        ["SEM", "30.0", "attack 1 or attack 2", "≥ 60.0", "75.0", "≥ 66.7"],
    ]
    assert columns(results, "rank", "group", "attacks", "correction") == [
        ["", "", "7 of 7", "–"],  # noqa: RUF001
        ["", "", "7 of 7", "–"],  # noqa: RUF001
        ["1", "–", "7 of 7", "–"],  # noqa: RUF001
        ["–", "–", "6 of 7", "–"],  # noqa: RUF001
    ]


def test_every_file_of_a_report_says_what_the_best_response_lacks(tmp_path: Path) -> None:
    results_of(tmp_path, seven_attacks())
    write_report(Store(tmp_path))
    for name in ("g-small.md", "index.html"):
        text = (tmp_path / "report" / name).read_text().replace("\\", "")
        assert "Without a result, and left out: attack 5 on SEM." in text
        assert "Apart, without a rank, because attacks are missing: SEM (6 of 7)." in text
        assert "one victim of a noise chooses the best attack and values it, so no correction is possible" in text
        assert "≥ 60.0" in text
    assert r"$\geq$ 60.0" in (tmp_path / "report" / "g-small.tex").read_text()
    with (tmp_path / "report" / "g-small-best-response.csv").open() as stream:
        rows = {row["method"]: row for row in csv.DictReader(stream)}
    assert (rows["sem"]["free_accuracy"], rows["sem"]["free_recovered"], rows["sem"]["any_accuracy"]) == (
        "0.6",
        "0.75",
        "0.6",
    )
    names = ("rank", "group", "free_complete", "free_tried", "free_attacks")
    assert [[rows[method][name] for name in names] for method in ("em", "sem")] == [
        ["1.0", "", "True", "7", "7"],
        ["", "", "False", "6", "7"],
    ]


def test_a_best_response_over_several_seeds_has_an_interval(tmp_path: Path) -> None:
    three = [0.1, 0.2, 0.3]  # Student's 4.30 times 0.1 over the root of 3
    runs: Accuracies = {("em", "none"): three, ("em", "attack0"): [share + 0.5 for share in three]}
    runs |= {("em", attack): three for attack in ATTACKS[1:]}
    results = results_of(tmp_path, runs)
    best = "best attack that assumes nothing"
    assert columns(results, "no attack", best, "accuracy", "correction") == [
        ["20.0 ± 24.8", "attack 0", "70.0 ± 30.4", "0.0"]  # of two seeds, which value: times the root of 3 / 2
    ]
    [row] = responses(results)
    assert (row["no_attack_half_width"], row["free_accuracy_half_width"]) == (0.248414, 0.304243)
    write_report(Store(tmp_path))
    assert "70.0 ± 30.4" in (tmp_path / "report" / "g-small.md").read_text()


def test_a_method_without_any_result_comes_last(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    empty: Accuracies = {("sem", attack): [None] for attack in ("none", *ATTACKS)}
    table = table_of(results_of(tmp_path, empty | runs))
    assert [row[0] for row in table] == ["method", "EM", "SEM"]
    assert table[2][1:] == ["–", "–", "0 of 7", *["–"] * 6]  # noqa: RUF001


@pytest.mark.parametrize(
    ("best", "says", "interval"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], "-1.00", "-1.00 to -0.05."),  # as if one swap were missing: 0.90
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
    sentence, _ = section_of(results_of(tmp_path, accuracies)).remarks
    assert f"is {says} over 5 methods, its 95 % interval {interval}" in sentence
    few = {key: runs for key, runs in accuracies.items() if "4/255" not in key[0]}
    [seeds] = section_of(results_of(tmp_path / "few", few)).remarks
    assert "rank correlation" not in seeds


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
    stopping: Accuracies = {("clean", "early_stopping"): [0.9], ("em", "early_stopping"): [0.2]}
    clean = STOPPED | {"test_accuracy": [0.4, 0.8, 0.85, 0.9]}
    results = results_of(tmp_path, runs | stopping, clean=clean, em=STOPPED)
    # Best looks: clean share 0 the last (7 right), 50 % the second (5 as well as the third), 100 % the second (6).
    row = responses(results)[-1]
    assert (row["free_attack"], row["free_accuracy"]) == ("attack 1 or attack 2 or attack 3 or attack 4", 0.3)
    assert row["any_attack"] == "early stopping, 50 % clean or early stopping, 100 % clean"
    assert (row["any_accuracy"], row["any_recovered"], row["any_assumes"]) == (0.5, 0.625, "clean images")
    table = table_of(results)
    assert table[0][10:] == ["best attack of all", "accuracy", "correction", "recovered", "of the best on clean"]
    assert table[-1][5:10] == ["attack 1 or attack 2 or attack 3 or attack 4", "30.0", "–", "37.5", "33.3"]  # noqa: RUF001
    assert table[-1][11:] == ["50.0", "–", "62.5", "55.6"]  # noqa: RUF001
    unfinished = many("sem", 0.1, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3) | {("sem", "early_stopping"): [None]}
    row = responses(results_of(tmp_path / "part", runs | stopping | unfinished, em=STOPPED, clean=clean))[-1]
    assert [row[f"{half}_{name}"] for half in ("free", "any") for name in ("tried", "attacks")] == [7, 8, 7, 10]
    lower = many("em", 0.1, 0.15, 0.1, 0.1, 0.1, 0.1, 0.1)
    row = responses(results_of(tmp_path, lower | stopping, em=STOPPED))[-1]
    assert (row["free_attack"], row["free_accuracy"]) == ("early stopping, 0 % clean", 0.2)


def test_methods_that_cannot_be_told_apart_are_one_group_in_table_and_file(tmp_path: Path) -> None:
    plain: Accuracies = {(method, attack): [0.1] * 3 for method in ("em", "sem", "pgd") for attack in ATTACKS}
    em, sem, pgd = [0.5, 0.52, 0.51], [0.51, 0.5, 0.53], [0.8, 0.83, 0.81]
    runs = plain | {("em", "attack0"): em, ("sem", "attack0"): sem, ("pgd", "attack0"): pgd}
    results = results_of(tmp_path, runs)
    assert columns(results, "method", "rank", "group") == [
        ["EM", "1 (1 to 2)", "1"],
        ["SEM", "2 (1 to 2)", "1"],
        ["PGD", "3 (3 to 3)", "2"],
    ]
    assert [(row["rank_low"], row["rank_high"], row["group"]) for row in responses(results)] == [
        (1, 2, 1),
        (1, 2, 1),
        (3, 3, 2),
    ]
    seen = [line for line in section_of(results).remarks if "smallest difference" in line]
    assert len(seen) == 1


def test_a_victim_that_never_left_chance_is_no_protection(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.9, 0.7, 0.3, 0.3, 0.3, 0.3)
    runs = {**runs, ("em", "attack0"): [0.1]}
    results = results_of(tmp_path, runs)
    place = next(one for one in results.conditions if one.label["attack"] == "attack0")
    results.conditions[results.conditions.index(place)] = at_chance(place)
    [row] = responses(results)
    assert (row["free_attack"], row["free_tried"], row["free_complete"]) == ("attack 1", 7, True)
    assert any(line.startswith("Left out, collapsed: neither training") for line in section_of(results).remarks)


def test_a_method_with_one_attack_stands_below_all_complete_ones_in_the_committed_records() -> None:
    store = Store(Path("results"))
    results = read_results("contenders-long", store.plans()["contenders-long"], store)
    rows = [row for row in responses(results) if not row["control"]]
    complete = [row["free_complete"] for row in rows]
    assert complete == sorted(complete, reverse=True)
    assert all((row["rank"] is not None) == row["free_complete"] for row in rows)
