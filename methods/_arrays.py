"""Arrays that other people saved: read without running code that a file may hold."""

import hashlib
import io
import pickle
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

KNOWN = {
    ("_codecs", "encode"),  # how Python 3 writes the bytes of old pickles
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
"""All that a pickle of plain arrays names."""
CHUNK = 2**20
"""Bytes hashed at a time."""


class Arrays(NamedTuple):
    """What a file holds: one array of noise or images, and perhaps the labels that go with its rows."""

    values: Tensor
    """Four axes, the first one counts images or classes; of whole numbers or floats."""
    labels: Tensor | None


def content_of(file: Path) -> str:
    """The digest of a file's bytes, computed once for each state of the file. Raises OSError if it cannot be read."""
    about = file.stat()
    return _hashed(file, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(file: Path, _size: int, _time: int) -> str:
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(CHUNK):
            found.update(part)
    return found.hexdigest()[:16]


def shape_of(file: Path) -> tuple[int, ...]:
    """The shape of a file's array, read once for each state of the file. Raises ValueError as `read` does."""
    about = file.stat()
    return _shape(file, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _shape(file: Path, _size: int, _time: int) -> tuple[int, ...]:
    return tuple(read(file).values.shape)


def read(file: Path) -> Arrays:
    """The array of a file of numpy, torch or safetensors, or of a pickle of arrays, by the ending of its name.

    Raises ValueError for any other file, for one that names code, and if not exactly one array has the axes of images;
    OSError if it cannot be read.
    """
    if file.suffix not in READERS:
        raise ValueError(f"ends in {file.suffix or 'nothing'}; known are {', '.join(READERS)}")
    try:
        found = READERS[file.suffix](file)
    except OSError:
        raise
    except Exception as error:  # a damaged or foreign file makes its reader raise anything
        raise ValueError(f"not readable ({type(error).__name__}: {str(error).partition(chr(10))[0]})") from None
    named = found if isinstance(found, Mapping) else {"": found}
    tensors = {str(name): tensor for name, value in named.items() if (tensor := _tensor(value)) is not None}
    images = {name: tensor for name, tensor in tensors.items() if tensor.ndim in (3, 4) and tensor.numel()}
    if len(images) != 1:
        several = f"several arrays of images ({', '.join(images)})" if images else "no array of images"
        raise ValueError(f"holds {several}; save a single one, of four axes")
    [values] = images.values()
    labels = [one.long() for one in tensors.values() if one.ndim == 1 and not one.is_floating_point()]
    if len(labels) > 1:
        raise ValueError("holds several arrays of labels; save a single one")
    return Arrays(values if values.ndim == 4 else values[:, None], labels[0] if labels else None)


def _tensor(value: Any) -> Tensor | None:
    """An array of numbers as a tensor; None for whatever else a file may hold."""
    if isinstance(value, list):
        value = np.asarray(value) if all(isinstance(item, int) for item in value) else None
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        native = value.astype(value.dtype.newbyteorder("="), copy=False)
        return torch.from_numpy(native.astype(np.int32) if native.dtype.kind == "u" and native.itemsize > 1 else native)
    return value.detach() if isinstance(value, Tensor) and not value.is_complex() else None


def _numpy(file: Path) -> Any:
    found = np.load(file, mmap_mode="c" if file.suffix == ".npy" else None, allow_pickle=False)
    return dict(found) if isinstance(found, np.lib.npyio.NpzFile) else found


def _torch(file: Path) -> Any:
    return torch.load(file, map_location="cpu", weights_only=True)


def _safetensors(file: Path) -> Any:
    return safetensors.torch.load_file(file)


def _pickled(file: Path) -> Any:
    return _Plain(io.BytesIO(file.read_bytes()), encoding="latin1").load()


class _Plain(pickle.Unpickler):
    """Reads arrays, numbers, text, and lists and mappings of them; whatever else a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")  # as it was called before numpy 2
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array; save it with numpy.save")
        return getattr(import_module(module), name)


READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _numpy,
    ".npz": _numpy,
    ".pt": _torch,
    ".pth": _torch,
    ".safetensors": _safetensors,
    ".pkl": _pickled,
    ".pickle": _pickled,
}
