"""The figure of perturbations: a column for each source, which reads without colour, and records written by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import two_samples
from analysis.drawing.scatter import clouds
from analysis.embedding import sections
from analysis.reading.conditions import Words
from analysis.reading.results import Measured, Results
from tests.analysis.conftest import rasters, results_of, texts
from tests.analysis.drawing.test_pictures import words

POINTS: dict[str, Any] = {
    "UMAP 0, raw": {"uniform": [(0, 0), (0.1, 0.1)], "victim": [(1, 1), (0.9, 1.2)]},
    "t-SNE, raw": {"uniform": [(3, 3)], "victim": [(3, 3)]},
}


SOURCES: dict[str, Any] = {"uniform": {"mean_l2": 0.5, "cosine": None}, "victim": {"mean_l2": 0.8}}
SHAPES: dict[str, Any] = {
    "l2 norm": {"across": [0.1, 0.3, 0.5, 0.7], "up": {"uniform": [0, 0, 1, 0], "victim": [0, 0.5, 0.5, 0]}},
    "first components": {"across": [1, 2, 4], "up": {"uniform": [0.1, 0.2, 0.4], "victim": [0.5, 0.7, 1]}},
}


def measured(tmp_path: Path, points: Any, shapes: Any = None) -> Results:
    return found(tmp_path, {"sources": SOURCES, "points": points, "shapes": shapes or {}})


def found(tmp_path: Path, *results: Any) -> Results:
    keys = [f"key {number}" for number in range(len(results))]
    named = ("perturbations", "perturbations")
    one = Measured(("d", "m"), "sem", Words("SEM"), False, *named, {}, {}, list(results), keys=keys)
    return replace(results_of(tmp_path, {("sem", "none"): [0.3]}), measured=[one])


def told(results: Results, problem: str) -> None:
    """Nothing is shown but what is wrong with the record."""
    [section] = sections(results)
    assert section.remarks == [f"Cell key 0 is left out: {problem}; delete its record and run its grid again."]
    assert (section.figure, section.table.rows, section.numbers) == (None, [], [])


def dots(panel: np.ndarray) -> np.ndarray:
    """Where points lie: the only saturated colour, (height, width)."""
    saturated: np.ndarray = np.ptp(panel[..., :3], axis=-1) > 60
    return saturated & (panel[..., 3] > 128)


def test_every_source_has_a_panel_of_its_own_where_it_is_darker_than_the_region_of_all() -> None:
    drawn = clouds(POINTS, "perturbations of SEM", "-x")
    uniform, victim, *alike = (np.asarray(one)[::-1].astype(int) for one in rasters(drawn.svg))
    assert len(alike) == 2
    assert all(one.any() for one in map(dots, (uniform, victim, *alike)))
    (low, left), (high, right) = (np.mean(np.nonzero(dots(one)), axis=1) for one in (uniform, victim))
    assert low > high
    assert left < right
    shade = (uniform[..., 3] > 0) & ~dots(uniform)
    assert shade.any()  # where the victim's points lie
    over_white = 255 + (uniform[..., :3].mean(axis=-1) - 255) * uniform[..., 3] / 255
    assert over_white[dots(uniform)].mean() < over_white[shade].mean() - 40
    assert sorted(words(drawn)) == ["UMAP 0, raw", "t-SNE, raw", "uniform", "victim"]


def test_a_noise_has_its_numbers_and_its_figure(tmp_path: Path) -> None:
    [section] = sections(measured(tmp_path, POINTS))
    assert [row[:2] for row in texts(section.table)[1:]] == [["uniform", "0.500"], ["victim", "0.800"]]
    assert section.figure is not None


def test_numbers_are_means_over_noises(tmp_path: Path) -> None:
    norms = (0.4, 0.5, 0.6)
    noises = [{"sources": SOURCES | {"uniform": {"mean_l2": norm}}, "points": POINTS} for norm in norms]
    [section] = sections(found(tmp_path, *noises))
    assert [row.entries[1].text for row in section.table.rows] == [
        "0.500 ± 0.248",
        "0.800 ± 0.000",
    ]
    assert [(row["noise"], row["source"], row["mean_l2"]) for row in section.numbers] == [
        *((noise, "uniform", norm) for noise, norm in enumerate(norms)),
        *((noise, "victim", 0.8) for noise in range(3)),
    ]


def test_how_far_sources_are_apart_is_a_mean_and_p_goes_from_the_least_to_the_largest(tmp_path: Path) -> None:
    pairs = [(0.5, 0.01), (0.6, 0.3), (0.7, 0.02)]
    noises = [
        {"points": POINTS}
        | {"sources": SOURCES | {"uniform": {"against": {"victim": {"two_sample": accuracy, "mmd_p": p}}}}}
        for accuracy, p in pairs
    ]
    [section] = two_samples.sections(found(tmp_path, *noises))
    [row] = texts(section.table)[1:]
    assert row == ["uniform", "victim", "0.600 ± 0.248", "–", "–", "0.010 to 0.300"]  # noqa: RUF001
    assert [(one["noise"], one["beside"], one["two_sample"], one["mmd_p"]) for one in section.numbers] == [
        (noise, "victim", *pair) for noise, pair in enumerate(pairs)
    ]
    both = {name: {"against": {other: {"mmd": 0.1}}} for name, other in (("uniform", "victim"), ("victim", "uniform"))}
    [once] = two_samples.sections(found(tmp_path, {"points": POINTS, "sources": both}))
    assert [row[:2] for row in texts(once.table)[1:]] == [["uniform", "victim"]]
    same = two_samples.sections(found(tmp_path, noises[0], noises[0]))
    assert texts(same[0].table)[1][-1] == "0.010"
    assert two_samples.sections(measured(tmp_path, POINTS)) == []


def test_a_noise_that_failed_leaves_the_next_one(tmp_path: Path) -> None:
    [section] = sections(found(tmp_path, None, {"sources": SOURCES, "points": POINTS}))
    [(known, missing)] = {(row.entries[1].note, row.entries[2].note) for row in section.table.rows}
    assert (known, missing) == ("1 of 2 noises", "")
    assert section.figure is not None
    assert "In the picture, of noise 2, the first that has any, each column" in section.note
    [whole] = sections(measured(tmp_path, POINTS))
    assert "In the picture, of the first noise, each column" in whole.note
    _, shapes = sections(found(tmp_path, None, {"sources": SOURCES, "points": POINTS, "shapes": SHAPES}))
    assert "of noise 2, the first that has any." in shapes.note
    assert {row["noise"] for row in shapes.numbers} == {1}


def test_a_damaged_noise_is_told_beside_the_next_one(tmp_path: Path) -> None:
    [section] = sections(found(tmp_path, {"sources": SOURCES}, {"sources": SOURCES, "points": POINTS}))
    assert section.remarks == ["Cell key 0 is left out: points: is missing; delete its record and run its grid again."]
    assert section.figure is not None


def test_sizes_and_dimensions_have_a_table_a_figure_and_every_number(tmp_path: Path) -> None:
    _, section = sections(measured(tmp_path, POINTS, SHAPES))
    assert texts(section.table) == [
        ["source", "variance in 1 component, %", "variance in 4 components, %"],
        ["uniform", "10.0", "40.0"],
        ["victim", "50.0", "100.0"],
    ]
    assert len(section.numbers) == 2 * 4 + 2 * 3
    assert section.figure is not None
    assert {
        "l2 norm",
        "first components",
        "share of the images",
        "share of the variance",
        "uniform",
        "victim",
        "1",
        "4",
    } <= set(words(section.figure))


@pytest.mark.parametrize(
    ("norms", "problem"),
    [
        ({"across": [0.1], "up": {"uniform": []}}, "shapes.l2 norm: 'uniform' has 0 shares for 1 places"),
        (
            {"across": [0.1], "up": {}},
            "shapes.l2 norm.up: dictionary should have at least 1 item after validation, not 0, got {}",
        ),
        (
            {"across": [0.1], "up": {"victim": [1], "uniform": [1]}},
            "shapes: of different sources, or in another order",
        ),
        (
            {"across": [0.0], "up": {"uniform": [1], "victim": [1]}},
            "shapes.l2 norm.across.0: input should be greater than 0, got 0.0",
        ),
        (
            {"across": [0.1], "up": {"uniform": [-0.5], "victim": [1]}},
            "shapes.l2 norm.up.uniform.0: must be in [0, 1], got -0.5",
        ),
        (
            {"across": [0.1], "up": {"uniform": [1], "other": [1]}},
            "shapes.l2 norm: 'other' is none of the sources uniform, victim",
        ),
    ],
)
def test_shapes_written_by_hand_that_cannot_be_drawn_are_told(norms: Any, problem: str, tmp_path: Path) -> None:
    told(measured(tmp_path, POINTS, SHAPES | {"l2 norm": norms}), problem)


def test_a_name_is_text_also_with_signs_of_mathematics(tmp_path: Path) -> None:
    name = "cost $\\bad$"
    points = {"UMAP": {name: [(0, 0), (1, 1)]}}
    shapes = {"first components": {"across": [1, 2], "up": {name: [0.5, 1]}}}
    for section in sections(found(tmp_path, {"sources": {name: {}}, "points": points, "shapes": shapes})):
        assert section.figure is not None
        assert name in words(section.figure)


def test_ways_of_collecting_have_a_heading_and_files_each(tmp_path: Path) -> None:
    results = measured(tmp_path, POINTS)
    [one] = results.measured
    ways = [replace(one, title=f"perturbations, {count} images", keys=[f"{count}"]) for count in (100, 300)]
    both = sections(replace(results, measured=ways))
    assert [section.heading for section in both] == [
        "Perturbations of SEM and of its victim, perturbations, 100 images",
        "Perturbations of SEM and of its victim, perturbations, 300 images",
    ]
    assert len({section.file for section in both} | {section.figure.file for section in both if section.figure}) == 4


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ({}, "points: dictionary should have at least 1 item after validation, not 0, got {}"),
        ({"UMAP": {}}, "points.UMAP: dictionary should have at least 1 item after validation, not 0, got {}"),
        (
            {"UMAP": {"uniform": []}},
            "points.UMAP.uniform: list should have at least 1 item after validation, not 0, got []",
        ),
        (
            {"UMAP": {"uniform": [(float("nan"), 0)]}},
            "points.UMAP.uniform.0.0: input should be less than or equal to 1000000, got nan",
        ),
        (
            {"UMAP": {"uniform": [(float("inf"), 0)]}},
            "points.UMAP.uniform.0.0: input should be less than or equal to 1000000, got inf",
        ),
        (
            {"UMAP": {"uniform": [(1e308, 0), (-1e308, 0)]}},
            "points.UMAP.uniform.0.0: input should be less than or equal to 1000000, got 1e+308",
        ),
        (
            {"UMAP": {"uniform": [(0, 0)]}, "t-SNE": {"victim": [(0, 0)]}},
            "points.t-SNE: 'uniform' is in one of it and points.UMAP alone",
        ),
        ({"UMAP": {"me": [(0, 0)]}}, "points.UMAP: 'me' is none of the sources uniform, victim"),
    ],
)
def test_points_written_by_hand_that_cannot_be_drawn_are_told(points: Any, problem: str, tmp_path: Path) -> None:
    told(measured(tmp_path, points), problem)


@pytest.mark.parametrize(
    ("victim", "problem"),
    [
        ({"saturated": 1.5}, "sources.victim.saturated: must be in [0, 1], got 1.5"),
        ({"mean_l2": "5"}, "sources.victim.mean_l2: input should be a valid number, got '5'"),
        ({"saturated": True}, "sources.victim.saturated: input should be a valid number, got True"),
        (
            {"against": {"uniform": {"two_sample": 1.5}}},
            "sources.victim.against.uniform.two_sample: must be in [0, 1], got 1.5",
        ),
        ({"against": {"uniform": {"mmd_p": -1}}}, "sources.victim.against.uniform.mmd_p: must be in [0, 1], got -1.0"),
        ({"against": {"me": {}}}, "sources.victim.against: 'me' is none of the sources uniform, victim"),
    ],
)
def test_numbers_of_a_source_written_by_hand_that_cannot_be_are_told(victim: Any, problem: str, tmp_path: Path) -> None:
    told(found(tmp_path, {"sources": SOURCES | {"victim": victim}, "points": POINTS}), problem)
