"""The best of several attacks on each noise: chosen by some of its victims, valued by others."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.numbers.differences import difference, groups
from analysis.reading.conditions import ConditionResult
from analysis.reading.league import league
from analysis.reading.responses import Response, best_response, splits
from tests.analysis.conftest import condition, of_noises


def conditions(*attacks: list[float], method: str = "em") -> list[ConditionResult]:
    return [condition(method, f"attack{number}", runs) for number, runs in enumerate(attacks)]


def test_each_seed_is_valued_under_the_attacks_that_halves_without_it_choose() -> None:
    found = best_response(conditions([0.5, 0.2, 0.21], [0.3, 0.3, 0.3]), 2)
    # Of three seeds one chooses: seed 0 the first attack, the others the second one.
    values = [(0.3 + 0.3) / 2, (0.2 + 0.3) / 2, (0.21 + 0.3) / 2]
    assert found.runs.units == pytest.approx(values)
    assert found.accuracy.mean == pytest.approx(np.mean(values))
    # Two seeds value: the interval is that of their number.
    assert found.accuracy.half_width == pytest.approx(stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / np.sqrt(2))
    assert found.uncorrected == pytest.approx(0.91 / 3)
    assert found.correction == pytest.approx(np.mean(values) - 0.91 / 3)
    assert found.chosen == ("attack 1", "attack 0")
    assert found.complete


def test_each_noise_has_the_attack_that_its_own_victims_choose() -> None:
    # Three noises, two victims each. The third one's victims disagree, so each is valued under the other's choice.
    first = of_noises(3, "em", "attack0", [0.5, 0.4, 0.1, 0.1, 0.3, 0.1])
    second = of_noises(3, "em", "attack1", [0.2, 0.2, 0.6, 0.8, 0.2, 0.4])
    found = best_response([first, second], 2)
    assert found.runs.values == pytest.approx([0.5, 0.4, 0.6, 0.8, 0.2, 0.1])
    assert found.accuracy.mean == pytest.approx((0.45 + 0.7 + 0.15) / 3)
    assert found.uncorrected == pytest.approx((0.45 + 0.7 + 0.3) / 3)
    assert found.chosen == ("attack 0", "attack 1")
    one_victim = best_response([first.first(3, 1), second.first(3, 1)], 2)
    assert (one_victim.correction, one_victim.accuracy.mean) == (None, pytest.approx(1.4 / 3))
    assert (one_victim.accuracy.half_width, one_victim.runs.units) == (None, [])  # luck lifts it, so nothing is tested


def test_the_interval_is_the_wider_of_noises_as_they_are_and_victim_seeds_widened_for_the_splits() -> None:
    t, widening = stats.t.ppf(0.975, 2), np.sqrt(3 / 2)  # of three victims two value
    noises, seeds = np.array([0.1, 0.2, 0.4]), np.array([0.0, 0.01, 0.03])
    for effects in ((noises, seeds), (seeds, noises)):
        values = np.add.outer(*effects)
        found = best_response([of_noises(3, "em", "attack0", values.ravel().tolist())], 1)
        of_noise, of_seed = (np.std(values.mean(axis), ddof=1) / np.sqrt(3) for axis in (1, 0))
        assert found.accuracy.half_width == pytest.approx(t * max(of_noise, widening * of_seed))


def test_what_is_recovered_is_read_against_the_attack_of_each_noise() -> None:
    made = [
        of_noises(2, "em", "attack0", [0.5, 0.5, 0.1, 0.1]),
        of_noises(2, "em", "attack1", [0.2, 0.2, 0.6, 0.6]),
    ]
    clean = [[0.5, 0.5, 0.5, 0.5], [0.9, 0.9, 0.8, 0.8]]
    read = [replace(one, others={"control_accuracy": row}) for one, row in zip(made, clean, strict=True)]
    found = best_response(read, 2).recovered
    value = (0.5 + 0.6) / (0.5 + 0.8)
    rest = np.array([0.5 - value * 0.5, 0.6 - value * 0.8]) / 0.65
    assert (found.mean, found.count) == (pytest.approx(value), 2)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 1) * np.std(rest, ddof=1) / np.sqrt(2))


def test_the_best_on_clean_images_is_what_a_best_response_is_a_share_of() -> None:
    own = [[0.2, 0.3, 0.4], [0.1, 0.1, 0.1]]
    clean = [[0.5, 0.6, 0.8], [0.4, 0.4, 0.4]]
    rows = league(conditions(*own) + conditions(*clean, method="clean"))
    value = 0.9 / 1.9
    rest = np.array([a - value * b for a, b in zip(own[0], clean[0], strict=True)]) / (1.9 / 3)
    found = next(row for row in rows if row["method"] == "em")
    wide = stats.t.ppf(0.975, 2) * np.std(rest, ddof=1) / np.sqrt(2)
    assert (found["free_of_clean"], found["free_of_clean_half_width"]) == pytest.approx((value, wide), abs=1e-6)


@pytest.mark.parametrize("effects", [(0.02, 0.0), (0.0, 0.02), (0.02, 0.02)])
def test_intervals_of_several_noises_hold_whatever_noises_and_seeds_do(effects: tuple[float, float]) -> None:
    generator, held = np.random.default_rng(4), 0
    made = [of_noises(3, "em", f"attack{number}", [0.5] * 9) for number in range(8)]
    of_noise, of_seed = effects
    for _ in range(400):
        shape = of_noise * generator.normal(size=(1, 3, 1)) + of_seed * generator.normal(size=(1, 1, 3))
        values = 0.5 + shape + 0.01 * generator.normal(size=(8, 3, 3))
        rows = values.reshape(8, 9).tolist()
        found = best_response([replace(one, accuracies=row) for one, row in zip(made, rows, strict=True)], 8)
        held += found.accuracy.low <= 0.5 <= found.accuracy.high
    assert held >= 0.93 * 400


def test_every_half_chooses_once_and_a_draw_of_them_if_there_are_many() -> None:
    assert splits(1) == [(0,)]
    assert splits(4) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert splits(5)[:2] == [(0, 1), (0, 2)]
    assert len(splits(10)) == 252
    assert len(splits(12)) == 252
    assert {len(set(split)) for split in splits(12)} == {6}


@pytest.mark.parametrize(("attacks", "seeds"), [(1, 3), (8, 3), (8, 5)])
def test_intervals_and_tests_hold_although_the_same_seeds_choose_and_value(attacks: int, seeds: int) -> None:
    generator, held, equal = np.random.default_rng(2), 0, 0
    made = conditions(*[[0.5]] * attacks)
    for tables in 0.5 + 0.02 * generator.normal(size=(400, 2, attacks, seeds)):
        found = [
            best_response([replace(one, accuracies=row) for one, row in zip(made, rows, strict=True)], attacks)
            for rows in tables.tolist()
        ]
        held += found[0].accuracy.low <= 0.5 <= found[0].accuracy.high
        equal += difference(found[0].runs, found[1].runs).p >= 0.05
    assert held >= 0.93 * 400  # 95 %, less two standard errors of 400 leagues
    assert equal >= 0.93 * 400


def test_luck_lifts_the_best_of_equal_attacks_and_not_the_corrected_value() -> None:
    generator, plain, corrected = np.random.default_rng(0), [], []
    for _ in range(300):
        found = best_response(conditions(*(0.5 + 0.02 * generator.normal(size=(8, 3))).tolist()), 8)
        plain.append(found.uncorrected)
        corrected.append(found.accuracy.mean)
    assert np.mean(plain) > 0.51  # 8 means with an error of 0.0115 each
    assert np.mean(corrected) == pytest.approx(0.5, abs=3 * np.std(corrected) / np.sqrt(300))


def test_one_victim_cannot_correct() -> None:
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
