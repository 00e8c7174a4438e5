"""What published values say of ours: by number at the paper's scale, else by order."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from analysis.agreement import NO_CONSENSUS, OFF, OK, OTHER_RECIPE, sections, verdict
from analysis.reading.conditions import ConditionResult
from analysis.reading.published import REM_RECIPE, Published, published_values
from analysis.reading.results import Results
from tests.analysis.conftest import at_chance, condition, plan_of, record, texts

[REM] = [row for row in published_values()["cifar10", "resnet18", "clean", "none"] if row.value == "94.66"]


def published(percent: float, laboratory: str = "REM", recipe: str = "rem") -> Published:
    return REM.model_copy(update={"value": str(percent), "source": f"{laboratory}, 2022", "recipe": recipe})


@pytest.mark.parametrize(
    ("ours", "values", "stack", "word"),
    [
        (0.60, [published(50)], ["none"], OK),
        (0.61, [published(50)], ["none"], OFF),
        (0.61, [published(50), published(52, "B")], ["none"], OK),  # 9 points from the nearest
        (0.55, [published(50), published(61, "B")], ["none"], NO_CONSENSUS),
        (0.55, [published(50), published(61, "B", "other")], ["none"], OK),  # only ours counts
        (0.55, [published(50, "A", "own")], ["none"], OTHER_RECIPE),
        (0.55, [published(50, "A", "own"), published(51, "B", "other")], ["none"], OK),  # recipes matter little
        (0.80, [published(50, "A", "own"), published(51, "B", "other")], ["none"], OFF),
        (0.56, [published(50)], ["jpeg"], OFF),
        (0.55, [published(50), published(50.1, "REM")], ["jpeg"], OK),  # one laboratory with two tables
        (0.55, [published(50), published(56, "B")], ["gray", "jpeg"], NO_CONSENSUS),
    ],
)
def test_the_verdict_follows_the_spread_of_laboratories(
    ours: float, values: list[Published], stack: list[str], word: str
) -> None:
    assert verdict(ours, values, "rem", stack).word == word


def results(conditions: Sequence[ConditionResult], scale: str, recipe: dict[str, Any] = REM_RECIPE) -> Results:
    plan = plan_of([], scale={"name": scale, "about": "", "changes": {}})
    return Results("g", plan, list(conditions), [], [record(0.5) | {"cell": {"train": recipe}}], {}, Path())


def test_at_the_papers_scale_every_value_has_its_source_and_a_verdict() -> None:
    ours = condition("sem", "none", [0.2, 0.22], published=[published(25)])
    [section] = sections(results([ours], "paper"))
    assert texts(section.table)[1][1:] == [
        *("21.0 ± 12.7", "25.0", "REM, 2022, CUDA Table 2", "rem", "-4.0", "", "ok"),
    ]
    assert (section.numbers[0]["difference"], section.numbers[0]["verdict"]) == (-0.04, "ok")
    [section] = sections(results([ours], "paper", {**REM_RECIPE, "steps": 800}))
    assert section.numbers[0]["verdict"] == "other recipe"
    assert not sections(results([at_chance(ours)], "paper"))


def test_at_other_scales_only_the_order_is_compared() -> None:
    here, there = [0.1, 0.3, 0.2, 0.5, 0.4], [20, 25, 30, 60, 50]
    own = [
        condition("em", "none", [mean, mean], published=[published(value)])
        for mean, value in zip(here, there, strict=True)
    ]
    own = [replace(one, label=one.label | {"method": f"em {number}"}) for number, one in enumerate(own)]
    clean = condition("clean", "none", [0.9, 0.9], published=[published(10)])  # a control is in no order
    part = condition("sem", "none", [0.01], planned=2, published=[published(90)])
    [section] = sections(results([*own, clean, part], "small"))
    rho = stats.spearmanr(here, there).statistic
    assert texts(section.table)[1] == ["none, d, m", f"{rho:.2f}", "0.05 to 0.99", "5", "REM"]
    assert section.numbers[0]["spearman"] == pytest.approx(rho)
    assert "16.8" not in str(section)
    assert not sections(results(own[:4], "small"))
