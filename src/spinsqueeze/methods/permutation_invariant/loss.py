"""Runs from which single random spins leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.methods.base.answer import Answer, no_state
from spinsqueeze.methods.base.question import Evolve, Rotation
from spinsqueeze.methods.base.states import block_values
from spinsqueeze.methods.permutation_invariant.evolution import evolve
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.models.losses import Losses
from spinsqueeze.models.states import BlockState, InitialState
from spinsqueeze.numerics.block_states import rotated, without_one_spin
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.readings import Reading, readings_of

StateAt = Callable[[int], InitialState | None]


@dataclass(frozen=True)
class LossyRun:
    """One history of losses; at an output time equal to a loss time the loss has happened.

    Attributes:
        times: (T,).
        n_spins: spins left at every time, (T,).
        spin: <S_a>, (T, 3).
        covariance: <{S_a, S_b}>/2 - <S_a><S_b>, (T, 3, 3).
        final_state: flat block state of the spins left at the last time; empty without any, or
            where it is not kept.
        final_trace: trace of final_state.
        error: estimated error of the last state, relative to the first.
        trace_drift: largest distance of the trace from 1.
        algorithms: used on the way, see `evolve`.
    """

    times: Floats
    n_spins: Integers
    spin: Floats
    covariance: Floats
    final_state: Complexes = field(repr=False)
    final_trace: float = 1.0
    error: float = 0.0
    trace_drift: float = 0.0
    algorithms: frozenset[str] = frozenset()


def evolve_with_losses(
    model_of: Callable[[int], Generator],
    *,
    n_spins: int,
    state: Complexes,
    times: Floats,
    loss_times: Sequence[float] | Floats,
    pulses: Sequence[Rotation] = (),
    tolerance: float = 1e-10,
    algorithm: str = "auto",
    solver: str = "auto",
    progress: Progress = no_progress,
) -> LossyRun:
    """Evolve under model_of(number of spins left); a random spin leaves at every loss time.

    Losses and pulses of all spins commute, so that their order at one time does not matter.
    Without any spin left all moments are 0.

    Raises:
        InvalidInput: losses that do not ascend, start before 0, or outnumber the spins.
    """
    grid = np.asarray(times, dtype=float)
    losses = np.asarray(loss_times, dtype=float)
    if np.any(np.diff(losses) < 0) or np.any(losses < 0) or losses.size > n_spins:
        raise InvalidInput(
            f"loss_times must ascend from at least 0 and be at most n_spins={n_spins}, "
            f"got {losses.size} losses"
        )
    spin, covariance = np.zeros((grid.size, 3)), np.zeros((grid.size, 3, 3))
    counts = np.zeros(grid.size, dtype=np.int64)
    now, n, done = 0.0, n_spins, 0
    end, error, drift, algorithms = 1.0, 0.0, 0.0, set[str]()
    events: list[tuple[float, Rotation | None]] = [(float(t), None) for t in losses]
    events += [(pulse.time, pulse) for pulse in pulses]
    for event, pulse in [*sorted(events, key=lambda e: e[0]), (np.inf, None)]:
        stop = int(np.searchsorted(grid, event, side="left"))
        last = stop == grid.size
        wanted = grid[done:stop]
        if last and wanted.size == 0:
            break
        marks = wanted if last else np.append(wanted, event)
        run = evolve(
            model_of(n),
            state=state,
            times=marks - now,
            tolerance=tolerance,
            algorithm=algorithm,
            solver=solver,
        )
        trace, first, second = run.moments()
        end = float(trace[-1])
        error, drift = error + run.error, max(drift, float(np.abs(trace - 1).max()))
        algorithms |= set(run.algorithms)
        spin[done:stop], covariance[done:stop] = first[: wanted.size], second[: wanted.size]
        counts[done:stop] = n
        state = run.state(marks.size - 1)
        done = stop
        if last:
            break
        now = event
        if grid[-1] > 0:
            progress(now / float(grid[-1]))
        if pulse is not None:
            state = rotated(state, n_spins=n, axis=pulse.axis, angle=pulse.angle)
        elif n == 1:
            state = np.zeros(0, dtype=complex)
            break
        else:
            state, n = without_one_spin(state, n_spins=n), n - 1
    return LossyRun(grid, counts, spin, covariance, state, end, error, drift, frozenset(algorithms))


def answer_with_losses(
    question: Evolve,
    losses: Losses,
    *,
    model_of: Callable[[int], Generator],
    tolerance: float,
    algorithm: str,
    solver: str,
) -> Answer:
    """The single history of given loss times, or the average over those drawn from a rate."""
    n = question.model.n_spins
    histories = losses.histories(n, duration=question.duration, seed=question.seed)
    runs: list[LossyRun] = []
    unbroken: LossyRun | None = None
    for k, events in enumerate(histories):

        def progress(fraction: float, k: int = k) -> None:
            question.progress(0.99 * min((k + fraction) / len(histories), 1.0))

        run = unbroken if events.size == 0 else None
        if run is None:
            run = evolve_with_losses(
                model_of,
                n_spins=n,
                state=block_values(question.state, n),
                times=question.times,
                loss_times=events,
                pulses=question.pulses,
                tolerance=tolerance,
                algorithm=algorithm,
                solver=solver,
                progress=progress,
            )
        if losses.rate is not None:  # the states of all histories would fill the memory
            run = replace(run, final_state=np.zeros(0, dtype=complex))
        if events.size == 0:
            unbroken = run
        runs.append(run)
        progress(1.0)
    question.progress(1.0)
    if losses.rate is None:
        readings, state_at = _readings_of_one(runs[0])
    else:
        readings, state_at = _readings_of_mixture(runs), no_state
    return Answer(
        readings,
        error={"spin": 2 * max(run.error + run.trace_drift for run in runs) * np.sqrt(n)},
        diagnostics={
            "trace_drift": max(run.trace_drift for run in runs),
            "algorithm": ", ".join(sorted(frozenset().union(*(run.algorithms for run in runs)))),
            "dtype": "complex128",
            "device": "cpu",
        },
        warnings=_without_scatter(losses, histories) if question.duration > 0 else (),
        state_at=state_at,
    )


def _without_scatter(losses: Losses, histories: Sequence[Floats]) -> tuple[str, ...]:
    """A concern where no history holds a loss, so that no error bar tells of those that may."""
    if not losses.rate or any(events.size for events in histories):
        return ()
    return (
        f"losses: no spin left in any of {len(histories)} histories, so that the standard errors "
        "do not hold what losses may change; take more runs",
    )


def _readings_of_one(run: LossyRun) -> tuple[dict[str, Reading], StateAt]:
    """The readings of a single history, and its last state."""
    moments = Moments(n_spins=run.n_spins, spin=run.spin, covariance=run.covariance)
    end = BlockState(run.final_state / run.final_trace)
    readings = {**readings_of(moments), "spins_left": Reading(run.n_spins)}
    return readings, lambda k: end if k == len(run.times) - 1 else None


def _readings_of_mixture(runs: Sequence[LossyRun]) -> dict[str, Reading]:
    """Each history with moments s_h, C_h and n_h spins left is one block of weight 1.

    Its means are <S> = s_h, <{S, S}>/2 = C_h + s_h s_h^T and n_h, the first two about a reference.
    """
    spin = np.stack([run.spin for run in runs], axis=1)
    inside = np.stack([run.covariance for run in runs], axis=1)
    left = np.stack([run.n_spins for run in runs], axis=1).astype(np.float64)
    reference, weights = spin.mean(axis=1), np.ones(len(runs))
    first = spin - reference[:, None]
    second = inside + first[..., :, None] * first[..., None, :]
    moments = BlockMoments(left, reference=reference, weights=weights, first=first, second=second)
    return {**readings_of(moments), "spins_left": Reading(left, weights=weights)}
