"""Files that settings name: known by content, wherever they lie and whatever they are called."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from bench.core.errors import UserError, brief

HASH = "sha256:"
"""What the content of a file begins with, in records: before the first 16 hexadecimal digits of its hash."""


@dataclass(frozen=True)
class KnownFile:
    """A file whose content was read when the settings were. Equal by content."""

    content: str
    path: Path | None = field(default=None, compare=False)
    """Where it is; None if only its content is known, as from a record."""
    written: str = field(default="", compare=False)
    """How a user wrote its place."""

    def unchanged(self) -> Path:
        """Where it is. Raises UserError if nobody said so, and if it is gone or another one by now."""
        if self.path is None:
            raise UserError(f"{self.content}: only the hash of a file is known; name the file")
        try:
            now = content_of(self.path)
        except OSError as error:
            raise UserError(f"{self.written}: cannot be read any more ({error.strerror})") from None
        if now != self.content:
            raise UserError(f"{self.written}: changed since the grid was read; run again")
        return self.path


def content_of(path: Path) -> str:
    """What stands for a file in keys and records. Raises OSError if it cannot be read."""
    with path.open("rb") as stream:
        return HASH + hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def known_file(value: Any) -> KnownFile:
    """Read the name of a file, or what stands for one in a record. Raises ValueError for anything else."""
    if isinstance(value, KnownFile):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be the name of a file, got {brief(value)}")
    if value.startswith(HASH):
        return KnownFile(value)
    try:
        if Path(value).exists() and not Path(value).is_file():
            raise ValueError("it is no file")
        return KnownFile(content_of(Path(value)), Path(value).resolve(), value)
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        raise ValueError(f"{value}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def file_setting(parse: Callable[[Any], Any]) -> Any:
    """The annotations of a setting that names a file, which `parse` reads: a text in grids, its content in records."""
    return (
        BeforeValidator(parse),
        PlainSerializer(lambda known: known.content, return_type=str),
        WithJsonSchema({"type": "string"}),
    )


File = Annotated[KnownFile, *file_setting(known_file)]
"""A setting: a file, absolute or relative to the working folder. In the key stands its content."""
