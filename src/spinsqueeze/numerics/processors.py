"""How many processors this process may use."""

import os


def available_processors() -> int:
    """Processors for the threads of this process: NPROC where it is set, else its share."""
    granted = os.environ.get("NPROC", "")
    if granted.isdigit() and int(granted) > 0:
        return int(granted)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
