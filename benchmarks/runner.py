"""What the runner costs beside the experiments: per cell, to resume, to report; and what a second worker gains."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).parent.parent
GRID = """\
title: Timing
datasets: [{{name: synthetic, size: 16, train_images: 500, test_images: 100}}]
models: [cnn]
methods: [clean]
attacks: [{{name: pgd, radius: 8/255, steps: 3, rel_step_size: 0.5}}]
train: {{steps: {steps}, batch_size: 64, evaluate_every: {steps}}}
seeds: {seeds}
"""


def bench(folder: Path, *arguments: str) -> float:
    """Seconds that a whole command takes, from the start of its process to its end."""
    start = time.perf_counter()
    command, paths = [sys.executable, "-m", "bench", *arguments], {"PYTHONPATH": str(CHECKOUT)}
    subprocess.run(command, check=True, cwd=folder, capture_output=True, env=os.environ | paths)  # noqa: S603
    return time.perf_counter() - start


def measurements() -> Iterator[tuple[str, str]]:
    """Name and value of each."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scales.yaml").write_text("paper: {}\n")
        run = ("run", "grid.yaml", "--device", "cpu")

        start = bench(folder, "list", "models")
        _write_grid(folder, steps=1, seeds=1)
        one = bench(folder, *run, "--jobs", "1", "--results", "one")
        _write_grid(folder, steps=1, seeds=41)
        many = bench(folder, *run, "--jobs", "1", "--results", "many")
        yield "start of a command", f"{start:.2f} s"
        yield "a cell of one update, all told", f"{(many - one) / 40:.3f} s"

        _write_grid(folder, steps=150, seeds=4)
        alone, both = (bench(folder, *run, "--jobs", jobs, "--results", f"jobs{jobs}") for jobs in ("1", "2"))
        yield "4 cells of 150 updates, --jobs 1 against --jobs 2", f"{alone / both:.2f} x"

        _write_grid(folder, steps=1, seeds=1000)
        _fill(folder / "many")
        yield "resume of 1,000 finished cells", f"{bench(folder, *run, '--jobs', '1', '--results', 'many'):.2f} s"
        yield "report of 1,000 cells", f"{bench(folder, 'report', '--results', 'many'):.2f} s"


def _write_grid(folder: Path, *, steps: int, seeds: int) -> None:
    (folder / "grid.yaml").write_text(GRID.format(steps=steps, seeds=seeds))


def _fill(results: Path) -> None:
    """Give every cell of the grid in the folder above a record, copied from one that was run."""
    from bench.grid.expand import read_grid
    from bench.grid.scale import Scale
    from bench.store import Store

    grid = read_grid(results.parent / "grid.yaml", {"paper": Scale()}, "paper", Scale(), results)
    store = Store(results)
    template = json.loads(next((results / "cells").glob("*.json")).read_text())
    for cell in grid.cells:
        if store.read(cell.key) is None:
            store.write(cell.key, template | {"key": cell.key, "cell": cell.canonical()})
