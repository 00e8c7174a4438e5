"""Arrays that other people saved, read without running code that a file may name."""

import pickle
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from bench.core import KnownFile, mapped, read_tensor

KNOWN = {
    ("_codecs", "encode"),  # how Python 3 writes the bytes of old pickles
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
"""All that a pickle of plain arrays names."""
OURS = "protection"
"""What the suite calls noise in its own files."""


class Arrays(NamedTuple):
    """What a file holds: noise or images, and perhaps the labels of its rows."""

    values: Tensor
    """Four axes, of which the first counts images or classes; whole numbers or floats."""
    labels: Tensor | None


@lru_cache(maxsize=64)
def shape_of(file: KnownFile) -> tuple[int, ...]:
    """The shape of a file's values. Raises as `read` does."""
    return tuple(read(file).values.shape)


def read(file: KnownFile) -> Arrays:
    """The arrays in a file of numpy, torch or safetensors, or in a pickle, by the ending of its name.

    Raises ValueError for any other file, for one that names code, and if not exactly one array can be images; UserError
    if the file is gone or changed.
    """
    path = file.unchanged()
    if path.suffix not in READERS:
        raise ValueError(f"{file.written}: ends in {path.suffix or 'nothing'}; known are {', '.join(READERS)}")
    try:
        found = READERS[path.suffix](path)
        named = found if isinstance(found, Mapping) else {"": found}
        tensors = {str(name): tensor for name, value in named.items() if (tensor := _tensor(value)) is not None}
    except Exception as error:  # a damaged or foreign file makes its reader raise anything
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ValueError(f"{file.written}: not readable ({reason})") from None
    images = {name: tensor for name, tensor in tensors.items() if tensor.ndim in (3, 4) and tensor.numel()}
    if len(images) != 1:
        held = f"several arrays of images ({', '.join(images)})" if images else "no array of images"
        raise ValueError(f"{file.written}: holds {held}; save a single one, of four axes")
    [values] = images.values()
    labels = [one.flatten().long() for one in tensors.values() if _labels(one, len(values))]
    if len(labels) > 1:
        raise ValueError(f"{file.written}: holds several arrays of labels; save one at most")
    return Arrays(values if values.ndim == 4 else values[:, None], labels[0] if labels else None)


def _labels(tensor: Tensor, rows: int) -> bool:
    """Whether a tensor may be the labels of so many rows."""
    return tensor.shape in ((rows,), (rows, 1)) and not tensor.is_floating_point() and tensor.dtype != torch.bool


def _tensor(value: Any) -> Tensor | None:
    """An array of numbers as a tensor; None for whatever else a file may hold."""
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        value = np.asarray(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        wide = value.dtype.kind == "u" and value.itemsize > 1  # torch computes little with these
        value = torch.from_numpy(np.ascontiguousarray(value, np.int64 if wide else value.dtype.newbyteorder("=")))
    return value.detach() if isinstance(value, Tensor) and not value.is_complex() else None


def _npy(file: Path) -> Any:
    """A mapped array, if torch can map it as it lies there; else a copy."""
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    try:
        dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
    except (TypeError, ValueError):
        return array
    return mapped(file, array.offset, array.shape, dtype) if array.flags.c_contiguous and array.size else array


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


class _Plain(pickle.Unpickler):
    """Reads arrays, numbers, text, and lists and mappings of them; whatever else a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")  # as it was called before numpy 2
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array; save it with numpy.save")
        return getattr(import_module(module), name)


READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".pt": _torch,
    ".pth": _torch,
    ".safetensors": _safetensors,
    ".pkl": _pickled,
    ".pickle": _pickled,
}
