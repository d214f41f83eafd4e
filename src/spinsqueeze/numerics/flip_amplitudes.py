"""The few spins that a weak drive flips out of all-down, to first order.

|psi> = |0> + sum_i a_i |i> + sum_{i<j} b_ij |ij>, with |i>, |ij> of one and two spins flipped,
solves (H0 - E0 - (i/2) sum L^dagger L) |psi_1> = -H1 |0>. Spins of one kind share their amplitude,
so that the unknowns count kinds and not spins: any number of alike spins is one equation in each
sector. Lattices that are alike everywhere: `flip_tables`.
"""

import abc
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.numerics.pair_arrays import PairArray, PairMatrix

DIRECT_UNKNOWNS = 1000
"""Up to so many amplitudes of pairs the system is solved directly, beyond by iteration."""

KRYLOV_VECTORS = 60
RESIDUAL = 1e-10
MAX_RESTARTS = 20


@final
@dataclass(frozen=True, eq=False)
class PairAmplitudes:
    """values: b of two flips. error: a bound of sqrt(sum_{i<j} |b_ij - exact|^2)."""

    values: PairArray
    error: float


class FlipOperators(abc.ABC):
    """H0 - E0 - (i/2) sum L^dagger L among one and two flips, and H1 |0>."""

    @property
    @abc.abstractmethod
    def counts(self) -> Floats:
        """(C,) spins of each kind."""

    @property
    @abc.abstractmethod
    def drives_singles(self) -> bool:
        """Whether H1 flips single spins."""

    @property
    @abc.abstractmethod
    def largest_drive(self) -> float:
        """The largest matrix element of H1 to a spin or a pair."""

    @property
    @abc.abstractmethod
    def largest_entry(self) -> float:
        """The largest entry of the operator of one flip, in size."""

    @abc.abstractmethod
    def single_amplitudes(self) -> Complexes:
        """Amplitudes a (C,) of one flip.

        Raises:
            NumericalFailure: the system is singular.
        """

    @abc.abstractmethod
    def pair_amplitudes(self) -> PairAmplitudes:
        """Amplitudes b of two flips, with the error that their residual allows.

        Every flip decays at the local rate at least, so that |b - exact| <= |residual|/rate.

        Raises:
            NumericalFailure: the system is singular, or the iteration does not converge.
        """

    @abc.abstractmethod
    def slowest_decay(self) -> float:
        """The slowest rate at which flips are lost, over the largest entry of the operator [1].

        Zero: a state with flips that neither decays nor leaves, a dark state.
        """


@final
@dataclass(frozen=True, eq=False)
class FlipsByKind(FlipOperators):
    """Rows are kinds of spins.

    spins (C,): of each kind. site (C,): energy of one flip, - (i/2) its decay. hop (C, C):
    from a spin of the second kind to another of the first. pair (C, C): energy of two flips beyond
    their own. drive (C,) = <i|H1|0>, pair_drive (C, C) = <ij|H1|0>, symmetric. local_decay (C,):
    rates at which spins decay by themselves, part of `site`.
    """

    spins: Floats
    site: Complexes
    hop: Complexes
    pair: Floats
    drive: Complexes
    pair_drive: Complexes
    local_decay: Floats

    @property
    @override
    def counts(self) -> Floats:
        return self.spins

    @property
    @override
    def drives_singles(self) -> bool:
        return bool(np.any(self.drive))

    @property
    @override
    def largest_drive(self) -> float:
        pairs = np.abs(self.pair_drive[self.couples]).max(initial=0.0)
        return float(max(np.abs(self.drive).max(), pairs))

    @property
    @override
    def largest_entry(self) -> float:
        return float(np.abs(self.one_flip()).max())

    @property
    def couples(self) -> Booleans:
        """(C, C): where there is a pair of spins, which a kind of one spin does not make alone."""
        return np.asarray(~np.diag(self.counts < 2))

    @property
    def partners(self) -> Floats:
        """(C, C): spins of the second kind that one of the first can pair with."""
        return np.asarray(self.counts[None, :] - np.eye(len(self.counts)))

    def one_flip(self) -> Complexes:
        """The matrix (C, C) of one flip on the amplitudes a."""
        return np.diag(self.site) + self.hop * self.partners

    def on_pairs(self, amplitudes: Complexes) -> Complexes:
        """The operator of two flips on b, (..., C, C) symmetric and zero where no pair is."""
        diagonal = np.diagonal(amplitudes, axis1=-2, axis2=-1)
        own = np.diagonal(self.hop)[:, None]
        moved = (
            self.hop @ (self.counts[:, None] * amplitudes)
            - own * amplitudes
            - self.hop * diagonal[..., None, :]
        )
        energy = self.site[:, None] + self.site[None, :] + self.pair
        total = moved + np.swapaxes(moved, -1, -2) + energy * amplitudes
        return np.where(self.couples, total, 0.0)

    def pair_matrix(self) -> Complexes:
        """The operator of two flips as a matrix over the pairs of kinds i <= j."""
        rows, columns = self.unknowns()
        size, kinds = len(rows), len(self.counts)
        basis = np.zeros((size, kinds, kinds), dtype=complex)
        basis[np.arange(size), rows, columns] = 1.0
        basis[np.arange(size), columns, rows] = 1.0
        return np.asarray(self.on_pairs(basis)[:, rows, columns].T)

    def unknowns(self) -> tuple[Integers, Integers]:
        """Kinds i <= j of every amplitude of a pair."""
        rows, columns = np.nonzero(np.triu(self.couples))
        return rows.astype(np.int64), columns.astype(np.int64)

    @override
    def single_amplitudes(self) -> Complexes:
        return solved(self.one_flip(), -self.drive)

    @override
    def pair_amplitudes(self) -> PairAmplitudes:
        target = np.where(self.couples, -self.pair_drive, 0.0)
        amplitudes = self._pair_amplitudes(target) if np.any(target) else np.zeros_like(self.hop)
        residual = PairMatrix(self.on_pairs(amplitudes) - target, self.counts)
        rates = (self.local_decay[:, None] + self.local_decay[None, :]) / 2
        return PairAmplitudes(
            PairMatrix(amplitudes, self.counts),
            bound(np.sqrt(residual.squares), float(rates[self.couples].min(initial=np.inf))),
        )

    def _pair_amplitudes(self, target: Complexes) -> Complexes:
        rows, columns = self.unknowns()
        if len(rows) > DIRECT_UNKNOWNS:
            return _iterated(self, target)
        solution = np.zeros_like(self.hop)
        solution[rows, columns] = solved(self.pair_matrix(), target[rows, columns])
        solution[columns, rows] = solution[rows, columns]
        return solution

    @override
    def slowest_decay(self) -> float:
        # Two flips only where they are few enough to be solved directly.
        matrices = [_balanced(self.one_flip(), self.counts)]
        if np.any(self.couples) and len(self.unknowns()[0]) <= DIRECT_UNKNOWNS:
            matrices.append(self.pair_matrix())
        rates = []
        for matrix in matrices:
            size = float(np.abs(matrix).max(initial=0.0))
            values = np.linalg.eigvals(matrix)
            rates.append(0.0 if size == 0.0 else float(np.min(-2.0 * values.imag)) / size)
        return max(0.0, min(rates))


def bytes_by_kind(kinds: int) -> float:
    """Memory of the amplitudes of pairs: Krylov vectors, or the matrix of the direct solution."""
    unknowns = kinds * (kinds + 1) / 2
    if unknowns > DIRECT_UNKNOWNS:
        return 16.0 * kinds**2 * (KRYLOV_VECTORS + 20)
    return 16.0 * unknowns * (3.0 * unknowns + 4.0 * kinds**2)


def _balanced(matrix: Complexes, counts: Floats) -> Complexes:
    """The same operator on normalised states, where entries are symmetric in size."""
    root = np.sqrt(counts)
    return np.asarray(root[:, None] * matrix / root[None, :])


def solved(matrix: Complexes, target: Complexes) -> Complexes:
    """X with matrix x = target.

    Raises:
        NumericalFailure: there is none with a small residual.
    """
    if not np.any(target):
        return np.zeros_like(target)
    try:
        solution = np.linalg.solve(matrix, target)
    except np.linalg.LinAlgError:
        solution = np.full_like(target, np.nan)
    check(solution, matrix @ solution - target, target)
    return np.asarray(solution)


def _iterated(operators: FlipsByKind, target: Complexes) -> Complexes:
    """GMRES, preconditioned by the flips that do not see each other: X (..)/(e_i + e_j) X^T."""
    from scipy.sparse.linalg import LinearOperator, gmres

    kinds = len(operators.counts)
    couples = operators.couples
    mean = float(operators.pair.sum()) / max(1, int(couples.sum()))
    energies, vectors = np.linalg.eig(operators.one_flip() + mean / 2.0 * np.eye(kinds))
    inverse = np.linalg.inv(vectors)
    sums = energies[:, None] + energies[None, :]

    def apply(flat: Complexes) -> Complexes:
        return operators.on_pairs(flat.reshape(kinds, kinds)).ravel()

    def free(flat: Complexes) -> Complexes:
        inner = inverse @ flat.reshape(kinds, kinds) @ inverse.T / sums
        return np.where(couples, vectors @ inner @ vectors.T, 0.0).ravel()

    shape = (kinds**2, kinds**2)
    solution, _ = gmres(
        LinearOperator(shape, matvec=apply, dtype=complex),
        target.ravel(),
        M=LinearOperator(shape, matvec=free, dtype=complex),
        rtol=RESIDUAL / 10.0,
        atol=0.0,
        restart=KRYLOV_VECTORS,
        maxiter=MAX_RESTARTS,
    )
    check(solution, apply(solution) - target.ravel(), target)
    amplitudes = solution.reshape(kinds, kinds)
    return np.asarray((amplitudes + amplitudes.T) / 2.0)


def check(solution: NDArray[Any], residual: NDArray[Any], target: Complexes) -> None:
    """Look at the residual.

    Raises:
        NumericalFailure: it is above `RESIDUAL` of the target, or the solution is not finite.
    """
    size = float(np.linalg.norm(target))
    error = float(np.linalg.norm(residual)) / size
    if not np.all(np.isfinite(solution)) or not error <= RESIDUAL:
        raise NumericalFailure(
            f"the amplitudes of flipped spins leave a residual of {error:.1e}, above "
            f"{RESIDUAL:.0e}: flipped spins hardly decay beside the couplings; raise the emission "
            "rates or lower the couplings"
        )


def bound(residual: float, rate: float) -> float:
    """The error that a residual allows where everything decays at `rate`: infinite without."""
    if residual == 0.0:
        return 0.0
    return residual / rate if rate > 0.0 else np.inf
