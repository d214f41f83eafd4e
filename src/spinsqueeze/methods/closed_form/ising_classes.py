"""Ising models between classes of equal spins, for any number of spins in a class.

All spins of class A couple to all spins of class B with J_AB (and to each other with J_AA), so
the product over third spins is a product of powers over classes: C^3/2 factors a time for C
classes. Powers are taken in log space with exact signs; differences of nearly equal products
by expm1 of the summed log1p of their ratios.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form.collective import (
    along_times_and_sites,
    bloch_vectors,
    collective_covariance,
    integrated_rate,
)
from spinsqueeze.methods.closed_form.correlators import IsingCorrelators, Turns
from spinsqueeze.methods.closed_form.single_spin import factor_minus_one, history_minus_one
from spinsqueeze.methods.closed_form.spin_factors import polarisation, single_spin_factors
from spinsqueeze.methods.closed_form.stretches import (
    acting_stretches,
    stretched_rate,
    stretches_table,
)


def twisting_couplings(weights: ArrayLike) -> Floats:
    """(C, C) couplings 2 w_A w_B of ``(sum_i w_i s^z_i)^2`` (strength chi in the integrals).

    Args:
        weights: (C,) weight of a spin of each class.
    """
    w = np.asarray(weights, dtype=np.float64)
    return np.asarray(2 * np.outer(w, w))


def class_moments(
    counts: ArrayLike,
    *,
    couplings: ArrayLike,
    integrals: ArrayLike,
    bloch: ArrayLike,
    rotation: ArrayLike = 0.0,
    dephasing: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
    pumping: ArrayLike = 0.0,
    weights: ArrayLike = 1.0,
    turns: Turns | None = None,
) -> tuple[Floats, Floats]:
    """Mean and covariance of S = sum_i w_i s_i for classes of equal spins.

    ``H = sum_m f_m(t) sum_{i<j} J^m_{A(i)A(j)} s^z_i s^z_j + sum_i h_{A(i)}(t) s^z_i``, A(i) the
    class of spin i. With decay or pumping the couplings and both rates must be constant, or be
    given by stretches (S) in each of which they are. One class with J = 2 chi is one-axis twisting
    with local jumps. Entries are right to about 1e-12 of the largest one.

    Args:
        counts: (C,) spins in each class, at least 1.
        couplings: (C, C) or (n_terms, C, C), symmetric; the diagonal couples equals.
        integrals: (T,), (T, n_terms) or (T, S, n_terms) integral of each term's envelope.
        bloch: (3,) or (C, 3) initial <sigma>.
        rotation: integral of h (detunings): one number, (T,) or (T, C).
        dephasing: integral of the local dephasing rate [1]; same shapes.
        decay: integral of the rate of s_minus [1]; same shapes, or (T, S, C).
        pumping: integral of the rate of s_plus [1]; same shapes, or (T, S, C).
        weights: (C,) or scalar w of the collective spin that is measured.
        turns: by what pulses have turned each class.

    Returns:
        spin (T, 3): <S_a>; covariance (T, 3, 3): <{S_a, S_b}>/2 - <S_a><S_b>.

    Raises:
        InvalidInput: counts that are not positive integers; couplings not symmetric or not
            finite; wrong shapes; negative rates.

    Source: fossfeig2013; NOTES.md.
    """
    n = np.asarray(counts)
    if n.ndim != 1 or n.size == 0 or np.any(n < 1) or np.any(n != np.floor(n)):
        raise InvalidInput(f"counts must be whole numbers of at least 1, (C,); got {counts!r}")
    n = n.astype(np.float64)
    J = np.asarray(couplings, dtype=np.float64)
    J = J[None] if J.ndim == 2 else J
    if J.ndim != 3 or J.shape[1:] != (len(n), len(n)) or not np.all(np.isfinite(J)):
        raise InvalidInput(
            f"couplings must be finite, (n_terms, {len(n)}, {len(n)}) for {len(n)} classes; "
            f"got shape {J.shape}"
        )
    if np.max(np.abs(J - np.swapaxes(J, 1, 2))) > 1e-12 * np.max(np.abs(J)):
        raise InvalidInput("couplings between classes must be symmetric")
    strengths = stretches_table(integrals, len(J))
    T, S = strengths.shape[:2]
    shape = (T, len(n))
    vectors = bloch_vectors(bloch, len(n))
    theta = along_times_and_sites(rotation, shape, name="rotation")
    Gamma = integrated_rate(dephasing, shape, name="dephasing")
    down = stretched_rate(decay, (T, S, len(n)), name="decay")
    up = stretched_rate(pumping, (T, S, len(n)), name="pumping")
    w = np.broadcast_to(np.asarray(weights, dtype=np.float64), n.shape)

    pairs = np.outer(n * w, n * w) - np.diag(n * w * w)
    z = vectors[:, 2].copy()
    spins, covariances = np.empty((T, 3)), np.empty((T, 3, 3))
    for t in range(T):
        rows, d, u = acting_stretches(strengths[t], down[t], up[t])
        history = np.stack([np.einsum("m,mab->ab", row, J) for row in rows], axis=-1)
        f, h = single_spin_factors(history, z=z, down=d, up=u)
        plus, minus, others = _class_products(n, history, history.sum(axis=-1), f, z, d, u)
        p = 0.5 * (vectors[:, 0] + 1j * vectors[:, 1])
        p = p * np.exp(1j * theta[t] - Gamma[t] - 0.5 * (d + u).sum(axis=-1))
        # the mean of class B: all others of every class
        mean_plus = p * np.diagonal(others) * (1 + np.where(n > 1, np.diagonal(f), 0))
        now = IsingCorrelators(  # its tables summed over the pairs of spins of two classes
            plus=mean_plus,
            z=0.5 * polarisation(z, down=d, up=u),
            plus_plus=pairs * plus * np.outer(p, p),
            plus_minus=pairs * minus * np.outer(p, p.conj()),
            z_plus=(pairs * 0.5 * h * others * p[:, None]).T,
        )
        if turns is not None:
            now = now.turned(turns.flipped[t], turns.phases[t])
        means = now.spin()
        spins[t] = (n * w) @ means
        covariances[t] = collective_covariance(
            means,
            squared_weights=n * w * w,
            plus_plus=complex(np.sum(now.plus_plus)),
            plus_minus=float(np.sum(now.plus_minus).real),
            z_plus=complex(np.sum(now.z_plus)),
        )
    return spins, covariances


@njit(cache=True, error_model="numpy")
def _log_factor(f: complex, size_minus_one: float) -> tuple[float, float, bool]:
    """(log|F|, phase, odd) with F = (-1)^odd |F| exp(i phase), |phase| <= pi/2."""
    real = 1 + f.real
    odd = real < 0
    phase = math.atan2(-f.imag if odd else f.imag, abs(real))
    if size_minus_one > -0.5:
        return 0.5 * math.log1p(size_minus_one), phase, odd
    size = real * real + f.imag * f.imag
    return (0.5 * math.log(size) if size > 0 else -math.inf), phase, odd


@njit(cache=True, error_model="numpy")
def _size_minus_one(f: complex, phi: float, z: float, jumps: bool) -> float:
    """|F|^2 - 1; exact where |F| returns to 1."""
    if jumps:
        return f.real * (2 + f.real) + f.imag * f.imag
    s = math.sin(0.5 * phi)
    return -(1 - z) * (1 + z) * s * s


@njit(cache=True, error_model="numpy")
def _exp_signed(log_size: float, phase: float, odd: bool) -> complex:
    if log_size == -math.inf:
        return 0.0j
    size = math.exp(log_size)
    if odd:
        size = -size
    return complex(size * math.cos(phase), size * math.sin(phase))


@njit(cache=True, error_model="numpy")
def _factor_table(
    phi: Floats, f: Complexes, z: Floats, down: Floats, up: Floats
) -> tuple[Floats, Floats, Booleans]:
    """`_log_factor` of every F_Ac: three tables (C, C)."""
    C = len(z)
    size = np.zeros((C, C))
    phase = np.zeros((C, C))
    odd = np.zeros((C, C), dtype=np.bool_)
    for A in range(C):
        for c in range(C):
            jumps = np.any(down[c] > 0) or np.any(up[c] > 0)
            near = _size_minus_one(f[A, c], phi[A, c], z[c], jumps)
            size[A, c], phase[A, c], odd[A, c] = _log_factor(f[A, c], near)
    return size, phase, odd


@njit(cache=True, error_model="numpy")
def _third_spins(n: Floats, c: int, A: int, B: int) -> float:
    """Spins of class c beside one of class A and one of class B."""
    return float(n[c] - (1.0 if c == A else 0.0) - (1.0 if c == B else 0.0))


@njit(cache=True, error_model="numpy")
def _products_over_others(n: Floats, size: Floats, phase: Floats, odd: Booleans) -> Complexes:
    """(C, C): prod_c F_Bc^(n_c - [c = B] - [c = A]) in row B and column A."""
    C = len(n)
    others = np.zeros((C, C), dtype=np.complex128)
    for A in range(C):
        for B in range(C):
            total, angle, flips = 0.0, 0.0, False
            for c in range(C):
                power = max(_third_spins(n, c, A, B), 0.0)
                if power > 0:
                    total += power * size[B, c]
                    angle += power * phase[B, c]
                    flips ^= odd[B, c] and power % 2 == 1
            others[B, A] = _exp_signed(total, angle, flips)
    return others


@njit(cache=True, error_model="numpy")
def _pair_change(
    fab: complex, fa: complex, fb: complex, phi_a: float, phi_b: float, z: float, jumps: bool
) -> complex:
    """F(phi_a + phi_b) - F(phi_a) F(phi_b) of one third spin; exact without jumps."""
    if jumps:
        return fab - fa - fb - fa * fb
    sines = math.sin(0.5 * phi_a) * math.sin(0.5 * phi_b)
    return complex(-(1 - z) * (1 + z) * sines, 0.0)


@njit(cache=True, error_model="numpy")
def _exp_minus_one(log_size: float, phase: float, means: complex) -> complex:
    """(exp(log_size + i phase) - 1) means, without cancellation."""
    half = math.sin(0.5 * phase)
    grown = math.exp(log_size)
    real = math.expm1(log_size) - 2 * grown * half * half
    return means * complex(real, grown * math.sin(phase))


@njit(cache=True, error_model="numpy")
def _connected(
    A: int,
    B: int,
    sign: float,
    n: Floats,
    history: Floats,
    phi: Floats,
    f: Complexes,
    z: Floats,
    down: Floats,
    up: Floats,
    size: Floats,
    phase: Floats,
    odd: Booleans,
) -> complex:
    """Product of the pair's factors less that of the means, for <s^+ s^+> (sign 1) or <s^+ s^->."""
    ratio_re, ratio_im, regular = 0.0, 0.0, True
    mean, mean_phase, mean_odd = 0.0, 0.0, False
    pair, pair_phase, pair_odd = 0.0, 0.0, False
    for c in range(len(n)):
        power = _third_spins(n, c, A, B)
        if power == 0:
            continue
        jumps = np.any(down[c] > 0) or np.any(up[c] > 0)
        fa = f[A, c]
        fb = f[B, c] if sign > 0 else f[B, c].conjugate()
        angle = phi[A, c] + sign * phi[B, c]
        if jumps:
            fab = history_minus_one(history[A, c], history[B, c], sign, z[c], down[c], up[c])
        else:
            fab = factor_minus_one(angle, z[c], 0.0, 0.0)
        change = _pair_change(fab, fa, fb, phi[A, c], sign * phi[B, c], z[c], jumps)
        near = _size_minus_one(fab, angle, z[c], jumps)
        log_size, log_phase, log_odd = _log_factor(fab, near)
        pair += power * log_size
        pair_phase += power * log_phase
        pair_odd ^= log_odd and power % 2 == 1
        mean += power * (size[A, c] + size[B, c])
        mean_phase += power * (phase[A, c] + sign * phase[B, c])
        mean_odd ^= (odd[A, c] != odd[B, c]) and power % 2 == 1
        product = (1 + fa) * (1 + fb)
        if abs(product) < 0.1 or abs(change) > 0.5 * abs(product):
            regular = False
        else:
            r = change / product
            ratio_re += 0.5 * power * math.log1p(r.real * (2 + r.real) + r.imag * r.imag)
            ratio_im += power * math.atan2(r.imag, 1 + r.real)
    means = _exp_signed(mean, mean_phase, mean_odd)
    if regular and abs(ratio_re) < 1 and abs(ratio_im) < 1:
        value = _exp_minus_one(ratio_re, ratio_im, means)
    else:
        value = _exp_signed(pair, pair_phase, pair_odd) - means
    fa = f[A, B]
    fb = f[B, A] if sign > 0 else f[B, A].conjugate()
    return complex(value - means * (fa + fb + fa * fb))


@njit(cache=True, error_model="numpy")
def _class_products(
    n: Floats,
    history: Floats,
    phi: Floats,
    f: Complexes,
    z: Floats,
    down: Floats,
    up: Floats,
) -> tuple[Complexes, Complexes, Complexes]:
    """Connected pair products (C, C) of <s^+ s^+>, <s^+ s^->, and products over the others.

    The third table holds, in row B and column A, prod_c F_Bc^(n_c - [c = B] - [c = A]).
    """
    C = len(n)
    plus = np.zeros((C, C), dtype=np.complex128)
    minus = np.zeros((C, C), dtype=np.complex128)
    size, phase, odd = _factor_table(phi, f, z, down, up)
    for A in range(C):
        for B in range(A, C):
            if A == B and n[A] == 1:
                continue
            value = _connected(A, B, 1.0, n, history, phi, f, z, down, up, size, phase, odd)
            plus[A, B] = value
            plus[B, A] = value
            value = _connected(A, B, -1.0, n, history, phi, f, z, down, up, size, phase, odd)
            minus[A, B] = value
            minus[B, A] = value.conjugate()
    return plus, minus, _products_over_others(n, size, phase, odd)
