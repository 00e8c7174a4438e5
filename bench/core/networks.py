"""The bodies of networks: each function draws the initial weights from torch's global generator."""

from typing import Any

import torch
from torch import Tensor, nn

from bench.core.revision import revised

TIMM = "timm/"
"""What the names of timm's networks begin with."""


@revised(1)
def cnn(num_classes: int, channels: int) -> nn.Module:
    """The small network of the CPU scales: four 3x3 convolutions of 24, 48, 96 and 192 channels, strides 1-2-2-2."""
    layers: list[nn.Module] = []
    for width, stride in ((24, 1), (48, 2), (96, 2), (192, 2)):
        layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


@revised(1)
def resnet18(num_classes: int, channels: int) -> nn.Module:
    """ResNet-18 with the 3x3 stride-1 stem of the CIFAR papers, no max-pool, default PyTorch initialisation."""
    from torchvision.models import resnet18 as imagenet_resnet18

    body: nn.Module = imagenet_resnet18(num_classes=num_classes)
    body.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
    body.maxpool = nn.Identity()
    for layer in body.modules():  # torchvision initialises its own way; the papers use each layer's default
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            layer.reset_parameters()
    return body


class Dropout(nn.Module):
    """Dropout with probability 1/2 whose masks come from a generator of its own, never from the global one."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = int(torch.randint(2**62, ()))  # drawn with the initial weights, from the network's own generator
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


@revised(1)
def vgg16(num_classes: int, channels: int) -> nn.Module:
    """VGG-16 with batch norm and a head of 512-512-512 with dropout, as in the official code of REM and SEM.

    Pools round up, which changes nothing if sizes are even and lets images below 32 pixels through.
    """
    layers: list[nn.Module] = []
    for width, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convolutions):
            layers += [_convolution(channels, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
    head = [Dropout(), nn.Linear(512, 512), nn.ReLU(), Dropout(), nn.Linear(512, 512), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head, nn.Linear(512, num_classes))


@revised(1)
def two_linear(num_classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """Two linear layers without bias and with nothing between them: a linear map, the surrogate of PIL."""
    pixels = channels * size[0] * size[1]
    first, second = nn.Linear(pixels, num_classes, bias=False), nn.Linear(num_classes, num_classes, bias=False)
    return nn.Sequential(nn.Flatten(), first, second)


@revised(1)
def timm_network(name: str, num_classes: int, channels: int, size: tuple[int, int] | None = None) -> nn.Module:
    """The network that timm calls `name`, untrained; one of a fixed input size is built for images of `size`."""
    import timm

    name, fixed = name.removeprefix(TIMM), dict[str, Any]()
    told = timm.get_pretrained_cfg(name)
    if size and told and told.fixed_input_size and told.input_size[1:] != size:
        fixed = {"img_size": size}
    body: nn.Module = timm.create_model(name, num_classes=num_classes, in_chans=channels, **fixed)
    return body
