"""Options that several commands have."""

import stat
from pathlib import Path
from typing import Annotated

import typer

from bench.core.errors import UserError


def check_folder(option: typer.CallbackParam, folder: Path) -> Path:
    """Return a folder that is one, or that can still be made. Raises UserError for anything else."""
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise UserError(f"{option.opts[0]} {folder}: is no folder")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(f"{option.opts[0]} {folder}: cannot be used ({error.strerror})") from None
    return folder


Results = Annotated[Path, typer.Option(help="Folder of records, noise and the report.", callback=check_folder)]
DataRoot = Annotated[Path, typer.Option(help="Folder of downloaded data sets.", callback=check_folder)]
