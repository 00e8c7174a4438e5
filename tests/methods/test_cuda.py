"""CUDA: each class's kernel, slid over its images, and the range restored."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.ndimage import correlate
from torch import Tensor

import methods.cuda
from bench.core.data import ImageDataset
from bench.core.session import Session
from methods.cuda import Cuda, convolve
from tests.conftest import MadeUp

LABELS = [0, 1, 2, 2, 1, 0, 2]


def session(seed: int = 0) -> Session:
    return Session(seed, torch.device("cpu"))


def released(data: ImageDataset, seed: int = 0, **settings: object) -> Tensor:
    return Cuda.model_validate(settings).generate(data, session(seed))


def full_range(images: Tensor) -> Tensor:
    """Each image divided by its largest value, in grey levels, exact."""
    return 255 * images.double() / images.double().amax((1, 2, 3), keepdim=True)


@pytest.mark.parametrize(("height", "width", "size"), [(8, 8, 3), (5, 9, 3), (9, 6, 5), (4, 4, 9)])
def test_convolution_is_scipys_with_black_outside(height: int, width: int, size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, 2, height, width, generator=generator)
    kernels = torch.rand(3, size, size, generator=generator)
    filtered = convolve(images, kernels)
    for image, kernel, result in zip(images, kernels, filtered, strict=True):
        for channel, expected in zip(result, image, strict=True):
            oracle = correlate(expected.double().numpy(), kernel.double().numpy(), mode="constant")
            np.testing.assert_allclose(channel.numpy(), oracle, rtol=1e-5)


def test_a_kernel_of_one_pixel_only_restores_the_range(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3, high=200)
    protected = released(data, kernel_size=1)
    expected = full_range(data.images)
    assert (protected.double() - expected).abs().max() <= 0.5 + 1e-4  # rounded, not truncated
    assert protected.flatten(1).amax(1).tolist() == [255] * len(data)


@pytest.mark.parametrize("seed", range(4))
def test_without_blur_an_image_is_shifted_by_the_place_of_the_one(seed: int, made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3, low=100, high=200)
    kernels = Cuda(blur=0).kernels(3, session(seed))
    protected = released(data, seed, blur=0)
    for image, label, result in zip(data.images, LABELS, protected, strict=True):
        (row, column), *others = kernels[label].nonzero().tolist()
        assert not others
        shifted = torch.nn.functional.pad(image, (1, 1, 1, 1))[:, row : row + 8, column : column + 8]
        assert (result.double() - full_range(shifted[None])[0]).abs().max() <= 0.5 + 1e-4


def test_a_kernel_has_one_one_anywhere_among_uniform_draws() -> None:
    kernels = Cuda().kernels(1800, session()).flatten(1)
    ones = kernels == 1
    assert (ones.sum(1) == 1).all()
    assert ones.sum(0).min() > 140  # 200 expected in each of nine cells
    assert ones.sum(0).max() < 260
    others = kernels[~ones]
    assert others.max() <= 0.3
    assert others.mean().item() == pytest.approx(0.15, abs=0.003)
    assert others.var().item() == pytest.approx(0.3**2 / 12, rel=0.05)


def test_all_channels_and_all_images_of_a_class_have_one_kernel(made_up: MadeUp) -> None:
    data = made_up([0, 0, 1, 1], classes=2)
    grey = ImageDataset(data.images[:1, :1].expand(4, 3, -1, -1).contiguous(), data.labels, 2)
    protected = released(grey)
    assert torch.equal(protected[:, 0], protected[:, 1])
    assert torch.equal(protected[:, 0], protected[:, 2])
    assert torch.equal(protected[0], protected[1])
    assert not torch.equal(protected[0], protected[2])
    assert Cuda().class_wise


def test_the_control_has_one_kernel_whatever_the_label(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    relabelled = ImageDataset(data.images, data.labels.roll(1), 3)
    assert torch.equal(released(data, same_kernel=True), released(relabelled, same_kernel=True))
    assert not torch.equal(released(data), released(relabelled))


def test_a_black_image_stays_black_among_others(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=3)
    data.images[3] = 0
    protected = released(data)
    assert not protected[3].any()
    assert (protected.flatten(1).amax(1) == 255).tolist() == [True] * 3 + [False] + [True] * 3


def test_the_images_go_through_one_by_one(made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made_up(LABELS, classes=3)
    whole, order = released(data), torch.tensor([4, 0, 6, 2, 1, 5, 3])
    monkeypatch.setattr(methods.cuda, "IMAGES", 3)
    shuffled = ImageDataset(data.images[order], data.labels[order], 3)
    assert torch.equal(released(shuffled), whole[order])


def test_images_need_not_be_square() -> None:
    data = ImageDataset(torch.arange(3 * 5 * 7, dtype=torch.uint8).view(1, 3, 5, 7), torch.tensor([0]), 2)
    assert released(data).max() == 255


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be odd, got 4"):
        Cuda(kernel_size=4)
