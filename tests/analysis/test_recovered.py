"""Every cell against its own control, the best response, and filters by assumption: computed from made-up records."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from analysis.best_response import remarks, response_table, responses
from analysis.conditions import Results, read_results
from analysis.costs import attack_costs
from analysis.gains import gained_tables
from analysis.labels import parse
from analysis.report import write_report
from analysis.tables import recovered_tables, tables_of
from bench.store import Record, Store, StoreError

TITLES = {
    "clean": "clean",
    "random": "random",
    "em": "EM",
    "sem": "SEM",
    "none": "none",
    "pgd": "PGD",
    "jpeg": "JPEG",
    "early_stopping": "early stopping",
    "partial": "partial poisoning",
}
ORIGIN = {"commit": "", "device": "cpu", "processor": "", "system": "", "precision": "", "threads": 1, "versions": {}}
Accuracies = dict[tuple[str, str], list[float | None]]
"""Final accuracies of the seeds by method and attack, None where missing."""


def record(key: str, accuracy: float, *, passes: float = 10.0, history: Record | None = None) -> Record:
    return {
        "key": key,
        "status": "finished",
        "result": {"final_accuracy": accuracy, "peak_accuracy": accuracy, "train_accuracy": 1.0},
        "history": history or {"step": [8], "test_accuracy": [accuracy]},
        "cost": {"train_passes": passes, "noise_passes": 0.0},
        "noise": {"key": key, "size": {"linf": 0.0, "psnr": 30.0}},
        "time": {"noise_seconds": 0.0, "train_seconds": 2 * passes, "ended": "2026-11-22T13:37:35+00:00"},
        "provenance": ORIGIN,
    }


def place(method: str, attack: str, seeds: int, **changes: Any) -> Record:
    attacks = [{"name": name, **settings} for name, settings in parse(attack)]
    names = [one["name"] for one in attacks]
    paper = {"dataset": "d", "model": "m", "method": {"name": method}, "attacks": attacks}
    return {
        **{"dataset": "d", "model": "m", "method": method, "attack": attack},
        "control": method in ("clean", "random"),
        "release": "partial" in names,
        "assumes": ["clean images"] if "partial" in names else [],
        "own_controls": [],
        "paper": paper,
        "cells": [f"{method}-{attack}-{seed}".replace(" ", "_").replace("/", "-") for seed in range(seeds)],
    } | changes


def results_of(
    folder: Path,
    accuracies: Accuracies,
    without: tuple[str, ...] = (),
    own_controls: Mapping[tuple[str, str], list[Record]] = MappingProxyType({}),
    **histories: Record,
) -> Results:
    store = Store(folder)
    places = [place(*pair, len(runs), own_controls=own_controls.get(pair, [])) for pair, runs in accuracies.items()]
    titles = TITLES | {f"attack{number}": f"attack {number}" for number in range(9)}
    scale = {"name": "small", "about": "", "changes": {}}
    plan = {"grid": "g", "title": "t", "about": "", "scale": scale, "set": {}, "titles": titles, "conditions": places}
    store.write_plan("g-small", plan)
    for one, runs in zip(places, accuracies.values(), strict=True):
        for key, accuracy in zip(one["cells"], runs, strict=True):
            if accuracy is not None:
                passes = 110.0 if "pgd" in one["attack"] else 10.0
                history = histories.get(one["method"]) if "early" in one["attack"] else None
                store.write(key, record(key, accuracy, passes=passes, history=history))
    return read_results("g-small", plan, store, without)


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
    [table] = recovered_tables(results_of(tmp_path, runs))
    assert [column.title for column in table.columns] == ["none"]
    texts = {heading.title: [(entry.text, entry.best) for entry in entries] for heading, entries in table.rows}
    assert texts == {
        "random": [("12.5", False)],  # the lowest, but nothing protects there
        "EM": [("25.0", True)],
        "SEM": [("–", False)],  # noqa: RUF001
    }


def test_without_a_clean_row_there_is_no_table_of_shares(tmp_path: Path) -> None:
    assert not recovered_tables(results_of(tmp_path, {("em", "none"): [0.2]}))
    assert not recovered_tables(results_of(tmp_path, {("clean", "none"): [None], ("em", "none"): [0.2]}))


def test_more_than_on_clean_images_is_more_than_all_and_no_best(tmp_path: Path) -> None:
    [table] = recovered_tables(results_of(tmp_path, {("clean", "none"): [0.4], ("em", "none"): [0.6]}))
    assert [(entry.text, entry.best) for _, [entry] in table.rows] == [("150.0", False)]


def test_the_report_holds_shares_on_the_page_in_markdown_and_in_the_csv(tmp_path: Path) -> None:
    results_of(tmp_path, {("clean", "none"): [0.8], ("em", "none"): [0.2]})
    write_report(Store(tmp_path))
    folder = tmp_path / "report"
    assert "| EM | **25.0** |" in (folder / "g-small.md").read_text()
    assert "of what the same attack reaches on clean images" in (folder / "index.html").read_text()
    with (folder / "g-small.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["control_accuracy"], row["recovered"], row["control"]) for row in rows] == [
        ("0.8", "1.0", "True"),
        ("0.8", "0.25", "False"),
    ]


ATTACKS = [f"attack{number}" for number in range(6)]


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
    assert response_table(results) == [
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
    assert response_table(results)[1][1:4] == ["20.0 ± 24.8", "attack 0", "70.0 ± 24.8"]
    [row] = responses(results)
    assert (row["no_attack_half_width"], row["free_accuracy_half_width"]) == (0.248414, 0.248414)
    write_report(Store(tmp_path))
    assert "70.0 ± 24.8" in (tmp_path / "report" / "index.html").read_text()


def test_a_method_without_any_result_comes_last(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    empty: Accuracies = {("sem", attack): [None] for attack in ("none", *ATTACKS)}
    table = response_table(results_of(tmp_path, empty | runs))
    assert [row[0] for row in table] == ["method", "EM", "SEM"]
    assert table[2][1:] == ["–"] * 5  # noqa: RUF001


@pytest.mark.parametrize(("best", "says"), [([0.9, 0.8, 0.7, 0.6, 0.5], "-1.00"), ([0.5, 0.7, 0.6, 0.8, 0.9], "0.90")])
def test_the_rank_correlation_of_no_attack_and_best_response_is_over_the_protections_alone(
    tmp_path: Path, best: list[float], says: str
) -> None:
    methods = [("em", f"radius={number}/255") for number in range(5)]
    accuracies: Accuracies = {("clean", "none"): [0.95], ("random", "none"): [0.01]}
    for number, (name, radius) in enumerate(methods):
        accuracies[f"{name} {radius}", "none"] = [0.1 + 0.05 * number]
        accuracies |= {(f"{name} {radius}", f"attack{attack}"): [best[number] - 0.01 * attack] for attack in range(6)}
    [sentence] = remarks(results_of(tmp_path, accuracies))
    assert f"is {says} over 5 methods" in sentence
    few = {key: runs for key, runs in accuracies.items() if "4/255" not in key[0]}
    assert remarks(results_of(tmp_path / "few", few)) == []


def test_what_no_trainer_can_choose_and_what_is_there_to_compare_with_is_no_best_response(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    runs |= {("em", "partial"): [0.9], ("em", "attack1 turn=random"): [0.8]}
    own_controls = [{"method": "em", "attack": "attack1 turn=random"}]
    results = results_of(tmp_path, runs, own_controls={("em", "attack1"): own_controls})
    assert [row["any_attack"] for row in responses(results)] == ["attack 1"]


def test_a_cell_is_also_read_against_the_strongest_control_that_its_attack_names(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("clean", "partial"): [0.8, 0.8],
        ("clean", "partial only=True"): [0.5, 0.6],
        ("em", "partial"): [0.6, 0.5],
        ("em", "jpeg"): [0.6, 0.4],
        ("em", "jpeg turn=random"): [0.1, None],
        ("em", "none"): [0.1, 0.1],
    }
    only_clean, random = (
        {"method": "clean", "attack": "partial only=True"},
        {"method": "em", "attack": "jpeg turn=random"},
    )
    own_controls = {("em", "partial"): [only_clean], ("em", "jpeg"): [random, only_clean]}
    results = results_of(tmp_path, runs, own_controls=own_controls)
    gained = {tuple(list(one.label.values())[2:]): one.estimates["gained"] for one in results.conditions}
    partial, jpeg = gained["em", "partial"], gained["em", "jpeg"]
    assert partial is not None
    assert partial.mean == pytest.approx(0.0)
    assert partial.half_width == pytest.approx(12.706 * 0.1, rel=1e-3)  # of 0.1 and -0.1, paired by seed
    assert jpeg is not None
    assert jpeg.mean == pytest.approx(-0.05)  # 0.6 - 0.5 and 0.4 - 0.6; the random turn is weaker
    assert [place for place, value in gained.items() if value] == [("em", "partial"), ("em", "jpeg")]
    write_report(Store(tmp_path))
    markdown = (tmp_path / "report" / "g-small.md").read_text()
    _, table = markdown.split("## Gained: d, m, scale small")
    assert "| method | partial poisoning | JPEG |" in table
    assert "- partial poisoning: against partial poisoning only" in table
    assert "- JPEG: against JPEG turn random" in table
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Gained over the control that the attack names, points" in page
    assert "JPEG: against JPEG turn random" in page
    assert "<td><strong>-5.0" in page  # a number like any other
    # Without clean images, what is left is read against the control that needs none.
    [jpeg] = [
        one
        for one in results_of(tmp_path, runs, ("clean images",), own_controls=own_controls).conditions
        if one.own_controls
    ]
    assert jpeg.estimates["gained"] is not None
    assert jpeg.estimates["gained"].mean == pytest.approx(0.5)


def test_early_stopping_is_compared_where_it_stops_and_its_column_says_that_it_is_of_the_end(tmp_path: Path) -> None:
    runs: Accuracies = {("clean", "partial only=True"): [0.4], ("em", "early_stopping"): [0.99]}
    own_controls = {("em", "early_stopping"): [{"method": "clean", "attack": "partial only=True"}]}
    results = results_of(tmp_path, runs, own_controls=own_controls, em=STOPPED)
    [table] = gained_tables(results)
    assert [column.title for column in table.columns] == [f"early stopping, {share} % clean" for share in (0, 50, 100)]
    assert [entry.text for entry in table.rows[0][1]] == ["-20.0", "10.0", "10.0"]
    [table] = tables_of(results)
    assert [column.title for column in table.columns] == ["partial poisoning only", "early stopping, to the end"]


def test_few_different_attacks_have_no_best_response(tmp_path: Path) -> None:
    runs = many("em", 0.1, 0.2, 0.7, 0.3, 0.3, 0.3, 0.3)
    del runs["em", ATTACKS[0]]
    radii: Accuracies = {("em", f"pgd radius={radius}/255"): [0.1] for radius in range(9)}
    clean_only: Accuracies = {("clean", f"jpeg + {attack}"): [0.1] for attack in ATTACKS}
    assert not responses(results_of(tmp_path, {("em", "none"): [0.1], **radii}))
    assert not responses(results_of(tmp_path, runs | clean_only))  # five attacks are met by a method
    assert responses(results_of(tmp_path, runs | radii))


STOPPED = {
    "step": [2, 4, 6, 8],
    "test_accuracy": [0.3, 0.5, 0.95, 0.2],
    "validation_clean": [[1, 1], [3, 3], [2, 2], [0, 0]],
    "validation_protected": [[1, 1], [2, 2], [2, 3], [3, 4]],
}


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
    table = response_table(results)
    assert table[0][6:] == ["best attack of all", "accuracy", "recovered", "of the best on clean"]
    assert table[-1][2:6] == ["attack 1 or attack 2 or attack 3 or attack 4", "30.0", "37.5", "33.3"]
    assert table[-1][7:] == ["50.0", "62.5", "55.6"]
    lower = many("em", 0.1, 0.15, 0.1, 0.1, 0.1, 0.1, 0.1)
    row = responses(results_of(tmp_path, lower | stopping, em=STOPPED))[-1]
    assert (row["free_attack"], row["free_accuracy"]) == ("early stopping, 0 % clean", 0.2)


def test_attacks_that_assume_something_can_be_left_out_everywhere_and_the_report_says_so(tmp_path: Path) -> None:
    runs: Accuracies = {("em", "none"): [0.1], ("em", "early_stopping"): [0.5]}
    runs["em", "partial"] = [0.7]
    results = results_of(tmp_path, runs, ("clean images", "clean pairs"), em=STOPPED)
    assert [condition.label["attack"] for condition in results.conditions] == ["none", "early_stopping"]
    assert (len(results.cells), len(results.records)) == (2, 2)
    write_report(Store(tmp_path), ["clean images", "clean pairs"])
    markdown = (tmp_path / "report" / "g-small.md").read_text()
    assert (
        "- **Left out:** attacks that assume clean images: partial poisoning, early stopping with clean images; "
        "attacks that assume clean pairs: none in this grid\n"
    ) in markdown
    rows = [row for row in markdown.split("## Early stopping")[1].splitlines() if row.startswith("| EM")]
    assert ["| 0 % |" in row for row in rows] == [True]  # the one that needs no clean images
    assert (
        "attacks that assume clean images: partial poisoning, early stopping with clean images"
        in (tmp_path / "report" / "index.html").read_text()
    )
    write_report(Store(tmp_path))
    assert "Left out" not in (tmp_path / "report" / "g-small.md").read_text()


def test_the_cost_of_an_attack_is_also_told_as_a_multiple_of_plain_training(tmp_path: Path) -> None:
    runs: Accuracies = {("em", "none"): [0.1], ("em", "pgd"): [0.5], ("sem", "pgd"): [0.5]}
    results = results_of(tmp_path, runs)
    assert attack_costs(results) == [
        ["attack", "passes", "times plain training", "seconds", "times plain training"],
        ["none", "10", "1.0", "20.0", "1.0"],
        ["PGD", "110", "11.0", "220.0", "11.0"],
    ]
    [_, line] = attack_costs(results_of(tmp_path, {("em", "pgd"): [0.5]}))
    assert line == ["PGD", "110", "–", "220.0", "–"]  # noqa: RUF001


@pytest.mark.parametrize("missing", ["titles", "control", "release", "assumes", "own_controls"])
def test_a_plan_of_an_earlier_version_says_how_to_write_it_anew(missing: str, tmp_path: Path) -> None:
    plan = results_of(tmp_path, {("em", "none"): [0.1]}).plan
    plan = {key: value for key, value in plan.items() if key != missing}
    plan["conditions"] = [{key: value for key, value in plan["conditions"][0].items() if key != missing}]
    Store(tmp_path).write_plan("g-small", plan)
    with pytest.raises(StoreError) as caught:
        write_report(Store(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/plans/g-small.json: written by an earlier version; run its grid again, which keeps finished cells"
    )
