"""What every attack must do, whoever wrote it. An attack in ATTACKS is held to this without being named here."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from attacks import ATTACKS
from attacks.gradient import Fgsm, Pgd, Tpgd
from attacks.squeezing import Gray
from attacks.trades import Trades
from bench.core.data import ImageDataset, Synthetic
from bench.core.device import prepare_device
from bench.core.models import Classifier
from bench.core.perturb import frozen, loss_gradient
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Evaluation, Recipe
from bench.grid.cell import Cell, Choice
from bench.run.experiment import run_cell
from bench.run.workplace import Workplace
from bench.store import Store
from methods.clean import Clean
from tests.conftest import MadeUp, Network, Undisturbed

SMALL: dict[str, dict[str, Any]] = {
    "dvae": {"epochs": 2, "batch_size": 4, "width": 4, "latents": 2},
    "early_stopping": {"validation": 0.5, "parts": 3},
}
"""Settings that make an attack small where its defaults do not, by its name."""

PRETRAINED = [name for name, attack in ATTACKS.items() if "weights" in attack.model_fields]

COLOUR_ONLY = {Gray}
"""Attacks that refuse grey images, on which they would do nothing."""

LEAST_CHANGE = 0.5 / 255
"""The least that an attack changes the values of a smooth image by, on average, in [0, 1] units."""

BALLS = {"radius": math.inf, "l2_radius": 2.0}
"""Settings that bound a perturbation, and the order of the norm that they bound."""


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    return prepare_device(request.param)


@pytest.fixture(params=ATTACKS)
def attack(request: pytest.FixtureRequest, weights_file: Path) -> Attack:
    pretrained = {"weights": str(weights_file)} if request.param in PRETRAINED else {}
    return ATTACKS[request.param].model_validate(SMALL.get(request.param, {}) | pretrained)


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def channels(request: pytest.FixtureRequest, attack: Attack) -> int:
    """One and three; three both times for an attack that refuses grey images, as a test of its own shows."""
    return 3 if type(attack) in COLOUR_ONLY else int(request.param)


@pytest.fixture
def clean(channels: int, made_up: MadeUp, device: torch.device) -> ImageDataset:
    return made_up([0, 1, 1, 0, 1, 0, 1], channels=channels).to(device)


@pytest.fixture
def released(clean: ImageDataset) -> ImageDataset:
    generator = torch.Generator().manual_seed(5)
    noise = torch.randint(-8, 9, clean.images.shape, generator=generator, dtype=torch.int8)
    return clean.protected(noise)


@pytest.fixture
def model(network: Network, clean: ImageDataset, device: torch.device) -> Classifier:
    model = network(classes=2, channels=clean.shape[0], seed=0).to(device)
    model(clean.floats())
    return model


def stream(images: Tensor, seed: int = 0) -> torch.Generator:
    """A random stream on the device of the images."""
    return torch.Generator(images.device).manual_seed(seed)


def perturbed(attack: Attack, model: nn.Module, images: Tensor, labels: Tensor, seed: int = 0) -> Tensor:
    with frozen(model):
        return attack.perturb(model, images, labels, stream(images, seed))


def valid(views: Tensor, images: Tensor) -> bool:
    same = views.shape == images.shape and views.dtype == torch.float32 and not views.requires_grad
    return same and bool(((views >= 0) & (views <= 1)).all())


@pytest.fixture
def natural(channels: int, device: torch.device) -> ImageDataset:
    """Smooth images of things, as photographs are: a change that random pixels show may spare them."""
    train = Synthetic(size=16, train_images=60, test_images=10).load(Path()).train
    return ImageDataset(train.images[:, :channels], train.labels, train.num_classes).to(device)


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
def test_a_view_is_valid_and_the_same_for_the_same_stream(
    count: int, attack: Attack, released: ImageDataset, undisturbed: Undisturbed
) -> None:
    images, labels = released.floats()[:count], released.labels[:count]
    before = images.clone()
    with undisturbed():
        view, again = (attack.augment(images, labels, stream(images)) for _ in range(2))
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
        assert all((share <= 1 + 1e-5).all() for share in shares_of_the_ball(attack, point - clean))


def shares_of_the_ball(attack: Attack, offsets: Tensor) -> list[Tensor]:
    """The norm of each image's perturbation, relative to the bound that the attack has; empty where it has none."""
    bounds = {name: getattr(attack, name) for name in BALLS if name in type(attack).model_fields}
    return [torch.linalg.vector_norm(offsets, BALLS[name], dim=(1, 2, 3)) / bound for name, bound in bounds.items()]


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
    assert model.gradient_images == (1 + attack.passes_per_image()) * len(released)


def test_the_forecast_of_passes_is_what_preparing_takes(
    attack: Attack, released: ImageDataset, clean: ImageDataset, device: torch.device
) -> None:
    session = Session(0, device)
    attack.prepare(released, clean, session)
    assert session.passes == attack.prepare_passes(len(released))


@pytest.mark.parametrize("count", [1, 7])
def test_a_mixture_is_valid_and_the_same_for_the_same_stream(
    count: int, attack: Attack, released: ImageDataset, undisturbed: Undisturbed
) -> None:
    images, shares = released.floats()[:count], nn.functional.one_hot(released.labels[:count], 3).float()
    before = images.clone(), shares.clone()
    for seed in range(4):
        with undisturbed():
            mixture, again = (attack.mix(images, shares, stream(images, seed)) for _ in range(2))
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
        assert valid(attack.augment(images, data.labels, stream(images, seed)), images)
        assert valid(attack.mix(images, shares, stream(images, seed))[0], images)
    assert valid(perturbed(attack, model, images, data.labels), images)


# No silent no-op: what an attack gives differs from what plain training sees, on smooth images too.


def test_every_hook_that_an_attack_has_changes_smooth_images(
    attack: Attack, natural: ImageDataset, network: Network, two_layers: str, device: torch.device
) -> None:
    images, labels = natural.floats(), natural.labels
    shares = nn.functional.one_hot(labels, 10).float()
    model = network(channels=natural.shape[0]).to(device)
    views: dict[str, list[Tensor]] = {
        "augment": [attack.augment(images, labels, stream(images, seed)) for seed in range(20)],
        "mix": [attack.mix(images, shares, stream(images, seed))[0] for seed in range(20)],
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
    settings = Synthetic(size=8, train_images=20, test_images=10)
    name = type(attack).__name__
    cell = Cell(
        Choice("data", settings), "", two_layers, Choice("clean", Clean()), (Choice(name, attack),), Recipe(), 0, 0
    )
    record = run_cell(cell, Workplace(Store(tmp_path), tmp_path), device, asked={})
    assert record["status"] == "finished", record["trace"]
    assert torch.equal(seen[0].images.cpu(), settings.load(Path()).test.images)


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


def test_a_perturbation_moves_every_image_far_in_its_ball(
    attack: Attack, released: ImageDataset, model: Classifier
) -> None:
    images = released.floats()
    offsets = perturbed(attack, model, images, released.labels) - images
    assert all((share > 0.4).all() for share in shares_of_the_ball(attack, offsets))


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
