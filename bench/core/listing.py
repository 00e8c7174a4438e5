"""Which files of a folder are images to train on and to test with, before any is opened."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from bench.core.errors import UserError, some
from bench.core.settings import digest

IGNORED = ("thumbs.db", "desktop.ini")
"""What systems leave in folders of images, beside hidden files."""
SHOWN = 5
"""So many broken files are named."""


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

    def lack(self, broken: dict[str, str]) -> str:
        """Which classes have no image to train on, or to test with, without the `broken` ones; empty if none."""
        faults = []
        for word, part in (("train on", self.train), ("test with", self.test)):
            there = {sample.label for sample in part if sample.name not in broken}
            if missing := [name for label, name in enumerate(self.classes) if label not in there]:
                faults.append(f"no image to {word} of {some(missing)}")
        return "; ".join(faults)

    def refusal(self, broken: dict[str, str]) -> UserError:
        """What to say of files that are no image to use, with the reason of each, by name."""
        files = "1 file that is" if len(broken) == 1 else f"{len(broken):,} files that are"
        lack = self.lack(broken)
        advice = f"mend them, for without them there is {lack}" if lack else "mend or remove, or set skip_broken: true"
        return UserError(f"{self.folder}: {files} no image to use: {with_reasons(broken)}; {advice}")

    def without(self, broken: dict[str, str]) -> "Listing":
        """The same without these images. Raises UserError if a class then has none to train on, or to test with."""
        if lack := self.lack(broken):
            raise self.refusal(broken) if broken else UserError(f"{self.folder}: {lack}")
        left = [[sample for sample in part if sample.name not in broken] for part in (self.train, self.test)]
        return Listing(self.folder, self.classes, left[0], left[1])


def with_reasons(broken: dict[str, str]) -> str:
    """The first broken files with the reason of each, and how many more there are."""
    classes_first = sorted(broken.items(), key=lambda item: (item[0].count("/"), item[0]))
    first = ", ".join(f"{name} ({reason})" for name, reason in classes_first[:SHOWN])
    return first + (f" and {len(broken) - SHOWN:,} more" if len(broken) > SHOWN else "")


class Found(NamedTuple):
    """What is in the class folders of a folder: the names of files by class, and what is none, with the reason."""

    files: dict[str, list[str]]
    broken: dict[str, str]


def class_folders(
    folder: Path, part: str = "", *, most: int | None = None, strays: bool = True, tests: Sequence[str] = ()
) -> Found:
    """Look into every folder of `folder`/`part`, each of which is a class; hidden files and folders are passed over.

    Only the first `most` by name are looked at. What is in no class is broken, or passed over without `strays`; so is
    an empty class, and a file that is one of `tests` by another name. Names are relative to `folder`. Raises UserError
    if it is missing or has no class.
    """
    place = folder / part
    if not place.is_dir():
        raise UserError(f"{place}: no such folder; a path is relative to --data-root (docs/data.md)")
    prefix = f"{part}/" if part else ""
    found, known = Found({}, {}), {os.stat(f"{folder}/{name}").st_ino: f"{folder}/{name}" for name in tests}  # noqa: PTH116
    for entry in _entries(place):
        name = prefix + entry.name
        if not _holds(entry.is_dir):
            if strays:
                found.broken[name] = "in no class: it is not in a folder of its own"
            continue
        if len(found.files) == most:
            break
        every = dict(_below(entry, name, set(map(_identity, (place, *place.resolve().parents))), known))
        found.files[entry.name] = [name for name, reason in every.items() if not reason]
        found.broken.update((name, reason) for name, reason in every.items() if reason)
        if not every:
            found.broken[name] = "an empty class"
    if not found.files:
        raise UserError(f"{place}: no folder of a class is in it; see docs/data.md for the layout")
    return found


def same_classes(parts: Sequence[str], *found: Found) -> list[str]:
    """The classes of both parts, sorted. One that a part has not is broken there."""
    classes = sorted(set().union(*(one.files for one in found)))
    for part, other, one in zip(parts, reversed(parts), found, strict=True):
        for name in classes:
            if name not in one.files:
                one.files[name], one.broken[f"{part}/{name}"] = [], f"no such class, which {other} has"
    return classes


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


def _below(
    folder: "os.DirEntry[str]", name: str, seen: set[tuple[int, int]], tests: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """The name of everything in a folder and below, with the reason why it cannot be used; links are followed.

    Folders in `seen` are not looked into, nor is any twice: else links that lead round would have no end.
    """
    waiting = [(folder, name)]
    while waiting:
        entry, name = waiting.pop()
        if not _holds(entry.is_dir):
            yield name, _fault(entry, tests)
            continue
        try:
            here, inside = _identity(entry), _entries(entry.path)
        except OSError as error:
            yield name, error.strerror or str(error)
            continue
        if here in seen:
            yield name, "a link to a folder that is looked at anyway"
        else:
            seen.add(here)
            waiting += [(one, f"{name}/{one.name}") for one in reversed(inside)]


def _fault(entry: "os.DirEntry[str]", tests: Mapping[int, str]) -> str:
    """Why what is no folder cannot be an image to use; empty if it can."""
    if not _holds(entry.is_file):
        return "a broken link" if entry.is_symlink() else "no file: a pipe or a device"
    test = tests.get(entry.stat().st_ino if entry.is_symlink() else entry.inode(), "")
    return f"the same file as {test}, which is to test with" if test and os.path.samefile(entry, test) else ""  # noqa: PTH121
