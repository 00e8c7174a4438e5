"""EM: error-minimising noise as first published, an alternation of a little training and a sweep over all the noise."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import SGD

from bench.data import ImageDataset
from bench.engine import IMAGES_PER_PASS, Session
from bench.memory import take
from bench.models import ModelName
from bench.perturb import ascend, frozen, loss_gradient, quantised
from bench.protocols import Method
from bench.settings import Count, Fraction, NonNegative, Positive, Radius
from bench.train import batches, in_order, update

OBSERVED_ROUNDS = 15
"""The official CIFAR-10 log needs 10 to 15 rounds to the stopping error; the cost forecast counts on the larger."""


class Em(Method):
    """Error-minimising noise, sample-wise: network and noise take turns to make the training loss small.

    No augmentation while crafting. The noise of the last sweep is kept: of round `max_rounds` where the
    error never falls to `stop_error`.
    """

    source = "EM (Huang et al., ICLR 2021), released settings for CIFAR-10, sample-wise"
    repository = "HanxunH/Unlearnable-Examples"
    deviations = (
        "the protected image is clipped to [0, 1] in the weight update as well",
        "batches are shuffled; the official sample-wise runs go through the data in order",
        "noise is added with its sign and rounded; the official loader loses every negative value and truncates",
    )

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 20
    """Signed-gradient steps of a sweep, from the noise of the sweep before."""
    rel_step_size: Positive = 0.1
    """Their size, relative to the radius: 0.8/255 at 8/255."""
    updates_per_round: Count = 10
    """Weight updates before each sweep; the batches go on where the last round stopped."""
    stop_error: Fraction = 0.01
    """Training stops once the surrogate errs on at most this share of the protected images."""
    max_rounds: Count = 100
    batch_size: Count = 512
    lr: Positive = 0.1
    """Never decayed."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 5e-4
    clip_norm: Positive = 5.0
    """Largest l2 norm of the weights' gradient."""
    surrogate: ModelName = "resnet18"
    """The network the noise is learnt with."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Alternate until the surrogate errs on at most `stop_error` of the protected images."""
        model = session.build(self.surrogate, num_classes=data.num_classes, channels=data.shape[0])
        optimiser = SGD(model.parameters(), self.lr, self.momentum, weight_decay=self.weight_decay)
        order = batches(len(data), self.batch_size, session.generator("batches"))
        noise = data.empty_noise(torch.float32).zero_()
        for _ in range(self.max_rounds):
            for _ in range(self.updates_per_round):
                index = next(order)
                protected = (data.floats(index) + take(noise, index, session.device)).clamp(0, 1)
                update(model, protected, data.labels[index], optimiser, max_norm=self.clip_norm)
            with frozen(model):
                wrong = sum(self._sweep(model, data, noise, part) for part in in_order(len(data), self.batch_size))
            if wrong <= self.stop_error * len(data):
                break
        final = data.empty_noise()
        for part in in_order(len(data), self.batch_size):
            final[part] = quantised(noise[part], self.radius)
        return final

    def _sweep(self, model: nn.Module, data: ImageDataset, noise: Tensor, part: slice) -> int:
        """Improve the noise of a part of the data in place; return how many of its images the model then gets wrong."""
        images, labels = data.floats(part), data.labels[part]
        low, high = (images - self.radius).clamp(min=0), (images + self.radius).clamp(max=1)
        protected = ascend(
            (images + take(noise, part, images.device)).clamp(0, 1),
            lambda point: loss_gradient(model, point, labels),
            lambda point: point.clamp(low, high),
            step_size=-self.rel_step_size * self.radius,
            steps=self.steps,
        )
        noise[part] = protected - images
        with torch.no_grad():
            return int((model(protected).argmax(1) != labels).sum())

    def passes(self, images: int) -> float:
        """The forecast counts on 15 rounds, the upper end of what the official log shows, or on fewer if so limited."""
        rounds = min(self.max_rounds, OBSERVED_ROUNDS)
        return rounds * (self.updates_per_round * self.batch_size + images * self.steps) / IMAGES_PER_PASS
