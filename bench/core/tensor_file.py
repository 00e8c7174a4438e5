"""Files of tensors that know whether they are as they were written.

Their format is that of https://github.com/huggingface/safetensors: the header's length in 8 bytes, the header as JSON,
the values. The header also holds the digest of all the rest. A large tensor is written in parts and read by mapping:
the library's own reader cannot open a file that is larger than the machine's memory.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import torch
from pydantic_core import from_json
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from bench.core.files import write_whole
from bench.core.memory import mapped
from bench.core.settings import digest

DTYPES = {"I8": torch.int8, "U8": torch.uint8}
METADATA, CHECKSUM = "__metadata__", "checksum"
UNKNOWN = "0" * 16
"""Keeps the place of a checksum."""
LONGEST = 100_000_000
"""Bytes of a header, as the library has it."""
CHUNK = 2**20
"""Bytes read at a time for a checksum."""
Header = dict[str, Any]


def write_tensor(
    file: Path, name: str, parts: Iterable[Tensor], *, shape: Sequence[int], dtype: torch.dtype, about: dict[str, Any]
) -> None:
    """Write the tensor called `name`, whose rows come in `parts`, all or nothing. Callers hold the lock of `file`."""
    [kind] = [kind for kind, known in DTYPES.items() if known == dtype]
    entry = {"dtype": kind, "shape": list(shape), "data_offsets": [0, math.prod(shape)]}
    header = {METADATA: {"about": json.dumps(about)}, name: entry}
    with write_whole(file) as stream:
        start = stream.write(_encoded(header, UNKNOWN))
        checksum = digest(header, content=_written(parts, stream))
        if stream.tell() != start + math.prod(shape):
            raise ValueError(f"{file}: the parts of {name} do not add up to {tuple(shape)}")
        stream.seek(0)
        stream.write(_encoded(header, checksum))


def read_tensor(file: Path, name: str, *, check: bool = True) -> tuple[Tensor, dict[str, Any]]:
    """Map the tensor called `name`: nobody's writing to it reaches the file. Raises ValueError for any other file.

    Without `check` its bytes are believed, which spares to read them all.
    """
    header, start = _read_header(file, check=check)
    about = _told(header, "about")
    try:
        entry = header[name]
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        complete = entry["data_offsets"] == [0, math.prod(shape)] == [0, file.stat().st_size - start]
        complete = complete and all(type(size) is int and size >= 0 for size in shape)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its header does not describe {name}: {error!r}") from None
    if not complete:
        raise ValueError(f"it does not hold the {tuple(shape)} values that its header promises")
    return mapped(file, start, shape, dtype), about


def write_tensors(file: Path, tensors: dict[str, Tensor], **about: Any) -> None:
    """Write small tensors by name, and JSON values that tell of them, all or nothing.

    Callers hold the lock of `file`.
    """
    metadata = {name: json.dumps(value) for name, value in about.items()}
    content = memoryview(save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, metadata))
    start = 8 + int.from_bytes(content[:8], "little")
    header, values = json.loads(bytes(content[8:start])), content[start:]
    with write_whole(file) as stream:
        stream.write(_encoded(header, digest(header, content=[values])))
        stream.write(values)


def read_tensors(file: Path, name: str) -> tuple[dict[str, Tensor], Any]:
    """All tensors by name, on the CPU, and the list or mapping called `name`. Raises ValueError for any other file."""
    about = read_about(file, name)
    try:
        return load_file(file), about
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def read_about(file: Path, name: str) -> Any:
    """The list or mapping called `name` that tells of the tensors. Raises ValueError for any other file."""
    header, _ = _read_header(file)
    return _told(header, name)


def _read_header(file: Path, *, check: bool = True) -> tuple[Header, int]:
    """The header of a file without its checksum, and where the values begin.

    Raises ValueError if the file is damaged. Files of earlier versions have no checksum: their values are believed.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > min(size - 8, LONGEST):
            raise ValueError("its header is not whole")
        header = from_json(stream.read(length))
        if not isinstance(header, dict) or not isinstance(header.get(METADATA), dict):
            raise ValueError("its header tells nothing of it")
        checksum = header[METADATA].pop(CHECKSUM, None)
        if (
            check
            and checksum is not None
            and checksum != digest(header, content=iter(partial(stream.read, CHUNK), b""))
        ):
            raise ValueError("its bytes are not those that were written")
    return header, 8 + length


def _told(header: Header, name: str) -> Any:
    try:
        told = json.loads(header[METADATA][name])
    except (KeyError, TypeError) as error:
        raise ValueError(f"its header tells nothing of it: {error!r}") from None
    if not isinstance(told, list | dict):
        raise ValueError("its header tells nothing of it")
    return told


def _encoded(header: Header, checksum: str) -> bytes:
    """The length and the header with its checksum, filled up to whole words."""
    known = {**header, METADATA: {**header[METADATA], CHECKSUM: checksum}}
    text = json.dumps(known, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _written(parts: Iterable[Tensor], stream: BinaryIO) -> Iterator[memoryview]:
    """The bytes of each part, after they are written."""
    for part in parts:
        values: memoryview = part.cpu().contiguous().reshape(-1).numpy().data
        stream.write(values)
        yield values
