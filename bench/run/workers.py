"""The workers: this process, others of this machine, or those of a dask cluster; each does one thing at a time.

The pool is joblib's loky, with a pool of one process for each job. A process that is killed then breaks its own pool
alone, so it is known what it was doing, and no other cell is lost; `joblib.Parallel` would end all of them.
"""

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from joblib.externals.loky import ProcessPoolExecutor

from bench.core.device import default_jobs
from bench.core.errors import UserError
from bench.run.workplace import Workplace

T = TypeVar("T")
RETRIES = 2
"""So often a task is tried again whose worker was killed."""
SECONDS_TO_CONNECT = 4
LOGGERS = ("distributed", "distributed.client")
WATCH = 0.5
"""Seconds between two looks of a worker at whether its run is still there."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Workers:
    """Runs functions one by one in this process: what a single job needs."""

    tries = 1 + RETRIES
    """How often a task may be given to workers that are killed."""

    def submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Start `function(*arguments)`. The future's exception is as `was_killed` and `was_cut` tell."""
        future: Future[T] = Future()
        try:
            future.set_result(function(*arguments))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            future.set_exception(error)
        return future

    def stop(self) -> None:
        """End all workers at once, whatever they do."""

    def was_killed(self, error: BaseException) -> bool:
        """Whether a future ended with this error because its worker did."""
        return isinstance(error, BrokenProcessPool)

    def was_cut(self, error: BaseException) -> bool:
        """Whether a future ended with this error because its worker cannot be reached."""
        return False


class Processes(Workers):
    """Processes of this machine, started when they are needed and anew if one was killed."""

    def __init__(self, threads: int) -> None:
        # A process that has grown ends after a task, and the next one is given to a new process: nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        self._threads = threads
        self._started: list[Executor] = []
        self._idle: list[Executor] = []
        self._busy: dict[Future[Any], Executor] = {}

    def submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        self._collect()
        while self._idle:
            worker = self._idle.pop()
            try:
                return self._given(worker, function, *arguments)
            except BrokenProcessPool:  # it was killed while it had nothing to do
                self._end(worker)
        return self._given(self._start(), function, *arguments)

    def stop(self) -> None:
        for worker in list(self._started):  # also one that was just being given its task
            self._end(worker)

    def _given(self, worker: Executor, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        future = worker.submit(function, *arguments)
        self._busy[future] = worker
        return future

    def _start(self) -> Executor:
        environment = dict.fromkeys(THREADS, str(self._threads))
        pool: Executor = ProcessPoolExecutor(1, initializer=end_with, initargs=(os.getpid(),), env=environment)
        self._started.append(pool)
        return pool

    def _end(self, worker: Executor) -> None:
        worker.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
        self._started.remove(worker)

    def _collect(self) -> None:
        """Take back the workers that are done, and let go of those that were killed."""
        for future in [future for future in self._busy if future.done()]:
            worker = self._busy.pop(future)
            if self.was_killed(future.exception() or Exception()):
                self._end(worker)
            else:
                self._idle.append(worker)


class Cluster(Workers):
    """The workers of a dask cluster; its scheduler itself tries again what a killed one did."""

    tries = 1

    def __init__(self, address: str) -> None:
        """Raises UserError if no scheduler answers at the address."""
        from distributed import Client

        for name in LOGGERS:  # what goes wrong is told in a line, not in dask's tracebacks
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        answer: Future[Client] = Future()

        def connect() -> None:
            try:
                answer.set_result(Client(address, timeout=SECONDS_TO_CONNECT))
            except Exception as error:  # whatever else answers there can make dask raise anything
                answer.set_exception(error)

        # In a thread, because dask waits for ever for what accepts the connection and says nothing.
        threading.Thread(target=connect, daemon=True).start()
        try:
            self._client = answer.result(SECONDS_TO_CONNECT + 1)
        except Exception as error:
            words = str(error) or "no answer"
            raise UserError(f"--cluster {address}: no dask scheduler answers there ({words})") from None
        self._executor = self._client.get_executor(pure=False)

        def limit_retries(retries: int, dask_scheduler: Any = None) -> None:  # nested: the scheduler may lack our code
            dask_scheduler.allowed_failures = retries

        self._client.run_on_scheduler(limit_retries, RETRIES)

    def submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        future: Future[T] = self._executor.submit(function, *arguments)
        return future

    def stop(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close(timeout=SECONDS_TO_CONNECT)

    def was_killed(self, error: BaseException) -> bool:
        from distributed import KilledWorker

        return isinstance(error, KilledWorker)

    def was_cut(self, error: BaseException) -> bool:
        from concurrent.futures import CancelledError

        return isinstance(error, OSError | CancelledError)


@contextmanager
def workers(place: Workplace) -> Iterator[Workers]:
    """The workers of this place; all of them end with the block. Raises UserError if a cluster does not answer."""
    if place.cluster:
        hired: Workers = Cluster(place.cluster)
    else:
        hired = Workers() if place.jobs == 1 else Processes(max(1, default_jobs(["cpu"]) // place.jobs))
    try:
        yield hired
    finally:
        hired.stop()


def end_with(parent: int) -> None:
    """End this process when the process `parent`, which started it, ends; however that happens."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the run, which then ends its workers

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
