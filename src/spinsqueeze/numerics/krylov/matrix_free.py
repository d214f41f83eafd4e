"""exp(-i H t) psi for a constant H by Lanczos, with a bound on its error and free dense output.

m steps of Lanczos give H V = V T + beta_m v_{m+1} e_m^T with T tridiagonal. The approximation
psi_m(t) = |psi| V exp(-i T t) e_1 obeys the Schroedinger equation up to the residual
beta_m [exp(-i T t)]_{m1} v_{m+1}, and evolution is unitary, so

    |psi(t) - psi_m(t)| <= |psi| beta_m int_0^t |[exp(-i T s)]_{m1}| ds

(the residual bound behind the estimates of saad1992 and sidje1998). The bound holds for whatever
vectors the recurrence produced, orthogonal or not, hence no reorthogonalisation. The step is
chosen after the basis is built, as the longest that keeps the bound below its share of the
tolerance: no step is ever rejected, and every output time inside it costs one product V c.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import lgamma, log
from typing import Protocol

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.errors import InvalidInput, NumericalFailure

EPSILON = float(np.finfo(np.float64).eps)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_CHECK_EVERY = 8


class Operator(Protocol):
    """A Hermitian operator that acts on vectors of `dimension` amplitudes."""

    @property
    def dimension(self) -> int:
        """Number of amplitudes."""
        ...

    def apply(self, psi: Complexes, out: Complexes) -> None:
        """Out = H psi."""
        ...

    def subtract(
        self,
        w: Complexes,
        v: Complexes,
        u: Complexes,
        alpha: float,
        beta: float,
    ) -> None:
        """In place: w -= alpha v + beta u."""
        ...


@dataclass
class Work:
    """Krylov vectors, reused by every step, and counts of what was done.

    Attributes:
        vectors: (m + 1, dimension).
        applications: products H psi so far.
        steps: Krylov spaces built so far.
    """

    vectors: Complexes
    applications: int = 0
    steps: int = 0

    @classmethod
    def allocate(cls, dimension: int, *, krylov_dimension: int) -> Work:
        """Room for Krylov spaces of up to krylov_dimension vectors.

        Raises:
            InvalidInput: krylov_dimension below 2.
        """
        if krylov_dimension < 2:
            raise InvalidInput(f"krylov_dimension must be at least 2, got {krylov_dimension}")
        m = min(krylov_dimension, dimension)
        return cls(np.empty((m + 1, dimension), dtype=np.complex128))


@dataclass
class KrylovSpace:
    """exp(-i T t) e_1 and the error bound, from the eigenvectors of the tridiagonal T."""

    diagonal: list[float] = field(default_factory=list)
    off_diagonal: list[float] = field(default_factory=list)

    def solve(self) -> None:
        """Diagonalise T, whose last off-diagonal element couples to the neglected vector."""
        inner = self.off_diagonal[:-1]
        T = np.diag(self.diagonal) + np.diag(inner, 1) + np.diag(inner, -1)
        self.energies, self.vectors = np.linalg.eigh(T)
        self.radius = float(np.abs(self.energies).max())
        self._last = self.vectors[-1] * self.vectors[0]

    def coefficients(self, time: float) -> Complexes:
        """exp(-i T time) e_1, (m,)."""
        c: Complexes = self.vectors @ (np.exp(-1j * self.energies * time) * self.vectors[0])
        return c

    def bound(self, time: float) -> float:
        """beta_m int_0^time |[exp(-i T s)]_{m1}| ds."""
        s = time / 2 * (_NODES + 1)
        residual = np.abs(np.exp(-1j * np.outer(s, self.energies)) @ self._last)
        return self.off_diagonal[-1] * time / 2 * float(_WEIGHTS @ residual)

    def plausible(self, time: float, allowed: float) -> bool:
        """Whether the leading term prod(beta) t^m/m! is near the allowed error: worth solving."""
        m = len(self.diagonal)
        if m % _CHECK_EVERY == 0 or min(self.off_diagonal) <= 0.0:
            return True
        leading = sum(log(beta) for beta in self.off_diagonal) + m * log(time) - lgamma(m + 1)
        return leading <= log(allowed) + 2.0

    def longest_step(self, limit: float, rate: float) -> float:
        """Longest step up to limit with bound(step) <= (rate + rounding) * step, to 2 %."""

        def keeps(step: float) -> bool:
            return self.bound(step) <= (rate + 8 * EPSILON * self.radius) * step

        if keeps(limit):
            return limit
        high, low = limit, limit / 2
        while not keeps(low):
            high, low = low, low / 2
            if low < 1e-12 * limit:
                raise NumericalFailure(
                    "the Krylov step shrank below 1e-12 of the remaining time; "
                    "raise tolerance or krylov_dimension"
                )
        while high / low > 1.02:
            middle = np.sqrt(high * low)
            low, high = (middle, high) if keeps(middle) else (low, middle)
        return float(low)


def build_space(
    operator: Operator, norm: float, work: Work, *, limit: float, rate: float
) -> KrylovSpace:
    """Lanczos from the normalised vectors[0], until limit is reached within rate, or m vectors."""
    V, space, beta = work.vectors, KrylovSpace(), 0.0
    size = V.shape[0] - 1
    for j in range(size):
        w = V[j + 1]
        operator.apply(V[j], w)
        work.applications += 1
        alpha = float(np.vdot(V[j], w).real)
        operator.subtract(w, V[j], V[max(j - 1, 0)], alpha, beta)
        beta = float(np.linalg.norm(w))
        if not np.isfinite(alpha + beta):
            raise NumericalFailure(
                "H psi is not finite; check the couplings, fields and envelopes of the model"
            )
        space.diagonal.append(alpha)
        space.off_diagonal.append(beta)
        if j + 1 == size or space.plausible(limit, max(rate * limit / norm, EPSILON)):
            space.solve()
            floor = 8 * EPSILON * space.radius
            if beta == 0.0 or space.bound(limit) <= (rate / norm + floor) * limit:
                break
        if j + 1 < size:
            w /= beta
    return space


def propagate(
    operator: Operator,
    psi: Complexes,
    duration: float,
    *,
    rate: float,
    work: Work,
    outputs: Sequence[float] = (),
    emit: Callable[[Complexes, float], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> float:
    """Replace psi by exp(-i H duration) psi.

    Args:
        operator: H.
        psi: state (dimension,), changed in place.
        duration: at least 0.
        rate: error allowed per unit time, in the norm of the state.
        work: from `Work.allocate`.
        outputs: increasing times in (0, duration] at which emit is called.
        emit: called with the state at each output, which it must not keep, and the error bound.
        progress: called with the time reached after each step.

    Returns:
        Bound on the norm of the error of the final state, rounding (4 machine epsilons times
        spectral radius times duration) included.

    Raises:
        NumericalFailure: a state or operator that is not finite.
    """
    time, error, waiting = 0.0, 0.0, 0
    while time < duration:
        norm = float(np.linalg.norm(psi))
        if not np.isfinite(norm) or norm == 0.0:
            raise NumericalFailure(f"the state has norm {norm}; give a finite, non-zero state")
        np.divide(psi, norm, out=work.vectors[0])
        limit = duration - time
        space = build_space(operator, norm, work, limit=limit, rate=rate)
        step = space.longest_step(limit, rate / norm)
        V = work.vectors[: len(space.diagonal)]
        work.steps += 1
        end = duration if step >= limit else time + step

        def growth(s: float, space: KrylovSpace = space, norm: float = norm) -> float:
            return norm * space.bound(s) + 4 * EPSILON * (1 + space.radius * s)

        while waiting < len(outputs) and outputs[waiting] <= end:
            s = outputs[waiting] - time
            np.dot(norm * space.coefficients(s), V, out=psi)
            if emit is not None:
                emit(psi, error + growth(s))
            waiting += 1
        np.dot(norm * space.coefficients(step), V, out=psi)
        error += growth(step)
        time = end
        if progress is not None:
            progress(time)
    return error
