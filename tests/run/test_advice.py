"""A run of weeks is answered with the scale that fits the machine."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.console import advise
from bench.run import advice
from bench.run.advice import FITTING, LONG, Fit, fitting_scale
from bench.run.forecast import Forecast, Rates
from bench.run.request import Request
from bench.run.schedule import Task
from bench.run.workplace import Workplace
from tests.grid.test_controls import HEAD
from tests.run.test_request import request

SCALES = """\
paper: {train: {steps: 1280}}
large: {train: {steps: 640}}
small: {train: {steps: 320}}
tiny: {dataset: synthetic, train: {steps: 160}}
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A run at paper scale whose passes take an hour each."""

    def hours(tasks: Sequence[Task], place: Workplace, budget: float, rates: Rates) -> Forecast:
        rates.setdefault("hours", 3600.0)  # type: ignore[call-overload]
        return Forecast((), sum(rates["hours"] * task.cost.passes for task in tasks))  # type: ignore[index]

    monkeypatch.setattr(advice, "forecast", hours)
    asked = replace(request(tmp_path), grids=(tmp_path / "plain.yaml",))
    (tmp_path / "scales.yaml").write_text(SCALES)
    plain = "scalable: true\nmethods: [clean]\nattacks: [none]\ncontrols: false\ntrain: {batch_size: 8}\n"
    (tmp_path / "plain.yaml").write_text(HEAD + plain)
    return asked


def test_the_largest_scale_that_ends_within_a_day_fits(asked: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.core.datasets.Cifar10.is_there", lambda self, root: True)
    assert fitting_scale(asked) == Fit("small", 20 * 3600)


def test_what_was_measured_for_the_run_holds_for_all_scales(asked: Request) -> None:
    assert fitting_scale(asked, {"hours": 7200.0}) == Fit("tiny", 20 * 3600)  # type: ignore[dict-item]


def test_a_scale_without_its_data_does_not_fit(asked: Request) -> None:
    assert fitting_scale(asked) == Fit("tiny", 10 * 3600)


def test_the_fastest_scale_is_named_if_none_ends_within_a_day(asked: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "FITTING", FITTING / 1000)
    assert fitting_scale(asked) == Fit("tiny", 10 * 3600)


def test_only_a_run_of_weeks_gets_the_line(asked: Request, capsys: pytest.CaptureFixture[str]) -> None:
    advise(asked, LONG, Console())
    assert capsys.readouterr().out == ""
    advise(asked, 2 * LONG, Console())
    assert capsys.readouterr().out == "about 14.0 days on this machine; --scale tiny: 10.0 hours\n"
