"""Where the points of a sweep run: in this process, on local processes, or on a dask cluster."""

import contextlib
import dataclasses
import functools
import logging
import os
import signal
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.numerics.processors import available_processors, core_shares, keep_to
from spinsqueeze.run.patience import ClusterLost, Watch
from spinsqueeze.run.point import Outcome, compute, failure
from spinsqueeze.run.store import NUMBERS

Tables = Mapping[str, Any]
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
DEATHS = 5
"""Deaths of its worker after which a point counts as failed: most likely it needs more memory."""


REFILL = 1.0
POLL = 0.003
ANSWER = 10.0
"""Seconds within which a scheduler answers."""
WAITING = 32


@final
@dataclass(frozen=True)
class Job:
    """One point to compute: its number, its study and its shape."""

    number: int
    tables: Tables
    shape: str


def run_here(jobs: Sequence[Job], *, blocks: bool) -> Iterator[tuple[Job, Outcome]]:
    """One point after another in this process, points of one shape in a row."""
    for job in sorted(jobs, key=lambda job: job.shape):
        yield job, compute(job.tables, blocks=blocks)


def default_workers() -> int:
    """One local process for each core that this one may use, quotas of containers included."""
    from dask.system import cpu_count

    return min(available_processors(), max(1, cpu_count()))


@contextlib.contextmanager
def connected(
    *, workers: int, scheduler: str | None, memory_limit: float | str | None
) -> Iterator[Any]:
    """A dask client: of local processes for the length of the block, or of a running cluster.

    Raises:
        InvalidInput: the scheduler does not answer, or memory_limit is no size.
        ClusterLost: the local processes do not start.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.comm.addressing import parse_address, parse_host_port

    if scheduler is not None:
        try:
            if not scheduler.startswith("inproc:"):
                parse_host_port(parse_address(scheduler)[1])  # or a half-made client would hang
            client = Client(scheduler, timeout=ANSWER, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            cause = " ".join(str(error).split())[:120] or type(error).__name__
            raise InvalidInput(
                f"scheduler {scheduler} does not answer ({cause}); give an address such as "
                "tcp://10.0.0.1:8786"
            ) from None
        with _quiet("distributed.client"), client:
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": DEATHS,
        "distributed.nanny.pre-spawn-environ": {
            **dask.config.get("distributed.nanny.pre-spawn-environ", {}),
            **dict.fromkeys(THREAD_VARIABLES, str(max(1, default_workers() // workers))),
        },
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.comm.timeouts.connect": "60s",
    }
    limit = worker_memory(memory_limit, workers=workers)
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        stack.enter_context(_environment_kept())
        stack.enter_context(_without_main_module())
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=limit,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            stack.callback(_closed, cluster)
            client = Client(cluster, set_as_default=False)
            stack.callback(_closed, client)
        except (OSError, RuntimeError, TimeoutError) as error:
            raise ClusterLost(f"the local processes do not start: {error}") from None
        _prepare_local_workers(client, workers)
        yield client


@contextlib.contextmanager
def _environment_kept() -> Iterator[None]:
    """Undo what dask does: it sets what its workers shall inherit in this process for good."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """No tracebacks of dask on the way to our own message."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _closed(resource: Any) -> None:
    """Close, also what is broken already."""
    with contextlib.suppress(Exception):
        resource.close()


def worker_memory(limit: float | str | None, *, workers: int) -> int:
    """Bytes for each local worker.

    Args:
        limit: bytes or "4 GB"; None: nine tenths of the memory, shared equally.
        workers: how many there are.

    Raises:
        InvalidInput: limit is no size, or below 100 MB.
    """
    from distributed.system import MEMORY_LIMIT

    if limit is None:
        return int(MEMORY_LIMIT * 0.9 / workers)
    from dask.utils import parse_bytes

    try:
        count = int(parse_bytes(limit))
    except (ValueError, TypeError):
        count = 0
    if count < 1e8:
        raise InvalidInput(
            "memory_limit must be a size of at least 100 MB for each worker such as '4 GB', got "
            f"{checks.shown(limit)}"
        )
    return count


@contextlib.contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep new workers from running the user's script again, as spawned processes do."""
    from multiprocessing import spawn

    original = spawn.get_preparation_data

    def prepared(name: str) -> Any:
        data = original(name)
        if name.startswith("Dask Worker process"):
            data.pop("init_main_from_path", None)
            data.pop("init_main_from_name", None)
        return data

    spawn.get_preparation_data = prepared
    try:
        yield
    finally:
        spawn.get_preparation_data = original


def _prepare_local_workers(client: Any, n_workers: int) -> None:
    """Have each local worker leave Ctrl-C to its parent and keep to its own cores.

    Ctrl-C reaches every process of a terminal; the parent alone decides what it means. Threads
    that wander between the cores of other workers wait for them: on two cores that costs a fifth.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    shares = core_shares(n_workers)

    class LocalWorker(WorkerPlugin):
        name = "spinsqueeze-local-worker"

        def setup(self, worker: Any) -> None:
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            # A worker that takes the place of a dead one has its name.
            if isinstance(worker.name, int) and worker.name < len(shares):
                keep_to(shares[worker.name])

    # A worker may die meanwhile; the one that takes its place gets the plugin from the scheduler.
    with contextlib.suppress(OSError):
        client.register_plugin(LocalWorker())


def _work(tables: Tables, blocks: bool) -> Outcome:
    from distributed import get_worker

    outcome = compute(tables, blocks=blocks)
    return dataclasses.replace(outcome, worker=str(get_worker().address))


def run_on(
    client: Any,
    jobs: Sequence[Job],
    *,
    blocks: bool,
    patience: float | None,
    say: Callable[[str], None],
) -> Iterator[tuple[Job, Outcome]]:
    """Points on a cluster as they finish.

    Each worker is given points of one shape for as long as there are any, so that it compiles
    once; a worker that dies has its points computed by others.

    Args:
        client: of the cluster.
        jobs: the points.
        blocks: keep the moments of the sample blocks.
        patience: seconds to wait for workers; None: they are local processes.
        say: is told every minute what is waited for.

    Raises:
        ClusterLost: the cluster is lost, or patience is at its end.
        SpinSqueezeError: it runs another version of the numbers.
    """
    pool = _Pool(client, jobs, blocks=blocks)
    watch = Watch(patience=patience, say=say)
    left = len(jobs)
    try:
        pool.fill(watch, left=left)
        while left:
            if time.monotonic() - pool.filled > REFILL:
                pool.fill(watch, left=left)
            if not pool.finished.has_ready():
                time.sleep(POLL)
                continue
            future, result = next(pool.finished)
            watch.satisfied()
            job = pool.running.pop(future)[0]
            outcome = _outcome(future, result)
            future.release()
            pool.start(outcome.worker or None)
            left -= 1
            yield job, outcome
    finally:
        pool.cancel()


def _outcome(future: Any, result: Any) -> Outcome:
    from distributed import KilledWorker

    if future.status == "finished":
        if result.numbers != NUMBERS:
            raise SpinSqueezeError(
                f"worker {result.worker} runs version {result.numbers} of the numbers, here is "
                f"version {NUMBERS}: install the same spinsqueeze on both"
            )
        return result
    if future.status == "error":
        error = future.exception()
        if isinstance(error, KilledWorker):
            return failure(
                "its worker died again and again, most likely for want of memory; raise "
                "memory_limit or take fewer workers",
                kept=False,
            )
        return failure(f"{type(error).__name__}: {error}", kept=False)
    raise ClusterLost(f"the cluster was lost ({future.status}); run the same again to go on")


class _Pool:
    """The points in flight: each worker has one more than it can run at once."""

    def __init__(self, client: Any, jobs: Sequence[Job], *, blocks: bool) -> None:
        from distributed import as_completed

        self.client = client
        self.blocks = blocks
        self.queue = _Queue(jobs)
        self.running: dict[Any, tuple[Job, str | None]] = {}
        self.finished = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self.filled = 0.0

    def start(self, worker: str | None) -> None:
        """Send out the next point, of the shape that suits a worker with room."""
        job = self.queue.next(worker)
        if job is not None:
            # Not bound to that worker: dask would hold it back if the worker died. It is the
            # one with room, so it gets the point.
            future = self.client.submit(_work, job.tables, self.blocks, pure=False)
            self.running[future] = (job, worker)
            self.finished.add(future)

    def fill(self, watch: Watch, *, left: int) -> None:
        """Give every worker enough to do, new ones too.

        Args:
            watch: is told what is waited for.
            left: points without a result.

        Raises:
            ClusterLost: the scheduler is gone, or the patience for it or for workers is.
        """
        self.filled = time.monotonic()
        try:
            threads = self._asked(self.client.scheduler.ncores)
        except TimeoutError:
            watch.waiting("does not answer", points=left)
            return
        except OSError as error:
            raise ClusterLost(f"the scheduler was lost ({type(error).__name__})") from None
        if threads:
            watch.satisfied()
        else:
            watch.waiting("has no workers", points=left)
        room = {worker: n + 1 for worker, n in threads.items()}
        held = Counter(worker for _, worker in self.running.values())
        total = len(self.running)
        for worker, n in room.items():
            while held[worker] < n and total < sum(room.values()) and self.queue:
                self.start(worker)
                held[worker] += 1
                total += 1
        while not room and total < WAITING and self.queue:
            self.start(None)
            total += 1

    def cancel(self) -> None:
        """Take back what is in flight."""
        with contextlib.suppress(Exception):
            self._asked(self.client.cancel, list(self.running), asynchronous=True)

    def _asked(self, question: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The scheduler's answer, without waiting for ever for one that hangs."""
        asked = functools.partial(question, *arguments, **options)
        return self.client.sync(asked, callback_timeout=ANSWER)


class _Queue:
    """Jobs by shape: a worker stays with its shape, then takes a fresh one, then helps out."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._groups: dict[str, deque[Job]] = defaultdict(deque)
        for job in jobs:
            self._groups[job.shape].append(job)
        self._shape_of: dict[str | None, str] = {}

    def __bool__(self) -> bool:
        return bool(self._groups)

    def next(self, worker: str | None) -> Job | None:
        """The next job for a worker; None when all are given out."""
        if not self._groups:
            return None
        shape = self._shape_of.get(worker)
        if shape not in self._groups:
            taken = set(self._shape_of.values())
            fresh = [s for s in self._groups if s not in taken]
            shape = fresh[0] if fresh else max(self._groups, key=lambda s: len(self._groups[s]))
            self._shape_of[worker] = shape
        group = self._groups[shape]
        job = group.popleft()
        if not group:
            del self._groups[shape]
        return job
