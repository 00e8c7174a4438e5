"""Files that are there whole or not at all, and JSON that people can review."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bench.core.errors import brief
from bench.core.settings import is_usable

DEEPEST = 100
"""Lists and mappings within each other: more than anything needs, and fewer than those who read JSON take."""


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

    Raises ValueError for what `check_values` refuses, and TypeError for what JSON does not know.
    """
    check_values(value)
    return _laid_out(value, 0) + "\n"


def check_values(found: Any, depth: int = 0) -> None:
    """Raise ValueError for what JSON does not give back, such as keys that are no text, 1e999, or deep nesting."""
    if isinstance(found, dict):
        for key in found:
            if not isinstance(key, str):
                raise ValueError(f"a key is no text: {brief(key)}")
        found = list(found.values())
    if isinstance(found, list | tuple):
        if depth == DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} lists or mappings")
        for one in found:
            check_values(one, depth + 1)
    elif isinstance(found, int | float) and not is_usable(found):
        raise ValueError(f"a number is not finite or too large: {brief(found)}")
    elif hasattr(found, "tolist"):
        raise ValueError(f"values of NumPy or torch need .tolist(): {brief(found)}")


def check_entries(found: dict[str, Any], whose: str) -> None:
    """Raise ValueError, which names `whose` and the entry, for one that no file of JSON gives back as it is."""
    for key, value in found.items():
        try:
            to_json({key: value}).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(f"{whose}: {key}: {error}") from error


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
