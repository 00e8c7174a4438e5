"""How much one grid may ask for."""

from bench.core.errors import UserError

CELLS = 20_000
"""No grid asks for more: it would take minutes to read, and years to run."""


def check_count(count: int, where: str) -> None:
    """Raise UserError, before anything is written out, if what stands at `where` is too much for one grid."""
    if count > CELLS:
        raise UserError(f"{where}: asks for {count:,} cells or more; a grid holds at most {CELLS:,}")
