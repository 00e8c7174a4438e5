"""`python -m benchmarks [PART ...]`: print how fast the suite is, against the machine and against plain code."""

import os
import sys
from collections.abc import Sequence

import torch
from rich.console import Console
from rich.table import Table

from bench.core.device import describe
from benchmarks import runner, steps, targets, victims
from benchmarks.networks import CASES, shares
from benchmarks.timing import CPU, DEVICE, ON_CPU, copy_rate, product_rate, threads

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


def show_networks() -> None:
    """Print what the machine can do at most, and the networks' share of it."""
    rows = []
    for count in dict.fromkeys((1, os.cpu_count() or 1)):
        with threads(count):
            rows.append((f"{count} thread(s)", f"{product_rate(CPU) / 1e9:,.0f}", f"{copy_rate(CPU) / 1e9:,.1f}"))
    if not ON_CPU:
        rows.append((str(DEVICE), f"{product_rate() / 1e9:,.0f}", f"{copy_rate() / 1e9:,.1f}"))
    show("The machine", ("", "matrix product, GFLOP/s", "copy, GB/s"), rows)
    found = [
        (str(case), name, f"{rate:.2f}", f"{100 * share:.0f} %") for case in CASES for name, rate, share in shares(case)
    ]
    show("Networks", ("network", "work", "passes/s", "of the matrix product"), found)


def show_steps() -> None:
    """Print whole steps against their plain versions."""
    rows = []
    for name, ours, theirs in steps.ratios():
        target = f"{steps.TARGETS[name]:.1f} x" if name in steps.TARGETS else ""
        rows.append((name, f"{1000 * ours:.0f}", f"{1000 * theirs:.0f}", f"{theirs / ours:.1f} x", target))
    show(f"Steps, {steps.CASE}", ("", "ours, ms", "plain, ms", "gain", "target"), rows)


def show_runner() -> None:
    """Print the runner's own cost."""
    show("The runner, on the CPU", ("", ""), list(runner.measurements()))


def show_targets() -> None:
    """Print what the project aims at on one GPU."""
    if DEVICE.type != "cuda":
        console.print("The targets are for a GPU, and there is none here.\n")
        return
    rows = [(name, f"{minutes:.1f}", f"{target:.0f}") for name, minutes, target in targets.minutes()]
    show("Targets, forecast from measured passes", ("", "minutes", "target"), rows)


def show_victims() -> None:
    """Print what an update of each victim takes, and what a dry run forecasts."""
    headings = ("", "million weights", "update, s", "input gradient, s", "pass, s", "forecast, s")
    found = [(name, *(f"{number:.3g}" for number in numbers)) for name, *numbers in victims.measurements()]
    show("Victims, batch 128 of 32x32, one thread", headings, found)


PARTS = {
    "networks": show_networks,
    "steps": show_steps,
    "runner": show_runner,
    "targets": show_targets,
    "victims": show_victims,
}


def main() -> int:
    """Run the parts named on the command line, or all."""
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        console.print(f"unknown part {unknown[0]!r}; choices: {', '.join(PARTS)}")
        return 2
    machine = describe(DEVICE)
    device = "" if ON_CPU else f"{machine['device']}, "
    about = f"{machine['processor']}, {os.cpu_count()} cores, {machine['system']}, torch {torch.__version__}"
    console.print(f"{device}{about}\n")
    for name in chosen:
        PARTS[name]()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
