"""Tables in which some places have more noises or victims than others, and results that may not be compared."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.best_response import sections as best_responses
from analysis.correlation import sections as correlations
from analysis.drawing.figures import accuracy_figure
from analysis.numbers.differences import Runs, resolution
from analysis.page.answer import answers
from analysis.page.critical_difference import table_of_accuracies
from analysis.page.ranking import ranking
from analysis.reading.conditions import ConditionResult
from analysis.reading.controls import over_common_runs
from analysis.reading.league import league
from analysis.reading.records import read_results
from analysis.reading.responses import best_response
from analysis.reading.stopping import stopped
from analysis.report import _chapter
from analysis.writing.standing import standing_lines, standings
from bench.store import Store
from tests.analysis.conftest import Accuracies, at_chance, condition, of_noises, plan_of, results_of
from tests.analysis.conftest import place as place_of
from tests.analysis.page.test_answer import CLEAN, STRONG, runs
from tests.analysis.test_correlation import study


@pytest.mark.parametrize("first", [0, 1])
def test_a_best_response_is_over_the_noises_that_all_attacks_have_met(first: int) -> None:
    more = of_noises(3, "em", "attack0", [0.5, 0.3, 0.9, 0.9, 0.1, 0.1])
    others = [of_noises(1, "em", f"attack{number}", [0.4, 0.2]) for number in (1, 2)]
    cut = best_response([condition("em", "attack0", [0.5, 0.3]), *others], 3)
    conditions = [more, *others] if first == 0 else [*others, more]
    assert replace(best_response(over_common_runs(conditions), 3), chosen=cut.chosen) == cut
    two = of_noises(2, "em", "attack1", [0.4, 0.2, 0.6, 0.4])
    found = best_response(over_common_runs([more, two]), 2)
    assert found.runs.noises == 2
    assert found.runs.units == pytest.approx([(0.5 + 0.3) / 2, (0.9 + 0.9) / 2])


@pytest.mark.parametrize("turned", [False, True])
def test_a_best_response_is_over_the_victims_that_all_attacks_have_met(turned: bool) -> None:
    more = of_noises(2, "em", "attack0", [0.5, 0.3, 0.9, 0.9, 0.1, 0.9])
    fewer = of_noises(2, "em", "attack1", [0.4, 0.2, 0.4, 0.2])
    conditions = [fewer, more] if turned else [more, fewer]
    found = best_response(over_common_runs(conditions), 2)
    # The second noise's first victim chooses the first attack, which gives the other 0.1; that one chooses the second.
    assert found.runs.units == pytest.approx([(0.5 + 0.3) / 2, (0.4 + 0.1) / 2])
    alone = best_response(over_common_runs([condition("em", "attack0", [0.5, 0.3, 0.9]), fewer.first(1, 2)]), 2)
    assert (len(alone.runs.units), alone.uncorrected) == (2, pytest.approx(0.4))


@pytest.mark.parametrize("where", [0, 2])
def test_a_victim_at_chance_counts_only_with_its_noise(where: int) -> None:
    chance = at_chance(of_noises(2, "em", "attack0", [0.5, 0.3, 0.1, 0.1]), where)
    once = of_noises(1, "em", "attack1", [0.2, 0.2])
    best, _ = over_common_runs([chance, once])
    assert (best.collapsed, best.missing, best.is_comparable) == ((1, 0, False) if where == 0 else (0, 0, True))
    assert best_response(over_common_runs([chance, once]), 2).chosen == (("attack 1",) if where == 0 else ("attack 0",))


def test_one_victim_of_the_first_noise_is_a_single_run_and_its_number_that_of_its_attack() -> None:
    conditions = [of_noises(3, "em", "attack0", [0.2, 0.9, 0.9]), condition("em", "attack1", [0.3])]
    found = best_response(over_common_runs(conditions), 2)
    assert (found.chosen, found.accuracy.mean, found.uncorrected) == (("attack 1",), 0.3, 0.3)
    assert found.correction is None  # nothing else could have chosen


def test_the_row_of_a_league_is_of_one_number_of_noises(tmp_path: Path) -> None:
    wanted = runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG)
    for attack in ("none", "attack3"):
        wanted["em", attack] = [0.7, 0.71, 0.72, *[0.1] * 6]
    counts = {("em", "none"): 3, ("em", "attack3"): 3}
    [section] = best_responses(results_of(tmp_path, wanted, noises=counts))
    em = next(row for row in section.numbers if row["method"] == "em")
    assert (em["noises"], em["interval_over"], em["seeds_planned"]) == (1, "victims of one noise", 3)
    assert em["free_accuracy"] == em["no_attack"] == pytest.approx(0.71)
    assert em["free_recovered"] == pytest.approx(0.71 / 0.81)


@pytest.mark.parametrize("lacking", ["none", "attack3"])
def test_a_best_response_needs_no_clean_victim_under_attacks_that_are_not_chosen(lacking: str, tmp_path: Path) -> None:
    wanted = runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG)
    wanted["clean", lacking] = [0.8, 0.8, None]
    [section] = best_responses(results_of(tmp_path, wanted))
    em = next(row for row in section.numbers if row["method"] == "em")
    assert em["free_accuracy"] == pytest.approx(0.71)
    assert (em["free_recovered"] is None) == (lacking == "attack3")


def test_what_an_attack_gains_is_over_the_noises_that_its_control_has_met(tmp_path: Path) -> None:
    runs: Accuracies = {("em", "op"): [0.5, 0.9, 0.9], ("em", "op only=random"): [0.4]}
    control = {("em", "op"): [{"method": "em", "attack": "op only=random"}]}
    results = results_of(tmp_path, runs, own_controls=control, noises={("em", "op"): 3})
    gained = results.conditions[0].estimates["gained"]
    assert gained is not None
    assert (gained.mean, gained.half_width) == (pytest.approx(0.1), None)  # of the first noise alone


def test_victims_at_chance_are_no_points_and_have_no_ranks(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    spoilt = [at_chance(one) if one.label["method"] == "g0" else one for one in results.conditions]
    overall, _ = correlations(replace(results, conditions=spoilt))
    assert {row["generators"] for row in overall.numbers if row["number"] == "r_theta"} == {7}
    met = results_of(tmp_path / "met", runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG))
    rows = ranking(met, _chapter(met))
    conditions = [at_chance(one) if one.label["attack"] == "attack1" else one for one in stopped(met)]
    assert [len(table_of_accuracies(rows, given)["EM"]) for given in (stopped(met), conditions)] == [7, 6]


def test_a_control_of_an_attack_has_no_part_in_mean_ranks(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG))
    rows = ranking(results, _chapter(results))
    named = [
        replace(one, own_controls=[(one.label["method"], "attack3")]) if one.label["attack"] == "attack2" else one
        for one in results.conditions
    ]
    assert len(table_of_accuracies(rows, named)["EM"]) == 6


def test_a_single_run_takes_no_test_from_rows_of_several_noises() -> None:
    rows = {"em": [0.5, 0.51, 0.52], "sem": [0.2, 0.21, 0.22], "sc": [0.4]}
    column = [of_noises(len(values), method, "none", values) for method, values in rows.items()]
    assert standings(column, "final_accuracy") == {("sem", "none"): "best", ("sc", "none"): "tied with the best"}
    assert {row["method"]: row["group"] for row in league(column)} == {"sem": 1, "sc": 1, "em": 2}
    lowest = [*column[:2], of_noises(1, "sc", "none", [0.1])]
    said = " ".join(standing_lines(lowest, "final_accuracy"))
    assert "Where the lowest is a single run" in said
    assert "3 noises each could show" in said


@pytest.mark.parametrize("others", [[], [of_noises(1, "em", "none", [0.4])]])
def test_a_row_of_several_noises_is_not_called_a_single_run(others: list[ConditionResult]) -> None:
    column = [of_noises(3, "sem", "none", [0.2, 0.21, 0.22]), *others]
    assert standings(column, "final_accuracy") == {}


def test_the_smallest_difference_is_of_noises_or_of_victims_and_never_of_both() -> None:
    victims = {f"v{row}": Runs([0.1, 0.1 + 0.01 * row, 0.1]) for row in range(4)}
    noises = {f"n{row}": Runs([0.1, 0.1 + 0.2 * row, 0.1], 3) for row in range(3)}
    alone, both = resolution([victims]), resolution([victims | noises])
    assert alone == both
    assert alone is not None
    assert (alone.count, alone.over) == (3, "victims")


def test_the_number_of_a_generator_is_over_the_noises_of_its_victims_and_unfinished_ones_are_no_points(
    tmp_path: Path,
) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    [first, *others] = results.measured
    measured = [replace(first, found=[{"r_theta": 5.0}, {"r_theta": -9.0}]), *others]
    one_noise, _ = correlations(replace(results, measured=measured))
    as_before, _ = correlations(replace(results, measured=[replace(first, found=[{"r_theta": 5.0}]), *others]))
    assert one_noise.numbers == as_before.numbers
    part = replace(first, found=[None, {"r_theta": -9.0}])
    unmeasured, _ = correlations(replace(results, measured=[part, *others]))
    assert {row["generators"] for row in unmeasured.numbers if row["number"] == "r_theta"} == {7}
    begun = [replace(one, accuracies=[*one.accuracies, None]) for one in results.conditions[:1]]
    fewer, _ = correlations(replace(results, conditions=[*begun, *results.conditions[1:]]))
    assert {row["generators"] for row in fewer.numbers} == {7}


def test_a_measure_that_trains_nothing_is_one_cell_for_all_networks(tmp_path: Path) -> None:
    measure = {"dataset": "d", "method": "em", "measure": "some", "title": "some", "numbers": {}, "settings": {}}
    places = [measure | {"model": model, "control": False, "cells": ["0" * 16], "declined": ""} for model in "mn"]
    plan = plan_of([place_of("em", "none", 1)], measures=places)
    results = read_results("g-small", plan, Store(tmp_path))
    assert [cell["status"] for cell in results.measure_cells] == ["missing"]
    assert len(results.measured) == 2


def test_a_method_that_alone_is_complete_is_told_from_no_other(tmp_path: Path) -> None:
    wanted = runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG)
    wanted["sem", "attack5"] = [0.2, 0.2, None]
    results = results_of(tmp_path, wanted)
    [said] = answers([results], {results.name: _chapter(results)})
    assert "told apart" not in " ".join(said.sentences)


def test_a_ranking_of_what_all_victims_learn_has_an_axis(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=[1.0], em=[1.0]))
    [said] = answers([results], {results.name: _chapter(results)})
    assert (said.axis, said.across(1.0)) == ((90, 100), "100.00%")


def test_drawn_images_are_told_at_their_own_place(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG))
    drawn = [replace(one, label=one.label | {"dataset": "synthetic size=16"}) for one in results.conditions]
    places = results.plan["conditions"]
    both = replace(results, conditions=results.conditions + drawn, plan=results.plan | {"conditions": 2 * places})
    said = [
        " ".join(answers([given], {results.name: _chapter(given)})[0].limits)
        for given in (both, replace(results, conditions=drawn))
    ]
    assert ["drawn by the suite" in text for text in said] == [False, True]


def test_a_line_goes_from_left_to_right_whatever_the_order_of_the_plan() -> None:
    conditions = [condition("clean", "pgd", [0.4]), condition("clean", "none", [0.5])]
    conditions += [condition("em", "none", [0.1]), condition("em", "pgd", [0.3])]
    figure = accuracy_figure(conditions)
    assert figure is not None
    for line in figure.axes[0].lines:
        across = list(line.get_xdata())
        assert across == sorted(across)
