"""y(t) = exp(t A) y(0) at many times: polynomial Krylov, or rational Krylov for stiff, long runs.

Both project A on a small space spanned from the current state and step as far as the error allows:

* polynomial (Arnoldi on A): the residual of the projected equation is known exactly; its integral
  bounds the error up to the norm of the semigroup. Cost grows with the time times the fastest rate.
* rational (Arnoldi on (1 - gamma A)^-1, one sparse LU per gamma): fast modes cost nothing and gamma
  grows with time, so that the cost grows with the number of decades. The error is taken from the
  difference between two dimensions of the space.
"""

from collections.abc import Callable
from math import lgamma
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.numerics.factorisation import rate_bound

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float = NDArray[np.float64]
Operator = Callable[[Float], Float]

EPSILON = float(np.finfo(np.float64).eps)
POLYNOMIAL_DIMENSION = 28
RATIONAL_DIMENSION = 48
MAX_STEPS = 20_000
VANISHED = 1e-140
"""A state of this size relative to the start is zero: the squares in its norm would underflow."""


class _Basis:
    """Arnoldi basis of one operator from one vector, extended on demand."""

    def __init__(self, operator: Operator, start: Float, largest: int) -> None:
        self.operator = operator
        largest = min(largest, start.size)
        self.norm = float(np.linalg.norm(start))
        self.V = np.empty((largest + 1, start.size))
        self.V[0] = start / self.norm
        self.H = np.zeros((largest + 1, largest))
        self.dimension = 0
        self.exact = False

    def extend(self) -> None:
        k = self.dimension
        w = self.operator(self.V[k])
        size = float(np.linalg.norm(w))
        basis = self.V[: k + 1]
        h = basis @ w
        w -= h @ basis
        correction = basis @ w
        w -= correction @ basis
        self.H[: k + 1, k] = h + correction
        rest = float(np.linalg.norm(w))
        self.dimension += 1
        if rest <= 1e-14 * max(size, 1e-300) or self.dimension == self.V.shape[1]:
            self.exact = True
            self.V[k + 1 : k + 2] = 0.0
            return
        self.H[k + 1, k] = rest
        self.V[k + 1] = w / rest

    @property
    def full(self) -> bool:
        return self.exact or self.dimension == self.H.shape[1]

    def plausible(self, time: float, allowed: float) -> bool:
        """Whether the leading term |y| prod(beta) t^k/k! of the error is small enough to try."""
        k = self.dimension
        if k < 2 or k % 3:
            return False
        couplings = np.diagonal(self.H, -1)[:k]
        leading = float(np.sum(np.log(couplings))) + k * np.log(time) - lgamma(k + 1)
        return self.norm * np.exp(min(leading, 0.0)) <= max(0.1 * allowed, EPSILON * self.norm)

    def lift(self, coordinates: Float) -> Float:
        """(..., dimension) -> (..., n)."""
        return self.norm * (coordinates @ self.V[: coordinates.shape[-1]])


def polynomial_evolution(
    matrix: "csr_array",
    *,
    start: Float,
    times: Float,
    tolerance: float = 1e-10,
    dimension: int = POLYNOMIAL_DIMENSION,
) -> Float:
    """exp(t A) y(0) at ascending times from 0: (T, n).

    `tolerance` bounds the 2-norm error of the last state relative to |y(0)|, times 1/30, as long as
    the semigroup does not amplify; every step has its share. A short time takes a small basis.
    """
    out = np.empty((times.size, start.size))
    size, y = _scaled(start)
    now, done = 0.0, 0
    allowed = tolerance * float(np.linalg.norm(y)) / 30
    rate = allowed / float(times[-1]) if times[-1] > 0 else 0.0
    while done < times.size:
        y = _without_underflow(y)
        if times[done] <= now or not np.any(y):
            out[done] = y
            done += 1
            continue
        remaining = float(times[-1]) - now
        basis = _Basis(lambda v: matrix @ v, y, dimension)
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
    return size * out


def _march(basis: _Basis, remaining: float, rate: float) -> tuple[float, Float]:
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


def _scaled(start: Float) -> tuple[float, Float]:
    """The largest entry, and the start divided by it (as it is if that is zero)."""
    size = float(np.max(np.abs(start), initial=0.0)) or 1.0
    return size, start / size


def _without_underflow(y: Float) -> Float:
    """Zero in place of a state that has decayed to nothing."""
    return y if float(np.max(np.abs(y), initial=0.0)) > VANISHED else np.zeros_like(y)


def _taylor(matrix: Float, vector: Float) -> Float:
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


def rational_evolution(
    matrix: "csr_array",
    *,
    start: Float,
    times: Float,
    factorise: Callable[[float], Any],
    tolerance: float = 1e-10,
    dimension: int = RATIONAL_DIMENSION,
) -> tuple[Float, float]:
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
    size, y = _scaled(start)
    now, done = 0.0, 0
    norm = float(np.linalg.norm(y))
    allowed, error = tolerance * norm / 3, 0.0
    positive = times[times > 0]
    first = float(positive[0]) if positive.size else 0.0
    cached: tuple[float, Any] = (0.0, None)
    shrink, failures, steps = 1.0, 0, 0
    while done < times.size:
        y = _without_underflow(y)
        if times[done] <= now or not np.any(y):
            out[done] = y
            done += 1
            continue
        target = min(times[-1] - now, max(7 * now, 4 * first)) * shrink
        gamma = 2.0 ** round(np.log2(target / 12))
        if cached[0] != gamma:
            cached = (0.0, None)  # free the old factors first
            cached = (gamma, factorise(gamma))
        basis = _Basis(cached[1].solve, y, dimension)
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
                    break
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
        inside: list[float] = []
        while done + len(inside) < times.size and times[done + len(inside)] <= end * (1 + 1e-14):
            inside.append(times[done + len(inside)] - now)
        marks = np.array([*inside, end - now])
        vectors = basis.lift(_small_exponentials(small, marks))
        for value in vectors[:-1]:
            out[done] = value
            done += 1
        y, now = vectors[-1], end
        error += tolerance / 3 + rounding / norm + EPSILON
        steps += 1
        if steps > MAX_STEPS:
            raise NumericalFailure(
                f"the state still oscillates at time {now:g}: after {MAX_STEPS} steps the run to "
                f"{times[-1]:g} is not in reach; end earlier, or ask for the steady state"
            )
    return size * out, error


def _projected(basis: _Basis, gamma: float, k: int) -> Float:
    """Generator on the first k vectors: (1 - H^-1)/gamma."""
    return (np.eye(k) - np.linalg.inv(basis.H[:k, :k])) / gamma


def _small_exponentials(matrix: Float, marks: Float) -> Float:
    """exp(s matrix) e_1 for every mark s: (S, k)."""
    from scipy.linalg import expm

    return np.stack([expm(s * matrix)[:, 0] for s in marks])


def _reach(basis: _Basis, gamma: float, target: float, allowed: float) -> tuple[float, float]:
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


def _rounding(rates: NDArray[np.complex128], gamma: float, time: float) -> float:
    """How much eps gamma |w|^2 of an eigenvalue changes exp(w time), at the worst eigenvalue."""
    left = np.exp(np.minimum(rates.real, 0.0) * time)
    return float(EPSILON * gamma * time * np.max(np.abs(rates) ** 2 * left, initial=0.0))
