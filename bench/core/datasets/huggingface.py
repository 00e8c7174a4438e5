"""Data sets in the formats of Hugging Face, through the package `datasets`, from files that are here."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from bench.core.datasets.base import BY_CONTENT, YOURS, About
from bench.core.datasets.image_files import PREPROCESSING, ImageFiles
from bench.core.errors import UserError, brief, one_line, suggestion
from bench.core.image_cache import CACHE, refuse_cache_inside
from bench.core.listing import Listing, Sample

SAVED = "dataset_dict.json"
"""Is in a folder that `save_to_disk` wrote."""


class Rows:
    """The encoded images of a column."""

    def __init__(self, table: Any, column: str) -> None:
        self._table, self._column = table, column

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, part: slice, /) -> Sequence[bytes]:
        return [image["bytes"] if image and image["bytes"] else b"" for image in self._table[part][self._column]]


class HuggingFace(ImageFiles):
    """Your own images as Hugging Face `datasets` keeps them: parquet files, or what `save_to_disk` wrote.

    Needs `pip install 'unlearnable-bench[huggingface]'`. Nothing is downloaded.
    """

    about: ClassVar[About] = About(
        images="as many as there are, made square at `size` pixels",
        classes="the names of the label column, or its values, sorted",
        licence=YOURS,
        checksum=BY_CONTENT,
        split="`train_split` and `test_split`, as the files name them: train-*.parquet, test-*.parquet",
        preprocessing=PREPROCESSING,
        source="you, or a copy from huggingface.co",
    )

    path: str
    """The folder of parquet files, or the one that `save_to_disk` wrote; relative to --data-root or absolute."""
    train_split: str = "train"
    test_split: str = "test"
    image_column: str = "image"
    label_column: str = "label"

    def listing(self, root: Path) -> Listing:
        folder = root / self.path
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; a path is relative to --data-root (docs/data.md)")
        splits = self._read(folder, root)
        for name in (self.train_split, self.test_split):
            if name not in splits:
                raise UserError(f"{folder}: no split {name!r}{suggestion(name, splits)}")
        halves = [splits[name] for name in (self.train_split, self.test_split)]
        for column in (self.image_column, self.label_column):
            for half in halves:
                if column not in half.column_names:
                    raise UserError(f"{folder}: no column {column!r}{suggestion(column, half.column_names)}")
        classes, labels = self._labels(halves)
        train, test = (
            [Sample(f"{name}[{row}]", label) for row, label in enumerate(half)]
            for name, half in zip((self.train_split, self.test_split), labels, strict=True)
        )
        files = sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
        packed = [str(file) for file in files if not any(part.startswith(".") for part in file.parts)]
        return Listing(folder, classes, train, test, packed=packed, unpacked=self._images(halves))

    def _read(self, folder: Path, root: Path) -> Any:
        """All splits by name. Raises UserError if they cannot be read, or the package is missing."""
        if not importlib.util.find_spec("datasets"):
            raise UserError("huggingface: needs a package: pip install 'unlearnable-bench[huggingface]'")
        import datasets

        refuse_cache_inside(folder, root)
        datasets.disable_progress_bars()
        try:
            if (folder / SAVED).is_file():
                return datasets.load_from_disk(str(folder))
            cache = str(root / CACHE / "huggingface")
            found = datasets.load_dataset_builder("parquet", data_dir=str(folder), cache_dir=cache).config.data_files
            # One by one: together, all would have the class names of the first.
            return {
                str(name): datasets.load_dataset("parquet", data_files=files, cache_dir=cache, split="train")
                for name, files in found.items()
            }
        except Exception as error:  # the package and what it stands on raise anything
            raise UserError(f"{folder}: no parquet files of images and labels ({error})") from None

    def _labels(self, halves: Sequence[Any]) -> tuple[list[str], list[list[int]]]:
        """The names of the classes, and the label of every image of each half. Raises UserError for what is no class.

        Names count, not numbers: two splits may number their classes differently.
        """
        named = [self._named(half) for half in halves]
        known = getattr(halves[0].features[self.label_column], "names", None)
        found = {*named[0], *named[1]}
        if known is None:
            if len({type(value) for value in found}) > 1:
                raise UserError(f"column {self.label_column!r}: the splits have labels of different kinds")
            known = sorted(found)
        if unknown := found - {*known}:
            raise UserError(f"column {self.label_column!r}: an image has the label {brief(next(iter(unknown)))}")
        numbers = {value: number for number, value in enumerate(known)}
        return [str(name) for name in known], [[numbers[value] for value in values] for values in named]

    def _named(self, half: Any) -> list[Any]:
        """The label of every image of a split: a name if its column has names, else the value itself."""
        names = getattr(half.features[self.label_column], "names", None)
        values = half[self.label_column][:]
        for value in values:
            if not isinstance(value, int | str) or (names and not 0 <= int(value) < len(names)):
                raise UserError(
                    f"column {self.label_column!r}: an image has the label {brief(value)}; must be one class"
                )
        return [names[value] for value in values] if names else values

    def _images(self, halves: Sequence[Any]) -> Rows:
        """The encoded images of both halves. Raises UserError for a path: its file may change, or not be there."""
        import datasets
        import pyarrow.compute

        encoded, name = datasets.Image(decode=False), self.image_column
        try:
            columns = [half.select_columns([name]).cast_column(name, encoded) for half in halves]
            both = datasets.concatenate_datasets(columns)
            stored, path = (pyarrow.compute.struct_field(both.data.column(0), part) for part in ("bytes", "path"))
        except (ValueError, TypeError, NotImplementedError, KeyError) as error:  # those of pyarrow are among these
            raise UserError(f"column {name!r}: holds no images ({one_line(str(error))})") from None
        outside = pyarrow.compute.and_(pyarrow.compute.is_null(stored), pyarrow.compute.is_valid(path))
        if pyarrow.compute.any(outside).as_py():
            raise UserError(
                f"column {self.image_column!r}: an image is only the path of a file; save the images themselves"
            )
        return Rows(both, self.image_column)
