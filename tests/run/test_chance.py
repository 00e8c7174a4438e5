"""What a network that names one class reaches at most, as records keep it."""

import torch

from bench.core.data import ImageDataset
from bench.run.experiment import _chance


def labelled(*labels: int) -> ImageDataset:
    return ImageDataset(torch.zeros(len(labels), 3, 4, 4, dtype=torch.uint8), torch.tensor(labels), 3)


def test_it_is_the_share_of_the_most_frequent_class_of_either_part() -> None:
    assert _chance(labelled(0, 1, 2), labelled(0, 0, 1)) == 0.666667
    assert _chance(labelled(2, 2, 2, 1), labelled(0, 1)) == 0.75
