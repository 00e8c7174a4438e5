"""What a run is said to take."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.core.datasets import Synthetic
from bench.core.plug_in import Cost
from bench.grid.cell import Choice
from bench.run.forecast import forecast
from measures import MEASURES
from tests.builders import cell, finished, workplace
from tests.run.cells import Flat, tasks


class Laborious(Flat):
    """Work without a network."""

    cached = True

    def cost(self, images: int) -> Cost:
        return Cost(other=images / 2) + Cost(seconds=7)


def test_work_outside_networks_is_work_in_passes_of_a_resnet_or_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = workplace(tmp_path)
    todo = tasks([cell(Laborious(), 0), cell(Laborious(), 1)], place)
    assert [task.noise_only for task in todo] == [True, False, False]
    assert todo[0].passes == 10
    rates = {"resnet18": 3.0, "cnn": 0.5}
    monkeypatch.setattr("bench.run.forecast.seconds_per_pass", lambda network, *_: rates[network])
    assert forecast(todo, place).seconds == (37.0, *(0.5 * task.passes for task in todo[1:]))


def test_a_measure_that_trains_nothing_is_timed_with_the_network_of_its_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"resnet18": 3.0, "cnn": 0.5}
    monkeypatch.setattr("bench.run.forecast.seconds_per_pass", lambda network, *_: rates[network])
    measures = [Choice(name, MEASURES[name]()) for name in ("generation_time", "delusiveness")]
    todo = tasks([replace(cell(Flat()), measure=measure) for measure in measures], workplace(tmp_path))
    found = zip(todo, forecast(todo, workplace(tmp_path)).seconds, strict=True)
    (timed, first), (trained, second) = [(task, seconds) for task, seconds in found if not task.noise_only]
    assert first == pytest.approx(3.0 * timed.passes + timed.cost.seconds)
    assert second == pytest.approx(0.5 * trained.passes + trained.cost.seconds)


def test_a_run_takes_no_less_than_a_noise_and_the_longest_of_its_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.forecast.seconds_per_pass", lambda *_: 1.0)
    monkeypatch.setattr("bench.run.workplace.default_jobs", lambda devices: 8)
    place = replace(workplace(tmp_path), jobs=8)
    todo = tasks([cell(Laborious(), 0), cell(Laborious(), 1, steps=9)], place)
    noise, longest = (next(one.passes for one in todo if one.noise_only), max(one.passes for one in todo[1:]))
    assert forecast(todo, place).seconds_in_all == noise + 7 + longest


@pytest.mark.parametrize(
    ("jobs", "cluster", "slower"), [(9, "dask", 1), (1, "", 1), (2, "", 1), (3, "", 1.5), (99, "", 2), (9, "a", 1)]
)
def test_tasks_that_share_a_core_are_forecast_to_be_slower(
    jobs: int, cluster: str, slower: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.forecast.seconds_per_pass", lambda *_: 1.0)
    monkeypatch.setattr("bench.run.workplace.default_jobs", lambda devices: 2)
    todo = tasks([cell(seed=seed) for seed in range(4)], workplace(tmp_path))
    place = replace(workplace(tmp_path), jobs=jobs, cluster=cluster)
    assert forecast(todo, place).seconds == tuple(slower * task.passes for task in todo)


def test_a_network_whose_pace_is_known_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paces = iter([2.0])
    monkeypatch.setattr("bench.run.forecast.seconds_per_pass", lambda *_: next(paces))
    todo, known = tasks([cell()], workplace(tmp_path)), dict[Any, float]()
    first, second = (forecast(todo, workplace(tmp_path), rates=known).seconds_in_all for _ in range(2))
    assert first == second == 2 * todo[0].passes
    assert list(known.values()) == [2.0]


def test_looks_at_test_images_are_forecast_as_passes_without_gradients(tmp_path: Path) -> None:
    few, many = (
        tasks([cell(data=Synthetic(size=8, train_images=20, test_images=count), steps=7, evaluate_every=3)], place)[0]
        for count, place in ((128, workplace(tmp_path)), (1280, workplace(tmp_path)))
    )
    record = finished(few.cell, tmp_path)
    looks = len(record["history"]["step"])
    assert many.passes - few.passes == pytest.approx(looks * 9 / 3)
    assert few.cost.passes == record["cost"]["train_passes"]
