"""A run that was killed and started again gives the same records as one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.tensor_file import read_tensor
from tests.commands import bench

GRID = """\
title: Killed in the middle
controls: false
datasets: [{name: synthetic, size: 8, train_images: 20, test_images: 10}]
models: [cnn]
methods: [clean, {name: sem, surrogate: cnn, updates: 2, steps: 1, samples: 1, batch_size: 10, adv_steps: 1}]
attacks: [none, {name: pgd, steps: 1}]
measures: [delusiveness]
train: {steps: 2, batch_size: 10, evaluate_every: 1}
seeds: 2
"""
CELLS = 10
TIMES = {"time", "provenance"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a run is started that is to be stopped; the grid has cells that would take for ever."""
    (tmp_path / "grid.yaml").write_text(GRID.replace("{name: pgd, steps: 1}", "{name: pgd, steps: 1_000_000}"))
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    return tmp_path / "results"


def arguments(folder: Path, jobs: int) -> list[str]:
    grid = folder.parent / "grid.yaml"
    return ["run", str(grid), "--jobs", str(jobs), "--device", "cpu", "--results", str(folder)]


def start(folder: Path) -> subprocess.Popen[str]:
    """A run with two workers, in a group of its own, that has finished a cell."""
    command = [sys.executable, "-m", "bench", *arguments(folder, 2)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: process.poll() is not None or cells(folder))
    return process


def records(folder: Path) -> dict[str, Any]:
    """Every record without its times and provenance."""
    whole = {file.name: json.loads(file.read_text()) for file in cells(folder)}
    return {name: {key: part for key, part in record.items() if key not in TIMES} for name, record in whole.items()}


def cells(folder: Path) -> list[Path]:
    return list((folder / "cells").glob("*.json"))


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until it holds, and fail if it does not within two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_ends_takes_its_workers_with_it_and_started_again_gives_the_same_records(
    by: signal.Signals, code: int, folder: Path
) -> None:
    process = start(folder)
    try:
        process.send_signal(by)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == code
        assert ("cells are finished and kept: run again to go on" in output) == (by == signal.SIGTERM)
        wait_for(lambda: not alive(process.pid))
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    assert 1 <= len(cells(folder)) < CELLS
    (folder.parent / "grid.yaml").write_text(GRID)
    whole = folder.parent / "whole"
    for results in (whole, folder):
        assert bench(*arguments(results, 1)) == 0
    assert len(records(whole)) == CELLS
    assert json.dumps(records(folder), sort_keys=True) == json.dumps(records(whole), sort_keys=True)
    names, resumed = (sorted(file.name for file in (part / "noise").iterdir()) for part in (whole, folder))
    assert names == resumed
    for name in names:  # what is known of its making has times, so the bytes differ
        first, second = (read_tensor(part / "noise" / name, "protection")[0] for part in (whole, folder))
        assert torch.equal(first, second)
