"""The grids that vary a setting have their figure at every scale."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.numbers.estimates import Estimate
from analysis.reading.records import read_results
from analysis.swept import swept
from bench.grid.expand import read_grid
from bench.grid.library import SHIPPED
from bench.grid.plan import plan_of
from bench.grid.scale import Scale, read_scales
from bench.store import Store

FIGURES = {"figure_m_j": "-settings.svg", "budget": "-settings.svg", "table6": "-map-sem-0.svg"}


@pytest.mark.parametrize("scale", ["paper", "small", "tiny"])
@pytest.mark.parametrize("grid", FIGURES)
def test_a_grid_that_varies_a_setting_has_a_figure_of_it(grid: str, scale: str, tmp_path: Path) -> None:
    scales = read_scales(SHIPPED / "scales.yaml")
    made = plan_of(
        read_grid(SHIPPED / f"{grid}.yaml", scales, scale, Scale(), tmp_path), grid, scale, scales[scale], Scale()
    )
    results = read_results(grid, made, Store(tmp_path))
    assert swept(results) == []  # nothing has run
    finished = [
        replace(
            one,
            accuracies=[0.3],
            statuses=["finished"],
            estimates=one.estimates
            | {"final_accuracy": Estimate(0.3, None, 1), "noise_passes": Estimate(number, None, 1)},
        )
        for number, one in enumerate(results.conditions)
    ]
    assert FIGURES[grid] in [drawn.file for drawn in swept(replace(results, conditions=finished))]
