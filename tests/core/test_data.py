"""Images at rest: protecting, cutting down, resizing, and reading a person's own folder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.data import ImageDataset
from bench.core.datasets import Folder
from bench.core.datasets.arrays import first_of_each_class, resized
from bench.core.errors import UserError
from tests.conftest import MadeUp


def single(image: torch.Tensor) -> ImageDataset:
    return ImageDataset(image[None], torch.zeros(1, dtype=torch.int64), 1)


def test_noise_is_added_and_clipped_not_wrapped() -> None:
    image = torch.tensor([[[250, 3, 100, 255, 0]]], dtype=torch.uint8)
    noise = torch.tensor([[[[8, -8, -5, -128, 127]]]], dtype=torch.int8)
    assert single(image).protected(noise).images.flatten().tolist() == [255, 0, 95, 127, 127]


def test_every_noise_on_every_grey_level_is_the_clipped_sum() -> None:
    levels, noise = np.meshgrid(np.arange(256), np.arange(-128, 128), indexing="ij")
    data = single(torch.from_numpy(levels.astype(np.uint8))[None])
    released = data.protected(torch.from_numpy(noise.astype(np.int8))[None, None])
    assert np.array_equal(released.images[0, 0].numpy(), (levels + noise).clip(0, 255))
    assert np.array_equal(data.images[0, 0].numpy(), levels), "the clean images were changed"


def test_a_protection_of_uint8_replaces_the_images_and_keeps_the_labels(made_up: MadeUp) -> None:
    data, other = made_up([0, 1, 1]), made_up([0, 0, 1, 1]).images[1:]
    released = data.protected(other)
    assert torch.equal(released.images, other)
    assert torch.equal(released.labels, data.labels)


def test_a_protection_of_another_type_or_shape_is_refused(made_up: MadeUp) -> None:
    data = made_up([0, 1])
    with pytest.raises(TypeError, match=r"a protection is int8 noise or uint8 images, not torch\.float32"):
        data.protected(torch.zeros(data.images.shape))
    with pytest.raises(ValueError, match=r"protection has shape \(1, 3, 8, 8\), the images \(2, 3, 8, 8\)"):
        data.protected(torch.zeros(1, 3, 8, 8, dtype=torch.int8))


def test_images_being_computed_with_are_in_the_unit_interval() -> None:
    floats = single(torch.tensor([[[0, 51, 255]]], dtype=torch.uint8)).floats()
    assert floats.dtype == torch.float32
    assert torch.equal(floats.flatten(), torch.tensor([0, 51 / 255, 1]))


def test_a_smaller_image_has_the_rounded_mean_of_each_block() -> None:
    image = torch.tensor([[0, 2, 10, 10], [4, 6, 10, 11], [255, 255, 0, 0], [255, 255, 0, 3]], dtype=torch.uint8)
    assert resized(single(image[None]), 2).images[0, 0].tolist() == [[3, 10], [255, 1]]


def test_resizing_reaches_every_image_of_a_large_set() -> None:
    levels = (torch.arange(9000) % 256).byte()
    data = ImageDataset(levels.view(-1, 1, 1, 1).expand(-1, 1, 4, 4), torch.zeros(9000, dtype=torch.int64), 1)
    assert torch.equal(resized(data, 2).images, levels.view(-1, 1, 1, 1).expand(-1, 1, 2, 2))


def test_the_first_images_are_taken_evenly_over_the_classes_in_their_order(made_up: MadeUp) -> None:
    data = made_up([2, 0, 0, 1, 1, 2, 0, 1, 2], classes=3)
    kept = first_of_each_class(data, 5)
    rows = [0, 1, 2, 3, 4]  # two of class 0 (1, 2), two of class 1 (3, 4), one of class 2 (0)
    assert torch.equal(kept.images, data.images[rows])
    assert torch.equal(kept.labels, data.labels[rows])
    assert torch.equal(first_of_each_class(data, 9).images, data.images)
    with pytest.raises(ValueError, match="asked for 10 images, but some class has fewer than 4"):
        first_of_each_class(data, 10)


def test_a_folder_is_read_with_its_exact_pixels_in_alphabetical_order(image_folder: Path) -> None:
    split = Folder(path="pets", size=8).load(image_folder)
    assert split.train.labels.tolist() == [0, 0, 1, 1]
    assert split.test.labels.tolist() == [0, 1]
    files = [image_folder / "pets/train" / file for file in ("cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png")]
    expected = np.stack([np.asarray(Image.open(file)).transpose(2, 0, 1) for file in files])
    assert np.array_equal(split.train.images.numpy(), expected)


def test_the_outline_of_a_folder_is_that_of_its_images(image_folder: Path) -> None:
    folder = Folder(path="pets", size=8)
    for name in ("train/cat/.notes.txt", "train/dog/Thumbs.db"):
        (image_folder / "pets" / name).write_text("no image")
    outline, train = folder.outline(image_folder), folder.load(image_folder).train
    assert (outline.train_images, outline.shape, outline.num_classes) == (len(train), train.shape, train.num_classes)


def test_a_image_that_is_not_square_is_averaged_to_a_square(image_folder: Path) -> None:
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[:, ::2] = (10, 200, 99)  # averaged with the black column beside it
    Image.fromarray(pixels).save(image_folder / "pets/val/cat/0.png")
    folder = Folder(path="pets", size=4, fit="squeeze")
    assert folder.load(image_folder).test.images[0, :, 0, 0].tolist() == [5, 100, 50]


def test_a_grey_image_gets_three_equal_channels(image_folder: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(image_folder / "pets/val/cat/0.png")
    image = Folder(path="pets", size=8).load(image_folder).test.images[0]
    assert all(np.array_equal(channel.numpy(), grey) for channel in image)


def test_the_test_part_of_a_folder_may_be_called_test(image_folder: Path) -> None:
    folder = Folder(path="pets", size=8)
    before = folder.load(image_folder).test.images
    (image_folder / "pets/val").rename(image_folder / "pets/test")
    assert torch.equal(folder.load(image_folder).test.images, before)


@pytest.mark.parametrize("part", ["train/dog/1.png", "val/cat/0.png"])
def test_the_fingerprint_changes_when_a_pixel_does(image_folder: Path, part: str) -> None:
    folder, file = Folder(path="pets", size=8), image_folder / "pets" / part
    before = folder.fingerprint(image_folder)
    assert folder.fingerprint(image_folder) == before
    pixels = np.array(Image.open(file))
    pixels[3, 3, 1] ^= 1
    Image.fromarray(pixels).save(file)
    assert folder.fingerprint(image_folder) != before


def test_a_folder_without_its_parts_is_refused_by_name(image_folder: Path) -> None:
    with pytest.raises(UserError, match="birds: no such folder; an image folder has train/CLASS/ and val/CLASS/"):
        Folder(path="birds", size=8).load(image_folder)
    (image_folder / "pets/val").rename(image_folder / "pets/other")
    with pytest.raises(UserError, match=r"pets/val: no such folder; a path is relative to --data-root"):
        Folder(path="pets", size=8).load(image_folder)


def test_a_folder_whose_parts_have_different_classes_is_refused(image_folder: Path) -> None:
    (image_folder / "pets/train/bird").mkdir()
    (image_folder / "pets/train/dog/1.png").rename(image_folder / "pets/train/bird/1.png")
    with pytest.raises(UserError, match=r"1 file that is no image to use: val/bird \(no such class, which train has\)"):
        Folder(path="pets", size=8).load(image_folder)


def test_as_many_classes_of_other_names_are_refused_too(image_folder: Path) -> None:
    (image_folder / "pets/val/dog").rename(image_folder / "pets/val/wolf")
    with pytest.raises(UserError, match=r"train/wolf \(no such class, .*val/dog \(no such class"):
        Folder(path="pets", size=8).load(image_folder)


def test_noise_is_made_batch_by_batch_in_order(made_up: MadeUp) -> None:
    data, seen = made_up([0, 1, 0, 1, 1]), []

    def make(part: slice) -> torch.Tensor:
        seen.append(data.labels[part].tolist())
        return torch.full_like(data.images[part], len(seen), dtype=torch.int8)

    noise = data.noise(2, make)
    assert seen == [[0, 1], [0, 1], [1]]
    assert noise.dtype == torch.int8
    assert noise.shape == data.images.shape
    assert noise.flatten(1).amax(1).tolist() == [1, 1, 2, 2, 3]
