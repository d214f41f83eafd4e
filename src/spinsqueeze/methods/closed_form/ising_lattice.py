"""Ising models on periodic lattices: M^2/(symmetry) products a time instead of M^3/2.

With couplings that depend on the displacement alone and a state, fields and rates equal on
all M sites, every pair correlator depends on the displacement; reflections and exchanges of
axes that leave the couplings unchanged reduce the displacements further.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form.collective import (
    along_times_and_sites,
    bloch_vectors,
    collective_covariance,
    integrated_rate,
    means_from,
)
from spinsqueeze.methods.closed_form.lattice_products import Products, lattice_products
from spinsqueeze.methods.closed_form.spin_factors import polarisation, single_spin_factors
from spinsqueeze.methods.closed_form.stretches import (
    acting_stretches,
    stretched_rate,
    stretches_table,
)


@dataclass(frozen=True)
class LatticeCorrelators:
    """Exact correlators at one time, by displacement d from site 0; 0 at d = 0.

    Attributes:
        plus: <s^+>, the same on every site.
        z: <s^z>.
        plus_plus: (*shape) <s^+_0 s^+_d> - <s^+>^2.
        plus_minus: (*shape) <s^+_0 s^-_d> - |<s^+>|^2.
        z_plus: (*shape) <s^z_d s^+_0> - <s^z><s^+>.
    """

    plus: complex
    z: float
    plus_plus: Complexes
    plus_minus: Complexes
    z_plus: Complexes


@dataclass(frozen=True)
class LatticeOrbits:
    """Displacements grouped by the symmetries of the couplings, for the kernels.

    Attributes:
        shape: lattice shape, longest axis last.
        axes: the transposition that made it so.
        orbit: (M,) orbit number of each displacement (flat, transposed lattice), -1 at d = 0.
        rows: (R, A) row of k - d, for one displacement of each orbit.
        columns: (R,) column of that displacement.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    orbit: Integers
    rows: Integers
    columns: Integers


def lattice_correlators(
    table: ArrayLike,
    *,
    integrals: ArrayLike,
    bloch: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    pumping: ArrayLike = 0.0,
) -> Iterator[LatticeCorrelators]:
    """Exact correlators of a translation-invariant Ising model, one object a time.

    ``H = sum_m f_m(t) sum_{i<j} K_m[r_j - r_i] s^z_i s^z_j + h(t) S_z`` on a periodic lattice,
    from equal spins. With decay or pumping the couplings and both rates must be constant, or be
    given by stretches (S) in each of which they are.

    Args:
        table: (*shape) or, for several terms, (n_terms, *shape) with `integrals` of shape
            (T, n_terms): coupling by displacement, even under d -> -d, zero at d = 0.
        integrals: (T,) for one table without a leading axis, else (T, n_terms) or
            (T, S, n_terms): integral of f_m dt.
        bloch: (3,) initial <sigma>.
        rotation: (T,) or scalar, integral of h [1].
        dephasing: (T,) or scalar, integral of the local dephasing rate [1].
        decay: (T,), scalar or (T, S, 1), integral of the rate of s_minus [1].
        pumping: (T,), scalar or (T, S, 1), integral of the rate of s_plus [1].

    Raises:
        InvalidInput: a table that is not even, not finite or has a self-coupling; wrong
            shapes; negative rates.

    Source: fossfeig2013; NOTES.md.
    """
    tables = np.asarray(table, dtype=np.float64)
    if np.ndim(integrals) < 2:
        tables = tables[None]
    if tables.ndim < 2 or tables.size == 0:
        raise InvalidInput(f"table must have the shape of the lattice; got {tables.shape[1:]}")
    strengths = stretches_table(integrals, len(tables))
    orbits = displacement_orbits(tables)
    tables = np.moveaxis(tables, 0, -1).transpose((*orbits.axes, tables.ndim - 1))
    T, S = strengths.shape[:2]
    vector = bloch_vectors(bloch, 1)[0]
    theta = along_times_and_sites(rotation, (T, 1), name="rotation")[:, 0]
    Gamma = integrated_rate(dephasing, (T, 1), name="dephasing")[:, 0]
    down = stretched_rate(decay, (T, S, 1), name="decay")
    up = stretched_rate(pumping, (T, S, 1), name="pumping")
    return (
        _at_one_time(
            tables,
            *acting_stretches(strengths[t], down[t], up[t]),
            orbits,
            vector,
            theta[t] + 1j * Gamma[t],
        )
        for t in range(T)
    )


def lattice_moments(
    table: ArrayLike,
    *,
    integrals: ArrayLike,
    bloch: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    pumping: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    """Mean and covariance of the total spin; arguments as `lattice_correlators`.

    Args:
        table: coupling by displacement, (*shape) or (n_terms, *shape).
        integrals: (T,) or (T, n_terms) integral of each term's envelope.
        bloch: (3,) initial <sigma>.
        rotation: integral of h [1].
        dephasing: integral of the local dephasing rate [1].
        decay: integral of the rate of s_minus [1].
        pumping: integral of the rate of s_plus [1].

    Returns:
        spin (T, 3): <S_a>; covariance (T, 3, 3): <{S_a, S_b}>/2 - <S_a><S_b>.

    Raises:
        InvalidInput: as `lattice_correlators`.
    """
    spins, covariances = [], []
    correlators = lattice_correlators(
        table,
        integrals=integrals,
        bloch=bloch,
        rotation=rotation,
        dephasing=dephasing,
        decay=decay,
        pumping=pumping,
    )
    for now in correlators:
        M = now.plus_plus.size
        means = means_from(np.array([now.plus]), np.array([2 * now.z]))
        spins.append(M * means[0])
        covariances.append(
            collective_covariance(
                means,
                squared_weights=np.array([float(M)]),
                plus_plus=complex(M * np.sum(now.plus_plus)),
                plus_minus=float(M * np.sum(now.plus_minus.real)),
                z_plus=complex(M * np.sum(now.z_plus)),
            )
        )
    return np.array(spins).reshape(-1, 3), np.array(covariances).reshape(-1, 3, 3)


def _at_one_time(
    tables: Floats,
    rows: Floats,
    down: Floats,
    up: Floats,
    orbits: LatticeOrbits,
    vector: Floats,
    angle: complex,
) -> LatticeCorrelators:
    shape = tables.shape[:-1]
    history = np.stack([tables @ row for row in rows], axis=-1)
    K = history.sum(axis=-1).reshape(-1, shape[-1])
    z = float(vector[2])
    start = np.array([z])
    f, h = single_spin_factors(history.reshape(-1, 1, len(rows)), z=start, down=down, up=up)
    products = Products(
        history=history.reshape(*K.shape, len(rows)),
        f=f.reshape(K.shape),
        z=z,
        down=down[0],
        up=up[0],
        rows=orbits.rows,
        columns=orbits.columns,
    )
    plus, minus = lattice_products(products)
    p = complex(0.5 * (vector[0] + 1j * vector[1]) * np.exp(1j * angle - 0.5 * (down + up).sum()))
    F = 1 + f[:, 0]
    left = np.cumprod(np.concatenate(([1.0], F[:-1])))
    right = np.cumprod(np.concatenate(([1.0], F[:0:-1])))[::-1]
    z_plus = 0.5 * p * h[:, 0] * left * right
    z_plus[0] = 0.0
    back = np.argsort(orbits.axes)

    def spread(values: NDArray[Any]) -> Complexes:
        everywhere = np.append(values, 0.0)[orbits.orbit].astype(np.complex128)
        return everywhere.reshape(shape).transpose(back)

    return LatticeCorrelators(
        plus=complex(p * np.prod(F)),
        z=0.5 * float(polarisation(start, down=down, up=up)[0]),
        plus_plus=p * p * spread(plus),
        plus_minus=abs(p) ** 2 * spread(minus),
        z_plus=z_plus.reshape(shape).transpose(back),
    )


def displacement_orbits(tables: Floats) -> LatticeOrbits:
    """Group the displacements of (n_terms, *shape) couplings by the symmetries they have.

    Tried: inversion (required), reflection of each axis, exchange of axes of equal length.

    Raises:
        InvalidInput: a table that is not finite, not even or not zero at d = 0.
    """
    if not np.all(np.isfinite(tables)):
        raise InvalidInput("table must be finite; got NaN or infinity")
    if np.any(tables.reshape(len(tables), -1)[:, 0]):
        raise InvalidInput("table must be zero at displacement 0: a spin has no pair with itself")
    order = tuple(int(a) for a in np.argsort(tables.shape[1:], kind="stable"))
    K = tables.transpose((0, *(a + 1 for a in order)))
    shape = K.shape[1:]
    chosen, orbit = np.unique(_orbit_labels(K), return_inverse=True)
    # displacement 0 is its own orbit, number 0
    orbit = orbit.reshape(-1).astype(np.int64) - 1
    wanted = np.array(np.unravel_index(chosen[1:], shape), dtype=np.int64)
    heads = shape[:-1]
    n_rows = int(np.prod(heads, dtype=np.int64))
    rows = np.zeros((len(chosen) - 1, n_rows), dtype=np.int64)
    positions = np.array(np.unravel_index(np.arange(n_rows), heads)) if heads else np.zeros((0, 1))
    for axis, length in enumerate(heads):
        shifted = (positions[axis][None, :] - wanted[axis][:, None]) % length
        rows = rows * length + shifted
    return LatticeOrbits(shape=shape, axes=order, orbit=orbit, rows=rows, columns=wanted[-1])


def _orbit_labels(K: Floats) -> Integers:
    """For each displacement of couplings (n_terms, *shape) the first one of its orbit (*shape).

    Raises:
        InvalidInput: the couplings are not even.
    """
    shape = K.shape[1:]
    scale = float(np.max(np.abs(K)))
    everything = tuple(range(-len(shape), 0))
    if np.max(np.abs(_reflected(K, everything) - K)) > 1e-12 * scale:
        raise InvalidInput("table must be even under d -> -d: J_ij = J_ji")
    flips = [everything] + [
        (axis,)
        for axis in everything
        if np.max(np.abs(_reflected(K, (axis,)) - K)) <= 1e-14 * scale
    ]
    swaps = [
        (a, b)
        for a, b in itertools.combinations(everything, 2)
        if shape[a] == shape[b] and np.max(np.abs(np.swapaxes(K, a, b) - K)) <= 1e-14 * scale
    ]
    label = np.arange(int(np.prod(shape))).reshape(shape)
    while True:
        before = label
        for flip in flips:
            label = np.minimum(label, _reflected(label, flip))
        for swap in swaps:
            label = np.minimum(label, np.swapaxes(label, *swap))
        if np.array_equal(before, label):
            return label


def _reflected(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """The array at d -> -d along some of its periodic axes."""
    for axis in axes:
        array = np.roll(np.flip(array, axis=axis), 1, axis=axis)
    return array


def lattice_cost(tables: Floats, *, n_times: int) -> tuple[float, float]:
    """(multiply-adds, bytes) of `lattice_moments` for tables (n_terms, *shape).

    A fast product (transverse state, no decay or pumping) takes 8 multiply-adds; a general
    state about 5 times as long, jumps 60 times.
    """
    M = float(tables[0].size)
    orbits = displacement_orbits(tables)
    return 8 * n_times * M * len(orbits.columns), 8.0 * orbits.rows.size + 8 * M * (
        30 + len(tables)
    )
