"""The points of a sweep on local processes: one thread and one process for each worker.

A worker is a fresh interpreter with its own environment and a pipe (`run.local_worker`), so that
nothing in this process is patched: it never sees the user's script, its threads are limited by
variables that only it has, and it ends when the pipe closes, also when this process is killed. A
death costs the points at hand, which are tried again on a new process, one by one.

Pools of the standard library and loky break as a whole at a death, and the former run the user's
script again. Against dask's LocalCluster, which was here before, on two cores: 3.5 against 8.4 ms
on top of each cheap point with two workers, 6.5 against 13.2 ms with one; the first point after
0.8 against 1.1 s; a second worker makes it 2.06 against 1.83 times as fast. Both give the same bits
through kills.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.core.sizes import size_in_bytes
from spinsqueeze.numerics.memory import available_memory
from spinsqueeze.numerics.processors import core_shares
from spinsqueeze.run.jobs import DEATHS, Batch, Job, Queue, default_workers, died, of_same_numbers
from spinsqueeze.run.patience import ClusterLost
from spinsqueeze.run.point import Outcome

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NPROC",
    "PYTHON_CPU_COUNT",
)
"""What limits the threads of BLAS, numba, XLA (NPROC) and Python's own count of cores (3.13)."""
STARTS = 10
"""Processes in a row that may die before they are ready."""
START = 120.0
"""Seconds that a process has to get ready."""
LOOK = 0.1
"""Seconds between two looks at the memory of the workers."""
END = 10.0
"""Seconds that a killed process may take to be gone."""


def worker_memory(limit: float | str | None, *, workers: int) -> int:
    """Bytes for each local worker.

    Args:
        limit: bytes or "4 GB"; None: nine tenths of the memory, shared equally.
        workers: how many there are.

    Raises:
        InvalidInput: limit is no size, or below 100 MB.
    """
    if limit is None:
        return int(available_memory() * 0.9 / workers)
    try:
        size = size_in_bytes(limit) if isinstance(limit, str) else float(limit)
    except (TypeError, ValueError):
        size = 0.0
    if not 1e8 <= size < float("inf"):
        raise InvalidInput(
            "memory_limit must be a size of at least 100 MB for each worker such as '4 GB', got "
            f"{checks.shown(limit)}"
        )
    return int(size)


def run_local(
    jobs: Sequence[Job],
    *,
    blocks: bool,
    workers: int,
    memory_limit: float | str | None,
) -> Iterator[tuple[Job, Outcome]]:
    """Points on local processes as they finish.

    Each worker is given points of one shape for as long as there are any, so that it compiles
    once. The processes live as long as the iteration.

    Args:
        jobs: the points.
        blocks: keep the moments of the sample blocks.
        workers: processes.
        memory_limit: for each, see `worker_memory`; its resident memory is looked at ten times a
            second, and a process above the limit is killed.

    Raises:
        InvalidInput: memory_limit is no size.
        ClusterLost: the processes do not start.
    """
    pool = _Pool(
        jobs, blocks=blocks, workers=workers, memory=worker_memory(memory_limit, workers=workers)
    )
    try:
        pool.start()
        for _ in range(len(jobs)):
            yield pool.next()
    finally:
        pool.close()


@final
class _Closed(Exception):
    """The pool ends; so do its threads."""


@final
class _Pool:
    """What the workers share: the jobs, the outcomes, and the end."""

    def __init__(self, jobs: Sequence[Job], *, blocks: bool, workers: int, memory: int) -> None:
        self.blocks = blocks
        self.closed = threading.Event()
        self._jobs = Queue(jobs, workers=workers)
        self._lock = threading.Lock()
        # Bounded: the workers wait for a parent that is slow to write what they computed.
        self._outcomes: queue.Queue[tuple[Job, Outcome] | SpinSqueezeError] = queue.Queue(
            2 * workers
        )
        self._memory = memory
        shares = core_shares(workers) or [()] * workers
        threads = str(max(1, default_workers() // workers))
        environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, threads)}
        self._workers = [_Worker(self, str(k), shares[k], environment) for k in range(workers)]
        self._guard = threading.Thread(target=self._watch_memory, daemon=True)

    def start(self) -> None:
        for worker in self._workers:
            worker.thread.start()
        self._guard.start()

    def next(self) -> tuple[Job, Outcome]:
        """The next finished point.

        Raises:
            ClusterLost: the processes do not start, or all are gone.
        """
        while True:
            working = any(worker.thread.is_alive() for worker in self._workers)
            try:
                item = self._outcomes.get(timeout=1.0 if working else 0.0)
            except queue.Empty:
                if working:
                    continue
                raise ClusterLost("all local processes are gone") from None
            if isinstance(item, SpinSqueezeError):
                raise item
            return item[0], of_same_numbers(item[1])

    def take(self, worker: str, *, at_most: int) -> list[Job]:
        """The next jobs for a worker; none when all are given out."""
        with self._lock:
            return self._jobs.next(worker, at_most=at_most)

    def give(self, item: tuple[Job, Outcome] | SpinSqueezeError) -> None:
        """Hand over an outcome, or what ended a worker for good."""
        while not self.closed.is_set():
            with contextlib.suppress(queue.Full):
                self._outcomes.put(item, timeout=0.1)
                return

    def launch(
        self, program: Sequence[str], environment: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a process, unless this is the end.

        Raises:
            ClusterLost: the system starts no more.
        """
        with self._lock:  # so that `close` misses none
            if self.closed.is_set():
                raise _Closed
            try:
                return subprocess.Popen(
                    program, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            except OSError as error:
                raise ClusterLost(f"the local processes do not start: {error}") from None

    def close(self) -> None:
        """Kill the processes, which keep nothing, and wait for the threads."""
        with self._lock:
            self.closed.set()
        for worker in self._workers:
            worker.kill()
        for thread in [self._guard, *(worker.thread for worker in self._workers)]:
            if thread.is_alive():
                thread.join(END)

    def _watch_memory(self) -> None:
        while not self.closed.wait(LOOK):
            for worker in self._workers:
                if worker.resident() > self._memory:
                    worker.kill()


@final
class _Worker:
    """The place of one worker: its process, a new one after each death, and the talk with it."""

    def __init__(
        self, pool: _Pool, name: str, cores: Sequence[int], environment: dict[str, str]
    ) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._pool = pool
        self._place = name
        path = [entry for entry in sys.path if isinstance(entry, str)]
        code = (
            # Ctrl-C reaches every process of a terminal; the parent alone decides what it means.
            "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
            f"sys.path[:] = {path!r}; "
            f"from spinsqueeze.run.local_worker import serve; serve({tuple(cores)!r})"
        )
        self._program = [sys.executable, "-P", "-c", code]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._at_work = False

    def _run(self) -> None:
        """Compute until there are no more jobs."""
        try:
            batch = Batch()
            while jobs := self._pool.take(self._place, at_most=batch.size):
                started = time.monotonic()
                outcomes = self._computed(jobs)
                batch.took(time.monotonic() - started)
                for item in zip(jobs, outcomes, strict=True):
                    self._pool.give(item)
        except _Closed:
            pass
        except SpinSqueezeError as error:
            self._pool.give(error)  # the main thread raises it
        finally:
            self._end()

    def kill(self) -> None:
        """Stop the process at once."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def resident(self) -> int:
        """Bytes of memory that the process holds while it is at work."""
        import psutil

        process = self._process
        if process is None or not self._at_work:
            return 0
        try:
            return int(psutil.Process(process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _computed(self, jobs: Sequence[Job]) -> list[Outcome]:
        """The outcomes of points, on as many processes as it takes; after a death one by one."""
        for _ in range(1 + DEATHS if len(jobs) == 1 else 1):
            process = self._process or self._new_process()
            self._at_work = True
            outcomes = _answer(process, ([job.tables for job in jobs], self._pool.blocks))
            self._at_work = False
            if isinstance(outcomes, list):
                return outcomes
            self._end()
        if len(jobs) == 1:
            return [died()]
        return [outcome for job in jobs for outcome in self._computed([job])]

    def _new_process(self) -> subprocess.Popen[bytes]:
        for _ in range(STARTS):
            process = self._process = self._pool.launch(self._program, self._environment)
            timer = threading.Timer(START, process.kill)
            timer.start()
            try:
                if _answer(process) == "ready":
                    return process
            finally:
                timer.cancel()
            self._end()
        raise ClusterLost(f"the local processes do not start: {STARTS} in a row ended at once")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END)
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what it did not read is of no use
                if pipe is not None:
                    pipe.close()


def _answer(process: subprocess.Popen[bytes], question: object = None) -> object:
    """What a process says, to a question if there is one; None: it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if question is not None:
            pickle.dump(question, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
        return pickle.load(process.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        return None
