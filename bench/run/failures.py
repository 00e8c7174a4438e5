"""The records of cells that failed: what they say, and that they can always be read again."""

from bench.core.errors import UserError, one_line
from bench.store import Record, Store

LONGEST = 500
"""Characters of an error that the record of a cell shows; its trace has more."""
MOST_OF_TRACE = 100_000
"""Characters of a trace that it keeps: a message may hold a whole array."""


def write_failed(store: Store, record: Record) -> None:
    """Keep the record of a cell that failed. Raises UserError if its very settings would not be read again."""
    try:
        store.write(record["key"], record)
    except (TypeError, ValueError) as error:
        raise UserError(f"{store.cell_file(record['key'])}: would not be read again: {error}") from error


def failure(reason: str, trace: str) -> Record:
    """What the record of a failed cell says of it."""
    return {"status": "failed", "error": _printable(reason), "trace": _printable(trace[:MOST_OF_TRACE])}


def error_line(error: BaseException) -> str:
    """The kind of an error and its message, in one line and no more than a few."""
    said = one_line(" ".join(f"{type(error).__name__}: {error}".split()))
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."


def _printable(text: str) -> str:
    """Half of a surrogate pair, which a message may hold and a file may not, as an escape."""
    return text.encode(errors="backslashreplace").decode()
