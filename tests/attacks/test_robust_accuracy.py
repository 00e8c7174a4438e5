"""Adversarial training notes how right the victim is under PGD, and changes no bit of what it did before."""

from pathlib import Path

import pytest
import torch

from attacks.gradient import AdversarialTraining, Apgd, Fgsm, Pgd, PgdL2
from attacks.plain import Plain
from bench.core.adversary import Linf, pgd
from bench.core.data import ImageDataset
from bench.core.datasets import Synthetic
from bench.core.perturb import frozen
from bench.core.session import Session
from bench.core.train import Recipe, train
from bench.store import Record
from tests.builders import cell, finished
from tests.conftest import Linear

CPU = torch.device("cpu")
DATA = Synthetic(size=8, train_images=40, test_images=30)


def record_of(attack: AdversarialTraining | Plain, folder: Path) -> Record:
    return finished(cell(attacks=(attack,), data=DATA, steps=6, batch_size=8, evaluate_every=3), folder)


@pytest.mark.parametrize("attack", [Fgsm(), PgdL2(steps=2), Apgd(steps=2)])
def test_the_record_holds_the_accuracy_under_pgd(attack: AdversarialTraining, tmp_path: Path) -> None:
    record = record_of(attack, tmp_path)
    assert record["notes"]["robust_images"] == 16
    assert 0 <= record["notes"]["robust_accuracy"] <= 1
    assert record["cost"]["train_passes"] == 6 * 8 * (1 + attack.steps) / 128  # the look is not counted


def test_plain_training_has_no_adversary_to_look_with(tmp_path: Path) -> None:
    assert "notes" not in record_of(Plain(), tmp_path)


def test_the_longer_the_training_the_more_images_up_to_all() -> None:
    test = DATA.load(Path()).test
    noted = []
    for trained in (0, 11 * 50 * 10, 10**9):
        session = Session(0, CPU)
        model = session.build("cnn", num_classes=10, channels=3)
        Fgsm().examine(model, test, trained, session)
        noted.append(session.notes["robust_images"])
    assert noted == [16, 20, 30]


def test_a_classifier_that_a_perturbation_turns_over_is_right_on_nothing(linear: Linear) -> None:
    images = torch.full((20, 1, 1, 1), 128, dtype=torch.uint8)
    images[10:] = 127
    test = ImageDataset(images, (torch.arange(20) < 10).long(), 2)
    session = Session(0, CPU)
    model = session.build(linear(torch.tensor([[-9.0], [9.0]])), num_classes=2, channels=1)
    Pgd(radius=4 / 255).examine(model, test, 10**6, session)
    assert session.notes == {"robust_accuracy": 0.0, "robust_images": 20}
    assert (model(test.floats()).argmax(1) == test.labels).all()


def test_the_examiner_is_pgd_in_the_ball_of_the_training_whatever_its_steps() -> None:
    split, session = DATA.load(Path()), Session(0, CPU)
    model = session.build("cnn", num_classes=10, channels=3)
    attack = Fgsm(radius=16 / 255)
    train(
        model, split.train, test=split.test, attacks=[attack], recipe=Recipe(steps=40, batch_size=20), session=session
    )
    attack.examine(model, split.test, 10**9, session)
    with frozen(model):
        worst = pgd(
            model,
            split.test.floats(),
            split.test.labels,
            ball=Linf(16 / 255),
            steps=10,
            rel_step_size=0.25,
            generator=Session(0, CPU).generator("robust accuracy"),
        )
    expected = (model.eval()(worst).argmax(1) == split.test.labels).float().mean().item()
    assert session.notes["robust_accuracy"] == pytest.approx(expected, abs=1e-6)
