"""Measures in grid files: settings that can work on no data are refused, and what is written twice counts once."""

from pathlib import Path

import pytest

from bench.core.errors import UserError
from bench.grid.scale import read_assignments
from tests.grid.test_expand import HEAD, expand
from tests.grid.test_mistakes import message

ALL = HEAD + "methods: [em]\nattacks: [none]\n"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{name: separability, folds: 1}", "measures[0].folds: must be at least 2, got 1"),
        (
            "{name: separability, images: 4}",
            "measures[0]: images: must be at least 5, one for each fold, got 4",
        ),
        (
            "{name: separability, images: 12, folds: 5, neighbours: [9, 10]}",
            "measures[0]: neighbours: must be at most 9, the images that 5 folds leave of 12, got 10",
        ),
        ("{name: noise_only, held_out: 1}", "measures[0].held_out: must be less than 1, got 1"),
        ("{name: noise_only, held_out: 0}", "measures[0].held_out: must be more than 0, got 0"),
        ("{name: perturbations, images: 4}", "measures[0].images: must be at least 5, got 4"),
        ("{name: perturbations, embeddings: 10}", "measures[0].embeddings: must be at most 9, got 10"),
    ],
)
def test_settings_of_measures_that_work_on_no_data_are_refused(entry: str, expected: str, tmp_path: Path) -> None:
    assert message(tmp_path, ALL + f"measures: [{entry}]\n") == f"grid.yaml: {expected}"


def test_the_same_written_with_set_names_it(tmp_path: Path) -> None:
    user = read_assignments(["measures.separability.neighbours=3000"])
    with pytest.raises(UserError) as caught:
        expand(tmp_path, ALL + "measures: [separability]\n", user=user)
    expected = "neighbours: must be at most 1600, the images that 5 folds leave of 2000, got 3000"
    assert str(caught.value) == f"--set measures.separability: {expected}"


@pytest.mark.parametrize(
    ("entries", "titles"),
    [
        ("separability, separability", ["separability"]),
        ("{name: separability, folds: [2, 2, 3]}", ["separability, folds 2", "separability, folds 3"]),
        ("separability, {name: separability, folds: 5}", ["separability"]),
        ("{name: separability, folds: 5}, noise_only, separability", ["separability, folds 5", "noise alone"]),
    ],
)
def test_a_measure_that_is_written_twice_counts_once(entries: str, titles: list[str], tmp_path: Path) -> None:
    grid = expand(tmp_path, ALL + f"controls: false\nmeasures: [{entries}]\n")
    assert [one.measure.title for one in grid.conditions if one.measure] == titles
