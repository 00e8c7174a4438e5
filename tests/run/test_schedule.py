"""Order of work, failures, and that nothing is done twice."""

from collections import deque
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.memory import CPU
from bench.core.plug_in import Cost
from bench.core.protocols import Method
from bench.core.session import Session
from bench.run import schedule
from bench.run.experiment import run_cell
from bench.run.workers import workers
from bench.store import Store
from methods import METHODS
from tests.builders import cell, workplace
from tests.run.cells import carry_out, tasks


class Flat(Method):
    """Constant noise that counts how often it is made, and fails on demand."""

    source = "test"
    radius: float = 0.1
    fails: bool = False
    made: ClassVar[list[int]] = []

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        if self.fails:
            raise RuntimeError("no noise today")
        self.made.append(session.seed)
        return torch.ones_like(data.images, dtype=torch.int8)

    def cost(self, images: int) -> Cost:
        return Cost(5.0)


@pytest.fixture(autouse=True)
def _count_from_zero() -> None:
    Flat.made.clear()


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        (1, ["Sem noise", "Sem 0", "Flat noise", "Flat 0", "Flat 1"]),
        (2, ["Sem noise", "Flat noise", "Sem 0", "Flat 0", "Flat 1"]),
        (9, ["Sem noise", "Flat noise", "Sem 0", "Flat 0", "Flat 1"]),
    ],
)
def test_a_result_comes_first_then_noise_longest_first_each_with_its_cells_then_the_rest(
    jobs: int, expected: list[str], tmp_path: Path
) -> None:
    clean, cheaper = METHODS["clean"](), METHODS["clean"]()
    sem = METHODS["sem"](surrogate="cnn", updates=2)
    cells = [cell(Flat(), 0), cell(sem, 0), cell(clean, 0, steps=9), cell(cheaper, 0), cell(Flat(), 1)]
    arranged = tasks(cells, replace(workplace(tmp_path), jobs=jobs))
    order = [f"{type(t.cell.method.settings).__name__} {'noise' if t.noise_only else t.cell.seed}" for t in arranged]
    assert order == ["Clean 0", *expected, "Clean 0"]


def test_noise_is_made_once_for_all_cells_that_need_it(tmp_path: Path) -> None:
    place, cells = workplace(tmp_path), [cell(Flat(), seed) for seed in range(3)]
    outcomes = carry_out(cells, place)
    assert Flat.made == [0]
    records = [outcome.record for outcome in outcomes if outcome.record]
    assert [record["status"] for record in records] == ["finished"] * 3
    assert {record["noise"]["size"]["linf"] for record in records} == {round(1 / 255, 6)}


def test_what_another_run_is_at_comes_last_and_no_worker_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, cells = workplace(tmp_path), [cell(Flat()), cell(Flat(radius=0.2)), cell(METHODS["clean"]())]
    done: list[str] = []
    begun: list[str] = []
    with ExitStack() as held:
        held.enter_context(place.store.lock(cells[0].noise_key))

        def end_the_other_run(seconds: float) -> None:
            assert begun == done
            held.close()

        monkeypatch.setattr(schedule.time, "sleep", end_the_other_run)
        with workers(place) as team:
            for outcome in schedule.run(tasks(cells, place), place, team, lambda task: begun.append(task.key)):
                done.append(outcome.task.key)
    assert done[:3] == [cells[2].key, cells[1].noise_key, cells[1].key]
    assert done[3:] == [cells[0].noise_key, cells[0].key]
    assert len(Flat.made) == 2


def test_noise_that_cannot_be_made_fails_its_cells_and_no_others(tmp_path: Path) -> None:
    place, cells = workplace(tmp_path), [cell(Flat(fails=True), 0), cell(Flat(fails=True), 1), cell(Flat(), 0)]
    carry_out(cells, place)
    records = [place.store.read(cell.key) for cell in cells]
    assert [record and record["status"] for record in records] == ["failed", "failed", "finished"]
    assert records[0] is not None
    assert records[0]["error"] == "its noise could not be made: RuntimeError: no noise today"


def test_a_failed_cell_counts_as_done_until_a_retry_is_asked_for(tmp_path: Path) -> None:
    place, failing = workplace(tmp_path), cell(Flat(fails=True))
    carry_out([failing], place)
    assert schedule.is_done(failing, place.store, retry_failed=False)
    assert not schedule.is_done(failing, place.store, retry_failed=True)


def test_what_another_run_has_failed_at_meanwhile_is_not_tried_again(tmp_path: Path) -> None:
    place, failing = workplace(tmp_path), cell(Flat(fails=True))
    carry_out([failing], place)
    first = place.store.read(failing.key)
    earlier, later = (replace(place, since=place.since + shift) for shift in (-60, 60))
    asked = [{"grid": name, "scale": "paper", "set": {}} for name in ("began before", "began later")]
    assert run_cell(failing, earlier, CPU, asked=asked[0]) == first
    assert run_cell(failing, later, CPU, asked=asked[1])["asked"] == asked[1]


def test_noise_beyond_its_declared_budget_is_a_failure(tmp_path: Path) -> None:
    place, bold = workplace(tmp_path), cell(Flat(radius=0.001))
    carry_out([bold], place)
    record = place.store.read(bold.key)
    assert record
    assert record["error"].endswith("image 0 leaves the budget: linf norm 0.00392, bound 0.00000")


def test_a_finished_cell_is_not_run_again(tmp_path: Path) -> None:
    place, once = workplace(tmp_path), cell(METHODS["clean"]())
    [first], [second] = (carry_out([once], place) for _ in range(2))
    assert first.record == second.record  # the times too: it was read, not run


def test_two_workers_give_the_same_results_as_one(tmp_path: Path) -> None:
    cells = [cell(METHODS["clean"](), seed) for seed in range(2)]
    results = []
    for jobs in (1, 2):
        place = replace(workplace(tmp_path / str(jobs)), jobs=jobs)
        carry_out(cells, place)
        records = [place.store.read(cell.key) or {} for cell in cells]
        results.append([(record["result"], record["history"]) for record in records])
    assert results[0] == results[1]


def test_cells_of_a_noise_that_this_run_makes_keep_no_worker_from_others(tmp_path: Path) -> None:
    waiting = deque(tasks([cell(Flat(), 0), cell(METHODS["clean"](), 0)], workplace(tmp_path)))
    clean, noise, flat = waiting[0], waiting[1], waiting[2]
    waiting.remove(noise)
    store, making = Store(tmp_path), {noise.key}
    assert schedule._pop_free(waiting, store, making) is clean
    assert schedule._pop_free(waiting, store, making) is None  # nor does it keep one waiting
    assert schedule._pop_free(waiting, store, set()) is flat
