"""y(t) = exp(t A) y(0) at many times for a real sparse A: Arnoldi on A itself.

The residual of the projected equation is known exactly; its integral bounds the error up to the
norm of the semigroup. Cost grows with the time times the fastest rate; for stiff, long runs see
`rational`.
"""

from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.numerics.factorisation import rate_bound
from spinsqueeze.numerics.krylov.arnoldi import EPSILON, Basis, scaled, without_underflow

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DIMENSION = 28


def polynomial_evolution(
    matrix: "csr_array",
    *,
    start: Floats,
    times: Floats,
    tolerance: float = 1e-10,
    dimension: int = DIMENSION,
    progress: Progress = no_progress,
) -> Floats:
    """exp(t A) y(0) at ascending times from 0: (T, n).

    `tolerance` bounds the 2-norm error of the last state relative to |y(0)|, times 1/30, as long as
    the semigroup does not amplify; every step has its share. A short time takes a small basis.
    """
    out = np.empty((times.size, start.size))
    size, y = scaled(start)
    now, done = 0.0, 0
    allowed = tolerance * float(np.linalg.norm(y)) / 30
    rate = allowed / float(times[-1]) if times[-1] > 0 else 0.0
    while done < times.size:
        y = without_underflow(y)
        if times[done] <= now or not np.any(y):
            out[done] = y
            done += 1
            continue
        remaining = float(times[-1]) - now
        basis = Basis(lambda v: matrix @ v, y, dimension)
        while not basis.full and not basis.plausible(remaining, rate * remaining):
            basis.extend()
        step, u = _march(basis, remaining, rate)
        if (len(u) - 1) * step < remaining * (1 - 1e-12) and not basis.full:
            while not basis.full:
                basis.extend()
            step, u = _march(basis, remaining, rate)
        last = len(u) - 1
        H = basis.H[: basis.dimension, : basis.dimension]
        reach = now + step * last
        while done < times.size and times[done] <= reach * (1 + 1e-15):
            index = min(int((times[done] - now) / step), last)
            out[done] = basis.lift(_taylor(H * (times[done] - now - index * step), u[index]))
            done += 1
        y = basis.lift(u[last])
        now = reach
        progress(min(now / float(times[-1]), 1.0))
    return size * out


def _march(basis: Basis, remaining: float, rate: float) -> tuple[float, Floats]:
    """Step and coordinates exp(i step H) e_1, i = 0, 1, ..., as far as the error keeps its rate.

    The step is one in which the small exponential is a short Taylor series; the error is the
    integral of the residual.
    """
    from scipy.linalg import expm

    k = basis.dimension
    H = basis.H[:k, :k]
    coupling = 0.0 if basis.exact else basis.norm * basis.H[k, k - 1]
    step = min(remaining, 2.0 / max(float(np.abs(H).sum(axis=0).max()), 1e-300))
    count = int(np.ceil(remaining / step))
    E = expm(step * H)
    u = np.zeros((min(count, 4096) + 1, k))
    u[0, 0] = 1.0
    error, rounding = 0.0, EPSILON * basis.norm
    for i in range(1, u.shape[0]):
        u[i] = E @ u[i - 1]
        error += step * coupling * max(abs(u[i, -1]), abs(u[i - 1, -1]))
        if error > rate * step * i + rounding and i > 1:
            return step, u[:i]
    return step, u


def _taylor(matrix: Floats, vector: Floats) -> Floats:
    total = vector.copy()
    term = vector
    for order in range(1, 60):
        term = matrix @ term / order
        total += term
        if np.abs(term).max() <= 1e-17 * np.abs(total).max():
            break
    return total


def polynomial_rounding(matrix: "csr_array", *, duration: float) -> float:
    """What rounding may add to the error of `polynomial_evolution`, relative to |y(0)|."""
    return EPSILON * (1 + rate_bound(matrix) * duration)
