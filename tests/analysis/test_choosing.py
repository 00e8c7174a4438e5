"""What choosing the best attack by the accuracies shown costs."""

from pathlib import Path

import pytest

from analysis.best_response import sections
from analysis.choosing import luck
from tests.analysis.conftest import Accuracies, results_of


def test_the_victim_that_chooses_is_not_the_one_that_measures() -> None:
    first, second = [0.5, 0.2, 0.2], [0.3, 0.3, 0.3]
    # The first victim chooses the first attack: 0.5 - 0.2. The others choose the second one: 0.3 - 0.3.
    assert luck([first, second]) == pytest.approx(0.1)


def test_without_luck_choosing_costs_nothing_although_victims_differ() -> None:
    assert luck([[0.5, 0.6, 0.7], [0.1, 0.2, 0.3]]) == pytest.approx(0.0)


@pytest.mark.parametrize("attacks", [[[0.5]], [[0.5, None], [0.1, 0.2]], [[0.5, 0.6], [0.1]], []])
def test_one_victim_or_a_missing_one_tells_nothing(attacks: list[list[float | None]]) -> None:
    assert luck(attacks) is None


def test_the_report_prints_it_from_the_records(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("clean", "attack0"): [0.9, 0.1],  # a control chooses nothing
        **{(method, f"attack{number}"): [0.3, 0.3] for method in ("em", "sem") for number in range(6)},
        ("em", "attack6"): [0.4, 0.2],  # 0.4 - 0.2, then 0.3 - 0.3
    }
    [section] = sections(results_of(tmp_path, runs))
    assert section.remarks == [
        "d, m: an attack that is chosen as the best on one victim is 5.0 points better there than on the other "
        "victims, on average over 2 methods; 10.0 at most (EM)."
    ]


def test_several_noises_are_a_mean_for_each_victim(tmp_path: Path) -> None:
    runs: Accuracies = {("em", f"attack{number}"): [0.3, 0.3, 0.3, 0.3] for number in range(6)}
    runs["em", "attack6"] = [0.5, 0.1, 0.5, 0.1]
    [section] = sections(results_of(tmp_path, runs, noises={"em": 2}))
    assert "is 20.0 points better" in section.remarks[0]  # 0.5 - 0.1, then 0.3 - 0.3
