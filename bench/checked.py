"""Files that may not hold what they should: read, or named and set aside. And what all checks of JSON share."""

import itertools
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from bench.core.errors import UserError, brief, one_line
from bench.core.files import check_values, to_json
from bench.core.settings import HUGE, PROTOCOL, explained

T = TypeVar("T")
Record = dict[str, Any]
Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Protocol = Annotated[int, Field(ge=1, le=PROTOCOL)]
LONGEST = 2**26
"""Bytes of a record or a plan: far more than a training of a million looks writes."""
logger = logging.getLogger(__name__)
"""Its warnings are lines on standard error, unless someone configures it."""


def calculable(number: float) -> float:
    """Return a number. Raises ValueError if its square is not finite."""
    if abs(number) > HUGE:
        raise ValueError(f"must be between -{HUGE:g} and {HUGE:g}, but is {number:g}")
    return number


Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0), AfterValidator(calculable)]
Number = Annotated[float, AfterValidator(calculable)]


class NewerError(ValueError):
    """A newer version of the suite wrote the file: it is not damaged, but cannot be read here."""


class Part(BaseModel):
    """What is known of a part of a file. Other versions may write more; numbers are finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


def checked(model: TypeAdapter[Any], content: bytes) -> Record:
    """What a file holds, if the model allows it. Raises NewerError or ValueError, in one line, if not."""
    found: Record = from_json(content, allow_inf_nan=False)
    _check_age(found)
    try:
        model.validate_python(found)
    except ValidationError as error:
        raise ValueError(explained(error)) from None
    check_values(found)
    return found


def _check_age(found: Any) -> None:
    """Raise NewerError if a record or a plan says that it is of a later protocol, whatever else it holds."""
    for part in (found, found.get("cell")) if isinstance(found, dict) else ():
        protocol = part.get("protocol") if isinstance(part, dict) else None
        if type(protocol) is int and protocol > PROTOCOL:
            raise NewerError(f"written by a newer version (protocol {brief(protocol)}): update the suite")


def content_of(file: Path) -> bytes:
    """The bytes of a record or a plan. Raises ValueError if they are too many for one."""
    with file.open("rb") as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise ValueError(f"is longer than {LONGEST:,} bytes")
    return content


def readable(value: Record, read: Callable[[bytes], Record]) -> bytes:
    """The bytes of a record or a plan. Raises ValueError or TypeError if `read` would not give it back."""
    text = to_json(value)
    content = text.encode()
    if len(content) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} bytes, most of them in {_longest(value)}")
    found = read(content)
    if found != value and to_json(found) != text:  # tuples come back as lists
        raise ValueError("it would be read as something else")
    return content


def _longest(value: Record) -> str:
    """Where most of a record or a plan is: its longest part, and the longest entry of that."""
    part = max(value, key=lambda key: len(to_json(value[key])))
    entries = value[part]
    return f"{part}.{max(entries, key=lambda key: len(to_json(entries[key])))}" if isinstance(entries, dict) else part


def whole(file: Path, read: Callable[[Path], T], aside: Path | None, advice: str, *, to_replace: bool) -> T | None:
    """What `read` makes of the file. None if there is none, or if `read` raises ValueError.

    Then it is named, and moved to the folder `aside` if there is one. A file of a newer version stays where it is; if
    it is read in order to be replaced, UserError says so.
    """
    if not os.path.lexists(file):
        return None
    try:
        if not file.is_file():
            raise ValueError("is no file")
        return read(file)
    except FileNotFoundError:  # another process has set it aside meanwhile
        return None
    except ValueError as error:
        newer = isinstance(error, NewerError)
        if newer and to_replace:
            raise UserError(f"{file}: {error}") from None
        if newer or aside is None:
            _name(f"{file}: {error}; left where it is")
        else:
            logger.warning("%s", one_line(f"{file}: {error}; set aside as {_moved(file, aside)}; {advice}"))
        return None


@cache
def _name(line: str) -> None:
    """Print a warning of what is left where it is: once, however often it is read."""
    logger.warning("%s", one_line(line))


def _moved(file: Path, folder: Path) -> Path:
    """Where a broken file goes: none that was set aside before is overwritten."""
    names = itertools.chain([file.name], (f"{file.stem}-{number}{file.suffix}" for number in itertools.count(2)))
    aside = next(folder / name for name in names if not os.path.lexists(folder / name))
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        file.rename(aside)
    return aside
