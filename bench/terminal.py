"""The console that every command prints to."""

import sys

from rich.console import Console

PIPED_WIDTH = 140
"""Characters in a line of a table that is not shown on a terminal."""


def terminal(*, stderr: bool = False, soft_wrap: bool = True, tables: bool = False) -> Console:
    """A console that prints words as they are: numbers get no colour, and `:name:` stays.

    With `soft_wrap` lines are never broken. Of `tables` a line is as long as the terminal's, or PIPED_WIDTH.
    """
    width = PIPED_WIDTH if tables and not sys.stdout.isatty() else None
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=soft_wrap, width=width)
