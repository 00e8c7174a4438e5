"""What every attack must do, whoever wrote it. An attack in ATTACKS is held to this without being named here."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from attacks import ATTACKS
from bench.core.data import ImageDataset, Outline
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import IMAGES_PER_PASS, Session
from bench.core.train import Evaluation
from tests.attacks.conftest import perturbed, seeded, valid
from tests.builders import FEW, cell, finished
from tests.conftest import MadeUp, Network, Undisturbed


def test_the_prepared_set_is_a_valid_one_and_the_same_for_the_same_seed(
    attack: Attack, released: ImageDataset, clean: ImageDataset, undisturbed: Undisturbed, device: torch.device
) -> None:
    before = released.images.clone(), clean.images.clone()
    with undisturbed():
        data, again = (attack.prepare(released, clean, Session(0, device)) for _ in range(2))
    assert data.images.dtype == (torch.float32 if attack.leaves_range else torch.uint8)
    assert data.shape == clean.shape
    assert data.labels.dtype == torch.int64
    assert len(data.images) == len(data.labels) > 0
    assert data.num_classes == clean.num_classes
    assert torch.equal(data.images, again.images)
    assert torch.equal(data.labels, again.labels)
    assert torch.equal(released.images, before[0])
    assert torch.equal(clean.images, before[1])


def test_an_attack_declines_no_data_that_it_acts_on(attack: Attack, released: ImageDataset) -> None:
    assert attack.declines(Outline(len(released), released.shape, released.num_classes), "cnn") == ""


def test_what_is_held_out_leaves_something_to_train_on_and_is_the_same_for_the_same_seed(
    attack: Attack, released: ImageDataset, undisturbed: Undisturbed, device: torch.device
) -> None:
    with undisturbed():
        parts, again = (attack.hold_out(released, Session(0, device)) for _ in range(2))
    indices = [index for part in parts for index in part.tolist()]
    assert len(set(indices)) == len(indices) < len(released)
    assert set(indices) <= set(range(len(released)))
    assert all(len(part) for part in parts)
    assert all(torch.equal(one, other) for one, other in zip(parts, again, strict=True))


@pytest.mark.parametrize("count", [1, 7])
def test_a_view_is_valid_and_the_same_for_the_same_seed(
    count: int, attack: Attack, released: ImageDataset, undisturbed: Undisturbed
) -> None:
    images, labels = released.floats()[:count], released.labels[:count]
    before = images.clone()
    with undisturbed():
        view, again = (attack.augment(images, labels, seeded(images)) for _ in range(2))
    assert valid(view, images)
    assert torch.equal(view, again)
    assert torch.equal(images, before)


def test_the_model_comes_back_as_it_was(attack: Attack, released: ImageDataset, model: Classifier) -> None:
    nn.functional.cross_entropy(model(released.floats()), released.labels).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    perturbed(attack, model, released.floats(), released.labels)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(p.grad, old) for p, old in zip(model.parameters(), gradients, strict=True))


def test_the_forecast_of_passes_is_what_the_perturbation_and_the_loss_take(
    attack: Attack, released: ImageDataset, model: Classifier
) -> None:
    model.gradient_images = 0
    views, labels = released.floats(), released.labels
    attack.loss(views, model, perturbed(attack, model, views, labels), labels)
    assert model.gradient_images == len(released) + IMAGES_PER_PASS * attack.cost(0, len(released)).passes


def test_the_forecast_of_passes_is_what_preparing_takes(
    attack: Attack, released: ImageDataset, clean: ImageDataset, device: torch.device
) -> None:
    session = Session(0, device)
    attack.prepare(released, clean, session)
    assert session.passes == attack.cost(len(released), 0).passes


@pytest.mark.parametrize("count", [1, 7])
def test_a_mixture_is_valid_and_the_same_for_the_same_seed(
    count: int, attack: Attack, released: ImageDataset, undisturbed: Undisturbed
) -> None:
    images, shares = released.floats()[:count], nn.functional.one_hot(released.labels[:count], 3).float()
    before = images.clone(), shares.clone()
    for seed in range(4):
        with undisturbed():
            mixture, again = (attack.mix(images, shares, seeded(images, seed)) for _ in range(2))
        assert valid(mixture[0], images)
        assert mixture[1].shape == shares.shape
        assert torch.allclose(mixture[1].sum(1), torch.ones(count))
        assert torch.allclose(mixture[1].sum(0), shares.sum(0), atol=1e-5)  # no class gains, whatever is mixed
        assert all(torch.equal(one, other) for one, other in zip(mixture, again, strict=True))
    assert torch.equal(images, before[0])
    assert torch.equal(shares, before[1])


def test_images_need_not_be_square(
    attack: Attack, channels: int, made_up: MadeUp, network: Network, device: torch.device
) -> None:
    whole = made_up([0, 1, 1], channels=channels, size=12)
    data = ImageDataset(whole.images[:, :, :8].contiguous(), whole.labels, 2).to(device)
    model = network(classes=2, channels=channels).to(device)
    assert attack.prepare(data, data, Session(0, device)).shape == (channels, 8, 12)
    images, shares = data.floats(), nn.functional.one_hot(data.labels, 2).float()
    for seed in range(4):
        assert valid(attack.augment(images, data.labels, seeded(images, seed)), images)
        assert valid(attack.mix(images, shares, seeded(images, seed))[0], images)
    assert valid(perturbed(attack, model, images, data.labels), images)


def test_an_idempotent_attack_is_one(
    attack: Attack, released: ImageDataset, clean: ImageDataset, device: torch.device
) -> None:
    once = attack.prepare(released, clean, Session(0, device))
    if attack.idempotent:
        assert torch.equal(attack.prepare(once, clean, Session(0, device)).images, once.images)


def test_test_images_are_never_touched(
    attack: Attack, two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: torch.device
) -> None:
    seen: list[ImageDataset] = []

    def noticing(model: nn.Module, data: ImageDataset, *, test: ImageDataset, **others: Any) -> list[Evaluation]:
        seen.append(test)
        return [Evaluation(1, 0.0, 0.0, 0.0, 0.0)]

    monkeypatch.setattr("bench.run.experiment.train", noticing)
    finished(cell(attacks=(attack,), model=two_layers), tmp_path, device)
    assert torch.equal(seen[0].images.cpu(), FEW.load(Path()).test.images)


def test_an_attack_has_a_complete_card(attack: Attack) -> None:
    assert attack.source
    assert type(attack).__doc__
    assert "/" in attack.repository or attack.repository == "none"
    assert all(deviation and not deviation.endswith(".") for deviation in attack.deviations)


def test_its_controls_are_attacks_of_the_suite_and_name_no_others(attack: Attack) -> None:
    for control in attack.controls():
        assert list(ATTACKS.values()).count(type(control)) == 1
        assert control.controls() == ()


def test_settings_survive_the_record(attack: Attack) -> None:
    assert type(attack).model_validate(json.loads(attack.model_dump_json())) == attack
