"""A person's images: decoded once, kept whole or not at all, known by their content."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core import image_cache
from bench.core.datasets import Folder
from bench.core.errors import UserError
from bench.core.listing import Listing

PETS = Folder(path="pets", size=8)


def kept(root: Path) -> list[Path]:
    """The files of pixels, hidden ones included."""
    return [file for file in (root / "decoded").iterdir() if "safetensors" in file.name and file.suffix != ".lock"]


def repaint(file: Path) -> None:
    """Change one pixel and leave the file's size and time of modification as they were."""
    pixels, before = np.array(Image.open(file)), file.stat()
    pixels[3, 3, 1] ^= 1
    time.sleep(0.02)  # coarse clocks tick every 4 ms
    Image.fromarray(pixels).save(file, compress_level=0)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new files count as old ones."""
    monkeypatch.setattr(image_cache, "SETTLED", 0)


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after which no image can be read."""

    def refuse(*arguments: object, **settings: object) -> None:
        raise AssertionError("an image is read")

    def apply() -> None:
        monkeypatch.setattr("PIL.Image.open", refuse)
        monkeypatch.setattr(Path, "read_bytes", refuse)

    return apply


@pytest.mark.usefixtures("settled")
def test_the_second_load_reads_no_image(image_folder: Path, unreadable: Callable[[], None]) -> None:
    first = PETS.load(image_folder)
    unreadable()
    second = PETS.load(image_folder)
    assert torch.equal(first.train.images, second.train.images)
    assert torch.equal(first.test.images, second.test.images)
    with pytest.raises(UserError, match="an image is read"):
        Folder(path="pets", size=4).load(image_folder)


def test_the_pixels_are_those_of_every_file_in_batches_of_any_size(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "BATCH", 4)
    split = PETS.load(image_folder)
    for data, part in ((split.train, "train"), (split.test, "val")):
        files = sorted((image_folder / "pets" / part).rglob("*.png"))
        assert np.array_equal(data.images.permute(0, 2, 3, 1).numpy(), [np.asarray(Image.open(file)) for file in files])
        assert (data.images.dtype, data.images.is_contiguous()) == (torch.uint8, True)


def test_writing_to_the_images_never_changes_the_file(image_folder: Path) -> None:
    before = PETS.load(image_folder).train.images.clone()
    PETS.load(image_folder).train.images.zero_()
    assert torch.equal(PETS.load(image_folder).train.images, before)


def test_a_decoding_that_fails_leaves_nothing_and_can_be_repeated(image_folder: Path) -> None:
    file = image_folder / "pets/val/dog/0.png"
    whole = file.read_bytes()
    file.write_bytes(whole[:60])
    with pytest.raises(UserError, match=r"1 file that is no image to use: val/dog/0\.png \("):
        PETS.load(image_folder)
    assert not kept(image_folder)
    file.write_bytes(whole)
    assert len(PETS.load(image_folder).test) == 2


def test_what_a_killed_process_left_is_overwritten(image_folder: Path) -> None:
    before = PETS.load(image_folder).train.images.clone()
    [file] = kept(image_folder)
    file.rename(file.with_name(f".{file.name}.partial"))
    os.truncate(file.with_name(f".{file.name}.partial"), 300)
    assert torch.equal(PETS.load(image_folder).train.images, before)
    assert kept(image_folder) == [file]


def test_images_that_change_while_they_are_decoded_are_not_kept(
    image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = image_cache._decode

    def meddle(listing: Listing, *rest: object) -> object:
        yield from plain(listing, *rest)
        repaint(image_folder / "pets" / listing.files[0])

    monkeypatch.setattr(image_cache, "_decode", meddle)
    with pytest.raises(OSError, match="pets: images changed while they were decoded; run again"):
        PETS.load(image_folder)
    assert not kept(image_folder)


def test_a_damaged_file_of_pixels_is_named(image_folder: Path) -> None:
    PETS.load(image_folder)
    [file] = kept(image_folder)
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(ValueError, match=rf"{file.name}: not a file of decoded images .*delete it to decode them"):
        PETS.load(image_folder)


def test_the_fingerprint_is_the_hash_of_the_listing_and_of_all_bytes(image_folder: Path) -> None:
    listing = PETS.listing(image_folder)
    digest = hashlib.sha256(f'"{listing.digest}"'.encode())
    for part in ("train", "val"):
        for name in sorted(file for file in (image_folder / "pets" / part).rglob("*.png")):
            digest.update(name.read_bytes())
    assert PETS.fingerprint(image_folder) == digest.hexdigest()[:16]
    assert PETS.listing(image_folder).digest != replace(listing, train=listing.train[1:]).digest


@pytest.mark.usefixtures("settled")
def test_a_image_changed_behind_its_time_of_modification_has_another_fingerprint_and_other_pixels(
    image_folder: Path,
) -> None:
    file = image_folder / "pets/train/cat/0.png"
    Image.open(file).save(file, compress_level=0)
    before, name = PETS.load(image_folder).train.images.clone(), PETS.fingerprint(image_folder)
    size = file.stat().st_size
    repaint(file)
    assert file.stat().st_size == size
    assert PETS.fingerprint(image_folder) != name
    assert (PETS.load(image_folder).train.images != before).sum() == 1


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", ["added", "removed", "renamed"])
def test_another_set_of_files_has_another_fingerprint(image_folder: Path, change: str) -> None:
    name, file = PETS.fingerprint(image_folder), image_folder / "pets/train/cat/0.png"
    other = file.with_name("other.png")
    if change == "added":
        other.write_bytes(file.read_bytes())
    elif change == "removed":
        file.unlink()
    else:
        file.rename(other)
    assert PETS.fingerprint(image_folder) != name


def test_a_file_changed_just_now_is_read_again(image_folder: Path, unreadable: Callable[[], None]) -> None:
    PETS.fingerprint(image_folder)
    unreadable()
    with pytest.raises(AssertionError, match="an image is read"):
        PETS.fingerprint(image_folder)
