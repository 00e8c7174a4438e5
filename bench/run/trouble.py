"""Failures of the place, which are no result of any cell: a full disk, a missing folder, a damaged file."""

import errno
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import FULL, UserError
from bench.core.settings import digest
from bench.grid.cell import Cell

RUN = "run"
"""What a trouble concerns if nothing can work any more."""
EVERYWHERE = FULL | {errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOTCONN, errno.ESTALE}
"""Errors of the system that no other cell escapes."""


class DataError(UserError):
    """A data set cannot be read where it should be."""


class CutError(UserError):
    """The workers of a cluster cannot be reached any more."""


NO_RESULT = (OSError, UserError)
"""What the place raises, never a cell's own doing: the system's errors, and those of what a user keeps."""


@dataclass(frozen=True)
class Trouble:
    """What the place failed at, what it concerns (a name among `needs`), and what to do."""

    message: str
    concerns: str


def needs(cell: Cell) -> set[str]:
    """The names of all that must work before the cell can: the run, its data set, its noise, and itself."""
    return {RUN, _data_name(cell), cell.noise_key, cell.key}


def trouble_of(error: Exception, cell: Cell, results: Path, *, noise_only: bool) -> Trouble:
    """What an error among `NO_RESULT` that a cell (or the making of its noise) met says of the place."""
    message = " ".join(f"{error}".split()) or type(error).__name__
    own = cell.noise_key if noise_only else cell.key
    if isinstance(error, OSError) and error.errno == errno.EISDIR and _is_inside(error, results):
        return Trouble(f"{message}; move this folder away: it is in the place of a file", own)
    if isinstance(error, CutError) or (isinstance(error, OSError) and _is_everywhere(error, results)):
        return Trouble(f"{message}{_advice(error, results)}", RUN)
    if isinstance(error, DataError):
        return Trouble(message, _data_name(cell))
    return Trouble(message, own)


def _data_name(cell: Cell) -> str:
    return digest(cell.dataset.canonical())


def _is_everywhere(error: OSError, results: Path) -> bool:
    """Whether no cell can be kept: the disk is full or broken, or the results folder cannot be used."""
    return error.errno in EVERYWHERE or _is_inside(error, results)


def _is_inside(error: OSError, results: Path) -> bool:
    """Whether an error is of a file of the results folder."""
    names = [Path(name).absolute() for name in (error.filename, error.filename2) if isinstance(name, str | Path)]
    return any(name.is_relative_to(results.absolute()) for name in names)


def _advice(error: Exception, results: Path) -> str:
    if not isinstance(error, OSError):
        return ""
    if error.errno in FULL:
        return f"; free some space for {results} and for temporary files (TMPDIR)"
    return f"; see that {results} can be read and written, or choose another --results"
