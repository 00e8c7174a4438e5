"""Verdicts on claims: what decides them, and what is not known."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims import Comparison, Side, pgd
from analysis.evidence import evidence, matching
from analysis.evidence import words as described
from analysis.numbers.differences import Difference
from analysis.reading.stopping import stopped
from analysis.verdicts import Source, _verdict, verdicts
from tests.analysis.conftest import Accuracies, at_chance, results_of

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
    low, high = Side("sem", pgd(4)), Side("clean", pgd(4))
    plain = evidence(Comparison(low, high), [conditions])
    assert plain is not None
    assert (plain.difference.mean, plain.difference.half_width, plain.difference.count) == pytest.approx(
        (0.2, 0.0, 2), abs=1e-9
    )
    less = evidence(Comparison(low, high, share=0.5, margin=0.05), [conditions])
    assert less is not None
    assert less.difference.mean == pytest.approx((0.25 - 0.05 - 0.3 + 0.35 - 0.05 - 0.5) / 2)
    assert evidence(Comparison(Side("sem", pgd(2)), high), [conditions]) is None
    undone = Comparison(high, low, share=1.25)
    found = evidence(undone, [conditions])
    assert found is not None
    assert found.difference.mean == pytest.approx(1.25 * 0.4 - 0.6)
    assert described(undone, found).startswith("PGD 4/255: SEM below 80% of clean by 8.0 ± ")


def test_early_stopping_is_decided_at_every_clean_share(tmp_path: Path) -> None:
    looks = {
        "step": [2, 4],
        "test_accuracy": [0.3, 0.5],
        "validation_clean": [[2] * 10, [3] * 10],
        "validation_protected": [[3] * 10, [2] * 10],
    }
    stack = "early_stopping + pgd radius=4/255"
    runs: Accuracies = {(method, stack): [0.5, 0.5] for method in ("sem", "clean")}
    results = results_of(tmp_path, runs, sem=looks, clean=looks)
    [(_, rows, _)] = verdicts([Source(stopped(results))])
    [row] = [one for one in rows if one.claim.startswith("Early stopping")]
    told = [(one["low"].rpartition(", ")[2], one["high_quantity"], one["difference"]) for one in row.numbers]
    reached = {0: 0.3, 10: 0.3, 30: 0.3, 50: 0.3, 70: 0.5}  # from more than a half on, the clean parts decide
    assert [(share, quantity) for share, quantity, _ in told] == [
        (f"{share} % clean)", quantity) for share in reached for quantity in ("final_accuracy", "to_the_end")
    ]
    assert [difference for *_, difference in told[::2]] == pytest.approx([-0.2 * value for value in reached.values()])


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

    def accuracies(place: Side) -> list[float | None]:
        return [one.accuracies[0] for one in matching(place, results.conditions)]

    assert accuracies(Side("sem")) == [0.1]
    assert accuracies(Side("sem", settings=(("updates", 60),))) == [0.2]
    assert accuracies(Side("sem", settings=(("updates", "most"),))) == [0.3]
    assert accuracies(Side("sem", settings=(("updates", "least"),))) == [0.2]
    assert accuracies(Side("sem", (("median", {}), *pgd(4)))) == [0.4]
    assert accuracies(Side("sem", pgd(4))) == []


def test_every_claim_has_a_row(tmp_path: Path) -> None:
    [(_, rows, _)] = verdicts([Source(results_of(tmp_path, {("clean", "none"): [0.5]}).conditions)])
    assert {row.word for row in rows} == {"not run"}
    assert len({row.claim for row in rows}) == len(rows) == 12


def test_a_claim_is_decided_on_one_data_set_with_one_network(tmp_path: Path) -> None:
    """The one that decides most says all it knows, another one only what it decides whole."""
    methods, others = ("em_stepwise", "tap_rem", "ntga", "rem", "sem"), {("sc", "none"): [0.1, 0.11]}
    runs: Accuracies = others | {(method, "none"): [0.5, 0.51] for method in methods}
    found = results_of(tmp_path, runs).conditions
    mirrored = results_of(tmp_path, {key: [1 - value for value in values] for key, values in runs.items()}).conditions
    radii = results_of(tmp_path, {("sem", "pgd radius=1/255"): [0.1], ("rem", "pgd radius=1/255"): [0.2]}).conditions
    elsewhere = [replace(one, label=one.label | {"dataset": "imagenet100"}) for one in (*mirrored, *radii)]
    first, second = verdicts([Source(elsewhere), Source(found)])
    assert first.place == ("imagenet100", "m")  # with the radius it decides one comparison more
    assert len(first.rows) == 12
    told = {row.claim: row.word for row in first.rows}
    assert told["SC protects best without adversarial training"] == "does not hold, of one noise"
    assert told["SEM protects better than REM at every radius of the victim up to 4/255"] == "cannot be told"
    assert [[row.claim, row.word] for row in second.rows] == [
        ["SC protects best without adversarial training", "holds, of one noise"]
    ]


def test_a_claim_is_decided_with_victims_of_one_training(tmp_path: Path) -> None:
    """Else a user's own grid with more noises would decide it by victims of other steps."""
    found = results_of(tmp_path, {("sc", "none"): [0.1, 0.11], ("sem", "none"): [0.5, 0.51]}).conditions
    other = results_of(tmp_path / "other", {("sc", "none"): [0.6, 0.61], ("sem", "none"): [0.5, 0.51]}).conditions
    more = [replace(one, noises=2) for one in other]
    [together] = verdicts([Source(found), Source(more)])
    assert together.rows[0].over == "2 noises"
    first, *_ = verdicts([Source(found, training="steps=800"), Source(more, training="steps=100")])
    assert (first.training, first.rows[0].over) == ("steps=800", "1 noise")
    assert first.rows[0].numbers[0]["difference"] == pytest.approx(0.4)


def test_victims_that_stayed_at_chance_decide_no_claim(tmp_path: Path) -> None:
    found = results_of(tmp_path, {("sc", "none"): [0.1, 0.11], ("sem", "none"): [0.5, 0.51]}).conditions
    [(_, rows, _)] = verdicts([Source([at_chance(found[0]), found[1]])])
    assert (rows[0].word, rows[0].told) == ("not run", "")


def test_the_radii_of_random_noise_that_were_run_decide_and_all_radii_of_the_victim_must(tmp_path: Path) -> None:
    own, other = "sem adv_radius=3/255 random_radius=3/255", "sem adv_radius=3/255 random_radius=6/255"
    runs: Accuracies = {(own, "pgd radius=3/255"): [0.3, 0.31], (other, "pgd radius=3/255"): [0.4, 0.42]}
    found = results_of(tmp_path, runs).conditions
    for one, radius in zip(found, ("3/255", "6/255"), strict=True):
        one.paper["method"] |= {"name": "sem", "adv_radius": "3/255", "random_radius": radius}
    [(_, rows, _)] = verdicts([Source(found)])
    [row] = [one for one in rows if one.claim.startswith("SEM is best if its random noise")]
    assert (row.word, row.whole, row.weight) == ("holds, of one noise", True, 1)
    rival = found[1].paper | {"method": found[1].paper["method"] | {"random_radius": "4/255"}}
    unfinished = replace(found[1], paper=rival, accuracies=[None, None], statuses=["missing"] * 2)
    [(_, others, _)] = verdicts([Source([*found, unfinished])])
    [open_] = [one for one in others if one.claim.startswith("SEM is best if its random noise")]
    assert (open_.word, open_.whole) == ("cannot be told", False)
    [missing] = [one for one in rows if one.claim.startswith("SEM protects better")]
    assert (missing.word, missing.whole) == ("not run", False)


def test_a_verdict_has_its_cells_its_noises_and_each_comparison_in_full(tmp_path: Path) -> None:
    runs: Accuracies = {("sem", "pgd radius=4/255"): [0.3, 0.31], ("rem", "pgd radius=4/255"): [0.5, 0.52]}
    found = results_of(tmp_path, runs).conditions
    [(_, rows, _)] = verdicts([Source(found)])
    [row] = [one for one in rows if one.claim.startswith("SEM protects better")]
    assert (row.word, row.over) == ("cannot be told", "1 noise")  # three radii were not run
    assert row.told.startswith("PGD 4/255: SEM below rem by 20.5")
    swapped = {key: runs[other] for key, other in zip(runs, reversed(runs), strict=True)}
    [(_, others, _)] = verdicts([Source(results_of(tmp_path / "swapped", swapped).conditions)])
    assert any(one.told.startswith("PGD 4/255: SEM above rem by 20.5") for one in others)
    assert set(row.keys) == {key for one in found for key in one.keys}
    [numbers] = row.numbers
    assert (numbers["low_method"], numbers["high_method"], numbers["units"]) == ("sem", "rem", 2)
    assert numbers["difference"] == pytest.approx(0.205)


def test_a_verdict_has_the_noises_of_the_side_with_fewer_and_no_attack_of_other_settings(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("sem", "pgd radius=4/255"): [0.3, 0.31],
        ("rem", "pgd radius=4/255"): [0.5, 0.52],
        ("rem", "pgd radius=4/255 steps=3"): [0.1, 0.1],
    }
    sem, rem, other = results_of(tmp_path, runs).conditions
    low, high = Side("sem", pgd(4)), Side("rem", pgd(4))
    found = evidence(Comparison(low, high), [[replace(sem, noises=2), other, rem]])
    assert found is not None
    assert (found.high, found.noises) == (rem, 1)
