"""The same algorithms written plainly, the way the published code does it: what the suite's speed is compared with.

Each image is transformed on its own in a Python loop, one random view after the other; gradients are also computed for
the weights, which no one needs; float32, default memory format.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.error_minimizing import ErrorMinimizing

PADDING = 4


class Centred(nn.Module):
    """A network body behind the subtraction of 1/2, in the default memory format."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body.to(memory_format=torch.contiguous_format)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.body(images - 0.5)
        return logits


def view(images: Tensor) -> Tensor:
    """Flip and crop of each image (32x32, black padding of 4), drawn from torch's default generator."""
    size = images.shape[-1]
    views = []
    for image in images:
        if torch.rand(()) < 0.5:
            image = image.flip(-1)
        top, left = (int(offset) for offset in torch.randint(2 * PADDING + 1, (2,)))
        views.append(F.pad(image, [PADDING] * 4)[:, top : top + size, left : left + size])
    return torch.stack(views)


def pgd(model: nn.Module, images: Tensor, labels: Tensor, radius: float, steps: int, rel_step_size: float) -> Tensor:
    """Projected gradient ascent from a uniform start."""
    point = (images + torch.empty_like(images).uniform_(-radius, radius)).clamp(0, 1)
    for _ in range(steps):
        point.requires_grad_()
        model.zero_grad()
        F.cross_entropy(model(point), labels).backward()
        assert point.grad is not None
        moved = point.detach() + rel_step_size * radius * point.grad.sign()
        point = (images + (moved - images).clamp(-radius, radius)).clamp(0, 1)
    return point.detach()


def noise_step(method: ErrorMinimizing, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The noise step of a member of the error-minimising family, one view after the other."""
    model.eval()
    noise = torch.empty_like(images).uniform_(-method.radius, method.radius)
    for _ in range(method.steps):
        noise.requires_grad_()
        for _ in range(method.samples):
            seen = view((images + noise).clamp(0, 1))
            if method.noise_step == "random":
                offset = torch.empty_like(seen).uniform_(-method.adv_radius, method.adv_radius)
                seen = (seen + offset).clamp(0, 1)
            elif method.noise_step == "pgd":
                settings = (method.adv_radius, method.adv_steps, method.adv_rel_step_size)
                seen = seen + (pgd(model, seen.detach(), labels, *settings) - seen).detach()
            model.zero_grad()
            F.cross_entropy(model(seen), labels).backward()
        assert noise.grad is not None
        moved = noise.detach() - method.rel_step_size * method.radius * noise.grad.sign()
        noise = moved.clamp(-method.radius, method.radius)
    return noise.detach()


def adversarial_update(
    model: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.SGD, radius: float, steps: int
) -> None:
    """One step of adversarial training."""
    model.eval()
    seen = pgd(model, view(images), labels, radius, steps, 0.2)
    model.train()
    optimiser.zero_grad()
    F.cross_entropy(model(seen), labels).backward()
    optimiser.step()
