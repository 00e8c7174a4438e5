"""`protect`: the images that a method releases, as files that this suite and other programs read."""

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.datasets.synthetic import Synthetic
from bench.run.release import write_release
from bench.run.request import Request
from bench.store import Store
from methods import METHODS
from tests.commands import GRID, bench


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


def test_a_folder_of_somebody_else_is_never_removed(capsys: pytest.CaptureFixture[str]) -> None:
    mine = Path("out/.SC.partial/mine")
    mine.parent.mkdir(parents=True)
    mine.touch()
    (Path("out/.partial") / "mine").mkdir(parents=True)
    assert protect() == 1
    assert "out/.SC.partial: is in the way and not of this suite; move it" in capsys.readouterr().out
    assert mine.exists()
    mine.unlink()  # what is left of a process that was killed is nobody's
    (mine.parent / ".gitignore").write_text("*\n")
    (mine.parent / "about.json").touch()
    assert protect() == 0
    assert sorted(file.name for file in Path("out").iterdir()) == [".partial", "SC"]


def test_images_are_those_that_victims_train_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    made, told = capsys.readouterr().out.splitlines()[-2:]
    assert re.fullmatch(r"noise of SC on synthetic: made in \d+ s", made)
    assert told == "out/SC: 40 images to train on, l-inf 14/255, l2 0.32 on average"
    assert [file.name for file in Path("out").iterdir()] == ["SC"]
    about = json.loads(Path("out/SC/about.json").read_text())
    assert about["method"]["name"] == "sc"
    noise, _ = Store(Path("results")).read_noise(about["noise"]["key"]) or (torch.zeros(0), None)
    split = Synthetic(size=8, train_images=40, test_images=20).load(Path())
    for part, data in (("train", split.train.protected(noise)), ("val", split.test)):
        images, classes = read(Path("out/SC", part))
        assert torch.equal(images, data.images)
        assert classes == [str(label) for label in data.labels.tolist()]
    assert not Path("results/cells").exists()


def test_what_is_written_is_a_data_set_of_this_suite_and_names_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    Path("data").mkdir()
    Path("out/SC").rename("data/mine")
    Path("grid.yaml").write_text(folder_grid("mine", "[clean, {name: sc}]"))
    assert protect("--only", "method=clean") == 0
    assert "out/clean: 40 images to train on, l-inf 0/255" in capsys.readouterr().out
    after = sorted(Path("out/clean/train").glob("*/*.png"), key=lambda file: file.name)
    before = [Path("data/mine/train", file.parent.name, f"{file.stem[3:]}.png") for file in after]
    assert sorted(before) == sorted(Path("data/mine/train").glob("*/*.png"))
    assert all(np.array_equal(Image.open(one), Image.open(two)) for one, two in zip(before, after, strict=True))


def test_released_images_come_back_from_their_file() -> None:
    """What one program writes another one reads: the images of `protect` as an array are the method `file`."""
    assert protect() == 0
    images, _ = read(Path("out/SC/train"))
    np.save("theirs.npy", images.numpy())
    method = "{name: file_unbounded, file: theirs.npy, holds: images}"
    Path("grid.yaml").write_text(GRID.replace("methods: [clean, sc]", f"methods: [{method}]"))
    assert protect() == 0
    assert torch.equal(read(Path("out/unbounded_file_theirs.npy_holds_images/train"))[0], images)


def test_what_was_written_before_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    before = {file: file.stat().st_mtime_ns for file in Path("out").rglob("*")}
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", "[sc, ops]"))
    assert protect() == 0
    said = capsys.readouterr().out
    assert "out/SC: there already" in said
    assert "out/OPS: 40 images to train on" in said
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())


@pytest.mark.parametrize("path", ["mine", "."])
@pytest.mark.parametrize("place", ["data/mine", "data/mine/train", "data/mine/new"])
def test_no_folder_among_the_images_is_written_to(place: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect() == 0
    Path("data").mkdir()
    Path("out/SC").rename("data/mine")
    if path == ".":
        for part in ("train", "val"):
            Path("data/mine", part).rename(f"data/{part}")
    files = sorted(Path("data").rglob("*"))
    Path("grid.yaml").write_text(folder_grid(path, "[sc]"))
    assert bench("protect", "grid.yaml", "--to", place) == 2
    told = f"--to {place}: is in {Path('data', path)}, among the images to protect; name a folder outside\n"
    assert capsys.readouterr().err == told
    assert [file for file in sorted(Path("data").rglob("*")) if "decoded" not in file.parts] == files


def test_nothing_is_overwritten_nor_taken_for_whole(capsys: pytest.CaptureFixture[str]) -> None:
    told = "--to out: out/SC is there already; remove it, or name another folder"
    assert protect() == 0
    next(Path("out/SC/train").rglob("*.png")).unlink()
    left = list(Path("out/SC").rglob("*"))
    assert protect() == 2
    assert capsys.readouterr().err.strip() == told
    assert list(Path("out/SC").rglob("*")) == left


def test_controls_are_written_if_a_method_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", "[clean]"))
    for only in ((), ("--only", "seed=0")):
        assert protect(*only) == 2
        assert "no method protects here; to write the images of a control" in capsys.readouterr().err
    assert protect("--only", "method=clean") == 0


def test_what_does_not_apply_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("theirs.npy", np.zeros((50, 3, 8, 8), np.int8))
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", "[{name: file, file: theirs.npy}]"))
    assert protect() == 2
    told = "does not apply: file: theirs.npy has 50 rows of 3x8x8, the data 40 of 3x8x8, one for each image"
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("place", ["file", "file/below", "closed"])
def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_made(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("")
    Path("closed").symlink_to("/proc/1")  # nobody may write there, not even root
    assert bench("protect", "grid.yaml", "--to", place) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"--to {place}: ")
    assert len(told.err.splitlines()) == 1
    assert not Path("results").exists()


def test_several_noises_and_data_sets_have_a_folder_each() -> None:
    grid = GRID.replace("train_images: 40", "train_images: [20, 40]").replace("[clean, sc]", "[{name: random}, sc]")
    Path("grid.yaml").write_text(grid)
    assert protect("--noise-seeds", "2") == 0
    images = (f"synthetic_size=8_train_images={count}_test_images=20" for count in (20, 40))
    assert {file.name for file in Path("out").iterdir()} == {
        f"{name}_SC_noise_seed_{seed}" for name in images for seed in (0, 1)
    }


def test_a_folder_has_its_name_whatever_part_of_a_grid_is_written() -> None:
    more = "also: [{methods: [sc], attacks: [gray], noise_seeds: 2}]\n"
    Path("grid.yaml").write_text(GRID + more)
    assert protect("--only", "attack=none") == 0
    assert {file.name for file in Path("out").iterdir()} == {"SC_noise_seed_0"}
    assert protect() == 0
    assert {file.name for file in Path("out").iterdir()} == {"SC_noise_seed_0", "SC_noise_seed_1"}


def test_a_folder_has_its_name_whatever_data_set_is_written() -> None:
    Path("grid.yaml").write_text(GRID.replace("train_images: 40", "train_images: [20, 40]"))
    assert protect("--only", "dataset=synthetic size=8 train_images=20 test_images=20") == 0
    assert protect() == 0
    images = (f"synthetic_size=8_train_images={count}_test_images=20" for count in (20, 40))
    assert {file.name for file in Path("out").iterdir()} == {f"{name}_SC" for name in images}


def test_what_another_run_has_written_meanwhile_stays() -> None:
    assert protect() == 0
    before = {file: file.stat().st_mtime_ns for file in Path("out").rglob("*")}
    asked: dict[str, Any] = {"scale": "paper", "assignments": (), "seeds": None, "noise_seeds": None, "cluster": ""}
    asked |= {"jobs": 1, "device": "cpu", "data_root": Path("data"), "results": Path("results"), "retry_failed": False}
    again = Request((Path("grid.yaml"),), only=("method=sc", "attack=none"), **asked)
    [made] = again.cells
    images, about = write_release(made, again.workplace, Path("out/SC"))
    assert (images, about["key"]) == (40, made.noise_key)
    assert {file: file.stat().st_mtime_ns for file in Path("out").rglob("*")} == before


def test_classes_whose_folders_are_no_text_are_written(tmp_path: Path) -> None:
    for number, part in enumerate(["train", "val"] * 4):
        label = os.fsencode(tmp_path / "data" / "mine" / part) + b"/caf\xe9 %d" % (number // 2 % 2)
        Path(os.fsdecode(label)).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(os.fsdecode(label + b"/%d.png" % number))
    Path("grid.yaml").write_text(folder_grid("mine", "[sc]"))
    assert protect() == 0
    told = json.loads(Path("out/SC/about.json").read_text())
    assert told["classes"] == ["caf\\udce9 0", "caf\\udce9 1"]


@pytest.mark.parametrize("method", ["em", "ops"])
def test_noise_that_cannot_be_made_is_told_and_the_others_are_written(
    method: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether its making costs passes or none."""
    Path("grid.yaml").write_text(GRID.replace("[clean, sc]", f"[{method}, sc]"))

    def fail(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(METHODS[method], "generate", fail)
    assert protect("--set", "methods.em.surrogate=cnn" if method == "em" else "train.steps=3") == 1
    said = capsys.readouterr().out
    assert "FAILED: RuntimeError: no luck" in said
    assert "not written: UserError: its noise could not be made" in said
    assert [file.name for file in Path("out").iterdir()] == ["SC"]


def test_images_that_cannot_be_written_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out/SC")

    with monkeypatch.context() as broken:
        broken.setattr("bench.run.release._write_image", full)
        assert protect() == 1
    assert "out/SC: not written: OSError: [Errno 28] No space left on device" in capsys.readouterr().out
    assert not list(Path("out").iterdir())
    assert protect() == 0
