"""Low-pass filters: the same bits as OpenCV."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from attacks._image_filter import ImageFilter
from attacks.low_pass import Gaussian, Mean, Median, beyond

Image = NDArray[np.uint8]
ORACLES: list[tuple[ImageFilter, Callable[[Image], Image]]] = [
    (Mean(), lambda image: cv2.blur(image, (3, 3)).astype(np.uint8)),
    (Gaussian(), lambda image: cv2.GaussianBlur(image, (3, 3), 0).astype(np.uint8)),
    (Median(), lambda image: cv2.medianBlur(image, 3).astype(np.uint8)),
]


@pytest.mark.parametrize("high", [256, 2], ids=["all levels", "extremes"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (3, 9, 17), (3, 32, 32), (3, 2, 5)])
@pytest.mark.parametrize(("filtering", "oracle"), ORACLES, ids=lambda entry: type(entry).__name__)
def test_a_filter_is_that_of_opencv_on_every_pixel(
    filtering: ImageFilter, oracle: Callable[[Image], Image], shape: tuple[int, int, int], high: int
) -> None:
    generator = torch.Generator().manual_seed(sum(shape))
    images = torch.randint(high, (20, *shape), generator=generator, dtype=torch.uint8) * (255 // (high - 1))
    expected = [[oracle(channel) for channel in image] for image in images.numpy()]
    assert np.array_equal(filtering.filtered(images).numpy(), np.array(expected))


def test_borders_by_hand() -> None:
    assert beyond(4, "reflect").tolist() == [1, 0, 1, 2, 3, 2]
    assert beyond(4, "replicate").tolist() == [0, 0, 1, 2, 3, 3]
    assert beyond(1, "reflect").tolist() == [0, 0, 0]


def test_a_gaussian_rounds_halves_up_and_a_mean_keeps_what_is_flat() -> None:
    image = torch.zeros(1, 1, 3, 3, dtype=torch.uint8)
    image[0, 0, 1, 1] = 2  # 4/16 of it is one half
    assert Gaussian().filtered(image)[0, 0, 1, 1] == 1
    flat = torch.full((1, 3, 5, 5), 77, dtype=torch.uint8)
    for filtering, _ in ORACLES:
        assert torch.equal(filtering.filtered(flat), flat)
