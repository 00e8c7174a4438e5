"""No silent no-op: what an attack gives differs from what plain training sees, on smooth images too."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bench.core.data import ImageDataset
from bench.core.datasets import Synthetic
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import Session
from tests.attacks.conftest import perturbed, seeded, valid
from tests.conftest import Network, Undisturbed

LEAST_CHANGE = 0.5 / 255
"""The least that an attack changes the values of a smooth image by, on average, in [0, 1] units."""

BALLS = {"radius": math.inf, "l2_radius": 2.0}
"""Settings that bound a perturbation, and the order of the norm that they bound."""


@pytest.fixture
def natural(channels: int, device: torch.device) -> ImageDataset:
    """Smooth images of things, as photographs are: a change that random pixels show may spare them."""
    train = Synthetic(size=16, train_images=60, test_images=10).load(Path()).train
    return ImageDataset(train.images[:, :channels], train.labels, train.num_classes).to(device)


def test_every_hook_that_an_attack_has_changes_smooth_images(
    attack: Attack, natural: ImageDataset, network: Network, two_layers: str, device: torch.device
) -> None:
    images, labels = natural.floats(), natural.labels
    shares = nn.functional.one_hot(labels, 10).float()
    model = network(channels=natural.shape[0]).to(device)
    views: dict[str, list[Tensor]] = {
        "augment": [attack.augment(images, labels, seeded(images, seed)) for seed in range(20)],
        "mix": [attack.mix(images, shares, seeded(images, seed))[0] for seed in range(20)],
        "perturb": [perturbed(attack, model, images, labels)],
        "prepare": [attack.prepare(protected(natural, attack), natural, Session(0, device)).floats()],
    }
    for hook in attack.hooks():
        if hook == "loss":
            usual = nn.functional.cross_entropy(model(views["perturb"][0]), labels)
            assert abs(attack.loss(images, model, views["perturb"][0], labels)[0] - usual) >= LEAST_CHANGE
        elif hook == "hold_out":
            assert attack.hold_out(natural, Session(0, device))
        elif hook == "start":
            assert not all(torch.equal(*pair) for pair in zip(*starts(attack, two_layers, device), strict=True))
        else:
            before = protected(natural, attack).floats() if hook == "prepare" else images
            assert torch.stack([(view - before).abs().mean() for view in views[hook]]).mean() >= LEAST_CHANGE, hook


@pytest.mark.parametrize("count", [1, 7])
def test_a_perturbation_is_valid_inside_its_ball_and_the_same_for_the_same_seed(
    count: int, attack: Attack, released: ImageDataset, model: Classifier, undisturbed: Undisturbed
) -> None:
    images, labels = released.floats()[:count].round(), released.labels[:count]
    for clean in (released.floats()[:count], images):
        before = clean.clone()
        with undisturbed():
            point, again = (perturbed(attack, model, clean, labels) for _ in range(2))
        assert valid(point, clean)
        assert torch.equal(point, again)
        assert torch.equal(clean, before)
        assert all((share <= 1 + 1e-5).all() for share in shares_of_the_ball(attack, point - clean))


def test_a_perturbation_moves_every_image_far_in_its_ball(
    attack: Attack, released: ImageDataset, model: Classifier
) -> None:
    images = released.floats()
    offsets = perturbed(attack, model, images, released.labels) - images
    assert all((share > 0.4).all() for share in shares_of_the_ball(attack, offsets))


def shares_of_the_ball(attack: Attack, offsets: Tensor) -> list[Tensor]:
    """The norm of each image's perturbation, relative to the bound that the attack has; empty where it has none."""
    bounds = {name: getattr(attack, name) for name in BALLS if name in type(attack).model_fields}
    return [torch.linalg.vector_norm(offsets, BALLS[name], dim=(1, 2, 3)) / bound for name, bound in bounds.items()]


def protected(data: ImageDataset, attack: Attack) -> ImageDataset:
    """What the attack meets: smooth images, or with noise where all it does is to choose among protected and clean.

    Noise would hide an attack that takes off noise and nothing else.
    """
    noise = torch.randint(-8, 9, data.images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.int8)
    return data.protected(noise) if attack.comes_first else data


def starts(attack: Attack, network: str, device: torch.device) -> list[list[Tensor]]:
    """The weights of a network for colour before and after the attack starts with it."""
    sessions = [Session(0, device) for _ in range(2)]
    plain, started = (session.build(network, num_classes=10, channels=3) for session in sessions)
    return [list(model.state_dict().values()) for model in (plain, attack.start(started, sessions[1]))]


def test_training_starts_with_the_same_weights_for_the_same_seed(
    attack: Attack, two_layers: str, undisturbed: Undisturbed, device: torch.device
) -> None:
    with undisturbed():
        one, other = (starts(attack, two_layers, device)[1] for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
