"""Options that several commands have, and what their help shows."""

import stat
from pathlib import Path
from typing import Annotated, get_args

import typer

from bench import completion
from bench.core.errors import UserError, cut, suggestion
from bench.words import RESULTS

MOST = 10**9
"""Seeds; as many as a grid file may ask for."""
MOST_JOBS = 10_000
"""Tasks at a time, of all machines of a cluster."""


def examples(*lines: str) -> str:
    """What `--help` shows at the end of a command."""
    return "\n\n".join(["Examples:", *(f"python -m bench {line}" for line in lines)])


def check_folder(option: typer.CallbackParam, folder: Path | None) -> Path | None:
    """Return a folder that is one, or that can still be made, or none. Raises UserError for anything else."""
    try:
        if folder and not stat.S_ISDIR(folder.stat().st_mode):
            raise UserError(f"{option.opts[0]} {folder}: is no folder")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(f"{option.opts[0]} {folder}: cannot be used ({error.strerror})") from None
    return folder


def check_folders(option: typer.CallbackParam, folders: list[Path]) -> list[Path]:
    """The same of each folder, which must be there. If it is only that nothing has run yet, the exit code is 1."""
    for folder in folders:
        check_folder(option, folder)
        if not folder.is_dir():
            said = f"{option.opts[0]} {folder}: is not there; run a grid first, or name another folder"
            if folder != RESULTS:
                raise UserError(said)
            typer.echo(said, err=True)
            raise typer.Exit(1)
    return folders


def check_assumptions(words: list[str]) -> list[str]:
    """Return words that are each something attacks may assume. Raises UserError for anything else."""
    if words:
        from bench.core.protocols import Assumption

        for word in words:
            if word not in get_args(Assumption):
                raise UserError(f"--without {cut(word)}: unknown assumption{suggestion(word, get_args(Assumption))}")
    return words


Grids = Annotated[
    list[Path],
    typer.Argument(help="Files, or names as `list grids` has them: table2.", autocompletion=completion.grids),
]
ScaleName = Annotated[
    str, typer.Option(help="paper, small, long or tiny (docs/scales.md).", autocompletion=completion.scales)
]
Assign = Annotated[list[str], typer.Option("--set", help="Change a setting: train.steps=2000.")]
Only = Annotated[list[str], typer.Option(help="Take part of the grid: method=SEM.")]
Seeds = Annotated[int | None, typer.Option(min=1, max=MOST, help="Victims on each noise.")]
NoiseSeeds = Annotated[int | None, typer.Option(min=1, max=MOST, help="Noises of each method.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="Tasks at a time; default one per core or GPU.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0, mps.")]
Results = Annotated[Path, typer.Option(help="Folder of records, noise and the report.", callback=check_folder)]
ResultsFolders = Annotated[
    list[Path],
    typer.Option(
        "--results",
        help="Folder of records; more than once: read as one, written to the first.",
        callback=check_folders,
    ),
]
DataRoot = Annotated[Path, typer.Option(help="Folder of downloaded data sets.", callback=check_folder)]
To = Annotated[Path, typer.Option(help="Folder to write to: TO/METHOD/train/CLASS/*.png.", callback=check_folder)]
ImagesRoot = Annotated[
    Path | None, typer.Option("--data-root", help="Where the images of --gallery are: data.", callback=check_folder)
]
Without = Annotated[
    list[str],
    typer.Option(help="Leave out attacks that assume this: 'clean images'.", callback=check_assumptions),
]
