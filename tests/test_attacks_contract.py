"""What every attack must do, whoever wrote it. An attack in ATTACKS is held to this without being named here."""

from typing import Any

import pytest
import torch
from conftest import MadeUp, Undisturbed
from torch import Tensor, nn

from attacks import ATTACKS
from attacks.gradient import Fgsm, Pgd, PgdL2, Tpgd
from bench.data import ImageDataset
from bench.engine import Session
from bench.models import Classifier, build
from bench.perturb import frozen, loss_gradient
from bench.protocols import Attack

SMALL: dict[str, dict[str, Any]] = {}
"""Settings that make an attack small where its defaults do not, by its name."""

CPU = torch.device("cpu")


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest) -> Attack:
    return ATTACKS[request.param].model_validate(SMALL.get(request.param, {}))


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def channels(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def clean(channels: int, made_up: MadeUp) -> ImageDataset:
    return made_up([0, 1, 1, 0, 1, 0, 1], channels=channels)


@pytest.fixture
def released(clean: ImageDataset) -> ImageDataset:
    source = torch.Generator().manual_seed(5)
    noise = torch.randint(-8, 9, clean.images.shape, generator=source, dtype=torch.int8)
    return clean.protected(noise)


@pytest.fixture
def model(two_layers: str, clean: ImageDataset) -> Classifier:
    model = build(two_layers, num_classes=2, channels=clean.shape[0], source=torch.Generator().manual_seed(0))
    model(clean.floats())
    return model


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def perturbed(attack: Attack, model: nn.Module, images: Tensor, labels: Tensor, seed: int = 0) -> Tensor:
    with frozen(model):
        return attack.perturb(model, images, labels, stream(seed))


def valid(views: Tensor, images: Tensor) -> bool:
    same = views.shape == images.shape and views.dtype == torch.float32 and not views.requires_grad
    return same and bool(((views >= 0) & (views <= 1)).all())


def test_the_prepared_set_is_a_valid_one_and_the_same_for_the_same_seed(
    attack: Attack, released: ImageDataset, clean: ImageDataset, undisturbed: Undisturbed
) -> None:
    before = released.images.clone(), clean.images.clone()
    with undisturbed():
        data, again = (attack.prepare(released, clean, Session(0, CPU)) for _ in range(2))
    assert data.images.dtype == torch.uint8
    assert data.labels.dtype == torch.int64
    assert len(data.images) == len(data.labels) > 0
    assert data.num_classes == clean.num_classes
    assert torch.equal(data.images, again.images)
    assert torch.equal(data.labels, again.labels)
    assert torch.equal(released.images, before[0])
    assert torch.equal(clean.images, before[1])


@pytest.mark.parametrize("count", [1, 7])
def test_a_view_is_valid_and_the_same_for_the_same_stream(
    count: int, attack: Attack, released: ImageDataset, undisturbed: Undisturbed
) -> None:
    images, labels = released.floats()[:count], released.labels[:count]
    before = images.clone()
    with undisturbed():
        view, again = (attack.augment(images, labels, stream()) for _ in range(2))
    assert valid(view, images)
    assert torch.equal(view, again)
    assert torch.equal(images, before)


@pytest.mark.parametrize("count", [1, 7])
def test_a_perturbation_is_valid_inside_its_ball_and_the_same_for_the_same_stream(
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
        assert (point - clean).abs().max() <= getattr(attack, "radius", 1) + 1e-6


def test_the_model_comes_back_as_it_was(attack: Attack, released: ImageDataset, model: Classifier) -> None:
    nn.functional.cross_entropy(model(released.floats()), released.labels).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    perturbed(attack, model, released.floats(), released.labels)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(p.grad, old) for p, old in zip(model.parameters(), gradients, strict=True))


def test_the_forecast_of_passes_is_what_the_perturbation_takes(
    attack: Attack, released: ImageDataset, model: Classifier
) -> None:
    model.gradient_images = 0
    perturbed(attack, model, released.floats(), released.labels)
    assert model.gradient_images == attack.passes_per_image() * len(released)


def test_an_attack_names_its_source_and_says_what_it_does(attack: Attack) -> None:
    assert attack.source
    assert type(attack).__doc__


# The one that the suite cannot do without.


def test_the_pgd_attack_with_one_full_step_and_no_start_is_fgsm(released: ImageDataset, model: Classifier) -> None:
    images, labels = released.floats(), released.labels
    with frozen(model):
        fgsm = (images + 2 / 255 * loss_gradient(model, images, labels).sign()).clamp(0, 1)
    attack = Pgd(radius=2 / 255, steps=1, rel_step_size=1, random_start=False)
    assert torch.allclose(perturbed(attack, model, images, labels), fgsm, atol=1e-7)


def test_the_pgd_attack_makes_the_loss_larger_from_another_start_for_another_seed(
    released: ImageDataset, model: Classifier
) -> None:
    images, labels = released.floats(), released.labels
    point = perturbed(Pgd(), model, images, labels)
    with frozen(model):
        before, after = (nn.functional.cross_entropy(model(views), labels).item() for views in (images, point))
    assert after > before
    assert not torch.equal(point, perturbed(Pgd(), model, images, labels, seed=1))


def test_fgsm_without_start_and_with_its_original_step_is_one_full_step_of_pgd(
    released: ImageDataset, model: Classifier
) -> None:
    images, labels = released.floats(), released.labels
    fgsm = perturbed(Fgsm(radius=2 / 255, rel_step_size=1, random_start=False), model, images, labels)
    pgd = perturbed(Pgd(radius=2 / 255, steps=1, rel_step_size=1, random_start=False), model, images, labels)
    assert torch.equal(fgsm, pgd)


def test_tpgd_uses_no_label(released: ImageDataset, model: Classifier) -> None:
    images, labels = released.floats(), released.labels
    assert torch.equal(perturbed(Tpgd(), model, images, labels), perturbed(Tpgd(), model, images, 1 - labels))


def test_l2_training_bounds_the_norm_of_each_image(released: ImageDataset, model: Classifier) -> None:
    images = released.floats()
    norms = (perturbed(PgdL2(l2_radius=0.25), model, images, released.labels) - images).flatten(1).norm(dim=1)
    assert norms.max() <= 0.25 + 1e-6
    assert norms.min() > 0.1
