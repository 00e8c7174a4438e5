"""The network of D-VAE: a variational autoencoder that decodes what adds to its images from a part of its own."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bench.core import ImageShape


class Parts(NamedTuple):
    """What the network sees in a batch."""

    images: Tensor
    """Reconstructions, in (0, 1), shaped as the images."""
    perturbations: Tensor
    """What adds to them, unbounded, of the same shape."""
    rate: Tensor
    """Kullback-Leibler divergence of the latents from N(0, 1) in nats for each latent position, batch mean, 0-d."""


class DisentanglingVae(nn.Module):
    """Encodes images (N, C, H, W) in [0, 1] to latents at half their resolution and decodes two parts from these.

    Images come from the latents alone. Perturbations come from the latents plus an embedding of the label, one map
    for each class. The encoder is the begin of a CIFAR ResNet-18, its `width` channels 64 there.
    """

    def __init__(self, *, num_classes: int, shape: ImageShape, width: int, latents: int) -> None:
        from torchvision.models.resnet import BasicBlock  # slow to import

        super().__init__()
        channels, height, width_of_image = shape
        self.size = (height, width_of_image)
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            BasicBlock(width, width),
            BasicBlock(width, width),
            BasicBlock(width, 2 * width, stride=2, downsample=_halved(width, 2 * width)),
        )
        self.mean = nn.Conv2d(2 * width, latents, 1)
        self.log_variance = nn.Conv2d(2 * width, latents, 1)
        self.expansion = nn.Conv2d(latents, 2 * width, 1)
        self.embedding = nn.Embedding(num_classes, 2 * width * -(-height // 2) * -(-width_of_image // 2))
        self.image = _decoder(width, channels)
        self.perturbation = _decoder(width, channels)

    def forward(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> Parts:
        """Split `images` with their `labels`, int64 (N,), by latents drawn from `generator`, in evaluation mode too."""
        features = self.encoder(images)
        mean, log_variance = self.mean(features), self.log_variance(features)
        noise = torch.randn(mean.shape, generator=generator, device=generator.device)
        code = self.expansion(mean + (0.5 * log_variance).exp() * noise)
        decoded = self._cropped(self.image(code)).sigmoid()
        perturbations = self._cropped(self.perturbation(code + self.embedding(labels).view(code.shape)))
        return Parts(decoded, perturbations, rate(mean, log_variance))

    def _cropped(self, decoded: Tensor) -> Tensor:
        """Without the last row or column that odd images do not have."""
        return decoded[..., : self.size[0], : self.size[1]]


def rate(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence from N(0, 1) of normal latents (N, latents, H, W): nats summed over dim 1, mean over the others."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()


def _halved(channels: int, width: int) -> nn.Sequential:
    """The shortcut of a residual block that halves the resolution."""
    return nn.Sequential(nn.Conv2d(channels, width, 1, 2, bias=False), nn.BatchNorm2d(width))


def _decoder(width: int, channels: int) -> nn.Sequential:
    """From 2 `width` channels to an image of twice the resolution."""
    return nn.Sequential(
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
        nn.ConvTranspose2d(width, width, 3, padding=1),
        nn.InstanceNorm2d(width),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(width, width // 2, 3, padding=1),
        nn.InstanceNorm2d(width // 2),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(width // 2, channels, 3, padding=1),
    )
