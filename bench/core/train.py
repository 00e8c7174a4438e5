"""The unauthorised trainer's one training loop, and its measurement on clean test images."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import LRScheduler

from bench.core.batch import Expected, Loss, check_views, loss_of, now_of, perturbed, views_of
from bench.core.data import ImageDataset
from bench.core.memory import in_order
from bench.core.models import images_at_once
from bench.core.plug_in import FORWARD, Cost
from bench.core.protocols import Attack, cross_entropy
from bench.core.schedules import Schedule, schedule_rates
from bench.core.session import Session
from bench.core.settings import Count, Fraction, NonNegative, Positive, Settings


class Recipe(Settings):
    """How the victim is trained. The defaults are those of the REM and SEM scripts for CIFAR (40,000 steps of SGD)."""

    steps: Count = 40_000
    """Weight updates."""
    batch_size: Count = 128
    lr: Positive = 0.1
    """Peak learning rate."""
    schedule: Schedule = "steps"
    """`steps` multiplies the rate by 0.1 at each of `decay_at`; `cosine` and `one_cycle` end near 0."""
    decay_at: Annotated[tuple[Fraction, ...], Field(strict=False)] = (0.4, 0.8)
    """Shares of `steps`: 16,000 and 32,000 of 40,000."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 5e-4
    evaluate_every: Count = 1000
    """Weight updates between two looks at the test set; there is one more after the first epoch and one at the end."""

    def optimiser(self, model: nn.Module) -> SGD:
        """What updates the weights of `model`."""
        return SGD(model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay)

    def scheduler(self, optimiser: SGD) -> LRScheduler:
        """The learning-rate schedule, one step per weight update."""
        return schedule_rates(self.schedule, optimiser, self.steps, self.decay_at)

    def cost(self, attacks: Sequence[Attack], images: int) -> Cost:
        """What preparing so many images and training under `attacks` takes."""
        trained = self.steps * self.batch_size
        return sum((attack.cost(images, trained) for attack in attacks), start=Cost.of_images(trained))

    def cost_of_looks(self, test_images: int) -> Cost:
        """What all looks at so many test images take: passes without gradients."""
        looks = 1 + self.steps // self.evaluate_every + (self.steps % self.evaluate_every > 0)
        return Cost.of_images(0, looks * test_images * FORWARD)


@dataclass(frozen=True)
class Evaluation:
    """One look at the victim. Accuracies are shares in [0, 1]; training values are means since the look before."""

    step: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    validation: tuple[tuple[int, ...], ...] = ()
    """Right predictions on each set that was held out: first for clean images, then for the same ones protected."""


class DivergedError(ArithmeticError):
    """A loss or a weight stopped being a finite number."""


def check_finite(model: nn.Module) -> None:
    """Raise DivergedError if a weight of the network is not a finite number."""
    if not all(torch.isfinite(values).all() for values in model.state_dict().values()):
        raise DivergedError("training left weights that are not finite; lower lr")


def batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless index batches: each epoch a new order, its incomplete last batch dropped.

    A set smaller than one batch is one batch.
    """
    size = min(size, count)
    while True:
        order = torch.randperm(count, generator=generator, device=generator.device)
        yield from order[: count - count % size].view(-1, size)


def update(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    optimiser: SGD,
    max_norm: float | None = None,
    loss: Loss = cross_entropy,
) -> Tensor:
    """One SGD step on the loss, the model in training mode; returns the logits it was computed from."""
    model.train()
    value, logits = loss(model, images, labels)
    optimiser.zero_grad(set_to_none=True)
    value.backward()
    if max_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimiser.step()
    return logits.detach()


def hits(logits: Tensor, labels: Tensor) -> Tensor:
    """How many predictions are right, as a sum; under mixed labels each counts for the share of the predicted class."""
    predicted = logits.argmax(1)
    return labels.gather(1, predicted[:, None]).sum() if labels.is_floating_point() else (predicted == labels).sum()


@torch.inference_mode()
def evaluate(model: nn.Module, data: ImageDataset) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over all of `data`, in evaluation mode, every image once."""
    model.eval()
    loss = torch.zeros((), device=data.labels.device)
    correct = torch.zeros((), device=data.labels.device)
    for part in in_order(len(data), images_at_once(model, data.shape, data.labels.device)):
        logits, labels = model(data.floats(part)), data.labels[part]
        loss += F.cross_entropy(logits, labels, reduction="sum")
        correct += hits(logits, labels)
    return loss.item() / len(data), correct.item() / len(data)


def right_of(model: nn.Module, data: ImageDataset) -> int:
    """How many predictions on `data` are right, in evaluation mode."""
    return round(evaluate(model, data)[1] * len(data))


def train(
    model: nn.Module,
    data: ImageDataset,
    *,
    test: ImageDataset,
    attacks: Sequence[Attack],
    recipe: Recipe,
    session: Session,
    validation: Sequence[Sequence[ImageDataset]] = (),
) -> list[Evaluation]:
    """Train `model` on `data` (already prepared) under `attacks` and return the whole history, first look to last.

    Each look also counts the right predictions on every set of `validation`, in the same nesting.
    Raises DivergedError if a loss is not finite, and ValueError if a hook of an attack returns what it must not.
    """
    optimiser = recipe.optimiser(model)
    scheduler = recipe.scheduler(optimiser)
    order = batches(len(data), recipe.batch_size, session.generator("batches"))
    crops = session.generator("flip and crop")
    generators = [session.generator(f"attack {number}") for number in range(len(attacks))]
    mixed = any("mix" in attack.hooks() for attack in attacks)
    epoch = max(1, len(data) // recipe.batch_size)
    history: list[Evaluation] = []
    sums, seen = torch.zeros(2, device=session.device), 0
    session.steps = recipe.steps
    for step in range(1, recipe.steps + 1):
        index = next(order)
        labels = F.one_hot(data.labels[index], data.num_classes).float() if mixed else data.labels[index]
        images, now = data.floats(index), now_of(attacks, (step - 1) / recipe.steps)
        expected = Expected.of(images, data.num_classes, attacks) if step == 1 else None
        views, labels = views_of(images, labels, now, crops, generators, expected)
        images = perturbed(model, views, labels, now, generators, expected)
        session.keeper.keep_perturbations("victim", step, recipe.steps, views, images)
        logits = update(model, images, labels, optimiser, loss=loss_of(now, views, expected))
        scheduler.step()
        session.keeper.keep_checkpoint(model, step, recipe.steps)
        sums += torch.stack([F.cross_entropy(logits, labels, reduction="sum"), hits(logits, labels)])
        seen += len(labels)
        session.step = step
        if step % recipe.evaluate_every == 0 or step in (epoch, recipe.steps):
            try:
                history.append(_look(model, step, sums / seen, test, validation))
            except DivergedError:
                check_views(now, views, step)
                raise
            session.loss = history[-1].train_loss
            sums, seen = torch.zeros_like(sums), 0
    return history


def _look(
    model: nn.Module, step: int, means: Tensor, test: ImageDataset, validation: Sequence[Sequence[ImageDataset]]
) -> Evaluation:
    """Measure the network; `means` are its training loss and accuracy since the look before."""
    loss, accuracy = means.tolist()
    if not torch.isfinite(means).all():
        raise DivergedError(f"the training loss is {loss} at step {step}; lower lr")
    right = tuple(tuple(right_of(model, part) for part in version) for version in validation)
    test_loss, test_accuracy = evaluate(model, test)
    if not math.isfinite(test_loss):
        raise DivergedError(f"the test loss is {test_loss} at step {step}; lower lr")
    return Evaluation(step, loss, accuracy, test_loss, test_accuracy, right)
