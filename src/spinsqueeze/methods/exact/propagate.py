"""From an initial state to collective moments at given times: segments, envelopes, rotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.core.progress import Progress, no_progress
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.base.windows import windows
from spinsqueeze.methods.exact.driven import DrivenHamiltonian, WeightedHamiltonian
from spinsqueeze.models.drive import DriveWeights, breakpoints
from spinsqueeze.numerics.krylov.matrix_free import Operator, Work, propagate
from spinsqueeze.numerics.magnus import allowed_rates, propagate_piece

LARGEST_KRYLOV_DIMENSION = 30
SMALLEST_KRYLOV_DIMENSION = 6
SMALLEST_TOLERANCE = 1e-14


class Space(WeightedHamiltonian, Protocol):
    """A Hamiltonian together with the space of states it acts in."""

    n_spins: int
    dimension: int

    def moments(self, psi: Complexes) -> tuple[Floats, Floats]:
        """<S_a> (3,) and the symmetrised covariance (3, 3)."""
        ...

    def rotate(
        self,
        psi: Complexes,
        *,
        axis: Floats,
        angle: float,
        mask: Booleans | None = None,
    ) -> None:
        """Apply prod_i exp(-i angle axis.s_i) in place over the spins of the mask."""
        ...


@dataclass(frozen=True)
class Propagation:
    """What a run hands back.

    Attributes:
        state: (dimension,) state at the last time.
        spin: (T, 3) <S_a>.
        covariance: (T, 3, 3) symmetrised, centred.
        error: (T,) accumulated error of the state, in norm: a bound where H is constant, an
            estimate where it varies. An observable A errs by at most 2 |A| error.
        norm_drift: largest | |psi| - 1 | at the output times.
        energy_drift: largest change of <H> over a stretch of constant H, in units of H.
        applications: products H psi.
        krylov_steps: Krylov spaces built.
        krylov_dimension: largest size of these.
    """

    state: Complexes
    spin: Floats
    covariance: Floats
    error: Floats
    norm_drift: float
    energy_drift: float
    applications: int
    krylov_steps: int
    krylov_dimension: int


def required_bytes(
    n_spins: int, *, frames: int, parts: int = 1, krylov_dimension: int = 6, driven: bool = False
) -> int:
    """Bytes of a run on 2^N amplitudes: diagonals, Krylov vectors, states, moments."""
    real = 1 + frames * (parts if parts == 1 else parts + 1)
    vectors = 1 + (krylov_dimension + 1) + 3 + 3 + (5 if driven else 0)
    return (1 << n_spins) * (8 * real + 16 * vectors)


def choose_krylov_dimension(
    n_spins: int, *, memory_budget: float, frames: int, parts: int = 1, driven: bool = False
) -> int:
    """Largest useful Krylov dimension within memory_budget bytes.

    Raises:
        TooLarge: not even the smallest dimension fits.
    """
    needed = required_bytes(
        n_spins,
        frames=frames,
        parts=parts,
        krylov_dimension=SMALLEST_KRYLOV_DIMENSION,
        driven=driven,
    )
    if needed > memory_budget:
        raise TooLarge(
            f"n_spins={n_spins} needs 2^{n_spins} = {1 << n_spins} amplitudes and "
            f"{needed / 1e9:.3g} GB in all; the budget is {memory_budget / 1e9:.3g} GB. "
            "Raise memory_budget, or use an approximate method such as DTWA"
        )
    spare = int((memory_budget - needed) // (16 << n_spins))
    return min(LARGEST_KRYLOV_DIMENSION, SMALLEST_KRYLOV_DIMENSION + spare)


def evolve(
    space: Space,
    initial: Complexes,
    times: Floats,
    *,
    drive: DriveWeights | None = None,
    rotations: Sequence[Rotation] = (),
    start: float = 0.0,
    tolerance: float = 1e-10,
    krylov_dimension: int = LARGEST_KRYLOV_DIMENSION,
    observe: Callable[[int, Complexes], None] | None = None,
    progress: Progress = no_progress,
) -> Propagation:
    """Propagate a state and record collective moments at the given times.

    A rotation at an output time acts before that output; rotations at one time act in the order
    given; those before start or after the last time do not act.

    Args:
        space: Hamiltonian and space, such as `SpinHamiltonian`.
        initial: (dimension,) state at time start, normalised to 1e-6.
        times: (T,) increasing output times, none before start.
        drive: weights of the parts in time; None means all weights 1.
        rotations: instantaneous rotations.
        start: time of the initial state, before rotations at that time.
        tolerance: error of the final state, in norm, shared evenly over the time
            (see `numerics.magnus.allowed_rates` where the Hamiltonian varies).
        krylov_dimension: largest size of a Krylov space; more is faster, and takes memory.
        observe: called with the index of each output and the state there, which it must not keep
            or change.
        progress: called with the fraction of the time that is done, 1.0 at the end.

    Raises:
        InvalidInput: a state of wrong length or norm, times that do not increase, or a tolerance
            outside [1e-14, 0.1].
        NumericalFailure: see `numerics.krylov.matrix_free` and `numerics.magnus`.
    """
    times = np.asarray(times, dtype=np.float64)
    _check(space, initial, times, start, tolerance)
    psi = np.array(initial, dtype=np.complex128)
    psi /= np.linalg.norm(psi)
    final = float(times[-1])
    varying_rate, constant_rate = _rates(drive, start, final, tolerance)
    work = Work.allocate(space.dimension, krylov_dimension=krylov_dimension)
    driven = DrivenHamiltonian(space, work)
    outputs = _Outputs(space, times.size, observe)
    energy_drift = 0.0
    tell = progress

    def report(time: float) -> None:
        tell(min(1.0, (time - start) / (final - start)))

    def report_since(edge: float, elapsed: float) -> None:
        report(edge + elapsed)

    breaks = [] if drive is None else breakpoints(drive.strengths, start=start, stop=final)
    for window in windows(times, rotations=rotations, start=start, breakpoints=breaks):
        edge, stop = window.start, window.stop
        for turn in window.rotations:
            space.rotate(psi, axis=np.array(turn.axis), angle=turn.angle, mask=turn.mask)
        inside = times[window.outputs].tolist()
        while inside and inside[0] == edge:
            outputs.record(psi, 0.0)
            inside.pop(0)
        if edge == final:
            break
        weights = None if drive is None else drive.constant_weights(edge, stop)
        if drive is not None and weights is None:
            psi, added = propagate_piece(
                driven,
                drive,
                psi,
                start=edge,
                stop=stop,
                rate=varying_rate,
                outputs=inside,
                emit=outputs.record,
                progress=report,
            )
            outputs.error_at_edge += added
            continue
        operator = space.frozen(weights)
        before = _energy(operator, psi)
        outputs.error_at_edge += propagate(
            operator,
            psi,
            stop - edge,
            rate=constant_rate,
            work=work,
            outputs=[t - edge for t in inside],
            emit=outputs.record,
            progress=partial(report_since, edge),
        )
        energy_drift = max(energy_drift, abs(_energy(operator, psi) - before))
    tell(1.0)
    return Propagation(
        state=psi,
        spin=outputs.spin,
        covariance=outputs.covariance,
        error=outputs.error,
        norm_drift=outputs.norm_drift,
        energy_drift=energy_drift,
        applications=work.applications,
        krylov_steps=work.steps,
        krylov_dimension=work.vectors.shape[0] - 1,
    )


class _Outputs:
    """The moments recorded so far, with the errors of the state.

    error_at_edge: error up to the edge from which the present window is propagated.
    """

    def __init__(
        self, space: Space, n_times: int, observe: Callable[[int, Complexes], None] | None
    ) -> None:
        self.space = space
        self.observe = observe
        self.spin, self.covariance = np.empty((n_times, 3)), np.empty((n_times, 3, 3))
        self.error = np.empty(n_times)
        self.done = 0
        self.norm_drift = 0.0
        self.error_at_edge = 0.0

    def record(self, state: Complexes, since_edge: float) -> None:
        """The state at the next output time."""
        k = self.done
        self.spin[k], self.covariance[k] = self.space.moments(state)
        self.error[k] = self.error_at_edge + since_edge
        self.norm_drift = max(self.norm_drift, abs(float(np.linalg.norm(state)) - 1))
        if self.observe is not None:
            self.observe(k, state)
        self.done += 1


def _rates(
    drive: DriveWeights | None, start: float, final: float, tolerance: float
) -> tuple[float, float]:
    """Errors allowed per time where the Hamiltonian varies, and where it is constant."""
    if final <= start:
        return tolerance, tolerance
    if drive is None:
        return tolerance / (final - start), tolerance / (final - start)
    return allowed_rates(drive, start=start, stop=final, tolerance=tolerance)


def _energy(operator: Operator, psi: Complexes) -> float:
    h_psi = np.empty_like(psi)
    operator.apply(psi, h_psi)
    return float(np.vdot(psi, h_psi).real)


def _check(
    space: Space,
    initial: Complexes,
    times: Floats,
    start: float,
    tolerance: float,
) -> None:
    if np.shape(initial) != (space.dimension,):
        raise InvalidInput(
            f"initial_state must have {space.dimension} amplitudes, got shape {np.shape(initial)}"
        )
    norm = float(np.linalg.norm(initial))
    if not abs(norm - 1) < 1e-6:
        raise InvalidInput(f"initial_state must be normalised, got norm {norm:.6g}; divide by it")
    ordered = times.ndim == 1 and times.size > 0 and bool(np.all(np.diff(times) > 0))
    if not ordered or not np.all(np.isfinite(times)):
        raise InvalidInput(f"times must be finite and increase strictly, got {times}")
    if times[0] < start:
        raise InvalidInput(f"times must not precede start={start:g}, got {times[0]:g}")
    if not SMALLEST_TOLERANCE <= tolerance <= 0.1:
        raise InvalidInput(
            f"tolerance must be between {SMALLEST_TOLERANCE:g} and 0.1, got {tolerance:g}"
        )
