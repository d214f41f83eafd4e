"""Initial states as cumulants of distinct spins, rotations of them, and moments read from them."""

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.methods.cumulants.series import Series
from spinsqueeze.models.modes import GaussianState
from spinsqueeze.observables.moments import Moments


def of_product(directions: Floats, series: Series) -> Floats:
    """P (K,) of a product of spins along unit vectors (C, 3): C(x) is linear; modes are empty."""
    p = np.zeros(len(series.exponents))
    p[1 : 1 + directions.size] = np.ravel(directions) / 2
    return p


def put_field(p: Floats, state: GaussianState, *, n_kinds: int, series: Series) -> None:
    """Write the cumulants of a mode in a Gaussian state into p; the mode knows no spins yet."""
    r, s = 1 + 3 * n_kinds, 2 + 3 * n_kinds
    p[r], p[s] = state.amplitude.real, state.amplitude.imag
    if series.order > 1:  # <r r> = (photons + Re pairs)/2 in normal order, and so on
        variable = 3 * n_kinds
        p[series.above[variable, r]] = (state.photons + state.pairs.real) / 4
        p[series.above[variable + 1, s]] = (state.photons - state.pairs.real) / 4
        p[series.above[variable, s]] = state.pairs.imag / 2


def rotated(p: Floats, *, turns: Floats, series: Series) -> Floats:
    """P after s -> R s with a rotation (C, 3, 3) of each kind: C(x) -> C(R^T x)."""
    n_variables = series.above.shape[0]
    substituted = np.eye(n_variables)  # x_u -> sum_v substituted[u, v] x_v; modes stay
    for kind, turn in enumerate(turns):
        block = slice(3 * kind, 3 * kind + 3)
        substituted[block, block] = turn.T
    out = np.zeros_like(p)
    out[0] = p[0]
    images = np.ones((1, 1))  # of the monomials of a degree, in those of the same degree
    for degree in range(1, series.order + 1):
        below = slice(series.sizes[degree - 1], series.sizes[degree])
        here = slice(series.sizes[degree], series.sizes[degree + 1])
        wider = np.zeros((here.stop - here.start, here.stop - here.start))
        for k in range(here.start, here.stop):
            u = int(np.argmax(series.exponents[k] > 0))
            parent = _below(series, k, u)
            for v in np.flatnonzero(substituted[u]):
                there = series.above[v, below] >= 0
                places = series.above[v, below][there] - here.start
                image = images[parent - below.start, there]
                wider[k - here.start, places] += substituted[u, v] * image
        images = wider
        out[here] = p[here] @ images
    return out


def _below(series: Series, k: int, u: int) -> int:
    """The place of the monomial k without one factor x_u."""
    return int(np.flatnonzero(series.above[u] == k)[0])


def collective_moments(p: Floats, *, counts: Integers, series: Series) -> Moments:
    """Moments of S = sum_i s_i from p (T, K); pairs of distinct spins need order 2, else are free.

    <S_a> = sum_A N_A m_Aa; covariance sum_A N_A (delta_ab/4 - m_Aa m_Ab)
    + sum_AB N_A (N_B - [A = B]) c_Aa,Bb.
    """
    n = counts.astype(np.float64)
    means = p[:, 1 : 1 + 3 * len(n)].reshape(len(p), len(n), 3)
    spin = np.einsum("A,tAa->ta", n, means)
    covariance = np.sum(n) / 4 * np.eye(3) - np.einsum("A,tAa,tAb->tab", n, means, means)
    if series.order > 1:
        variables = np.arange(3 * len(n))
        places = series.above[variables[:, None], series.sizes[1] + variables]
        pairs = np.where(places >= 0, p[:, places], 0.0)
        pairs *= 1 + np.eye(len(variables))  # c_n = n! p_n
        number = np.outer(n, n) - np.diag(n)
        shape = (len(p), len(n), 3, len(n), 3)
        covariance = covariance + np.einsum("AB,tAaBb->tab", number, pairs.reshape(shape))
    return Moments(n_spins=int(np.sum(counts)), spin=spin, covariance=covariance)


def field_moments(p: Floats, *, n_kinds: int, series: Series) -> tuple[Floats, Floats]:
    """(Re <a>, Im <a>) (T, 2) of the mode, and their symmetrised covariance (T, 2, 2).

    Order 1 knows no fluctuations: the covariance is that of a coherent state, 1/4.
    """
    variables = 3 * n_kinds + np.arange(2)
    means = p[:, 1 + variables]
    covariance = np.tile(np.eye(2) / 4, (len(p), 1, 1))
    if series.order > 1:
        places = series.above[variables[:, None], 1 + variables]
        covariance = covariance + p[:, places] * (1 + np.eye(2))
    return means, covariance
