"""The points of a sweep on a running dask cluster, of which this process is a client."""

import contextlib
import dataclasses
import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.run.jobs import Job, Queue, Tables, died, of_same_numbers
from spinsqueeze.run.patience import ClusterLost, Watch
from spinsqueeze.run.point import Outcome, compute_many, failure

REFILL = 1.0
"""Seconds between two looks for new workers."""
POLL = 0.003
"""Seconds between two looks for finished points."""
ANSWER = 10.0
"""Seconds within which a scheduler answers."""
WAITING = 32
"""Points that a cluster without workers is given."""


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of a running dask cluster.

    Args:
        scheduler: its address.

    Raises:
        InvalidInput: dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_address, parse_host_port
    except ImportError:
        raise InvalidInput(
            f"scheduler {scheduler} needs dask, which is not installed: pip install "
            "'spinsqueeze[cluster]', or use local processes (workers)"
        ) from None

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


def _work(tables: Tables, blocks: bool) -> Outcome:
    from distributed import get_worker

    (outcome,) = compute_many([tables], blocks=blocks)
    return dataclasses.replace(outcome, worker=str(get_worker().address))


def run_on(
    client: Any,
    jobs: Sequence[Job],
    *,
    blocks: bool,
    patience: float,
    say: Callable[[str], None],
) -> Iterator[tuple[Job, Outcome]]:
    """Points on a cluster as they finish.

    Each worker is given points of one shape for as long as there are any, so that it compiles
    once; a worker that dies has its points computed by others.

    Args:
        client: of the cluster.
        jobs: the points.
        blocks: keep the moments of the sample blocks.
        patience: seconds to wait for workers.
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
        return of_same_numbers(result)
    if future.status == "error":
        error = future.exception()
        if isinstance(error, KilledWorker):
            return died()
        return failure(f"{type(error).__name__}: {error}", kept=False)
    raise ClusterLost(f"the cluster was lost ({future.status}); run the same again to go on")


class _Pool:
    """The points in flight: each worker has one more than it can run at once."""

    def __init__(self, client: Any, jobs: Sequence[Job], *, blocks: bool) -> None:
        from distributed import as_completed

        self.client = client
        self.blocks = blocks
        self.queue = Queue(jobs)
        self.running: dict[Any, tuple[Job, str | None]] = {}
        self.finished = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self.filled = 0.0

    def start(self, worker: str | None) -> None:
        """Send out the next point, of the shape that suits a worker with room."""
        for job in self.queue.next(worker):
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
