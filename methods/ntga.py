"""NTGA: noise that spoils what an infinitely wide network learns, through the closed form of its training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core import (
    Cost,
    Count,
    ImageDataset,
    Linf,
    Method,
    Needs,
    Outline,
    Positive,
    Radius,
    Session,
    ascend,
    float64_device,
    quantised,
    take,
)
from methods._neural_tangent import Inputs, Kernel, cnn, fnn, trained

MAP_VALUES = {"cpu": 2**20, "cuda": 2**25}
"""Most values in one map over places and pairs, by device: few enough for a cache, many enough to fill a GPU."""

PAIRS_PER_PASS = {"cnn": 250_000, "fnn": 5_000_000}
"""Pairs of images that take as long as a pass of 128 images through ResNet-18, within a factor of two."""


class Ntga(Method):
    """Noise that makes an infinitely wide network, trained on the protected images, fail on clean ones.

    Blocks of images are attacked one by one: the gradient of the loss on held-out training images flows through the
    closed form of training on the block. A second sweep protects the held-out images, judged by some of the others.
    Everything is float64; if the device is MPS, which has none, it is computed on the CPU.
    """

    title = "NTGA"
    source = "NTGA (Yuan and Wu, ICML 2021), released settings for CIFAR-10"
    repository = "lionelmessi6410/ntga"
    deviations = (
        "one step instead of ten, each of which the official code takes from the clean images, to the same end",
        "a second sweep protects the held-out images, which the official code leaves out",
        "the last, incomplete block is protected as well, where the official code drops it",
        "the draw of held-out images and blocks follows the noise seed; the official one is always the same",
    )
    needs: ClassVar[Needs] = "clean validation images"
    large: ClassVar[Mapping[str, Any]] = {"stride": 3}
    large_source: ClassVar[str] = (
        "released network for two classes of ImageNet; there the radius is 0.1 and the best time 1, here 8/255 and 8"
    )

    radius: Radius = 8 / 255
    """l-inf bound of the noise."""
    steps: Count = 1
    """Signed-gradient steps from the clean images. One is what was published; more are projected gradient ascent."""
    rel_step_size: Positive | None = None
    """Their size, relative to the radius; null is 1.1 / steps, which the bound cuts to 1 for a single step."""
    kernel: Literal["cnn", "fnn"] = "cnn"
    """The infinitely wide network: two convolutions and three dense layers, or five dense layers with erf."""
    stride: Count = 2
    """Of both convolutions."""
    time: Positive | None = 8.0
    """How long that network trains, in learning rate times steps; null trains to the end.

    8 is the paper's best with convolutions, 4096 that with dense layers only; the official script's default is 64.
    """
    block_size: Count = 512
    """Images that are trained on, and attacked, together; the last block takes what is left."""
    validation_images: Count = 10_000
    """Held-out training images the loss is summed over: at most a fifth of the data, rounded down, but at least one."""
    protect: Literal["all", "official"] = "all"
    """`official` leaves the held-out images, and the incomplete last block, without noise."""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Attack every block."""
        generator = session.generator("order")
        order = torch.randperm(len(data), generator=generator, device=generator.device)
        device = float64_device(session.device)
        data, order = data.to(device), order.to(device)
        count = self._held_out(len(data))
        held_out, others = order[:count], order[count:]
        sweeps = [(others, held_out), (held_out, others[:count])]
        if self.protect == "official":
            sweeps = [(others[: len(others) - len(others) % self.block_size], held_out)]
        noise = data.empty_noise().zero_()
        for rows, judges in sweeps:
            for block in rows.split(self.block_size):
                noise[block.to(noise.device)] = self._attack(_part(data, block), _part(data, judges)).to(noise.device)
        return noise

    def declines(self, data: Outline) -> str:
        return "" if data.train_images > 1 else "needs at least two images, one of them to hold out"

    def cost(self, images: int) -> Cost:
        """Pairs with held-out images and within blocks, at the rate measured on a CPU for 32x32 images."""
        pairs = self.steps * images * (self._held_out(images) + min(self.block_size, images))
        return Cost(other=pairs / PAIRS_PER_PASS[self.kernel])

    def _held_out(self, images: int) -> int:
        return max(1, min(self.validation_images, images // 5))

    def _attack(self, block: ImageDataset, held_out: ImageDataset) -> Tensor:
        """int8 noise that raises the loss on `held_out` of the network trained on `block`."""
        kernel = cnn(self.stride) if self.kernel == "cnn" else fnn()
        images, targets = doubles(block.images), F.one_hot(block.labels, block.num_classes).double()
        protected = ascend(
            images,
            lambda point: gradient(kernel, point, targets, held_out, self.time),
            Linf(self.radius).around(images),
            step_size=(self.rel_step_size or 1.1 / self.steps) * self.radius,
            steps=self.steps,
        )
        return quantised(protected - images, self.radius)


def gradient(kernel: Kernel, images: Tensor, targets: Tensor, held_out: ImageDataset, time: float | None) -> Tensor:
    """Gradient, in `images` (n, C, H, W), of the loss on `held_out` of the network trained on them for `time`.

    The loss is the summed cross-entropy. Pairs come in chunks, whose maps are freed once the gradient has passed them.
    """
    images = images.detach().requires_grad_()
    inputs = kernel.inputs(images)
    leaves = Inputs(*(part.detach().requires_grad_() for part in inputs))
    fixed = Inputs(*(part.detach() for part in inputs))
    size = max(1, MAP_VALUES[images.device.type] // fixed.variance.numel())
    chunks = [Inputs(*parts) for parts in zip(*(part.split(size, 2) for part in fixed), strict=True)]
    among = torch.cat([kernel.tangent(fixed, chunk) for chunk in chunks], 1).requires_grad_()
    coefficients = trained(among, targets, time)
    weights = coefficients.detach().requires_grad_()
    for part, labels in zip(held_out.images.split(size), held_out.labels.split(size), strict=True):
        logits = kernel.tangent(leaves, kernel.inputs(doubles(part))).mT @ weights
        F.cross_entropy(logits, labels, reduction="sum").backward()
    pull = torch.autograd.grad(coefficients, among, weights.grad)[0]
    # The kernel is symmetric: what moving the second image of a pair does, moving the first does to the mirrored pair.
    for chunk, pulled in zip(chunks, (pull + pull.mT).split(size, 1), strict=True):
        kernel.tangent(leaves, chunk).backward(pulled)
    return torch.autograd.grad(inputs, images, [leaf.grad for leaf in leaves])[0]


def doubles(images: Tensor) -> Tensor:
    """uint8 images as float64 in [0, 1]."""
    return images.double() / 255


def _part(data: ImageDataset, rows: Tensor) -> ImageDataset:
    return replace(data, images=take(data.images, rows, data.labels.device), labels=data.labels[rows])
