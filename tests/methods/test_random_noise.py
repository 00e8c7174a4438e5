"""Random noise: every level alike, for each image or for each class."""

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.session import Session
from methods.random_noise import RandomL2, RandomNoise
from tests.conftest import MadeUp

LABELS = [label for label in range(5) for _ in range(20)]


def noise_of(data: ImageDataset, **settings: object) -> Tensor:
    return RandomNoise.model_validate(settings).generate(data, Session(0, torch.device("cpu")))


def test_every_level_within_the_radius_is_equally_likely(made_up: MadeUp) -> None:
    levels, counts = noise_of(made_up(LABELS, classes=5), radius=2 / 255).unique(return_counts=True)
    assert levels.tolist() == [-2, -1, 0, 1, 2]
    expected = 100 * 192 / 5
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert statistic < 18.5  # chi square, four degrees of freedom: one seed in a thousand is beyond


def test_each_image_has_noise_of_its_own(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS, classes=5)).flatten(1)
    assert len(noise.unique(dim=0)) == len(LABELS)
    assert noise.min() == -8
    assert noise.max() == 8
    assert not RandomNoise().class_wise


def test_class_wise_noise_is_one_pattern_for_each_class(made_up: MadeUp) -> None:
    noise = noise_of(made_up(LABELS, classes=5), wise="class").flatten(1)
    patterns = noise[::20]
    assert torch.equal(noise, patterns.repeat_interleave(20, 0))
    assert len(patterns.unique(dim=0)) == 5
    assert noise_of(made_up([99, 0, 99], classes=100), wise="class").shape == (3, 3, 8, 8)
    assert RandomNoise(wise="class").class_wise


def test_a_radius_beyond_int8_is_refused(made_up: MadeUp) -> None:
    assert noise_of(made_up(LABELS), radius=127 / 255).abs().max() == 127
    with pytest.raises(ValueError, match="random: a radius of 128/255 is over the 127/255 that int8 noise holds"):
        noise_of(made_up(LABELS), radius=128 / 255)


def test_l2_noise_has_that_norm_in_a_direction_of_its_own_for_each_image(made_up: MadeUp) -> None:
    data = made_up(LABELS, classes=5)
    noise = RandomL2(l2_radius=0.5).generate(data, Session(0, torch.device("cpu"))).flatten(1).double() / 255
    norms = noise.norm(dim=1)
    rounding = 0.5 + 1 / 255**2 * 192 / 12 / 2 / 0.5  # the variance of a rounded value is 1/12 level more
    assert norms.mean().item() == pytest.approx(rounding, abs=5e-4)
    assert (norms - 0.5).abs().max() < 0.02
    cosines = (noise @ noise.T / norms.outer(norms)).fill_diagonal_(0)
    assert cosines.abs().max() < 0.4  # of 4,950 pairs in 192 dimensions, standard deviation 0.072
    assert cosines.std().item() == pytest.approx(192**-0.5, rel=0.1)


def test_an_l2_radius_beyond_int8_is_refused(made_up: MadeUp) -> None:
    with pytest.raises(ValueError, match="grey levels, over the 127 that int8 holds; lower its radius"):
        RandomL2(l2_radius=5.0).generate(made_up(LABELS), Session(0, torch.device("cpu")))


def test_more_images_than_are_drawn_at_a_time_are_all_different(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("methods.random_noise.IMAGES", 8)
    noise = RandomL2().generate(made_up([0, 1] * 10), Session(0, torch.device("cpu"))).flatten(1)
    assert len(noise.unique(dim=0)) == 20
