"""A person's folder is checked whole, before anything is trained."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core import image_cache
from bench.core.datasets import Folder
from bench.core.errors import UserError
from bench.core.long_work import heard
from tests.core.test_decoding import animated, heic

PETS = Folder(path="pets", size=8)
LENIENT = Folder(path="pets", size=8, skip_broken=True)


def spoil(root: Path) -> dict[str, str]:
    """Add one of everything that is no image to use; its name with part of the reason."""
    train, broken = root / "pets" / "train", {}
    for name, content, reason in (
        ("cat/a.heic", heic(), "no format that is read here"),
        ("cat/b.gif", animated("GIF"), "an animation"),
        ("dog/c.png", (train / "dog/0.png").read_bytes()[:90], ""),
        ("dog/d.jpg", b"", "an empty file"),
        ("dog/deep/e.txt", b"no image", "no format"),
        ("stray.png", (train / "dog/0.png").read_bytes(), "in no class"),
    ):
        (train / name).parent.mkdir(exist_ok=True)
        (train / name).write_bytes(content)
        broken[f"train/{name}"] = reason
    os.mkfifo(train / "cat/pipe.png")
    (train / "cat/link.png").symlink_to("nowhere.png")
    (train / "cat/self").symlink_to("self")
    (train / "cat/root").symlink_to(train.parent)
    (train / "dog/deep/round").symlink_to(train / "dog")
    reasons = {
        "cat/pipe.png": "no file: a pipe",
        "cat/link.png": "a broken link",
        "cat/root": "a link to a folder that is looked at",
        "cat/self": "a broken link",
        "dog/deep/round": "a link to a folder that is looked at",
    }
    return broken | {f"train/{name}": reason for name, reason in reasons.items()}


def test_all_bad_files_are_in_one_message_the_first_few_by_name(image_folder: Path) -> None:
    names = sorted(spoil(image_folder))
    with pytest.raises(UserError) as caught:
        PETS.fetch(image_folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{image_folder}/pets: {len(names)} files that are no image to use: ")
    assert message.endswith(f" and {len(names) - 5} more; mend or remove, or set skip_broken: true")
    assert [name for name in names if f"{name} (" in message] == [*names[:4], "train/stray.png"]
    assert ": train/stray.png (" in message  # what is wrong with classes comes first


def test_every_bad_file_has_its_reason(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "SHOWN", 100)
    broken = spoil(image_folder)
    with pytest.raises(UserError) as caught:
        PETS.load(image_folder)
    for name, reason in broken.items():
        assert f"{name} ({reason}" in str(caught.value)


def test_broken_files_are_left_out_if_asked_and_counted(image_folder: Path) -> None:
    whole = PETS.load(image_folder)
    broken = spoil(image_folder)
    found = LENIENT.fetch(image_folder)
    assert found.startswith(
        f"{image_folder}/pets: 4 images to train on and 2 to test with, 2 classes; {len(broken)} left"
    )
    assert found.endswith(f"and {len(broken) - 5} more")
    for _ in range(2):  # decoded, and then mapped
        split = LENIENT.load(image_folder)
        assert torch.equal(split.train.images, whole.train.images)
        assert torch.equal(split.train.labels, whole.train.labels)
        assert torch.equal(split.test.images, whole.test.images)
    with pytest.raises(UserError, match="no image to use"):
        PETS.load(image_folder)


def test_what_is_broken_is_looked_for_once(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(image_folder)
    with pytest.raises(UserError):
        PETS.load(image_folder)
    passes = []
    plain = image_cache._decode
    monkeypatch.setattr(image_cache, "_decode", lambda *rest: passes.append(rest) or plain(*rest))
    with pytest.raises(UserError):
        PETS.load(image_folder)
    assert not passes
    LENIENT.load(image_folder)
    assert len(passes) == 1


def test_what_a_newer_pillow_reads_is_no_longer_broken(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = image_cache._pixels
    monkeypatch.setattr(image_cache, "_pixels", lambda look, content: "too new")
    with pytest.raises(UserError, match="6 files that are no image to use"):
        PETS.load(image_folder)
    monkeypatch.setattr(image_cache, "_pixels", plain)
    assert len(PETS.load(image_folder).train) == 4


def test_a_file_that_may_not_be_read_is_named(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, plain = str(image_folder / "pets/train/cat/1.png"), open

    def refuse(file: object, *rest: object, **settings: object) -> object:
        if str(file) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), closed)
        return plain(file, *rest, **settings)  # type: ignore[call-overload]

    monkeypatch.setattr("io.open", refuse)  # as whoever is root may read anything
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UserError, match=r"1 file that is no image to use: train/cat/1\.png \(Permission denied\)"):
        PETS.load(image_folder)


def test_a_class_of_which_nothing_is_left_is_refused(image_folder: Path) -> None:
    (image_folder / "pets/val/dog/0.png").write_bytes(b"")
    with pytest.raises(UserError, match="pets: no image to test with of dog"):
        LENIENT.load(image_folder)
    for file in (image_folder / "pets/train/cat").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match="pets: no image to train on of cat"):
        LENIENT.fetch(image_folder)
    for file in (image_folder / "pets").rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(UserError, match="pets: 6 files that are no image to use"):
        LENIENT.fetch(image_folder)


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
    with pytest.raises(UserError, match="pets: no image to train on of ant, bee, cow; no image to test with of ant, b"):
        LENIENT.fetch(image_folder)


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
    assert len(PETS.load(image_folder).train) == 4


def test_what_was_left_out_is_not_forecast(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "SETTLED", 0)
    (image_folder / "pets/train/cat/1.png").write_bytes(b"")
    assert LENIENT.outline(image_folder).train_images == 4  # nobody knows yet
    LENIENT.fetch(image_folder)
    assert (LENIENT.outline(image_folder).train_images, PETS.outline(image_folder).train_images) == (3, 4)


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


def test_the_look_is_part_of_what_is_kept(image_folder: Path) -> None:
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, :4] = 250
    Image.fromarray(wide).save(image_folder / "pets/val/cat/0.png")
    crop, squeeze = (
        Folder(path="pets", size=8, fit=fit).load(image_folder).test.images[0] for fit in ("crop", "squeeze")
    )
    assert crop.max() == 0
    assert squeeze[:, :, :2].min() == 250


def test_whoever_waits_hears_how_far_it_is(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "SETTLED", 0)
    heard_of: list[tuple[str, int, int]] = []
    with heard(lambda *told: heard_of.append(told)):
        PETS.load(image_folder)
    assert (f"{image_folder}/pets: reading", 6, 6) in heard_of
    assert heard_of[-1] == (f"{image_folder}/pets: decoding", 6, 6)
    count = len(heard_of)
    PETS.load(image_folder)
    assert len(heard_of) == count


def test_batches_and_tasks_of_any_size_keep_the_order(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = PETS.load(image_folder)
    for batch, task in ((1, 1), (4, 3), (2, 16)):
        monkeypatch.setattr(image_cache, "BATCH", batch)
        monkeypatch.setattr(image_cache, "TASK", task)
        for file in (image_folder / "decoded").iterdir():
            file.unlink()
        assert torch.equal(PETS.load(image_folder).train.images, before.train.images)


def test_a_checksum_is_compared_once_and_again_if_the_file_was_touched(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[bool] = []
    plain: Callable[..., object] = image_cache.read_tensor

    def watch(file: Path, name: str, *, check: bool) -> object:
        checks.append(check)
        return plain(file, name, check=check)

    monkeypatch.setattr(image_cache, "read_tensor", watch)
    PETS.load(image_folder)
    [file] = (image_folder / "decoded").glob("*.safetensors")
    os.utime(file, ns=(0, 0))
    PETS.load(image_folder)
    PETS.load(image_folder)
    assert checks == [False, True, False]
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="not a file of decoded images"):
        PETS.load(image_folder)
