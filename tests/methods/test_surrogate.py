"""The clean surrogate: what decides its name, and that a kept one is the one that would be trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.core.augment import FLIP_CROP, NO_AUGMENTATION, Augmentation, flip_resized_crop
from bench.core.data import ImageDataset
from bench.core.models import Classifier
from bench.core.revision import revised
from bench.core.session import IMAGES_PER_PASS, Session
from bench.run.experiment import make_noise
from bench.store import Store
from methods._surrogate import SurrogateMethod, key
from methods.hypo import Hypo, HypoLinf
from methods.pil import Pil
from tests.builders import CPU, FEW, cell, workplace
from tests.conftest import MadeUp

CHANGED: list[dict[str, Any]] = [
    *({"epochs": 1}, {"train_steps": 3}, {"train_batch_size": 5}, {"lr": 0.2}, {"schedule": "cosine"}),
    *({"decay_at": (0.5,)}, {"momentum": 0.5}, {"nesterov": True}, {"weight_decay": 0.0}),
]
"""Each setting of the training, once."""
LABELS = [0, 1] * 5 + [1]


class Learner(SurrogateMethod):
    """Trains and makes no noise."""

    source = "test"

    learns: str = "two_layers"
    epochs: int = 2
    train_batch_size: int = 4

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        self.train_surrogate(self.learns, data, session)
        return torch.zeros_like(data.images, dtype=torch.int8)


class Plain(Learner):
    @property
    def augmentation(self) -> Augmentation:
        return NO_AUGMENTATION


class InOrder(Plain):
    shuffled = False


@pytest.fixture(autouse=True)
def _networks(two_layers: str) -> None:
    """Every test here trains the network of two layers."""


def weights(model: Classifier) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def learnt(method: Learner, data: ImageDataset, shelf: Store | None = None, seed: int = 0) -> dict[str, Tensor]:
    return weights(method.train_surrogate(method.learns, data, Session(seed, CPU, shelf)))


def names(folder: Path) -> set[str]:
    return {file.name for file in (folder / "models").iterdir()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_network_from_the_shelf_has_the_bits_and_the_passes_of_one_trained_now(
    made_up: MadeUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, store = made_up(LABELS), Store(tmp_path)
    sessions = [Session(0, CPU), Session(0, CPU, store)]
    trained = [weights(Learner().train_surrogate("two_layers", data, session)) for session in sessions]
    monkeypatch.setattr("methods._surrogate.update", None)  # nothing is trained any more
    sessions.append(Session(0, CPU, store))
    trained.append(weights(Learner().train_surrogate("two_layers", data, sessions[2])))
    assert equal(trained[0], trained[1])
    assert equal(trained[0], trained[2])
    assert {session.passes for session in sessions} == {2 * 8 / IMAGES_PER_PASS}  # the last 3 of 11 are dropped


def test_two_methods_with_equal_training_share_one_network(
    made_up: MadeUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, store = made_up(LABELS), Store(tmp_path)
    small: dict[str, Any] = {"surrogate": "two_layers", "steps": 2, "batch_size": 4, "epochs": 2}
    first = Session(0, CPU, store)
    Hypo(**small).generate(data, first)
    monkeypatch.setattr("methods._surrogate.update", None)
    second = Session(0, CPU, store)
    assert torch.equal(
        HypoLinf(**small).generate(data, second), HypoLinf(**small).generate(data, Session(0, CPU, store))
    )
    assert len(names(tmp_path)) == 1
    assert second.passes == first.passes > 0


def test_whatever_decides_the_weights_decides_the_name(made_up: MadeUp, tmp_path: Path) -> None:
    data, store = made_up(LABELS), Store(tmp_path)

    class Revised(Learner):
        @property
        def augmentation(self) -> Augmentation:
            return Augmentation("flip_crop", revised(2)(lambda images, generator: FLIP_CROP.draw(images, generator)))

    def one_pixel_up() -> ImageDataset:
        images = data.images.clone()
        images[-1, -1, -1, -1] += 1
        return replace(data, images=images)

    variants: list[tuple[Learner, ImageDataset, int]] = [
        (Learner(), data, 0),
        (Learner(), data, 1),
        (Learner(), one_pixel_up(), 0),
        (Learner(), replace(data, labels=data.labels.flip(0)), 0),
        (Learner(), replace(data, num_classes=3), 0),
        (Learner(learns="cnn"), made_up(LABELS, size=16), 0),
        (Learner(), made_up(LABELS, size=16), 0),
        (Revised(), data, 0),
        (Plain(), data, 0),
        (InOrder(), data, 0),
        *((Learner(**changed), data, 0) for changed in CHANGED),
    ]
    for expected, (method, images, seed) in enumerate(variants, start=1):
        learnt(method, images, store, seed)
        assert len(names(tmp_path)) == expected, f"{method} shares the network of another"
    learnt(Learner(), made_up(LABELS), store)
    assert len(names(tmp_path)) == len(variants)


@pytest.mark.parametrize(
    "changed",
    [
        {"schedule": "cosine"},
        {"schedule": "one_cycle"},
        {"decay_at": (0.5,)},
        {"momentum": 0.5},
        {"nesterov": True},
        {"weight_decay": 0.5},
        {"train_steps": 3},
    ],
)
def test_every_setting_of_the_training_changes_the_weights(changed: dict[str, Any], made_up: MadeUp) -> None:
    assert not equal(learnt(Learner(**changed), made_up(LABELS)), learnt(Learner(), made_up(LABELS)))


@pytest.mark.parametrize(("shuffled", "rows"), [(True, 8), (False, 11)])
def test_an_epoch_sees_each_image_at_most_once_and_in_order_all_of_them(
    shuffled: bool, rows: int, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []

    def recording(model: Classifier, images: Tensor, labels: Tensor, optimiser: torch.optim.SGD) -> None:
        optimiser.step()
        seen.append(images)

    monkeypatch.setattr("methods._surrogate.update", recording)

    data, method = made_up(LABELS), Plain() if shuffled else InOrder()
    learnt(method, data)
    epochs = torch.cat(seen).flatten(1).split(rows)
    assert len(epochs) == 2
    orders = [torch.cdist(epoch, data.floats().flatten(1)).argmin(1).tolist() for epoch in epochs]
    assert all(len(set(order)) == rows for order in orders)
    assert (orders[0] == orders[1]) is not shuffled
    assert shuffled or orders[0] == list(range(11))


def test_the_rate_falls_once_an_epoch_or_an_update_and_where_the_shares_say(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    def recording(model: Classifier, images: Tensor, labels: Tensor, optimiser: torch.optim.SGD) -> None:
        optimiser.step()
        rates.append(optimiser.param_groups[0]["lr"])

    monkeypatch.setattr("methods._surrogate.update", recording)
    learnt(Learner(epochs=4, decay_at=(0.5, 0.75)), made_up(LABELS))
    assert rates == pytest.approx([0.1] * 4 + [0.01] * 2 + [0.001] * 2)
    rates.clear()
    learnt(Learner(epochs=4, schedule="cosine"), made_up(LABELS))
    half = 0.05 * 2**0.5
    assert rates[::2] == rates[1::2] == pytest.approx([0.1, 0.05 + half / 2, 0.05, 0.05 - half / 2])
    rates.clear()
    method = Learner(train_steps=5, decay_at=(0.4, 0.8))
    learnt(method, made_up(LABELS))
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])
    assert method.cost(len(LABELS)).passes == 5 * 4 / IMAGES_PER_PASS


def test_a_network_trained_on_other_views_of_large_images_has_another_name(
    made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = made_up(LABELS, size=95), made_up(LABELS, size=96)
    before = [key({}, data) for data in sets]
    monkeypatch.setattr(flip_resized_crop, "revision", 2)
    after = [key({}, data) for data in sets]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_making_noise_keeps_the_network_and_test_images_never_enter(
    made_up: MadeUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ImageDataset] = []
    original = Pil.train_surrogate

    def recording(self: Pil, network: str, data: ImageDataset, session: Session) -> Classifier:
        made.append(data)
        return original(self, network, data, session)

    monkeypatch.setattr(Pil, "train_surrogate", recording)
    _, about = make_noise(cell(Pil(epochs=2, steps=2)), workplace(tmp_path), CPU)
    assert len(names(tmp_path)) == 1
    assert about["passes"] == (2 * 20 + 2 * 2 * 20) / IMAGES_PER_PASS
    train, test = (getattr(FEW.load(tmp_path), part) for part in ("train", "test"))
    assert torch.equal(made[0].images, train.images)
    assert not torch.isin(made[0].images.flatten(1).sum(1), test.images.flatten(1).sum(1)).all()
