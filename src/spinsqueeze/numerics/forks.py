"""Forked processes: a fork copies the locks of a pool of threads, but not its threads."""

import os

from spinsqueeze.core.errors import Unsupported

_STARTED_IN: dict[str, int] = {}


def require_own_threads(pool: str) -> None:
    """Refuse to use a library's threads that belong to a parent process; call before each use.

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
