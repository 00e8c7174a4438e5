"""Every cell against the controls that its attack names."""

from pathlib import Path

import pytest

from analysis.accuracy import sections as accuracy_sections
from analysis.gains import sections
from analysis.reading.records import read_results
from analysis.reading.stopping import stopped
from analysis.report import write_report
from bench.store import Store
from tests.analysis.conftest import Accuracies, markdown_of, results_of, texts
from tests.analysis.test_early_stopping import STOPPED


def test_a_cell_is_also_read_against_the_strongest_control_that_its_attack_names(tmp_path: Path) -> None:
    runs: Accuracies = {
        ("clean", "partial"): [0.8, 0.8],
        ("clean", "partial only=True"): [0.5, 0.6],
        ("em", "partial"): [0.6, 0.5],
        ("em", "jpeg"): [0.6, 0.4],
        ("em", "jpeg turn=random"): [0.1, None],
        ("em", "none"): [0.1, 0.1],
    }
    only_clean, random = (
        {"method": "clean", "attack": "partial only=True"},
        {"method": "em", "attack": "jpeg turn=random"},
    )
    own_controls = {("em", "partial"): [only_clean], ("em", "jpeg"): [random, only_clean]}
    results = results_of(tmp_path, runs, own_controls=own_controls)
    gained = {tuple(list(one.label.values())[2:]): one.estimates["gained"] for one in results.conditions}
    partial, jpeg = gained["em", "partial"], gained["em", "jpeg"]
    assert partial is not None
    assert partial.mean == pytest.approx(0.0)
    assert partial.half_width == pytest.approx(12.706 * 0.1, rel=1e-3)  # of 0.1 and -0.1, paired by seed
    assert jpeg is not None
    assert jpeg.mean == pytest.approx(-0.05)  # 0.6 - 0.5 and 0.4 - 0.6; the random turn is weaker
    assert [place for place, value in gained.items() if value] == [("em", "partial"), ("em", "jpeg")]
    write_report(Store(tmp_path))
    markdown = markdown_of(tmp_path)
    _, table = markdown.split("points: d, m, scale small")
    assert "| method | partial poisoning | JPEG |" in table
    assert "- partial poisoning: against partial poisoning only" in table
    assert "- JPEG: against JPEG turn random" in table
    page = (tmp_path / "report" / "index.html").read_text()
    assert "JPEG: against JPEG turn random" in page
    assert ">-5.0" in page  # a number like any other, and no best: there is no other row
    # Without clean images, what is left is read against the control that needs none.
    [jpeg] = [
        one
        for one in results_of(tmp_path, runs, ("clean images",), own_controls=own_controls).conditions
        if one.own_controls
    ]
    assert jpeg.estimates["gained"] is not None
    assert jpeg.estimates["gained"].mean == pytest.approx(0.5)


def test_early_stopping_is_compared_where_it_stops_and_its_column_says_that_it_is_of_the_end(tmp_path: Path) -> None:
    runs: Accuracies = {("clean", "partial only=True"): [0.4], ("em", "early_stopping"): [0.2]}
    own_controls = {("em", "early_stopping"): [{"method": "clean", "attack": "partial only=True"}]}
    results = results_of(tmp_path, runs, own_controls=own_controls, em=STOPPED)
    [section] = sections(results)
    assert texts(section.table) == [["method", "early stopping, 100 % clean"], ["EM", "10.0"]]  # nobody has the rest
    [section] = accuracy_sections(results)
    assert texts(section.table)[0] == ["method", "partial poisoning only", "early stopping, to the end"]


def test_each_clean_share_stands_against_training_on_as_many_clean_images() -> None:
    store = Store(Path("results"))
    results = read_results("table5-small", store.plan("table5-small") or {}, store, ())
    found = {
        one.attack.title: one.own_controls
        for one in stopped(results)
        if one.label["method"] == "em" and one.own_controls
    }
    expected = {10: 0.99, 30: 0.97, 50: 0.95, 70: 0.93, 100: 0.9}  # and none for a validation set without clean images
    assert found == {
        f"early stopping + PGD 8/255, {share} % clean": [
            ("clean", f"partial_poisoning protected={protected} clean_part_only=True + pgd radius=8/255")
        ]
        for share, protected in expected.items()
    }
