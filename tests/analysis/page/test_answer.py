from dataclasses import replace
from pathlib import Path

import pytest

from analysis.page.answer import Answer
from analysis.page.answer import answers as answers_of
from analysis.page.blocks import blocks
from analysis.reading.conditions import Words
from analysis.reading.results import Measured, Results
from analysis.report import _chapter
from analysis.writing.sections import Entry, Section, Table, plain_table
from tests.analysis.conftest import Accuracies, results_of

STRONG = [0.3, 0.31, 0.32]
CLEAN = [0.8, 0.81, 0.82]


def runs(**best: list[float | None]) -> Accuracies:
    """Methods against plain training and six attacks, of which the fourth is the best against all."""
    found: Accuracies = {}
    for method, accuracies in best.items():
        found[method, "none"] = accuracies if method == "clean" else [0.1] * len(accuracies)
        for number in range(6):
            found[method, f"attack{number}"] = accuracies if number == 3 else [0.2] * len(accuracies)
    return found


def answer(results: Results) -> Answer:
    [only] = answers_of([results], {results.name: _chapter(results)})
    return only


def test_the_strongest_method_is_named_first_with_its_distance_from_clean_images(tmp_path: Path) -> None:
    said = answer(results_of(tmp_path, runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG)))
    assert [row.title for row in said.rows] == ["clean", "SEM", "EM"]
    assert said.sentences[0] == (
        "SEM is ahead: a trainer who chooses the attack gets 31.0 %, 50.0 points below clean images, by attack 3."
    )


def test_a_method_is_told_apart_by_the_interval_of_the_paired_difference(tmp_path: Path) -> None:
    apart = answer(results_of(tmp_path / "a", runs(clean=CLEAN, em=[0.33, 0.341, 0.35], sem=STRONG)))
    assert apart.sentences[1].startswith("Every other method is told apart from it")
    close = answer(results_of(tmp_path / "b", runs(clean=CLEAN, em=[0.29, 0.35, 0.31], sem=STRONG)))
    assert close.sentences[1].startswith("EM is not told apart from it")
    single = answer(results_of(tmp_path / "c", runs(clean=[0.8], em=[0.5], sem=[0.3])))
    assert single.sentences[1].startswith("Single runs tell no method apart")


def test_what_breaks_most_reaches_nearly_as_much_as_clean_images_give(tmp_path: Path) -> None:
    said = answer(results_of(tmp_path / "a", runs(clean=CLEAN, em=[0.7] * 3, sem=[0.66] * 3, tap=STRONG)))
    assert said.sentences[2].startswith("Attack 3 breaks most, 2 of 3 methods, at 1.0 times the training cost")
    said = answer(results_of(tmp_path / "b", runs(clean=CLEAN, em=[0.6] * 3, sem=STRONG)))
    assert said.sentences[2] == "No attack brings any method back to 80 % of the best on clean images."


def test_the_time_of_a_noise_is_shown_if_it_was_measured(tmp_path: Path) -> None:
    results = results_of(tmp_path, runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG))
    timed = Measured(
        results.conditions[0].place, "sem", Words("SEM"), control=False, measure="generation_time", title="time",
        numbers={"seconds": "seconds"}, settings={}, found=[{"seconds": 30.0}, {"seconds": 34.0}],
    )  # fmt: skip
    said = answer(replace(results, measured=[timed]))
    assert {row.title: row.seconds for row in said.rows} == {"clean": None, "EM": None, "SEM": 32.0}


def test_a_method_with_missing_cells_is_never_ahead(tmp_path: Path) -> None:
    wanted = runs(clean=CLEAN, em=[0.7] * 3, sem=STRONG)
    wanted["sem", "attack5"] = [0.2, 0.2, None]
    said = answer(results_of(tmp_path, wanted))
    assert [(row.title, row.missing) for row in said.rows] == [("clean", 0), ("EM", 0), ("SEM", 1)]
    assert said.sentences[0].startswith("EM is ahead")
    assert any(line.startswith("SEM: not all attacks have been tried") for line in said.limits)


def test_an_accuracy_stands_between_the_tens_around_all_intervals(tmp_path: Path) -> None:
    said = answer(results_of(tmp_path, runs(clean=[0.8], em=[0.5], sem=[0.34])))
    assert said.axis == (30, 90)
    assert [said.across(share) for share in (0.3, 0.6, 0.9)] == ["0.00%", "50.00%", "100.00%"]


def test_ticks_are_few_enough_to_be_read(tmp_path: Path) -> None:
    wide = answer(results_of(tmp_path / "wide", runs(clean=[0.9, 0.91, 0.92], em=[0.1, 0.5, 0.6], sem=STRONG)))
    narrow = answer(results_of(tmp_path / "narrow", runs(clean=[0.4, 0.41, 0.42], em=[0.2] * 3, sem=STRONG)))
    assert (wide.axis[1] - wide.axis[0] > 50, list(wide.ticks)) == (True, list(range(wide.axis[0], 101, 20)))
    assert list(narrow.ticks) == list(range(narrow.axis[0], narrow.axis[1] + 1, 10))


def test_the_plan_with_most_attacks_answers_for_a_scale_if_it_has_several_victims(tmp_path: Path) -> None:
    many = runs(clean=CLEAN, em=[0.7, 0.71, 0.72], sem=STRONG)
    few = {place: [*found, *found] for place, found in many.items()}  # twice as many victims
    more = many | {(method, "attack6"): [0.2] * 3 for method in ("clean", "em", "sem")}
    single = {place: found[:1] for place, found in more.items()}
    single |= {(method, "attack7"): [0.2] for method in ("clean", "em", "sem")}
    found = [
        replace(results_of(tmp_path / name, given), name=name)
        for name, given in {"few": few, "more": more, "single": single}.items()
    ]
    [said] = answers_of(found, {one.name: _chapter(one) for one in found})
    assert said.plan == "more"


def test_without_enough_attacks_there_is_no_ranking_but_what_the_numbers_are_no_evidence_of(tmp_path: Path) -> None:
    said = answer(results_of(tmp_path, {("clean", "none"): [0.8], ("em", "none"): [0.1]}))
    assert (said.rows, said.sentences) == ([], [])
    assert said.limits[0] == "They are no numbers to compare with published ones."


@pytest.mark.parametrize(("victims", "first"), [(3, "long"), (1, "small")])
def test_longer_training_stands_first_unless_it_has_one_victim_each(
    victims: int, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.page.answer._seen", lambda results: len(results.name))
    small = results_of(tmp_path / "small", runs(clean=CLEAN, em=STRONG))
    long = results_of(tmp_path / "long", runs(clean=CLEAN[:victims], em=STRONG[:victims]))
    long = replace(long, name="g-longer", plan=long.plan | {"scale": {"name": "long", "about": "", "changes": {}}})
    found = answers_of([small, long], {one.name: _chapter(one) for one in (small, long)})
    assert found[0].scale == first


def section(heading: str, context: str = "") -> Section:
    return Section(heading, Table([Entry("method")], []), context=context)


def test_tables_of_the_same_conditions_are_views_of_one_block() -> None:
    headings = ["Best response", "Final accuracy on clean test images", "Cost", "Recovered", "Gained, points"]
    found = blocks([section(heading) for heading in headings])
    assert [[word for word, _ in one.views] for one in found] == [[""], ["accuracy", "recovered", "gained"], [""]]
    two = blocks([section("Recovered", "first"), section("Recovered", "second")])
    assert [one.first.context for one in two] == ["first", "second"]


@pytest.mark.parametrize("folded", [True, False])
def test_a_block_is_folded_if_it_is_one_folded_table(folded: bool) -> None:
    [one] = blocks([Section("Cost", plain_table(["a"], []), folded=folded)])
    assert one.folded == folded
