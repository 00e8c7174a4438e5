"""Which comparisons decide a claim: those that its sentence names, at every point that a grid may have."""

from pathlib import Path

import pytest

from analysis.verdicts import Source, Verdict, verdicts
from tests.analysis.conftest import Accuracies, results_of

PGD = "pgd radius=4/255"


def judged(results: list[Source], words: str) -> Verdict:
    [(_, rows, _)] = verdicts(results)
    [row] = [one for one in rows if one.claim.startswith(words)]
    return row


@pytest.mark.parametrize("share", [0.6, 0.4, 0.2])
def test_a_small_share_that_protects_is_against_the_claim_on_partial_poisoning(share: float, tmp_path: Path) -> None:
    runs: Accuracies = {("clean", PGD): [0.6, 0.61]}
    runs |= {
        ("sem", f"partial_poisoning protected={one} + {PGD}"): [0.3, 0.31] if one in (0.8, share) else [0.6, 0.61]
        for one in (0.8, 0.6, 0.4, 0.2)
    }
    row = judged([Source(results_of(tmp_path, runs).conditions)], "Partial poisoning")
    assert (row.word, row.whole) == ("does not hold, of one noise", True)
    against = [one["high_attack"] for one in row.numbers if one["difference"] < 0]
    assert against == [f"partial_poisoning protected={share} + {PGD}"]


@pytest.mark.parametrize(("adversary", "random"), [("4/255", "5/255"), ("8/255", "16/255"), ("5/255", "0")])
def test_any_radius_of_random_noise_may_be_better_than_the_adversarys(
    adversary: str, random: str, tmp_path: Path
) -> None:
    radii = [adversary, random]
    runs: Accuracies = {
        (f"sem adv_radius={adversary} random_radius={radius}", f"pgd radius={adversary}"): accuracies
        for radius, accuracies in zip(radii, ([0.4, 0.41], [0.3, 0.31]), strict=True)
    }
    found = results_of(tmp_path, runs).conditions
    for one, radius in zip(found, radii, strict=True):
        one.paper["method"] |= {"name": "sem", "adv_radius": adversary, "random_radius": radius}
    row = judged([Source(found)], "SEM is best if its random noise")
    assert (row.word, row.weight) == ("does not hold, of one noise", 1)


def test_a_margin_is_told_behind_the_plain_difference(tmp_path: Path) -> None:
    poisoned = f"partial_poisoning protected=0.8 + {PGD}"
    runs: Accuracies = {("clean", PGD): [0.6, 0.61], ("sem", poisoned): [0.57, 0.58]}
    [told] = judged([Source(results_of(tmp_path, runs).conditions)], "Partial poisoning").told.split(";\n")
    assert told.startswith("SEM (partial_poisoning protected 0.8 + PGD 4/255) below clean (PGD 4/255) by 3.0 ± ")
    assert told.endswith(" (5 points needed)")
    stopped = runs | {("sem", f"partial_poisoning protected=0.6 + {PGD}"): [0.7, 0.71]}
    row = judged([Source(results_of(tmp_path / "more", stopped).conditions)], "Partial poisoning")
    allowed = "clean (PGD 4/255) below SEM (partial_poisoning protected 0.6 + PGD 4/255) by 10.0 ± "
    assert [one.startswith(allowed) and one.endswith(" (5 points above allowed)") for one in row.told.split(";\n")][
        1:
    ] == [True]


def test_training_without_an_attack_is_called_plain(tmp_path: Path) -> None:
    runs: Accuracies = {("sc", "none"): [0.1, 0.11], ("sem", "none"): [0.5, 0.51]}
    told = judged([Source(results_of(tmp_path, runs).conditions)], "SC protects best").told
    assert told.startswith("plain training: sc below SEM by 40.0 ± ")
