"""What a plug-in is: the one page that the author of a method (`Method`) or of an attack (`Attack`) reads.

A plug-in is one file with one frozen settings class. Its fields are the settings a grid file may write, each default
the paper's value with its source; a new behaviour under an old name raises `revision`, which makes every cell that
uses the plug-in a new one.

Value spaces: images at rest are uint8; images being computed with are float32 in [0, 1]; noise at rest is int8 in
steps of 1/255. Radii are in [0, 1] and written 8/255.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core.data import ImageDataset, Outline
from bench.core.memory import parts
from bench.core.models import Classifier
from bench.core.plug_in import Cost, PlugIn
from bench.core.session import Session
from bench.core.settings import ImageShape

Norm = Literal["linf", "l2", "none"]
Needs = Literal["nothing", "a clean model", "clean validation images"]
Assumption = Literal["clean images", "clean pairs", "pretrained weights", "the protection"]
BUDGETS = {"linf": "radius", "l2": "l2_radius"}
"""The setting that holds the budget, by its norm."""
HOOKS = ("hold_out", "prepare", "start", "augment", "mix", "perturb", "loss")
"""The hooks of an attack, in the order the core calls them."""


class Method(PlugIn, ABC):
    """Protects a training set: what a data owner does before the images go public."""

    needs: ClassVar[Needs] = "nothing"
    """What the data owner must have besides the images; a model is trained on them, images are taken from them."""
    norm: ClassVar[Norm] = "linf"
    """What bounds the noise: `linf` holds `radius`, `l2` holds `l2_radius` for each image; `none` promises nothing."""
    draws: ClassVar[bool] = True
    """Whether another seed gives another noise."""
    cached: ClassVar[bool] = True
    """Whether the result is worth a file; False for what is cheaper to make than to read."""

    @abstractmethod
    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return the protection of every image of `data`, indexed as the data are and of the same shape, on any device.

        int8 is noise in steps of 1/255, which the core adds and clips; uint8 is the protected images themselves. All
        randomness comes from `session.generator(...)`, every network from `session.build(...)`. Make the noise with
        `data.noise(batch_size, make)`: the data may exceed the memory, and be on the CPU beside a GPU.
        """

    def declines(self, data: Outline) -> str:
        """Why it cannot protect such data, in a few words; empty if it can."""
        return ""

    def cost(self, images: int) -> Cost:
        """What `generate` takes for so many images, in passes of `network`."""
        return Cost()

    @property
    def network(self) -> str:
        """The network that `cost` counts in: the first that it trains or asks, else a ResNet-18."""
        return next(iter(self.networks()), "resnet18")

    @property
    def class_wise(self) -> bool:
        """Whether all images of a class share what protects them, instead of each having its own."""
        return False

    def budget(self, shape: ImageShape) -> float:
        """The most that `norm` of one image's noise may be, in [0, 1] units, before it is rounded to 8 bits."""
        return math.inf if self.norm == "none" else float(getattr(self, BUDGETS[self.norm], 0.0))

    def bound(self, shape: ImageShape) -> float:
        """The same with 8-bit rounding, which moves each value by at most half a grey level."""
        if self.norm == "linf":
            return round(255 * self.budget(shape)) / 255
        return self.budget(shape) + 0.5 / 255 * math.sqrt(math.prod(shape))

    def check(self, clean: ImageDataset, released: ImageDataset) -> None:
        """Raise ValueError if some released image leaves the declared budget."""
        # Filled in place: small results kept between large temporary ones would hinder malloc from using these again.
        norms = torch.empty(len(clean), device=clean.images.device)
        for part in parts(len(clean), clean.shape):
            norms[part] = self._norms(clean.images[part], released.images[part])
        limit = self.bound(clean.shape)
        worst = int(norms.argmax())
        if norms[worst] > limit + 1e-6:
            raise ValueError(f"image {worst} leaves the budget: {self.norm} norm {norms[worst]:.5f}, bound {limit:.5f}")

    def _norms(self, clean: Tensor, released: Tensor) -> Tensor:
        """The norm of each image's change, in [0, 1] units."""
        difference = (released.short() - clean.short()).flatten(1).float() / 255
        return difference.abs().amax(1) if self.norm == "linf" else torch.linalg.vector_norm(difference, dim=1)


def cross_entropy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The mean cross-entropy, and the logits. `labels` are int64 (N,), or shares of classes, float (N, num_classes)."""
    logits = model(images)
    return F.cross_entropy(logits, labels), logits


class Attack(PlugIn):
    """What the unauthorised trainer does to learn all the same: the hooks, and what grids and forecasts ask of them.

    The hooks stand in the order in which the core calls them; each default changes nothing. A cell holds a stack of
    attacks. `hold_out`, `prepare` and `start` of every attack run once, in the order listed; then for each batch flip
    and crop, `augment` of every attack, `mix` of every attack, and `perturb` of every attack. Test images, and those
    held out, pass none.
    """

    assumes: ClassVar[frozenset[Assumption]] = frozenset()
    """What the trainer must have or know beyond the released images and their labels."""

    def hold_out(self, data: ImageDataset, session: Session) -> list[Tensor]:
        """Return the indices of images that never train, in parts; each look counts what is right of every part."""
        return []

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Return the data to train on, once before training: filters, compression, mixing in `clean` images."""
        return released

    def start(self, model: Classifier, session: Session) -> Classifier:
        """Return the network to train, once before training, with its initial weights: pretrained ones."""
        return model

    def at(self, progress: float) -> "Attack":
        """Return the attack for the next batch, `progress` in [0, 1) being the share of training that is done."""
        return self

    def augment(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return a view of a batch, float (N, C, H, W) in [0, 1], after flip and crop; `generator` is its own."""
        return images

    def mix(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images mixed with each other and the shares of the classes in each, float (N, num_classes)."""
        return images, targets

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return what to train on instead of `images`, in [0, 1]; the model comes frozen, in evaluation mode.

        `labels` are int64 (N,), or the float shares (N, num_classes) of an attack that mixes; cross-entropy takes both.
        """
        return images

    def loss(self, views: Tensor, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss to train on and the logits that training accuracy is counted from; the model is in training.

        `views` are what the perturbations began with, `images` what they ended with.
        """
        return cross_entropy(model, images, labels)

    @classmethod
    def hooks(cls) -> tuple[str, ...]:
        """Those of HOOKS that it overrides; plain training has none."""
        return tuple(name for name in HOOKS if getattr(cls, name) is not getattr(Attack, name))

    # What grids and forecasts ask:

    def cost(self, images: int, trained: int) -> Cost:
        """What it adds to preparing a data set of so many images and to training on `trained` views, all steps."""
        return Cost()

    def declines(self, data: Outline, victim: str) -> str:
        """Why it cannot act on such data, or with the network called `victim`, in a few words; empty if it can."""
        return ""

    def seen(self, shape: ImageShape) -> ImageShape:
        """The shape of what the network gets for images of `shape`."""
        return shape

    def examine(self, model: Classifier, test: ImageDataset, trained: int, session: Session) -> None:
        """Look at the network after its training on `trained` views, and note in `session.notes` what is worth a line.

        It changes no result, so it may change without a new revision; its passes are not counted.
        """

    # What only some stacks and grids must know:

    plain: ClassVar[bool] = False
    """Whether it is plain training, which stands alone and overrides no hook; any other attack has one."""
    comes_first: ClassVar[bool] = False
    """Whether nothing may prepare the data before it, because it decides what is released."""
    idempotent: ClassVar[bool] = False
    """Whether `prepare` twice is the same as once, so that a stack cannot hold it twice in a row."""
    leaves_range: ClassVar[bool] = False
    """Whether `prepare` returns images outside [0, 1]."""
    takes_any_range: ClassVar[bool] = False
    """Whether it can go on with such images."""

    @property
    def spares_clean(self) -> bool:
        """Whether it leaves clean images as they are: a grid then takes the rest of the stack for clean images."""
        return False

    @property
    def only_clean(self) -> bool:
        """Whether it trains on clean images alone, so that a grid runs it once and not for every method."""
        return False

    def controls(self) -> tuple["Attack", ...]:
        """What else to do in its place, and to compare it with: a grid adds these if a method meets the attack."""
        return ()

    def content(self, victim: str) -> dict[str, Any]:
        """What decides the result beyond the settings, on the network `victim`: JSON values for the cell's key.

        As of a method: a value takes the place of the setting of its name. What cannot be had, `declines` tells.
        """
        return {}
