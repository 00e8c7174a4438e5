"""The fixed images that measures look at."""

import torch
from torch import Tensor, nn

AT_ONCE = 500
"""Images in one forward pass."""


def balanced(labels: Tensor, count: int) -> Tensor:
    """Indices of the first `count` images, or all if there are fewer, with the classes taken in turn."""
    place = torch.empty_like(labels)
    for label in labels.unique():
        mine = labels == label
        place[mine] = torch.arange(int(mine.sum()), device=labels.device)
    return torch.argsort(place, stable=True)[:count].sort().values


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    """What the frozen `model` says of `images` (N, C, H, W), without gradients: (N, classes)."""
    with torch.no_grad():
        return torch.cat([model(part) for part in images.split(AT_ONCE)])
