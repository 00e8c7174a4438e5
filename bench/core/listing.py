"""Which files of a folder are images to train on and to test with, before any is opened."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.core.errors import UserError, some
from bench.core.settings import digest

IGNORED = ("thumbs.db", "desktop.ini")
"""What systems leave in folders of images, beside hidden files."""


class Sample(NamedTuple):
    """An image by name, with its label. The name is relative to the folder, with slashes."""

    name: str
    label: int


class Contents(Protocol):
    """Encoded images: a path or the bytes of each."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Sequence[str | bytes]: ...


@dataclass(frozen=True)
class Listing:
    """The images of a data set that are in files, those to train on first."""

    folder: Path
    classes: Sequence[str]
    train: Sequence[Sample]
    test: Sequence[Sample]
    broken: dict[str, str] = field(default_factory=dict)
    """What is there and is no file of an image, by name, with the reason."""
    packed: Sequence[str] = ()
    """The files that hold all images, by name, if these have no files of their own."""
    unpacked: Contents | None = None
    """The images in them."""

    @property
    def samples(self) -> list[Sample]:
        """All images, in the order of their pixels."""
        return [*self.train, *self.test]

    @property
    def files(self) -> list[str]:
        """Every file that decides the pixels, by name."""
        return list(self.packed) or [sample.name for sample in self.samples]

    @property
    def contents(self) -> Contents:
        """The encoded images, in the same order."""
        return self.unpacked or [f"{self.folder}/{sample.name}" for sample in self.samples]

    @property
    def digest(self) -> str:
        """The name of which images there are and what they show, whatever their pixels: 16 hexadecimal digits."""
        return digest(self.classes, self.train, self.test, self.packed)

    def without(self, broken: dict[str, str]) -> "Listing":
        """The same without these images. Raises UserError if a class then has none to train on, or to test with."""
        left = [[sample for sample in part if sample.name not in broken] for part in (self.train, self.test)]
        for word, part in zip(("train on", "test with"), left, strict=True):
            there = {sample.label for sample in part}
            if missing := [name for label, name in enumerate(self.classes) if label not in there]:
                raise UserError(f"{self.folder}: no image to {word} of {some(missing)}")
        return Listing(self.folder, self.classes, left[0], left[1], packed=self.packed)


class Found(NamedTuple):
    """What is in the class folders of a folder: the names of files by class, and what is none, with the reason."""

    files: dict[str, list[str]]
    broken: dict[str, str]


def class_folders(folder: Path, part: str = "", *, most: int | None = None, strays: bool = True) -> Found:
    """Look into every folder of `folder`/`part`, each of which is a class; hidden files and folders are passed over.

    Only the first `most` by name are looked at. What is in no class is broken, or passed over without `strays`. Names
    are relative to `folder`. Raises UserError if it is missing, has no class, or has one without files.
    """
    place = folder / part
    if not place.is_dir():
        raise UserError(f"{place}: no such folder; see docs/data.md for the layout")
    prefix = f"{part}/" if part else ""
    found = Found({}, {})
    for entry in _entries(place):
        if not _holds(entry.is_dir):
            if strays:
                found.broken[prefix + entry.name] = "in no class: it is not in a folder of its own"
            continue
        if len(found.files) == most:
            break
        names = found.files.setdefault(entry.name, [])
        for name, reason in _below(
            entry, f"{prefix}{entry.name}/", set(map(_identity, (place, *place.resolve().parents)))
        ):
            if reason:
                found.broken[name] = reason
            else:
                names.append(name)
    if not found.files:
        raise UserError(f"{place}: no folder of a class is in it; see docs/data.md for the layout")
    if empty := [name for name, names in found.files.items() if not names]:
        raise UserError(f"{place}: no image is in {some(empty)}; fill or delete what is empty")
    return found


def same_classes(folder: Path, parts: Sequence[str], *found: Found) -> list[str]:
    """The classes, sorted. Raises UserError, which names the difference, if the two parts do not have the same."""
    first, second = (set(one.files) for one in found)
    if first != second:
        words = [
            f"only in {part}: {some(sorted(one - other))}"
            for part, one, other in zip(parts, (first, second), (second, first), strict=True)
            if one - other
        ]
        raise UserError(f"{folder}: {' and '.join(parts)} have different classes; {'; '.join(words)}")
    return sorted(first)


def samples(found: Found, classes: Sequence[str]) -> list[Sample]:
    """All files of `classes` with their labels, class by class."""
    return [Sample(name, label) for label, one in enumerate(classes) for name in found.files[one]]


def _entries(folder: Path | str) -> list["os.DirEntry[str]"]:
    """What is in a folder and not hidden, by name."""
    with os.scandir(folder) as entries:
        seen = [entry for entry in entries if entry.name[0] != "." and entry.name.lower() not in IGNORED]
    return sorted(seen, key=lambda entry: entry.name)


def _identity(place: "Path | os.DirEntry[str]") -> tuple[int, int]:
    """What is the same for every name of a file or folder."""
    found = place.stat()
    return found.st_dev, found.st_ino


def _holds(question: Callable[[], bool]) -> bool:
    """The answer of `is_dir` or `is_file`; a link that leads round to itself is neither."""
    try:
        return question()
    except OSError:
        return False


def _below(folder: "os.DirEntry[str]", prefix: str, above: set[tuple[int, int]]) -> Iterator[tuple[str, str]]:
    """The name of everything in a folder and below, with the reason why it cannot be an image; links are followed."""
    here = _identity(folder)
    if here in above:
        yield prefix[:-1], "a link to a folder that it is in"
        return
    for entry in _entries(folder.path):
        if _holds(entry.is_dir):
            yield from _below(entry, f"{prefix}{entry.name}/", above | {here})
        elif not _holds(entry.is_file):
            yield prefix + entry.name, "a broken link" if entry.is_symlink() else "no file: a pipe or a device"
        else:
            yield prefix + entry.name, ""
