"""The correlation study: which points it takes, and what it says of the paper's signs."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.correlation import sections
from analysis.numbers.estimates import estimate_over_noises
from analysis.reading.conditions import Words
from analysis.reading.pairings import settings_of, types_of
from analysis.reading.results import Measured, Results
from tests.analysis.conftest import Accuracies, at_chance, results_of

PLACE = ("d", "m")
MEASURES = {"r_theta": "surrogate_robustness", "r_delta_u": "noise_robustness"}
ACCURACIES = [0.6, 0.5, 0.45, 0.4, 0.32, 0.3, 0.2, 0.1]
OVER_TWO = estimate_over_noises([0.7, 0.5], 2)


def study(folder: Path, numbers: list[float], key: str = "r_theta", title: str = "R_theta") -> Results:
    """Eight generators of one type and falling accuracy with a number each, and a control that has one too."""
    names = [f"g{number}" for number in range(len(ACCURACIES))]
    runs: Accuracies = {(name, "none"): [accuracy] for name, accuracy in zip(names, ACCURACIES, strict=True)}
    results = results_of(folder, runs | {("clean", "none"): [0.9]})
    conditions = [
        replace(one, made={"adv_radius": f"{1 + number % 3}/255", "updates": 100 * (1 + number % 2)})
        for number, one in enumerate(results.conditions)
    ]
    for one in conditions:
        one.paper["method"]["noise_step"] = "pgd"
    found, measure = zip([*names, "clean"], [*numbers, 99.0], strict=True), MEASURES.get(key, "some")
    measured = [
        Measured(
            PLACE, name, Words(name), name == "clean", measure, measure, {key: title}, {"name": measure}, [{key: value}]
        )
        for name, value in found
    ]
    return replace(results, conditions=conditions, measured=measured)


@pytest.mark.parametrize(
    ("numbers", "key", "verdict"),
    [
        ([float(number) for number in range(8)], "r_theta", "with a positive sign holds here"),
        ([float(-number) for number in range(8)], "r_theta", "with a positive sign does not hold here"),
        ([float(-number) for number in range(8)], "r_delta_u", "with a negative sign holds here"),
        ([3.0, 1.0, 4.0, 1.5, 5.0, 2.0, 2.5, 3.5], "r_delta_u", "with a negative sign cannot be told here"),
    ],
)
def test_the_sign_that_the_paper_claims_is_told_from_the_points(
    numbers: list[float], key: str, verdict: str, tmp_path: Path
) -> None:
    overall, by_type = sections(study(tmp_path, numbers, key))
    [remark] = overall.remarks
    assert verdict in remark
    assert "8 generators" in remark
    assert overall.figure is not None
    assert by_type.folded


def test_each_point_is_a_generator_with_its_protection_and_controls_are_none(tmp_path: Path) -> None:
    overall, _ = sections(study(tmp_path, [float(number) for number in range(8)]))
    theta = [row for row in overall.numbers if row["number"] == "r_theta"]
    assert [row["coefficient"] for row in theta] == ["Pearson r", "Spearman rho", "Kendall tau-b"]
    assert {row["generators"] for row in theta} == {8}
    assert [row["value"] for row in theta[1:]] == pytest.approx([1.0, 1.0])  # F grows as accuracy falls
    first = overall.table.rows[0].entries
    assert [entry.value for entry in first[:3]] == ["R_theta", "none", "8"]
    assert "only 8 generators" in {entry.note for entry in first}
    least, largest = map(float, first[6].value.split(" to "))
    assert 0.9 < least <= theta[0]["value"] <= largest <= 1
    given = theta[0]["r_given_radius_and_updates"]
    assert (0.9 < given <= 1, first[7].value) == (True, f"{given:.2f}")


def test_a_generator_of_several_noises_is_one_point_at_their_mean(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    [alone, _] = sections(results)
    assert alone.note.endswith("Each generator made one noise.")
    first, *others = results.conditions
    repeated = replace(
        first, accuracies=[0.7, 0.5], noises=2, estimates={**first.estimates, "final_accuracy": OVER_TWO}
    )
    measured = [replace(results.measured[0], found=[{"r_theta": -1.0}, {"r_theta": 1.0}]), *results.measured[1:]]
    overall, _ = sections(replace(results, conditions=[repeated, *others], measured=measured))
    assert overall.numbers == [{**row, "noises": 1} for row in alone.numbers]  # both means are what they were
    assert overall.note.endswith(
        "1 of 8 generators made up to 2 noises: their points are means over those that their victims met."
    )


def test_without_measures_there_is_no_study_and_few_generators_get_no_coefficient(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    assert sections(replace(results, measured=[])) == []
    measured = [replace(one, measure="generation_time") for one in results.measured]
    assert sections(replace(results, measured=measured)) == []  # what noise costs is nothing of what it does
    measured = [replace(one, numbers={"r_theta": "F"}) for one in results.measured]
    assert sections(replace(results, measured=measured)) == []  # protection is not paired with itself
    assert sections(replace(results, conditions=results.conditions[:4])) == []
    [overall] = sections(replace(results, measured=results.measured[:4]))
    theta = [row for row in overall.numbers if row["number"] == "r_theta"]
    assert {(row["value"], row["reason"]) for row in theta} == {(None, "4 generators are too few")}
    assert overall.remarks == [
        "R_theta: 4 of 8 generators (none). Left out: g4: no R_theta; g5: no R_theta; g6: no R_theta; g7: no R_theta."
    ]


def test_generators_that_are_no_points_are_told_with_the_reason(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    first, second, third, *others = results.conditions
    conditions = [
        at_chance(first),
        replace(second, accuracies=[None], statuses=["failed"]),
        replace(third, accuracies=[*third.accuracies, None]),
        *others,
    ]
    overall, _ = sections(replace(results, conditions=conditions))
    told, left_out = overall.remarks
    assert "5 of 8 generators" in told
    assert left_out == (
        "R_theta, PSNR, passes of generation: 5 of 8 generators (none). Left out: g0: a victim stayed at chance; "
        "g1: victims failed; g2: victims are missing."
    )


def test_a_generator_without_the_number_of_a_noise_is_no_point(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    first, *others = results.conditions
    repeated = replace(first, accuracies=[0.7, 0.5], noises=2)
    for found in ([{"r_theta": 1.0}, {"r_theta": "x"}], [{"r_theta": 1.0}, None], [{"r_theta": 1.0}]):
        measured = [replace(results.measured[0], found=found), *results.measured[1:]]
        overall, _ = sections(replace(results, conditions=[repeated, *others], measured=measured))
        assert "R_theta: 7 of 8 generators (none). Left out: g0: no R_theta." in overall.remarks


def test_one_generator_that_is_written_in_two_ways_is_one_point(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    first = results.conditions[0]
    twice = replace(first, label=first.label | {"method": "again"})
    overall, _ = sections(replace(results, conditions=[*results.conditions, twice]))
    assert {row["planned"] for row in overall.numbers} == {8}


def test_a_partial_correlation_is_given_what_the_cells_had_and_not_what_no_step_had(tmp_path: Path) -> None:
    results = study(tmp_path, [3.0, 1.0, 4.0, 1.5, 5.0, 2.0, 2.5, 3.5])
    made = [one.made for one in results.conditions]
    unused = replace(results.conditions[0], made=made[0] | {"noise_step": "none", "surrogate_step": "none"})
    conditions = [unused, *results.conditions[1:]]
    names = [one.label["method"] for one in conditions if not one.control]
    changed = replace(results, conditions=conditions)
    assert settings_of(changed, PLACE, names, "adv_radius") == [0, *(number / 255 for number in (2, 3, 1, 2, 3, 1, 2))]
    assert settings_of(changed, PLACE, names, "updates") == [100, 200] * 4
    assert settings_of(changed, PLACE, names, "samples") is None


def test_a_claim_is_not_decided_against_the_sign_within_types(tmp_path: Path) -> None:
    """Two types far apart, within each of which the sign is the other one."""
    results = study(tmp_path, [4.0, 3.0, 2.0, 1.0, 14.0, 13.0, 12.0, 11.0])
    for number, one in enumerate(results.conditions):
        one.paper["method"]["noise_step"] = "pgd" if number < 4 else "none"
    [overall] = sections(results)  # no type has enough generators for coefficients of its own
    head = [entry.value for entry in overall.table.head]
    within = overall.table.rows[0].entries[head.index("r within types")].value
    assert within.startswith("-0.9")
    assert within.endswith(f", p {overall.numbers[0]['p_within_types_holm']:.3f}")
    assert overall.numbers[0]["value"] > 0.7
    assert "cannot be told here" in overall.remarks[0]


def test_a_type_of_one_generator_is_called_by_its_title(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    for one, kind in zip(results.conditions, ["pgd", "pgd", "none", "random", *["random"] * 5], strict=True):
        one.paper["method"] |= {"noise_step": kind, "surrogate_step": "none"}
    types = types_of(results, PLACE)
    assert [types[f"g{number}"] for number in range(4)] == ["PGD / none", "PGD / none", "g2", "random / none"]


def test_a_number_of_the_same_name_by_another_measure_is_not_the_claimed_one(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    other = [replace(one, measure="mine") for one in results.measured]
    [overall] = sections(replace(results, measured=other))
    assert overall.remarks == []
    both, _ = sections(replace(results, measured=[*other, *results.measured]))
    assert len(both.remarks) == 1


def test_numbers_that_no_claim_is_on_have_no_table_by_type(tmp_path: Path) -> None:
    [overall] = sections(study(tmp_path, [float(number) for number in range(8)], "seconds", "seconds"))
    assert overall.remarks == []


def test_ways_of_a_measure_are_told_apart(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    ways = [
        replace(one, title=title, found=[{"r_theta": sign * one.found[0]["r_theta"]}])
        for title, sign in (("1 turn", 1), ("2 turns", -1))
        for one in results.measured
        if one.found[0]
    ]
    overall, _ = sections(replace(results, measured=ways))
    assert ["sign holds here" in remark for remark in overall.remarks] == [True, False]
    written = [replace(one, written={"adv_radius": "1/255"}) if one.title == "1 turn" else one for one in ways]
    overall, _ = sections(replace(results, measured=written))
    [claimed] = overall.remarks  # of the paper's radius alone
    assert "R_theta, 2 turns" in claimed
    assert {row["settings"] for row in overall.numbers} == {"adv_radius=1/255", ""}


def test_a_p_value_is_no_number_that_goes_together_with_protection(tmp_path: Path) -> None:
    results = study(tmp_path, [float(number) for number in range(8)])
    both = [
        replace(one, numbers={**one.numbers, "mmd_p": "p"}, found=[{**(one.found[0] or {}), "mmd_p": 0.1 * place}])
        for place, one in enumerate(results.measured)
    ]
    overall, _ = sections(replace(results, measured=both))
    assert {row["number"] for row in overall.numbers} == {"r_theta", "noise_psnr", "noise_passes"}
