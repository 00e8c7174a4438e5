"""YAML files as people write them, and errors that say where and what to write instead."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bench.core.errors import UserError, brief, cut, suggestion
from bench.core.settings import Settings
from bench.grid.plain_yaml import SIZE, parse

S = TypeVar("S", bound=Settings)


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Raises UserError naming the file, the line and what is wrong."""
    try:
        if file.is_fifo() and not str(file).startswith(("/dev/", "/proc/")):  # nobody may ever write to it
            raise UserError(f"{file}: is no file")
        with file.open("rb") as stream:
            written = stream.read(SIZE + 1)  # no more: it may be anything, such as /dev/zero
        if len(written) > SIZE:
            raise UserError(f"{file}: is longer than {SIZE:,} bytes")
        content = parse(written.decode(), str(file))
    except FileNotFoundError:
        close = difflib.get_close_matches(file.name, [path.name for path in file.parent.glob("*.yaml")], n=1)
        hint = f"; did you mean {file.parent / close[0]}?" if close else ""
        raise UserError(f"{file}: no such file{hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from None
    if content is None:
        raise UserError(f"{file}: the file is empty; a grid needs at least title, datasets, models, methods, attacks")
    return mapping(content, f"{file}")


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return `value` if it is a mapping; raise UserError that says where otherwise."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be a mapping of `key: value`, got {kind(value)}")
    return value


def kind(value: Any) -> str:
    """What a person would call a YAML value."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return "nothing" if value is None else brief(value)


def within(where: str, path: str) -> str:
    """What is inside `where`: `grid.yaml: methods[0]` and `radius` make `grid.yaml: methods[0].radius`."""
    inside = ": " in where or where.startswith("--set ")
    return f"{where}{'.' if inside else ' ' if where == '--set' else ': '}{path}"


def explain(error: ValidationError, fields: Iterable[str], where: str) -> UserError:
    """The first thing that pydantic found wrong, in one line; `fields` are the keys that exist at `where`."""
    first = error.errors()[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])[1:]
    if first["type"] == "extra_forbidden":
        unknown = str(first["loc"][-1])
        return UserError(f"{where}: unknown key {brief(unknown)}{suggestion(unknown, fields)}")
    if first["type"] == "missing":
        return UserError(f"{where}: missing key {str(first['loc'][-1])!r}")
    return UserError(f"{within(where, cut(path)) if path else where}: {_sentence(first)}")


def validate(settings: type[S], layers: Sequence[tuple[str, Mapping[str, Any]]]) -> S:
    """Merge layers of (where, values), weakest first. Raises UserError that says where the mistake is."""
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for where, values in layers:
        for key, value in values.items():
            if key not in settings.model_fields:
                raise UserError(f"{where}: unknown key {brief(key)}{suggestion(key, settings.model_fields)}")
            merged[key], origin[key] = value, where
    try:
        return settings.model_validate(merged)
    except ValidationError as error:
        place = error.errors()[0]["loc"]  # empty if it is of all settings together
        where = origin.get(str(place[0]), layers[-1][0]) if place else _last(layers)
        raise explain(error, settings.model_fields, where) from None


def _last(layers: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Where the strongest layer is that writes anything."""
    return next((where for where, values in reversed(layers) if values), layers[-1][0])


def _sentence(error: ErrorDetails) -> str:
    context, got = error.get("ctx", {}), kind(error["input"])
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "greater_than":
            return f"must be more than {_bound(context['gt'])}, got {got}"
        case "greater_than_equal":
            return f"must be at least {_bound(context['ge'])}, got {got}"
        case "less_than":
            return f"must be less than {_bound(context['lt'])}, got {got}"
        case "less_than_equal":
            return f"must be at most {_bound(context['le'])}, got {got}"
        case "too_short":
            return "must hold at least one entry"
        case "int_type" | "int_from_float":
            return f"must be a whole number, got {got}"
        case "finite_number":
            return f"must be a finite number, got {got}"
        case "float_type":
            return f"must be a number, got {got}"
        case "bool_type":
            return f"must be true or false, got {got}"
        case "string_type":
            return f"must be text, got {got}"
        case "list_type":
            return f"must be a list, got {got}"
        case "dict_type":
            return f"must be a mapping of `key: value`, got {got}"
        case "literal_error":
            return f"must be {context['expected']}, got {got}"
    return f"{error['msg'][0].lower()}{error['msg'][1:]}, got {got}"


def _bound(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
