"""YAML cut down to what grids need: text, decimal numbers, booleans, null, lists, and mappings with text keys.

Nothing is ever constructed from a tag, and what a file may hold is bounded. So no file is slow to read or to refuse.
"""

import math
import re
from typing import Any, NoReturn

import yaml

from bench.core.errors import WIDTH, UserError, brief

SIZE = 2**20
"""Bytes of a file."""
DEPTH = 20
"""Lists and mappings inside each other."""
VALUES = 20_000
"""Values of a text, each alias counted as what it stands for."""
DIGITS = 18
"""Digits of a whole number: so many fit 64 bits."""
CONSTANTS = {"": None, "~": None, **dict.fromkeys(("null", "Null", "NULL"))}
CONSTANTS |= {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
WHOLE = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
UNPRINTABLE = yaml.SafeLoader.NON_PRINTABLE


def parse(text: str, where: str) -> Any:
    """The value that `text` writes, None if it is empty. Raises UserError naming where, the line and the column."""
    if found := UNPRINTABLE.search(text):
        line, column = text.count("\n", 0, found.start()), found.start() - (text.rfind("\n", 0, found.start()) + 1)
        raise _error(where, line, column, f"the character {found[0]!r} has no place in a text")
    loader = yaml.SafeLoader(text)
    try:
        return _Document(loader).read()
    except yaml.MarkedYAMLError as error:
        mark, problem = error.problem_mark or loader.get_mark(), error.problem or "not valid YAML"
    except (ValueError, OverflowError):  # PyYAML's own for "\\UFFFFFFFF" and for %YAML with a number too long to read
        mark, problem = loader.get_mark(), "not valid YAML"
    raise _error(where, mark.line, mark.column, problem)


def _error(where: str, line: int, column: int, problem: str) -> UserError:
    return UserError(f"{where}: line {line + 1}, column {column + 1}: {problem[: 2 * WIDTH]}")


class _Document:
    """Builds values from the parser's events, counting them."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._anchored: dict[str, tuple[Any, int]] = {}
        self._count = 0

    def read(self) -> Any:
        """The only document there is."""
        self._loader.get_event()  # the start of the stream
        if self._loader.check_event(yaml.StreamEndEvent):
            return None
        self._loader.get_event()  # the start of the document
        value = self._value(self._loader.get_event(), 0)
        self._loader.get_event()  # its end
        after = self._loader.get_event()
        if not isinstance(after, yaml.StreamEndEvent):
            _refuse(after, "a second document begins here; a file holds one")
        return value

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            _refuse(event, f"the tag {brief(tag)} is not known here; leave it out")
        if depth > DEPTH:
            _refuse(event, f"more than {DEPTH} lists and mappings inside each other")
        before = self._count
        self._add(1, event)
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        else:
            value = self._list(depth) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(depth)
        if event.anchor:
            self._anchored[event.anchor] = value, self._count - before
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchored:
            _refuse(event, f"the alias {brief(event.anchor)} has no whole value before it")
        value, count = self._anchored[event.anchor]
        self._add(count, event)
        return value

    def _list(self, depth: int) -> list[Any]:
        values = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            values.append(self._value(event, depth + 1))
        return values

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if isinstance(key, list | dict):
                _refuse(event, "a key must be text")
            if not isinstance(key, str):
                written = getattr(event, "value", brief(key))  # an alias has none
                _refuse(event, f"key {written} must be text; write '{written}'")
            if key in values:
                _refuse(event, f"duplicate key {brief(key)}")
            values[key] = self._value(self._loader.get_event(), depth + 1)
        return values

    def _add(self, count: int, event: Any) -> None:
        self._count += count
        if self._count > VALUES:
            _refuse(event, f"more than {VALUES:,} values, each alias counted as what it stands for")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if found := UNPRINTABLE.search(text):  # written as an escape, such as "\\e"
        _refuse(event, f"the character {found[0]!r} has no place in a text")
    if not event.implicit[0]:  # in quotes, or a block
        return text
    if text in CONSTANTS:
        return CONSTANTS[text]
    if WHOLE.fullmatch(text):
        if sum(map(str.isdigit, text)) > DIGITS:
            _refuse(event, f"a whole number has at most {DIGITS} digits, got {brief(text)}")
        return int(text)
    if not DECIMAL.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        _refuse(event, f"must be a finite number, got {brief(text)}")
    return number


def _refuse(event: Any, problem: str) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
