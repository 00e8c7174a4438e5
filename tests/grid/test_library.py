"""Grids go by path and by name, wherever the suite is called from."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.core.errors import UserError
from bench.grid.expand import read_grid
from bench.grid.library import SHIPPED, grid_file, named_grids, place_of, scales_file
from bench.grid.scale import Scale, read_scales


def at_tiny(name: str) -> dict[str, Any]:
    """What a grid of the suite says of the scale tiny."""
    found: dict[str, Any] = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text()).get("at", {}).get("tiny", {})
    return found


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "grids").mkdir()
    (tmp_path / "grids" / "mine.yaml").write_text("title: Mine\n")
    (tmp_path / "grids" / "table4.yaml").write_text("title: My own table 4\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_a_grid_of_the_suite_or_of_ones_own_folder_first(elsewhere: Path) -> None:
    assert grid_file(Path("table2")) == SHIPPED / "table2.yaml"
    assert grid_file(Path("mine")) == Path("grids/mine.yaml")
    assert grid_file(Path("table4")) == Path("grids/table4.yaml")
    assert grid_file(Path("grids/mine.yaml")) == Path("grids/mine.yaml")
    assert "scales" not in named_grids()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tabel2", "'table2'"),
        ("mien", "'mine'"),
        ("grids/mien.yaml", "'grids/mine.yaml'"),
        ("none/table2.yaml", "'table2'"),
    ],
)
def test_a_wrong_name_is_told_with_what_was_probably_meant(elsewhere: Path, written: str, meant: str) -> None:
    with pytest.raises(UserError) as raised:
        grid_file(Path(written))
    assert str(raised.value).startswith(f"{written}: no such grid; did you mean {meant}?")


def test_a_folder_of_that_name_does_not_hide_the_grid(elsewhere: Path) -> None:
    (elsewhere / "table2").mkdir()
    assert grid_file(Path("table2")) == SHIPPED / "table2.yaml"


def test_scales_beside_the_grid_hold_else_those_of_the_suite(elsewhere: Path) -> None:
    assert scales_file(Path("grids/mine.yaml")) == SHIPPED / "scales.yaml"
    (elsewhere / "grids" / "scales.yaml").write_text("paper: {}\n")
    assert scales_file(Path("grids/mine.yaml")) == Path("grids/scales.yaml")


def test_a_grid_of_the_suite_is_the_same_one_from_everywhere(elsewhere: Path) -> None:
    assert place_of(SHIPPED / "table2.yaml", elsewhere / "results") == "grids/table2.yaml"
    assert place_of(elsewhere / "table2.yaml", elsewhere / "results") == "table2.yaml"
    own = elsewhere / "grids" / "table2.yaml"
    assert place_of(own, elsewhere / "results") == "./grids/table2.yaml"  # it replaces no plan of the suite's
    assert place_of(elsewhere / "grids" / "mine.yaml", elsewhere / "results") == "grids/mine.yaml"
    assert place_of(elsewhere / "more" / "table2.yaml", elsewhere / "out" / "results") == "../more/table2.yaml"


TINY = [name for name in named_grids() if "methods" in at_tiny(name)]


@pytest.mark.parametrize("name", TINY)
def test_a_grid_that_names_its_methods_at_tiny_has_no_other_there(name: str, tmp_path: Path) -> None:
    """Rows that `also` adds at every scale would take the minutes that the shorter list saves."""
    blocks = [at_tiny(name), *at_tiny(name).get("also", [])]
    asked = {one if isinstance(one, str) else one["name"] for block in blocks for one in block["methods"]}
    scales = read_scales(SHIPPED / "scales.yaml")
    grid = read_grid(SHIPPED / f"{name}.yaml", scales, "tiny", Scale(), tmp_path)
    assert {one.method.choice.name for one in grid.conditions if not one.method.added} <= {"clean", *asked}
