"""Orders of pictures of which every beginning holds the same share of each class."""

import torch
from torch import Tensor

from bench.data import ImageDataset


def stratified_order(data: ImageDataset, source: torch.Generator) -> Tensor:
    """A random permutation of all indices: the first round(r N) are a share r of each class, to within one picture."""
    order = torch.randperm(len(data), generator=source, device=source.device)
    start = torch.rand(data.num_classes, generator=source, device=source.device)
    turn = torch.empty(len(data), device=source.device)
    for label in range(data.num_classes):
        rows = order[data.labels[order] == label]
        turn[rows] = (torch.arange(len(rows), device=source.device) + start[label]) / max(len(rows), 1)
    return turn.argsort(stable=True)
