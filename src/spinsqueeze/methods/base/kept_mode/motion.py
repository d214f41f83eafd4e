"""The motion of spins and mode at one cut-off: pure states, or density matrices."""

from collections.abc import Sequence
from typing import Any, Protocol, final

import numpy as np
from scipy.sparse import csr_array, diags_array

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.kept_mode.elements import Element, elements
from spinsqueeze.methods.base.kept_mode.space import SpinSpace
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import at, largest_size
from spinsqueeze.models.modes import Mode
from spinsqueeze.numerics import magnus
from spinsqueeze.numerics.driven_schroedinger import DrivenHamiltonian
from spinsqueeze.numerics.krylov.orthogonal import unitary_evolution, unitary_rounding
from spinsqueeze.numerics.lindblad import (
    MasterEquation,
    Unknowns,
    lindblad_drift,
    master_equation,
)
from spinsqueeze.numerics.lindblad_evolution import DrivenEquation, evolve, evolve_matrix
from spinsqueeze.numerics.weighted_sum import WeightedSum

BEYOND = 2
"""Levels beyond the cut-off that one application of L can reach: a^2 in a squeezed reservoir."""


class Motion(Protocol):
    """What carries a state on while the levels and the displacement stay."""

    levels: int

    def states(
        self, state: Any, times: Floats, *, start: float, alpha: complex, tolerance: float
    ) -> tuple[Any, float]:
        """States (T, n) at ascending times from `start`, and the error of the last in norm."""
        ...

    def leak(self, states: Any, times: Floats, *, alpha: complex) -> Floats:
        """A bound (T,) of the rate at which the states depart from those without a cut-off.

        In the norm of a pure state, of a density matrix in half the trace norm.
        """
        ...

    def speed(self, alpha: complex) -> float:
        """A bound of the rates of the motion."""
        ...


@final
class PureMotion:
    """Amplitudes (D levels,) under H."""

    def __init__(self, space: SpinSpace, mode: Mode, levels: int, *, displaced: bool) -> None:
        self.levels = levels
        self._groups = _Groups(elements(space, mode, levels + BEYOND, displaced=displaced))
        kept, beyond = _split(space.dimension, levels)
        big = [group.hamiltonian for group in self._groups.parts]
        self._matrices = [H[kept][:, kept].tocsr() for H in big]
        self._leaks = [H[beyond][:, kept].tocsr() for H in big]
        self._sum = WeightedSum(self._matrices)

    def states(
        self, state: Complexes, times: Floats, *, start: float, alpha: complex, tolerance: float
    ) -> tuple[Complexes, float]:
        """See `Motion`."""
        drive = self._groups.weights(alpha)
        if not drive.varies:
            H = self._sum.at(np.array(drive.strengths, dtype=float))
            states = unitary_evolution(H, state=state, times=times - start, tolerance=tolerance)
            return states, tolerance + unitary_rounding(H, duration=float(times[-1] - start))
        return _driven(DrivenHamiltonian(self._matrices), drive, state, times, start, tolerance)

    def leak(self, states: Complexes, times: Floats, *, alpha: complex) -> Floats:
        """See `Motion`."""
        return _norms(self._leaks, self._groups.weights(alpha), states, times)

    def speed(self, alpha: complex) -> float:
        """See `Motion`."""
        return _speed(self._sum, self._groups.weights(alpha))


@final
class MixedMotion:
    """Density matrices as real unknowns (n,) under the master equation."""

    def __init__(
        self, space: SpinSpace, mode: Mode, levels: int, *, displaced: bool, algorithm: str
    ) -> None:
        self.levels, self._algorithm = levels, algorithm
        self._groups = _Groups(elements(space, mode, levels, displaced=displaced))
        self.unknowns = Unknowns(tuple(levels * size for size in space.sizes))
        self._matrices = [group.equation(self.unknowns) for group in self._groups.parts]
        self._sum = WeightedSum(self._matrices)
        # |R|_1 <= sqrt(rank) |R|_2; R lives on the rows and columns of three levels.
        self._rank = 6.0 * space.dimension
        self._leaks: list[csr_array] = []
        if not (space.couplings or mode.reservoirs or mode.driven):
            return  # no mode, or an idle one: nothing leaves
        more = _Groups(elements(space, mode, levels + BEYOND, displaced=displaced))
        larger = Unknowns(tuple((levels + BEYOND) * size for size in space.sizes))
        places = _embedded(self.unknowns, larger, levels)
        weights = np.sqrt(larger.norm_weights())
        differences = [
            _difference(group.equation(larger), matrix, places)
            for group, matrix in zip(more.parts, self._matrices, strict=True)
        ]
        rows = np.unique(np.concatenate([d.nonzero()[0] for d in differences]))
        # Weighted so that the 2-norm of the rows is Frobenius'.
        self._leaks = [(diags_array(weights[rows]) @ d[rows]).tocsr() for d in differences]

    def equation(self, alpha: complex) -> MasterEquation:
        """The equation where nothing depends on time."""
        strengths = self._groups.weights(alpha).strengths
        return MasterEquation(self._sum.at(np.array(strengths, dtype=float)), self.unknowns)

    def drift(self, alpha: complex) -> csr_array:
        """X of the equation where nothing depends on time; see `numerics.lindblad`."""
        strengths = self._groups.weights(alpha).strengths
        size = sum(self.unknowns.sizes)
        total = csr_array((size, size), dtype=complex)
        for strength, group in zip(strengths, self._groups.parts, strict=True):
            total = total + float(strength) * group.drift  # type: ignore[arg-type]
        return total.tocsr()

    def states(
        self, state: Floats, times: Floats, *, start: float, alpha: complex, tolerance: float
    ) -> tuple[Floats, float]:
        """See `Motion`."""
        drive = self._groups.weights(alpha)
        if not drive.varies:
            return evolve(
                self.equation(alpha),
                start=state,
                times=times - start,
                tolerance=tolerance,
                algorithm=self._algorithm,
            )
        driven = DrivenEquation(self._sum, evolve=self._under_constant)
        return _driven(driven, drive, state, times, start, tolerance)

    def _under_constant(
        self, _weights: Floats, matrix: Any, state: Floats, times: Floats, tolerance: float
    ) -> tuple[Floats, float]:
        return evolve_matrix(
            matrix, start=state, times=times, tolerance=tolerance, algorithm=self._algorithm
        )

    def leak(self, states: Floats, times: Floats, *, alpha: complex) -> Floats:
        """See `Motion`."""
        if not self._leaks:
            return np.zeros(len(times))
        norms = _norms(self._leaks, self._groups.weights(alpha), states, times)
        return np.asarray(np.sqrt(self._rank) / 2 * norms)

    def speed(self, alpha: complex) -> float:
        """See `Motion`."""
        return _speed(self._sum, self._groups.weights(alpha))


@final
class _Group:
    """What has one weight in common: a Hamiltonian and jumps."""

    def __init__(self, of: Sequence[Element]) -> None:
        self._elements = list(of)

    def _scale(self, element: Element) -> float:
        return float(element.weight(0j)) if element.steady else 1.0  # type: ignore[arg-type]

    @property
    def hamiltonian(self) -> csr_array:
        """The sum of the Hamiltonians."""
        shape = self._elements[0].operator.shape
        total = csr_array(shape, dtype=complex)
        for element in self._elements:
            if not element.jump:
                total = total + self._scale(element) * element.operator
        return total.tocsr()

    @property
    def jumps(self) -> list[csr_array]:
        """The jumps, with their rates."""
        return [np.sqrt(self._scale(e)) * e.operator for e in self._elements if e.jump]

    @property
    def drift(self) -> csr_array:
        """-i H - (1/2) sum L^dagger L."""
        return lindblad_drift(self.hamiltonian, self.jumps)

    def equation(self, unknowns: Unknowns) -> csr_array:
        """The matrix of the master equation."""
        return master_equation(unknowns, drift=self.drift, jumps=self.jumps).matrix


@final
class _Groups:
    """Elements by their weights: all that are steady together, each other one alone."""

    def __init__(self, of: Any) -> None:
        listed = list(of)
        nothing = Element(0.0, csr_array(listed[0].operator.shape, dtype=complex))
        steady = [nothing, *(e for e in listed if e.steady)]
        self._others = [e for e in listed if not e.steady]
        self.parts = [_Group(steady), *(_Group([e]) for e in self._others)]

    def weights(self, alpha: complex) -> DriveWeights:
        """The weight of each part."""
        return DriveWeights((1.0, *(e.weight(alpha) for e in self._others)))


def _driven(
    generator: Any, drive: DriveWeights, state: Any, times: Floats, start: float, tolerance: float
) -> tuple[Any, float]:
    """States at all times by Magnus steps."""
    stop = float(times[-1])
    out: list[Any] = []
    if stop > start:
        _, error = magnus.propagate(
            generator,
            drive,
            state,
            start=start,
            stop=stop,
            tolerance=tolerance * float(np.linalg.norm(state)),
            outputs=times.tolist(),
            emit=lambda value, _: out.append(value),
        )
        return np.array(out), error
    return np.broadcast_to(state, (len(times), state.size)).copy(), 0.0


def _norms(leaks: Sequence[Any], drive: DriveWeights, states: Any, times: Floats) -> Floats:
    """|sum_k w_k(t) leak_k y(t)| at every time."""
    total = sum(
        (leak @ states.T) * at(strength, times)
        for leak, strength in zip(leaks, drive.strengths, strict=True)
    )
    return np.asarray(np.linalg.norm(np.asarray(total), axis=0))


def _speed(matrices: WeightedSum, drive: DriveWeights) -> float:
    return float(np.array([largest_size(s) for s in drive.strengths]) @ matrices.norms)


def _split(dimension: int, levels: int) -> tuple[Any, Any]:
    """Indices of levels + BEYOND that are kept, and those beyond."""
    level = np.tile(np.arange(levels + BEYOND), dimension)
    return np.flatnonzero(level < levels), np.flatnonzero(level >= levels)


def _embedded(unknowns: Unknowns, larger: Unknowns, levels: int) -> Any:
    """Where each unknown stands among those with BEYOND more levels."""
    block = unknowns.block
    start = unknowns.starts[block]

    def moved(index: Any) -> Any:
        spin, level = np.divmod(index - start, levels)
        return spin * (levels + BEYOND) + level

    return larger.place(block, moved(unknowns.rows), moved(unknowns.columns), unknowns.imaginary)


def _difference(larger: Any, matrix: Any, places: Any) -> Any:
    """(L - L_cut) on the unknowns that are kept, to all."""
    listed = matrix.tocoo()
    count = larger.shape[0]
    embedded = csr_array(
        (listed.data, (places[listed.row], listed.col)), shape=(count, matrix.shape[1])
    )
    difference = (larger[:, places] - embedded).tocsr()
    size = float(np.abs(larger.data).max(initial=0.0))
    difference.data[np.abs(difference.data) <= 1e-13 * size] = 0.0
    difference.eliminate_zeros()
    return difference
