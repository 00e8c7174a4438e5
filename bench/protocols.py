"""What a plug-in is: the one page the author of a method or of an attack reads.

A plug-in is one file with one frozen settings class. Its fields are the settings a grid file may write, each default
the paper's value with its source; a new behaviour under an old name raises `revision`, which makes every cell that
uses the plug-in a new one.

Value spaces: images at rest are uint8; images being computed with are float32 in [0, 1]; noise at rest is int8 in
steps of 1/255. Radii are in [0, 1] and written 8/255.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from bench.data import ImageDataset
from bench.engine import Session
from bench.memory import parts
from bench.settings import Settings

Norm = Literal["linf", "l2", "none"]
Needs = Literal["nothing", "a clean model", "clean validation images"]


class Method(Settings, ABC):
    """Protects a training set: what a data owner does before the pictures go public."""

    source: ClassVar[str]
    """Paper, and the equation or table the defaults come from."""
    repository: ClassVar[str] = "none"
    """The official code, as OWNER/NAME on GitHub."""
    deviations: ClassVar[tuple[str, ...]] = ()
    """Every known difference from the official code, a sentence each."""
    needs: ClassVar[Needs] = "nothing"
    """What the data owner must have besides the pictures; a model is trained on them, images are taken from them."""
    norm: ClassVar[Norm] = "linf"
    """What bounds the noise: `linf` holds `radius`, `l2` holds `l2_radius` for each image; `none` promises nothing."""
    cached: ClassVar[bool] = True
    """Whether the result is worth a file; False for what is cheaper to make than to read."""

    @abstractmethod
    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return the protection of every image of `data`, indexed as the data are and of the same shape, on any device.

        int8 is noise in steps of 1/255, which the kernel adds and clips; uint8 is the protected images themselves. All
        randomness comes from `session.generator(...)`, every network from `session.build(...)`. Write the noise into
        `data.empty_noise()`, batch by batch: the data may exceed the memory, and be on the CPU beside a GPU.
        """

    def passes(self, images: int) -> float:
        """Forward+backward passes of 128 images that `generate` needs for so many images: the forecast of --dry-run."""
        return 0.0

    @property
    def class_wise(self) -> bool:
        """Whether all images of a class share what protects them, instead of each having its own."""
        return False

    def bound(self, shape: tuple[int, int, int]) -> float:
        """The most that `norm` of one image's noise may be, in [0, 1] units, 8-bit rounding included."""
        if self.norm == "linf":
            return round(255 * float(getattr(self, "radius", 0.0))) / 255
        if self.norm == "l2":  # rounding moves each value by at most half a grey level
            return float(getattr(self, "l2_radius", 0.0)) + 0.5 / 255 * math.sqrt(math.prod(shape))
        return math.inf

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


class Attack(Settings):
    """What the unauthorised trainer does to learn all the same. Each hook's default changes nothing.

    A cell holds a stack of attacks. `prepare` of every attack runs once, in the order listed;
    then for each batch flip and crop, `augment` of every attack, and `perturb` of every attack. Test images pass none.
    """

    source: ClassVar[str]
    """Paper or code that the defaults come from."""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Return the data to train on, once before training: filters, compression, mixing in `clean` images."""
        return released

    def augment(self, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Return a view of a batch, float (N, C, H, W) in [0, 1], after flip and crop; `source` is the attack's own."""
        return images

    def perturb(self, model: nn.Module, images: Tensor, labels: Tensor, source: torch.Generator) -> Tensor:
        """Return what to train on instead of `images`, in [0, 1]; the model comes frozen, in evaluation mode."""
        return images

    def passes_per_image(self) -> float:
        """Forward+backward passes that `perturb` adds for each training image: the forecast of --dry-run."""
        return 0.0
