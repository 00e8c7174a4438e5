"""Partial poisoning: which images are protected, and what the control is left with."""

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from attacks.partial_poisoning import PartialPoisoning
from bench.core.data import ImageDataset, Outline
from bench.core.session import Session
from tests.conftest import MadeUp

LABELS = [0] * 61 + [1] * 30 + [2] * 7 + [4]  # a class without images, and one with a single one
SHARES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)


@pytest.fixture
def clean(made_up: MadeUp) -> ImageDataset:
    return made_up(LABELS, classes=5, low=20, high=200)


@pytest.fixture
def released(clean: ImageDataset) -> ImageDataset:
    return clean.protected(torch.full(clean.images.shape, 3, dtype=torch.int8))


def prepare_device(
    released: ImageDataset,
    clean: ImageDataset,
    share: float,
    *,
    seed: int = 0,
    stratified: bool = True,
    only: bool = False,
) -> ImageDataset:
    attack = PartialPoisoning(protected=share, stratified=stratified, clean_part_only=only)
    return attack.prepare(released, clean, Session(seed, torch.device("cpu")))


def protected(data: ImageDataset, clean: ImageDataset) -> Tensor:
    """Which images are protected; every other one must be clean."""
    difference = (data.images.short() - clean.images).flatten(1)
    assert ((difference == 3).all(1) | (difference == 0).all(1)).all()
    return difference[:, 0] == 3


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_subsets_of_growing_shares_contain_each_other(
    seed: int, stratified: bool, released: ImageDataset, clean: ImageDataset
) -> None:
    smaller = torch.zeros(len(clean), dtype=torch.bool)
    for share in SHARES:
        chosen = protected(prepare_device(released, clean, share, seed=seed, stratified=stratified), clean)
        assert chosen.sum() == round(share * len(clean))
        assert (smaller <= chosen).all()
        smaller = chosen


@pytest.mark.parametrize("share", SHARES)
def test_stratified_means_that_share_of_every_class_to_within_one_image(
    share: float, released: ImageDataset, clean: ImageDataset
) -> None:
    for seed in range(5):
        chosen = protected(prepare_device(released, clean, share, seed=seed), clean)
        for label in range(5):
            rows = clean.labels == label
            assert abs(int(chosen[rows].sum()) - share * int(rows.sum())) <= 1


def test_another_seed_protects_others_and_chance_alone_is_less_balanced(
    released: ImageDataset, clean: ImageDataset
) -> None:
    subsets = [protected(prepare_device(released, clean, 0.5, seed=seed), clean) for seed in range(40)]
    often = torch.stack(subsets).float().mean(0)
    assert often.min() > 0.1
    assert often.max() < 0.9
    loose = [protected(prepare_device(released, clean, 0.5, seed=seed, stratified=False), clean) for seed in range(40)]
    spread = torch.stack([chosen[clean.labels == 0].float().mean() for chosen in loose])
    assert spread.std() > 0.02


def test_the_control_is_the_clean_part_and_nothing_else(released: ImageDataset, clean: ImageDataset) -> None:
    chosen = protected(prepare_device(released, clean, 0.6), clean)
    part = prepare_device(released, clean, 0.6, only=True)
    assert torch.equal(part.images, clean.images[~chosen])
    assert torch.equal(part.labels, clean.labels[~chosen])
    assert part.num_classes == 5


def test_everything_protected_is_no_partial_poisoning() -> None:
    with pytest.raises(ValidationError, match="less than 1"):
        PartialPoisoning(protected=1.0)


@pytest.mark.parametrize(("share", "size"), [(0.999, 99), (0.001, 0)])
def test_a_share_that_rounds_to_none_or_all_of_the_images_is_declined(share: float, size: int) -> None:
    data = Outline(99, (3, 8, 8), 5)
    reason = f"a share of {share} of 99 images is {size} of them"
    assert PartialPoisoning(protected=share).declines(data, "cnn") == reason
    assert not PartialPoisoning(protected=0).declines(data, "cnn")
