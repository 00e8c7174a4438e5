"""Each data set from files as its authors publish them, made by the test: its images, labels, split, and its errors."""

import hashlib
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image
from torchvision import datasets as official

from bench.core.datasets import DATASETS
from bench.core.errors import UserError
from bench.grid.cell import Choice
from bench.run.preparation import fetch

Pixels = np.ndarray


def random_pixels(*shape: int) -> Pixels:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def write_image(file: Path, pixels: Pixels) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file, "PNG")  # whatever it is called: Pillow looks into it


def md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes()).hexdigest()


def dataset(name: str, **settings: Any) -> Any:
    return DATASETS[name].model_validate(settings)


@pytest.fixture
def cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Pixels]:
    """Two images of each class to train on, one to test with, in the official files; their pixels by part."""
    folder, lists, made = tmp_path / official.CIFAR100.base_folder, {}, {}
    folder.mkdir()
    for part, count in (("train", 200), ("test", 100)):
        made[part] = random_pixels(count, 32, 32, 3)
        labels = [99 - number % 100 for number in range(count)]
        content = {"data": made[part].transpose(0, 3, 1, 2).reshape(count, -1), "fine_labels": labels}
        (folder / part).write_bytes(pickle.dumps(content))
        lists[part] = [[part, md5(folder / part)]]
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": [f"class {number}" for number in range(100)]}))
    monkeypatch.setattr(official.CIFAR100, "train_list", lists["train"])
    monkeypatch.setattr(official.CIFAR100, "test_list", lists["test"])
    meta = {"filename": "meta", "key": "fine_label_names", "md5": md5(folder / "meta")}
    monkeypatch.setattr(official.CIFAR100, "meta", meta)
    return made


def test_cifar100_has_its_fine_labels_and_the_first_images_of_each_class(
    tmp_path: Path, cifar100: dict[str, Pixels]
) -> None:
    data = dataset("cifar100", train_images=200)
    assert data.is_there(tmp_path)
    assert data.fetch(tmp_path) == ""
    split = data.load(tmp_path)
    assert np.array_equal(split.train.images.permute(0, 2, 3, 1).numpy(), cifar100["train"])
    assert split.test.labels.tolist() == list(range(99, -1, -1))
    assert (split.train.num_classes, data.outline(tmp_path).num_classes) == (100, 100)
    half = dataset("cifar100", train_images=100, size=16).load(tmp_path).train
    assert half.shape == (3, 16, 16)
    assert half.labels.tolist() == list(range(99, -1, -1))


@pytest.fixture
def svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Pixels]:
    lists, made = {}, {}
    for part, count in (("train", 33), ("test", 12)):
        made[part], file = random_pixels(count, 32, 32, 3), tmp_path / f"{part}_32x32.mat"
        digits = np.array([1 + number % 10 for number in range(count)], np.uint8)  # their 10 stands for 0
        scipy.io.savemat(file, {"X": made[part].transpose(1, 2, 3, 0), "y": digits[:, None]})
        lists[part] = [f"http://localhost/{file.name}", file.name, md5(file)]
    monkeypatch.setattr(official.SVHN, "split_list", lists)
    return made


def test_svhn_has_its_digits_though_they_are_not_equally_many(tmp_path: Path, svhn: dict[str, Pixels]) -> None:
    assert dataset("svhn").is_there(tmp_path)
    assert not dataset("svhn").is_there(tmp_path / "other")
    with pytest.raises(ValueError, match="at most 46590, the same number of each class, or all 73257"):
        dataset("svhn", train_images=60_000)
    data = dataset("svhn", train_images=33)
    assert data.fetch(tmp_path) == ""
    split = data.load(tmp_path)
    assert np.array_equal(split.train.images.permute(0, 2, 3, 1).numpy(), svhn["train"])
    assert split.test.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert split.train.images.is_contiguous()
    assert dataset("svhn", train_images=30).load(tmp_path).train.labels.bincount().tolist() == [3] * 10


@pytest.fixture
def tiny_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive, with two images of each of 200 classes to train on and one to validate with."""
    folder, rows = tmp_path / "made" / "tiny-imagenet-200", []
    for label in range(200):
        name = f"n{label:08}"
        for number in range(2):
            write_image(folder / f"train/{name}/images/{name}_{number}.JPEG", np.full((8, 8, 3), label, np.uint8))
        (folder / f"train/{name}/{name}_boxes.txt").write_text("a box")
        write_image(folder / f"val/images/val_{199 - label}.JPEG", np.full((8, 8, 3), label, np.uint8))
        rows.append(f"val_{199 - label}.JPEG\t{name}\t0\t0\t9\t9\n")
    (folder / "val/val_annotations.txt").write_text("".join(rows))
    archive = tmp_path / "data" / "tiny-imagenet-200.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder.parent))
    kind = DATASETS["tiny_imagenet"]
    monkeypatch.setattr(kind, "archives", (kind.archives[0]._replace(md5=md5(archive)),))
    assert dataset("tiny_imagenet").outline(tmp_path).train_images == 100_000
    monkeypatch.setattr(kind, "whole", (400, 200, 200))
    return archive.parent


def test_tiny_imagenet_is_unpacked_and_its_validation_images_have_their_labels(tiny_imagenet: Path) -> None:
    data = dataset("tiny_imagenet", size=8)
    assert not data.is_there(tiny_imagenet)
    assert "400 images to train on and 200 to test with, 200 classes" in data.fetch(tiny_imagenet)
    assert data.is_there(tiny_imagenet)
    split = data.load(tiny_imagenet)
    for part in (split.train, split.test):
        assert torch.equal(part.images[:, 0, 0, 0].long(), part.labels)
        assert part.labels.bincount().unique().numel() == 1
    assert split.train.num_classes == 200


def test_a_tiny_imagenet_that_is_not_whole_is_refused(tiny_imagenet: Path) -> None:
    data = dataset("tiny_imagenet", size=8)
    data.fetch(tiny_imagenet)
    (tiny_imagenet / "tiny-imagenet-200/train/n00000003/images/n00000003_1.JPEG").unlink()
    with pytest.raises(
        UserError, match="tiny-imagenet-200: 399 \\+ 200 images are not all there are; delete it to unp"
    ):
        data.load(tiny_imagenet)


def test_a_list_of_validation_images_that_is_none_is_named(tiny_imagenet: Path) -> None:
    data = dataset("tiny_imagenet", size=8)
    data.fetch(tiny_imagenet)
    file = tiny_imagenet / "tiny-imagenet-200/val/val_annotations.txt"
    file.write_text("val_0.JPEG\tn99999999\n")
    with pytest.raises(UserError, match=r"val_annotations\.txt: not the list of validation images \('n99999999'\)"):
        data.listing(tiny_imagenet)


def imagenet(root: Path, classes: int = 5) -> None:
    for part, count in (("train", 2), ("val", 1)):
        for label in reversed(range(classes)):
            for number in range(count):
                write_image(root / f"imagenet/{part}/n{label:08}/{number}.JPEG", np.full((8, 12, 3), label, np.uint8))


def test_the_imagenet_subset_is_the_first_classes_by_id_and_their_whole_validation_set(tmp_path: Path) -> None:
    imagenet(tmp_path)
    write_image(tmp_path / "imagenet/train/n00000004/bad.JPEG", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "imagenet/train/n00000004/bad.JPEG").write_bytes(b"")  # in a class that is not taken
    (tmp_path / "imagenet/train/n01440764.tar").write_bytes(b"left there")
    data = dataset("imagenet100", size=8, classes=3)
    assert "6 images to train on and 3 to test with, 3 classes" in data.fetch(tmp_path)
    split = data.load(tmp_path)
    assert split.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert split.test.images[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert (data.fit, data.size, dataset("imagenet100").size) == ("squeeze", 8, 224)
    with pytest.raises(UserError, match="imagenet: has 5 classes of the 100 wanted"):
        dataset("imagenet100", size=8).listing(tmp_path)


def test_validation_images_of_imagenet_that_are_not_sorted_into_classes_are_refused(tmp_path: Path) -> None:
    imagenet(tmp_path)
    (tmp_path / "imagenet/val").rename(tmp_path / "sorted")
    write_image(tmp_path / "imagenet/val/ILSVRC2012_val_00000001.JPEG", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UserError, match=r"imagenet/val: no folder of a class is in it; see docs/data\.md"):
        dataset("imagenet100", size=8, classes=3).listing(tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn", "tiny_imagenet"])
def test_what_cannot_be_downloaded_is_named_with_its_checksum_and_its_places(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*arguments: object, **settings: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(UserError) as caught:
        fetch(Choice(name, dataset(name)), tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{name}: not complete in {tmp_path} and not to be downloaded now (")
    assert f" and put it into {tmp_path}" in message
    assert told_how_to_get(name, message)


def told_how_to_get(name: str, message: str) -> bool:
    archives = DATASETS[name].archives
    return all(f"{one.file} (md5 {one.md5}) from {one.url}" in message for one in archives)


def test_the_archives_of_imagenet_are_named_with_what_unpacks_them(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        dataset("imagenet100").outline(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/imagenet: no train/ID/ and val/ID/ of ImageNet; get ILSVRC2012_devkit_t12")
    assert f"put it into {tmp_path}/imagenet, then unpack with torchvision.datasets.ImageNet(" in message
    assert told_how_to_get("imagenet100", message)


def test_the_checksums_are_those_of_torchvision() -> None:
    told = {archive.file: archive.md5 for kind in DATASETS.values() for archive in kind.archives}
    for kind in (official.CIFAR10, official.CIFAR100):
        assert told[kind.filename] == kind.tgz_md5
    for part in ("train", "test"):
        _, file, checksum = official.SVHN.split_list[part]
        assert told[file] == checksum
    for file, checksum in official.imagenet.ARCHIVE_META.values():
        assert told[file] == checksum
