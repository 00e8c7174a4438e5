"""Adversarial training: its maximisers against each other, and the loss of TRADES."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from attacks import ATTACKS
from attacks.gradient import Fgsm, FgsmL2, Pgd, PgdL2, Tpgd
from attacks.trades import Trades
from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient
from tests.attacks.conftest import perturbed


@pytest.fixture
def channels() -> int:
    return 3


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


def test_one_step_is_what_makes_it_fgsm() -> None:
    for attack in (Fgsm, FgsmL2):
        assert "steps" not in attack().canonical()
        assert attack().cost(0, 128).passes == 1
        with pytest.raises(ValidationError, match="Extra inputs"):
            attack(steps=2)


def test_pgd_in_an_l2_ball_may_start_at_the_image(released: ImageDataset, model: Classifier) -> None:
    images, labels = released.floats(), released.labels
    one, other = (perturbed(PgdL2(random_start=False), model, images, labels, seed) for seed in (0, 1))
    assert torch.equal(one, other)
    assert not torch.equal(one, perturbed(PgdL2(), model, images, labels))
    fgsm = FgsmL2(rel_step_size=0.25, random_start=False)
    step = perturbed(PgdL2(steps=1, random_start=False), model, images, labels)
    assert torch.equal(step, perturbed(fgsm, model, images, labels))


def test_a_start_at_the_image_is_a_new_cell_and_the_usual_one_is_not() -> None:
    usual = {"revision": 1, "steps": 10, "l2_radius": 0.5, "rel_step_size": 0.25}
    assert PgdL2().canonical() == PgdL2(random_start=True).canonical() == usual
    assert PgdL2(random_start=False).canonical() == usual | {"random_start": False}


def test_tpgd_uses_no_label(released: ImageDataset, model: Classifier) -> None:
    images, labels = released.floats(), released.labels
    assert torch.equal(perturbed(Tpgd(), model, images, labels), perturbed(Tpgd(), model, images, 1 - labels))


def test_trades_trains_on_clean_views_and_on_how_far_their_neighbours_are(
    released: ImageDataset, model: Classifier
) -> None:
    views, labels = released.floats(), released.labels
    model.eval()
    attack = Trades(beta=3.0)
    same, logits = attack.loss(views, model, views, labels)
    assert torch.equal(logits, model(views))
    assert torch.allclose(same, nn.functional.cross_entropy(logits, labels), atol=1e-6)
    images = perturbed(attack, model, views, labels)
    clean, other = model(views).softmax(1), model(images).softmax(1)
    divergence = (clean * (clean / other).log()).sum() / len(views)
    assert torch.allclose(attack.loss(views, model, images, labels)[0], same + 3 * divergence, atol=1e-5)
    assert divergence > 0


def test_only_trades_has_a_loss_of_its_own() -> None:
    assert [name for name, attack in ATTACKS.items() if "loss" in attack.hooks()] == ["trades"]
