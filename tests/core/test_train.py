"""The one training loop: its batches, its learning rate, and its looks at the test set."""

from typing import Any

import pytest
import torch
from torch import nn

from attacks.gradient import Pgd
from bench.core import memory
from bench.core.models import build
from bench.core.train import DivergedError, Recipe, batches, evaluate, update
from tests.conftest import Linear, MadeUp
from tests.core.conftest import Updates
from tests.core.training import trained, weights


@pytest.mark.parametrize(("count", "size"), [(12, 4), (13, 4), (3, 128)])
def test_batches_visit_every_index_at_most_once_an_epoch_and_drop_only_the_ragged_one(count: int, size: int) -> None:
    order = batches(count, size, torch.Generator().manual_seed(0))
    size = min(size, count)
    epochs = [torch.cat([next(order) for _ in range(count // size)]) for _ in range(30)]
    for epoch in epochs:
        assert len(epoch.unique()) == len(epoch) == count - count % size
    assert set(torch.cat(epochs).tolist()) == set(range(count))
    assert len({tuple(epoch.tolist()) for epoch in epochs}) > 5


def test_evaluation_is_the_mean_over_all_images_whatever_the_batch(
    two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_up([0, 1, 2, 1, 0, 2, 2], classes=3)
    model = build(two_layers, num_classes=3, channels=3, generator=torch.Generator().manual_seed(0))
    model(data.floats())  # gives BatchNorm running values that differ from those of a batch
    model.eval()
    with torch.no_grad():
        shares = [model(data.floats(slice(row, row + 1))).softmax(1)[0] for row in range(7)]
    loss = -sum(share[label].log().item() for share, label in zip(shares, data.labels, strict=True)) / 7
    hits = sum(int(share.argmax() == label) for share, label in zip(shares, data.labels, strict=True))
    before = weights(model)
    for batch_size in (1, 3, 7, 1000):
        monkeypatch.setattr(memory, "IN_CACHE", batch_size * 3 * 8 * 8)
        model.train()
        assert evaluate(model, data) == pytest.approx((loss, hits / 7), rel=1e-5)
    assert torch.equal(weights(model), before)


def test_large_images_are_evaluated_in_batches_of_no_more_values(
    two_layers: str, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "IN_CACHE", 4 * 3 * 32 * 32)
    model, sizes = build(two_layers, num_classes=3, channels=3, generator=torch.Generator().manual_seed(0)), list[int]()
    model.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    for size, expected in ((32, [4, 1]), (64, [1] * 5), (256, [1] * 5), (16, [5])):
        evaluate(model, made_up([0] * 5, classes=3, size=size))
        assert sizes == expected
        sizes.clear()


def test_one_update_is_a_step_down_the_gradient_clipped_to_its_norm(linear: Linear) -> None:
    weight = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    images, labels = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 1])
    inputs = images.flatten(1) - 0.5
    errors = (inputs @ weight.T).softmax(1) - torch.nn.functional.one_hot(labels, 2)
    gradient = torch.cat([errors.T @ inputs / 3, errors.mean(0, keepdim=True).T], 1)  # weights, then bias
    for max_norm, scale in ((None, 1.0), (0.01, 0.01 / (gradient.norm().item() + 1e-6))):
        model = build(linear(weight), num_classes=2, channels=1, generator=torch.Generator()).eval()
        logits = update(model, images, labels, torch.optim.SGD(model.parameters(), 0.5), max_norm)
        layer = model.body[1]
        expected = torch.cat([weight, torch.zeros(2, 1)], 1) - 0.5 * scale * gradient
        assert torch.allclose(torch.cat([layer.weight, layer.bias[:, None]], 1), expected, atol=1e-6)
        assert torch.allclose(logits, inputs @ weight.T, atol=1e-6)
        assert model.training


def test_a_small_network_learns_what_a_colour_tells(two_layers: str, made_up: MadeUp) -> None:
    labels = [0, 1] * 50
    data = made_up(labels, high=156)
    red = torch.tensor(labels, dtype=torch.uint8)[:, None, None] * 100
    data.images[:, 0] += red
    [*_, last] = trained(two_layers, data, steps=60, batch_size=20)[1]
    assert last.test_accuracy > 0.95
    assert last.train_accuracy > 0.95
    assert last.test_loss < 0.2


@pytest.mark.parametrize(
    ("images", "steps", "every", "looks"),
    [(12, 10, 4, [3, 4, 8, 10]), (13, 8, 4, [3, 4, 8]), (3, 3, 100, [1, 3]), (40, 5, 100, [5])],
)
def test_the_test_set_is_looked_at_every_so_often_after_the_first_epoch_and_at_the_end(
    images: int, steps: int, every: int, looks: list[int], linear: Linear, made_up: MadeUp
) -> None:
    data = made_up([row % 2 for row in range(images)])
    _, history = trained(linear(torch.zeros(2, 192)), data, steps=steps, evaluate_every=every)
    assert [look.step for look in history] == looks


def test_training_values_are_means_since_the_look_before(two_layers: str, made_up: MadeUp, updates: Updates) -> None:
    _, history = trained(two_layers, made_up([0, 1] * 6), steps=7, evaluate_every=2)
    looks = [look.step for look in history]
    assert looks == [2, 3, 4, 6, 7]
    for start, look in zip([0, *looks], history, strict=False):
        labels, logits = (torch.cat([step[part] for step in updates[start : look.step]]) for part in (1, 2))
        assert look.train_loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=1e-5)
        assert look.train_accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())


def test_every_look_is_at_the_test_set(linear: Linear, made_up: MadeUp) -> None:
    name = linear(torch.zeros(2, 192), bias=torch.tensor([1.0, 0.0]))  # calls everything class 0
    _, history = trained(name, made_up([0, 1, 0, 0]), test=made_up([1, 1, 1, 1]), steps=2, lr=1e-9)
    assert [look.test_accuracy for look in history] == [0, 0]
    assert history[-1].test_loss == pytest.approx(-torch.tensor([1.0, 0.0]).log_softmax(0)[1].item(), rel=1e-5)


def test_training_sees_a_fresh_flip_and_crop_of_an_image_at_every_step(
    linear: Linear, made_up: MadeUp, updates: Updates
) -> None:
    trained(linear(torch.zeros(2, 192)), made_up([0]), steps=200)
    views = {images.numpy().tobytes() for images, *_ in updates}
    assert len(views) == 2 * 3 * 3  # padding is one pixel at this size


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ({"decay_at": (0.4, 0.8)}, [0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001]),
        ({"decay_at": ()}, [0.1] * 10),
        ({"schedule": "cosine"}, [0.05 * (1 + torch.tensor(torch.pi * k / 10).cos().item()) for k in range(10)]),
    ],
)
def test_the_learning_rate_follows_its_schedule(
    recipe: dict[str, Any], expected: list[float], linear: Linear, made_up: MadeUp, updates: Updates
) -> None:
    trained(linear(torch.zeros(2, 192)), made_up([0, 1, 0, 1]), steps=10, **recipe)
    assert [rate for *_, rate in updates] == pytest.approx(expected)


def test_one_cycle_rises_to_its_peak_and_ends_near_zero() -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    scheduler, rates = Recipe(steps=20, schedule="one_cycle").scheduler(optimiser), []
    for _ in range(20):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    assert max(rates) == pytest.approx(0.1)
    assert 0 < rates.index(max(rates)) < 10
    assert rates[-1] < 1e-4 < rates[0] < 0.01


def test_training_leaves_data_and_global_generators_alone(two_layers: str, made_up: MadeUp, undisturbed: Any) -> None:
    data = made_up([0, 1] * 5)
    before = data.images.clone()
    with undisturbed():
        trained(two_layers, data, Pgd(steps=1))
    assert torch.equal(data.images, before)


@pytest.mark.parametrize("lr", [1e20, 1e38])
def test_a_loss_that_is_no_number_ends_the_training(lr: float, two_layers: str, made_up: MadeUp) -> None:
    with pytest.raises(DivergedError, match=r"the (training|test) loss is nan at step 2; lower lr"):
        trained(two_layers, made_up([0, 1] * 5), lr=lr)
