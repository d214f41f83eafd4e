"""The jumps of a model as the trajectories see them: drift, noise of every spin, common kicks.

With L = c.s, c = u + i v, sigma = 2 s, the adjoint of rate D[L] moves one spin by

    d<sigma>/dt = A <sigma> + b,  A = (rate/2) (u u^T + v v^T - u^2 - v^2),  b = rate u x v.

Correlated jumps are local ones as far as their noise falls on single spins (`correlations`), and
for the rest kicks whose angles differ from spin to spin. See NOTES.md for the noise that goes with
all of it.
"""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.dtwa.couplings import Couplings, KernelPlan
from spinsqueeze.methods.dtwa.jumps.correlations import Correlations, Filter, correlations
from spinsqueeze.models.canonical import Canonical, LocalJumps, SpreadJumps
from spinsqueeze.models.envelope import Strength, at, integrated


@final
@dataclass(frozen=True)
class NoisePlan:
    """What a compiled program must know of the jumps: everything here is hashable.

    damping: pairs (a, b) for which component b moves component a. pumping: components that are
    pumped. noise: pairs (a, b), a >= b, of the factor of the noise of single spins.
    n_kicks: random rotations of all spins, the first of which go by angles that all share; those
    that follow go by angles through a filter each: the numbers of `filter_of`.
    """

    damping: tuple[tuple[int, int], ...]
    pumping: tuple[int, ...]
    noise: tuple[tuple[int, int], ...]
    n_kicks: int
    filters: tuple[KernelPlan, ...] = ()
    filter_of: tuple[int, ...] = ()

    @property
    def n_shared(self) -> int:
        """Kicks whose angle is the same for all spins."""
        return self.n_kicks - len(self.filter_of)


@final
@dataclass(frozen=True, eq=False)
class Reservoirs:
    """All jumps of a model; the last axis is (n_cells,), or 1 where all spins are alike.

    rates: of every piece. damping (P, 3, 3, n), pumping (P, 3, n): at rate 1, for one spin.
    n_local: pieces that come with noise of every spin by itself, the first ones; the others are
    collective. kicks (K, 3, n): vectors about which all spins turn together, at the square root
    of the rate of the piece `kick_of`; the last ones by angles through `filters[filter_of]`.
    kicked (P, 3, 3, n): how the kicks damp the mean of a spin, at rate 1.
    """

    rates: tuple[Strength, ...]
    damping: Floats
    pumping: Floats
    n_local: int
    kicks: Floats
    kick_of: tuple[int, ...]
    kicked: Floats
    filters: tuple[Filter, ...] = ()
    filter_of: tuple[int, ...] = ()

    @property
    def averaged(self) -> "Reservoirs":
        """The same for the mean of a spin: no noise, and the damping that its average leaves."""
        if not len(self.kicks):
            return self
        damping = self.damping + self.kicked
        return replace(
            self, damping=damping, n_local=0, kicks=self.kicks[:0], kick_of=(), filter_of=()
        )

    @property
    def plan(self) -> NoisePlan:
        """The hashable shape."""
        damped = np.any(self.damping != 0, axis=(0, 3))
        pumped = np.any(self.pumping != 0, axis=(0, 2))
        local = np.any(self.damping[: self.n_local] != 0, axis=(0, 3))
        aimed = np.any(self.pumping[: self.n_local] != 0)
        shown = np.tril(np.ones((3, 3), bool) if aimed else _filled(local))
        return NoisePlan(
            tuple((int(a), int(b)) for a, b in np.argwhere(damped)),
            tuple(int(a) for a in np.flatnonzero(pumped)),
            tuple((int(a), int(b)) for a, b in np.argwhere(shown)) if self.n_local else (),
            len(self.kicks),
            tuple(f.plan for f in self.filters),
            self.filter_of,
        )

    def strengths(self, times: Floats) -> Floats:
        """Rates (..., P) at times (...)."""
        return np.stack([at(r, times) for r in self.rates], axis=-1)

    def totals(self, edges: Floats) -> Floats:
        """Integrals (n, P) of the rates between the edges (n + 1,)."""
        sums = np.stack([integrated(r, edges) for r in self.rates], axis=-1)
        return np.maximum(np.diff(sums, axis=0), 0.0)

    def factors(self, totals: Floats, bloch: Floats) -> Floats:
        """Lower triangular factors (n, 3, 3, c) of the noise of one spin in each of n intervals.

        Covariance sum_p total_p (-2 A_p - b_p m^T - m b_p^T) for Bloch vectors m (n, 3, c). It is
        non-negative for |m| <= 1, because jumps are completely positive (Kadison and Schwarz).
        """
        local = slice(0, self.n_local)
        weights = totals[:, local]
        damping = np.einsum("np,pabc->nabc", weights, self.damping[local])
        pumping = np.einsum("np,pac->nac", weights, self.pumping[local])
        cross = pumping[:, :, None] * bloch[:, None]
        return _lower_factor(-2 * damping - cross - np.swapaxes(cross, 1, 2))

    def fastest(self, times: Floats) -> float:
        """The largest rate at which a single spin is damped, over sites and times."""
        rates = self.strengths(times)
        traces = -np.einsum("paac->pc", self.damping) / 2
        kicked = np.zeros((len(self.rates), 1))
        for piece, vector in zip(self.kick_of, self.kicks, strict=True):
            kicked[piece] += float((vector**2).sum(axis=0).max())
        return float((rates @ (traces + kicked)).max()) if len(self.rates) else 0.0


def lower_jumps(canonical: Canonical, couplings: Couplings) -> Reservoirs:
    """The jumps of a model with one row a spin."""
    lowered = _Lowered(couplings)
    for local in canonical.local_jumps:
        lowered.add_local(local)
    correlated = [
        (j, correlations(j.kernel, cells=couplings.cells, n_cells=couplings.plan.n_cells))
        for j in canonical.correlated_jumps
    ]
    for jumps, reach in correlated:
        lowered.add_local(LocalJumps(jumps.rate, jumps.vector), share=reach.least)
    n_local = len(lowered.rates)
    for jump in canonical.collective_jumps:
        u, v = collective_vectors(jump.vectors, couplings)
        lowered.add_kicks(u, v)
        pumping, kicked = np.cross(u, v, axis=0), damping_of(u, v)
        lowered.add(jump.rate, np.zeros((3, 3, 1)), pumping, kicked=kicked)
    for jumps, reach in correlated:
        if reach.filter is not None:
            lowered.add_filtered(jumps, reach, reach.filter)
    return Reservoirs(
        tuple(lowered.rates),
        _stacked(lowered.damping, (3, 3)),
        _stacked(lowered.pumping, (3,)),
        n_local,
        _stacked(lowered.kicks, (3,)),
        tuple(lowered.kick_of),
        _stacked(lowered.kicked, (3, 3)),
        tuple(lowered.filters),
        tuple(lowered.filter_of),
    )


class _Lowered:
    """Pieces, gathered one after the other."""

    def __init__(self, couplings: Couplings) -> None:
        self._couplings = couplings
        self.rates: list[Strength] = []
        self.damping: list[Floats] = []
        self.pumping: list[Floats] = []
        self.kicks: list[Floats] = []
        self.kick_of: list[int] = []
        self.kicked: list[Floats] = []
        self.filters: list[Filter] = []
        self.filter_of: list[int] = []

    def add(
        self, rate: Strength, damping: Floats, pumping: Floats, *, kicked: Floats | None = None
    ) -> None:
        self.rates.append(rate)
        self.damping.append(damping)
        self.pumping.append(pumping)
        self.kicked.append(np.zeros((3, 3, 1)) if kicked is None else kicked)

    def add_local(self, local: LocalJumps, *, share: float = 1.0) -> None:
        couplings, factors = self._couplings, local.factors
        if factors is None and couplings.cells is not None:
            factors = np.ones(couplings.n_spins)
        spread = share * (np.ones(1) if factors is None else couplings.to_cells(factors))
        u, v = local.vector.real[:, None], local.vector.imag[:, None]
        self.add(local.rate, damping_of(u, v) * spread, np.cross(u, v, axis=0) * spread)

    def add_kicks(self, u: Floats, v: Floats) -> int:
        """Of the next piece: how many."""
        acting = [vector for vector in (u, v) if np.any(vector)]
        self.kicks += acting
        self.kick_of += [len(self.rates)] * len(acting)
        return len(acting)

    def add_filtered(self, jumps: SpreadJumps, reach: Correlations, own_filter: Filter) -> None:
        """What correlated jumps do besides noise of single spins."""
        u, v = collective_vectors(jumps.vector, self._couplings)
        size = np.sqrt(reach.spread)
        self.filter_of += [len(self.filters)] * self.add_kicks(size * u, size * v)
        self.filters.append(own_filter)
        own = reach.own if len(reach.own) == 1 else self._couplings.to_cells(reach.own)
        spread = own - reach.least
        pumping, kicked = spread * np.cross(u, v, axis=0), spread * damping_of(u, v)
        self.add(jumps.rate, np.zeros((3, 3, 1)), pumping, kicked=kicked)


def damping_of(u: Floats, v: Floats) -> Floats:
    """A (3, 3, n) at rate 1 of jumps with the real and imaginary parts u and v (3, n)."""
    outer = np.einsum("an,bn->abn", u, u) + np.einsum("an,bn->abn", v, v)
    whole: Floats = outer - np.einsum("aan->n", outer) * np.eye(3)[..., None]
    return whole / 2


def collective_vectors(vectors: Complexes, couplings: Couplings) -> tuple[Floats, Floats]:
    """Real and imaginary parts (3, n_cells) of a collective jump's vectors, or (3, 1) if alike.

    A common phase makes them perpendicular on average: a Hermitian jump is then real.
    """
    rows = np.atleast_2d(vectors)
    square = complex(np.sum(rows * rows))
    rows = rows * np.exp(-0.5j * np.angle(square)) if abs(square) > 0 else rows
    u, v = rows.real, rows.imag
    v = np.where(np.abs(v) > 1e-14 * np.abs(rows).max(), v, 0.0)
    if len(rows) == 1 and couplings.cells is not None:
        u, v = (np.broadcast_to(part, (couplings.n_spins, 3)) for part in (u, v))
    if len(u) == 1:
        return u.T, v.T
    return couplings.to_cells(np.ascontiguousarray(u.T)), couplings.to_cells(
        np.ascontiguousarray(v.T)
    )


def _filled(shown: Floats) -> Floats:
    """Which entries a Cholesky factor may have: those of the matrix, and all below a filled one."""
    off = np.any(shown & ~np.eye(3, dtype=bool))
    return np.outer(np.diag(shown), np.diag(shown)) if off else shown


def _stacked(parts: list[Floats], shape: tuple[int, ...]) -> Floats:
    if not parts:
        return np.zeros((0, *shape, 1))
    width = max(p.shape[-1] for p in parts)
    return np.stack([np.broadcast_to(p, (*shape, width)) for p in parts])


def _lower_factor(matrix: Floats) -> Floats:
    """L of L L^T = matrix (n, 3, 3, c), non-negative; rows of zeros stay zeros."""
    L = np.zeros_like(matrix)
    scale = np.maximum(np.einsum("naac->nc", matrix), 0.0)
    for b in range(3):
        pivot = matrix[:, b, b] - (L[:, b, :b] ** 2).sum(axis=1)
        root = np.sqrt(np.where(pivot > 1e-13 * scale, pivot, 0.0))
        L[:, b, b] = root
        for a in range(b + 1, 3):
            rest = matrix[:, a, b] - (L[:, a, :b] * L[:, b, :b]).sum(axis=1)
            L[:, a, b] = np.divide(rest, root, out=np.zeros_like(rest), where=root > 0)
    return L
