"""Networks by name. Normalisation is the network's first layer, so every image outside is in [0, 1]."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from bench.core.augment import hats
from bench.core.compilation import Call, call
from bench.core.errors import head_of
from bench.core.folding import Pair, convolutions_with_norm
from bench.core.memory import at_once
from bench.core.network_names import FLAT, MODELS, check_name, maker, narrowing, whole
from bench.core.networks import TIMM, timm_network
from bench.core.revision import Part
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
        hats(_centres(length, size, images.device), length).to(images.dtype)
        for length, size in ((rows, height), (columns, height * columns // rows))
    )
    return down @ images @ across.T


def _centres(length: int, size: int, device: torch.device) -> Tensor:
    """(size,): where the centres of `size` pixels lie among the `length` pixels that cover the same stretch."""
    return ((torch.arange(size, device=device) + 0.5) * length / size - 0.5).clamp(0, length - 1)


def classifier_layers(body: nn.Module) -> list[str]:
    """The names of the layers of a network that stand for classes: timm tells them, else it is the last linear one."""
    told = getattr(body, "pretrained_cfg", {}).get("classifier")
    if told:
        return [told] if isinstance(told, str) else list(told)
    return [name for name, layer in body.named_modules() if isinstance(layer, nn.Linear)][-1:]


def build(
    name: str, *, num_classes: int, channels: int, generator: torch.Generator, size: tuple[int, int] | None = None
) -> Classifier:
    """Build the network called `name`, its weights drawn from `generator`.

    `NAME/8` has an eighth of the width. `timm/NAME` gives timm's network of that name, untrained, for images of `size`
    (height, width) if it takes one size only; `timm/NAME/patch4` cuts them into patches of 4 pixels.
    Raises ValueError, with the choices, for an unknown name, and if a network over flattened pixels has no size.
    """
    check_name(name)
    if name in FLAT and size is None:
        raise ValueError(f"{name} needs the size of the images")
    with default_randomness(generator):
        if name.startswith(TIMM):
            body = timm_network(name, num_classes, channels, size)
            pairs = []  # not every network of timm can be traced
        else:
            body = MODELS[whole(name)](num_classes, channels, *([size] if name in FLAT else []), **narrowing(name))
            pairs = convolutions_with_norm(body.eval())  # in training mode dropout draws, which cannot be traced
            body.train()
    return Classifier(body, pairs, centre=0.0 if name in FLAT else 0.5).to(memory_format=torch.channels_last)


def misfit(name: str, num_classes: int, shape: tuple[int, int, int]) -> str:
    """Why the network called `name` cannot learn images of `shape` (C, H, W), in a line; empty if it can."""
    return _misfit(maker(name), name, num_classes, shape)


@cache
def _misfit(_: Part, name: str, num_classes: int, shape: tuple[int, int, int]) -> str:
    """Tried on two images: only a network itself knows, and its names may come to mean others."""
    channels, height, width = shape
    generator = torch.Generator().manual_seed(0)
    try:
        model = build(name, num_classes=num_classes, channels=channels, size=(height, width), generator=generator)
        with torch.no_grad(), default_randomness(generator):
            logits = model(torch.zeros(2, *shape))
        reason = "" if logits.shape == (2, num_classes) else f"it returns {tuple(logits.shape)}"
    except ValueError as error:  # ours say it
        reason = str(error)
    except Exception as error:  # networks of timm raise anything
        reason = f"it fails on them: {head_of(error)}"
    return f"{name} cannot take images of {height}x{width} pixels ({reason})" if reason else ""
