"""`protect`: the images that a method releases, as files that this suite and other programs read."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.data import ImageDataset
from bench.core.datasets.base import Named
from bench.run.release import files
from bench.store import Store
from tests.commands import GRID, bench
from tests.conftest import MadeUp


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("grid.yaml").write_text(GRID)
    Path("scales.yaml").write_text("paper: {}\n")


def protect(*arguments: str) -> int:
    return bench("protect", "grid.yaml", "--jobs", "1", "--device", "cpu", "--to", "out", *arguments)


def read(folder: Path) -> tuple[torch.Tensor, list[str]]:
    """The images below `folder` in the order of their numbers, and the names of their classes."""
    found = sorted(folder.glob("*/*.png"), key=lambda file: file.name)
    arrays = [np.asarray(Image.open(file)) for file in found]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2), [file.parent.name for file in found]


def folder_grid(path: str, methods: str) -> str:
    dataset = f"datasets: [{{name: folder, path: {path}, size: 8}}]"
    lines = [dataset if line.startswith("datasets") else line for line in GRID.splitlines()]
    return "\n".join(f"methods: {methods}" if line.startswith("methods") else line for line in lines)


def test_images_are_those_that_victims_train_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    assert capsys.readouterr().out == "out/SC: 40 images to train on, l-inf 14/255, l2 0.32 on average\n"
    assert [file.name for file in Path("out").iterdir()] == ["SC"]
    about = json.loads(Path("out/SC/about.json").read_text())
    assert about["method"]["name"] == "sc"
    noise, _ = Store(Path("results")).read_noise(about["noise"]["key"]) or (None, None)
    assert noise is not None
    (clean, labels), (tests, _) = clean_images(), clean_images("val")
    images, classes = read(Path("out/SC/train"))
    assert torch.equal(images, ImageDataset(clean, torch.zeros(40), 10).protected(noise).images)
    assert classes == labels
    assert torch.equal(read(Path("out/SC/val"))[0], tests)


def clean_images(part: str = "train") -> tuple[torch.Tensor, list[str]]:
    """What `protect` writes of images without noise."""
    if not Path("clean").exists():
        assert bench("protect", "grid.yaml", "--device", "cpu", "--to", "clean", "--only", "method=clean") == 0
    return read(Path("clean/clean", part))


def test_what_is_written_is_a_data_set_of_this_suite_and_names_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    Path("data").mkdir()
    Path("out/SC").rename("data/mine")
    Path("grid.yaml").write_text(folder_grid("mine", "[clean, {name: sc}]"))
    assert protect("--only", "method=clean") == 0
    assert "out/clean: 40 images to train on, l-inf 0/255" in capsys.readouterr().out
    before, after = Path("data/mine/train"), Path("out/clean/train")
    assert torch.equal(read(before)[0].sort(0).values, read(after)[0].sort(0).values)
    [first] = list((after / "0").glob("00_*.png"))
    assert np.array_equal(Image.open(first), Image.open(before / "0" / f"{first.stem[3:]}.png"))


def test_released_images_come_back_from_their_file() -> None:
    """What one program writes another one reads: the images of `protect` as an array are the method `file`."""
    assert protect() == 0
    images, _ = read(Path("out/SC/train"))
    np.save("theirs.npy", images.numpy())
    method = "{name: file_unbounded, file: theirs.npy, holds: images}"
    Path("grid.yaml").write_text(GRID.replace("methods: [clean, sc]", f"methods: [{method}]"))
    assert protect() == 0
    assert torch.equal(read(Path("out/unbounded_file_theirs.npy_holds_images/train"))[0], images)


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out/SC").mkdir(parents=True)
    assert protect() == 2
    told = "--to out: out/SC is there already; remove it, or name another folder"
    assert capsys.readouterr().err.strip() == told
    assert not any(Path("out/SC").iterdir())


def test_controls_are_written_if_they_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", "[clean]"))
    assert protect() == 2
    assert "no method of the grid protects; name a control with --only method=NAME" in capsys.readouterr().err
    assert protect("--only", "method=clean") == 0


def test_several_noises_and_data_sets_have_a_folder_each() -> None:
    grid = GRID.replace("train_images: 40", "train_images: [20, 40]").replace("[clean, sc]", "[{name: random}, sc]")
    Path("grid.yaml").write_text(grid)
    assert protect("--noise-seeds", "2") == 0
    found = sorted(file.name for file in Path("out").iterdir())
    assert len(found) == 4
    assert {name.rpartition("_")[0] for name in found} == {"synthetic_SC_noise_0", "synthetic_SC_noise_1"}


def test_noise_that_cannot_be_made_is_told_and_the_others_are_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", "[{name: em, surrogate: cnn}, sc]"))

    def fail(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr("methods.em.Em.generate", fail)
    assert protect() == 1
    said = capsys.readouterr().out
    assert "out/EM_original_surrogate_CNN: not written: RuntimeError: no luck" in said
    assert [file.name for file in Path("out").iterdir()] == ["SC"]


def test_names_that_are_no_names_of_files_are_made_some(made_up: MadeUp) -> None:
    data = made_up([0, 1, 0])
    named = [Named("../a b", "x/..png"), Named("\udcff", "y/" + "é" * 300), Named("../a b", "")]
    found = [str(file) for file in files(Path("out"), data, named)]
    assert found == ["out/a_b/0__.png", f"out/_/1_{'é' * 100}.png", "out/a_b/2__.png"]
    alike = [Named("a b", "x"), Named("a/b", "y"), Named("a b", "z")]
    assert [file.parent.name for file in files(Path("out"), data, alike)] == ["0", "1", "0"]
    assert [file.name for file in files(Path("out"), data, [])] == ["0.png", "1.png", "2.png"]
