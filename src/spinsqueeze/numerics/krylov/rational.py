"""y(t) = exp(t A) y(0) at many times for a real sparse A: Arnoldi on (1 - gamma A)^-1.

One sparse LU per gamma: fast modes cost nothing and gamma grows with time, so that the cost grows
with the number of decades. The error is taken from the difference between two dimensions of the
space.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.numerics.krylov.arnoldi import EPSILON, Basis, scaled, without_underflow

DIMENSION = 48
MAX_STEPS = 20_000


def rational_evolution(
    *,
    start: Floats,
    times: Floats,
    factorise: Callable[[float], Any],
    tolerance: float = 1e-10,
    dimension: int = DIMENSION,
    progress: Progress = no_progress,
) -> tuple[Floats, float]:
    """exp(t A) y(0) at ascending times from 0 by shift-and-invert Krylov: (T, n), and its error.

    `factorise(gamma)` returns an object with `solve(right)` for (1 - gamma A). `tolerance` is for
    one step, in the 2-norm relative to |y(0)|; the error is the sum over all steps.

    The projected operator is known to eps, so an eigenvalue w to eps gamma |w|^2: what still turns
    is known ever less. Steps are short enough to keep that within the tolerance, and counted.

    Raises:
        NumericalFailure: no progress at the smallest gamma (strong fast oscillations), or too many
            steps.
    """
    out = np.empty((times.size, start.size))
    size, y = scaled(start)
    now, done = 0.0, 0
    norm = float(np.linalg.norm(y))
    allowed, error = tolerance * norm / 3, 0.0
    positive = times[times > 0]
    first = float(positive[0]) if positive.size else 0.0
    cached: tuple[float, Any] = (0.0, None)
    shrink, failures, steps = 1.0, 0, 0
    while done < times.size:
        y = without_underflow(y)
        if times[done] <= now or not np.any(y):
            out[done] = y
            done += 1
            continue
        target = min(times[-1] - now, max(7 * now, 4 * first)) * shrink
        gamma = 2.0 ** round(np.log2(target / 12))
        if cached[0] != gamma:
            cached = (0.0, None)  # free the old factors first
            cached = (gamma, factorise(gamma))
        basis = Basis(cached[1].solve, y, dimension)
        reach, rounding, small = _grown(basis, gamma, target, allowed)
        if reach <= 0:
            failures += 1
            if failures > 40:
                raise NumericalFailure(
                    f"rational Krylov made no progress at time {now:g} with gamma={gamma:g}; "
                    "use the polynomial method or a looser tolerance"
                )
            shrink /= 4
            continue
        shrink = min(1.0, shrink * (2 if reach >= target else 0.5))
        end = now + reach
        if reach >= target:
            end = min(end, times[-1])
        stop = int(np.searchsorted(times, end * (1 + 1e-14), side="right"))
        marks = np.array([*(times[done:stop] - now), end - now])
        vectors = basis.lift(_small_exponentials(small, marks))
        out[done:stop] = vectors[:-1]
        done = stop
        y, now = vectors[-1], end
        progress(_decades(now, first) / _decades(float(times[-1]), first))
        error += tolerance / 3 + rounding / norm + EPSILON
        steps += 1
        if steps > MAX_STEPS:
            raise NumericalFailure(
                f"the state still oscillates at time {now:g}: after {MAX_STEPS} steps the run to "
                f"{times[-1]:g} is not in reach; end earlier, or ask for the steady state"
            )
    return size * out, error


def _decades(time: float, first: float) -> float:
    """The work up to a time, in steps that grow with it from the first one on."""
    return float(np.log(1 + time / first))


def _grown(
    basis: Basis, gamma: float, target: float, allowed: float
) -> tuple[float, float, Floats]:
    """Extend the space until it reaches the target or is full.

    Returns how far it reaches, the rounding error there, and the projected generator.
    """
    reach, rounding, small = 0.0, 0.0, np.zeros((0, 0))
    while True:
        basis.extend()
        if basis.full or (basis.dimension >= 8 and basis.dimension % 4 == 0):
            try:
                small = _projected(basis, gamma, basis.dimension)
                reach, rounding = _reach(basis, gamma, target, allowed)
            except np.linalg.LinAlgError:
                reach = 0.0  # the space holds nothing that changes as slowly as 1/gamma
            if reach >= target or basis.full:
                return reach, rounding, small


def _projected(basis: Basis, gamma: float, k: int) -> Floats:
    """Generator on the first k vectors: (1 - H^-1)/gamma."""
    return (np.eye(k) - np.linalg.inv(basis.H[:k, :k])) / gamma


def _small_exponentials(matrix: Floats, marks: Floats) -> Floats:
    """exp(s matrix) e_1 for every mark s: (S, k)."""
    from scipy.linalg import expm

    return np.stack([expm(s * matrix)[:, 0] for s in marks])


def _reach(basis: Basis, gamma: float, target: float, allowed: float) -> tuple[float, float]:
    """Longest of target, target/2 ... target/32 up to which the space is good enough.

    Returns 0 where not even the shortest is, and the rounding error of what still turns there. A
    step that rounding alone forbids is taken at its shortest.
    """
    from scipy.linalg import expm

    k = basis.dimension
    low = k - 3
    large = _projected(basis, gamma, k)
    rates = np.asarray(np.linalg.eigvals(large), dtype=np.complex128)
    halvings = 5
    s = target / 2**halvings
    reach = rounding = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # a space in which something grows is bad
        E_large = expm(s * large)
        E_small = None if basis.exact else expm(s * _projected(basis, gamma, low))
        for _ in range(halvings + 1):
            difference = E_large[:, 0].copy()
            if E_small is None:
                difference *= 0.0  # nothing is left out; what overflows is still seen
            else:
                difference[:low] -= E_small[:, 0]
                E_small = E_small @ E_small
            if not basis.norm * float(np.linalg.norm(difference)) <= allowed:
                break
            unsure = basis.norm * _rounding(rates, gamma, s)
            if reach and unsure > allowed:
                break
            reach, rounding = s, unsure
            s *= 2
            E_large = E_large @ E_large
    return reach, rounding


def _rounding(rates: Complexes, gamma: float, time: float) -> float:
    """How much eps gamma |w|^2 of an eigenvalue changes exp(w time), at the worst eigenvalue."""
    left = np.exp(np.minimum(rates.real, 0.0) * time)
    return float(EPSILON * gamma * time * np.max(np.abs(rates) ** 2 * left, initial=0.0))
