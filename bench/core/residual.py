"""Residual networks: each function draws the initial weights from torch's global generator."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bench.core.revision import revised

Path = Callable[[int, int, int], nn.Sequential]
"""Makes a block's convolutions from its channels, its width and its stride."""


def _normed(channels: int, width: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution without bias that keeps the size at stride 1, and its batch norm."""
    return [_convolution(channels, width, kernel, stride), nn.BatchNorm2d(width)]


def _convolution(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)


def basic(channels: int, width: int, stride: int) -> nn.Sequential:
    """Two 3x3 convolutions, the first of which strides."""
    return nn.Sequential(*_normed(channels, width, 3, stride), nn.ReLU(inplace=True), *_normed(width, width, 3))


def bottleneck(channels: int, width: int, stride: int) -> nn.Sequential:
    """1x1, 3x3 and 1x1 convolutions, the second of which strides and the last of which is four times as wide."""
    narrow = [*_normed(channels, width, 1), nn.ReLU(inplace=True), *_normed(width, width, 3, stride)]
    return nn.Sequential(*narrow, nn.ReLU(inplace=True), *_normed(width, 4 * width, 1))


class Residual(nn.Module):
    """A path and its input added, then ReLU: a post-activation block."""

    def __init__(self, channels: int, width: int, stride: int, path: Path) -> None:
        super().__init__()
        self.path = path(channels, width, stride)
        out = _channels_of(self.path)
        same = stride == 1 and channels == out
        self.shortcut = nn.Sequential() if same else nn.Sequential(*_normed(channels, out, 1, stride))

    def forward(self, values: Tensor) -> Tensor:
        return torch.relu_(self.path(values) + self.shortcut(values))


class Preactivated(nn.Module):
    """Batch norm and ReLU, then two 3x3 convolutions added to the input: the block of the paper on wide networks."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        convolutions = [*_normed(channels, width, 3, stride), nn.ReLU(inplace=True), _convolution(width, width, 3)]
        self.path = nn.Sequential(*convolutions)
        self.shortcut = _convolution(channels, width, 1, stride) if channels != width else None

    def forward(self, values: Tensor) -> Tensor:
        activated = torch.relu_(self.norm(values))
        added: Tensor = self.path(activated)
        return added + (self.shortcut(activated) if self.shortcut else values)


def _channels_of(path: nn.Sequential) -> int:
    """The channels that leave a path, by its last batch norm."""
    norm = path[-1]
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.num_features


def _small_stem(channels: int, width: int) -> list[nn.Module]:
    """3x3, stride 1, no max-pool: that of the CIFAR papers."""
    return [*_normed(channels, width, 3), nn.ReLU(inplace=True)]


def _large_stem(channels: int, width: int) -> list[nn.Module]:
    """7x7, stride 2, and a max-pool of stride 2: that of ImageNet."""
    return [*_normed(channels, width, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]


def _network(
    stem: Sequence[nn.Module], channels: int, path: Path, widths: Sequence[int], blocks: Sequence[int], num_classes: int
) -> nn.Sequential:
    """A stem that leaves `channels`, stages of post-activation blocks of which all but the first stride, and a head."""
    layers = [*stem]
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for place in range(count):
            block = Residual(channels, width, 2 if stage and not place else 1, path)
            channels = _channels_of(block.path)
            layers.append(block)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def _widths(width: int) -> list[int]:
    return [width, 2 * width, 4 * width, 8 * width]


@revised(1)
def resnet18(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """ResNet-18 with the 3x3 stride-1 stem of the CIFAR papers, no max-pool, default PyTorch initialisation.

    Stem: 3x3, stride 1, no max-pool, for images of every size, as in the official code of REM and SEM.
    Source: He et al., CVPR 2016, with the stem of the papers on CIFAR.
    """
    if width < 64:
        return _network(_small_stem(channels, width), width, basic, _widths(width), (2, 2, 2, 2), num_classes)
    from torchvision.models import resnet18 as imagenet_resnet18

    # The same network; records hold the initial weights that torchvision's order of drawing gives.
    body: nn.Module = imagenet_resnet18(num_classes=num_classes)
    body.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
    body.maxpool = nn.Identity()
    for layer in body.modules():  # torchvision initialises its own way; the papers use each layer's default
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            layer.reset_parameters()
    return body


@revised(1)
def resnet18_7x7(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """ResNet-18 with the stem of ImageNet, for images of 96 pixels and more.

    Stem: 7x7, stride 2, then a max-pool of stride 2.
    Source: He et al., CVPR 2016.
    """
    return _network(_large_stem(channels, width), width, basic, _widths(width), (2, 2, 2, 2), num_classes)


@revised(1)
def resnet50(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """ResNet-50 with the 3x3 stride-1 stem of the CIFAR papers; the 3x3 convolutions of its bottlenecks stride.

    Stem: 3x3, stride 1, no max-pool, for images of every size, as in the official code of REM and SEM.
    Source: He et al., CVPR 2016, with the stem of the papers on CIFAR.
    """
    return _network(_small_stem(channels, width), width, bottleneck, _widths(width), (3, 4, 6, 3), num_classes)


@revised(1)
def resnet50_7x7(num_classes: int, channels: int, width: int = 64) -> nn.Module:
    """ResNet-50 with the stem of ImageNet, for images of 96 pixels and more.

    Stem: 7x7, stride 2, then a max-pool of stride 2.
    Source: He et al., CVPR 2016.
    """
    return _network(_large_stem(channels, width), width, bottleneck, _widths(width), (3, 4, 6, 3), num_classes)


@revised(1)
def wrn34_10(num_classes: int, channels: int, width: int = 160) -> nn.Module:
    """WRN-34-10 of the official code of REM and SEM: post-activation blocks, no norm after the last, no dropout.

    Stem: 3x3, stride 1, 16 channels, also if the network is narrower.
    Source: official code of REM (Fu et al., ICLR 2022) and SEM, after Zagoruyko and Komodakis, BMVC 2016.
    """
    return _network(_small_stem(channels, 16), 16, basic, _widths(width)[:3], (5, 5, 5), num_classes)


@revised(1)
def wrn34_10_preactivation(num_classes: int, channels: int, width: int = 160) -> nn.Module:
    """WRN-34-10 as published: pre-activation blocks, batch norm and ReLU after the last, no dropout.

    Stem: 3x3, stride 1, 16 channels, also if the network is narrower; nothing follows it but the first block's norm.
    Source: Zagoruyko and Komodakis, BMVC 2016; the usual one of adversarial training (TRADES, ICML 2019).
    """
    layers: list[nn.Module] = [_convolution(channels, 16, 3)]
    channels = 16
    for stage, wide in enumerate(_widths(width)[:3]):
        for place in range(5):
            layers.append(Preactivated(channels, wide, 2 if stage and not place else 1))
            channels = wide
    head = [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    body = nn.Sequential(*layers, *head, nn.Linear(channels, num_classes))
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return body
