"""Files that are there whole or not at all, and JSON that people can review."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bench.core.errors import brief
from bench.core.settings import is_usable


@contextmanager
def write_whole(file: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes `file` at the end of the block; if the block fails, nothing changes.

    A killed process leaves a hidden `.partial` file, which the next try overwrites. Callers hold the lock of `file`.
    Raises OSError, which names it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(file)  # a full disk does not say where it is
        raise
    finally:
        partial.unlink(missing_ok=True)


def to_json(value: Any) -> str:
    """JSON that people can review: indented, with whatever fits a line of 120 on one line.

    Raises ValueError for numbers that no calculation takes, and TypeError for what JSON does not know.
    """
    check_numbers(value)
    return _laid_out(value, 0) + "\n"


def check_numbers(found: Any) -> None:
    """Raise ValueError for a number in JSON values that no calculation takes, such as 1e999."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            check_numbers(one)
    elif isinstance(found, int | float) and not is_usable(found):
        raise ValueError(f"a number is not finite or too large: {brief(found)}")


def _laid_out(value: Any, indent: int) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if indent + len(line) <= 120 or not isinstance(value, dict | list):
        return line
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    inner = [
        " " * (indent + 1)
        + ("" if key is None else json.dumps(key, ensure_ascii=False) + ": ")
        + _laid_out(item, indent + 1)
        for key, item in pairs
    ]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, ",\n".join(inner), " " * indent + closing])
