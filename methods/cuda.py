"""CUDA: class-wise convolution, one random blurring kernel for each class, made without any network."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import AfterValidator
from torch import Tensor
from torch.nn import functional as F

from bench.core import Count, Fraction, ImageDataset, Method, Norm, Session, take

IMAGES = 250
"""Images convolved together: bounds the memory."""


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"must be odd, got {value}")
    return value


class Cuda(Method):
    """Class-wise convolution: every image is filtered with its class's kernel and brightened to the full range.

    A kernel holds one 1 at a random place among uniform draws, so that it shifts and blurs. Who knows it can undo it:
    the noise seed is a private key. A black image stays black.
    """

    title = "CUDA"
    source = "CUDA (Sadasivan et al., CVPR 2023, arXiv 2303.04278), released settings for CIFAR-10 and CIFAR-100"
    repository = "vinusankars/Convolution-based-Unlearnability"
    deviations = (
        "values are rounded to the nearest grey level, where the official code truncates",
        "a black image stays black, where the official code divides by zero",
        "every image is protected; the official draw per image for partial protection is left to the attack",
    )
    norm: ClassVar[Norm] = "none"
    large: ClassVar[Mapping[str, Any]] = {"kernel_size": 9, "blur": 0.06}
    large_source: ClassVar[str] = "the paper's settings for ImageNet-100; the released code has those for CIFAR alone"

    kernel_size: Annotated[Count, AfterValidator(_odd)] = 3
    """Side of the kernel in pixels, odd."""
    blur: Fraction = 0.3
    """Largest entry of the kernel but for the 1 (p_b)."""
    same_kernel: bool = False
    """Whether all classes share one kernel: the paper's control, which protects nothing."""

    @property
    def class_wise(self) -> bool:
        return True

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Return the filtered images, each divided by its largest value."""
        kernels = self.kernels(data.num_classes, session)

        def filter_part(part: slice) -> Tensor:
            filtered = convolve(take(data.images, part, session.device).float(), kernels[data.labels[part]])
            peak = filtered.amax((1, 2, 3), keepdim=True)
            brightened = filtered / peak.where(peak > 0, 1)
            return (255 * brightened).round_().to(torch.uint8)

        return data.filled(filter_part, batch_size=IMAGES).images

    def kernels(self, classes: int, session: Session) -> Tensor:
        """Each class's kernel: float (classes, kernel_size, kernel_size) in [0, blur], but for a single 1."""
        entries, places = session.generator("entries"), session.generator("places")
        cells = self.kernel_size**2
        kernels = self.blur * torch.rand(classes, cells, generator=entries, device=session.device)
        centre = torch.randint(cells, (classes, 1), generator=places, device=session.device)
        kernels = kernels.scatter_(1, centre, 1.0).view(classes, self.kernel_size, self.kernel_size)
        return kernels[:1].expand_as(kernels) if self.same_kernel else kernels


def convolve(images: Tensor, kernels: Tensor) -> Tensor:
    """Slide a kernel of its own (N, k, k), k odd, over every channel of each image (N, C, H, W), black outside."""
    channels, size = images.shape[1], kernels.shape[1]
    rows, weights = images.flatten(0, 1)[None], kernels.repeat_interleave(channels, 0)[:, None]
    return F.conv2d(rows, weights, padding=size // 2, groups=len(weights)).view_as(images)
