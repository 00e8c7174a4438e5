"""Workers that are killed, or cannot be reached, with real processes."""

import importlib.util
import os
import signal
import socket
import time
import warnings
from dataclasses import replace
from typing import Any

import pytest
from joblib.externals.loky import ProcessPoolExecutor

from bench.core.errors import UserError
from bench.grid.cell import Choice
from bench.run.schedule import KILLED
from bench.run.workers import Cluster, Processes, workers
from bench.run.workplace import Workplace
from measures.delusiveness import Delusiveness
from tests.builders import cell
from tests.run.cells import Deadly, Flat, Killed, carry_out, statuses

needs_dask = pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="dask is not installed")


def test_a_killed_worker_stops_no_other_cell_and_its_own_is_tried_twice_more(place: Workplace) -> None:
    files = {kills: place.data_root / f"kills {kills}" for kills in (1, 9)}
    cells = [cell(Deadly(file=str(file), kills=kills)) for kills, file in files.items()] + [cell(), cell(seed=1)]
    place = replace(place, jobs=2)
    outcomes = carry_out(cells, place)
    assert statuses(cells, place) == ["finished", "failed", "finished", "finished"]
    record = place.store.read(cells[1].key)
    assert record
    assert record["error"] == KILLED == "worker was killed (out of memory?)"
    assert {kills: file.stat().st_size for kills, file in files.items()} == {1: 2, 9: 3}
    assert sum(outcome.again for outcome in outcomes) == 3


def test_a_measure_that_is_killed_in_the_middle_gives_the_numbers_of_one_that_is_not(place: Workplace) -> None:
    file = place.data_root / "killed"
    measures = (Choice("killed", Killed(file=str(file))), Choice("delusiveness", Delusiveness()))
    cells = [replace(cell(Flat()), attacks=(), measure=one) for one in measures]
    outcomes = carry_out(cells, replace(place, jobs=2))
    assert statuses(cells, place) == ["finished", "finished"]
    assert (file.exists(), sum(outcome.again for outcome in outcomes)) == (True, 1)
    records = [place.store.read(one.key) for one in cells]
    first, second = (record["result"] for record in records if record)
    assert first == second
    assert first["loss"] > 0


def test_a_worker_that_is_killed_while_it_is_idle_is_replaced_without_a_word() -> None:
    pool = Processes(1)
    first = pool.submit(os.getpid).result()
    [idle] = pool._busy.values()
    os.kill(first, signal.SIGKILL)
    for _ in range(400):
        if idle._flags.broken:  # type: ignore[attr-defined]
            break
        time.sleep(0.05)
    assert idle._flags.broken  # type: ignore[attr-defined]
    assert pool.submit(os.getpid).result() != first
    pool.stop()


def test_a_worker_that_is_just_being_given_its_task_ends_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a run that is interrupted at that moment would wait for the task at its end."""
    pool, submit = Processes(1), ProcessPoolExecutor.submit

    def interrupted(self: Any, *arguments: Any) -> Any:
        submit(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(ProcessPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.submit(time.sleep, 600)
    [worker] = pool._started
    [process] = worker._processes.values()  # type: ignore[attr-defined]
    pool.stop()
    assert not process.is_alive()


def distrustful() -> int:
    """Make joblib believe that this process has grown too much; the process itself."""
    from joblib.externals.loky import process_executor as own

    own._MAX_MEMORY_LEAK_SIZE, own._MEMORY_LEAK_CHECK_DELAY = -1, 0.0
    return os.getpid()


def test_a_process_that_has_grown_is_replaced_without_a_word() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pool = Processes(1)
        made = [pool.submit(distrustful).result() for _ in range(12)]
        pool.stop()
    assert len(set(made)) > 1
    assert not [one.message for one in told]


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_of_a_cluster_is_told_in_the_same_words(place: Workplace) -> None:
    from distributed import LocalCluster

    kills = place.data_root / "kills"
    cells = [cell(Deadly(file=str(kills), kills=9)), cell()]
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="") as cluster:
        place = replace(place, cluster=cluster.scheduler_address)
        carry_out(cells, place)
    assert statuses(cells, place) == ["failed", "finished"]
    record = place.store.read(cells[0].key)
    assert record
    assert (record["error"], kills.stat().st_size) == (KILLED, 3)


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_wrong_address_of_a_cluster_is_one_line(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.run.workers.SECONDS_TO_CONNECT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"  # something listens there, but never answers
        for wrong in (address, "8786", "ftp://one"):
            with pytest.raises(UserError, match=f"^--cluster {wrong}: no dask scheduler answers there") as caught:
                Cluster(wrong)
            assert "\n" not in str(caught.value)


def test_one_job_needs_no_other_process(place: Workplace) -> None:
    with workers(place) as team:
        assert team.submit(os.getpid).result() == os.getpid()
