"""What a worker tells of a cell while it runs, and how long the rest is thought to take."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.plug_in import Cost
from bench.core.session import Session
from bench.run import progress
from bench.run.forecast import Pace
from bench.run.progress import Stage, read_stage, reported
from bench.run.schedule import Outcome, Task
from bench.run.workplace import Workplace
from tests.builders import cell
from tests.run.cells import Flat, carry_out

CPU = torch.device("cpu")


def wait_for(file: Path, passes: float) -> Stage:
    """The first report of so many passes, which must come within a minute: earlier ones may tell of fewer."""
    deadline = time.monotonic() + 60
    while (stage := read_stage(file)) is None or stage.passes < passes:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return stage


def test_a_session_is_reported_while_it_works_and_not_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.001)
    session, file = Session(0, CPU), tmp_path / "key.progress"
    session.count(256)
    session.step, session.steps, session.loss = 3, 10, 1.5
    with reported(session, file):
        stage = wait_for(file, passes=2.0)
    assert (stage.passes, stage.step, stage.steps, stage.loss) == (2.0, 3, 10, 1.5)
    assert read_stage(file) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_disturbs_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.001)
    with reported(Session(0, CPU), tmp_path / "nowhere" / "key.progress"):
        time.sleep(0.01)


class Patient(Flat):
    """Waits until its own report is there."""

    file: str

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        session.count(128)
        assert wait_for(Path(self.file), passes=1.0).passes == 1.0
        return super().generate(data, session)


def test_cells_are_reported_under_their_keys_and_leave_nothing(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.001)
    monkeypatch.setattr(Workplace, "progress_file", lambda place, key: place.store.locks / "a.progress")
    file = place.store.locks / "a.progress"
    [outcome] = carry_out([cell(Patient(file=str(file)))], place)
    assert outcome.record
    assert outcome.record["status"] == "finished", outcome.record["trace"]
    assert not list(place.store.locks.glob("*.progress"))


def test_the_training_loop_says_where_it_is(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: list[Session] = []
    opened = Workplace.open_session
    monkeypatch.setattr(
        Workplace, "open_session", lambda *rest, **named: sessions.append(opened(*rest, **named)) or sessions[-1]
    )
    [outcome] = carry_out([cell(steps=3)], place)
    assert outcome.record
    loss = outcome.record["history"]["train_loss"][-1]
    assert (sessions[-1].step, sessions[-1].steps) == (3, 3)
    assert sessions[-1].loss == pytest.approx(loss, abs=1e-6)


def todo(count: int, *, passes: float = 10.0) -> list[Task]:
    return [Task(cell(seed=seed), Cost(passes), {}) for seed in range(count)]


def ended(task: Task, seconds: float, status: str = "finished") -> Outcome:
    return Outcome(task, record={"status": status}, seconds=seconds)


def test_the_time_left_is_the_forecast_until_something_has_ended() -> None:
    tasks = todo(8)
    assert Pace(tasks, [60.0] * 8, jobs=2).left({}) == (240.0, {})
    assert Pace(tasks[:1], [60.0], jobs=2).left({}) == (60.0, {})


def test_the_time_left_follows_what_has_ended_and_what_runs() -> None:
    tasks = todo(8)
    pace = Pace(tasks, [100.0] * 8, jobs=2)
    pace.end(ended(tasks[0], 300.0))
    # The forecast weighs as much as a twentieth of the run, 40 s: against all kinds, and these against each kind.
    slower = (40 * (40 + 300) / (40 + 100) + 300) / (40 + 100)
    assert pace.left({})[0] == pytest.approx(7 * 100 * slower / 2)
    half = Stage(seconds=150.0, passes=5.0)
    left, each = pace.left({tasks[1].key: half})
    slower = (40 * (40 + 450) / (40 + 150) + 450) / (40 + 150)
    assert each == {tasks[1].key: pytest.approx(50 * slower)}
    assert left == pytest.approx((6 * 100 + 50) * slower / 2)


def test_noise_and_victims_are_measured_apart() -> None:
    noise, victim = replace(todo(1)[0], noise_only=True), todo(1)[0]
    more = todo(3)[1:]
    pace = Pace([noise, victim, *more], [1000.0, 1000.0, 1000.0, 1000.0], jobs=1)
    pace.end(ended(victim, 1000.0))
    pace.end(Outcome(noise, seconds=9000.0))
    assert 2000 < pace.left({})[0] < 3500  # not five times as long, as all that has ended


def test_a_cell_that_fails_at_once_makes_no_other_faster() -> None:
    tasks = todo(4)
    pace = Pace(tasks, [100.0] * 4, jobs=1)
    pace.end(ended(tasks[0], 1.0, "failed"))
    pace.end(Outcome(tasks[1], again=True))
    assert pace.left({})[0] == 300.0
    assert pace.done({}) == 0.25


def test_of_a_task_without_passes_only_the_time_that_it_takes_is_known() -> None:
    [task] = todo(1, passes=0.0)
    pace = Pace([task], [100.0], jobs=1)
    stage = Stage(seconds=30.0, passes=7.0)
    assert pace.share(task.key, stage) == 0
    assert pace.left({task.key: stage}) == (70.0, {task.key: 70.0})
    assert pace.left({task.key: Stage(seconds=130.0, passes=7.0)}) == (0.0, {task.key: 0.0})
