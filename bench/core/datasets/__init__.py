"""The data sets by name: the only downloads, and the only reading of images."""

from bench.core.datasets.base import DatasetSettings
from bench.core.datasets.cifar import Cifar10
from bench.core.datasets.folder import Folder
from bench.core.datasets.synthetic import Synthetic

DATASETS: dict[str, type[DatasetSettings]] = {
    "cifar10": Cifar10,
    "folder": Folder,
    "synthetic": Synthetic,
}

__all__ = ["DATASETS", "Cifar10", "DatasetSettings", "Folder", "Synthetic"]
