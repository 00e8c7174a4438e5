"""`python -m benchmarks [PART ...]`: print how fast the suite is, against the machine and against plain code."""

import os
import sys
from collections.abc import Sequence

import torch
from rich.console import Console
from rich.table import Table

from bench.core.device import describe
from benchmarks import compiling, footprint, growth, paper, runner, steps, targets
from benchmarks.timing import CPU, DEVICE, copy_rate, product_rate, threads

BUDGET = 15.0
"""Seconds that each method runs at the paper's scale."""
console = Console(highlight=False, width=110)


def show(title: str, headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()


def ceilings() -> None:
    """Print what the machine can do at most."""
    rows = []
    for count in dict.fromkeys((1, os.cpu_count() or 1)):
        with threads(count):
            rows.append((f"{count} thread(s)", f"{product_rate(CPU) / 1e9:,.0f}", f"{copy_rate(CPU) / 1e9:,.1f}"))
    if DEVICE != CPU:
        rows.append((str(DEVICE), f"{product_rate() / 1e9:,.0f}", f"{copy_rate() / 1e9:,.1f}"))
    show("The machine", ("", "matrix product, GFLOP/s", "copy, GB/s"), rows)


def networks() -> None:
    """Print the networks' rates."""
    rows = [
        (f"{case.model} {case.size}x{case.size}, {place(case)}", name, f"{rate:.2f}", f"{100 * share:.0f} %")
        for case in steps.CASES
        for name, rate, share in steps.shares(case)
    ]
    show("Networks", ("network", "work", "passes/s", "of the matrix product"), rows)


def algorithms() -> None:
    """Print whole steps against their plain versions."""
    case = steps.ALGORITHMS
    goals = {"SEM noise step": f"{steps.GAIN_OF_SEM:.1f} x"}
    rows = [
        (name, f"{1000 * ours:.0f}", f"{1000 * theirs:.0f}", f"{theirs / ours:.1f} x", goals.get(name, ""))
        for name, ours, theirs in steps.ratios(case)
    ]
    title = f"Steps, {case.model} at {case.size}x{case.size}, batch {case.batch}, {place(case)}"
    show(title, ("", "ours, ms", "plain, ms", "gain", "target"), rows)


def place(case: steps.Case) -> str:
    """What a case is computed on."""
    return f"{case.threads} thread(s)" if DEVICE == CPU else str(DEVICE)


def compilation() -> None:
    """Print what compiling brings for each network, and what the suite chooses."""
    rows = [row for case, found in compiling.results() for row in compiling.rows(case, found)]
    headings = ("work", "mode", "ms", "compiling, s", "passes to regain it", "")
    show(f"Compiled networks, {'1 thread' if DEVICE == CPU else DEVICE}", headings, rows)


def aims() -> None:
    """Print what the project aims at on one GPU."""
    if DEVICE.type != "cuda":
        console.print("The targets are for a GPU, and there is none here.\n")
        return
    rows = [(name, f"{minutes:.1f}", f"{target:.0f}") for name, minutes, target in targets.minutes()]
    show("Targets, forecast from measured passes", ("", "minutes", "target"), rows)


def running() -> None:
    """Print the runner's own cost."""
    show("The runner, on the CPU", ("", ""), list(runner.measurements()))


def growing() -> None:
    """Print growth of time and memory."""
    rows = [(name, ", ".join(map(str, values)), f"{fit:.4f}") for name, values, fit in growth.fits()]
    show("Time of SEM noise against a straight line", ("setting", "values", "R squared"), rows)
    memory = [(f"{count:,}", f"{size / 2**20:,.0f}") for count, size in growth.memory()]
    show("Peak memory of a process that makes SEM noise, 32x32", ("images", "MiB"), memory)
    if not footprint.available():
        console.print("Anonymous memory is not measured: this system has no /proc/self/status with RssAnon.\n")
        return
    peaks = [
        (f"{count:,}", work, f"{peak.anonymous / 2**20:,.0f}", f"{peak.resident / 2**20:,.0f}", f"{peak.seconds:.0f}")
        for count in footprint.IMAGES
        for work, peak in zip(("SC noise", "3 updates, cnn"), footprint.footprint(count), strict=True)
    ]
    headings = ("images", "work", "anonymous, MiB", "with mapped files, MiB", "seconds")
    show("Peak memory of data in mapped files, 256x256", headings, peaks)


def paper_scale() -> None:
    """Print how far each method comes at the paper's scale, and the hours it would take."""
    rows = []
    for one in paper.starts(BUDGET, os.cpu_count() or 1):
        hours = "" if one.hours is None else f"{one.hours:.2g}"
        done = "all" if one.finished else f"{one.passes:,.0f} of {one.total:,.0f}"
        rows.append((one.name, f"{one.seconds:.0f}", done, hours))
    show("Noise at the paper's scale, CIFAR-10 from data/", ("method", "seconds", "passes done", "hours in all"), rows)


def jobs() -> None:
    """Print what a second worker gains on the tiny table 2."""
    (_, alone), (_, both) = timings = list(runner.table2())
    rows = [(name, f"{seconds:.0f} s") for name, seconds in timings]
    show("The tiny table 2", ("", ""), [*rows, ("gain", f"{alone / both:.2f} x")])


PARTS = {
    "ceilings": ceilings,
    "networks": networks,
    "algorithms": algorithms,
    "runner": running,
    "growth": growing,
}
ON_GPU = {"compile": compilation, "targets": aims}
"""Parts that belong to the others where there is a GPU; compiling for a CPU takes minutes and does not pay."""
ON_REQUEST = {"paper": paper_scale, "jobs": jobs}
"""Parts that need data or many minutes, run only when named."""


def main() -> int:
    """Run the parts named on the command line, or all."""
    chosen = sys.argv[1:] or [*PARTS, *(ON_GPU if DEVICE.type == "cuda" else ())]
    known = PARTS | ON_GPU | ON_REQUEST
    unknown = [name for name in chosen if name not in known]
    if unknown:
        console.print(f"unknown part {unknown[0]!r}; choices: {', '.join(known)}")
        return 2
    machine = describe(DEVICE)
    device = "" if DEVICE == CPU else f"{machine['device']} ({machine['precision']}), "
    about = f"{machine['processor']}, {os.cpu_count()} cores, {machine['system']}, torch {torch.__version__}"
    console.print(f"{device}{about}\n")
    for name in chosen:
        known[name]()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
