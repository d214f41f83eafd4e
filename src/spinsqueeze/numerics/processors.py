"""How many processors this process may use, and which."""

import contextlib
import os
from collections.abc import Sequence


def available_processors() -> int:
    """Processors for the threads of this process: NPROC where it is set, else its share."""
    granted = os.environ.get("NPROC", "")
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def core_shares(n_workers: int) -> list[tuple[int, ...]]:
    """Cores for each of n_workers processes, disjoint and as many for each.

    Empty where there are fewer cores than workers, or where the system does not tell.
    """
    if not hasattr(os, "sched_getaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    share = len(cores) // n_workers
    if share == 0:
        return []
    return [tuple(cores[k * share : (k + 1) * share]) for k in range(n_workers)]


def keep_to(cores: Sequence[int]) -> None:
    """Bind all threads of this process, and those they start, to the given cores (Linux)."""
    with contextlib.suppress(OSError):
        threads = [int(name) for name in os.listdir("/proc/self/task")]
        for thread in threads:
            with contextlib.suppress(OSError):  # the thread has ended, or the cores are gone
                os.sched_setaffinity(thread, cores)
