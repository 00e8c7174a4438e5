"""What measures found, by method: two ways to write the same cells are one, and no two numbers have one title."""

from dataclasses import replace
from pathlib import Path

from analysis.measured import sections
from analysis.reading.conditions import Words
from analysis.reading.measures import generators, titles
from analysis.reading.results import Measured, Results
from tests.analysis.conftest import results_of

PLACE = ("d", "m")


def measured(label: str, title: str, *keys: str) -> Measured:
    numbers = {"linear": "linear accuracy"}
    found = [{"linear": 0.5} for _ in keys]
    declined = "" if keys else "no"
    return Measured(PLACE, label, Words(label), False, "separability", title, numbers, {}, found, declined, keys)


def results(folder: Path, *measures: Measured) -> Results:
    return replace(results_of(folder, {("sem", "none"): [0.3]}), measured=measures)


def test_places_with_the_same_cells_are_one_way_also_where_it_does_not_apply(tmp_path: Path) -> None:
    ways = ("separability", "separability, folds 5", "separability, folds 3")
    none = [measured("tap", title) for title in ways]
    some = [measured("sem", title, keys) for title, keys in zip(ways, ["a", "a", "b"], strict=True)]
    found = generators(results(tmp_path, *none, *some), PLACE)
    assert [[one.title for one in row.values()] for row in found.values()] == 2 * [[ways[0], ways[2]]]
    [section] = sections(results(tmp_path, *some[:2]))
    assert [entry.value for entry in section.table.head] == ["method", "linear accuracy"]


def test_a_method_that_is_written_in_two_ways_keeps_both_rows(tmp_path: Path) -> None:
    both = [measured(label, "separability", "a") for label in ("sem updates=5", "sem samples=2")]
    assert list(generators(results(tmp_path, *both), PLACE)) == ["sem updates=5", "sem samples=2"]


def test_numbers_of_two_measures_with_one_title_say_which_they_are_of(tmp_path: Path) -> None:
    one = measured("sem", "separability", "a")
    mine = replace(one, measure="mine", title="my measure", keys=["b"], numbers={"own": "linear accuracy", "f": "F"})
    found = titles(generators(results(tmp_path, one, mine), PLACE))
    assert list(found.values()) == ["linear accuracy, separability", "linear accuracy, my measure", "F"]
