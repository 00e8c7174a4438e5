"""Plug-ins that fail while a grid is read: one line names what was asked of which, and where it went wrong."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from attacks import ATTACKS
from methods import METHODS
from tests.commands import bench

GRID = """\
title: A method and an attack that fail when they are asked
datasets: [{name: synthetic, size: 8, train_images: 40, test_images: 20}]
models: [cnn]
methods: [clean, {name: sc, patch: 4}]
attacks: [gray]
train: {steps: 2, batch_size: 10}
"""


def fail(*_: Any) -> NoReturn:
    raise RuntimeError("no\nanswer")


@pytest.mark.parametrize(
    ("kind", "hook", "said"),
    [
        (METHODS["sc"], "budget", "random noise of the budget of sc patch=4: RuntimeError: no"),
        (METHODS["sc"], "class_wise", "random noise of the budget of sc patch=4: RuntimeError: no"),
        (METHODS["sc"], "networks", "the networks of sc patch=4: RuntimeError: no"),
        (METHODS["sc"], "canonical", "what decides a cell of sc + gray: RuntimeError: no"),
        (METHODS["sc"], "declines", "what sc + gray declines: RuntimeError: no"),
        (ATTACKS["gray"], "seen", "what a victim sees of gray: RuntimeError: no"),
        (ATTACKS["gray"], "controls", "the controls of gray: RuntimeError: no"),
        (ATTACKS["gray"], "content", "what decides a cell of clean + gray: RuntimeError: no"),
        (ATTACKS["gray"], "spares_clean", "whether gray spares clean images: RuntimeError: no"),
    ],
)
def test_a_plug_in_that_fails_while_a_grid_is_read_is_one_line(
    kind: type[Any],
    hook: str,
    said: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "grid.yaml").write_text(GRID)
    wanted = property(fail) if isinstance(getattr(kind, hook, None), property) or hook == "class_wise" else fail
    monkeypatch.setattr(kind, hook, wanted)
    assert bench("run", "grid.yaml", "--dry-run") == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
    assert f"{Path(__file__).name}:" in line


def test_what_is_no_budget_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "grid.yaml").write_text(GRID)
    monkeypatch.setattr(METHODS["sc"], "budget", lambda *_: "large")
    assert bench("run", "grid.yaml", "--dry-run") == 2
    assert capsys.readouterr().err.startswith("random noise of the budget of sc patch=4: TypeError: ")
