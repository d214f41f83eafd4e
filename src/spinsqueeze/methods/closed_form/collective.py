"""From correlators in s^+, s^-, s^z to the mean spin and covariance of the ensemble."""

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput


def collective_covariance(
    means: Floats,
    *,
    squared_weights: Floats,
    plus_plus: complex,
    plus_minus: float,
    z_plus: complex,
) -> Floats:
    """Covariance (3, 3) of S = sum_i w_i s_i: <{S_a, S_b}>/2 - <S_a><S_b>.

    The single-spin part is sum_i w_i^2 (delta_ab/4 - m_a m_b); distinct spins add their
    connected correlators. <s^z s^z> is never connected: it keeps its product form.

    Args:
        means: (N, 3) <s_i>.
        squared_weights: (N,) w_i^2 (times the number of spins, for classes of equal spins).
        plus_plus: sum_{i != j} w_i w_j (<s^+_i s^+_j> - <s^+_i><s^+_j>).
        plus_minus: the same of <s^+_i s^-_j>, real.
        z_plus: the same of <s^z_i s^+_j>.
    """
    covariance = -np.einsum("i,ia,ib->ab", squared_weights, means, means)
    covariance[np.diag_indices(3)] += 0.25 * np.sum(squared_weights)
    covariance[0, 0] += 0.5 * (plus_minus + plus_plus.real)
    covariance[1, 1] += 0.5 * (plus_minus - plus_plus.real)
    pairs = ((0, 1, 0.5 * plus_plus.imag), (0, 2, z_plus.real), (1, 2, z_plus.imag))
    for a, b, value in pairs:
        covariance[a, b] += value
        covariance[b, a] = covariance[a, b]
    return np.asarray(covariance)


def means_from(plus: Complexes, z: Floats) -> Floats:
    """(N, 3) mean spins from <s^+> (N,) and <2 s^z> (N,)."""
    return np.stack([plus.real, plus.imag, 0.5 * z], axis=-1)


def along_times_and_sites(value: ArrayLike, shape: tuple[int, int], *, name: str) -> Floats:
    """`value` as (T, N): one number, one a time (T,), or one a time and site (T, N).

    Raises:
        InvalidInput: any other shape.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 1 and len(array) == shape[0]:
        array = array[:, None]
    if array.ndim == 1 or array.ndim > 2 or (array.ndim == 2 and array.shape[0] != shape[0]):
        raise InvalidInput(
            f"{name} must be one number, one a time {shape[:1]} or one a time and site {shape}; "
            f"got shape {array.shape}"
        )
    if array.ndim == 2 and array.shape[1] not in (1, shape[1]):
        raise InvalidInput(
            f"{name} must have one column or one a site ({shape[1]}); got {array.shape[1]}"
        )
    return np.broadcast_to(array, shape)


def integrated_rate(value: ArrayLike, shape: tuple[int, int], *, name: str) -> Floats:
    """As `along_times_and_sites`, and never negative.

    Raises:
        InvalidInput: wrong shape, or a negative or undefined entry.
    """
    array = along_times_and_sites(value, shape, name=name)
    if not np.all(array >= 0):
        raise InvalidInput(f"{name} must be at least 0 everywhere; got {np.min(array):g}")
    return array


def bloch_vectors(value: ArrayLike, n_sites: int) -> Floats:
    """(N, 3) Bloch vectors <sigma_i> from one vector (3,) or one a site (N, 3).

    Raises:
        InvalidInput: wrong shape, or a vector longer than 1.
    """
    vectors = np.asarray(value, dtype=np.float64)
    if vectors.shape not in ((3,), (n_sites, 3)):
        raise InvalidInput(
            f"bloch must have shape (3,) or ({n_sites}, 3), one vector <sigma_i> a site; "
            f"got {vectors.shape}"
        )
    vectors = np.array(np.broadcast_to(vectors, (n_sites, 3)))
    length = np.sqrt(np.max(np.sum(vectors**2, axis=-1), initial=0.0))
    if not length <= 1 + 1e-12:
        raise InvalidInput(f"bloch vectors must be at most 1 long; got {length:g}")
    return vectors


def integrals_table(value: ArrayLike, n_terms: int) -> Floats:
    """(T, n_terms) integrated strengths; (T,) is taken for a single term.

    Raises:
        InvalidInput: another shape, or an entry that is not finite.
    """
    table = np.asarray(value, dtype=np.float64)
    if table.ndim == 1 and n_terms == 1:
        table = table[:, None]
    if table.ndim != 2 or table.shape[1] != n_terms or not np.all(np.isfinite(table)):
        raise InvalidInput(
            f"integrals must be finite, of shape (n_times, n_terms = {n_terms}); "
            f"got shape {table.shape}"
        )
    return table
