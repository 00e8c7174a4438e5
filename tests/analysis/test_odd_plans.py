"""Plans that are legal and unusual: unfinished, declined, of several networks, with settings of measures that vary."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.best_response import sections as best_responses
from analysis.drawing.curves import over_training
from analysis.measured import sections as measured
from analysis.numbers.estimates import estimate
from analysis.page.answer import answers
from analysis.reading.conditions import ConditionResult, Words
from analysis.reading.measures import titles
from analysis.reading.records import read_results
from analysis.reading.results import Measured, Results
from analysis.reading.stopping import stopped
from analysis.report import _chapter, write_report
from analysis.swept import swept
from analysis.verdicts import Source, verdicts
from analysis.writing.sections import file_of
from bench.core.settings import digest
from bench.store import Store
from tests.analysis.conftest import TITLES, Accuracies, cell_of, plan_of, record, results_of
from tests.analysis.conftest import place as place_of
from tests.analysis.drawing.test_pictures import words
from tests.analysis.page.test_answer import CLEAN, STRONG, runs
from tests.analysis.test_early_stopping import MADE_UP

ATTACKS = ("none", *(f"attack{number}" for number in range(6)))


def elsewhere(conditions: Iterable[ConditionResult], model: str) -> list[ConditionResult]:
    """The same conditions of another network."""
    return [replace(one, label=one.label | {"model": model}) for one in conditions]


def beside(results: Results, conditions: list[ConditionResult]) -> Results:
    """A plan that has these conditions too."""
    plan = results.plan | {"conditions": [*results.plan["conditions"], *results.plan["conditions"][: len(conditions)]]}
    return replace(results, plan=plan, conditions=[*results.conditions, *conditions])


def declined(results: Results, method: str) -> Results:
    """The same where a method does not apply."""
    return replace(
        results,
        conditions=[
            replace(one, declined="no", accuracies=[], keys=(), estimates=dict.fromkeys(one.estimates))
            if one.label["method"] == method
            else one
            for one in results.conditions
        ],
    )


def test_a_control_of_an_attack_may_be_finished_before_what_is_read_against_it(tmp_path: Path) -> None:
    runs: Accuracies = {("clean", "op"): [0.5], ("clean", "op only=random"): [0.4]}
    runs |= {(method, attack): [None] for method in ("em", "sem") for attack in ("op", "op only=random")}
    control = {
        (method, "op"): [{"method": method, "attack": "op only=random"}] for method in ("clean", "random", "em", "sem")
    }
    results_of(tmp_path, runs, own_controls=control)
    write_report(Store(tmp_path))
    assert "Gained" in (tmp_path / "report" / "g-small.md").read_text()


def test_a_method_that_does_not_apply_takes_no_rank_from_the_others(tmp_path: Path) -> None:
    found: Accuracies = {(method, attack): [0.3, 0.31] for method in ("clean", "em", "sem", "sc") for attack in ATTACKS}
    found |= {(method, "early_stopping"): [0.1, 0.1] for method in ("clean", "em", "sem", "sc")}
    results = results_of(tmp_path, found, clean=MADE_UP, em=MADE_UP, sem=MADE_UP, sc=MADE_UP)
    [section] = best_responses(declined(results, "sc"))
    ranks = {row["method"]: (row["rank"] is not None, row["free_complete"]) for row in section.numbers}
    assert ranks == {"clean": (False, True), "em": (True, True), "sem": (True, True)} | {"sc": ranks["sc"]}


def test_early_stopping_keeps_what_its_training_costs(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("sem", "early_stopping"): [0.1, 0.1]}, sem=MADE_UP)
    first = stopped(results)[0]
    assert first.label["attack"] == "early_stopping, 0 % clean"
    assert first.estimates["train_passes"] == results.conditions[0].estimates["train_passes"] is not None
    assert "peak_accuracy" not in first.estimates


def test_kinds_of_a_method_are_curves_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TITLES, "em", "EM, original")
    monkeypatch.setitem(TITLES, "em_stepwise", "EM, SEM repository")
    found: Accuracies = {
        (f"{method} radius={radius}/255", "none"): [level + 0.01 * radius]
        for method, level in (("em", 0.1), ("em_stepwise", 0.3))
        for radius in (1, 2, 3)
    }
    results = results_of(tmp_path, {("clean", "none"): [0.5], **found})
    titles = set(words(swept(results)[0]))
    assert {"EM, original, radius", "EM, SEM repository, radius"} <= titles
    easy = [replace(one, estimates={"final_accuracy": estimate([0.9])}) for one in results.conditions[:1]]
    both = beside(results, elsewhere(easy, "m2"))
    assert swept(both)[0].svg == swept(results)[0].svg  # clean images of another network are no reference


def test_what_breaks_most_is_told_of_the_ranked_network_and_names_no_control(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.6] * 3, sem=STRONG))
    easy = results_of(tmp_path / "easy", runs(clean=CLEAN, em=CLEAN, sem=CLEAN)).conditions
    both = beside(results, elsewhere(easy, "m2"))
    said = "No attack brings any method back to 80 % of the best on clean images."
    assert [one.sentences[2] for one in answers([both], {both.name: _chapter(results)})] == [said]
    controlled = [
        replace(one, own_controls=[(one.label["method"], "attack3")]) if one.label["attack"] == "attack2" else one
        for one in easy
    ]
    [first] = answers([replace(results, conditions=controlled)], {results.name: _chapter(results)})
    assert "ttack 3" not in first.sentences[2]


def test_a_claim_compares_conditions_of_one_network(tmp_path: Path) -> None:
    found = results_of(tmp_path, {("sc", "none"): [0.1, 0.11], ("sem", "none"): [0.5, 0.51]}).conditions
    apart = [found[1], *elsewhere(found[:1], "m2")]
    assert [len(one.rows[0].told) > 0 for one in verdicts([Source(found)])] == [True]
    assert [one.rows[0].told for one in verdicts([Source(apart)])] == [""]


def test_a_record_of_the_other_kind_than_the_plan_says_is_missing(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("clean", "none"): [0.5], ("em", "none"): [0.3]})
    store, victim = Store(tmp_path), results.conditions[1].keys[0]
    cell = {name: part for name, part in cell_of("em").items() if name not in ("model", "attacks", "train")}
    cell |= {"measure": {"name": "stability"}}
    made = record(0.5) | {"key": digest(cell), "asked": {}, "cell": cell, "result": {"stability": 0.5}}
    made["cost"] = {"measure_passes": 1.0, "noise_passes": 1.0}
    made["time"] = {"measure_seconds": 1.0, "noise_seconds": 1.0, "ended": "2026-11-22T13:37:35+00:00"}
    store.write(digest(cell), made)
    places = [place_of("clean", "none", 1), place_of("em", "none", 1, cells=[digest(cell)])]
    measure = {"dataset": "d", "model": "m", "method": "em", "measure": "stability", "title": "stability"}
    measure |= {"numbers": {"stability": "stability"}, "settings": {}, "control": False, "declined": ""}
    store.write_plan("g-small", plan_of(places, measures=[measure | {"cells": [victim]}]))
    write_report(store)
    crossed = read_results("g-small", store.plan("g-small") or {}, store)
    assert [cell["status"] for cell in crossed.all_cells] == ["finished", "missing", "missing"]
    assert [one["key"] for one in crossed.all_records] == [*crossed.conditions[0].keys]
    assert (crossed.conditions[1].made, crossed.measured[0].found) == ({}, [None])


def measures(*radii: int) -> list[Measured]:
    title = "noise robustness"
    return [
        Measured(
            ("d", "m"), "sem", Words("SEM"), False, "noise_robustness", f"{title} {radius}/255",
            {"r_delta_u": "R_delta_u"}, {"name": "noise_robustness"}, [{"r_delta_u": float(radius)}],
        )
        for radius in radii
    ]  # fmt: skip


def test_a_measure_whose_setting_varies_has_a_column_for_each_value(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("sem", "none"): [0.3]})
    [section] = measured(replace(results, measured=measures(2, 4)))
    assert [entry.value for entry in section.table.head] == [
        "method",
        "R_delta_u, noise robustness 2/255",
        "R_delta_u, noise robustness 4/255",
    ]
    assert [row["r_delta_u"] for row in section.numbers] == [2.0, 4.0]
    assert [*titles({"sem": {(one.measure, one.title): one for one in measures(4)}}).values()] == ["R_delta_u"]


@pytest.mark.parametrize(("origin", "told"), [({}, False), ({"jobs": 1}, False), ({"jobs": 2}, True)])
def test_times_that_were_taken_beside_other_cells_are_told(origin: dict[str, int], told: bool, tmp_path: Path) -> None:
    results = results_of(tmp_path, {("sem", "none"): [0.3]})
    timed = {"provenance": origin, "cell": {"measure": {"name": "generation_time"}}}
    other = {"provenance": {"jobs": 9}, "cell": {"measure": {"name": "noise_robustness"}}}
    [section] = measured(replace(results, measured=measures(4), measure_records=[timed, other]))
    assert any("2 cells ran at once" in remark for remark in section.remarks) == told


def test_measures_with_one_title_have_a_column_each(tmp_path: Path) -> None:
    results = results_of(tmp_path, {("sem", "none"): [0.3]})
    [one] = measures(4)
    mine = replace(one, measure="mine", numbers={"own": "own"}, found=[{"own": 7.0}])
    [section] = measured(replace(results, measured=[one, mine]))
    assert [entry.value for entry in section.table.head] == ["method", "R_delta_u", "own"]


def test_files_are_named_by_data_set_and_network_and_never_too_long_for_a_disk() -> None:
    assert file_of(("cifar10", "resnet18/8")) == "-cifar10-resnet18-8"
    long = [file_of(("folder path=" + 300 * letter, "cnn")) for letter in "ab"]
    assert len({*long}) == 2
    assert max(map(len, long)) < 130


@pytest.mark.parametrize("without", [(), ("clean images",)])
def test_a_plan_in_which_nothing_applies_or_nothing_is_left_has_a_report(
    without: tuple[str, ...], tmp_path: Path
) -> None:
    store = Store(tmp_path)
    changes: dict[str, Any] = {} if without else {"cells": [], "noises": 0, "declined": "images of 50 pixels"}
    plan = plan_of([place_of("sem", "partial", 1, **changes)])
    store.write_plan("g-small", plan)
    assert write_report(store, without).plans == 1
    assert over_training(read_results("g-small", plan, store, without)) == []


def test_several_seeds_of_which_none_is_finished_are_not_called_one_seed(tmp_path: Path) -> None:
    found: Accuracies = {(method, attack): [0.3, None] for method in ("clean", "em") for attack in ATTACKS}
    [section] = best_responses(results_of(tmp_path, found))
    assert not any("one victim of a noise chooses" in remark for remark in section.remarks)
    single: Accuracies = {key: [0.3] for key in found}
    [section] = best_responses(results_of(tmp_path / "single", single))
    assert any("one victim of a noise chooses" in remark for remark in section.remarks)
