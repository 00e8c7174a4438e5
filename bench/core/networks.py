"""The bodies of networks: each function draws the initial weights from torch's global generator."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.core.revision import revised

TIMM = "timm/"
"""What the names of timm's networks begin with."""
PATCH = re.compile(r"patch[1-9]\d?")
"""What may follow such a name after a slash."""
FEWEST_PATCHES = 4
"""Along a side: a transformer of fewer has next to nothing to compare."""


@revised(1)
def cnn(num_classes: int, channels: int, width: int = 24) -> nn.Module:
    """The small network of the CPU scales: four 3x3 convolutions of 24, 48, 96 and 192 channels, strides 1-2-2-2.

    Stem: none; the first convolution has stride 1.
    Source: the suite's own.
    """
    layers: list[nn.Module] = []
    for wide, stride in ((width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)):
        layers += [nn.Conv2d(channels, wide, 3, stride, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)]
        channels = wide
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


class Dropout(nn.Module):
    """Dropout with probability 1/2 whose masks come from a generator of its own, never from the global one."""

    def __init__(self) -> None:
        super().__init__()
        # Drawn with the initial weights, from the network's own generator.
        self.seed = int(torch.randint(2**62, (), device="cpu"))
        self.generator: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        if self.generator is None or self.generator.device != values.device:
            self.generator = torch.Generator(values.device).manual_seed(self.seed)
        kept = torch.rand(values.shape, generator=self.generator, device=values.device) < 0.5
        return 2 * values * kept


def _convolution(channels: int, width: int) -> nn.Conv2d:
    """A 3x3 convolution with weights of variance 2 / (9 width) and a bias of 0."""
    layer = nn.Conv2d(channels, width, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _vgg(convolutions: Sequence[int], num_classes: int, channels: int, width: int) -> nn.Module:
    """So many convolutions in each of five stages with a pool after each, and a head of three linear layers.

    Pools round up, which changes nothing if sizes are even and lets images below 32 pixels through.
    """
    layers: list[nn.Module] = []
    for wide, count in zip((width, 2 * width, 4 * width, 8 * width, 8 * width), convolutions, strict=True):
        for _ in range(count):
            layers += [_convolution(channels, wide), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)]
            channels = wide
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
    head: list[nn.Module] = []
    for _ in range(2):
        head += [Dropout(), nn.Linear(channels, channels), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head, nn.Linear(channels, num_classes))


@revised(1)
def vgg11(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """VGG-11 with batch norm and the head of `vgg16`.

    Stem: none; five pools halve the size.
    Source: Simonyan and Zisserman, ICLR 2015, configuration A; official code of REM (Fu et al., ICLR 2022) and SEM.
    """
    return _vgg((1, 1, 2, 2, 2), num_classes, channels, width)


@revised(1)
def vgg16(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """VGG-16 with batch norm and a head of 512-512-512 with dropout, as in the official code of REM and SEM.

    Stem: none; five pools halve the size.
    Source: Simonyan and Zisserman, ICLR 2015, configuration D; official code of REM (Fu et al., ICLR 2022) and SEM.
    """
    return _vgg((2, 2, 3, 3, 3), num_classes, channels, width)


@revised(1)
def vgg19(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """VGG-19 with batch norm and the head of `vgg16`.

    Stem: none; five pools halve the size.
    Source: Simonyan and Zisserman, ICLR 2015, configuration E; official code of REM (Fu et al., ICLR 2022) and SEM.
    """
    return _vgg((2, 2, 4, 4, 4), num_classes, channels, width)


@revised(1)
def two_linear(num_classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """Two linear layers without bias and with nothing between them: a linear map, the surrogate of PIL.

    Stem: none; it sees flattened pixels as they are.
    Source: official code of PIL.
    """
    pixels = channels * size[0] * size[1]
    first, second = nn.Linear(pixels, num_classes, bias=False), nn.Linear(num_classes, num_classes, bias=False)
    return nn.Sequential(nn.Flatten(), first, second)


@revised(1)
def timm_network(name: str, num_classes: int, channels: int, size: tuple[int, int] | None = None) -> nn.Module:
    """A network of timm, untrained; one that takes images of one size only is built for those of `size`.

    `timm/NAME/patch4` cuts images into patches of 4 pixels, whatever the name says: those of ViT, or the stem of
    ConvNeXt. Raises ValueError if the network has no patches to set, and if they are too coarse for the images.
    """
    import timm

    name, _, patch = name.removeprefix(TIMM).partition("/")
    told, chosen = timm.get_pretrained_cfg(name), dict[str, Any]()
    if size and told and told.fixed_input_size and told.input_size[1:] != size:
        chosen["img_size"] = size
    if patch:
        chosen["patch_size"] = side = int(patch.removeprefix("patch"))
        if size and side > min(size):
            raise ValueError(f"its patches are larger than images of {min(size)} pixels")
    try:
        body: nn.Module = timm.create_model(name, num_classes=num_classes, in_chans=channels, **chosen)
    except TypeError as error:
        raise ValueError(f"{name} has no patches to set" if patch else str(error)) from None
    grid = getattr(getattr(body, "patch_embed", None), "grid_size", None)
    if size and grid and min(grid) < FEWEST_PATCHES:
        finer = max(1, min(size) // (2 * FEWEST_PATCHES))
        made = f"its patches make a grid of {grid[0]}x{grid[1]}, fewer than {FEWEST_PATCHES}x{FEWEST_PATCHES}"
        raise ValueError(f"{made}; write {TIMM}{name}/patch{finer}")
    return body
