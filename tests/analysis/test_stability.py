"""What each perturbation leaves of a noise, beside records that were written by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.reading.conditions import Words
from analysis.reading.results import Measured, Results
from analysis.stability import sections
from tests.analysis.conftest import results_of, texts

FOUND = {
    "stability": 1.5,
    "perturbations": {
        "none": {"loss": 3.25, "median_loss": 2.0, "f": 0.7},
        "own": {"loss": 1.5, "median_loss": 1.0, "f": 0.5},
    },
}


def measured(tmp_path: Path, *found: Any) -> Results:
    own = [
        Measured(
            ("d", "m"), f"m{number}", Words(f"M{number}"), not number, "stability", "stability", {}, {}, [None, one],
            keys=(f"first {number}", f"key {number}"),
        )
        for number, one in enumerate(found)
    ]  # fmt: skip
    return replace(results_of(tmp_path, {("sem", "none"): [0.3]}), measured=own)


def test_every_perturbation_has_its_loss_its_median_and_f(tmp_path: Path) -> None:
    less = {"perturbations": {"none": {"loss": 1.0}}}
    [section] = sections(measured(tmp_path, FOUND, None, less))
    assert texts(section.table) == [
        ["method", "RD, none", "RD, own", "median RD, none", "median RD, own", "F, none", "F, own"],
        ["M0", "3.250", "1.500", "2.000", "1.000", "0.700", "0.500"],
        ["M2", "1.000", "–", "–", "–", "–", "–"],  # noqa: RUF001
    ]
    assert [row.control for row in section.table.rows] == [True, False]
    assert section.table.rows[1].entries[1].keys == ("first 2", "key 2")
    assert section.table.rows[1].entries[1].note == "1 of 2 noises"
    assert [(row["method"], row["noise"], row["perturbation"], row["loss"]) for row in section.numbers] == [
        ("m0", 1, "none", 3.25),
        ("m0", 1, "own", 1.5),
        ("m2", 1, "none", 1.0),
    ]


def test_a_number_is_the_mean_over_noises(tmp_path: Path) -> None:
    [one] = measured(tmp_path, FOUND).measured
    found = [{"perturbations": {"own": {"loss": loss}}} for loss in (1.0, 2.0, 3.0)]
    own = replace(one, found=found, keys=("a", "b", "c"))
    [section] = sections(replace(measured(tmp_path, FOUND), measured=[own]))
    assert section.table.rows[0].entries[1].text == "2.000 ± 2.484"  # 4.303 / sqrt(3)
    assert [(row["noise"], row["loss"]) for row in section.numbers] == [(0, 1.0), (1, 2.0), (2, 3.0)]


def test_ways_of_measuring_have_a_row_each(tmp_path: Path) -> None:
    results = measured(tmp_path, FOUND)
    ways = [
        replace(one, title=title, keys=("first", title)) for one in results.measured for title in ("4/255", "8/255")
    ]
    [section] = sections(replace(results, measured=ways))
    assert [row[0] for row in texts(section.table)[1:]] == ["M0, 4/255", "M0, 8/255"]


def test_without_results_there_is_no_table(tmp_path: Path) -> None:
    assert sections(measured(tmp_path, None)) == []


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({}, "perturbations: is missing"),
        (
            {"perturbations": {}},
            "perturbations: dictionary should have at least 1 item after validation, not 0, got {}",
        ),
        (
            {"perturbations": {"none": {"loss": float("nan")}}},
            "perturbations.none.loss: input should be a finite number, got nan",
        ),
        (
            {"perturbations": {"none": {"loss": True}}},
            "perturbations.none.loss: input should be a valid number, got True",
        ),
        (
            {"perturbations": {"none": {"loss": 1e200}}},
            "perturbations.none.loss: must be between -1e+100 and 1e+100, got 1e+200",
        ),
        (
            {"perturbations": {"own": {"loss": 1.0, "f": 1.5}}},
            "perturbations.own.f: must be in [0, 1], got 1.5",
        ),
    ],
)
def test_a_record_that_does_not_hold_is_told_with_its_key_field_and_value(
    found: Any, problem: str, tmp_path: Path
) -> None:
    line = "Cell key {} is left out: {}; delete its record and run its grid again."
    [alone] = sections(measured(tmp_path, found))
    assert alone.remarks == [line.format(0, problem)]
    assert texts(alone.table) == [["method"], ["M0"]]
    [beside] = sections(measured(tmp_path, FOUND, found))
    assert beside.remarks == [line.format(1, problem)]
    assert [row[1] for row in texts(beside.table)[1:]] == ["3.250", "–"]  # noqa: RUF001
