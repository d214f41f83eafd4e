"""Independent pieces of work on all processors, and their end at Ctrl-C."""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from spinsqueeze.core.arrays import Booleans
from spinsqueeze.core.progress import Progress

_PATIENCE = 0.1


def in_threads(
    work: Callable[[], None],
    *,
    n_threads: int,
    stop: Booleans,
    finished: Booleans,
    progress: Progress | None,
) -> bool:
    """Call work() in every thread until all have returned; whether Ctrl-C ended it.

    work() sets entries of `finished` as it goes, and returns soon once stop[0] is true. The first
    error that it raises is raised here.
    """
    interrupted = False
    with ThreadPoolExecutor(n_threads) as pool:
        jobs: list[Future[None]] = []
        try:
            jobs += [pool.submit(work) for _ in range(n_threads)]
            pending: set[Future[None]] = set(jobs)
            said = 0
            while pending:
                _, pending = wait(pending, timeout=_PATIENCE, return_when=FIRST_EXCEPTION)
                if any(job.done() and job.exception() for job in jobs):
                    break
                if progress is not None and (n_finished := int(finished.sum())) > said:
                    said = n_finished
                    progress(said / finished.size)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            stop[0] = True
    for job in jobs:
        job.result()
    return interrupted
