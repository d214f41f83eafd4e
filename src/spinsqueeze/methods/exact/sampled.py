"""An open model by trajectories on 2^N amplitudes: reasons against it, cost, and the answer."""

from typing import TYPE_CHECKING, Any

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.first_jumps import Kind, rare_jumps
from spinsqueeze.methods.base.method import Cost
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.target import Collected, Target, collect
from spinsqueeze.numerics.processors import available_processors
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS

if TYPE_CHECKING:
    from spinsqueeze.methods.exact.effective import Jumps

MAX_SPINS = 14
CHUNK = 16
"""Trajectories added for a target_error are a multiple of this."""
ADVISED = 100
TENFOLD = 10.0


def obstacles(question: Question) -> list[str]:
    """What trajectories of spins alone are not for."""
    n, reasons = question.model.n_spins, []
    if isinstance(question, Steady):
        reasons.append(
            "trajectories evolve in time: leave n_trajectories and target_error out for a steady "
            "state, or evolve for long"
        )
    if question.model.modes:
        reasons.append(
            "trajectories hold no cavity: leave n_trajectories and target_error out, which keeps "
            "a density matrix"
        )
    if n > MAX_SPINS:
        reasons.append(
            f"N = {n} spins are more than trajectories on 2^N amplitudes take, {MAX_SPINS}: use "
            "fewer spins, or QuantumTrajectories where all spins are alike"
        )
    return reasons


def sampled_cost(question: Evolve, count: int, *, width: float) -> Cost:
    """Of a question with one row a spin; width: of the spectrum, and of the rates of jumps."""
    from spinsqueeze.methods.exact.effective import gathered_operators, jumps_of
    from spinsqueeze.methods.exact.wave_functions import rows_of_vectors, together

    n, n_times = question.model.n_spins, len(question.times)
    dimension = 2.0**n
    jumps = jumps_of(question.model)
    parts = [part for _, part in gathered_operators(question.model, jumps)]
    entries = dimension * sum(part.entries_a_row() for part in parts)
    rates = sum(jump.mean_rate() for jump in jumps)
    series = 1 + question.duration * (rates + width / 20)
    product = 3e-6 + 2.5e-9 * entries + 4e-8 * dimension
    look = 1e-4 + 1.2e-8 * n * dimension
    each = 20 * series * product + (n_times + 2 * question.duration * rates) * look
    threads = max(1, min(available_processors(), count // 2))
    at_once = min(threads * together(n), count)
    memory = 20 * entries + 40 * max(part.entries_a_row() for part in parts) * dimension
    memory += 16 * dimension * at_once * (rows_of_vectors() + 4)
    memory += 8 * n_times * (37 * count + 14 * at_once) + 200_000
    memory += 32 * count * sum(len(jump.largest_rates()) for jump in jumps)
    return Cost(
        memory,
        0.1 + 1e-6 * entries + each * (count if jumps else 1) / threads,
        f"{count} trajectories of 2^{n} = {2**n} amplitudes, {at_once} at once, {n_times} times",
    )


def sampled_answer(
    question: Evolve, *, tolerance: float, count: int, target: Target | None
) -> Answer:
    """Moments over `count` trajectories, or over as many as the target needs."""
    from spinsqueeze.methods.exact.wave_functions import Samples

    samples = Samples(question, tolerance=tolerance)
    extra: dict[str, Any] = {}
    if target is None:
        end = _counted(samples, question, count)
    else:
        end = collect(
            target,
            samples,
            times=question.times,
            n_spins=question.model.n_spins,
            multiple=CHUNK,
            progress=question.progress,
        )
        extra |= end.diagnostics(target)
    question.progress(1.0)
    done = samples.followed
    few = (
        f"sampling: {samples.count} trajectories give rough error bars; {ADVISED} or more are "
        "advised"
    )
    unseen, rare = _rare_jumps(question, samples)
    never = samples.branch.never
    return Answer(
        dict(end.readings),
        error={"spin": samples.error() + samples.unseen() + unseen},
        diagnostics={
            "n_trajectories": samples.count,
            "jumps": float(done.n_jumps.mean()) * (1 - never),
            "n_steps": float(done.n_series.mean()),
            "state_error": float(done.errors.max()),
            "dimension": 2**question.model.n_spins,
            "dtype": "complex128",
            "device": "cpu",
            **({"no_jump_probability": never} if never else {}),
            **extra,
        },
        status=end.status,
        interrupted=end.interrupted,
        warnings=(*((few,) if samples.count < ADVISED else ()), *rare),
    )


def _rare_jumps(question: Evolve, samples: Any) -> tuple[Floats, tuple[str, ...]]:
    """See `rare_jumps`; of kinds of jumps that `_alike` takes together."""
    from spinsqueeze.methods.exact.effective import jumps_of

    followed = samples.followed
    made, first = followed.jumps.sum(axis=0), followed.first.min(axis=0)
    kinds = [
        Kind(float(made[own].sum()), float(first[own].min()), rate, len(own))
        for own, rate in _alike(jumps_of(question.model))
    ]
    return rare_jumps(
        kinds,
        times=np.asarray(question.times, dtype=float),
        count=samples.count,
        never=samples.branch.never,
        n_spins=question.model.n_spins,
    )


def _alike(jumps: "tuple[Jumps, ...]") -> list[tuple[Integers, float]]:
    """Channels that differ by sites, their largest rates by less than TENFOLD, and all their rates.

    What one jump does is then alike, so that many jumps of some of them speak for the others.
    """
    rates = np.concatenate([jump.largest_rates() for jump in jumps] or [np.zeros(0)])
    kinds = [kind for jump in jumps for kind in [jump.kind()] * len(jump.largest_rates())]
    found = []
    for kind in dict.fromkeys(kinds):
        same = np.array([other == kind for other in kinds])
        own = np.flatnonzero(same & (rates > 0))
        below = np.floor(np.log(rates[own].max(initial=0.0) / rates[own]) / np.log(TENFOLD))
        for step in np.unique(below):
            channels = own[below == step]
            found.append((channels, float(rates[channels].sum())))
    return found


def _counted(samples: Any, question: Evolve, count: int) -> Collected:
    """As many as asked for, or as many as there are at Ctrl-C."""
    try:
        samples.extend(count, progress=question.progress)
    except KeyboardInterrupt:
        if samples.count < MINIMUM_BLOCKS:
            raise
        status = (
            f"interrupted after {samples.count} of {count} trajectories; the result is that of a "
            "run with so many"
        )
        return Collected(samples.readings(), samples.count, np.inf, status, interrupted=True)
    return Collected(samples.readings(), samples.count, np.inf, COMPLETE)
