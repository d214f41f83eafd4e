"""How many processors this process may use, and which."""

import contextlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def available_processors() -> int:
    """Processors for the threads of this process: NPROC where it is set, else its share."""
    granted = os.environ.get("NPROC", "")
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def quota_of_container() -> float:
    """Processors that the control group of this process grants (Linux); inf without a quota."""
    for folder in ("cpu,cpuacct", "cpuacct,cpu", "cpu"):  # version 1
        with contextlib.suppress(OSError, ValueError):
            quota = int((CGROUPS / folder / "cpu.cfs_quota_us").read_text())
            period = int((CGROUPS / folder / "cpu.cfs_period_us").read_text())
            if quota > 0 and period > 0:
                return quota / period
    group = ""
    with contextlib.suppress(OSError, ValueError):
        group = OWN_CGROUP.read_text().strip().split(":")[-1].strip("/")
    quotas = [math.inf]
    for folder in (group, ""):  # version 2; "max 100000" is no quota
        with contextlib.suppress(OSError, ValueError):
            quota, period = map(int, (CGROUPS / folder / "cpu.max").read_text().split())
            if quota > 0 and period > 0:
                quotas.append(quota / period)
    return min(quotas)


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
