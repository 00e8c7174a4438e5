"""Networks by name. Normalisation is the network's first layer, so every image outside is in [0, 1]."""

import difflib
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import AfterValidator
from torch import Tensor, nn

from bench.folding import Pair, convolutions_with_norm
from bench.seeding import default_randomness


class Classifier(nn.Module):
    """A network over images in [0, 1], float (N, C, H, W), that returns logits (N, num_classes) and counts its work.

    The only normalisation is x - 1/2, as in the official code of REM and SEM. `gradient_images` counts the images that
    went forward with gradients recorded: divided by 128 it is the number of forward+backward passes. `pairs` are the
    convolutions whose batch norm may be folded while the network is frozen.
    """

    def __init__(self, body: nn.Module, pairs: Sequence[Pair] = ()) -> None:
        super().__init__()
        self.body = body
        self.pairs = tuple(pairs)
        self.gradient_images = 0

    def forward(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.gradient_images += len(images)
        logits: Tensor = self.body((images - 0.5).contiguous(memory_format=torch.channels_last))
        return logits


def cnn(num_classes: int, channels: int) -> nn.Module:
    """The small network of the CPU scales: four 3x3 convolutions of 24, 48, 96 and 192 channels, strides 1-2-2-2."""
    layers: list[nn.Module] = []
    for width, stride in ((24, 1), (48, 2), (96, 2), (192, 2)):
        layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


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


MODELS: dict[str, Callable[[int, int], nn.Module]] = {"cnn": cnn, "resnet18": resnet18}
TIMM = "timm/"


def check_name(name: str) -> str:
    """Return `name` if a network is called so; raise ValueError with the choices otherwise."""
    choices = list(MODELS)
    if name.startswith(TIMM):
        import timm

        known = timm.list_models()
        if name.removeprefix(TIMM) in known:
            return name
        choices = [TIMM + model for model in known]
    elif name in MODELS:
        return name
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"unknown model {name!r}{hint or '; choices: ' + ', '.join(MODELS) + ', timm/NAME'}")


ModelName = Annotated[str, AfterValidator(check_name)]
"""A setting that names a network."""


def build(name: str, *, num_classes: int, channels: int, source: torch.Generator) -> Classifier:
    """Build the network called `name`, its weights drawn from `source`.

    `timm/NAME` gives timm's network of that name, untrained. Raises ValueError, with the choices, for an unknown name.
    """
    check_name(name)
    with default_randomness(source):
        if name.startswith(TIMM):
            import timm

            body = timm.create_model(name.removeprefix(TIMM), num_classes=num_classes, in_chans=channels)
            pairs = []  # not every network of timm can be traced
        else:
            body = MODELS[name](num_classes, channels)
            pairs = convolutions_with_norm(body)
    return Classifier(body, pairs).to(memory_format=torch.channels_last)
