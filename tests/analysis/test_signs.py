"""Verdicts on correlations: which coefficients decide, and which cells stand behind them."""

from pathlib import Path
from typing import Any

import pytest

from analysis.reading.conditions import Words
from analysis.reading.results import Measured
from analysis.signs import verdict
from analysis.verdicts import Source, verdicts
from tests.analysis.conftest import results_of


@pytest.mark.parametrize(
    ("values", "p", "within", "sign", "word"),
    [
        ([0.8, 0.7, 0.6], 0.04, 0.1, 1, "holds"),
        ([0.8, 0.7, 0.6], 0.04, None, 1, "holds"),
        ([0.8, 0.7, 0.6], 0.04, -0.1, 1, "cannot be told"),
        ([0.8, 0.7, 0.6], 0.01, 0.1, -1, "does not hold"),
        ([0.8, 0.7, 0.6], 0.01, -0.1, -1, "cannot be told"),
        ([0.8, 0.7, 0.6], 0.04, 0.1, -1, "cannot be told"),  # one of three has it by luck more often
        ([0.8, 0.7, 0.6], 0.3, 0.1, 1, "cannot be told"),
        ([None, None, None], None, None, 1, ""),
    ],
)
def test_a_claimed_sign_needs_every_coefficient(
    values: list[Any], p: float | None, within: float | None, sign: int, word: str
) -> None:
    ends = {"low": None, "high": None}
    rows = [{"value": value, "p": p, "r_within_types": within, **ends} for value in values]
    assert verdict(rows, sign) == word
    spanning = [*rows[:2], rows[2] | {"low": -0.1, "high": 0.9}]
    assert verdict(spanning, sign) == ("cannot be told" if word == "holds" else word)


def test_the_claims_on_correlations_are_decided_under_the_training_of_the_claim(tmp_path: Path) -> None:
    found = results_of(tmp_path, {("sem", "pgd radius=4/255"): [0.3], ("sem", "none"): [0.3]}).conditions
    titles = {one.label["attack"]: one.attack.title for one in found}
    rows = [
        {"dataset": "d", "model": "m", "measure": "surrogate_robustness", "number": "r_theta"}
        | {"victim": titles[attack], "generators": 9, "planned": 9, "title": "R_theta", "noises": 2}
        | {"coefficient": "Pearson r", "value": value, "p": 0.01, "low": 0.5, "high": 0.9}
        | {"r_within_types": 0.3, "p_within_types_holm": 0.2, "settings": "adv_radius=4/255"}
        for attack, value in (("pgd radius=4/255", 0.8), ("none", -0.8))
    ]
    fewer = [row | {"generators": 5, "value": -0.9} for row in rows]
    more = [row | {"generators": 12, "value": None, "p": None} for row in rows]
    ways = ["turns=1", "adv_radius=1/255", "adv_radius=4/255 turns=1"]  # are other numbers than the claimed one
    others = [row | {"title": way, "settings": way, "generators": 99, "value": -0.9} for row in rows for way in ways]
    measured = [
        Measured(
            (dataset, "m"), method, Words(""), False, measure, "", {}, {}, [], keys=[f"{dataset} {method} {measure}"]
        )
        for dataset in ("d", "e")
        for method in ("sem", "clean")
        for measure in ("surrogate_robustness", "other")
    ]
    studies = (fewer, [*others, *rows], more)
    [(_, told, _)] = verdicts([Source(found, study, plan="g", measured=measured) for study in studies])
    [theta, delta] = told[-2:]
    assert theta.told == (
        "Pearson r 0.80 [0.50, 0.90], p 0.010; r within types 0.30, p 0.200 after Holm (PGD 4/255, g). R_theta is our "
        "reading of the paper's Definition 1, whose formula and procedure we have not seen."
    )
    assert (theta.word, theta.over) == ("holds", "9 generators")
    assert theta.keys == [*found[0].keys, "d sem surrogate_robustness"]
    assert delta.word == "not run"
