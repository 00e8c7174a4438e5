"""Flip and crop, against plain loops and dense matrices."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.v2 import functional

from bench.core.augment import (
    AREA,
    RATIO,
    FlipCrop,
    Resampled,
    flip_crop,
    flip_resized_crop,
    flip_translate,
    padding,
    views_key,
)

SIZES = [(8, 8), (8, 16), (24, 8)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def all_views(image: np.ndarray) -> dict[bytes, tuple[bool, int, int]]:
    """Every flip and every crop of a (C, H, W) image, by plain loops: flip, then pad, then crop."""
    channels, height, width = image.shape
    pad_y, pad_x = height // 8, width // 8
    views = {}
    for flipped in (False, True):
        turned = image[:, :, ::-1] if flipped else image
        padded = np.zeros((channels, height + 2 * pad_y, width + 2 * pad_x), image.dtype)
        for y in range(height):
            for x in range(width):
                padded[:, y + pad_y, x + pad_x] = turned[:, y, x]
        for top in range(2 * pad_y + 1):
            for left in range(2 * pad_x + 1):
                crop = padded[:, top : top + height, left : left + width]
                views[crop.tobytes()] = (flipped, top, left)
    return views


def matrix(view: FlipCrop, shape: tuple[int, ...]) -> Tensor:
    """The dense matrix of one image's transform, column by column."""
    unit_images = torch.eye(math.prod(shape), dtype=torch.float64)
    return torch.stack([view(image.view(1, *shape)).flatten() for image in unit_images], dim=1)


@pytest.mark.parametrize("size", SIZES)
def test_every_view_is_a_flip_then_a_padded_crop_and_all_of_them_occur_about_equally_often(
    size: tuple[int, int],
) -> None:
    image = torch.rand(2, *size, generator=generator(1)) + 0.1
    views = all_views(image.numpy())
    batch = image.expand(60 * len(views), -1, -1, -1)
    seen = Counter(views[view.numpy().tobytes()] for view in flip_crop(batch, generator())(batch))
    assert seen.keys() == set(views.values())
    assert 20 < min(seen.values()) <= max(seen.values()) < 120
    flips = sum(count for (flipped, _, _), count in seen.items() if flipped)
    assert flips / len(batch) == pytest.approx(0.5, abs=0.06)


def test_the_padding_is_4_pixels_at_32_and_8_at_64_and_scales_between() -> None:
    assert [padding(size) for size in (8, 16, 32, 64)] == [1, 2, 4, 8]


@pytest.mark.parametrize("size", SIZES)
def test_the_gradient_is_the_adjoint(size: tuple[int, int]) -> None:
    a, b = torch.rand(2, 50, 3, *size, generator=generator(1), dtype=torch.float64)
    a.requires_grad_()
    view = flip_crop(a, generator())(a)
    [pulled_back] = torch.autograd.grad(view, a, b)
    assert torch.allclose((view * b).sum((1, 2, 3)), (a * pulled_back).sum((1, 2, 3)), rtol=1e-12)


def test_the_gradient_is_that_of_the_dense_matrix_whatever_the_draw() -> None:
    for seed in range(40):
        image = torch.rand(1, 1, 8, 8, generator=generator(seed), dtype=torch.float64, requires_grad=True)
        view = flip_crop(image, generator(seed))
        dense = matrix(view, (1, 8, 8))
        weights = torch.rand(64, generator=generator(seed), dtype=torch.float64)
        [expected] = torch.autograd.grad((dense @ image.flatten()).square() @ weights, image)
        [gradient] = torch.autograd.grad(view(image).flatten().square() @ weights, image)
        assert torch.equal(gradient, expected)


def test_a_pixel_that_the_crop_drops_has_no_gradient_and_every_other_one_has() -> None:
    numbered = torch.arange(1.0, 65).view(1, 1, 8, 8).expand(60, -1, -1, -1).clone().requires_grad_()
    view = flip_crop(numbered, generator())(numbered)
    [gradient] = torch.autograd.grad(view.sum(), numbered)
    for shown, pulled_back in zip(view, gradient, strict=True):
        kept = torch.isin(numbered[0], shown)
        assert torch.equal(pulled_back, kept.float())
    assert {int(g.sum()) for g in gradient} == {64, 56, 49}


def test_the_same_stream_gives_the_same_views() -> None:
    images = torch.rand(20, 3, 8, 8, generator=generator(1))
    assert torch.equal(flip_crop(images, generator())(images), flip_crop(images, generator())(images))
    assert not torch.equal(flip_crop(images, generator())(images), flip_crop(images, generator(1))(images))


def shifts(view: Resampled, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Of each image, whether it is flipped and how far it is moved down and across: read off a ramp, inside it."""
    height, width = size
    ramps = torch.stack(torch.meshgrid(torch.arange(1.0, height + 1), torch.arange(1.0, width + 1), indexing="ij"))
    shown = view(ramps.double().expand(len(view.rows), 2, height, width))
    middle = shown[:, :, height // 2, width // 2]
    flipped = shown[:, 1, height // 2, width // 2 + 1] < middle[:, 1]
    across = middle[:, 1] - 1
    centre = torch.where(flipped, width - 1 - across, across)
    return flipped, middle[:, 0] - 1 - height // 2, centre - width // 2


@pytest.mark.parametrize("size", SIZES)
def test_a_translation_is_that_of_bilinear_grid_sampling(size: tuple[int, int]) -> None:
    height, width = size
    images = torch.rand(40, 3, height, width, generator=generator(1), dtype=torch.float64)
    view = flip_translate(images, generator())
    flipped, dy, dx = shifts(view, size)
    theta = torch.eye(2, 3, dtype=torch.float64).repeat(40, 1, 1)
    theta[:, 1, 2], theta[:, 0, 2] = 2 * dy / (height - 1), 2 * dx / (width - 1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=True)
    turned = torch.where(flipped[:, None, None, None], images.flip(3), images)
    assert torch.allclose(view(images), F.grid_sample(turned, grid, align_corners=True), atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_translations_are_uniform_up_to_an_eighth_of_the_size_and_half_of_them_are_flipped(
    size: tuple[int, int],
) -> None:
    flipped, *moved = shifts(flip_translate(torch.empty(2000, 1, *size), generator()), size)
    assert flipped.float().mean().item() == pytest.approx(0.5, abs=0.05)
    for length, shift in zip(size, moved, strict=True):
        most = length / 8
        assert 0.99 * most < shift.abs().max() <= most + 1e-5
        assert shift.mean().item() == pytest.approx(0, abs=0.05 * most)
        assert shift.abs().mean().item() == pytest.approx(most / 2, rel=0.05)
        assert shift.square().mean().item() == pytest.approx(most**2 / 3, rel=0.06)


def test_the_gradient_of_a_translation_is_that_of_finite_differences() -> None:
    images = torch.rand(6, 2, 8, 8, generator=generator(1), dtype=torch.float64, requires_grad=True)
    view = flip_translate(images, generator())
    assert torch.autograd.gradcheck(lambda point: view(point).square(), images)


def test_what_a_translation_moves_in_from_outside_is_black() -> None:
    shown = flip_translate(torch.empty(200, 1, 8, 8), generator())(torch.ones(200, 1, 8, 8))
    assert shown.min() >= 0
    assert shown.max() <= 1 + 1e-6
    assert (shown[:, :, 2:-2, 2:-2] > 1 - 1e-6).all()
    assert (shown.amin((1, 2, 3)) < 0.9).sum() > 100


def boxes(view: Resampled) -> list[tuple[bool, int, int, int, int]]:
    """Of each image: whether it is flipped, and top, left, height and width of what is cut out, by its first and last
    rows and columns: their places are half a pixel of the result inside the crop's border, or on it."""
    size = view.rows.shape[1]
    ramp = torch.arange(size, dtype=torch.float64)
    found = []
    for weights in (view.rows, view.columns):
        places = weights.double() @ ramp
        low, high = places.amin(1).round(), places.amax(1).round()
        found.append((low.int().tolist(), (high - low + 1).int().tolist(), (places[:, 0] > places[:, -1]).tolist()))
    (top, height, _), (left, width, flipped) = found
    return list(zip(flipped, top, left, height, width, strict=True))


def test_a_random_resized_crop_is_that_of_torchvision() -> None:
    images = torch.rand(60, 3, 32, 32, generator=generator(1), dtype=torch.float64)
    view = flip_resized_crop(images, generator())
    for image, shown, (flipped, *box) in zip(images, view(images), boxes(view), strict=True):
        cut = functional.resized_crop(image, *box, [32, 32], antialias=False)
        assert torch.allclose(shown, cut.flip(2) if flipped else cut, atol=1e-5)


def test_random_resized_crops_are_drawn_as_those_of_torchvision() -> None:
    image = torch.empty(1, 96, 96)
    torch.manual_seed(0)
    theirs = torch.tensor([RandomResizedCrop.get_params(image, list(AREA), list(RATIO)) for _ in range(4000)])
    drawn = boxes(flip_resized_crop(image.expand(4000, 1, 96, 96), generator()))
    ours = torch.tensor([box for _, *box in drawn])
    assert sum(flipped for flipped, *_ in drawn) == pytest.approx(2000, abs=130)
    assert (ours.amin(0) >= theirs.amin(0) - 2).all()
    assert (ours[:, 0] + ours[:, 2]).max() <= 96
    for moment in (1, 2):
        assert torch.allclose((ours.double() ** moment).mean(0), (theirs.double() ** moment).mean(0), rtol=0.06)
    area = (ours[:, 2] * ours[:, 3]).double() / 96**2
    assert area.min() >= 0.075
    assert area.max() <= 1


def test_the_gradient_of_a_random_resized_crop_is_that_of_finite_differences() -> None:
    images = torch.rand(4, 2, 8, 8, generator=generator(1), dtype=torch.float64, requires_grad=True)
    view = flip_resized_crop(images, generator())
    assert torch.autograd.gradcheck(lambda point: view(point).square(), images)


def test_a_crop_for_which_no_try_fits_is_the_whole_image() -> None:
    images = torch.rand(50, 1, 2, 96, generator=generator(1), dtype=torch.float64)  # any box of 3:4 is too high
    view = flip_resized_crop(images, generator())
    shown = view(images)
    assert all(
        torch.allclose(one, image, atol=1e-5) or torch.allclose(one, image.flip(2), atol=1e-5)
        for one, image in zip(shown, images, strict=True)
    )


def test_views_are_resized_crops_from_96_pixels_on_and_their_keys_say_so() -> None:
    for size, kind in ((95, FlipCrop), (96, Resampled)):
        assert type(flip_crop(torch.empty(2, 1, size, size), generator())) is kind
    assert views_key((3, 95, 95)) == {}
    assert views_key((3, 96, 96)) == {"views": ["flip_resized_crop", 1]}


def test_noise_flows_back_through_the_views_of_large_images() -> None:
    images = torch.full((2, 1, 96, 96), 0.5, requires_grad=True)
    view = flip_crop(images, generator())(images)
    assert torch.equal(view.detach(), torch.full_like(view, 0.5))
    [gradient] = torch.autograd.grad(view.sum(), images)
    assert gradient.sum().item() == pytest.approx(2 * 96 * 96, rel=1e-4)
