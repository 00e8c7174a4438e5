"""The one error for what a user wrote, and the words that help to write it right."""

import difflib
from collections.abc import Iterable

FEW = 8
"""So many choices are listed beside a suggestion."""


class UserError(ValueError):
    """Something a user wrote or keeps cannot be used. The message is one line: what, where, and what to do instead."""


def suggestion(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, and all of them if they are few: the end of an error message."""
    choices = list(choices)
    close = difflib.get_close_matches(word, choices, n=1)
    listed = f"choices: {', '.join(choices)}"
    if not close:
        return f"; {listed}"
    return f"; did you mean {close[0]!r}?" + (f" ({listed})" if len(choices) <= FEW else "")
