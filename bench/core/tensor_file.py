"""Files of one tensor that are written in parts and read by mapping.

Their format is that of https://github.com/huggingface/safetensors: the header's length in 8 bytes, the
header as JSON, the values. The library's own reader cannot open a file that is larger than the machine's memory.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.core.files import write_whole
from bench.core.memory import mapped

DTYPES = {"I8": torch.int8, "U8": torch.uint8}


def write_tensor(
    file: Path, name: str, parts: Iterable[Tensor], *, shape: Sequence[int], dtype: torch.dtype, about: dict[str, Any]
) -> None:
    """Write the tensor called `name`, whose rows come in `parts`, all or nothing. Callers hold the lock of `file`."""
    [kind] = [kind for kind, known in DTYPES.items() if known == dtype]
    entry = {"dtype": kind, "shape": list(shape), "data_offsets": [0, math.prod(shape)]}
    content = {"__metadata__": {"about": json.dumps(about)}, name: entry}
    header = json.dumps(content, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with write_whole(file) as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for part in parts:
            stream.write(part.cpu().contiguous().numpy().data)
        if stream.tell() != 8 + len(header) + math.prod(shape):
            raise ValueError(f"{file}: the parts of {name} do not add up to {tuple(shape)}")


def read_tensor(file: Path, name: str) -> tuple[Tensor, dict[str, Any]]:
    """Map the tensor called `name`: nobody's writing to it reaches the file. Raises ValueError for any other file."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > size - 8:
            raise ValueError("its header is not whole")
        try:
            header = json.loads(stream.read(length))
            entry, about = header[name], json.loads(header["__metadata__"]["about"])
            dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
            complete = entry["data_offsets"] == [0, math.prod(shape)] and size == 8 + length + math.prod(shape)
        except (KeyError, TypeError) as error:
            raise ValueError(f"its header does not describe {name}: {error!r}") from None
    if not complete:
        raise ValueError(f"it does not hold the {tuple(shape)} values that its header promises")
    return mapped(file, 8 + length, shape, dtype), about
