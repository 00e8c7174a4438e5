"""Adversarial examples: the inner maximisers of adversarial training and of the methods made against it.

Each returns the perturbed images of the whole batch, float (N, C, H, W) in [0, 1] and in the ball, also where the
network is wrong already. Freeze the model around the call; `generator` is the only randomness.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.core.perturb import ascend, loss_gradient, uniform
from bench.core.revision import Part, revised

Maximiser = Literal["pgd", "fgsm", "tpgd", "apgd"]
"""What `maximise` runs, by name."""


class Ball(Protocol):
    """The perturbations an adversary may choose from."""

    @property
    def radius(self) -> float:
        """Its size, in [0, 1] units of images."""

    def around(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        """The projection of points to the ball around `images` and to [0, 1]."""

    def direction(self, gradient: Tensor) -> Tensor:
        """The steepest ascent of unit size, for each image on its own."""

    def draw(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A random start for each of `images`."""

    def on_surface(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """A random perturbation of full size for each of `images`."""


@dataclass(frozen=True)
class Linf:
    """At most `radius` in each value."""

    radius: float

    def around(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        low, high = (images - self.radius).clamp_(min=0), (images + self.radius).clamp_(max=1)
        return lambda point: point.clamp(low, high)

    def direction(self, gradient: Tensor) -> Tensor:
        return gradient.sign()

    def draw(self, images: Tensor, generator: torch.Generator) -> Tensor:
        return uniform(images, self.radius, generator)

    def on_surface(self, images: Tensor, generator: torch.Generator) -> Tensor:
        draws = uniform(images, 1.0, generator)
        return draws * (self.radius / draws.abs().amax((1, 2, 3), keepdim=True))


@dataclass(frozen=True)
class L2:
    """At most `radius` in the l2 norm of an image's perturbation."""

    radius: float

    def around(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        def project(point: Tensor) -> Tensor:
            offset = point - images
            # Clipping to [0, 1] afterwards moves towards the images, so it never leaves the ball.
            return (images + offset * (self.radius / _norms(offset)).clamp(max=1)).clamp(0, 1)

        return project

    def direction(self, gradient: Tensor) -> Tensor:
        return gradient / _norms(gradient)

    def draw(self, images: Tensor, generator: torch.Generator) -> Tensor:
        share = torch.rand((len(images), 1, 1, 1), generator=generator, device=generator.device, dtype=images.dtype)
        return share * self.on_surface(images, generator)

    def on_surface(self, images: Tensor, generator: torch.Generator) -> Tensor:
        draws = torch.randn(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
        return self.radius * self.direction(draws)


def _norms(images: Tensor) -> Tensor:
    """l2 norm of each image, (N, 1, 1, 1), never 0."""
    norms: Tensor = torch.linalg.vector_norm(images, dim=(1, 2, 3), keepdim=True)
    return norms.clamp(min=torch.finfo(images.dtype).tiny)


def maximise(
    kind: Maximiser,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    ball: Ball,
    steps: int,
    rel_step_size: float,
    generator: torch.Generator,
) -> Tensor:
    """Run the maximiser called `kind`, each with the random start it is published with (FGSM without one).

    `fgsm` ignores `steps` and `rel_step_size`, `apgd` the latter.
    """
    if kind == "fgsm":
        return pgd(model, images, labels, ball=ball, steps=1, rel_step_size=1, generator=None)
    if kind == "apgd":
        return apgd(model, images, labels, ball=ball, steps=steps, generator=generator)
    if kind == "tpgd":
        return tpgd(model, images, ball=ball, steps=steps, rel_step_size=rel_step_size, generator=generator)
    return pgd(model, images, labels, ball=ball, steps=steps, rel_step_size=rel_step_size, generator=generator)


def maximiser(kind: Maximiser) -> Part:
    """The function that runs the maximiser called `kind`, and has its revision: FGSM is a PGD."""
    functions: dict[Maximiser, Part] = {"pgd": pgd, "fgsm": pgd, "tpgd": tpgd, "apgd": apgd}
    return functions[kind]


@revised(1)
def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    ball: Ball,
    steps: int,
    rel_step_size: float,
    generator: torch.Generator | None,
) -> Tensor:
    """Maximise the cross-entropy by projected gradient ascent (Madry et al., ICLR 2018).

    `generator` draws the start; None starts at the images themselves. One step of relative size 1 from there is FGSM.
    """
    project = ball.around(images)
    start = images if generator is None else project(images + ball.draw(images, generator))
    return ascend(
        start,
        lambda point: loss_gradient(model, point, labels),
        project,
        step_size=rel_step_size * ball.radius,
        steps=steps,
        direction=ball.direction,
    )


TPGD_START = 0.001
"""Standard deviation of the start: at the images themselves the divergence has no gradient."""


@revised(1)
def tpgd(
    model: nn.Module, images: Tensor, *, ball: Ball, steps: int, rel_step_size: float, generator: torch.Generator
) -> Tensor:
    """Maximise KL(f(images) || f(point)), without any label: the inner problem of TRADES (Zhang et al., ICML 2019)."""
    project = ball.around(images)
    with torch.no_grad():
        target = model(images).softmax(1)

    def gradient(point: Tensor) -> Tensor:
        point = point.detach().requires_grad_()
        divergence = F.kl_div(model(point).log_softmax(1), target, reduction="sum")
        return torch.autograd.grad(divergence, point)[0]

    draws = torch.randn(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
    return ascend(
        project(images + TPGD_START * draws),
        gradient,
        project,
        step_size=rel_step_size * ball.radius,
        steps=steps,
        direction=ball.direction,
    )


@revised(1)
def apgd(
    model: nn.Module, images: Tensor, labels: Tensor, *, ball: Ball, steps: int, generator: torch.Generator
) -> Tensor:
    """Maximise the cross-entropy with momentum and step sizes that adapt to each image (Croce and Hein, ICML 2020).

    Returns the point of the largest loss met, for every image, as training needs it. `steps` gradients, and a last
    evaluation without one.
    """
    project = ball.around(images)
    point = project(images + ball.on_surface(images, generator))
    previous = best = point
    loss, gradient = _losses(model, point, labels, last=steps == 0)
    best_loss, best_gradient = loss, gradient
    size = torch.full((len(images), 1, 1, 1), 2 * ball.radius, dtype=images.dtype, device=images.device)
    halved, loss_at_check = torch.ones_like(size, dtype=torch.bool), best_loss
    window, rises, since = max(int(0.22 * steps), 1), torch.zeros_like(loss), 0
    for step in range(steps):
        moved = project(point + size * ball.direction(gradient))
        if step:
            moved = project(point + 0.75 * (moved - point) + 0.25 * (point - previous))
        previous, point = point, moved
        loss_before = loss
        loss, gradient = _losses(model, point, labels, last=step == steps - 1)
        better = loss > best_loss
        best = torch.where(_each(better), point, best)
        best_gradient = torch.where(_each(better), gradient, best_gradient)
        best_loss = torch.where(better, loss, best_loss)
        rises, since = rises + (loss > loss_before), since + 1
        if since == window:
            stuck = ~halved & _each(best_loss <= loss_at_check)
            halved = stuck | _each(rises <= 0.75 * window)
            size = torch.where(halved, size / 2, size)
            point, gradient = torch.where(halved, best, point), torch.where(halved, best_gradient, gradient)
            loss_at_check, rises, since = best_loss, torch.zeros_like(loss), 0
            window = max(window - max(int(0.03 * steps), 1), max(int(0.06 * steps), 1))
    return best


def _each(flags: Tensor) -> Tensor:
    return flags.view(-1, 1, 1, 1)


def _losses(model: nn.Module, point: Tensor, labels: Tensor, *, last: bool = False) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each image (N,) and its gradient, which nobody needs of the last point: zeros there."""
    if last:
        with torch.no_grad():
            return F.cross_entropy(model(point), labels, reduction="none"), torch.zeros_like(point)
    point = point.detach().requires_grad_()
    losses = F.cross_entropy(model(point), labels, reduction="none")
    return losses.detach(), torch.autograd.grad(losses.sum(), point)[0]
