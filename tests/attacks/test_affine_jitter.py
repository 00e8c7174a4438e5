"""The official views after orthogonal projection: maps and colours against torchvision, and the stack itself."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from attacks import ATTACKS
from attacks.augmentation import AffineJitter
from bench.core.data import Outline
from bench.grid.cell import Choice
from bench.grid.stack import check_stack

STILL = {"degrees": 0.0, "shear": 0.0, "zoom": 0.0, "jitter": 0.0}
COUNT = 16


def drawn(channels: int = 3) -> tuple[Tensor, Tensor]:
    """Images, and the first draws of the generator that `view` uses: in [-1, 1), one row for each quantity."""
    images = torch.rand(COUNT, channels, 16, 16, generator=torch.Generator().manual_seed(1))
    return images, 2 * torch.rand(6, COUNT, generator=torch.Generator().manual_seed(0)) - 1


def view(images: Tensor, **settings: float) -> Tensor:
    attack = AffineJitter(**{**STILL, **settings})
    return attack.augment(images, torch.zeros(len(images)), torch.Generator().manual_seed(0))


def test_without_any_strength_nothing_changes_inside_the_range_and_the_rest_is_cut_off() -> None:
    images = 3 * drawn()[0] - 1
    assert torch.allclose(view(images), images.clamp(0, 1), atol=1e-6)


@pytest.mark.parametrize("setting", ["degrees", "shear", "zoom"])
def test_maps_are_those_of_torchvision(setting: str) -> None:
    images, draws = drawn()
    strength = 0.2 if setting == "zoom" else 10.0
    row = ("degrees", "shear", "zoom").index(setting)
    for number, image in enumerate(images):
        value = float(draws[row, number]) * strength
        angle, shear = (value if setting == name else 0.0 for name in ("degrees", "shear"))
        scale = 1 + value if setting == "zoom" else 1.0
        # Both turn the same way round for one sign or the other, which is as likely.
        expected = [
            oracle.affine(image, sign * angle, [0, 0], scale, [sign * shear, 0], InterpolationMode.NEAREST)
            for sign in (1, -1)
        ]
        found = view(images, **{setting: strength})[number]
        assert min((found != one).any(0).float().mean().item() for one in expected) < 0.05  # pixels half-way


def test_colours_are_those_of_torchvision_in_one_order() -> None:
    images, draws = drawn()
    for number, image in enumerate(images):
        factors = [1 + 0.2 * float(draws[row, number]) for row in (3, 4, 5)]
        steps = (oracle.adjust_brightness, oracle.adjust_contrast, oracle.adjust_saturation)
        for step, factor in zip(steps, factors, strict=True):
            image = step(image, factor)
        assert torch.allclose(view(images, jitter=0.2)[number], image, atol=1e-5)


def test_grey_images_are_fine_and_other_channels_are_declined() -> None:
    assert view(drawn(1)[0], jitter=0.2).shape == (COUNT, 1, 16, 16)
    assert AffineJitter().declines(Outline(9, (2, 8, 8), 2), "cnn") == "needs images of 1 or 3 channels, got 2"


def test_the_official_recipe_of_orthogonal_projection_is_a_stack() -> None:
    names = ("orthogonal_projection", "finetune", "affine_jitter", "cutout", "cutmix")
    check_stack([Choice(name, ATTACKS[name]()) for name in names], "grid.yaml: attacks[0]")
