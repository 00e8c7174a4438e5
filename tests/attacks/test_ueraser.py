"""UEraser: its clouds, its views, and the worst of them."""

import pytest
import torch
from torch import Tensor, nn

from attacks._plasma import plasma, refined
from attacks.ueraser import TRIVIAL, Ueraser, UeraserLite, UeraserMax, shuffled, trivially_augmented, under_plasma
from bench.core.models import build
from bench.core.perturb import frozen
from bench.core.plug_in import Cost
from bench.core.train import Recipe
from tests.conftest import MadeUp


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_refining_without_draws_is_the_mean_of_neighbours_by_hand() -> None:
    grid = torch.tensor([[[0.0, 4.0], [8.0, 12.0]]])
    fine = refined(grid, torch.zeros(1, 1, 1), seeded())
    assert torch.allclose(fine[0], torch.tensor([[0, 10 / 3, 4], [14 / 3, 6, 22 / 3], [8, 26 / 3, 12]]))


def test_refining_with_draws_alone_keeps_old_points_and_makes_uniform_new_ones() -> None:
    fine = refined(torch.full((4000, 2, 2), 7.0), torch.ones(4000, 1, 1), seeded())
    assert (fine[:, ::2, ::2] == 7).all()
    new = torch.cat([fine[:, 1, 1], fine[:, 0, 1], fine[:, 1, 2]])
    assert new.min() < 0.01
    assert new.max() > 0.99
    assert new.mean().item() == pytest.approx(0.5, abs=0.01)
    assert new.std().item() == pytest.approx(12**-0.5, abs=0.01)


@pytest.mark.parametrize("size", [2, 3, 8, 16, 20, 33, 64])
def test_a_plasma_is_in_the_unit_interval_and_rougher_for_a_larger_roughness(size: int) -> None:
    maps = plasma(torch.linspace(0, 1, 300), size, seeded())
    assert maps.shape == (300, size, size)
    assert maps.min() >= 0
    assert maps.max() <= 1
    if size > 3:
        steps = (maps[:, :, 1:] - maps[:, :, :-1]).abs().mean((1, 2))
        assert steps[200:].mean() > 1.5 * steps[:100].mean()


@pytest.mark.parametrize(
    ("size", "roughness", "spread", "step", "between"),
    [(8, 0.5, 0.135, 0.096, 0.071), (16, 0.3, 0.128, 0.023, 0.095), (32, 0.7, 0.110, 0.084, 0.026)],
)
def test_a_plasma_has_the_statistics_of_those_of_kornia(
    size: int, roughness: float, spread: float, step: float, between: float
) -> None:
    maps = plasma(torch.full((3000,), roughness), size, seeded())  # the numbers were measured on kornia 0.9.0
    assert maps.mean().item() == pytest.approx(0.5, abs=0.005)
    assert maps.std().item() == pytest.approx(spread, abs=0.003)
    assert (maps[:, :, 1:] - maps[:, :, :-1]).abs().mean().item() == pytest.approx(step, abs=0.002)
    assert maps.mean((1, 2)).std().item() == pytest.approx(between, abs=0.003)


def test_clouds_change_half_of_all_images_each_way_and_differ_between_channels() -> None:
    images = torch.full((2000, 3, 8, 8), 0.5)  # contrast about 1/2 changes nothing
    views = under_plasma(images, 0.5, seeded())
    changed = (views != images).flatten(1).any(1)
    assert changed.float().mean().item() == pytest.approx(0.5, abs=0.04)
    assert (views[changed][:, 0] != views[changed][:, 1]).flatten(1).any(1).all()
    assert views[changed].mean().item() == pytest.approx(0.5, abs=0.01)  # neither brighter nor darker on average
    both = under_plasma(images + 0.1, 0.5, seeded()) != images + 0.1
    assert both.flatten(1).any(1).float().mean().item() == pytest.approx(0.75, abs=0.04)
    assert torch.equal(under_plasma(images, 0.0, seeded()), images)


def test_shuffled_channels_are_the_same_channels_in_every_order() -> None:
    images = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(3000, 3, 4, 4)
    views = shuffled(images, 0.5, seeded())
    assert torch.equal(views.sort(1).values, images)
    orders, counts = views[:, :, 0, 0].unique(dim=0, return_counts=True)
    assert len(orders) == 6
    assert counts.max().item() == pytest.approx(3000 * (0.5 + 0.5 / 6), rel=0.1)
    assert counts.min() > 3000 / 12 * 0.7


def test_trivial_augment_draws_every_operation_and_many_magnitudes() -> None:
    image = torch.rand(1, 3, 16, 16, generator=seeded()).mul(255).round().div(255)
    views = trivially_augmented(image.expand(1500, -1, -1, -1), seeded())
    assert len(views.flatten(1).unique(dim=0)) > 600
    black = (views == 0).flatten(1).all(1).float().mean().item()  # posterised to 0 bits
    assert black == pytest.approx(1 / len(TRIVIAL) / 4, abs=0.012)


@pytest.fixture
def batch(made_up: MadeUp) -> tuple[Tensor, Tensor]:
    data = made_up([0, 1] * 10)
    return data.floats(), data.labels


@pytest.fixture
def model(two_layers: str) -> nn.Module:
    return build(two_layers, num_classes=2, channels=3, generator=seeded())


def test_the_worst_view_is_that_of_the_largest_loss_for_each_image(
    batch: tuple[Tensor, Tensor], model: nn.Module
) -> None:
    images, labels = batch
    generator = seeded(4)
    views = torch.stack([UeraserLite().augment(images, labels, generator) for _ in range(5)])
    with frozen(model), torch.no_grad():
        losses = torch.stack([nn.functional.cross_entropy(model(view), labels, reduction="none") for view in views])
        worst = Ueraser().perturb(model, images, labels, seeded(4))
    best = losses.argmax(0)
    assert torch.equal(worst, views[best, torch.arange(len(images))])
    assert len(best.unique()) > 2  # the choice is each image's own, not the batch's


def test_one_view_is_lite(batch: tuple[Tensor, Tensor], model: nn.Module) -> None:
    with frozen(model):
        view = Ueraser(views=1).perturb(model, *batch, seeded())
    assert torch.equal(view, UeraserLite().augment(*batch, seeded()))


def test_the_worst_view_counts_for_the_first_share_of_training_only() -> None:
    attack = Ueraser(probability=0.25)
    assert attack.at(0.0) is attack.at(0.299) is attack
    assert attack.at(0.3) == Ueraser(probability=0.25, views=1)
    longest = UeraserMax()
    assert longest.at(0.999) is longest


def test_views_without_gradients_are_forecast_as_a_third_of_a_pass_each() -> None:
    recipe, attacks = Recipe(steps=100, batch_size=128), [Ueraser(views=6, worst_until=0.25)]
    assert recipe.cost(attacks, 50_000).passes == 100
    assert recipe.cost(attacks, 50_000).other == pytest.approx(100 * 0.25 * 6 / 3)
    assert recipe.cost([UeraserLite()], 50_000) == Cost(100)


def test_mixed_labels_have_a_worst_view_too(batch: tuple[Tensor, Tensor], model: nn.Module) -> None:
    images, labels = batch
    shares = nn.functional.one_hot(labels, 2).float()
    with frozen(model):
        worst = [Ueraser().perturb(model, images, targets, seeded()) for targets in (labels, shares)]
    assert torch.equal(*worst)
