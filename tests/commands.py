"""Commands run in this process, on a grid of four cells of two updates."""

import sys

from bench.__main__ import main

GRID = """\
title: Two methods
datasets: [{name: synthetic, size: 8, train_images: 40, test_images: 20}]
models: [cnn]
methods: [clean, sc]
attacks: [none, {name: pgd, radius: 4/255, steps: 1}]
train: {steps: 2, batch_size: 10, evaluate_every: 1}
seeds: 1
controls: false
"""


def bench(*arguments: str) -> int:
    """Run a command in this process and return its exit code."""
    before, sys.argv = sys.argv, ["bench", *arguments]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


def run(*arguments: str) -> int:
    return bench("run", "grid.yaml", "--jobs", "1", "--device", "cpu", *arguments)
