"""The table of measures: what stands in it if noises are missing, failed or without the number, and its intervals."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis import accuracy
from analysis.measured import INTERVALS, sections
from analysis.reading.conditions import Words
from analysis.reading.results import Measured, Results
from analysis.writing.caveats import with_caveats
from analysis.writing.sections import MISSING
from bench.store import Record
from tests.analysis.conftest import results_of


def table(folder: Path, found: list[Record | None], statuses: list[str]) -> Results:
    """One method with a number of each noise; how each of its cells ended."""
    keys = [f"key{number}" for number in range(len(found))]
    number = next(iter(found[0] or ["b"]))
    one = Measured(
        ("d", "m"), "a", Words("a"), False, "some", "some", {number: "B"}, {"name": "some"}, found, keys=keys
    )
    cells = [{"key": key, "status": status} for key, status in zip(keys, statuses, strict=True)]
    return replace(results_of(folder, {("a", "none"): [0.5]}), measured=[one], measure_cells=cells)


@pytest.mark.parametrize(
    ("found", "statuses", "text", "note"),
    [
        ([{"b": 2.0}, {"b": 2.0}, {"b": 2.0}], ["finished"] * 3, "2.000 ± 0.000", ""),
        ([{"b": 2.0}], ["finished"], "2.000", ""),
        ([{"b": 2.0}, None], ["finished", "missing"], "2.000", "1 of 2 noises"),
        ([{"b": 2.0}, {"b": "x"}], ["finished"] * 2, "2.000", "1 of 2 noises"),
        ([{"b": -0.0001}], ["finished"], "0.000", ""),
        ([{"b": 0}, {"b": 0}], ["finished"] * 2, "0 ± 0", ""),
        ([{"b": -1.5e300}], ["finished"], "-1.50e+300", ""),
        ([{"b_p": 0.02}, {"b_p": 0.00001}, {"b_p": 0.3}], ["finished"] * 3, "< 0.001 to 0.300", ""),
        ([{"b_p": 0.02}, {"b_p": 0.02}, None], ["finished"] * 2 + ["missing"], "0.020", "2 of 3 noises"),
    ],
)
def test_a_number_says_of_how_many_noises_it_is(
    found: list[Record | None], statuses: list[str], text: str, note: str, tmp_path: Path
) -> None:
    [section] = sections(table(tmp_path, found, statuses))
    entry = section.table.rows[0].entries[1]
    assert (entry.text, entry.note) == (text, note)


def test_failed_missing_and_without_a_number_are_told_apart(tmp_path: Path) -> None:
    results = table(tmp_path, [None], ["failed"])
    there = replace(results.measured[0], measure="other", title="other", found=[{"b": 1.0}], keys=["there"])
    cells = [*results.measure_cells, {"key": "there", "status": "finished"}]
    for found, status, text, note in (
        (None, "failed", "failed", ""),
        (None, "missing", MISSING, ""),
        ({"b": None}, "finished", MISSING, "no value found"),
    ):
        own = replace(results.measured[0], found=[found])
        [section] = sections(
            replace(results, measured=[own, there], measure_cells=[{**cells[0], "status": status}, cells[1]])
        )
        entry = section.table.rows[0].entries[1]
        assert (entry.text, entry.note) == (text, note)


def test_intervals_of_measures_are_over_noises_and_not_over_victims(tmp_path: Path) -> None:
    results = table(tmp_path, [{"b": 1.0}, {"b": 2.0}], ["finished"] * 2)
    [section] = sections(results)
    assert with_caveats(section, results).remarks[-1] == INTERVALS
    [alone] = sections(table(tmp_path, [{"b": 1.0}], ["finished"]))
    assert INTERVALS not in with_caveats(alone, results).remarks


def test_one_attack_has_no_figure_where_the_plan_is_made_for_its_measures(tmp_path: Path) -> None:
    results = table(tmp_path / "one", [{"b": 2.0}], ["finished"])
    several = results_of(tmp_path / "several", {("a", attack): [0.5] for attack in ("none", "pgd")})
    plans = (results, replace(results, measured=[]), replace(several, measured=results.measured))
    assert [bool(accuracy.sections(one)[0].figure) for one in plans] == [False, True, True]
