"""Perturbations: gradients against finite differences, ascent, freezing and rounding."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core import memory
from bench.core.models import Classifier, build
from bench.core.perturb import ascend, frozen, loss_gradient, quantised, uniform

RADIUS = 8 / 255


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, 8, 8, generator=generator(seed))


@pytest.fixture
def model(two_layers: str) -> Classifier:
    """A network of two layers whose BatchNorm has seen some images, in evaluation mode."""
    model = build(two_layers, num_classes=3, channels=3, generator=generator())
    model(images(64, seed=2))
    return model.eval()


LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def test_the_loss_gradient_is_that_of_finite_differences(model: Classifier) -> None:
    model, points = model.double(), images().double()
    gradient = loss_gradient(model, points, LABELS)
    for place in ((0, 0, 0, 0), (3, 1, 4, 5), (5, 2, 7, 7)):
        step = torch.zeros_like(points)
        step[place] = 1e-6
        up, down = (F.cross_entropy(model(points + sign * step), LABELS, reduction="sum") for sign in (1, -1))
        assert gradient[place].item() == pytest.approx((up - down).item() / 2e-6, rel=1e-5)


def test_the_gradient_of_an_image_does_not_depend_on_the_rest_of_the_batch(model: Classifier) -> None:
    alone = torch.cat([loss_gradient(model, images()[[row]], LABELS[[row]]) for row in range(6)])
    assert torch.allclose(loss_gradient(model, images(), LABELS), alone, atol=1e-7)


def test_a_batch_beyond_the_cache_has_the_gradients_of_its_parts(
    model: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, seen = loss_gradient(model, images(), LABELS), list[int]()
    model.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    monkeypatch.setattr(memory, "IN_CACHE", 4 * 3 * 8 * 8)
    assert torch.allclose(loss_gradient(model, images(), LABELS), whole, atol=1e-7)
    assert seen == [4, 2]


def test_a_network_in_training_sees_the_whole_batch(model: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loss_gradient(model.train(), images(), LABELS)
    monkeypatch.setattr(memory, "IN_CACHE", 1)
    assert torch.equal(loss_gradient(model, images(), LABELS), whole)


def test_uniform_draws_fill_the_interval_evenly() -> None:
    draws = uniform(torch.empty(100, 3, 8, 8), RADIUS, generator()).flatten()
    counts = torch.histc(draws, 8, -RADIUS, RADIUS)
    assert counts.sum() == 19_200
    assert (counts - 2400).abs().max() < 250  # five standard deviations


def test_a_value_without_a_gradient_stays_where_it_is() -> None:
    gradient = torch.tensor([0.0, 3.0, -1e-20])
    point = ascend(torch.tensor([0.5, 0.5, 0.5]), lambda _: gradient, lambda p: p.clamp(0, 1), step_size=0.2, steps=2)
    assert point.tolist() == pytest.approx([0.5, 0.9, 0.1])


def test_a_negative_step_descends_and_every_step_is_projected() -> None:
    seen: list[float] = []

    def gradient(point: Tensor) -> Tensor:
        seen.append(round(point.item(), 6))
        return torch.ones(1)

    ascend(torch.tensor([0.5]), gradient, lambda p: p.clamp(0.2, 1), step_size=-0.2, steps=4)
    assert seen == [0.5, 0.3, 0.2, 0.2]


def test_a_frozen_model_learns_nothing_and_comes_back_as_it_was(model: Classifier) -> None:
    model.train()
    model.body[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def flags(network: nn.Module) -> list[bool]:
        return [parameter.requires_grad for parameter in network.parameters()]

    def fail_inside() -> None:
        assert not model.training
        assert not any(flags(model))
        loss_gradient(model, images(), LABELS)
        raise RuntimeError("inside")

    flags_before = flags(model)
    with pytest.raises(RuntimeError, match="inside"), frozen(model):
        fail_inside()
    assert model.training
    assert flags(model) == flags_before
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_layer_in_evaluation_mode_inside_a_training_model_stays_there() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU())
    net[0].eval()
    with frozen(net):
        assert not net.training
    assert (net.training, net[0].training, net[1].training) == (True, False, True)


def test_a_radius_beyond_int8_is_refused_instead_of_wrapping() -> None:
    assert quantised(torch.tensor([1.0]), 127 / 255).tolist() == [127]
    with pytest.raises(ValueError, match="128/255 is over the 127/255"):
        quantised(torch.tensor([1.0]), 128 / 255)


def test_a_model_frozen_in_evaluation_mode_stays_there(model: Classifier) -> None:
    with frozen(model):
        pass
    assert not model.training


def test_noise_is_rounded_to_the_nearest_grey_level_and_clipped_to_the_radius() -> None:
    noise = torch.tensor([0.4, 0.6, -0.4, -0.6, 7.6, 8.4, 9.0, -300.0]) / 255
    assert quantised(noise, 8 / 255).tolist() == [0, 1, 0, -1, 8, 8, 8, -8]
    assert quantised(noise, 8 / 255).dtype == torch.int8
    assert quantised(noise, 1.6 / 255).tolist() == [0, 1, 0, -1, 2, 2, 2, -2]
