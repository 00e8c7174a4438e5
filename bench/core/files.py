"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


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
