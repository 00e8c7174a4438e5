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

GRID = """\
title: Killed in the middle
controls: false
datasets: [{name: synthetic, size: 8, train_images: 80, test_images: 40}]
models: [cnn]
methods: [clean, {name: sem, surrogate: cnn, updates: 4, steps: 2, samples: 2, batch_size: 16, adv_steps: 1}]
attacks: [none, {name: pgd, steps: 2}]
train: {steps: 40, batch_size: 16, evaluate_every: 20}
seeds: 2
"""
TIMES = {"time", "provenance"}


def command(folder: Path) -> list[str]:
    arguments = ["run", str(folder.parent / "grid.yaml"), "--jobs", "2", "--device", "cpu", "--results", str(folder)]
    return [sys.executable, "-m", "bench", *arguments]


def records(folder: Path) -> dict[str, Any]:
    """Every record without its times and provenance."""
    whole = {file.name: json.loads(file.read_text()) for file in cells(folder)}
    return {name: {key: part for key, part in record.items() if key not in TIMES} for name, record in whole.items()}


def kill_after_first_cells(folder: Path, count: int) -> int:
    """Start a run, kill it and its workers with SIGKILL once `count` cells are there; return how many were."""
    process = subprocess.Popen(command(folder), stdout=subprocess.DEVNULL, start_new_session=True)
    waited_for(lambda: process.poll() is not None or len(cells(folder)) >= count)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return len(cells(folder))


def cells(folder: Path) -> list[Path]:
    return list((folder / "cells").glob("*.json"))


def test_a_run_that_is_asked_to_end_takes_its_workers_with_it(tmp_path: Path) -> None:
    endless = GRID.replace("steps: 2}", "steps: 1_000_000}")
    (tmp_path / "grid.yaml").write_text(endless)
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    folder = tmp_path / "results"
    process = subprocess.Popen(command(folder), stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        waited_for(lambda: cells(folder))
        process.terminate()
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 130
        assert "cells are finished and kept: run again to go on" in output
        waited_for(lambda: not alive(process.pid))
    finally:
        if alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def waited_for(condition: Callable[[], object]) -> None:
    """Wait until it holds, and fail where it does not within two minutes."""
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


def test_a_killed_run_that_is_started_again_gives_the_same_records(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(GRID)
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole), check=True, stdout=subprocess.DEVNULL)
    assert 2 <= kill_after_first_cells(killed, 2) < 8
    assert set(records(killed)).issubset(records(whole))
    subprocess.run(command(killed), check=True, stdout=subprocess.DEVNULL)
    assert len(records(whole)) == 8
    assert json.dumps(records(killed), sort_keys=True) == json.dumps(records(whole), sort_keys=True)
    noise = [{file.name: file.stat().st_size for file in (part / "noise").iterdir()} for part in (whole, killed)]
    assert set(noise[0]) == set(noise[1])
