"""The commands, and all exit codes: 0 done, 1 some cell failed or moved, 2 wrong input, 130 stopped.

What a command needs beyond this page is imported when it runs: torch alone takes two seconds.
"""

import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer

from bench import completion
from bench.core.errors import UserError
from bench.options import (
    Assign,
    DataRoot,
    Device,
    Grids,
    ImagesRoot,
    Jobs,
    NoiseSeeds,
    Only,
    Results,
    ResultsFolders,
    ScaleName,
    Seeds,
    To,
    Without,
    examples,
)
from bench.store import Store
from bench.terminal import terminal
from bench.words import RESULTS, ChangeFormat, TableFormat

app = typer.Typer(
    name="bench",
    help="Which unlearnable examples protect, against whom, at what cost.",
    pretty_exceptions_enable=False,
)
COMMAND = "unlearnable-bench"
"""The command, and the distribution, that pip installs."""


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
    grids: Grids,
    scale: ScaleName = "paper",
    assign: Assign = [],  # noqa: B006
    only: Only = [],  # noqa: B006
    seeds: Seeds = None,
    noise_seeds: NoiseSeeds = None,
    jobs: Jobs = None,
    device: Device = "auto",
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
    console = terminal(tables=True)
    raise typer.Exit(show_forecast(request, console) if dry_run else carry_out(request, console))


@app.command(epilog=examples("protect my/grid.yaml --to mine", "protect table2 --only method=SEM --to protected"))
def protect(
    grids: Grids,
    to: To,
    scale: ScaleName = "paper",
    assign: Assign = [],  # noqa: B006
    only: Only = [],  # noqa: B006
    noise_seeds: NoiseSeeds = None,
    jobs: Jobs = None,
    device: Device = "auto",
    data_root: DataRoot = Path("data"),
    results: Results = RESULTS,
) -> None:
    """Write the protected images of a grid's methods as PNG, for any other program to train on."""
    from bench.protect import protect as write
    from bench.run.request import Request

    console = terminal()
    request = Request(
        grids=tuple(grids),
        scale=scale,
        assignments=tuple(assign),
        only=tuple(only),
        noise_seeds=noise_seeds,
        jobs=jobs,
        device=device,
        data_root=data_root,
        results=results,
    )
    raise typer.Exit(write(request, to, console))


@app.command(
    epilog=examples(
        "report",
        "report --results mine --results theirs --without 'clean images'",
        "report --watch --open",
        "report --table table2 --format latex",
    )
)
def report(
    results: ResultsFolders = [RESULTS],  # noqa: B006
    without: Without = [],  # noqa: B006
    watch: Annotated[bool, typer.Option("--watch", help="Write again when records come in, until Ctrl-C.")] = False,
    to_open: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    table: Annotated[
        str, typer.Option(help="Print the table of this plan or grid instead.", autocompletion=completion.plans)
    ] = "",
    form: Annotated[TableFormat | None, typer.Option("--format", help="Of --table.")] = None,
    scale: Annotated[
        str, typer.Option(help="Of --table, if a grid has run at several.", autocompletion=completion.scales)
    ] = "",
    study: Annotated[str, typer.Option(help="Study that --table shows instead: best_response.")] = "",
    gallery: Annotated[
        str,
        typer.Option(help="Draw this plan's noise on its images in --data-root.", autocompletion=completion.plans),
    ] = "",
    data_root: ImagesRoot = None,
) -> None:
    """Write tables, figures and one page from all records, and say where the page is. Or print one table."""
    from analysis.reading.merged import Merged

    of_table = {"--format": form, "--scale": scale, "--study": study}
    for owner, named, options in (("--table", table, of_table), ("--gallery", gallery, {"--data-root": data_root})):
        if value := next((f"{option} {value}" for option, value in options.items() if value and not named), ""):
            raise UserError(f"{value}: belongs to {owner}; name a plan or a grid with it")
    if table and (watch or to_open or gallery):
        raise UserError("--table: prints a table and writes no page; leave out --watch, --open and --gallery")
    store, left_out = Merged.of(results), tuple(dict.fromkeys(without))
    if table:
        from analysis.one_table import table_text

        sys.stdout.write(table_text(store, table, form or "markdown", scale=scale, study=study, without=left_out))
        return
    from bench.reports import show_report, watch_report

    console, shown = terminal(), None
    if gallery:
        from bench.gallery import gallery_of

        shown = gallery_of(store, gallery, data_root or Path("data"))
    act = watch_report if watch else show_report
    raise typer.Exit(act(store, left_out, console, to_open=to_open, gallery=shown))


@app.command(
    epilog=examples("compare results theirs --tolerance 1", "compare HEAD~1 HEAD", "compare v1:results results")
)
def compare(
    first: Annotated[str, typer.Argument(help="A results folder, or a commit of git: COMMIT or COMMIT:FOLDER.")],
    second: Annotated[str, typer.Argument(help="The same, of what came later.")],
    tolerance: Annotated[float, typer.Option(help="Points that a mean may move; percent of a measure.")] = 0.0,
    form: Annotated[ChangeFormat, typer.Option("--format", help="CSV also has what did not change.")] = "table",
) -> None:
    """Say what changed between two results folders, or two commits. The exit code is 1 if anything moved."""
    from bench.reports import show_changes

    console = terminal(soft_wrap=False, tables=True)
    raise typer.Exit(show_changes(first, second, tolerance, form, console))


@app.command("list", epilog=examples("list grids", "list methods", "list attacks pgd median", "list models resnet50/8"))
def list_(
    what: Annotated[Literal["methods", "attacks", "measures", "datasets", "models", "grids"], typer.Argument()],
    names: Annotated[
        list[str],
        typer.Argument(
            help="What to know all of: sem.",
            autocompletion=completion.plug_ins,
        ),
    ] = [],  # noqa: B006
) -> None:
    """List what there is; for what is named, a card each: cost, source, licence, deviations."""
    from bench.catalogue import show_cards, show_list

    show_cards(what, names) if names else show_list(what)


@app.command(epilog=examples("show 001a87c0", "show 001a87c0 --json"))
def show(
    cell: Annotated[str, typer.Argument(help="Key of a cell, or its beginning.", autocompletion=completion.cells)],
    results: Results = RESULTS,
    json: Annotated[bool, typer.Option("--json", help="Print the whole record.")] = False,
) -> None:
    """Say what one cell was, what came out and where it was made."""
    from bench.summary import named, summary

    store = Store(results)
    record = named(cell, store)
    if json:
        sys.stdout.write(f"{store.cell_file(record['key']).read_text('utf-8').rstrip()}\n")
        return
    terminal().print("\n".join(summary(record, store)), markup=False)


@app.command(epilog=examples("schema > grid.schema.json"))
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    sys.stdout.write((files("bench.grid") / "grid.schema.json").read_text("utf-8"))
