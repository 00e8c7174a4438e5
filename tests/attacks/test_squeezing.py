"""Squeezing: the same bits as Pillow."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from attacks.squeezing import BitDepth, Gray, Jpeg
from bench.core.data import ImageDataset, Outline
from tests.conftest import MadeUp


@pytest.fixture
def colour(made_up: MadeUp) -> ImageDataset:
    return made_up([0, 1] * 200)


def pillow_images(data: ImageDataset) -> list[Image.Image]:
    return [Image.fromarray(image) for image in data.images.movedim(1, 3).squeeze(3).numpy()]


def test_gray_is_the_luminance_of_pillow_in_every_channel(colour: ImageDataset) -> None:
    gray = Gray().filtered(colour.images)
    expected = np.array([np.asarray(image.convert("L")) for image in pillow_images(colour)])
    assert all(np.array_equal(gray[:, channel].numpy(), expected) for channel in range(3))


def test_gray_keeps_grey_levels_and_weighs_colours() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    assert torch.equal(Gray().filtered(levels), levels)
    pure = torch.eye(3, dtype=torch.uint8).view(3, 3, 1, 1) * 255
    assert Gray().filtered(pure)[:, 0].flatten().tolist() == [76, 150, 29]


def test_images_that_are_grey_already_are_declined() -> None:
    reasons = [Gray().declines(Outline(9, (channels, 8, 8), 2), "cnn") for channels in (1, 3)]
    assert reasons == ["needs images of 3 channels, got 1", ""]


@pytest.mark.parametrize("bits", range(1, 8))
def test_bit_depth_is_posterising(bits: int, colour: ImageDataset) -> None:
    expected = [np.asarray(ImageOps.posterize(image, bits)) for image in pillow_images(colour)]
    assert np.array_equal(BitDepth(bits=bits).filtered(colour.images).movedim(1, 3).numpy(), np.array(expected))


def test_two_bits_are_the_default_and_leave_four_levels(colour: ImageDataset) -> None:
    assert torch.equal(BitDepth().filtered(colour.images), colour.images & 192)


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 8), (3, 12), (3, 32)])
def test_jpeg_is_the_round_trip_of_pillow_on_each_image_alone(channels: int, size: int, made_up: MadeUp) -> None:
    data = made_up([0, 1, 0], channels=channels, size=size)
    for image, squeezed in zip(pillow_images(data), Jpeg().filtered(data.images), strict=True):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=10)
        assert np.array_equal(np.asarray(Image.open(file)), squeezed.movedim(0, 2).squeeze(2).numpy())


def test_jpeg_subsamples_colour_and_loses_less_at_a_higher_quality(colour: ImageDataset) -> None:
    def loss(quality: int) -> float:
        return float((Jpeg(quality=quality).filtered(colour.images).short() - colour.images).abs().float().mean())

    assert loss(100) < loss(75) < loss(10)
    assert loss(100) > 5  # without subsampling, quality 100 loses about half a level


def test_jpeg_declines_what_it_cannot_encode() -> None:
    reasons = [Jpeg().declines(Outline(9, (channels, 8, 8), 2), "cnn") for channels in (1, 4)]
    assert reasons == ["", "needs images of 1 or 3 channels, got 4"]
