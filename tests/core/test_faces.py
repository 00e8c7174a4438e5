"""Faces: a folder for each person, split by a seed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.core.errors import UserError
from tests.core.test_datasets import dataset, write_image


def faces(root: Path, counts: dict[str, int]) -> None:
    for label, (name, count) in enumerate(counts.items()):
        for number in range(count):
            write_image(root / f"faces/{name}/{number:03}.jpg", np.full((8, 8, 3), 10 * label + number, np.uint8))


def test_faces_are_split_by_seed_with_as_many_of_each_person(tmp_path: Path) -> None:
    faces(tmp_path, {"ann": 9, "bob": 7, "cid": 8, "dan": 8})
    (tmp_path / "faces/README.txt").write_text("where they are from")
    settings = {"path": "faces", "size": 8, "classes": 3, "images_per_class": 7, "test_share": 0.3}
    data = dataset("facescrub", **settings)
    split, listing = data.load(tmp_path), data.listing(tmp_path)
    assert split.train.labels.bincount().tolist() == [5, 5, 5]
    assert split.test.labels.bincount().tolist() == [2, 2, 2]
    names = [sample.name for sample in listing.samples]
    assert len(set(names)) == 21
    assert all(name.startswith(("ann/", "bob/", "cid/")) for name in names)
    assert data.listing(tmp_path).test == listing.test
    other = dataset("facescrub", **settings, split_seed=1)
    assert other.listing(tmp_path).test != listing.test
    assert other.fingerprint(tmp_path) != data.fingerprint(tmp_path)
    every = dataset("facescrub", path="faces", size=8, classes=None, images_per_class=None)
    assert every.outline(tmp_path).train_images == 4 * 6


def test_the_paper_has_102_and_18_images_of_each_of_10_people(tmp_path: Path) -> None:
    for person in range(10):
        folder = tmp_path / f"faces/person{person}"
        folder.mkdir(parents=True)
        for number in range(125):
            (folder / f"{number}.jpg").touch()
    listing = dataset("facescrub", path="faces").listing(tmp_path)
    assert (len(listing.train), len(listing.test)) == (1020, 180)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "faces: has 2 folders of the 10 wanted"),
        ({"classes": 2}, "faces: bob has 3 images of the 120 wanted; lower images_per_class"),
        (
            {"classes": 2, "images_per_class": 3, "test_share": 0.01},
            "faces: test_share 0.01 of 3 images leaves no image",
        ),
    ],
)
def test_faces_that_are_too_few_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    faces(tmp_path, {"ann": 4, "bob": 3})
    with pytest.raises(UserError, match=message):
        dataset("facescrub", path="faces", **settings).listing(tmp_path)


def test_images_beside_the_folder_of_decoded_ones_are_refused(tmp_path: Path) -> None:
    faces(tmp_path, {"ann": 9, "bob": 7})
    data = dataset("facescrub", path=".", size=8, classes=None)
    with pytest.raises(UserError, match="holds --data-root, where decoded images are kept; choose one outside of it"):
        data.fingerprint(tmp_path / "faces")
