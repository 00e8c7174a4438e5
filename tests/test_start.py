"""Commands that train nothing start at once: they never import torch, which takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKED = """
import sys
from bench.__main__ import main
try:
    main()
except SystemExit as stop:
    assert stop.code in (None, 0, 1), stop.code  # 1: a report on an empty folder
assert "torch" not in sys.modules
"""


@pytest.mark.parametrize(
    "command", ["--help", "--version", "run --help", "schema", "list grids", "show 0a4c", "report"]
)
def test_a_command_that_trains_nothing_starts_without_torch(command: str, tmp_path: Path) -> None:
    folder = ["--results", str(tmp_path)] if command == "report" else []
    subprocess.run([sys.executable, "-c", CHECKED, *command.split(), *folder], check=True, stdout=subprocess.DEVNULL)


def test_a_report_without_a_home_is_not_told_of_caches(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("HOME", "MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null/home")
    command = [sys.executable, "-m", "bench", "report", "--results", str(tmp_path)]
    told = subprocess.run(command, env=os.environ | nowhere, capture_output=True, check=False, text=True)
    assert (told.returncode, told.stderr) == (1, "")


def test_a_run_needs_nothing_to_print_to(folder: Path) -> None:
    command = [sys.executable, "-m", "bench", "run", "grid.yaml", "--jobs", "1", "--device", "cpu"]
    closed = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *command, "--only", "method=clean"], check=False)
    assert closed.returncode == 0
    assert len(list((folder / "results" / "cells").iterdir())) == 2
