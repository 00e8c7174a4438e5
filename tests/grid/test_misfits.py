"""Networks that cannot take the images are refused when the grid is read; those that can be built for them are."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.core.models import build, misfit
from bench.core.network_names import MODELS
from bench.grid.scale import read_assignments
from tests.commands import run
from tests.grid.test_mistakes import message

GRID = """\
title: Networks
datasets: [{{name: synthetic, size: {size}, train_images: 20, test_images: 10}}]
models: [{model}]
methods: [{method}]
attacks: [{attack}]
train: {{steps: 2, batch_size: 4}}
seeds: 1
controls: false
"""
FOLDER = "{name: folder, path: mine, size: 8}"
SMALL_VIT = (
    "timm/test_vit cannot take images of 8x8 pixels "
    "(its patches make a grid of 0x0, fewer than 4x4; write timm/test_vit/patch1)"
)


def grid(*, size: int = 8, model: str = "cnn", method: str = "clean", attack: str = "none") -> str:
    return GRID.format(size=size, model=model, method=method, attack=attack)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (grid(model="timm/test_vit"), f"grid.yaml: models: victim {SMALL_VIT}"),
        (grid(method="{name: em, surrogate: timm/test_vit}"), f"grid.yaml: methods: em: {SMALL_VIT}"),
        (grid(method="{name: tap, surrogate: timm/test_vit}"), f"grid.yaml: methods: tap: {SMALL_VIT}"),
    ],
)
def test_a_victim_or_surrogate_that_cannot_take_the_images_is_one_line(
    text: str, expected: str, tmp_path: Path
) -> None:
    said = message(tmp_path, text)
    assert said.startswith(expected)
    assert "\n" not in said


@pytest.mark.parametrize("word", ["model=timm/resnet18x", "model=cnm"])
def test_an_unknown_victim_of_a_user_is_named(word: str) -> None:
    with pytest.raises(Exception, match="--set model: unknown model"):
        read_assignments([word])


def test_a_network_of_one_size_is_built_for_that_of_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    vit = "{name: error_minimizing, surrogate: timm/test_vit/patch8, updates: 1, steps: 1, samples: 1}"
    (tmp_path / "grid.yaml").write_text(grid(size=32, model="timm/test_vit/patch8", method=vit))
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    [record] = [json.loads(file.read_text()) for file in Path("results", "cells").iterdir()]
    assert record["status"] == "finished"


def test_a_victim_is_built_for_the_images_that_it_sees() -> None:
    assert misfit("timm/test_vit", 10, (3, 64, 64)) == ""
    generator = torch.Generator()
    model = build("timm/test_vit", num_classes=2, channels=3, generator=generator, size=(128, 64))
    assert model(torch.rand(2, 3, 128, 64)).shape == (2, 2)


def test_a_victim_that_sees_enlarged_images_needs_not_take_small_ones(tmp_path: Path, weights_file: Path) -> None:
    attack = f"{{name: frozen, size: 64, weights: {weights_file}}}"
    with pytest.raises(pytest.fail.Exception):  # nothing is refused
        message(tmp_path, grid(model="timm/test_vit", attack=attack))


def test_a_network_that_does_not_return_a_logit_for_each_class_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "flat", lambda *_: torch.nn.Flatten())
    assert misfit("flat", 10, (3, 8, 8)) == "flat cannot take images of 8x8 pixels (it returns (2, 192))"


def test_images_of_one_class_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "val"):
        (tmp_path / "data" / "mine" / part / "cat").mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "data" / "mine" / part / "cat" / "1.png")
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    text = grid().replace("{name: synthetic, size: 8, train_images: 20, test_images: 10}", FOLDER)
    (tmp_path / "grid.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert run() == 2
    told = "grid.yaml: datasets: folder path=mine size=8 has a single class: nothing can be learnt\n"
    assert capsys.readouterr().err == told
