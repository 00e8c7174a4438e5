"""A grid that is like another one: whose keys hold, what a scale replaces, and where messages say a key is."""

from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import UserError
from bench.grid.scale import Scale, read_assignments, read_scales
from bench.grid.written import Written, read_written
from bench.grid.yaml_file import validate
from methods import METHODS
from tests.commands import bench
from tests.grid.test_expand import ALONE, expand

SCALES = read_scales(Path("grids/scales.yaml"))
BASE = """\
title: Base
datasets: [cifar10]
models: [resnet18]
methods: [clean, sem]
attacks: [none]
scalable: true
at:
  small: {methods: [sem], seeds: 2}
  tiny: {attacks: [pgd]}
"""


def read(folder: Path, text: str, scale: str = "small") -> Written:
    (folder / "base.yaml").write_text(BASE)
    (folder / "mine.yaml").write_text("like: base\n" + text)
    return read_written(folder / "mine.yaml", SCALES, scale)


def test_a_key_is_that_of_the_nearest_file_and_a_scale_s_before_the_general_one(tmp_path: Path) -> None:
    written = read(tmp_path, "title: Mine\nattacks: [fgsm]\nat: {long: {seeds: 5}}\n", "long")
    assert (written.keys.title, written.keys.models, written.keys.methods) == ("Mine", ["resnet18"], ["sem"])
    assert (written.keys.attacks, written.keys.seeds) == (["fgsm"], 5)
    assert read(tmp_path, "attacks: [fgsm]\n", "tiny").keys.attacks == ["fgsm"]
    assert read(tmp_path, "", "tiny").keys.attacks == ["pgd"]


def test_what_a_file_writes_itself_stands_and_the_rest_is_replaced_as_there(tmp_path: Path) -> None:
    replaced = {"datasets", "models", "seeds", "noise_seeds"}
    assert read(tmp_path, "", "tiny").fixed & replaced == set()
    assert read(tmp_path, "", "small").fixed & replaced == {"seeds"}
    assert read(tmp_path, "datasets: [svhn]\n", "tiny").fixed & replaced == {"datasets"}
    assert read(tmp_path, "datasets: [svhn]\nscalable: true\n", "tiny").fixed & replaced == set()
    assert read(tmp_path, "at: {tiny: {models: [cnn]}}\n", "tiny").fixed & replaced == {"models"}
    assert read(tmp_path, "scalable: false\n", "tiny").fixed >= replaced


def test_scales_of_ones_own_need_not_be_those_of_the_other_grid(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "mine.yaml").write_text("like: base\n")
    assert read_written(tmp_path / "mine.yaml", {"paper": SCALES["paper"]}, "paper").keys.methods == ["clean", "sem"]


def test_a_grid_beside_it_goes_by_its_name_or_that_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    for like in ("base", "base.yaml"):
        (tmp_path / "mine.yaml").write_text(f"like: {like}\n")
        assert read_written(tmp_path / "mine.yaml", SCALES, "paper").keys.methods == ["clean", "sem"]


def test_a_grid_of_ones_own_may_be_like_that_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "table2.yaml").write_text("like: table2\nseeds: 7\n")
    written = read_written(tmp_path / "table2.yaml", SCALES, "paper")
    assert (written.keys.seeds, written.keys.datasets) == (7, ["cifar10"])


def test_places_are_those_where_a_key_is_written(tmp_path: Path) -> None:
    written = read(tmp_path, "attacks: [none]\nat: {small: {also: []}}\n")
    assert written.where("attacks[0]") == f"{tmp_path}/mine.yaml: attacks[0]"
    assert written.where("models") == f"{tmp_path}/base.yaml: models"
    assert written.where("methods[1]") == f"{tmp_path}/base.yaml: at.small.methods[1]"
    assert written.where("also[0].methods[1]") == f"{tmp_path}/mine.yaml: at.small.also[0].methods[1]"
    assert written.where("train") == f"{tmp_path}/mine.yaml: train"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("datsets: [svhn]\n", "mine.yaml: unknown key 'datsets'; did you mean 'datasets'?"),
        ("seeds: few\n", "mine.yaml: seeds: must be a whole number, got 'few'"),
        ("at: {small: {scalable: true}}\n", "mine.yaml: at.small.scalable: holds for all scales; write it outside"),
        ("at: {small: {like: table2}}\n", "mine.yaml: at.small.like: holds for all scales; write it outside"),
        ("at: {smal: {}}\n", "mine.yaml: at: unknown scale 'smal'; did you mean 'small'?"),
    ],
)
def test_a_mistake_is_told_with_its_file(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/{told}")


@pytest.mark.parametrize(
    ("like", "told"),
    [
        ("bse", "mine.yaml: like: no grid is called 'bse'; did you mean 'base'?"),
        ("[base]", "mine.yaml: like: must be the name of a grid, got a list"),
        ("other", "other.yaml: like: leads back to "),
    ],
)
def test_a_grid_that_is_like_none_is_told(like: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "mine.yaml").write_text(f"like: {like}\n")
    (tmp_path / "other.yaml").write_text("like: mine\n")
    with pytest.raises(UserError) as caught:
        read_written(tmp_path / "mine.yaml", SCALES, "small")
    assert str(caught.value).startswith(f"{tmp_path}/{told}")


def test_ones_own_images_take_a_table_of_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "like: table2\ntitle: Table 2 on mine\ndatasets: [{name: synthetic, size: 8, train_images: 40}]\n"
    Path("mine.yaml").write_text(text)
    assert bench("run", "mine.yaml", "--scale", "small", "--dry-run", "--device", "cpu") == 0
    said = capsys.readouterr().out
    assert "resnet18 -> cnn" in said
    assert "synthetic" in said
    assert "cifar10" not in said
    assert "483 cells, 0 done" in said


@pytest.mark.parametrize("name", ["a/b", "../up", ".hidden", "", "two words"])
def test_a_scale_is_called_as_a_file_may_be(name: str, tmp_path: Path) -> None:
    """Its name is part of that of a plan."""
    (tmp_path / "scales.yaml").write_text(f"{name!r}: {{}}\n")
    with pytest.raises(UserError, match="the name of a scale has letters, digits"):
        read_scales(tmp_path / "scales.yaml")


def test_what_is_wrong_with_settings_together_is_told_where_the_strongest_are_written(
    tmp_path: Path,
) -> None:
    (file := tmp_path / "x.npy").write_bytes(b"x")
    layers: list[tuple[str, dict[str, Any]]] = [("scale small: multiply", {"radius": 0.1}), ("--set methods.file", {})]
    layers.insert(1, ("grid.yaml: methods[0]", {"file": str(file)}))
    with pytest.raises(UserError, match=r"^grid.yaml: methods\[0\]: .*not readable"):
        validate(METHODS["file"], layers)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("at: {small: {nope: 1}}", "at.small: unknown key 'nope'"),
        ("at: {small: {seeds: 0}}", "at.small.seeds: must be at least 1, got 0"),
        ("at: {small: {methods: [nope]}}", "at.small.methods[0]: unknown method 'nope'"),
        ("at: {small: {measures: [nope]}}", "at.small.measures[0]: unknown measure 'nope'"),
        (
            "at: {small: {also: [{methods: [em], attacks: [nope]}]}}",
            "at.small.also[0].attacks[0]: unknown attack 'nope'",
        ),
        ("at: {small: {train: {steps: 0}}}", "at.small.train.steps: must be at least 1, got 0"),
        ("train: {steps: 0}", "train.steps: must be at least 1, got 0"),
        ("like: ''", "like: no grid is called ''"),
    ],
)
def test_a_mistake_is_told_whatever_scale_is_run_and_whatever_the_user_sets(
    written: str, expected: str, tmp_path: Path
) -> None:
    scales, user = {"paper": Scale(), "small": Scale()}, read_assignments(["train.steps=2"])
    with pytest.raises(UserError) as told:
        expand(tmp_path, f"{ALONE}methods: [em]\nattacks: [none]\n{written}\n", "paper", user, scales)
    assert f": {expected}" in str(told.value)
