"""Batched image operations: what torchvision does to one image at a time."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import RandAugment

from attacks._image_operations import OPERATIONS, applied
from bench.core.datasets import Synthetic

COUNT = 40
RANGES = {
    "identity": (0.0, 0.0),
    "shear_x": (-0.3, 0.3),
    "shear_y": (-0.3, 0.3),
    "translate_x": (-0.5, 0.5),
    "translate_y": (-0.5, 0.5),
    "rotate": (-30.0, 30.0),
    "brightness": (0.1, 1.9),
    "saturation": (0.1, 1.9),
    "contrast": (0.1, 1.9),
    "sharpness": (0.1, 1.9),
    "posterize": (0.0, 8.0),
    "solarize": (0.0, 1.0),
    "autocontrast": (0.0, 0.0),
    "equalize": (0.0, 0.0),
}


def oracle(name: str, image: Tensor, magnitude: float) -> Tensor:
    """What torchvision's RandAugment does; its names and units differ from ours."""
    height, width = image.shape[1:]
    called = "".join(part.capitalize() for part in name.split("_")).replace("Saturation", "Color")
    called = called.replace("Autocontrast", "AutoContrast")
    value = {
        "translate_x": magnitude * width,
        "translate_y": magnitude * height,
        **dict.fromkeys(("brightness", "saturation", "contrast", "sharpness"), magnitude - 1),
    }.get(name, magnitude)
    policy = RandAugment()
    result = policy._apply_image_or_video_transform(image, called, value, policy.interpolation, policy._fill)
    return torch.as_tensor(result)


@pytest.fixture(params=[(3, 32, 32), (3, 20, 24), (1, 16, 16)], ids=str)
def images(request: pytest.FixtureRequest) -> Tensor:
    channels, height, width = request.param
    smooth = Synthetic(size=32, train_images=COUNT, test_images=1).load(Path()).train.images
    return smooth[:, :channels, :height, :width].contiguous()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_that_of_torchvision(name: str, images: Tensor) -> None:
    low, high = RANGES[name]
    magnitude = low + (high - low) * torch.rand(COUNT, generator=torch.Generator().manual_seed(0))
    ours = OPERATIONS[name](images, magnitude)
    theirs = torch.stack([oracle(name, image, float(m)) for image, m in zip(images, magnitude, strict=True)])
    assert ours.dtype == torch.uint8
    difference = (ours.short() - theirs.short()).abs()
    if name in ("shear_x", "shear_y", "rotate"):
        assert (difference > 0).float().mean() < 1e-3  # ties between two pixels
    else:
        assert difference.max() <= 1
        assert (difference > 0).float().mean() < 1e-3  # sums that are whole but for rounding


def test_each_image_gets_the_operation_chosen_for_it(images: Tensor) -> None:
    names = ["identity", "brightness", "posterize"]
    choice, magnitude = torch.arange(COUNT) % 3, torch.full((COUNT,), 1.5)
    result = applied(images, names, choice, magnitude)
    for number, name in enumerate(names):
        expected = OPERATIONS[name](images, magnitude)
        assert torch.equal(result[choice == number], expected[choice == number])
    assert torch.equal(result[::3], images[::3])
    assert not torch.equal(result[1::3], images[1::3])
