"""Networks by name. Normalisation is the network's first layer, so every image outside is in [0, 1]."""

import difflib
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import AfterValidator
from torch import Tensor, nn

from bench.core.compilation import Call, call
from bench.core.errors import brief
from bench.core.folding import Pair, convolutions_with_norm
from bench.core.memory import at_once
from bench.core.seeding import default_randomness


class Classifier(nn.Module):
    """A network over images in [0, 1], float (N, C, H, W), that returns logits (N, num_classes) and counts its work.

    The only normalisation is x - `centre`, 1/2 as in the official code of REM and SEM, unless pretrained weights want
    (x - `mean`) / `std`. `gradient_images` counts the images that went forward with gradients recorded: divided by 128
    it is the number of forward+backward passes. `pairs` are the convolutions whose batch norm may be folded while the
    network is frozen. `precision` other than float32 computes convolutions and matrix products in that type (autocast);
    weights and logits keep theirs. `height`, if set, is what images are enlarged to first; `trained`, if not
    empty, are the only layers that train. `call` is how the body is called.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(self, body: nn.Module, pairs: Sequence[Pair] = (), centre: float = 0.5) -> None:
        super().__init__()
        self.body = body
        self.pairs = tuple(pairs)
        self.centre = centre
        self.gradient_images = 0
        self.precision = torch.float32
        self.call: Call = call
        self.height: int | None = None
        self.trained: tuple[nn.Module, ...] = ()
        self.register_buffer("mean", None)  # in the state, so that kept weights bring their normalisation along
        self.register_buffer("std", None)

    def normalise(self, mean: Tensor, std: Tensor) -> None:
        """Let the network see (x - mean) / std, one value of each for every channel, instead of x - 1/2."""
        weight = next(self.parameters())
        self.mean, self.std = (values.to(weight).view(-1, 1, 1) for values in (mean, std))

    def train_only(self, *layers: nn.Module) -> None:
        """Freeze everything but `layers` for good: neither weights nor batch-norm statistics of the rest change."""
        self.requires_grad_(False)
        for layer in layers:
            layer.requires_grad_(True)
        self.trained = layers
        self.train(self.training)

    def train(self, mode: bool = True) -> "Classifier":
        """Training or evaluation mode, in which frozen layers always are."""
        super().train(mode)
        if self.trained:
            self.body.eval()
            for layer in self.trained:
                layer.train(mode)
        return self

    def forward(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.gradient_images += len(images)
        pixels = self._normalised(images).contiguous(memory_format=torch.channels_last)
        if self.precision == torch.float32:
            return self.call(self.body, pixels)
        with torch.autocast(images.device.type, self.precision):
            logits = self.call(self.body, pixels)
        return logits.to(images.dtype)

    def _normalised(self, images: Tensor) -> Tensor:
        if self.height is not None:
            images = enlarged(images, self.height)
        if self.mean is None or self.std is None:
            return images - self.centre
        if len(self.mean) != images.shape[1]:
            raise ValueError(f"weights for images of {len(self.mean)} channels cannot see those of {images.shape[1]}")
        return (images - self.mean) / self.std


def images_at_once(model: nn.Module, shape: tuple[int, ...], device: torch.device) -> int:
    """How many images (C, H, W) go through `model` best at a time, if each counts for itself."""
    channels, rows, columns = shape
    height = getattr(model, "height", None) or rows
    return at_once((channels, height, height * columns // rows), device)


def enlarged(images: Tensor, height: int) -> Tensor:
    """Bilinear enlargement (N, C, H, W) to `height` pixels, aspect kept; its gradient is deterministic on a GPU too.

    Raises ValueError if it would make images smaller.
    """
    rows, columns = images.shape[-2:]
    if height < rows:
        raise ValueError(f"images of {rows} pixels are higher than the {height} that they are to be enlarged to")
    down, across = (
        _interpolation(length, size, images.device).to(images.dtype)
        for length, size in ((rows, height), (columns, height * columns // rows))
    )
    return down @ images @ across.T


def _interpolation(length: int, size: int, device: torch.device) -> Tensor:
    """The weights (size, length) of `length` pixels in the `size` pixels that cover the same stretch."""
    places = ((torch.arange(size, device=device) + 0.5) * length / size - 0.5).clamp(0, length - 1)
    return (1 - (places[:, None] - torch.arange(length, device=device)).abs()).clamp(min=0)


def classifier_layers(body: nn.Module) -> list[str]:
    """The names of the layers of a network that stand for classes: timm tells them, else it is the last linear one."""
    told = getattr(body, "pretrained_cfg", {}).get("classifier")
    if told:
        return [told] if isinstance(told, str) else list(told)
    return [name for name, layer in body.named_modules() if isinstance(layer, nn.Linear)][-1:]


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


def two_linear(num_classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """Two linear layers without bias and with nothing between them: a linear map, the surrogate of PIL."""
    pixels = channels * size[0] * size[1]
    first, second = nn.Linear(pixels, num_classes, bias=False), nn.Linear(num_classes, num_classes, bias=False)
    return nn.Sequential(nn.Flatten(), first, second)


MODELS: dict[str, Callable[..., nn.Module]] = {
    "cnn": cnn,
    "resnet18": resnet18,
    "vgg16": vgg16,
    "two_linear": two_linear,
}
"""Functions of the numbers of classes and channels and, for those in FLAT, of the image's height and width."""
FLAT = {"two_linear"}
"""Networks over flattened pixels: they need the image's size, and take pixels as they are, without normalisation."""
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
    raise ValueError(f"unknown model {brief(name)}{hint or '; choices: ' + ', '.join(MODELS) + ', timm/NAME'}")


ModelName = Annotated[str, AfterValidator(check_name)]
"""A setting that names a network."""


def build(
    name: str, *, num_classes: int, channels: int, generator: torch.Generator, size: tuple[int, int] | None = None
) -> Classifier:
    """Build the network called `name`, its weights drawn from `generator`.

    `timm/NAME` gives timm's network of that name, untrained. Raises ValueError, with the choices, for an unknown name,
    and if a network over flattened pixels is not told the `size` (height, width) of the images.
    """
    check_name(name)
    if name in FLAT and size is None:
        raise ValueError(f"{name} needs the size of the images")
    with default_randomness(generator):
        if name.startswith(TIMM):
            import timm

            body = timm.create_model(name.removeprefix(TIMM), num_classes=num_classes, in_chans=channels)
            pairs = []  # not every network of timm can be traced
        else:
            body = MODELS[name](num_classes, channels, *([size] if name in FLAT else []))
            pairs = convolutions_with_norm(body.eval())  # in training mode dropout draws, which cannot be traced
            body.train()
    return Classifier(body, pairs, centre=0.0 if name in FLAT else 0.5).to(memory_format=torch.channels_last)
