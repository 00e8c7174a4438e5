"""DenseNet-121 with either stem: each function draws the initial weights from torch's global generator."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bench.core.revision import revised

BLOCKS = (6, 12, 24, 16)


class Dense(nn.Module):
    """Adds `growth` channels to its input: norm, ReLU, 1x1 to four times as many, norm, ReLU, 3x3."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_activated(channels, 4 * growth, 1),
            *_activated(4 * growth, growth, 3),
        )

    def forward(self, values: Tensor) -> Tensor:
        return torch.cat([values, self.path(values)], 1)


def _activated(channels: int, width: int, kernel: int) -> list[nn.Module]:
    """Batch norm, ReLU and a convolution that keeps the size."""
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False)
    return [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), convolution]


def _densenet(stem: Sequence[nn.Module], growth: int, num_classes: int) -> nn.Module:
    """Four dense blocks after a stem that leaves two growths of channels; transitions halve channels and size.

    Their pools round up, which changes nothing if sizes are even and lets images below 32 pixels through.
    """
    layers, channels = [*stem], 2 * growth
    for number, count in enumerate(BLOCKS):
        if number:
            layers += [*_activated(channels, channels // 2, 1), nn.AvgPool2d(2, ceil_mode=True)]
            channels //= 2
        for _ in range(count):
            layers.append(Dense(channels, growth))
            channels += growth
    head = [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    body = nn.Sequential(*layers, *head, nn.Linear(channels, num_classes))
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return body


@revised(1)
def densenet121(num_classes: int, channels: int, width: int = 32) -> nn.Module:
    """DenseNet-121 with the stem of ImageNet, as the official code of REM and SEM has it for CIFAR too.

    `width` is its growth: the channels that each layer adds.

    Stem: 7x7, stride 2, then a max-pool of stride 2: 32 pixels enter the first block at 8x8 and leave the last at 1x1.
    Source: Huang et al., CVPR 2017; official code of REM (Fu et al., ICLR 2022) and SEM.
    """
    first = nn.Conv2d(channels, 2 * width, 7, 2, 3, bias=False)
    stem = [first, nn.BatchNorm2d(2 * width), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    return _densenet(stem, width, num_classes)


@revised(1)
def densenet121_3x3(num_classes: int, channels: int, width: int = 32) -> nn.Module:
    """DenseNet-121 with the 3x3 stem of the CIFAR papers.

    `width` is its growth: the channels that each layer adds.

    Stem: 3x3, stride 1, no norm, no max-pool: 32 pixels enter the first block at 32x32 and leave the last at 4x4.
    Source: Huang et al., CVPR 2017, with the stem of their networks for CIFAR.
    """
    return _densenet([nn.Conv2d(channels, 2 * width, 3, padding=1, bias=False)], width, num_classes)
