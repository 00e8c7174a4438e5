"""TAP: targeted adversarial poisoning, images that a clean network takes for the class after their own."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core import (
    FLIP_CROP,
    FLIP_TRANSLATE,
    Added,
    Augmentation,
    Cost,
    Count,
    ImageDataset,
    Linf,
    ModelName,
    Positive,
    Radius,
    Session,
    ascend,
    frozen,
    loss_gradient,
    quantised,
    uniform,
)
from methods._surrogate import Shares, SurrogateMethod

VIEWS = {"flip_translate": FLIP_TRANSLATE, "flip_crop": FLIP_CROP}


class Tap(SurrogateMethod):
    """Adversarial noise against a clean network, under a new random view in every step.

    Targeted, it makes the loss towards class y + 1 (modulo their number) small; untargeted, that of the label y large.
    """

    title = "TAP, original"
    source = "TAP (Fowl et al., NeurIPS 2021), released settings for CIFAR-10 with signed steps"
    repository = "lhfowl/adversarial_poisons"
    deviations: ClassVar[tuple[str, ...]] = (
        "the network's input is x - 1/2; the official code subtracts the data's mean and divides by its deviation",
        "views are padded with black; the official padding is the data's mean colour",
        "one restart where the paper has eight; of several, each image keeps its own best noise, by the loss without "
        "a view, where the official code keeps the best run as a whole",
        "an epoch of the surrogate drops its incomplete last batch",
        "the surrogate's rate falls after 15, 25 and 35 epochs; the official rounding gives 14, 24 and 35",
        "dropout in a surrogate that has it is off while crafting",
    )
    large: ClassVar[Mapping[str, Any]] = {"surrogate": "timm/resnet18"}
    large_source: ClassVar[str] = (
        "the network of the official run on ImageNet, there pretrained by torchvision, here trained on the images"
    )

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 250
    """Signed-gradient steps of one restart."""
    rel_step_size: Positive = 0.05
    """Their size, relative to the radius: 0.4/255 at 8/255."""
    start: Annotated[Literal["normal", "uniform"], Added()] = "normal"
    """What a restart begins from: a clipped `normal` draw with the radius as deviation, or a `uniform` one."""
    views: Annotated[Literal["flip_translate", "flip_crop"], Added()] = "flip_translate"
    """What a view of an image is, in each step and in the surrogate's training."""
    restarts: Count = 1
    targeted: bool = True
    batch_size: Count = 512
    """Images crafted at once: it decides speed and random draws, nothing else."""
    surrogate: ModelName = "resnet18"
    """The network the noise is crafted against."""
    epochs: Count = 40
    decay_at: Shares = (0.375, 0.625, 0.875)
    """Shares of the surrogate's training: 15, 25 and 35 of 40 epochs."""
    nesterov: bool = True

    @property
    def augmentation(self) -> Augmentation:
        return VIEWS[self.views]

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Craft each image's noise against the network trained on the clean images."""
        model = self.train_surrogate(self.surrogate, data, session)
        starts, views = session.generator("starts"), session.generator("views")
        goals = (data.labels + 1) % data.num_classes if self.targeted else data.labels

        def make(part: slice) -> Tensor:
            return quantised(self._best(model, data.floats(part), goals[part], starts, views), self.radius)

        with frozen(model):
            return data.noise(self.batch_size, make)

    def _best(
        self, model: nn.Module, images: Tensor, goal: Tensor, starts: torch.Generator, views: torch.Generator
    ) -> Tensor:
        """Of all restarts, each image's noise with the lowest loss (the highest, untargeted)."""
        best = torch.zeros_like(images)
        lowest = torch.full(goal.shape, torch.inf, device=goal.device)
        for _ in range(self.restarts):
            noise = self._craft(model, images, goal, starts, views)
            with torch.no_grad():
                losses = F.cross_entropy(model(images + noise), goal, reduction="none")
            losses = losses if self.targeted else -losses
            better = losses < lowest
            best[better], lowest[better] = noise[better], losses[better]
        return best

    def _craft(
        self, model: nn.Module, images: Tensor, goal: Tensor, starts: torch.Generator, views: torch.Generator
    ) -> Tensor:
        def gradient(point: Tensor) -> Tensor:
            point = point.detach().requires_grad_()
            view = self.augmentation.draw(point, views)(point)
            return torch.autograd.grad(view, point, loss_gradient(model, view, goal))[0]

        point = ascend(
            self._start(images, starts),
            gradient,
            Linf(self.radius).around(images),
            step_size=(-1 if self.targeted else 1) * self.rel_step_size * self.radius,
            steps=self.steps,
        )
        return point - images

    def _start(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if self.start == "uniform":
            return images + uniform(images, self.radius, generator)
        normal = torch.randn(images.shape, generator=generator, device=images.device)
        return images + self.radius * normal.clamp(-1, 1)

    def cost(self, images: int) -> Cost:
        """The surrogate's training, then every step of every restart."""
        return super().cost(images) + Cost.of_images(self.restarts * self.steps * images)
