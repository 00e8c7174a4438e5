"""The one error for what a user wrote, and the words that help to write it right."""

import difflib
import errno
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

FULL = {errno.ENOSPC, errno.EDQUOT}
"""Errors of the system when a disk, or what is printed to, takes no more."""
FEW = 8
"""So many choices are listed beside a suggestion."""
WIDTH = 80
"""Characters of a value that a message shows at most."""


class UserError(ValueError):
    """Something a user wrote or keeps cannot be used. The message is one line: what, where, and what to do instead."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """The text with line ends and all else that is not printable written as Python writes it."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def brief(value: Any) -> str:
    """A value as messages show it: as Python writes it, cut to `WIDTH` characters."""
    return cut(repr(value))


def cut(text: str) -> str:
    """The text, or its beginning if it is longer than `WIDTH` characters."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


@contextmanager
def asked(what: str) -> Iterator[None]:
    """Raise UserError, beginning with `what` a plug-in was asked for, if its code fails in the block: why and where."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise UserError(f"{what}: {head_of(error)} ({place.filename}:{place.lineno})") from error


def head_of(error: BaseException) -> str:
    """The kind of an error and the first line of its message."""
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def refusal(error: Exception, advice: str) -> str:
    """What an error says; if the disk refused a file, which one and why, with the advice."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; {advice}"
    if isinstance(error, OSError) and error.errno in FULL:
        return f"what is printed, or a file: cannot be written ({error.strerror})"
    return str(error)


def suggestion(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, and all of them if they are few: the end of an error message."""
    choices = list(choices)
    if not choices:
        return "; there is none"
    close = difflib.get_close_matches(word[:WIDTH], choices, n=1)
    listed = f"choices: {('; ' if any(',' in one for one in choices) else ', ').join(choices)}"
    if not close:
        return f"; {listed}"
    return f"; did you mean {close[0]!r}?" + (f" ({listed})" if len(choices) <= FEW else "")


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more
