"""Arrays that other people saved, read without running code that a file may name."""

import pickle
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from bench.core import KnownFile, brief, empty, head_of, read_tensor, some, suggestion

NUMBERS = re.compile(r"[<>|=]?[iufb]\d+")
"""Names of types of numbers in a pickle."""
CHUNK = 2**24
"""Bytes read at a time."""
OURS = "protection"
"""What the suite calls noise in its own files."""


class Arrays(NamedTuple):
    """What a file holds: noise or images, and perhaps the labels of its rows."""

    values: Tensor
    """Four axes, of which the first counts images or classes; whole numbers or floats."""
    labels: Tensor | None


@lru_cache(maxsize=64)
def shape_of(file: KnownFile, array: str) -> tuple[int, ...]:
    """The shape of a file's values. Raises as `read` does."""
    return tuple(read(file, array).values.shape)


def read(file: KnownFile, array: str) -> Arrays:
    """The arrays in a file of numpy, torch or safetensors, or in a pickle, by the ending of its name.

    `array` names the noise or the images; if it is empty there must be one alone. Raises ValueError for any other file,
    and for one that names code; UserError if the file is gone or changed.
    """
    path = file.unchanged()
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{file.written}: ends in {path.suffix or 'nothing'}; known are {', '.join(READERS)}")
    try:
        tensors = {name: tensor for name, value in _named(reader(path)) if (tensor := _tensor(value)) is not None}
    except Exception as error:  # a damaged or foreign file makes its reader raise anything
        raise ValueError(f"{file.written}: not readable ({head_of(error)})") from None
    images = {name: tensor for name, tensor in tensors.items() if tensor.ndim in (3, 4) and tensor.numel()}
    if array and array not in images:
        raise ValueError(f"{file.written}: has no array of images called {brief(array)}{suggestion(array, images)}")
    if not array and len(images) != 1:
        held = (
            f"several arrays of images; write which: array: NAME, of {some(images)}" if images else "no array of images"
        )
        raise ValueError(f"{file.written}: holds {held}")
    values = images[array or next(iter(images))]
    found = [label for one in tensors.values() if (label := _labels(one, len(values))) is not None]
    if len(found) > 1:
        raise ValueError(f"{file.written}: holds several arrays of labels; save one at most")
    return Arrays(values if values.ndim == 4 else values[:, None], found[0] if found else None)


def _named(found: Any) -> Iterator[tuple[str, Any]]:
    """What a file holds, by name; the parts of a list by their numbers."""
    if isinstance(found, list | tuple):
        found = dict(enumerate(found))
    return ((str(name), value) for name, value in (found.items() if isinstance(found, Mapping) else [("", found)]))


def _labels(tensor: Tensor, rows: int) -> Tensor | None:
    """A tensor as the labels of so many rows: numbers, or rows of which one is 1 and the rest 0; None if it is none."""
    if tensor.ndim not in (1, 2) or len(tensor) != rows:
        return None
    table = tensor.double()
    if tensor.dtype == torch.bool or not table.isfinite().all():
        return None
    if tensor.ndim == 2 and tensor.shape[1] > 1:
        hot = bool(((table == 0) | (table == 1)).all() and (table.sum(1) == 1).all())
        return table.argmax(1) if hot else None
    return table.flatten().long() if bool((table == table.round()).all()) else None


def _tensor(value: Any) -> Tensor | None:
    """An array of numbers as a tensor; None for whatever else a file may hold."""
    if isinstance(value, _Array):
        value = value.values
    if isinstance(value, list | tuple) and value and all(isinstance(item, int | np.integer) for item in value):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        wide = value.dtype.kind == "u" and value.itemsize > 1  # torch computes little with these
        value = torch.from_numpy(np.ascontiguousarray(value, np.int64 if wide else value.dtype.newbyteorder("=")))
    if not isinstance(value, Tensor) or value.is_complex():
        return None
    return value.detach().to_dense() if value.layout != torch.strided else value.detach()


def _npy(file: Path) -> Any:
    """The array; what torch knows is read in parts, into a file if it is large."""
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    try:
        dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
    except (TypeError, ValueError):
        return np.load(file, allow_pickle=False)
    if not array.flags.c_contiguous:
        return np.load(file, allow_pickle=False)
    values = empty(array.shape, dtype)
    with file.open("rb") as stream:  # not as it is mapped: a file that gets shorter would end the process
        stream.seek(array.offset)
        into: Any = values.reshape(-1).view(torch.uint8).numpy()
        done = 0
        while done < len(into):
            count = stream.readinto(into[done : done + CHUNK])
            if not count:
                raise ValueError("it is shorter than its header says")
            done += count
    return values


def _npz(file: Path) -> Any:
    return dict(np.load(file, allow_pickle=False))


def _torch(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError:  # what torch says of it advises to run the code
        raise ValueError("it holds more than tensors; save the tensor alone") from None


def _safetensors(file: Path) -> Any:
    try:
        return read_tensor(file, OURS)[0]
    except ValueError:
        return safetensors.torch.load_file(file)


def _pickled(file: Path) -> Any:
    with file.open("rb") as stream:
        return _Plain(stream, encoding="latin1").load()


class _Type:
    """What stands for a type of numbers: no more of it is believed than its name and the order of its bytes."""

    def __init__(self, name: Any, *_: Any) -> None:
        if not isinstance(name, str) or not NUMBERS.fullmatch(name):
            raise pickle.UnpicklingError(f"its values are {name}, which are no numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """What stands for an array until its values come."""

    values: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self.values = _values(content, kind, shape, "F" if fortran else "C")


def _values(content: Any, kind: _Type, shape: Any, order: Any = "C", axes: Any = None) -> Any:
    content = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError("the values of an array are no bytes")
    flat = np.frombuffer(bytearray(content), kind.dtype)
    return flat.reshape(shape).transpose(axes) if order == "K" else flat.reshape(shape, order=order)


STANDS_FOR: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): None,  # named, never called
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "scalar"): lambda kind, content: _values(content, kind, ())[()],
    ("numpy._core.numeric", "_frombuffer"): _values,
    ("_codecs", "encode"): lambda text, _: text.encode("latin1"),  # how Python 3 writes the bytes of old pickles
    ("collections", "OrderedDict"): dict,
}
"""What is taken for all that a pickle of plain arrays names: numpy's own would do more than is asked for here."""


class _Plain(pickle.Unpickler):
    """Reads arrays, numbers, text, and lists and mappings of them; whatever else a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        known = module.replace("numpy.core", "numpy._core"), name  # as it was called before numpy 2
        if known not in STANDS_FOR:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array; save it with numpy.save")
        return STANDS_FOR[known]


READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".pt": _torch,
    ".pth": _torch,
    ".safetensors": _safetensors,
    ".pkl": _pickled,
    ".pickle": _pickled,
}
