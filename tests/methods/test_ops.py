"""OPS: the best free pair of pixel and colour for each class, and nothing else is touched."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

import methods.ops
from bench.core.data import ImageDataset, Outline
from bench.core.session import Session
from methods.ops import Ops, moments

Pair = tuple[int, int, tuple[int, ...]]
"""Row, column, colour in {0, 1}."""


def made(labels: list[int], shape: tuple[int, int, int] = (3, 4, 4), seed: int = 0, classes: int = 10) -> ImageDataset:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (len(labels), *shape), generator=generator, dtype=torch.uint8)
    return ImageDataset(images, torch.tensor(labels), classes)


def released(data: ImageDataset, seed: int = 0, **settings: object) -> Tensor:
    return Ops.model_validate(settings).generate(data, Session(seed, torch.device("cpu")))


def chosen(data: ImageDataset, protected: Tensor) -> dict[int, Pair]:
    """The pair of each class, read from the images it changed; fails if a class changed more than one pixel."""
    pairs: dict[int, Pair] = {}
    for label in data.labels.unique().tolist():
        rows = data.labels == label
        changed = (data.images[rows] != protected[rows]).any(1).any(0).nonzero()
        assert len(changed) == 1
        row, column = changed[0].tolist()
        colours = protected[rows][:, :, row, column].unique(dim=0)
        assert len(colours) == 1
        pairs[label] = row, column, tuple((colours[0] // 255).tolist())
        assert set(colours[0].tolist()) <= {0, 255}
    return pairs


def by_force(data: ImageDataset, objective: str) -> dict[int, Pair]:
    """Every pixel and colour tried on float images, one after the other."""
    channels, height, width = data.shape
    found: dict[int, Pair] = {}
    for label in data.labels.unique().tolist():
        images = data.images[data.labels == label].double().numpy() / 255
        best, pair = -1.0, None
        for row, column in itertools.product(range(height), range(width)):
            for colour in itertools.product((0, 1), repeat=channels):
                distance = np.abs(np.array(colour) - images[:, :, row, column])
                summed = distance.sum(1)
                score = distance.mean() / distance.std() if objective == "code" else summed.mean() / summed.var()
                if score > best and (row, column, colour) not in found.values():
                    best, pair = score, (row, column, colour)
        assert pair is not None
        found[label] = pair
    return found


@pytest.mark.parametrize("objective", ["code", "paper"])
@pytest.mark.parametrize("shape", [(3, 4, 4), (1, 4, 4), (3, 3, 5), (2, 5, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_the_choice_is_the_best_of_all_tried_one_by_one(
    objective: str, shape: tuple[int, int, int], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(methods.ops, "IMAGES", 4)
    data = made([0, 1, 2, 0, 1, 0, 0, 4, 4, 2, 2, 4, 1, 0, 2], shape, seed)
    assert chosen(data, released(data, objective=objective)) == by_force(data, objective)


def test_the_objectives_differ() -> None:
    choices = [
        [chosen(data, released(data, objective=objective)) for data in (made([0] * 6, seed=seed) for seed in range(5))]
        for objective in ("code", "paper")
    ]
    assert choices[0] != choices[1]


def test_moments_are_exact_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods.ops, "IMAGES", 4)
    images = made([0] * 9).images.flatten(2)
    images[:, :, 0] = 255
    total, square = moments(images)
    whole = images.long()
    assert torch.equal(total, whole.sum(0))
    assert torch.equal(square, torch.einsum("ncp,ndp->cdp", whole, whole))


def test_no_pair_is_used_twice_even_by_classes_that_are_alike() -> None:
    images = made([0] * 3, (1, 2, 2)).images
    data = ImageDataset(images.repeat(8, 1, 1, 1), torch.arange(8).repeat_interleave(3), 8)
    pairs = chosen(data, released(data))
    assert set(pairs.values()) == {(row, column, (c,)) for row in (0, 1) for column in (0, 1) for c in (0, 1)}


def test_more_classes_than_pairs_are_declined_and_an_empty_class_takes_none() -> None:
    data = made(list(range(8)), (1, 2, 2), classes=100)
    assert len(set(chosen(data, released(data)).values())) == 8
    assert not Ops().declines(Outline(8, (1, 2, 2), 100))
    assert Ops().declines(Outline(9, (1, 2, 2), 100)) == "9 classes have only 8 pairs of pixel and colour"


@pytest.mark.parametrize("objective", ["code", "paper"])
def test_a_class_without_spread_gets_the_colour_farthest_away(objective: str) -> None:
    data = ImageDataset(torch.zeros(4, 3, 4, 4, dtype=torch.uint8), torch.tensor([0, 0, 1, 2]), 3)
    data.images[2:] = 255
    data.images[2:, :, 0, 0] = 254
    protected = released(data, objective=objective)
    assert chosen(data, protected) == {0: (0, 0, (1, 1, 1)), 1: (0, 1, (0, 0, 0)), 2: (0, 2, (0, 0, 0))}


def test_no_spread_at_all_is_better_than_any_spread() -> None:
    images = torch.tensor([[0, 127], [1, 127]], dtype=torch.uint8).view(2, 1, 1, 2)
    data = ImageDataset(images, torch.tensor([0, 0]), 1)
    assert chosen(data, released(data)) == {0: (0, 1, (1,))}


def test_a_pair_that_changes_nothing_is_taken_all_the_same() -> None:
    images = torch.zeros(7, 1, 2, 2, dtype=torch.uint8)
    images[6] = 255
    data = ImageDataset(images, torch.arange(7), 7)
    protected = released(data)  # six black classes take white in all four pixels, and black in the first two
    assert chosen(ImageDataset(images[6:], torch.tensor([6]), 7), protected[6:]) == {6: (1, 0, (0,))}


def test_a_single_image_gets_a_pixel() -> None:
    data = made([3])
    assert (released(data) != data.images).any(1).sum() == 1


def test_an_image_that_has_the_colour_already_is_released_unchanged() -> None:
    data = made([0] * 40)
    row, column, colour = chosen(data, released(data))[0]
    data.images[7, :, row, column] = 255 * torch.tensor(colour)
    protected = released(data)
    assert chosen(data, protected)[0] == (row, column, colour)
    assert (protected != data.images).any(1).sum((1, 2)).tolist() == [1] * 7 + [0] + [1] * 32


def test_the_order_of_images_and_the_seed_change_nothing() -> None:
    data = made([0, 1, 2, 0, 1, 2, 0, 1])
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1))
    shuffled = ImageDataset(data.images[order], data.labels[order], data.num_classes)
    assert torch.equal(released(shuffled, seed=5), released(data)[order])
    assert Ops().class_wise
