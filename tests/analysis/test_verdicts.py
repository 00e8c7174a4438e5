"""Verdicts on claims: what decides them, and what is not known."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims import Comparison, Place, pgd
from analysis.differences import Difference
from analysis.verdicts import _found, _matching, _verdict, verdicts
from tests.analysis.conftest import Accuracies, results_of

ABOVE, BELOW, UNSURE, ALONE, HARDLY = (
    Difference(0.1, 0.005, 2, 3),  # p 0.002
    Difference(-0.1, 0.005, 2, 3),
    Difference(0.1, 0.05, 2, 3),
    Difference(0.1, None, 0, 1),
    Difference(-0.1, 0.0205, 2, 3),  # p 0.04
)


@pytest.mark.parametrize(
    ("differences", "needed", "verdict"),
    [
        ([], 2, "not run"),
        ([ABOVE, ABOVE], 2, "holds"),
        ([ABOVE], 2, "cannot be told"),
        ([ABOVE, UNSURE], 2, "cannot be told"),
        ([ALONE], 1, "cannot be told"),
        ([ABOVE, BELOW], 3, "does not hold"),
        ([HARDLY], 1, "does not hold"),
        ([HARDLY, UNSURE], 2, "cannot be told"),  # one of two is below 0 by luck more often
    ],
)
def test_a_claim_needs_all_of_its_comparisons_and_falls_with_one(
    differences: list[Difference], needed: int, verdict: str
) -> None:
    assert _verdict(differences, needed) == verdict


def test_a_difference_is_paired_and_counts_share_and_margin(tmp_path: Path) -> None:
    runs: Accuracies = {("sem", "pgd radius=4/255"): [0.3, 0.5], ("clean", "pgd radius=4/255"): [0.5, 0.7]}
    conditions = results_of(tmp_path, runs).conditions
    low, high = Place("sem", pgd(4)), Place("clean", pgd(4))
    plain = _found(Comparison(low, high), [conditions])
    assert plain is not None
    assert (plain.difference.mean, plain.difference.half_width(), plain.difference.count) == pytest.approx(
        (0.2, 0.0, 2), abs=1e-9
    )
    less = _found(Comparison(low, high, share=0.5, margin=0.05), [conditions])
    assert less is not None
    assert less.difference.mean == pytest.approx((0.25 - 0.05 - 0.3 + 0.35 - 0.05 - 0.5) / 2)
    assert _found(Comparison(Place("sem", pgd(2)), high), [conditions]) is None


def test_a_place_is_found_by_its_settings_alone(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("sem", "none"): [0.1],
        ("sem updates=60", "none"): [0.2],
        ("sem updates=600", "none"): [0.3],
        ("sem", "median + pgd radius=4/255"): [0.4],
    }
    results = results_of(tmp_path, runs)
    for one in results.conditions:  # what a plan says of a setting that its label shows
        updates = one.label["method"].partition("updates=")[2]
        one.paper["method"] = {"name": "sem", "updates": int(updates or 5000)}

    def accuracies(place: Place) -> list[float | None]:
        return [one.accuracies[0] for one in _matching(place, results.conditions)]

    assert accuracies(Place("sem")) == [0.1]
    assert accuracies(Place("sem", settings=(("updates", 60),))) == [0.2]
    assert accuracies(Place("sem", settings=(("updates", "most"),))) == [0.3]
    assert accuracies(Place("sem", settings=(("updates", "least"),))) == [0.2]
    assert accuracies(Place("sem", (("median", {}), *pgd(4)))) == [0.4]
    assert accuracies(Place("sem", pgd(4))) == []


def test_every_claim_has_a_row(tmp_path: Path) -> None:
    [(_, rows)] = verdicts([results_of(tmp_path, {("clean", "none"): [0.5]}).conditions])
    assert {row[1].value for row in rows} == {"not run"}
    assert len({row[0].value for row in rows}) == len(rows) == 10


def test_a_claim_is_decided_on_one_data_set_with_one_network(tmp_path: Path) -> None:
    """The one that decides most says all it knows, another one only what it decides whole."""
    methods, others = ("em_stepwise", "tap_rem", "ntga", "rem", "sem"), {("sc", "none"): [0.1, 0.11]}
    runs: Accuracies = others | {(method, "none"): [0.5, 0.51] for method in methods}
    found = results_of(tmp_path, runs).conditions
    mirrored = results_of(tmp_path, {key: [1 - value for value in values] for key, values in runs.items()}).conditions
    radii = results_of(tmp_path, {("sem", "pgd radius=1/255"): [0.1], ("rem", "pgd radius=1/255"): [0.2]}).conditions
    elsewhere = [replace(one, label=one.label | {"dataset": "imagenet100"}) for one in (*mirrored, *radii)]
    first, second = verdicts([elsewhere, found])
    assert first.place == ("imagenet100", "m")  # with the radius it decides one comparison more
    assert len(first.rows) == 10
    told = {row[0].value: row[1].value for row in first.rows}
    assert told["SC protects best without adversarial training"] == "does not hold"
    assert told["SEM protects better than REM at every radius of the victim up to 4/255"] == "cannot be told"
    assert [[row[0].value, row[1].value] for row in second.rows] == [
        ["SC protects best without adversarial training", "holds"]
    ]
