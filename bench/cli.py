"""The commands, and all exit codes: 0 done, 1 some cell failed, 2 wrong input, 130 stopped.

What a command needs beyond this page is imported when it runs: torch alone takes two seconds.
"""

import re
import signal
import sys
from bisect import bisect
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, NoReturn, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench import completion
from bench.core.errors import UserError, cut, suggestion
from bench.options import DataRoot, Results
from bench.store import Store
from bench.words import RESULTS

CARDED = ("methods", "attacks")
"""What has a card for each name."""
PIPED_WIDTH = 140
"""Characters in a line of a table that is not shown on a terminal."""
FEW = 5
"""So many keys of cells are listed at most."""
app = typer.Typer(
    name="bench",
    help="Which unlearnable examples protect, against whom, at what cost.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
COMMAND = "unlearnable-bench"
"""The command, and the distribution, that pip installs."""
COMPLETING = ("--install-completion", "--show-completion")
KEY = re.compile("[0-9a-f]{1,16}")


def examples(*lines: str) -> str:
    """What `--help` shows at the end of a command."""
    return "\n\n".join(["Examples:", *(f"python -m bench {line}" for line in lines)])


def show_version(asked: bool) -> None:
    """Print the version and end, if it was asked for."""
    if asked:
        sys.stdout.write(f"{version(COMMAND)}\n")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that need no command."""


@app.command(
    epilog=examples(
        "run table2 --scale tiny",
        "run table2 --scale small --only method=SEM --only 'attack=PGD 8/255'",
        "run my/grid.yaml --seeds 5 --set train.steps=2000 --dry-run",
    )
)
def run(
    grids: Annotated[
        list[Path],
        typer.Argument(help="Files, or names as `list grids` has them: table2.", autocompletion=completion.grids),
    ],
    scale: Annotated[
        str, typer.Option(help="paper, small, long or tiny (docs/scales.md).", autocompletion=completion.scales)
    ] = "paper",
    assign: Annotated[list[str], typer.Option("--set", help="Change a setting: train.steps=2000.")] = [],  # noqa: B006
    only: Annotated[list[str], typer.Option(help="Run part of the grid: method=SEM.")] = [],  # noqa: B006
    seeds: Annotated[int | None, typer.Option(min=1, help="Victims on each noise.")] = None,
    noise_seeds: Annotated[int | None, typer.Option(min=1, help="Noises of each method.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cells at a time; default one per core or GPU.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0, mps.")] = "auto",
    data_root: DataRoot = Path("data"),
    results: Results = RESULTS,
    cluster: Annotated[str, typer.Option(help="Run on the dask cluster of this address (docs/cluster.md).")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show cells and cost; run nothing.")] = False,
    keep: Annotated[str, typer.Option(help="Also keep: surrogates, checkpoints, perturbations, with commas.")] = "",
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


@app.command(epilog=examples("report", "report --results my-results --without 'clean images'"))
def report(
    results: Results = RESULTS,
    without: Annotated[list[str], typer.Option(help="Leave out attacks that assume this: 'clean images'.")] = [],  # noqa: B006
) -> None:
    """Write tables, figures and one page from all records, and say where the page is."""
    from analysis.portraits import Card
    from analysis.report import write_report

    if without:
        from bench.core.protocols import Assumption

        for word in without:
            if word not in get_args(Assumption):
                raise UserError(f"--without {word}: unknown assumption{suggestion(word, get_args(Assumption))}")
    console = Console(highlight=False, soft_wrap=True)
    card: Card = lambda group, name: import_module("bench.cards").card(group, name)  # noqa: E731 - imports torch late
    summary = write_report(Store(results), dict.fromkeys(without), card)
    for line in summary.lines:
        console.print(escape(line))
    console.print(f"page: {summary.page.resolve()}", markup=False)
    raise typer.Exit(0 if summary.plans else 1)


@app.command("list", epilog=examples("list grids", "list methods", "list attacks pgd median"))
def list_(
    what: Annotated[Literal["methods", "attacks", "measures", "datasets", "models", "grids"], typer.Argument()],
    names: Annotated[
        list[str],
        typer.Argument(help="Methods or attacks to know all of: sem tap.", autocompletion=completion.plug_ins),
    ] = [],  # noqa: B006
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
        from bench.grid.library import named_grids
        from bench.grid.yaml_file import read_mapping

        titles = ((name, str(read_mapping(file).get("title", ""))) for name, file in named_grids().items())
        return [("grid", "what it shows"), *titles]
    from bench.cards import first_line

    if what == "models":
        from bench.core.models import MODELS

        entries = [(name, first_line(model.__doc__)) for name, model in MODELS.items()]
        return [("model", "what it is"), *entries, ("timm/NAME", "Any network of timm, untrained.")]
    from bench.grid.expand import TABLES

    word = {"datasets": "data set"}.get(what, what.removesuffix("s"))
    return [(word, "what it is"), *((name, first_line(entry.__doc__)) for name, entry in TABLES[what].items())]


@app.command(epilog=examples("show 001a87c0", "show 001a87c0 --json"))
def show(
    cell: Annotated[str, typer.Argument(help="Key of a cell, or its beginning.", autocompletion=completion.cells)],
    results: Results = RESULTS,
    json: Annotated[bool, typer.Option("--json", help="Print the whole record.")] = False,
) -> None:
    """Say what one cell was, what came out and where it was made."""
    from bench.summary import summary

    store = Store(results)
    if not KEY.fullmatch(cell):
        raise UserError(f"show {cut(cell)}: a key has hexadecimal digits, such as {[*store.find(''), '0' * 16][0]}")
    keys = store.find(cell)
    if len(keys) > 1:
        listed = [*keys[:FEW], *(["..."] if keys[FEW:] else [])]
        raise UserError(f"show {cell}: {len(keys)} cells begin so: {', '.join(listed)}")
    if not keys:
        raise UserError(f"show {cell}: no such cell in {results}; {_neighbours(cell, store.find(''))}")
    record = store.read(keys[0])
    if record is None:
        raise UserError(f"show {cell}: its record did not hold")
    lines = [store.cell_file(keys[0]).read_text().rstrip()] if json else summary(record, store)
    for line in lines:
        Console(highlight=False, soft_wrap=True).print(line, markup=False)


def _neighbours(key: str, keys: list[str]) -> str:
    """The keys around the place where `key` would be."""
    start = max(0, min(bisect(keys, key) - FEW // 2, len(keys) - FEW))
    return f"the nearest: {', '.join(keys[start : start + FEW])}" if keys else "there is none yet"


@app.command(epilog=examples("schema > grid.schema.json"))
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    sys.stdout.write((files("bench.grid") / "grid.schema.json").read_text())


def main() -> None:
    """Run a command; a user's mistake, or what the disk refuses, is one line on standard error, never a traceback.

    SIGTERM, which schedulers of clusters send, stops it as Ctrl-C does: else its workers would go on without it.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # A shell completes commands, and `python -m bench` is none.
        app(prog_name=COMMAND if set(sys.argv[1:2]) & {*COMPLETING} else None)
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
