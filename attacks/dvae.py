"""D-VAE: split the protected images into images and perturbations, without any clean image."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from attacks._dvae_network import DisentanglingVae, Parts
from bench.core import (
    Attack,
    Cost,
    Count,
    Fraction,
    ImageDataset,
    Positive,
    Session,
    batches,
    check_finite,
    default_randomness,
    generator_for,
)

MAX_NORM = 5.0
"""To which the gradient of all weights is clipped."""


class Dvae(Attack):
    """Train on reconstructions by variational autoencoders that set aside what adds to the images of a class.

    The autoencoder of the first stage finds the perturbations, which are taken off. That of the second, trained on
    the result, takes off what it still finds, and the victim sees its reconstruction of what is left.
    """

    title = "D-VAE"
    source = "D-VAE (Yu et al., ICML 2024, arXiv 2405.01460), released settings for CIFAR-10"
    repository = "yuyi-sd/D-VAE"
    deviations = (
        "images are rounded to the nearest grey level after each stage; the official code rounds down",
        "the maps of the class embedding take the size of the latents; the official ones fit images of 32x32 only",
        "images of every size have the network of CIFAR; for the ImageNet subset the official one has latents at an "
        "eighth of the resolution",
        "the victim has the recipe of the grid",
    )

    large: ClassVar[Mapping[str, Any]] = {"epochs": 20, "unbounded": 11 / 20}
    large_source: ClassVar[str] = "released settings for the ImageNet subset"

    epochs: Count = 60
    """Of each autoencoder; 100 for CIFAR-100."""
    batch_size: Count = 128
    lr: Positive = 5e-3
    """Of Adam, cosine to 0 epoch by epoch."""
    width: Annotated[int, Field(ge=2)] = 64
    """Channels of the encoder's first layers."""
    latents: Count = 256
    """Channels of the latent, at half the resolution of the images."""
    rates: Annotated[tuple[Positive, Positive], Field(strict=False)] = (1.0, 3.0)
    """Kappa of either stage: nats that each latent position may carry for nothing."""
    rate_weight: Positive = 0.01
    """Of the rate above kappa in the loss: that of the code for every kappa of 1 or more."""
    energy: Positive = 0.002
    """Mean square of the perturbations that costs nothing, in [0, 1] units: twice the most of noise within 8/255."""
    unbounded: Fraction = 11 / 60
    """Share of the epochs before the energy costs anything: the first 11, of 60 for CIFAR-10."""

    def prepare(self, released: ImageDataset, clean: ImageDataset, session: Session) -> ImageDataset:
        """Return the reconstructions, as uint8. Raises DivergedError if an autoencoder does not stay finite."""
        network = self._train(released, 0, session)
        rough = self._purified(released, network, without_perturbation, session.generator("dvae", "rough"))
        network = self._train(rough, 1, session)
        fine = self._purified(rough, network, without_perturbation, session.generator("dvae", "fine"))
        return self._purified(fine, network, reconstruction, session.generator("dvae", "reconstruction"))

    def cost(self, images: int, trained: int) -> Cost:
        """The training of both autoencoders."""
        epoch = self._per_epoch(images) * min(self.batch_size, images)
        return Cost.of_images(len(self.rates) * self.epochs * epoch)

    def _per_epoch(self, images: int) -> int:
        """Batches of an epoch."""
        return max(1, images // self.batch_size)

    def _train(self, data: ImageDataset, stage: int, session: Session) -> DisentanglingVae:
        """Train a fresh autoencoder on `data` with the kappa of the stage."""
        with default_randomness(generator_for(session.seed, "dvae", "weights", str(stage))):
            network = DisentanglingVae(
                num_classes=data.num_classes, shape=data.shape, width=self.width, latents=self.latents
            )
        network.to(memory_format=torch.channels_last).to(session.device)
        optimiser = Adam(network.parameters(), self.lr)
        scheduler = CosineAnnealingLR(optimiser, self.epochs)
        order = batches(len(data), self.batch_size, session.generator("dvae", "batches", str(stage)))
        generator = session.generator("dvae", "latents", str(stage))
        for epoch in range(self.epochs):
            bounded = epoch >= round(self.unbounded * self.epochs)
            for _ in range(self._per_epoch(len(data))):
                index = next(order)
                images = data.floats(index)
                session.count(len(images))
                loss = self.loss_of(network(images, data.labels[index], generator), images, self.rates[stage], bounded)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), MAX_NORM)
                optimiser.step()
            scheduler.step()
        check_finite(network)
        return network

    def loss_of(self, parts: Parts, images: Tensor, kappa: float, bounded: bool) -> Tensor:
        """What an autoencoder is trained on; the energy of the perturbations counts if it is `bounded`."""
        both = (parts.images + parts.perturbations).clamp(0, 1)
        loss = F.mse_loss(parts.images, images) + F.mse_loss(both, images)
        loss = loss + self.rate_weight * parts.rate.clamp(min=kappa)
        return loss + parts.perturbations.square().mean().clamp(min=self.energy) if bounded else loss

    @torch.no_grad()
    def _purified(
        self,
        data: ImageDataset,
        network: nn.Module,
        chosen: Callable[[Tensor, Parts], Tensor],
        generator: torch.Generator,
    ) -> ImageDataset:
        """The data with each image replaced by what is `chosen` of its parts, as uint8."""
        network.eval()

        def purify(part: slice) -> Tensor:
            images = data.floats(part)
            levels = 255 * chosen(images, network(images, data.labels[part], generator)).clamp(0, 1)
            return levels.round().to(torch.uint8)

        return data.filled(purify, batch_size=self.batch_size)


def without_perturbation(images: Tensor, parts: Parts) -> Tensor:
    """The images less what the network says was added to them; it may leave [0, 1]."""
    return images - parts.perturbations


def reconstruction(images: Tensor, parts: Parts) -> Tensor:
    """What the network makes of the images' latents."""
    return parts.images
