"""The data sets by name: the only downloads, and the only reading of images."""

from bench.core.datasets.base import DatasetSettings, Names
from bench.core.datasets.cifar import Cifar10, Cifar100
from bench.core.datasets.facescrub import FaceScrub
from bench.core.datasets.folder import Folder
from bench.core.datasets.huggingface import HuggingFace
from bench.core.datasets.imagenet import ImageNet100
from bench.core.datasets.medmnist import MedMnist
from bench.core.datasets.svhn import Svhn
from bench.core.datasets.synthetic import Synthetic
from bench.core.datasets.tiny_imagenet import TinyImageNet

DATASETS: dict[str, type[DatasetSettings]] = {
    "cifar10": Cifar10,
    "cifar100": Cifar100,
    "svhn": Svhn,
    "tiny_imagenet": TinyImageNet,
    "imagenet100": ImageNet100,
    "facescrub": FaceScrub,
    "medmnist": MedMnist,
    "folder": Folder,
    "huggingface": HuggingFace,
    "synthetic": Synthetic,
}

__all__ = ["DATASETS", "Cifar10", "DatasetSettings", "Folder", "Names", "Synthetic"]
