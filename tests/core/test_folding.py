"""Folding batch norm changes how a frozen network is computed, and nothing else."""

import pytest
import torch
from torch import nn

from bench.core import memory
from bench.core.folding import convolutions_with_norm, folded
from bench.core.models import Classifier, images_at_once
from bench.core.network_names import FLAT, MODELS
from bench.core.perturb import frozen, loss_gradient
from bench.core.session import Session
from bench.core.train import update
from tests.core.training import NARROW


def trained(name: str) -> Classifier:
    """A network whose running statistics and affine parameters are no longer those of its start."""
    session = Session(0, torch.device("cpu"))
    model = session.build(name, num_classes=10, channels=3)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        update(model, torch.rand(16, 3, 8, 8, generator=session.generator("images")), torch.arange(16) % 10, optimiser)
    return model


FOLDED = {
    **{"cnn": 4, "resnet18": 20, "resnet18_7x7": 20, "resnet50": 53, "resnet50_7x7": 53},
    **{"vgg11": 8, "vgg16": 13, "vgg19": 16},
    **{"densenet121": 59, "densenet121_3x3": 58},  # the stem's, and of each layer the norm between its convolutions
    **{"wrn34_10": 34, "wrn34_10_preactivation": 16},  # of a pre-activation block only the norm between them
}
"""The pairs of each network."""


@pytest.mark.parametrize(("name", "count"), FOLDED.items())
def test_every_batch_norm_that_follows_a_convolution_alone_is_folded(name: str, count: int) -> None:
    with torch.device("meta"):
        body = MODELS[name](10, 3).eval()
    assert len(convolutions_with_norm(body)) == count
    if "dense" not in name and "pre" not in name:
        assert count == sum(isinstance(layer, nn.BatchNorm2d) for layer in body.modules())


def test_the_networks_whose_folding_is_known_are_all_with_batch_norm() -> None:
    assert set(FOLDED) == set(MODELS) - FLAT


@pytest.mark.parametrize("name", NARROW)
def test_a_folded_network_gives_the_same_logits_and_gradients(name: str) -> None:
    model, images, labels = trained(name).eval().double(), torch.rand(5, 3, 8, 8).double(), torch.arange(5)
    assert model.pairs
    with torch.no_grad():
        logits = model(images)
    gradient = loss_gradient(model, images, labels)
    with folded(model.pairs):
        torch.testing.assert_close(model(images).detach(), logits, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(loss_gradient(model, images, labels), gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", NARROW)
def test_how_many_images_go_through_a_network_at_a_time_changes_no_gradient_and_no_count(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, images, labels = trained(name).eval().double(), torch.rand(5, 3, 8, 8).double(), torch.arange(5)
    before = model.gradient_images
    assert before == 3 * 16
    whole = loss_gradient(model, images, labels)
    monkeypatch.setattr(memory, "IN_CACHE", 2 * 3 * 8 * 8)
    assert images_at_once(model, (3, 8, 8), images.device) == 2
    torch.testing.assert_close(loss_gradient(model, images, labels), whole, rtol=1e-10, atol=1e-12)
    assert model.gradient_images == before + 2 * 5


def test_the_batch_norms_do_nothing_while_folded() -> None:
    model = trained("cnn").eval()
    norm = next(module for module in model.modules() if isinstance(module, nn.BatchNorm2d))
    images = torch.rand(2, 24, 4, 4)
    with folded(model.pairs):
        assert norm(images) is images
    assert not torch.equal(norm(images), images)


def test_a_network_comes_back_bit_for_bit_with_its_own_parameters() -> None:
    model = trained("cnn")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parameters = [id(parameter) for parameter in model.parameters()]
    with pytest.raises(RuntimeError, match="inside"), frozen(model):
        raise RuntimeError("inside")
    assert [id(parameter) for parameter in model.parameters()] == parameters
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    model.train()(torch.rand(4, 3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_convolution_that_is_also_used_elsewhere_is_left_alone() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            features = self.convolution(images)
            return features + self.norm(features)

    assert convolutions_with_norm(Branching()) == []


def test_a_convolution_with_a_bias_of_its_own_is_folded_too() -> None:
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    body(torch.rand(8, 3, 8, 8))
    body.eval()
    images = torch.rand(2, 3, 8, 8)
    expected = body(images)
    with folded(convolutions_with_norm(body)):
        torch.testing.assert_close(body(images), expected, rtol=1e-5, atol=1e-6)


def test_a_pair_that_cannot_be_folded_leaves_those_before_it_as_they_were() -> None:
    body = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)
    )
    parameters = [id(parameter) for parameter in body.parameters()]
    with pytest.raises(ValueError, match="without running statistics"), folded(convolutions_with_norm(body)):
        pass
    assert [id(parameter) for parameter in body.parameters()] == parameters
    assert not any("forward" in module.__dict__ for module in body)


def test_what_is_folded_already_is_not_folded_again() -> None:
    model, images = trained("cnn").eval(), torch.rand(2, 3, 8, 8)
    with folded(model.pairs):
        expected = model(images)
        with folded(model.pairs):
            assert torch.equal(model(images), expected)
        assert torch.equal(model(images), expected)
