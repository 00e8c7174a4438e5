"""Orders of images of which every beginning holds the same share of each class."""

import torch
from torch import Tensor

from bench.core import ImageDataset


def stratified_order(data: ImageDataset, generator: torch.Generator) -> Tensor:
    """A random permutation of all indices: the first round(r N) are a share r of each class, to within one image."""
    order = torch.randperm(len(data), generator=generator, device=generator.device)
    start = torch.rand(data.num_classes, generator=generator, device=generator.device)
    turn = torch.empty(len(data), device=generator.device)
    for label in range(data.num_classes):
        rows = order[data.labels[order] == label]
        turn[rows] = (torch.arange(len(rows), device=generator.device) + start[label]) / max(len(rows), 1)
    return turn.argsort(stable=True)
