"""Compiled pair products on a periodic lattice: one product per displacement, not per pair.

The couplings of the pair (0, d) to spin k are K[k] and K[k - d]. The last lattice axis is
stored twice over, so that every shifted row is one contiguous stretch; the recursion of
`pair_kernels` runs down the rows, one independent product per column, and the columns are
joined at the end by D = D_1 (B_2 + D_2) + B_1 D_2, B = B_1 B_2.
"""

import numpy as np
from numba import njit, prange

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.closed_form.pair_kernels import noisy_changes, one_more_spin


@njit(parallel=True, cache=True, error_model="numpy")  # no fused operations: bits as numpy's
def real_lattice_products(
    c: Floats,
    s: Floats,
    rows: Integers,
    columns: Integers,
    plus: Floats,
    minus: Floats,
) -> None:
    """Connected products for z = 0 and no jumps.

    Args:
        c: (A, 2L) cos(K/2), lattice rows by doubled columns.
        s: (A, 2L) sin(K/2).
        rows: (R, A) row of k - d for every wanted displacement d and row of k.
        columns: (R,) column of d.
        plus: (R,) output, prod a - prod b of <s^+_0 s^+_d>.
        minus: (R,) output, the same of <s^+_0 s^-_d>.
    """
    A = c.shape[0]
    L = c.shape[1] // 2
    for q in prange(rows.shape[0]):
        start = L - columns[q]
        D_plus = np.zeros(L)
        D_minus = np.zeros(L)
        B = np.ones(L)
        own = 0.0
        for r in range(A):
            shifted = rows[q, r]
            # spin 0 is at row 0, column 0 and spin d where k - d = 0: they belong to the pair
            home = r == 0
            away = shifted == 0
            here = D_plus[0], D_minus[0], B[0]
            x = columns[q]
            there = D_plus[x], D_minus[x], B[x]
            for j in range(L):
                b = c[r, j] * c[shifted, start + j]
                d = s[r, j] * s[shifted, start + j]
                D_plus[j] = (b - d) * D_plus[j] - d * B[j]
                D_minus[j] = (b + d) * D_minus[j] + d * B[j]
                B[j] = b * B[j]
            if home:
                D_plus[0], D_minus[0], B[0] = here
            if away:
                D_plus[x], D_minus[x], B[x] = there
                own = s[r, x] * s[r, x]
        p = 0.0
        m = 0.0
        b = 1.0
        for j in range(L):
            p = p * (B[j] + D_plus[j]) + b * D_plus[j]
            m = m * (B[j] + D_minus[j]) + b * D_minus[j]
            b *= B[j]
        plus[q] = p + b * own
        minus[q] = m + b * own


@njit(parallel=True, cache=True, error_model="numpy")
def complex_lattice_products(
    K: Floats,
    s: Floats,
    f: Complexes,
    z: float,
    down: Floats,
    up: Floats,
    rows: Integers,
    columns: Integers,
    plus: Complexes,
    minus: Complexes,
) -> None:
    """Connected products for any polarisation z, decay and pumping, equal on all sites.

    Args:
        K: (A, 2L, S) couplings by displacement, integrated over each of S stretches; doubled
            columns.
        s: (A, 2L) sin(K/2) of the whole time.
        f: (A, 2L) F - 1.
        z: initial <2 s^z>.
        down: (S,) integrated decay rate.
        up: (S,) integrated pumping rate.
        rows: (R, A) row of k - d.
        columns: (R,) column of d.
        plus: (R,) output of <s^+_0 s^+_d>.
        minus: (R,) output of <s^+_0 s^-_d>.
    """
    A = K.shape[0]
    L = K.shape[1] // 2
    noisy = np.any(down > 0) or np.any(up > 0)
    for q in prange(rows.shape[0]):
        start = L - columns[q]
        D_plus = 0.0j
        D_minus = 0.0j
        B_plus = 1.0 + 0.0j
        B_minus = 1.0 + 0.0j
        own = 0.0j
        for r in range(A):
            shifted = rows[q, r]
            for j in range(L):
                if r == 0 and j == 0:
                    continue
                if shifted == 0 and j == columns[q]:
                    own = f[r, j]
                    continue
                x = start + j
                fa, fb = f[r, j], f[shifted, x]
                if noisy:
                    d_plus, d_minus = noisy_changes(K[r, j], K[shifted, x], fa, fb, z, down, up)
                else:
                    difference = (1 - z) * (1 + z) * s[r, j] * s[shifted, x]
                    d_plus, d_minus = complex(-difference, 0.0), complex(difference, 0.0)
                D_plus, D_minus, B_plus, B_minus = one_more_spin(
                    fa, fb, d_plus, d_minus, D_plus, D_minus, B_plus, B_minus
                )
        plus[q] = D_plus - B_plus * (2 * own + own * own)
        size = own.real * own.real + own.imag * own.imag
        minus[q] = D_minus - B_minus * (2 * own.real + size)
