"""SC: blocks of one norm that a linear classifier tells apart."""

import math

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset, Outline
from bench.core.session import Session
from methods.sc import Sc
from tests.conftest import MadeUp

LABELS = [label for label in range(10) for _ in range(12)]


def noise_of(data: ImageDataset, seed: int = 0, **settings: object) -> Tensor:
    return Sc.model_validate(settings).generate(data, Session(seed, torch.device("cpu")))


@pytest.mark.parametrize("patch", [1, 2, 4, 8])
def test_every_block_has_one_value(patch: int, made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS[:24]), patch=patch)
    corners = noise[:, :, ::patch, ::patch].repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    assert torch.equal(noise, corners)
    blocks = noise[0, :, ::patch, ::patch].flatten()
    assert patch == 8 or len(blocks.unique()) > 3


def test_a_patch_as_high_as_the_image_gives_one_colour_per_image(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS[:24]), patch=8)
    assert torch.equal(noise, noise[:, :, :1, :1].expand(-1, -1, 8, 8))


@pytest.mark.parametrize(("channels", "size"), [(3, 8), (1, 8), (3, 16)])
def test_every_image_has_the_l2_norm_of_the_radius_but_for_rounding(channels: int, size: int, made_up: MadeUp) -> None:
    values = channels * size * size
    norms = noise_of(made_up(LABELS, classes=10, channels=channels, size=size)).float().flatten(1).norm(dim=1) / 255
    assert norms.numpy() == pytest.approx(6 / 255 * math.sqrt(values), abs=0.5 / 255 * math.sqrt(values))
    assert norms.mean().item() == pytest.approx(6 / 255 * math.sqrt(values), rel=5e-3)  # rounding has no bias


def test_the_norm_at_cifar_size_is_that_of_the_paper() -> None:
    assert 6 / 255 * math.sqrt(3 * 32 * 32) == pytest.approx(1.304, abs=5e-4)
    assert Sc().bound((3, 32, 32)) == pytest.approx(1.304, rel=0.1)


def test_a_quarter_of_the_height_is_the_default_patch(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=10, size=16)
    assert torch.equal(noise_of(data), noise_of(data, patch=4))


def test_two_images_of_one_class_have_different_noise(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS, classes=10)).flatten(1)
    assert len(noise.unique(dim=0)) == len(LABELS)


def test_least_squares_on_the_noise_alone_tells_all_classes_apart(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=10)
    noise = noise_of(data)[:, :, ::2, ::2].double().flatten(1)
    features = torch.cat([noise, torch.ones(len(noise), 1)], 1)
    assert features.shape[1] < len(features) / 2  # too few features to fit any labels at all
    targets = torch.nn.functional.one_hot(data.labels).double()
    fitted = features @ torch.linalg.lstsq(features, targets).solution
    assert torch.equal(fitted.argmax(1), data.labels)


def test_a_class_has_its_own_centre_and_a_spread_of_its_own(made_up: MadeUp) -> None:
    noise = noise_of(made_up([0] * 400 + [1] * 400, size=8), patch=4)[:, :, ::4, ::4].double().flatten(1)
    first, second = noise[:400], noise[400:]
    assert (first.mean(0).sign() != second.mean(0).sign()).any()
    assert not torch.allclose(first.T.cov(), second.T.cov(), rtol=0.2)


def test_a_patch_that_does_not_divide_the_image_is_declined() -> None:
    assert Sc(patch=3).declines(Outline(2, (3, 8, 8), 2)) == "patch 3 does not divide an image of 8x8 pixels"
    assert not Sc().declines(Outline(2, (3, 8, 8), 2))


def test_more_classes_than_vertices_are_declined() -> None:
    grey = [Outline(3, (1, 8, 8), classes) for classes in (2, 3)]
    reason = "1 blocks have 2 vertices, too few for 3 classes; lower patch"
    assert [Sc(patch=8).declines(data) for data in grey] == ["", reason]


def test_noise_that_int8_cannot_hold_is_refused_not_wrapped(made_up: MadeUp) -> None:
    with pytest.raises(
        ValueError, match=r"noise reaches \d+ grey levels, over the 127 that int8 holds; lower its radius"
    ):
        noise_of(made_up([0, 1]), radius=0.5)
