"""Grids go by path and by name, wherever the suite is called from."""

from pathlib import Path

import pytest

from bench.core.errors import UserError
from bench.grid.library import SHIPPED, grid_file, named_grids, place_of, scales_file


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
