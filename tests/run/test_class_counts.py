"""Ten classes are nowhere taken for granted: folders of two, 37 and 200 go through every method and every attack."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from attacks import ATTACKS
from bench.core.plug_in import PlugIn
from tests.attacks.conftest import PRETRAINED, SMALL
from tests.commands import bench
from tests.methods.test_contract_of_methods import MAKERS, small

PER_CLASS = {2: 20, 37: 2, 200: 2}
"""Images to train on, by the number of classes."""


def written(name: str, settings: PlugIn) -> dict[str, Any]:
    """A plug-in as a grid file has it."""
    return {"name": name, **settings.model_dump(mode="json", exclude_unset=True, exclude=set(settings.idle))}


def write_folder(root: Path, classes: int, size: int) -> None:
    generator = np.random.default_rng(classes)
    for part, count in (("train", PER_CLASS[classes]), ("val", 1)):
        for label in range(classes):
            folder = root / "data" / "many" / part / f"class{label:03}"
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (size, size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")


def grid(classes: int) -> dict[str, Any]:
    attacks = {name: kind for name, kind in ATTACKS.items() if name not in PRETRAINED}
    return {
        "title": "Any number of classes",
        "datasets": [{"name": "folder", "path": "many", "size": 8}],
        "models": ["cnn"],
        "methods": [written(name, small(name, "cnn")) for name in MAKERS],
        "attacks": ["none"],
        "also": [
            {
                "methods": ["clean"],
                "attacks": [written(name, kind.model_validate(SMALL.get(name, {}))) for name, kind in attacks.items()],
            }
        ],
        "train": {"steps": 2, "batch_size": 16},
        "seeds": 1,
        "controls": False,
    }


@pytest.mark.parametrize("classes", PER_CLASS)
def test_any_number_of_classes_goes_through_every_method_and_attack(
    classes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, classes, 8)
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(grid(classes)))
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    monkeypatch.chdir(tmp_path)
    code = bench("run", "grid.yaml", "--jobs", "1", "--device", "cpu")
    said = capsys.readouterr().out
    assert code == 0, said
    count = classes * PER_CLASS[classes]
    assert f"many: {count} images to train on and {classes} to test with, {classes} classes\n" in said
    records = [json.loads(file.read_text()) for file in Path("results/cells").glob("*.json")]
    assert {record["cell"]["method"]["name"] for record in records} == {*MAKERS} - declined(said)
    assert all(record["status"] == "finished" for record in records)


def declined(said: str) -> set[str]:
    """The methods that the run says do not apply."""
    lines = [line for line in said.splitlines() if line.startswith("does not apply: ")]
    return {name for name in MAKERS for line in lines if line.removeprefix("does not apply: ").startswith(f"{name}:")}
