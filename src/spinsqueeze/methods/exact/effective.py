"""Open models as a non-Hermitian generator and jumps on 2^N amplitudes: what trajectories need.

Between jumps d psi/dt = A(t) psi, A = -i H - sum r L^dagger L / 2, one sparse matrix a strength.
All terms are of one spin or of two: L = sum_i c_i.s_i has

    L^dagger L = sum_i (|c_i|^2/4 + d_i.s_i) + sum_{i<j} sum_ab 2 Re(c_ia* c_jb) s_ia s_jb,
    d = (i/2) c* x c.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.question import Evolve, Rotation
from spinsqueeze.methods.base.windows import windows
from spinsqueeze.methods.exact.parts import hamiltonian_parts
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope, Strength, at, is_zero, largest_size

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DEGREE = 7
"""Of the polynomial that an envelope is between two breakpoints; see `Envelope.breakpoints`."""
_LEFT_OUT = 1e-12
"""Of the largest coefficient of a polynomial: rounding of the higher ones."""


@final
@dataclass(frozen=True, eq=False)
class Operators:
    """constant + sum_i fields_i . s_i + sum_{i<j} sum_ab pairs_ijab s_ia s_jb, all complex.

    fields (N, 3); pairs (N, N, 3, 3), read at i < j.
    """

    constant: complex
    fields: Complexes
    pairs: Complexes

    def __add__(self, other: "Operators") -> "Operators":
        return Operators(
            self.constant + other.constant, self.fields + other.fields, self.pairs + other.pairs
        )

    def times(self, factor: complex) -> "Operators":
        """All of it times a number."""
        return Operators(factor * self.constant, factor * self.fields, factor * self.pairs)

    def entries_a_row(self) -> float:
        """Nonzero numbers in a row of the matrix, at most."""
        n = len(self.fields)
        flat = np.abs(self.pairs) + np.abs(self.pairs).transpose(1, 0, 3, 2)
        beside = flat * (1 - np.eye(n))[:, :, None, None]
        one = np.any(self.fields[:, :2], axis=1) | np.any(beside[:, :, :2, 2], axis=(1, 2))
        two = np.any(beside[:, :, :2, :2], axis=(2, 3))
        return 1.0 + float(one.sum()) + float(two.sum()) / 2

    def matrix(self) -> "csr_array":
        """On 2^N amplitudes; index sum_i b_i 2^i, b_i = 1 for spin i up.

        Every product of Pauli matrices flips the spins of a mask and multiplies by a function of
        the source n; with m = ±1/2: s_z|m> = m|m>, s_x|m> = |-m>/2, s_y|m> = i m|-m>.
        """
        from scipy.sparse import csr_array

        n = len(self.fields)
        index = np.arange(1 << n)
        m = ((index >> np.arange(n)[:, None]) & 1) - 0.5
        both = self.pairs.copy()
        for i, j in combinations(range(n), 2):
            both[j, i] = self.pairs[i, j].T
        flips: dict[int, Complexes] = {}
        diagonal = self.constant + self.fields[:, 2] @ m
        for i in range(n):
            others = [j for j in range(n) if j != i]
            along = both[i, others, :, 2].T @ m[others]  # (3, 2^N): what s_ia is multiplied by
            flips[1 << i] = (self.fields[i, 0] + along[0]) / 2
            flips[1 << i] = flips[1 << i] + 1j * m[i] * (self.fields[i, 1] + along[1])
            for j in range(i + 1, n):
                T = both[i, j]
                diagonal = diagonal + T[2, 2] * m[i] * m[j]
                flips[1 << i | 1 << j] = (
                    T[0, 0] / 4 + 0.5j * (T[0, 1] * m[j] + T[1, 0] * m[i]) - T[1, 1] * m[i] * m[j]
                )
        masks = [0, *(mask for mask, values in flips.items() if np.any(values))]
        data = np.empty((index.size, len(masks)), dtype=complex)
        columns = np.empty((index.size, len(masks)), dtype=np.int32)
        for k, mask in enumerate(masks):
            columns[:, k] = index ^ mask
            data[:, k] = diagonal if mask == 0 else flips[mask][index ^ mask]
        starts = np.arange(index.size + 1) * len(masks)
        matrix = csr_array((data.ravel(), columns.ravel(), starts), (index.size, index.size))
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return matrix


def dissipation(rows: Complexes) -> Operators:
    """L^dagger L of one jump L = sum_i rows_i . s_i, rows (N, 3)."""
    products = np.einsum("ia,jb->ijab", rows.conj(), rows)
    return Operators(
        complex(np.vdot(rows, rows).real / 4),
        0.5j * np.cross(rows.conj(), rows),
        (2 * products.real).astype(complex),
    )


@final
@dataclass(frozen=True, eq=False)
class Jumps:
    """rate * sum_k D[L_k]: local ones L_i = sqrt(factors_i) rows_i . s_i, or one collective L."""

    rate: Strength
    rows: Complexes
    local: bool
    factors: Floats

    def mean_rate(self) -> float:
        """How often they act in unit time on spins that point anywhere, at the largest rate."""
        return largest_size(self.rate) * float(self.factors @ np.sum(np.abs(self.rows) ** 2, 1)) / 4

    def largest_rates(self) -> Floats:
        """How often each acts in unit time at most, on any state: rate |L|^2, (N,) or (1,)."""
        skew = np.linalg.norm(np.cross(self.rows.conj(), self.rows), axis=1)
        norms = np.sum(np.abs(self.rows) ** 2, axis=1) / 4 + skew / 4
        each = self.factors * norms if self.local else np.array([np.sum(np.sqrt(norms)) ** 2])
        return np.asarray(largest_size(self.rate) * each)


@final
@dataclass(frozen=True, eq=False)
class Span:
    """[start, stop], entered through rotations; coefficients (K, D + 1) in powers of the place.

    The place runs from -1 to 1. outputs: indices of output times in [start, stop), and of the last
    time in the last span, which has no length.
    """

    start: float
    stop: float
    rotations: tuple[Rotation, ...]
    outputs: tuple[int, ...]
    coefficients: Floats

    def from_time(self, time: float) -> Floats:
        """The same polynomials in powers of t - time: (K, D + 1)."""
        degree = self.coefficients.shape[1] - 1
        if degree == 0:
            return self.coefficients
        slope = 2 / (self.stop - self.start)
        place = slope * (time - self.start) - 1
        out = np.zeros_like(self.coefficients)
        term = self.coefficients.copy()
        for power in range(degree + 1):  # Taylor: derivatives at the place over factorials
            out[:, power] = slope**power * (term @ place ** np.arange(term.shape[1]))
            term = term[:, 1:] * np.arange(1, term.shape[1]) / (power + 1)
        return out


@final
@dataclass(frozen=True, eq=False)
class EffectiveModel:
    """A(t) = sum_k w_k(t) matrices_k, its jumps, and the spans of time it is followed in."""

    n_spins: int
    matrices: "tuple[csr_array, ...]"
    jumps: tuple[Jumps, ...]
    spans: tuple[Span, ...]

    @classmethod
    def of(cls, question: Evolve) -> "EffectiveModel":
        """Of a question with one row a spin."""
        n = question.model.n_spins
        jumps = jumps_of(question.model)
        gathered = gathered_operators(question.model, jumps)
        drive = DriveWeights(tuple(strength for strength, _ in gathered))
        return cls(
            n,
            tuple(operators.matrix() for _, operators in gathered),
            jumps,
            tuple(_spans(question, drive)),
        )


def jumps_of(model: Canonical) -> tuple[Jumps, ...]:
    """All jumps of a model with one row a spin whose rates are not zero at all times."""
    n, ones = model.n_spins, np.ones(model.n_spins)
    found = []
    for local in model.local_jumps:
        factors = ones if local.factors is None else local.factors
        rows = np.tile(local.vector.astype(complex), (n, 1))
        found.append(Jumps(local.rate, rows, local=True, factors=factors))
    for jump in model.collective_jumps:
        rows = np.broadcast_to(jump.vectors, (n, 3)).astype(complex)
        found.append(Jumps(jump.rate, rows, local=False, factors=ones))
    return tuple(
        jump
        for jump in found
        if not is_zero(jump.rate) and np.any(jump.factors[:, None] * jump.rows)
    )


def gathered_operators(
    model: Canonical, jumps: tuple[Jumps, ...]
) -> list[tuple[Strength, Operators]]:
    """A in parts: all constant strengths as one of strength 1, equal envelopes together."""
    parts, drive = hamiltonian_parts(model)
    strengths = (1.0,) if drive is None else drive.strengths
    collected: list[tuple[Strength, Operators]] = []
    for strength, part in zip(strengths, parts, strict=True):
        pairs = np.einsum("kij,kab->ijab", part.kernels, part.tensors).astype(complex)
        collected.append((strength, Operators(0.0, part.field.astype(complex), pairs).times(-1j)))
    for jump in jumps:
        lost = dissipation(jump.rows)
        if jump.local:
            constant = np.sum(jump.factors * np.sum(np.abs(jump.rows) ** 2, axis=1)) / 4
            fields = jump.factors[:, None] * lost.fields
            lost = Operators(complex(constant), fields, 0.0 * lost.pairs)
        collected.append((jump.rate, lost.times(-0.5)))
    sums: dict[int, tuple[Strength, Operators]] = {}
    for strength, operators in collected:
        varies = isinstance(strength, Envelope)
        key = id(strength) if varies else 0
        added = operators if isinstance(strength, Envelope) else operators.times(strength)
        sums[key] = (sums[key][0], sums[key][1] + added) if key in sums else (
            strength if varies else 1.0, added,
        )  # fmt: skip
    return list(sums.values())


def _spans(question: Evolve, drive: DriveWeights) -> list[Span]:
    times = np.asarray(question.times, dtype=float)
    nodes = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    powers = np.linalg.inv(np.vander(nodes, increasing=True))
    edges = {t for start, stop in drive.pieces(0.0, float(times[-1])) for t in (start, stop)}
    spans = []
    for window in windows(times, rotations=question.pulses, breakpoints=edges):
        constant = drive.constant_weights(window.start, window.stop)
        if window.stop == window.start:
            coefficients = np.zeros((len(drive.strengths), 1))
        elif constant is not None:
            coefficients = constant[:, None]
        else:
            # No node lies at an edge of the window, where envelopes may jump.
            moments = window.start + (window.stop - window.start) * (1 + nodes) / 2
            coefficients = np.array([powers @ at(s, moments) for s in drive.strengths])
            kept = np.abs(coefficients) > _LEFT_OUT * np.abs(coefficients).max()
            coefficients = coefficients[:, : 1 + int(np.flatnonzero(kept.any(axis=0))[-1])]
        spans.append(
            Span(
                window.start, window.stop, window.rotations, tuple(window.outputs.tolist()),
                coefficients,
            )
        )  # fmt: skip
    return spans
