"""What `run` does with a person's folder: it says what it found, and trains nothing on a bad one."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from rich.console import Console
from torch import Tensor

from bench.core import augment
from bench.core.datasets import DATASETS
from bench.core.long_work import tell
from bench.display import awaited
from bench.run import workplace
from methods import METHODS
from tests.commands import GRID, bench
from tests.run.test_class_counts import written

FOLDER = GRID.replace(
    "{name: synthetic, size: 8, train_images: 40, test_images: 20}", "{name: folder, path: pets, size: 8}"
)


def run(*arguments: str) -> int:
    return bench("run", "grid.yaml", "--jobs", "1", "--device", "cpu", "--data-root", ".", *arguments)


@pytest.fixture
def place(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (image_folder / "grid.yaml").write_text(FOLDER)
    (image_folder / "scales.yaml").write_text("paper: {}\n")
    monkeypatch.chdir(image_folder)
    return image_folder


def test_run_says_in_one_line_how_many_images_and_classes_it_found(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--only", "method=clean") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pets: 4 images to train on and 2 to test with, 2 classes"


def test_a_bad_file_ends_the_run_before_anything_is_trained(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "pets/train/dog/2.heic").write_bytes(b"no image")
    assert run() == 2
    told = capsys.readouterr()
    assert told.err == (
        "pets: 1 file that is no image to use: train/dog/2.heic (no format that is read here; write it as PNG or "
        "JPEG); mend or remove, or set skip_broken: true\n"
    )
    assert not list(place.glob("results/cells/*"))
    assert run("--set", "datasets.folder.skip_broken=true", "--only", "method=clean") == 0
    assert "pets: 4 images to train on and 2 to test with, 2 classes; 1 left out: train/dog/2.heic (" in (
        capsys.readouterr().out
    )


def test_folders_that_differ_are_one_line_that_names_the_grid(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "pets/val/dog").rename(place / "pets/val/wolf")
    assert run() == 2
    assert capsys.readouterr().err == (
        "pets: 2 files that are no image to use: train/wolf (no such class, which val has), "
        "val/dog (no such class, which train has); mend them, for without them there is no image to train on of wolf; "
        "no image to test with of dog\n"
    )


def test_images_that_cannot_be_kept_decoded_are_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "decoded").write_text("")
    assert run() == 2
    assert capsys.readouterr().err == "grid.yaml: datasets: decoded: File exists; see --data-root\n"


def test_large_images_have_the_views_of_the_imagenet_recipe_in_every_training_and_noise(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    plain = augment.flip_resized_crop

    def count(images: Tensor, generator: torch.Generator) -> augment.Resampled:
        drawn.append(len(images))
        return plain(images, generator)

    monkeypatch.setattr(augment, "flip_resized_crop", count)
    count.revision = 1  # type: ignore[attr-defined]
    sem = written("sem", METHODS["sem"].model_validate({"surrogate": "cnn", "updates": 2, "samples": 2, "steps": 3}))
    tap = written("tap_rem", METHODS["tap_rem"].model_validate({"surrogate": "cnn", "train_steps": 2, "steps": 3}))
    grid = yaml.safe_load(FOLDER) | {"methods": ["clean", sem, tap], "attacks": ["none"]}
    grid["datasets"][0]["size"] = 96
    (place / "grid.yaml").write_text(yaml.safe_dump(grid))
    assert run() == 0
    victims, images = 3 * 2 * [4], 4
    noise_steps, final_pass, updates = 2 * 3 * [2 * images], 3 * [2 * images], 2 * [images]
    training, crafting = 2 * [images], 3 * [images]
    assert sorted(drawn) == sorted([*victims, *noise_steps, *final_pass, *updates, *training, *crafting])
    records = [json.loads(file.read_text()) for file in Path("results/cells").glob("*.json")]
    assert [record["status"] for record in records] == ["finished"] * 3
    assert all(record["cell"]["dataset"]["views"][1] == 1 for record in records)


def test_a_terminal_shows_a_bar_and_a_pipe_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, seconds, expected in (
        (True, 0.0, "decoding 3 of 4"),
        (False, 61.0, "decoding 3 of 4"),
        (False, 0.0, ""),
    ):
        clock = iter([0.0, seconds, seconds, seconds])
        monkeypatch.setattr("bench.display.time.monotonic", lambda: next(clock))  # noqa: B023
        stream = io.StringIO()
        with awaited(Console(file=stream, force_terminal=terminal, width=100)):
            tell("pets: decoding", 3, 4)
        assert expected in stream.getvalue()
        assert bool(expected) == bool(stream.getvalue())


def test_images_that_change_while_a_run_goes_on_are_no_results_of_those_that_it_began_with(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = DATASETS["folder"].load

    def changed(self: Any, root: Path) -> Any:
        first = next((place / "pets" / "train").rglob("*.png"))
        Image.new("RGB", (9, 9), "red").save(first)
        return loaded(self, root)

    monkeypatch.setattr(DATASETS["folder"], "load", changed)
    workplace._load.cache_clear()
    assert run() == 1
    assert "images in . have changed since the run began; run again" in " ".join(capsys.readouterr().out.split())
    assert not list((place / "results" / "cells").glob("*.json"))
