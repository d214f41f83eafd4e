"""Fixed points of the cumulants: where a state ends, and how fast it gets there."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.cumulants.evolve import sizes_of, through
from spinsqueeze.methods.cumulants.flow import flow
from spinsqueeze.methods.cumulants.integrate import DONE, LONG, FlowArrays
from spinsqueeze.methods.cumulants.jacobian import jacobian

APPROACH = 1e-10
"""Tolerance of the evolution that finds the basin; Newton's method does the rest."""
MAX_STEPS = 20_000
"""Steps after which a state that still moves is held to do so for ever."""
NEWTON_STEPS = 30
SETTLED = 1e-9
"""Where something is conserved, Newton's method starts no farther from the fixed point."""
NEAR = 0.05
"""Newton's method must stay this close, relative to the usual size of each cumulant."""
CONSERVED = 1e-11
"""Eigenvalues below this times the largest are those of conserved quantities."""


@final
@dataclass(frozen=True, eq=False)
class FixedPoint:
    """P (K,), the eigenvalues of the flow there, and the last step of Newton's method.

    step: largest change of a coefficient, relative to its usual size. duration, n_steps: of the
    evolution into the basin. conserved: number of zero eigenvalues. moved: how far Newton's method
    went, by which it may have changed what is conserved.
    """

    p: Floats
    eigenvalues: Complexes
    step: float
    duration: float
    conserved: int
    n_steps: int
    moved: float

    @property
    def drift(self) -> float:
        """What the steps and Newton's method may have changed of what is conserved."""
        return APPROACH * self.n_steps + self.moved if self.conserved else 0.0

    @property
    def growth(self) -> float:
        """The largest real part of the eigenvalues that are not zero: negative where stable."""
        rates = np.sort(
            self.eigenvalues.real[np.argsort(np.abs(self.eigenvalues))][self.conserved :]
        )
        return float(rates[-1]) if len(rates) else 0.0


def fixed_point(equations: FlowArrays, initial: Floats) -> FixedPoint:
    """The fixed point into whose basin the initial cumulants fall.

    Raises:
        NumericalFailure: they run away, oscillate for ever, or Newton's method finds no point near
            where they come to rest.
    """
    sizes = sizes_of(equations)
    scale = sizes[0]
    fastest = _fastest(initial, equations, scale)
    p, now, duration = initial.copy(), 0.0, 10.0 / fastest if fastest else 0.0
    steps = 0
    while steps < MAX_STEPS:
        if _speed(p, equations, scale) == 0.0:
            return _newton(p, equations, scale, now, steps)
        nothing = np.zeros((0, len(p)))
        passage = through(
            p, now, now + duration, np.zeros(0), nothing, equations, sizes, APPROACH, 0.0,
            max_steps=MAX_STEPS - steps,
        )  # fmt: skip
        ended, added = passage.ended, passage.steps
        if ended == LONG:
            break
        if ended != DONE:
            raise NumericalFailure(
                f"the cumulants have no bounded solution beyond time {now:g}: take another order, "
                "or another method"
            )
        now, duration, steps = now + duration, 2 * duration, steps + added
        if _speed(p, equations, scale) * now < 1e-3:
            try:
                point = _newton(p.copy(), equations, scale, now, steps)
            except NumericalFailure:
                continue
            if not point.conserved or point.moved < SETTLED:
                return point
    raise NumericalFailure(
        f"the cumulants do not come to rest within time {now:g}: they oscillate, or a rate is too "
        "small; look at the evolution with simulate"
    )


def _rate(p: Floats, equations: FlowArrays) -> Floats:
    out = np.empty_like(p)
    flow(p, equations.strengths[0][0], equations.structure, out)
    return out


def _speed(p: Floats, equations: FlowArrays, scale: Floats) -> float:
    return float(np.max(np.abs(_rate(p, equations)) / scale))


def _scaled_jacobian(p: Floats, equations: FlowArrays, scale: Floats) -> Floats:
    """Without the constant term, which nothing changes."""
    full = jacobian(p, equations.strengths[0][0], equations)
    return full[1:, 1:] * scale[1:] / scale[1:, None]


def _fastest(p: Floats, equations: FlowArrays, scale: Floats) -> float:
    return float(np.abs(np.linalg.eigvals(_scaled_jacobian(p, equations, scale))).max())


def _newton(
    p: Floats, equations: FlowArrays, scale: Floats, duration: float, n_steps: int
) -> FixedPoint:
    start, step = p.copy(), np.inf
    for _ in range(NEWTON_STEPS):
        slopes = _scaled_jacobian(p, equations, scale)
        wanted = -(_rate(p, equations) / scale)[1:]
        change, *_ = np.linalg.lstsq(slopes, wanted, rcond=CONSERVED)
        p[1:] += scale[1:] * change
        last, step = step, float(np.abs(change).max())
        if not np.all(np.isfinite(p)) or np.max(np.abs(p - start) / scale) > NEAR:
            raise NumericalFailure("no fixed point of the cumulants lies near")
        if step < 1e-9 and step >= last / 4:  # as close as rounding allows
            break
    else:
        raise NumericalFailure("Newton's method finds no fixed point of the cumulants")
    moved = float(np.max(np.abs(p - start) / scale))
    eigenvalues = np.linalg.eigvals(_scaled_jacobian(p, equations, scale)).astype(complex)
    sizes = np.abs(eigenvalues)
    conserved = int(np.sum(sizes <= CONSERVED * sizes.max())) if len(sizes) else 0
    step = max(step, float(np.finfo(float).eps))
    return FixedPoint(p, eigenvalues, step, duration, conserved, n_steps, moved)
