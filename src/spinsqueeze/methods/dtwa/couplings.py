"""The Hamiltonian as the trajectories see it: d sigma_i/dt = B_i x sigma_i.

For H = sum_{i<j} K_ij s_i.T s_j + sum_i v_i.s_i + sum_ab Q_ab S_a S_b with S = sum_i w_i s_i and
sigma = 2 s,

    B_i = (1/2) sum_j K_ij T sigma_j + v_i + w_i Q (sum_j w_j sigma_j - w_i sigma_i).

The last term leaves out the spin's own part: Q stands for the pair tensors 2 Q w_i w_j.

Every collective jump, rate D[sum_i (u_i + i v_i).s_i], reacts back on the spins that drive it:

    B_i = (rate/2) sum_{j != i} (u_i (v_j.sigma_j) - v_i (u_j.sigma_j)).

Correlated jumps, rate sum_i D[sum_j f_ij (u + i v).s_j], do so through C = f^T f,

    B_i = (rate/2) sum_{j != i} C_ij (u (v.sigma_j) - v (u.sigma_j)).

Spins live on cells: the grid sites when a grid kernel leaves sites empty (empty cells hold 0),
else the spins themselves. Terms that share a kernel are summed into one matrix per time, so the
kernel acts once on each component that some term needs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.kernels import Grid, Kernel
from spinsqueeze.lattice.squares import squared
from spinsqueeze.models.canonical import Canonical, Field
from spinsqueeze.models.drive import breakpoints, constant_between
from spinsqueeze.models.envelope import Strength, at

_Group = tuple[Kernel | None, Floats, list[tuple[Strength, Floats]]]
"""A kernel (None: of all spins alike, with weights), and the terms that share it."""


@final
@dataclass(frozen=True)
class KernelPlan:
    """What a compiled program must know of one kernel: everything here is hashable.

    kind: "collective", "circulant", "stencil", "dense", or "reaction" of a collective jump.
    entries: pairs (a, b) for which B_a needs component b of the kernel's product.
    shape: the grid. embedding: the grid of the Fourier transforms. offsets, periodic: stencils.
    """

    kind: str
    entries: tuple[tuple[int, int], ...]
    shape: tuple[int, ...] = ()
    embedding: tuple[int, ...] = ()
    offsets: tuple[tuple[int, ...], ...] = ()
    periodic: tuple[bool, ...] = ()

    @property
    def components(self) -> tuple[int, ...]:
        """The spin components on which the kernel acts."""
        return tuple(sorted({b for _, b in self.entries}))


@final
@dataclass(frozen=True)
class FieldPlan:
    """The shape of the right-hand side; programs are compiled once per plan.

    side_by_side: spins of all samples lie next to each other, (n_cells, S), as `lanes` wants them.
    """

    n_cells: int
    kernels: tuple[KernelPlan, ...]
    uniform_field: bool
    n_site_fields: int
    side_by_side: bool = False

    @property
    def sample_axis(self) -> int:
        """Where the samples are in an array of spins: (S, n_cells), or (n_cells, S)."""
        return 1 if self.side_by_side else 0


@final
@dataclass(frozen=True, eq=False)
class Coefficients:
    """Strengths at K times, everything that changes with time.

    kernels: one (K, 3, 3) per kernel. uniform: (K, 3). site: (K, G), one column per site field.
    """

    kernels: tuple[Floats, ...]
    uniform: Floats
    site: Floats


@final
@dataclass(frozen=True, eq=False)
class Couplings:
    """A Hamiltonian lowered for the trajectories.

    plan: its hashable shape. arrays: one array per kernel (weights, spectrum, strengths or
    matrix). site_vectors: (G, 3, n_cells). cells: the cell (n_spins,) of each spin, or None when
    cell and spin are the same. strengths: those of all terms, in time.
    """

    n_spins: int
    plan: FieldPlan
    arrays: tuple[Floats, ...]
    site_vectors: Floats
    cells: Integers | None
    strengths: tuple[Strength, ...]
    coefficients: Callable[[Floats], Coefficients]

    def to_cells(self, values: Floats) -> Floats:
        """(..., n_spins) to (..., n_cells), zero on empty cells."""
        if self.cells is None:
            return values
        out = np.zeros((*values.shape[:-1], self.plan.n_cells), dtype=values.dtype)
        out[..., self.cells] = values
        return out

    def to_spins(self, values: Floats) -> Floats:
        """(..., n_cells) to (..., n_spins)."""
        return values if self.cells is None else values[..., self.cells]

    def breakpoints(self, start: float, stop: float) -> list[float]:
        """Ascending times inside (start, stop) at which some strength is not smooth."""
        return breakpoints(self.strengths, start=start, stop=stop)

    def constant_between(self, start: float, stop: float) -> bool:
        """Whether no strength changes between two times."""
        return constant_between(self.strengths, start, stop)


def lower(canonical: Canonical) -> Couplings:
    """The couplings of a model with one row a spin; the cavity is not looked at.

    Of jumps: their rates are strengths, and the reaction of those that several spins share is a
    kernel.

    Raises:
        InvalidInput: grid kernels on different grids, or with different empty sites.
    """
    n = canonical.n_spins
    spread = canonical.correlated_jumps
    grid = _common_grid([p.kernel for p in canonical.pairs] + [j.kernel for j in spread])
    cells, n_cells = None, n
    if grid is not None and grid.occupied is not None:
        cells, n_cells = np.flatnonzero(grid.occupied), grid.occupied.size

    groups: list[_Group] = []
    for quadratic in canonical.quadratics:
        weights = np.ones(n) if quadratic.weights is None else quadratic.weights
        _add(groups, None, weights, quadratic.strength, quadratic.matrix)
    for pair in canonical.pairs:
        kernel = None if pair.kernel.uniform else pair.kernel
        _add(groups, kernel, np.ones(n), pair.strength, pair.tensor / 2)
    for jumps in spread:
        turn = np.outer(jumps.vector.real, jumps.vector.imag)
        _add(groups, squared(jumps.kernel)[1], np.ones(n), jumps.rate, (turn - turn.T) / 2)
    plans, arrays, terms = _kernels(groups, cells, n_cells)
    for jump in canonical.collective_jumps:
        vectors = _reacting(jump.vectors, n, cells, n_cells)
        if vectors is not None:
            plans.append(KernelPlan("reaction", ((0, 0),)))
            arrays.append(vectors)
            terms.append([(jump.rate, np.diag([1.0, 0.0, 0.0]))])

    everywhere = [f for f in canonical.fields if f.vectors.ndim == 1]
    by_site = [f for f in canonical.fields if f.vectors.ndim == 2]
    site_vectors = np.zeros((len(by_site), 3, n_cells))
    for g, field in enumerate(by_site):
        if cells is None:
            site_vectors[g] = field.vectors.T
        else:
            site_vectors[g][:, cells] = field.vectors.T

    strengths = [s for group in terms for s, _ in group]
    strengths += [f.strength for f in canonical.fields]
    strengths += [jump.rate for jump in canonical.local_jumps] + [jump.rate for jump in spread]
    return Couplings(
        n_spins=n,
        plan=FieldPlan(n_cells, tuple(plans), bool(everywhere), len(by_site)),
        arrays=tuple(arrays),
        site_vectors=site_vectors,
        cells=cells,
        strengths=tuple(strengths),
        coefficients=_coefficients(terms, everywhere, by_site),
    )


def _kernels(
    groups: list[_Group], cells: Integers | None, n_cells: int
) -> tuple[list[KernelPlan], list[Floats], list[list[tuple[Strength, Floats]]]]:
    """Plans, arrays and terms of the groups that do anything."""
    plans, arrays, terms = [], [], []
    for kernel, weights, group_terms in groups:
        shown = np.any([t != 0 for _, t in group_terms], axis=0)
        entries = tuple((int(a), int(b)) for a, b in np.argwhere(shown))
        if not entries:
            continue
        plan, array = _kernel_data(kernel, weights, entries, cells, n_cells)
        plans.append(plan)
        arrays.append(array)
        terms.append(group_terms)
    return plans, arrays, terms


def _reacting(vectors: Any, n: int, cells: Integers | None, n_cells: int) -> Floats | None:
    """Real and imaginary parts (6, n_cells) of a collective jump's vectors; None where none react.

    Without u_i x v_j - v_i x u_j the jump is Hermitian, but for a phase.
    """
    rows = np.broadcast_to(np.atleast_2d(vectors), (n, 3))
    u, v = rows.real, rows.imag
    if np.linalg.matrix_rank(np.stack([u.ravel(), v.ravel()]), tol=1e-13 * np.abs(rows).max()) < 2:
        return None
    spread = np.zeros((6, n_cells))
    spread[:, slice(None) if cells is None else cells] = np.concatenate([u.T, v.T])
    return spread


def _coefficients(
    terms: list[list[tuple[Strength, Floats]]], everywhere: list[Field], by_site: list[Field]
) -> Callable[[Floats], Coefficients]:
    def evaluate(times: Floats) -> Coefficients:
        zero = np.zeros((len(times), 3, 3))
        kernels = tuple(
            sum((at(s, times)[:, None, None] * t for s, t in group), zero) for group in terms
        )
        uniform = sum(
            (at(f.strength, times)[:, None] * f.vectors for f in everywhere),
            np.zeros((len(times), 3)),
        )
        site = np.zeros((len(times), len(by_site)))
        for g, field in enumerate(by_site):
            site[:, g] = at(field.strength, times)
        return Coefficients(kernels, uniform, site)

    return evaluate


def _add(
    groups: list[_Group],
    kernel: Kernel | None,
    weights: Floats,
    strength: Strength,
    tensor: Floats,
) -> None:
    for known, known_weights, terms in groups:
        same = (
            np.array_equal(known_weights, weights)
            if kernel is None and known is None
            else known is not None and kernel is not None and known.same_as(kernel)
        )
        if same:
            terms.append((strength, tensor))
            return
    groups.append((kernel, weights, [(strength, tensor)]))


def _common_grid(kernels: Iterable[Kernel]) -> Grid | None:
    common: Grid | None = None
    for grid in (kernel.grid for kernel in kernels):
        if grid is None or common is None:
            common = common or grid
        elif common != grid:
            raise InvalidInput(
                f"grid kernels must share one grid and its empty sites, got grids {common.shape} "
                f"and {grid.shape}; write one of them as a dense matrix (PairCoupling)"
            )
    return common


def _kernel_data(
    kernel: Kernel | None,
    weights: Floats,
    entries: tuple[tuple[int, int], ...],
    cells: Integers | None,
    n_cells: int,
) -> tuple[KernelPlan, Floats]:
    if kernel is None:
        spread = weights
        if cells is not None:
            spread = np.zeros(n_cells)
            spread[cells] = weights
        return KernelPlan("collective", entries), spread
    if kernel.stencil is not None:
        stencil = kernel.stencil
        offsets = tuple(tuple(int(d) for d in row) for row in stencil.offsets)
        shape = tuple(stencil.grid_shape)
        plan = KernelPlan("stencil", entries, shape, shape, offsets, tuple(stencil.periodic))
        return plan, np.asarray(stencil.strengths, dtype=float)
    if kernel.grid is not None and kernel.table is not None:
        plan = KernelPlan("circulant", entries, kernel.grid.shape, tuple(kernel.table.shape))
        return plan, np.fft.fftn(kernel.table).real
    matrix: Any = kernel.matrix()
    if cells is not None:
        whole = np.zeros((n_cells, n_cells))
        whole[np.ix_(cells, cells)] = matrix
        matrix = whole
    return KernelPlan("dense", entries), matrix
