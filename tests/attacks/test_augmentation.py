"""Cutout, CutMix, mixup and RandAugment."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import RandAugment as Oracle

from attacks.augmentation import CutMix, Cutout, Mixup, RandAugment, magnitudes
from attacks.ueraser import Ueraser, UeraserLite
from bench.core.data import Outline

BATCH = 64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def coded(size: int = 32) -> Tensor:
    """Images each of one level of its own, none of them black."""
    return ((torch.arange(BATCH) + 1) / BATCH).view(-1, 1, 1, 1).expand(-1, 3, size, size).contiguous()


LABELS = torch.arange(BATCH) % 4
SHARES = nn.functional.one_hot(LABELS, 4).float()


@pytest.mark.parametrize(("size", "side"), [(32, 16), (16, 8), (9, 4)])
def test_cutout_is_one_black_square_of_half_the_side_cut_off_at_the_border(size: int, side: int) -> None:
    images = coded(size)
    whole = 0
    for view, image in zip(Cutout().augment(images, LABELS, seeded()), images, strict=True):
        black = (view == 0).all(0)
        rows, columns = black.any(1).nonzero().flatten(), black.any(0).nonzero().flatten()
        assert black[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()  # a rectangle
        assert side // 2 <= len(rows) <= side
        assert side // 2 <= len(columns) <= side
        assert len(rows) == side or rows[0] == 0 or rows[-1] == size - 1
        assert torch.equal(view[:, ~black], image[:, ~black])
        whole += len(rows) == len(columns) == side
    assert 0 < whole < BATCH


def test_cutout_hides_every_pixel_about_as_often_as_its_place_allows() -> None:
    images = torch.ones(20_000, 1, 8, 8)
    hidden = 1 - Cutout().augment(images, LABELS, seeded()).mean((0, 1))
    # A square of 4 with its centre on pixel c covers c-2 to c+1; at the border fewer centres reach a pixel.
    reach = torch.tensor([sum(c - 2 <= pixel <= c + 1 for c in range(8)) for pixel in range(8)]) / 8
    assert torch.allclose(hidden, reach[:, None] * reach, atol=0.015)


@pytest.mark.parametrize("attack", [CutMix(), Mixup()], ids=["cutmix", "mixup"])
def test_half_of_all_batches_are_mixed_by_shares_that_are_uniform(attack: CutMix | Mixup) -> None:
    shares = []
    for seed in range(400):
        images, targets = attack.mix(coded(), SHARES, seeded(seed))
        if torch.equal(images, coded()):
            assert torch.equal(targets, SHARES)
        else:
            shares.append(targets[0].max().item())
    assert 160 < len(shares) < 240
    assert min(shares) < 0.6
    assert max(shares) > 0.95
    assert attack.model_copy(update={"probability": 0.0}).mix(coded(), SHARES, seeded())[1] is SHARES


def test_mixup_mixes_images_and_labels_by_the_same_share() -> None:
    seen = []
    for seed in range(20):
        images, targets = Mixup(probability=1).mix(coded(), SHARES, seeded(seed))
        assert torch.equal(images, images[:, :1, :1, :1].expand_as(images))
        partner = torch.randperm(BATCH, generator=_after(seeded(seed), 2))
        levels, other = images[:, 0, 0, 0], coded()[partner, 0, 0, 0]
        own = coded()[:, 0, 0, 0]
        row = int((own - other).abs().argmax())
        share = ((levels - other) / (own - other))[row].item()
        seen.append(share)
        assert torch.allclose(levels, share * own + (1 - share) * other, atol=1e-5)
        assert torch.allclose(targets, share * SHARES + (1 - share) * SHARES[partner], atol=1e-5)
    assert max(seen) - min(seen) > 0.7


def test_cutmix_mixes_labels_by_the_area_taken_from_the_partner() -> None:
    areas = []
    for seed in range(30):
        images, targets = CutMix(probability=1).mix(coded(), SHARES, seeded(seed))
        partner = torch.randperm(BATCH, generator=_after(seeded(seed), 4))
        taken = (images != coded()).any(0).any(0)
        area = taken.float().mean().item()
        assert torch.equal(images, torch.where(taken, coded()[partner], coded()))
        assert torch.allclose(targets, (1 - area) * SHARES + area * SHARES[partner], atol=1e-6)
        areas.append(area)
    assert min(areas) < 0.1
    assert max(areas) > 0.6


def _after(generator: torch.Generator, draws: int) -> torch.Generator:
    torch.rand(draws, generator=generator)
    return generator


NAMES = {"saturation": "Color", "autocontrast": "AutoContrast"}


@pytest.mark.parametrize("strength", [0, 9, 17, 30])
def test_randaugment_has_the_operations_and_strengths_of_torchvision(strength: int) -> None:
    ours = magnitudes(strength / 30)
    spaces = Oracle._AUGMENTATION_SPACE
    called = {name: NAMES.get(name, "".join(part.capitalize() for part in name.split("_"))) for name in ours}
    assert set(called.values()) == set(spaces)
    for name, (plus, minus) in ours.items():
        values, signed = spaces[called[name]]
        levels = values(31, 100, 100)
        if levels is None:
            continue
        expected = float(levels[strength])
        if name.startswith("translate"):
            expected /= 100
        offset = 1 if name in ("brightness", "saturation", "contrast", "sharpness") else 0
        assert plus == pytest.approx(offset + expected, abs=1e-5)
        assert minus == pytest.approx(offset - expected if signed else expected, abs=1e-5)


def test_randaugment_draws_every_operation_and_sign_for_each_view() -> None:
    image = torch.rand(1, 3, 32, 32, generator=seeded()).mul(255).round().div(255)
    one = RandAugment(operations=1).augment(image.expand(2000, -1, -1, -1), LABELS, seeded())
    distinct = len(one.flatten(1).unique(dim=0))
    # 14 operations, 9 with a sign; autocontrast and identity coincide on pixels of the full range.
    assert 21 <= distinct <= 23
    unchanged = (one == image).flatten(1).all(1).float().mean().item()
    assert 1 / 14 - 0.03 < unchanged < 2 / 14 + 0.03
    two = RandAugment().augment(image.expand(2000, -1, -1, -1), LABELS, seeded())
    assert len(two.flatten(1).unique(dim=0)) > 150


def test_channels_that_the_operations_cannot_change_are_declined() -> None:
    images = [Outline(9, (channels, 8, 8), 2) for channels in (1, 2, 3)]
    for attack in (RandAugment(), UeraserLite(), Ueraser()):
        reasons = [attack.declines(data, "cnn") for data in images]
        assert reasons == ["", "needs images of 1 or 3 channels, got 2", ""]
