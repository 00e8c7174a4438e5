"""Orthogonal projection: what is removed, and from what."""

import pytest
import torch
from torch import Tensor, nn

from attacks.orthogonal_projection import OrthogonalProjection, initial_weights
from bench.core.data import ImageDataset, Outline
from bench.core.session import Session
from tests.conftest import MadeUp

CPU = torch.device("cpu")


@pytest.fixture
def shortcut(made_up: MadeUp) -> ImageDataset:
    """Grey noise, and a pattern for each of three classes that tells them apart."""
    data = made_up([0, 1, 2] * 40, classes=3, low=100, high=140)
    patterns = torch.randint(-40, 41, (3, *data.shape), generator=torch.Generator().manual_seed(0), dtype=torch.int8)
    return data.protected(patterns[data.labels])


def removed(data: ImageDataset, **settings: object) -> Tensor:
    attack = OrthogonalProjection.model_validate({"batch_size": 30, **settings})
    projected = attack.prepare(data, data, Session(0, CPU))
    assert projected.images.dtype == torch.float32
    return (data.floats() - projected.floats()).flatten(1)


@pytest.mark.parametrize("directions", ["fitted", "random"])
def test_as_many_directions_as_classes_are_gone_and_the_rest_is_kept(directions: str, shortcut: ImageDataset) -> None:
    gone = removed(shortcut, directions=directions)
    kept = shortcut.floats().flatten(1) - gone
    assert torch.linalg.matrix_rank(gone.double(), rtol=1e-5) == 3
    assert (gone @ kept.T).abs().max() < 1e-4  # orthogonal, between any two images
    assert torch.allclose(kept.square().sum(1) + gone.square().sum(1), shortcut.floats().flatten(1).square().sum(1))


def test_the_pattern_of_a_class_is_removed_and_by_random_directions_it_is_not(shortcut: ImageDataset) -> None:
    def spread(images: Tensor) -> float:
        """Mean distance between the means of the classes."""
        means = torch.stack([images[shortcut.labels == label].mean(0) for label in range(3)])
        return float(torch.pdist(means).mean())

    pixels = shortcut.floats().flatten(1)
    assert spread(pixels - removed(shortcut, epochs=300)) < 0.3 * spread(pixels)
    assert spread(pixels - removed(shortcut, directions="random")) > 0.9 * spread(pixels)


def test_the_classifier_is_that_of_autograd(shortcut: ImageDataset) -> None:
    data = ImageDataset(shortcut.images[:12], shortcut.labels[:12], 3)  # one batch: its order does not matter
    layer = nn.Linear(192, 3, bias=False)
    generator = Session(0, CPU).generator("orthogonal projection")
    with torch.no_grad():
        layer.weight.copy_(initial_weights(3, 192, generator))
    optimiser = torch.optim.SGD(layer.parameters(), 0.1)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimiser, [4, 6])
    for _ in range(8):
        optimiser.zero_grad()
        nn.functional.cross_entropy(layer(data.floats().flatten(1)), data.labels).backward()
        optimiser.step()
        scheduler.step()
    basis = torch.linalg.qr(layer.weight.detach().T).Q
    expected = data.floats().flatten(1) @ basis @ basis.T
    assert torch.allclose(removed(data, epochs=8), expected, atol=1e-4)


def test_initial_weights_are_those_of_a_linear_layer() -> None:
    weights = initial_weights(10, 400, torch.Generator().manual_seed(0))
    assert weights.abs().max() <= 1 / 20
    assert weights.std().item() == pytest.approx(1 / 20 / 3**0.5, rel=0.05)


def test_more_classes_than_values_leave_nothing_and_are_declined() -> None:
    reasons = [OrthogonalProjection().declines(Outline(9, (1, 8, 8), classes), "cnn") for classes in (63, 64)]
    assert reasons == ["", "64 directions leave nothing of 64 values"]
