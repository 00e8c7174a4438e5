"""MedMNIST, through the package `medmnist`."""

import importlib.util
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from bench.core.data import ImageDataset, Outline, Split
from bench.core.datasets.base import About, DatasetSettings
from bench.core.errors import UserError, suggestion
from bench.core.memory import empty, parts

TASKS = ("multi-class", "binary-class", "ordinal-regression")
"""Those with one label for each image."""


class MedMnist(DatasetSettings):
    """MedMNIST, medical images of 28x28 to 224x224, one of eleven sets by `flag` (Yang 2023); downloaded on first use.

    Needs `pip install 'unlearnable-bench[medmnist]'`. The whole set is read into memory.
    """

    about: ClassVar[About] = About(
        images="by `flag`: pathmnist has 89,996 + 7,180, of 28, 64, 128 or 224 pixels",
        classes="by `flag`: from 2 to 11",
        licence="CC BY 4.0, of dermamnist CC BY-NC 4.0",
        checksum="MD5, as the package has it for each flag and size",
        split="the official train and test; the official val is left out",
        preprocessing="none; grey images get three equal channels",
        source="Yang et al., MedMNIST v2, Scientific Data 2023; https://medmnist.com",
    )

    flag: str = "pathmnist"
    """Which of the sets: pathmnist, dermamnist, octmnist, bloodmnist, ...; one of flat images with one label each."""
    size: Literal[28, 64, 128, 224] = 28
    """Height and width in pixels."""

    def outline(self, root: Path) -> Outline:
        info = self._info()
        images = info["n_samples"]
        return Outline(images["train"], self.shape, len(info["label"]), images["test"])

    def is_there(self, root: Path) -> bool:
        return (root / self._file).is_file()

    def by_hand(self, root: Path) -> str:
        info, end = self._info(), self._end
        return f"get {self._file} (md5 {info[f'MD5{end}']}) from {info[f'url{end}']} and put it into {root}"

    def fetch(self, root: Path) -> str:
        root.mkdir(parents=True, exist_ok=True)
        self._official(root, "train", download=True)  # does nothing but to compare the checksum if the file is there
        return ""

    def load(self, root: Path) -> Split:
        return Split(*(self._part(self._official(root, name)) for name in ("train", "test")))

    def _part(self, part: Any) -> ImageDataset:
        pixels = torch.from_numpy(part.imgs)
        images = empty((len(pixels), *self.shape), torch.uint8)
        for rows in parts(len(pixels), self.shape):
            chosen = pixels[rows]
            images[rows] = chosen[:, None] if chosen.ndim == 3 else chosen.permute(0, 3, 1, 2)
        return ImageDataset(images, torch.from_numpy(part.labels).long().flatten(), len(self._info()["label"]))

    def _official(self, root: Path, part: str, *, download: bool = False) -> Any:
        import medmnist

        kind = getattr(medmnist, self._info()["python_class"])
        return kind(split=part, root=str(root), size=self.size, download=download)

    def _info(self) -> dict[str, Any]:
        """What the package knows of the set. Raises UserError if it is none to train on, or the package is missing."""
        if not importlib.util.find_spec("medmnist"):
            raise UserError("medmnist: needs a package: pip install 'unlearnable-bench[medmnist]'")
        from medmnist import INFO

        usable = [flag for flag, info in INFO.items() if info["task"] in TASKS and not flag.endswith("3d")]
        if self.flag not in usable:
            raise UserError(
                f"medmnist: flag {self.flag!r}: no such set of flat images with one label each"
                f"{suggestion(self.flag, usable)}"
            )
        info: dict[str, Any] = INFO[self.flag]
        return info

    @property
    def _end(self) -> str:
        """What the package appends to names of larger images."""
        return "" if self.size == 28 else f"_{self.size}"

    @property
    def _file(self) -> str:
        return f"{self.flag}{self._end}.npz"
