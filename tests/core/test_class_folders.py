"""The classes of a person's folder: their folders, links, and what belongs to none."""

import os
import subprocess
from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.core.datasets import Folder
from bench.core.errors import UserError
from tests.core.test_folders import LENIENT, PETS, spoil


def test_hidden_files_and_folders_are_passed_over(image_folder: Path) -> None:
    before, name = PETS.load(image_folder).train.images, PETS.fingerprint(image_folder)
    (image_folder / "pets/train/.git").mkdir()
    for file in (".git/x", "cat/._0.png", "cat/.DS_Store", ".DS_Store", "dog/Thumbs.db", "desktop.ini"):
        (image_folder / "pets/train" / file).write_bytes(b"whatever")
    assert torch.equal(PETS.load(image_folder).train.images, before)
    assert PETS.fingerprint(image_folder) == name


def test_all_that_is_wrong_with_classes_is_told_at_once_and_first(image_folder: Path) -> None:
    count, pets = len(spoil(image_folder)), image_folder / "pets"
    for name in ("train/ant", "val/bee", "train/bee"):
        (pets / name).mkdir()
    (pets / "val/cat").rename(pets / "val/cow")
    expected = {
        "train/ant": "an empty class",
        "train/bee": "an empty class",
        "train/cow": "no such class, which val has",
        "train/stray.png": "in no class: it is not in a folder of its own",
        "val/ant": "no such class, which train has",
    }
    with pytest.raises(UserError) as caught:
        PETS.fetch(image_folder)
    assert f"pets: {count + 6} files that are no image to use: " in str(caught.value)  # six classes
    assert ", ".join(f"{name} ({reason})" for name, reason in expected.items()) in str(caught.value)
    lacking = "no image to train on of ant, bee, cow; no image to test with of ant, bee, cat"
    assert str(caught.value).endswith(f"; mend them, for without them there is {lacking}")
    with pytest.raises(UserError) as lenient:
        LENIENT.fetch(image_folder)
    assert str(lenient.value) == str(caught.value)


def test_a_folder_without_classes_is_refused(image_folder: Path) -> None:
    for name in ("cat", "dog"):
        (image_folder / "pets/val" / name).rename(image_folder / "pets" / name)
    with pytest.raises(UserError, match=r"pets/val: no folder of a class is in it; see docs/data\.md"):
        PETS.outline(image_folder)


def test_an_image_to_test_with_is_none_to_train_on_whatever_it_is_called(image_folder: Path) -> None:
    before, pets = PETS.load(image_folder), image_folder / "pets"
    (pets / "train/cat/link.png").symlink_to("../../val/cat/0.png")
    (pets / "train/dog/hard.png").hardlink_to(pets / "val/dog/0.png")
    (pets / "train/dog/all").symlink_to(pets / "val/dog")
    expected = {f"train/{name}": "dog" if "dog" in name else "cat" for name in ("cat/link.png", "dog/all/0.png")}
    expected["train/dog/hard.png"] = "dog"
    with pytest.raises(UserError, match="pets: 3 files that are no image to use") as caught:
        PETS.fetch(image_folder)
    for name, label in expected.items():
        assert f"{name} (the same file as {pets}/val/{label}/0.png, which is to test with)" in str(caught.value)
    assert torch.equal(LENIENT.load(image_folder).train.images, before.train.images)
    assert torch.equal(LENIENT.load(image_folder).test.images, before.test.images)


def test_folders_that_link_to_each_other_are_each_looked_at_once(image_folder: Path) -> None:
    train = image_folder / "pets/train"
    names = [f"{number:02}" for number in range(12)]
    for name in names:
        (train / name).mkdir()
    for name in names:
        for other in names:
            (train / name / other).symlink_to(train / other)
    assert len(PETS.listing(image_folder).broken) < 12**3


def test_folders_may_be_deeper_than_python_goes(image_folder: Path) -> None:
    deep = image_folder / "pets/train/cat"
    above = os.open(deep, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a", dir_fd=above)
        below = os.open("a", os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(above)
    try:
        assert len(PETS.load(image_folder).train) == 4
    finally:  # Python cannot delete what is so deep either
        subprocess.run(["rm", "-rf", str(deep / "a")], check=True)


def test_links_and_deeper_folders_are_followed_and_sorted(image_folder: Path) -> None:
    cat = image_folder / "pets/train/cat"
    (cat / "deep").mkdir()
    (cat / "0.png").rename(cat / "deep/9.png")
    (cat / "z.png").symlink_to(cat / "deep/9.png")
    listing = PETS.listing(image_folder)
    assert [sample.name for sample in listing.train if sample.label == 0] == [
        "train/cat/1.png",
        "train/cat/deep/9.png",
        "train/cat/z.png",
    ]
    images = PETS.load(image_folder).train.images
    assert torch.equal(images[1], images[2])


@pytest.mark.parametrize("classes", [2, 37, 200])
def test_any_number_of_classes_has_its_labels(classes: int, tmp_path: Path) -> None:
    for part in ("train", "val"):
        for label in range(classes):
            (tmp_path / "many" / part / f"{label:03}").mkdir(parents=True)
            Image.new("RGB", (4, 4), (label, 0, 0)).save(tmp_path / "many" / part / f"{label:03}/0.png")
    split = Folder(path="many", size=4).load(tmp_path)
    for data in (split.train, split.test):
        assert data.num_classes == classes
        assert data.labels.tolist() == list(range(classes))
        assert data.images[:, 0, 0, 0].tolist() == list(range(classes))
