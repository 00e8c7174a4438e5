"""What stands beside the coefficients of the correlation study: corrected p-values, and a reason for each dash."""

from dataclasses import replace
from pathlib import Path

from analysis.correlation import sections
from analysis.numbers.association import within
from analysis.numbers.differences import holm
from analysis.writing.sections import MISSING
from tests.analysis.test_correlation import ACCURACIES, MEASURES, study


def test_a_dash_has_its_reason(tmp_path: Path) -> None:
    numbers = [float(number) for number in range(8)]
    results = study(tmp_path, numbers)
    alone = study(tmp_path / "alone", [0.0] * 7 + [1.0])
    few = replace(results, measured=results.measured[:5])
    for one, reason in ((alone, "one generator is all that differs"), (few, "too few generators to leave one out")):
        overall, *_ = sections(one)
        head = [entry.value for entry in overall.table.head]
        entry = overall.table.rows[0].entries[head.index("r without one")]
        assert (entry.value, entry.note) == (MISSING, reason)
    unknown = [replace(one, made={}) for one in results.conditions]
    overall, *_ = sections(replace(results, conditions=unknown))
    entry = overall.table.rows[0].entries[head.index("r given radius and updates")]
    assert (entry.value, entry.note) == (MISSING, "not known of all, or they leave nothing to compare")


def test_p_values_within_types_are_corrected_over_the_whole_table(tmp_path: Path) -> None:
    results = study(tmp_path, [3.0, 1.0, 4.0, 1.5, 5.0, 2.0, 2.5, 3.5])
    second = study(tmp_path / "second", [1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 8.0, 7.0], "r_delta_u", "R_delta_u")
    [overall] = [
        one
        for one in sections(replace(results, measured=[*results.measured, *second.measured]))
        if one.heading == "What goes together with protection"
    ]
    rows = {row["number"]: row for row in overall.numbers if row["number"] in MEASURES}
    protection = [1 - accuracy for accuracy in ACCURACIES]
    alone = [
        within([one.found[0][key] for one in found.measured[:8] if one.found[0]], protection, ["pgd"] * 8)[1]
        for found, key in ((results, "r_theta"), (second, "r_delta_u"))
    ]
    assert [row["p_within_types_holm"] for row in rows.values()] == holm(alone)
    assert holm(alone) != alone
