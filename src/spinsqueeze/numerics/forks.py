"""Forked processes: a fork copies the locks of a pool of threads, but not its threads."""

import os

from spinsqueeze.core.errors import Unsupported

_STARTED_IN: dict[str, int] = {}


def threads_of(pool: str) -> None:
    """Say, before a library's threads are used, that they are; refuse to wait for lost ones.

    Args:
        pool: the library, e.g. "jax".

    Raises:
        Unsupported: the threads were started in a parent process, from which this one was forked.
    """
    if _STARTED_IN.setdefault(pool, os.getpid()) != os.getpid():
        raise Unsupported(
            f"this process was forked after its parent had started the threads of {pool}, and "
            "would wait for them for ever. Start processes afresh: "
            "multiprocessing.get_context('spawn') (or 'forkserver'), or use spinsqueeze.sweep"
        )
