"""Trajectories on all processors, in order, and what they leave when they are interrupted."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.base.first_jumps import LEAST, Branch
from spinsqueeze.methods.base.worker_threads import in_threads
from spinsqueeze.methods.trajectories.initial import Mixture
from spinsqueeze.methods.trajectories.lowering import Lowered
from spinsqueeze.numerics.processors import available_processors

MOST_JUMPS = 1_000_000
"""Jumps that the record of a kept trajectory has room for."""


@final
@dataclass(frozen=True)
class Options:
    """How to walk.

    shifted: whether jumps are L - <L>. tolerance: of the state over the whole run, from the steps.
    tail_tolerance: weight in the last levels from which a window grows. smallest: fewest levels.
    """

    shifted: bool = True
    tolerance: float = 3e-4
    tail_tolerance: float = 1e-10
    smallest: int = 12
    n_threads: int | None = None


@final
@dataclass(frozen=True, eq=False)
class Walks:
    """Trajectories 0 ... n - 1.

    Attributes:
        spins, covariances, two_js, errors: (n, T, 3), (n, T, 3, 3), (n, T), (n, T); errors of the
            state from the steps.
        norms: (n, T) of the states since the last jump, 0 where a walk ended before.
        figures, channels: (n, F), (n, 2, K), see `walk`.
        records: times and numbers of the jumps of the first trajectories.
        interrupted: whether there are fewer than were asked for.
    """

    spins: Floats
    covariances: Floats
    two_js: Integers
    errors: Floats
    norms: Floats
    figures: Floats
    channels: Floats
    records: tuple[tuple[Floats, Integers], ...]
    interrupted: bool = False

    def first(self, count: int) -> "Walks":
        """The first ones, after an interruption."""
        return Walks(
            self.spins[:count],
            self.covariances[:count],
            self.two_js[:count],
            self.errors[:count],
            self.norms[:count],
            self.figures[:count],
            self.channels[:count],
            self.records[:count],
            interrupted=True,
        )


def walks(
    lowered: Lowered,
    start: Mixture,
    *,
    times: Floats,
    seed: int,
    count: int,
    options: Options,
    first: int = 0,
    n_records: int = 0,
    never: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Walks:
    """Run trajectories first ... first + count - 1; number k follows from seed, k and `never`.

    An interrupt (Ctrl-C) ends the run with the trajectories up to the first one unfinished. The
    jumps of trajectories 0 ... n_records - 1 are recorded. never: see `Limits`.

    Raises:
        NumericalFailure: no step of a trajectory holds.
    """
    times = np.array(times, dtype=float)  # not read-only, which would be compiled anew
    n_times = len(times)
    random = lowered.owners.size > 0 or len(start.starts) > 1
    distinct = count if random else 1
    result = _room(distinct, n_times, lowered, n_records=max(n_records - first, 0))
    records = list(result.records)
    stop = np.zeros(1, dtype=bool)
    finished = np.zeros(distinct, dtype=bool)
    numbers = itertools.count()
    lock = threading.Lock()

    def work() -> None:
        while not stop[0]:
            with lock:
                k = next(numbers)
            if k >= distinct:
                return
            record = _record(MOST_JUMPS if k < len(records) else 0)
            if _one(k, first, lowered, start, times, seed, options, never, stop, result, record):
                if k < len(records):
                    n_jumps = min(int(result.figures[k, 2]), MOST_JUMPS)
                    records[k] = (record[0][:n_jumps].copy(), record[1][:n_jumps].copy())
                finished[k] = True

    n_threads = max(1, min(options.n_threads or available_processors(), distinct))
    interrupted = in_threads(
        work, n_threads=n_threads, stop=stop, finished=finished, progress=progress
    )
    done = distinct if finished.all() else int(np.argmin(finished))
    result = Walks(
        result.spins, result.covariances, result.two_js, result.errors, result.norms,
        result.figures, result.channels, tuple(records),
    )  # fmt: skip
    if interrupted and done < distinct:
        return result.first(done)
    return result if random else _repeated(result, count)


def without_jumps(
    lowered: Lowered, start: Mixture, *, times: Floats, options: Options, apart: bool
) -> Branch | None:
    """The branch without jumps, to be taken `apart` where it has weight at the end.

    None where the state begins as a mixture, or nothing jumps.

    Raises:
        NumericalFailure: no step holds.
    """
    if len(start.starts) > 1 or lowered.owners.size == 0:
        return None
    alone, stop = _room(1, len(times), lowered), np.zeros(1, dtype=bool)
    _one(0, 0, lowered, start, np.array(times), 0, options, -LEAST, stop, alone, _record(0))
    return Branch.reached(
        lowered.n_spins, alone.spins[0], alone.covariances[0], alone.norms[0], apart=apart
    )


def _one(
    row: int, first: int, lowered: Lowered, start: Mixture, times: Floats, seed: int,
    options: Options, never: float, stop: Booleans, result: Walks, record: tuple[Floats, Integers],
) -> bool:  # fmt: skip
    """Trajectory number first + row into its rows; whether it was finished."""
    from spinsqueeze.methods.trajectories.randoms import stream, uniform
    from spinsqueeze.methods.trajectories.space import Limits, Terms, new_space
    from spinsqueeze.methods.trajectories.walk import STUCK, walk

    randoms = stream(seed, first + row)
    pure = start.starts[0] if len(start.starts) == 1 else start.draw(uniform(randoms))
    terms = Terms(
        lowered.n_spins, lowered.quadratics, lowered.fields, lowered.vectors, lowered.owners,
        lowered.local, options.shifted,
    )  # fmt: skip
    limits = Limits(
        options.tolerance, float(times[-1]), options.tail_tolerance, options.smallest, never
    )
    space = new_space(terms, capacity=lowered.n_spins + 1, frame=pure.frame)
    arguments: tuple[Any, ...] = (
        pure.two_j, pure.amplitudes, space, terms, limits, lowered.edges, lowered.pulses,
        lowered.polynomials, times, randoms, stop, result.spins[row], result.covariances[row],
        result.two_js[row], result.errors[row], result.norms[row], result.figures[row],
        result.channels[row], *record,
    )  # fmt: skip
    end = walk(*arguments)
    if end == STUCK:
        raise NumericalFailure(
            f"no step of trajectory {first + row} holds its tolerance: raise the tolerance, or "
            "compare with method='permutation_invariant'"
        )
    return bool(end == 0)


def _room(count: int, n_times: int, lowered: Lowered, *, n_records: int = 0) -> Walks:
    """For so many trajectories, the first of them with records."""
    from spinsqueeze.methods.trajectories.walk import N_FIGURES

    return Walks(
        np.empty((count, n_times, 3)),
        np.empty((count, n_times, 3, 3)),
        np.empty((count, n_times), dtype=np.int64),
        np.empty((count, n_times)),
        np.zeros((count, n_times)),
        np.empty((count, N_FIGURES)),
        np.empty((count, 2, lowered.owners.size)),
        tuple(_record(0) for _ in range(min(n_records, count))),
    )


def _record(room: int) -> tuple[Floats, Integers]:
    return np.empty(room), np.empty(room, dtype=np.int64)


def _repeated(one: Walks, count: int) -> Walks:
    """The same trajectory many times, where nothing in it is random."""

    def many(values: Any) -> Any:
        return np.repeat(values, count, axis=0)

    return Walks(
        many(one.spins),
        many(one.covariances),
        many(one.two_js),
        many(one.errors),
        many(one.norms),
        many(one.figures),
        many(one.channels),
        one.records * max(1, len(one.records)),
    )
