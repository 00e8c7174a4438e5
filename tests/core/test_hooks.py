"""When the training loop calls the hooks of attacks, and with what."""

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from attacks.gradient import Pgd
from attacks.plain import Plain
from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets import DatasetSettings
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Recipe, train
from tests.builders import cell, finished
from tests.conftest import Linear, MadeUp
from tests.core.conftest import Updates
from tests.core.training import CPU, trained, weights


class Greedy(Attack):
    """Draws a lot from its own stream and changes nothing."""

    source = "test"

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        torch.rand(1000, generator=generator)
        return images

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        torch.rand(1000, generator=generator)
        return images


def test_an_attack_that_does_nothing_changes_no_bit(two_layers: str, made_up: MadeUp) -> None:
    data = made_up([0, 1] * 5)
    alone, history = trained(two_layers, data)
    for stack in ([Plain()], [Greedy()], [Greedy(), Plain(), Greedy()]):
        model, other = trained(two_layers, data, *stack)
        assert torch.equal(weights(model), weights(alone))
        assert other == history
    assert not torch.equal(weights(trained(two_layers, data, seed=1)[0]), weights(alone))
    assert not torch.equal(weights(trained(two_layers, data, Pgd(steps=1))[0]), weights(alone))


def test_the_forecast_of_training_passes_is_exact(two_layers: str, made_up: MadeUp) -> None:
    data, session, stack = made_up([0, 1] * 5), Session(0, CPU), [Pgd(steps=2), Plain(), Pgd(steps=1)]
    model, recipe = session.build(two_layers, num_classes=2, channels=3), Recipe(steps=5, batch_size=4)
    train(model, data, test=data, attacks=stack, recipe=recipe, session=session)
    assert session.passes == recipe.cost(stack, len(data)).passes == 5 * 4 * 4 / 128


class Eight(DatasetSettings):
    """Eight images of two classes to train on, and two to test with."""

    size: int = 8

    def load(self, root: Path) -> Split:
        levels = torch.arange(8, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8) * 30
        train = ImageDataset(levels.contiguous(), torch.arange(8) % 2, 2)
        return Split(train, ImageDataset(train.images[:2], train.labels[:2], 2))

    def outline(self, root: Path) -> Outline:
        return Outline(8, (3, 8, 8), 2)


class Witness(Attack):
    """Notes every call of a hook, checks what it is given, and leaves a mark that the next hook must see."""

    source = "test"
    calls: ClassVar[list[tuple[str, str]]] = []
    streams: ClassVar[set[int]] = set()

    name: str

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        self.calls.append(("prepare", self.name))
        assert torch.equal(clean.images, Eight().load(Path()).train.images)
        # The first sees the released images, the second what the first made of them.
        assert torch.equal(released.images, clean.images + (self.name == "second"))
        return ImageDataset(released.images + 1, released.labels, released.num_classes)

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        self.calls.append(("augment", self.name))
        assert images.shape == (4, 3, 8, 8)
        assert images.dtype == torch.float32
        assert 0 <= images.min() <= images.max() <= 1
        self.streams.add(generator.initial_seed())
        return torch.full_like(images, 0.25)

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        self.calls.append(("perturb", self.name))
        assert not model.training
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert (images == (0.25 if self.name == "first" else 0.5)).all()
        assert labels.dtype == torch.int64
        self.streams.add(generator.initial_seed())
        return torch.full_like(images, 0.5)


def test_hooks_are_called_in_the_order_listed_with_what_the_protocol_promises(
    two_layers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Witness, "calls", [])
    monkeypatch.setattr(Witness, "streams", set())
    stack = Witness(name="first"), Witness(name="second")
    finished(cell(attacks=stack, data=Eight(), model=two_layers, batch_size=4), tmp_path)
    each_step = [(hook, name) for hook in ("augment", "perturb") for name in ("first", "second")]
    assert Witness.calls == [("prepare", "first"), ("prepare", "second"), *each_step, *each_step]
    assert len(Witness.streams) == 2


class Blurred(Attack):
    """Leaves three quarters of every label and spreads the rest over all classes."""

    source = "test"

    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return images, 0.75 * targets + 0.25 / targets.shape[1]


def test_mixed_labels_are_shares_that_count_in_loss_accuracy_and_perturbation(
    linear: Linear, made_up: MadeUp, updates: Updates
) -> None:
    name = linear(torch.zeros(4, 192), bias=torch.tensor([0.0, 1.0, 0.0, 0.0]))  # calls everything class 1
    data = made_up([0, 1, 1, 2], classes=4)
    _, [look] = trained(name, data, Blurred(), Pgd(steps=1), steps=1)
    [(_, shares, logits, _)] = updates
    assert torch.equal(shares.sum(0), torch.tensor([1.0, 1.75, 1.0, 0.25]))
    assert look.train_accuracy == 1.75 / 4
    assert look.train_loss == pytest.approx(-(shares * logits.log_softmax(1)).sum(1).mean().item(), rel=1e-5)


def test_attacks_that_do_not_mix_see_classes(linear: Linear, made_up: MadeUp, updates: Updates) -> None:
    trained(linear(torch.zeros(2, 192)), made_up([0, 1]), Pgd(steps=1), steps=1)
    assert updates[0][1].dtype == torch.int64


class Fading(Attack):
    """Darkens more and more."""

    source = "test"

    light: float = 1.0

    def at(self, progress: float) -> Attack:
        return Fading(light=1 - progress)

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        return torch.full_like(images, self.light)


def test_an_attack_may_change_with_the_share_of_training_that_is_done(
    linear: Linear, made_up: MadeUp, updates: Updates
) -> None:
    trained(linear(torch.zeros(2, 192)), made_up([0, 1]), Fading(), steps=4)
    assert [images.unique().tolist() for images, *_ in updates] == [[1.0], [0.75], [0.5], [0.25]]
