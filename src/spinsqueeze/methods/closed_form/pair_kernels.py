"""Compiled products over all third spins for every pair: the cost of the Ising solution.

For a pair (i, j) the correlators <s^+_i s^±_j> are products over k of a_k = F_k(phi_ik ± phi_jk)
and the product of the means is a product of b_k = F_k(phi_ik) F_k(±phi_jk). Their difference
D = prod a - prod b is carried along by the recursion

    D <- a D + (a - b) B,    B <- b B,

with a - b known exactly (for z = 0: -+ sin sin), so that neither a subtraction of nearly equal
products nor a division by a small one is ever made. All |a|, |b| <= 1: products can only
underflow, and then to a zero that is right on the scale of the covariance.
"""

import numpy as np
from numba import njit, prange

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers
from spinsqueeze.methods.closed_form.single_spin import history_minus_one


@njit(cache=True, error_model="numpy")
def _panel(c: Floats, s: Floats, low: int, high: int, width: int) -> Floats:
    """(2 N, width): cosines and sines of spin k with the columns of a tile in rows 2k, 2k + 1."""
    N = c.shape[0]
    panel = np.empty((2 * N, width))
    for k in range(N):
        for j in range(high - low):
            panel[2 * k, j] = c[k, low + j]
            panel[2 * k + 1, j] = s[k, low + j]
        for j in range(high - low, width):
            panel[2 * k, j] = 1.0
            panel[2 * k + 1, j] = 0.0
    return panel


@njit(parallel=True, cache=True, fastmath={"contract"}, error_model="numpy")
def real_pair_products(
    c: Floats,
    s: Floats,
    tiles: Integers,
    width: int,
    plus: Floats,
    minus: Floats,
) -> None:
    """Connected products of every pair i < j for z = 0 and no jumps; fills both triangles.

    Args:
        c: (N, N) cos(phi_ik/2), symmetric.
        s: (N, N) sin(phi_ik/2), symmetric, zero diagonal.
        tiles: (n_tiles,) order in which the column tiles are shared among threads.
        width: columns in a tile.
        plus: (N, N) output, prod a - prod b of <s^+ s^+>.
        minus: (N, N) output, the same of <s^+ s^->.
    """
    N = c.shape[0]
    for q in prange(tiles.shape[0]):
        low = tiles[q] * width
        high = min(N, low + width)
        panel = _panel(c, s, low, high, width)
        D_plus = np.empty(width)
        D_minus = np.empty(width)
        B = np.empty(width)
        for i in range(high - 1):
            for j in range(width):
                D_plus[j] = 0.0
                D_minus[j] = 0.0
                B[j] = 1.0
            for k in range(N):
                if k == i:
                    continue
                ca = c[i, k]
                sa = s[i, k]
                # k = j belongs to the pair: its lane is put back after the sweep
                own = k - low if low <= k < high else 0
                D_plus_own, D_minus_own, B_own = D_plus[own], D_minus[own], B[own]
                for j in range(width):
                    b = ca * panel[2 * k, j]
                    d = sa * panel[2 * k + 1, j]
                    D_plus[j] = (b - d) * D_plus[j] - d * B[j]
                    D_minus[j] = (b + d) * D_minus[j] + d * B[j]
                    B[j] = b * B[j]
                if low <= k < high:
                    D_plus[own], D_minus[own], B[own] = D_plus_own, D_minus_own, B_own
            for j in range(max(low, i + 1), high):
                pair = B[j - low] * s[i, j] * s[i, j]
                plus[i, j] = D_plus[j - low] + pair
                minus[i, j] = D_minus[j - low] + pair
                plus[j, i] = plus[i, j]
                minus[j, i] = minus[i, j]


@njit(parallel=True, cache=True, error_model="numpy")
def complex_pair_products(
    phi: Floats,
    s: Floats,
    f: Complexes,
    z: Floats,
    down: Floats,
    up: Floats,
    plus: Complexes,
    minus: Complexes,
) -> None:
    """Connected products of every pair for any polarisation z, decay and pumping.

    Args:
        phi: (N, N, S) couplings integrated over each of S stretches, symmetric, zero diagonal.
        s: (N, N) sin(phi/2) of the whole time.
        f: (N, N) F - 1 of spin k (column) seen by spin i (row).
        z: (N,) initial <2 s^z>.
        down: (N, S) integrated decay rates.
        up: (N, S) integrated pumping rates.
        plus: (N, N) output, symmetric: of <s^+_i s^+_j>.
        minus: (N, N) output, hermitian: of <s^+_i s^-_j>.
    """
    N = phi.shape[0]
    noisy = np.zeros(N, dtype=np.bool_)
    for k in range(N):
        noisy[k] = np.any(down[k] > 0) or np.any(up[k] > 0)
    for row in prange((N + 1) // 2):
        # rows i and N - 1 - i together make equal work for every thread
        first = np.int64(row)
        _one_row(first, phi, s, f, z, down, up, noisy, plus, minus)
        if N - 1 - first != first:
            _one_row(N - 1 - first, phi, s, f, z, down, up, noisy, plus, minus)


@njit(cache=True, error_model="numpy")
def _one_row(
    i: int,
    phi: Floats,
    s: Floats,
    f: Complexes,
    z: Floats,
    down: Floats,
    up: Floats,
    noisy: Booleans,
    plus: Complexes,
    minus: Complexes,
) -> None:
    N = phi.shape[0]
    for j in range(i + 1, N):
        D_plus = 0.0j
        D_minus = 0.0j
        B_plus = 1.0 + 0.0j
        B_minus = 1.0 + 0.0j
        for k in range(N):
            if k in (i, j):
                continue
            fa, fb = f[i, k], f[j, k]
            if noisy[k]:
                d_plus, d_minus = noisy_changes(phi[i, k], phi[j, k], fa, fb, z[k], down[k], up[k])
            else:
                difference = (1 - z[k]) * (1 + z[k]) * s[i, k] * s[j, k]
                d_plus, d_minus = complex(-difference, 0.0), complex(difference, 0.0)
            D_plus, D_minus, B_plus, B_minus = one_more_spin(
                fa, fb, d_plus, d_minus, D_plus, D_minus, B_plus, B_minus
            )
        fi = f[i, j]
        fj = f[j, i]
        plus[i, j] = D_plus - B_plus * (fi + fj + fi * fj)
        fj = fj.conjugate()
        minus[i, j] = D_minus - B_minus * (fi + fj + fi * fj)
        plus[j, i] = plus[i, j]
        minus[j, i] = minus[i, j].conjugate()


@njit(cache=True, error_model="numpy")
def noisy_changes(
    phi_a: Floats, phi_b: Floats, fa: complex, fb: complex, z: float, down: Floats, up: Floats
) -> tuple[complex, complex]:
    """F(phi_a ± phi_b) - F(phi_a) F(±phi_b) of a third spin that jumps; arrays by stretch."""
    fb_minus = fb.conjugate()
    return (
        history_minus_one(phi_a, phi_b, 1.0, z, down, up) - fa - fb - fa * fb,
        history_minus_one(phi_a, phi_b, -1.0, z, down, up) - fa - fb_minus - fa * fb_minus,
    )


@njit(cache=True, error_model="numpy")
def one_more_spin(
    fa: complex,
    fb: complex,
    d_plus: complex,
    d_minus: complex,
    D_plus: complex,
    D_minus: complex,
    B_plus: complex,
    B_minus: complex,
) -> tuple[complex, complex, complex, complex]:
    """One step of the recursion for a third spin: F - 1 seen by the pair, and a - b."""
    b_plus = (1 + fa) * (1 + fb)
    b_minus = (1 + fa) * (1 + fb.conjugate())
    return (
        (b_plus + d_plus) * D_plus + d_plus * B_plus,
        (b_minus + d_minus) * D_minus + d_minus * B_minus,
        b_plus * B_plus,
        b_minus * B_minus,
    )
