"""The commands, and all exit codes: 0 done, 1 some cell failed, 2 wrong input, 130 stopped.

What a command needs beyond this page is imported when it runs: torch alone takes two seconds.
"""

import re
import signal
import stat
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, NoReturn, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.core.errors import UserError, cut, suggestion
from bench.store import Store

GRIDS = Path("grids")
CARDED = ("methods", "attacks")
"""What has a card for each name."""
PIPED_WIDTH = 140
"""Characters in a line of a table that is not shown on a terminal."""
app = typer.Typer(
    name="bench",
    help="Which unlearnable examples protect, against whom, at what cost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
KEY = re.compile("[0-9a-f]{1,16}")


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


def show_version(asked: bool) -> None:
    """Print the version and end, if it was asked for."""
    if asked:
        sys.stdout.write(f"{version('unlearnable-bench')}\n")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that need no command."""


@app.command()
def run(
    grids: Annotated[list[Path], typer.Argument(help="Grid files, such as grids/table2.yaml.")],
    scale: Annotated[str, typer.Option(help="paper, small or tiny: see grids/scales.yaml.")] = "paper",
    assign: Annotated[list[str], typer.Option("--set", help="Change a setting: train.steps=2000.")] = [],  # noqa: B006
    only: Annotated[list[str], typer.Option(help="Run part of the grid: method=sem.")] = [],  # noqa: B006
    seeds: Annotated[int | None, typer.Option(min=1, help="Victims on each noise.")] = None,
    noise_seeds: Annotated[int | None, typer.Option(min=1, help="Noises of each method.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cells at a time; default one per core or GPU.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0, mps.")] = "auto",
    data_root: DataRoot = Path("data"),
    results: Results = Path("results"),
    cluster: Annotated[str, typer.Option(help="Run on the dask cluster of this address (docs/cluster.md).")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show cells and cost; run nothing.")] = False,
    keep: Annotated[str, typer.Option(help="Also keep, for analyses: surrogates, perturbations, or both.")] = "",
    compiling: Annotated[bool, typer.Option("--compile", help="Compile networks with torch.compile.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed cells again.")] = False,
) -> None:
    """Run the cells of grid files that have no result yet; started again, it goes on where it stopped."""
    from bench.console import carry_out, show_forecast
    from bench.run.request import Request

    request = Request(
        grids=tuple(grids),
        scale=scale,
        assignments=tuple(assign),
        only=tuple(only),
        seeds=seeds,
        noise_seeds=noise_seeds,
        jobs=jobs,
        device=device,
        data_root=data_root,
        results=results,
        cluster=cluster,
        retry_failed=retry_failed,
        keep=keep,
        compiling=compiling,
    )
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    raise typer.Exit(show_forecast(request, console) if dry_run else carry_out(request, console))


@app.command()
def report(
    results: Results = Path("results"),
    without: Annotated[list[str], typer.Option(help="Leave out attacks that assume this: 'clean images'.")] = [],  # noqa: B006
) -> None:
    """Write tables, figures and one page from all records, and say where the page is."""
    from analysis.report import write_report

    if without:
        from bench.core.protocols import Assumption

        for word in without:
            if word not in get_args(Assumption):
                raise UserError(f"--without {word}: unknown assumption{suggestion(word, get_args(Assumption))}")
    console = Console(highlight=False, soft_wrap=True)
    summary = write_report(Store(results), dict.fromkeys(without))
    for line in summary.lines:
        console.print(escape(line))
    console.print(f"page: {summary.page.resolve()}", markup=False)
    raise typer.Exit(0 if summary.plans else 1)


@app.command("list")
def list_(
    what: Annotated[Literal["methods", "attacks", "datasets", "models", "grids"], typer.Argument()],
    names: Annotated[list[str], typer.Argument(help="Methods or attacks to know all of: sem tap.")] = [],  # noqa: B006
) -> None:
    """List what there is; for methods and attacks that are named, a card each: budget, cost, source, deviations."""
    if names and what not in CARDED:
        raise UserError(f"list {what} {names[0]}: names belong to {' or '.join(CARDED)}")
    for name in names:
        from bench.cards import card

        for line in card(what, name):
            Console(highlight=False, soft_wrap=True).print(line, markup=False)
    if names:
        return
    table = Table(box=None, header_style="bold")
    for row, cells in enumerate(_listing(what)):
        if row == 0:
            for heading in cells:
                table.add_column(heading, no_wrap=heading == what.removesuffix("s"))
        else:
            table.add_row(*(escape(cell) for cell in cells))
    Console(highlight=False).print(table)


def _listing(what: str) -> list[Sequence[str]]:
    if what == "grids":
        from bench.grid.yaml_file import read_mapping

        found = [file for file in sorted(GRIDS.glob("*.yaml")) if file.name != "scales.yaml"]
        return [("grid", "what it shows"), *((str(file), str(read_mapping(file).get("title", ""))) for file in found)]
    from bench.cards import first_line

    if what == "models":
        from bench.core.models import MODELS

        entries = [(name, first_line(model.__doc__)) for name, model in MODELS.items()]
        return [("model", "what it is"), *entries, ("timm/NAME", "Any network of timm, untrained.")]
    from bench.grid.expand import TABLES

    word = {"datasets": "data set"}.get(what, what.removesuffix("s"))
    return [(word, "what it is"), *((name, first_line(entry.__doc__)) for name, entry in TABLES[what].items())]


@app.command()
def show(
    cell: Annotated[str, typer.Argument(help="Key of a cell, or its beginning.")], results: Results = Path("results")
) -> None:
    """Print the record of one cell."""
    store = Store(results)
    if not KEY.fullmatch(cell):
        raise UserError(f"show {cut(cell)}: a key has hexadecimal digits, such as {[*store.find(''), '0' * 16][0]}")
    keys = store.find(cell)
    if not keys:
        raise UserError(
            f"show {cell}: no such cell in {results}{suggestion(cell, store.find('')[:20] or ['none yet'])}"
        )
    if len(keys) > 1:
        raise UserError(f"show {cell}: {len(keys)} cells begin so: {', '.join(keys[:5])}{', ...' if keys[5:] else ''}")
    if store.read(keys[0]) is None:
        raise UserError(f"show {cell}: its record did not hold")
    Console(highlight=False, soft_wrap=True).print(store.cell_file(keys[0]).read_text(), markup=False, end="")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    sys.stdout.write((files("bench.grid") / "grid.schema.json").read_text())


def main() -> None:
    """Run a command; a user's mistake, or what the disk refuses, is one line on standard error, never a traceback.

    SIGTERM, which schedulers of clusters send, stops it as Ctrl-C does: else its workers would go on without it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except UserError as error:
        _fail(error)
    except OSError as error:
        advice = "make it usable, or choose other folders with --results and --data-root"
        _fail(UserError(f"{error.filename}: {error.strerror}; {advice}" if error.filename else str(error)))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _fail(error: UserError) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
    raise SystemExit(2)
