"""Threads of numba for work that is worth them."""

from collections.abc import Iterator
from contextlib import contextmanager

WORTH_THREADS = 0.01
"""Seconds of work. To start and end threads costs some 10 microseconds, but on a busy machine those
that are done spin for milliseconds while they wait for one that has no processor."""


@contextmanager
def threads_for(seconds: float) -> Iterator[None]:
    """All threads of numba for work of `seconds` on one of them, or one where that is little."""
    from numba import get_num_threads, set_num_threads

    before = get_num_threads()
    if seconds < WORTH_THREADS:
        set_num_threads(1)
    try:
        yield
    finally:
        set_num_threads(before)
