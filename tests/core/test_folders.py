"""A person's folder is checked whole, before anything is trained."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core import image_cache, listing
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


def test_copies_of_test_images_are_told_whatever_their_files_are_called(image_folder: Path) -> None:
    assert "as well" not in PETS.fetch(image_folder)
    pets = image_folder / "pets"
    Image.open(pets / "val/cat/0.png").save(pets / "train/dog/copy.bmp")
    alike = np.array(Image.open(pets / "val/dog/0.png"))
    alike[0, 0] ^= 1  # not in the middle row
    Image.fromarray(alike).save(pets / "train/dog/nearly.png")
    found = PETS.fetch(image_folder)
    assert found.endswith("; 1 to test with are to train on as well: val/cat/0.png = train/dog/copy.bmp")


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
    monkeypatch.setattr(listing, "SHOWN", 100)
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
    with pytest.raises(
        UserError, match=r"pets: 1 file that is .+: val/dog/0\.png \(.+\); mend .+ to test with of dog$"
    ):
        LENIENT.load(image_folder)
    for file in (image_folder / "pets/train/cat").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match=r"pets: 3 files that are .+: train/cat/0\.png \(.+ to train on of cat"):
        LENIENT.fetch(image_folder)
    for file in (image_folder / "pets").rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(UserError, match="pets: 6 files that are no image to use"):
        LENIENT.fetch(image_folder)


def test_what_was_left_out_is_not_forecast(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "SETTLED", 0)
    (image_folder / "pets/train/cat/1.png").write_bytes(b"")
    assert LENIENT.outline(image_folder).train_images == 4  # nobody knows yet
    LENIENT.fetch(image_folder)
    assert (LENIENT.outline(image_folder).train_images, PETS.outline(image_folder).train_images) == (3, 4)


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
