"""What one making of noise or one training may use: a device, generators, networks that are counted."""

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from bench.core.compilation import CompiledCall, forget
from bench.core.device import precision
from bench.core.keeper import Keeper
from bench.core.models import Classifier, build
from bench.core.network_names import exact
from bench.core.seeding import generator_for

if TYPE_CHECKING:
    from bench.core.data import ImageDataset, Outline  # which a session does not need to work

IMAGES_PER_PASS = 128
"""The cost unit: one pass is forward and backward of 128 images."""


Trained = tuple[dict[str, Tensor], dict[str, Any]]
"""The weights of a trained network by name, and what is known of their making, as JSON values."""


class Shelf(Protocol):
    """Where trained networks are kept from one session to the next."""

    def model(self, key: str, make: Callable[[], Trained]) -> Trained:
        """The network called `key`; if it is missing, what `make` returns is kept and returned."""


class Session:
    """What one noise making or one training may use: a device, generators by purpose, networks that are counted.

    `shelf` keeps trained surrogates for the next session; without it each session trains its own. `keeper` collects
    what a user wants kept; by default nothing. `notes` are what the record should say beside the settings, JSON values.
    `compiling` lets networks run compiled; what earlier sessions compiled is then forgotten. `step` of `steps` is where
    the victim's training is, `loss` that of its last look: only for people who wait.
    """

    def __init__(
        self,
        seed: int,
        device: torch.device,
        shelf: Shelf | None = None,
        keeper: Keeper | None = None,
        *,
        compiling: bool = False,
    ) -> None:
        self.seed, self.device, self.shelf, self.compiling = seed, device, shelf, compiling
        self.keeper = keeper or Keeper()
        self.notes: dict[str, Any] = {}
        self._purpose: tuple[str, ...] = ()
        self._models: list[Classifier] = []
        self._counted: list[int] = []
        self.step, self.steps = 0, 0
        self.loss: float | None = None
        if compiling:
            forget()  # it counts against torch's limit: without it a cell's bits would depend on those before it

    def generator(self, *purpose: str) -> torch.Generator:
        """The generator for `purpose`, on the session's device: the same bits for the same seed and purpose."""
        return generator_for(self.seed, *self._purpose, *purpose, device=self.device)

    def part(self, name: str) -> "Session":
        """A session for one of several trainings: its generators and weights are its own, its networks count here."""
        part = copy(self)
        part._purpose = (*self._purpose, name)
        part.keeper = Keeper()
        return part

    def build(self, name: str, *, num_classes: int, channels: int, size: tuple[int, int] | None = None) -> Classifier:
        """A fresh network on the device, in training mode, its initial weights fixed by the session's seed.

        `size` is the images' height and width; a network over flattened pixels needs it.
        """
        # Drawn on the CPU: the same start on every device.
        generator = generator_for(self.seed, *self._purpose, "weights", name)
        model = build(name, num_classes=num_classes, channels=channels, size=size, generator=generator).to(self.device)
        model.precision = torch.float32 if exact(name) else precision(self.device)
        if self.compiling:
            model.call = CompiledCall()
        self._models.append(model)
        return model

    def build_for(self, name: str, data: "ImageDataset | Outline") -> Classifier:
        """A fresh network, as `build` makes it, for such images and classes."""
        channels, height, width = data.shape
        return self.build(name, num_classes=data.num_classes, channels=channels, size=(height, width))

    @property
    def passes(self) -> float:
        """Forward+backward passes of 128 images done so far by all networks of this session."""
        return (sum(model.gradient_images for model in self._models) + sum(self._counted)) / IMAGES_PER_PASS

    @property
    def precisions(self) -> list[str]:
        """What the networks of this session compute in, by name: at most float32 and bfloat16."""
        return sorted({str(model.precision).removeprefix("torch.") for model in self._models})

    def count(self, images: int) -> None:
        """Count images that went forward with gradients recorded through a network that `build` did not make."""
        self._counted.append(images)
