"""A Hamiltonian that depends on time: commutator-free Magnus steps of order 4.

One step of length h from t (blanes2006, alvermann2011):

    U = exp(-i h [a2 H(t1) + a1 H(t2)]) exp(-i h [a1 H(t1) + a2 H(t2)]),
    t1,2 = t + (1/2 -+ sqrt(3)/6) h,   a1,2 = 1/4 +- sqrt(3)/6,

two exponentials of constant Hamiltonians, each by Lanczos (`krylov`). Unitary to the tolerance of
those. Each step is taken once whole and once in two halves: the halves are kept, their error is the
difference over 15, and the next step follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.exact.krylov import Operator, Work, propagate

_EARLY, _LATE = 0.5 - np.sqrt(3) / 6, 0.5 + np.sqrt(3) / 6
_A1, _A2 = 0.25 + np.sqrt(3) / 6, 0.25 - np.sqrt(3) / 6
_KRYLOV_SHARE = 0.02
Weights = Callable[[float], NDArray[np.float64]]


class WeightedHamiltonian(Protocol):
    """H(t) = sum_p w_p(t) H_p."""

    def frozen(self, weights: NDArray[np.float64] | None = None) -> Operator:
        """Return the operator at given weights."""
        ...


def magnus_step(
    hamiltonian: WeightedHamiltonian,
    weights: Weights,
    psi: NDArray[np.complex128],
    *,
    time: float,
    step: float,
    rate: float,
    work: Work,
) -> float:
    """Take one step of order 4 in place; returns the error bound of its two exponentials."""
    early, late = weights(time + _EARLY * step), weights(time + _LATE * step)
    error = 0.0
    for combination in (_A1 * early + _A2 * late, _A2 * early + _A1 * late):
        operator = hamiltonian.frozen(combination)
        error += propagate(operator, psi, step, rate=rate / 2, work=work)
    return error


def first_step(
    hamiltonian: WeightedHamiltonian,
    weights: Weights,
    psi: NDArray[np.complex128],
    *,
    time: float,
    limit: float,
) -> float:
    """Half the inverse of the energy spread of psi just after time, at most limit."""
    operator = hamiltonian.frozen(weights(time + 1e-3 * limit))
    h_psi = np.empty_like(psi)
    operator.apply(psi, h_psi)
    norm = float(np.vdot(psi, psi).real)
    h_psi -= float(np.vdot(psi, h_psi).real) / norm * psi
    spread = float(np.linalg.norm(h_psi)) / np.sqrt(norm)
    return min(limit, 0.5 / spread) if spread > 0.5 / limit else limit


def propagate_driven(
    hamiltonian: WeightedHamiltonian,
    weights: Weights,
    psi: NDArray[np.complex128],
    *,
    start: float,
    stop: float,
    rate: float,
    work: Work,
    max_step: float = np.inf,
    outputs: Sequence[float] = (),
    emit: Callable[[NDArray[np.complex128], float], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> float:
    """Propagate psi in place from start to stop; H(t) must be smooth in between.

    Outputs inside a step are reached by one shorter step from the nearest earlier state, so a fine
    output grid does not shorten the steps.

    Args:
        hamiltonian: H(t) = sum_p weights(t)_p H_p.
        weights: (P,) at a time.
        psi: state, changed in place.
        start: initial time.
        stop: final time, above start.
        rate: error allowed per unit time.
        work: Krylov work space.
        max_step: upper limit of a step, for envelopes with features shorter than the estimate of
            the error can notice.
        outputs: increasing absolute times in (start, stop].
        emit: called with the state at each output, which it must not keep, and the error so far.
        progress: called with the time reached after each step.

    Returns:
        Estimated error of the final state: the sum of the step estimates and Krylov bounds.

    Raises:
        NumericalFailure: the step shrank to nothing.
    """
    time, error, waiting = start, 0.0, 0
    share = _KRYLOV_SHARE * rate
    step = first_step(hamiltonian, weights, psi, time=start, limit=min(stop - start, max_step))
    while time < stop:
        last = step >= (stop - time) * (1 - 1e-12)
        if last:
            step = stop - time
        if step <= 1e-13 * max(abs(start), abs(stop)):
            raise NumericalFailure(
                f"the time step shrank to {step:.3g} at t = {time:.6g}; the envelope may jump or "
                "be singular there: give that time as a knot, or raise tolerance"
            )

        def advance(state: NDArray[np.complex128], t: float, h: float) -> float:
            return magnus_step(hamiltonian, weights, state, time=t, step=h, rate=share, work=work)

        whole, middle = psi.copy(), psi.copy()
        advance(whole, time, step)
        bound = advance(middle, time, step / 2)
        fine = middle.copy()
        bound += advance(fine, time + step / 2, step / 2)
        whole -= fine
        estimate = float(np.linalg.norm(whole)) / 15
        allowed = (1 - _KRYLOV_SHARE) * rate * step
        factor = 0.9 * (allowed / max(estimate, 1e-3 * allowed)) ** 0.25
        if estimate > allowed:
            step *= max(0.2, factor)
            continue
        end = stop if last else time + step
        while waiting < len(outputs) and outputs[waiting] <= end:
            if emit is not None:
                at = outputs[waiting]
                partial = error + (estimate + bound) * (at - time) / step
                if at == end:
                    emit(fine, partial)
                else:
                    late = at >= time + step / 2
                    base = time + step / 2 if late else time
                    state = (middle if late else psi).copy()
                    if at > base:
                        advance(state, base, at - base)
                    emit(state, partial)
            waiting += 1
        psi[:] = fine
        error += estimate + bound
        time = end
        step = min(step * min(5.0, factor), max_step)
        if progress is not None:
            progress(time)
    return error
