"""Work on many files that somebody may have to wait for: whoever can show how far it is listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bench.core.errors import one_line

Listener = Callable[[str, int, int], None]
"""Is told what is done, how many items are, and how many there are in all."""
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Let `listener` be told of the long work of this thread while the block runs."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """Tell whoever listens that so many of all items of `what` are done."""
    if listener := _listener.get():
        listener(one_line(what), done, total)
