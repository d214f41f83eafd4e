"""The program of a local worker: points in on its standard input, outcomes out on its output."""

import dataclasses
import os
import pickle
import queue
import sys
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO


def serve(cores: Sequence[int]) -> None:
    """Compute points until the parent closes the pipe or is gone.

    Args:
        cores: those to keep to; empty: any.
    """
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # what a point prints must not get between the outcomes
    sys.stdout = sys.stderr
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, tasks), daemon=True).start()

    from spinsqueeze.numerics.processors import keep_to

    if cores:
        keep_to(cores)

    from spinsqueeze.run.point import compute_many

    pickle.dump("ready", target)
    target.flush()
    name = f"process {os.getpid()}"
    while True:
        points, blocks = tasks.get()
        outcomes = [
            dataclasses.replace(outcome, worker=name)
            for outcome in compute_many(points, blocks=blocks)
        ]
        pickle.dump(outcomes, target, protocol=pickle.HIGHEST_PROTOCOL)
        target.flush()


def _read(source: BinaryIO, tasks: Any) -> None:
    """Hand on what the parent asks; end this process, at work or not, when it asks no more."""
    try:
        while True:
            tasks.put(pickle.load(source))
    finally:
        os._exit(0)
