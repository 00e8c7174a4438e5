"""The best of several attacks: chosen by some seeds, valued by others."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.differences import groups
from analysis.responses import Response, best_response
from analysis.results import ConditionResult
from tests.analysis.conftest import condition


def conditions(*attacks: list[float], method: str = "em") -> list[ConditionResult]:
    return [condition(method, f"attack{number}", runs) for number, runs in enumerate(attacks)]


def test_each_seed_is_valued_under_the_attack_that_the_others_choose() -> None:
    found = best_response(conditions([0.5, 0.2, 0.21], [0.3, 0.3, 0.3]), 2)
    # Seed 0: the others have 0.205 and 0.3, so the second: 0.3. Seed 1: 0.355 and 0.3, so the first: 0.2; seed 2: 0.21.
    assert found.runs.units == [0.3, 0.2, 0.21]
    assert found.accuracy.mean == pytest.approx(np.mean([0.3, 0.2, 0.21]))
    assert found.accuracy.half_width == pytest.approx(stats.t.ppf(0.975, 2) * stats.sem([0.3, 0.2, 0.21]))
    assert found.uncorrected == pytest.approx(0.91 / 3)
    assert found.correction == pytest.approx(0.71 / 3 - 0.91 / 3)
    assert found.chosen == ("attack 0", "attack 1")
    assert found.complete


def test_luck_lifts_the_best_of_equal_attacks_and_not_the_corrected_value() -> None:
    generator, plain, corrected = np.random.default_rng(0), [], []
    for _ in range(300):
        found = best_response(conditions(*(0.5 + 0.02 * generator.normal(size=(8, 3))).tolist()), 8)
        plain.append(found.uncorrected)
        corrected.append(found.accuracy.mean)
    assert np.mean(plain) > 0.51  # 8 means with an error of 0.0115 each
    assert np.mean(corrected) == pytest.approx(0.5, abs=3 * np.std(corrected) / np.sqrt(300))


def test_one_seed_cannot_correct() -> None:
    found = best_response(conditions([0.5], [0.3]), 2)
    assert (found.accuracy.mean, found.correction, found.accuracy.half_width) == (0.5, None, None)


def test_attacks_that_are_missing_make_it_a_bound() -> None:
    found = best_response(conditions([0.5, 0.5], [0.3, 0.3]), 3)
    assert (found.tried, found.attacks, found.complete) == (2, 3, False)
    part = condition("em", "attack8", [0.9], planned=2)
    found = best_response([*conditions([0.5, 0.5]), part], 2)
    assert (found.tried, found.complete, found.accuracy.mean) == (1, False, 0.5)
    found = best_response([part], 2)
    assert (found.tried, found.chosen, found.accuracy.mean) == (0, ("attack 8",), 0.9)
    assert best_response([], 2) == Response(0, 2)


def test_a_league_of_equal_methods_has_no_winner() -> None:
    generator, won = np.random.default_rng(0), 0
    attacks = conditions(*[[0.5]] * 3)
    for table in 0.4 + 0.02 * generator.normal(size=(1000, 4, 3, 3)):
        rows = {}
        for row, runs in enumerate(table.tolist()):
            own = [replace(one, accuracies=values) for one, values in zip(attacks, runs, strict=True)]
            rows[str(row)] = best_response(own, 3).runs
        won += list(groups(rows).values()).count(1) == 1
    assert won <= 50
